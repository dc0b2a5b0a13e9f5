//! One row of a registry in memory.

use std::fmt;

use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::model::Registry;
use crate::value::{Timestamp, Value, python_number};

/// Id of the branch that holds what was trashed.
pub(crate) const TRASH: i64 = -1;

/// A record: a registry and one value per column.
#[derive(Clone)]
pub struct Record {
    registry: &'static Registry,
    values: Vec<Value>,
    /// What the changed columns held when the record was read, by position.
    before: Vec<(usize, Value)>,
}

impl Record {
    /// Returns a record with nothing in it.
    pub fn empty(registry: &'static Registry) -> Self {
        Record { registry, values: vec![Value::Null; registry.columns.len()], before: Vec::new() }
    }

    /// Returns a record from one value per column, in the registry's order.
    pub fn from_values(registry: &'static Registry, mut values: Vec<Value>) -> Self {
        values.resize(registry.columns.len(), Value::Null);
        Record { registry, values, before: Vec::new() }
    }

    /// Returns the registry.
    pub fn registry(&self) -> &'static Registry {
        self.registry
    }

    /// Returns the values in column order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Returns the value of a field; `None` when the registry has no such field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.registry.position(field).and_then(|i| self.values.get(i))
    }

    /// Returns the primary key; `None` before the record is saved.
    pub fn id(&self) -> Option<i64> {
        self.int("id")
    }

    /// Returns the uid, empty where the registry has none.
    pub fn uid(&self) -> &str {
        self.text("uid").unwrap_or_default()
    }

    /// Returns a text field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }

    /// Returns a whole-number field.
    pub fn int(&self, field: &str) -> Option<i64> {
        self.get(field).and_then(Value::as_int)
    }

    /// Returns a flag; an absent one is false.
    pub fn flag(&self, field: &str) -> bool {
        self.get(field).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns true for what is in the trash.
    pub fn is_trashed(&self) -> bool {
        self.int("branch_id") == Some(TRASH)
    }

    /// Returns a moment.
    pub fn moment(&self, field: &str) -> Option<Timestamp> {
        self.get(field).and_then(Value::as_timestamp)
    }

    /// Sets a field, cast to its kind.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for an unknown field, [`crate::ErrorKind::Value`] for a value it cannot hold.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) -> Result<()> {
        let position = self.registry.position(field).ok_or_else(|| self.registry.unknown_field(field))?;
        let kind = self.registry.columns[position].kind;
        let value = value.into().cast(kind).map_err(|error| {
            Error::value(format!("Field '{field}' of {}: {}", self.registry.name, error.message()))
        })?;
        let old = std::mem::replace(&mut self.values[position], value);
        match self.find_before(position) {
            Ok(found) if self.before[found].1 == self.values[position] => drop(self.before.remove(found)),
            Ok(_) => (),
            Err(_) if old == self.values[position] => (),
            Err(place) => self.before.insert(place, (position, old)),
        }
        Ok(())
    }

    fn find_before(&self, position: usize) -> std::result::Result<usize, usize> {
        self.before.binary_search_by_key(&position, |(changed, _)| *changed)
    }

    /// Returns the positions of the columns that were set to another value since the record was read or saved.
    pub fn changed(&self) -> impl Iterator<Item = usize> + '_ {
        self.before.iter().map(|(position, _)| *position)
    }

    /// Returns what a changed field held when the record was read; `None` when it has not changed.
    pub fn before(&self, field: &str) -> Option<&Value> {
        let found = self.find_before(self.registry.position(field)?).ok()?;
        Some(&self.before[found].1)
    }

    /// Puts a value into a column as the database holds it, without counting it as a change.
    pub(crate) fn put(&mut self, position: usize, value: Value) {
        if let Ok(found) = self.find_before(position) {
            self.before.remove(found);
        }
        self.values[position] = value;
    }

    /// Sets the primary key that the database gave.
    pub(crate) fn put_id(&mut self, id: i64) {
        if let Some(position) = self.registry.position("id") {
            self.put(position, Value::Int(id));
        }
    }

    /// Declares the present values to be those of the database.
    pub(crate) fn settle(&mut self) {
        self.before.clear();
    }

    /// Returns the version: the tag, else the last four characters of the uid.
    pub fn version(&self) -> Option<&str> {
        if !self.registry.traits.versioned {
            return None;
        }
        self.text("version_tag").or_else(|| self.uid().get(self.registry.stem_len..))
    }

    /// Returns the part of the uid that all versions share.
    pub fn stem_uid(&self) -> &str {
        let uid = self.uid();
        uid.get(..self.registry.stem_len).unwrap_or(uid)
    }

    /// Returns the columns that representations show, in their order: the uid first, keys after values, and the
    /// fields that every registry shares last.
    pub fn shown_columns(registry: &'static Registry) -> Vec<usize> {
        const LAST: [&str; 4] = ["created_at", "is_locked", "version_tag", "is_latest"];
        let visible = |i: &usize| {
            let column = &registry.columns[*i];
            let dtype = registry.name == "Feature" && column.name == "_dtype_str";
            (!column.private() || dtype) && !matches!(column.name, "id" | "updated_at" | "source_code")
        };
        let all = || (0..registry.columns.len()).filter(visible);
        let named = |i: &usize, name: &str| registry.columns[*i].name == name;
        let middle = |i: &usize| !named(i, "uid") && !LAST.contains(&registry.columns[*i].name);
        let part = |i: &usize| is_part(registry, registry.columns[*i].name);
        let key = |i: &usize| registry.columns[*i].to.is_some() && !part(i);
        let mut order: Vec<usize> = all().filter(|i| named(i, "uid")).collect();
        order.extend(all().filter(|i| middle(i) && !key(i) && !part(i)));
        order.extend(all().filter(part));
        order.extend(all().filter(|i| middle(i) && key(i)));
        for name in LAST {
            order.extend(all().filter(|i| named(i, name)));
        }
        order
    }

    /// Returns the record as messages show it: `ULabel(uid='…', name='apple', …)`.
    pub fn repr(&self) -> String {
        let unsaved = self.id().is_none();
        let fields: Vec<String> = Self::shown_columns(self.registry)
            .into_iter()
            .filter(|i| !(unsaved && self.registry.columns[*i].name == "created_at"))
            .map(|i| {
                let column = &self.registry.columns[i];
                let part = is_part(self.registry, column.name);
                format!("{}={}", if part { column.name } else { column.column }, quoted(&self.values[i]))
            })
            .collect();
        format!("{}({})", self.registry.name, fields.join(", "))
    }
}

/// Returns true for keys to a record that belongs to this one: representations show them among its own values.
fn is_part(registry: &Registry, name: &str) -> bool {
    matches!((registry.name, name), ("Collection", "meta_artifact") | ("Transform", "environment" | "plan"))
}

/// Returns a value as representations show it: texts in single quotes.
pub fn quoted(value: &Value) -> String {
    match value {
        Value::Text(text) if text.contains('\'') && !text.contains('"') => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('\n', "\\n"))
        }
        Value::Text(text) => {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
        }
        other => other.to_string(),
    }
}

/// Returns a JSON value as Python would write it.
pub fn python_literal(json: &Json) -> String {
    let text = |text: &String| quoted(&Value::from(text));
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => python_number(number),
        Json::String(string) => text(string),
        Json::Array(items) => {
            format!("[{}]", items.iter().map(python_literal).collect::<Vec<_>>().join(", "))
        }
        Json::Object(map) => {
            let pairs = map.iter().map(|(key, value)| format!("{}: {}", text(key), python_literal(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repr())
    }
}
