//! New records from what a user gives: keyword checks, defaults of the constructor, and the same-name look-up.

use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{Column, Registry};
use crate::query::{Case, Q, QuerySet, lookup};
use crate::record::{Record, quoted};
use crate::session::Session;
use crate::value::Value;

/// A keyword of a constructor with its value; foreign keys by id.
pub type Given<'a> = (&'a str, Value);

/// The result of a construction.
#[derive(Clone, Debug)]
pub struct Constructed {
    /// The new record, or the existing one.
    pub record: Record,
    /// True when a record of that name existed.
    pub existing: bool,
}

/// Fields that a constructor never takes.
const INTERNAL: [&str; 8] =
    ["id", "created_at", "updated_at", "created_by", "created_on", "is_locked", "is_latest", "hash"];

/// Returns the keywords that the constructor of a registry accepts, in the order in which errors list them.
pub fn keywords(registry: &'static Registry) -> Vec<&'static str> {
    let own = |column: &&Column| {
        !column.private()
            && !INTERNAL.contains(&column.name)
            && !matches!(column.name, "uid" | "run" | "version_tag")
    };
    let shared = ["branch", "space"];
    let lead = |name: &str| match name {
        "name" => 0,
        "type" => 1,
        "is_type" => 2,
        _ => 3,
    };
    let mut names: Vec<&'static str> = registry
        .columns
        .iter()
        .filter(own)
        .map(|column| column.name)
        .filter(|name| !shared.contains(name))
        .collect();
    names.sort_by_key(|name| lead(name));
    names.extend(shared.iter().filter(|name| registry.column(name).is_some()));
    names
}

/// Returns true for the keyword that wants no run, whichever is tracked.
fn is_no_run(name: &str, value: &Value) -> bool {
    matches!(name, "run" | "run_id") && matches!(value, Value::Null | Value::Bool(false))
}

impl Session {
    /// Returns a new record from keywords, or the existing record of the same name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::FieldValidation`] for unknown or missing keywords, [`crate::ErrorKind::Value`] for a type
    /// that is none.
    pub fn construct(&self, registry: &'static Registry, given: &[Given<'_>]) -> Result<Constructed> {
        self.construct_with(registry, given, true)
    }

    /// Returns [`Session::construct`] with the same-name look-up switched on or off.
    pub fn construct_with(
        &self,
        registry: &'static Registry,
        given: &[Given<'_>],
        search_names: bool,
    ) -> Result<Constructed> {
        let mut made = self.construct_bare(registry, given, search_names)?;
        if !made.existing {
            super::prefill(self, &mut made.record)?;
            if given.iter().any(|(name, value)| is_no_run(name, value)) {
                // A change of what was filled in: saving leaves it alone.
                made.record.set("run", Value::Null)?;
            }
        }
        Ok(made)
    }

    /// Returns [`Session::construct_with`] with nothing in a new record but what was given.
    pub(crate) fn construct_bare(
        &self,
        registry: &'static Registry,
        given: &[Given<'_>],
        search_names: bool,
    ) -> Result<Constructed> {
        let mut record = Record::empty(registry);
        let allowed = keywords(registry);
        for (name, value) in given {
            let bare = lookup::unalias(registry, name);
            let known = registry.column(&bare).filter(|column| {
                allowed.contains(&column.name) || matches!(column.name, "uid" | "run" | "version_tag" | "created_by") ||
                // Restoring a row of another database needs every field of a registry without a public constructor.
                !registry.traits.top_level
            });
            let Some(column) = known.filter(|column| column.name != "id") else {
                return Err(Error::field_validation(format!(
                    "Only {} are valid keyword arguments, you passed: '{name}'",
                    allowed.join(", ")
                )));
            };
            if column.to.is_some()
                && column.name == *name
                && given.iter().any(|(other, _)| *other == column.column)
            {
                let target = column.to.map_or("", |to| to.target);
                return Err(Error::value(format!("Do not pass both {target} and its id at the same time.")));
            }
            if column.name == "key"
                && let Some(key) = value.as_str()
            {
                crate::key::check(key, crate::key::KeyKind::Virtual)?;
            }
            if let (crate::model::Default::Uid(n), Some(uid)) = (column.default, value.as_str())
                && uid.chars().count() != usize::from(n)
            {
                return Err(Error::validation(format!(
                    "`uid` must be exactly {n} characters long, got {}.",
                    uid.chars().count()
                )));
            }
            let value = match (column.name, value) {
                ("_status_code", Value::Text(word)) => Value::Int(lookup::status_code(registry, word)?),
                (name, value) if is_no_run(name, value) => Value::Null,
                (_, value) => value.clone(),
            };
            record.set(column.name, value)?;
        }
        self.check_type(&record)?;
        self.check_required(&record)?;
        if search_names && let Some(existing) = self.same_name(&record, given)? {
            return Ok(Constructed { record: existing, existing: true });
        }
        Ok(Constructed { record, existing: false })
    }

    fn check_type(&self, record: &Record) -> Result<()> {
        let registry = record.registry();
        let Some(id) = record.int("type_id").filter(|_| registry.traits.has_type) else { return Ok(()) };
        let kind = QuerySet::new(self, registry).filter(Q::is("id", id))?.one()?;
        if kind.flag("is_type") {
            return Ok(());
        }
        let name = registry.name.to_lowercase();
        Err(Error::value(format!(
            "You can only assign a {name} with `is_type=True` as `type` to another {name}, but this doesn't have it: {}",
            kind.repr()
        )))
    }

    fn check_required(&self, record: &Record) -> Result<()> {
        let registry = record.registry();
        let missing: Vec<String> = registry
            .columns
            .iter()
            .zip(record.values())
            .filter(|(column, value)| {
                let optional =
                    column.null || column.default != crate::model::Default::None || column.name == "id";
                let generated =
                    matches!(column.name, "uid" | "suffix" | "storage" | "created_at") || column.private();
                !optional && !generated && value.is_null()
            })
            .map(|(column, _)| format!("'{}'", column.name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::field_validation(format!("[{}] are required.", missing.join(", "))))
    }

    /// Returns the record of the same name, with the other fields taken over in memory.
    fn same_name(&self, record: &Record, given: &[Given<'_>]) -> Result<Option<Record>> {
        let registry = record.registry();
        let Some(field) = registry.name_field.filter(|_| registry.traits.can_curate) else { return Ok(None) };
        let Some(name) = record.text(field).map(str::to_owned) else { return Ok(None) };
        if given.iter().any(|(key, _)| *key == "uid") {
            return Ok(None);
        }
        let mut scope = QuerySet::new(self, registry).visible()?;
        if registry.traits.has_type {
            match given.iter().find(|(key, _)| matches!(*key, "type" | "type_id")) {
                None => self.env().emit(Event::TipPassType { registry: registry.name }),
                Some((_, value)) if value.is_null() => scope = scope.filter(Q::is("type__isnull", true))?,
                Some((_, value)) => {
                    scope = scope.filter(Q::Is("type_id".to_owned(), value.clone().into()))?
                }
            }
        }
        if let Some(organism) = record.int("organism_id") {
            scope = scope.filter(Q::is("organism_id", organism))?;
        }
        let Some(mut found) = scope.filter(Q::is(field, name.as_str()))?.order_by(["id"])?.first()? else {
            self.hint_similar(&scope, field, &name)?;
            return Ok(None);
        };
        self.env().emit(Event::ReturnedSameName {
            registry: registry.name,
            field: field.to_owned(),
            name: name.clone(),
        });
        for (key, _) in given {
            let Some(column) = registry.column(&lookup::unalias(registry, key)) else { continue };
            if matches!(column.name, "uid" | "hash" | "_dtype_str" | "otype") || column.name == field {
                continue;
            }
            let (Some(old), Some(new)) = (found.get(column.name).cloned(), record.get(column.name).cloned())
            else {
                continue;
            };
            if new.is_null() || old == new {
                continue;
            }
            self.env().emit(Event::UpdatedField {
                field: column.name.to_owned(),
                from: quoted(&old).trim_matches('\'').to_owned(),
                to: quoted(&new).trim_matches('\'').to_owned(),
            });
            found.set(column.name, new)?;
        }
        Ok(Some(found))
    }

    /// Mentions records whose names resemble `name`.
    pub(crate) fn hint_similar(&self, scope: &QuerySet, field: &str, name: &str) -> Result<()> {
        let length = name.chars().count();
        let stub: String =
            if length > 5 { name.chars().take(length * 4 / 5).collect() } else { name.to_owned() };
        let hits = scope.search(&stub, &[field], Some(3), Case::Ignored)?.all()?;
        let similar: Vec<String> = hits.iter().filter_map(|hit| hit.text(field).map(str::to_owned)).collect();
        if !similar.is_empty() {
            self.env().emit(Event::SimilarNames {
                registry: scope.registry().name,
                field: field.to_owned(),
                name: name.to_owned(),
                similar,
            });
        }
        Ok(())
    }
}
