//! Records from values: those that exist, and new ones in bulk.

use std::collections::{HashMap, HashSet};

use super::{Scope, Standardize, receive, text_field};
use crate::error::Result;
use crate::event::Event;
use crate::instance::Instance;
use crate::model::{Default as FieldDefault, Registry};
use crate::query::Q;
use crate::record::Record;
use crate::value::Value;
use crate::write::{self, Given};

/// Names that resemble others are mentioned for so many new values at most: beyond, nobody reads them.
const MOST_HINTS: usize = 10;

/// How records are made from values.
#[derive(Clone, Debug)]
pub struct FromValues<'a> {
    /// Field that holds the values, the name field when absent.
    pub field: Option<&'a str>,
    /// Make new records for unknown values.
    pub create: bool,
    /// Take synonyms and other spellings for what they stand for.
    pub standardize: bool,
    /// Which records count, and what new ones belong to.
    pub scope: Scope,
}

impl Default for FromValues<'_> {
    fn default() -> Self {
        FromValues { field: None, create: false, standardize: true, scope: Scope::default() }
    }
}

impl Instance {
    /// Returns the records that hold the values, by id; with `create`, one record per value, existing or new.
    ///
    /// New records are not saved: [`crate::Session::save_many`] writes them at once.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for an unknown field or one without text; with `create` those of
    /// [`crate::Session::construct`].
    pub fn from_values<S: AsRef<str>>(
        &self,
        registry: &'static Registry,
        values: &[S],
        how: &FromValues<'_>,
    ) -> Result<Vec<Record>> {
        let field = text_field(registry, how.field)?;
        if how.create {
            return self.create_values(registry, values, field, &how.scope);
        }
        let wanted = receive(values).unique;
        let query = how.scope.query(self, registry)?;
        let mut found = query.filter(Q::is(format!("{field}__in"), wanted.clone()))?.all()?;
        let known: HashSet<&str> = found.iter().filter_map(|record| record.text(field)).collect();
        let (direct, mut wanted): (Vec<&str>, Vec<&str>) =
            wanted.into_iter().partition(|value| known.contains(value));
        let loaded = |field: &str, values: &[&str]| {
            if !values.is_empty() {
                let values = values.iter().map(|value| (*value).to_owned()).collect();
                how.scope
                    .say(self, Event::Loaded { registry: registry.name, field: field.to_owned(), values });
            }
        };
        // Where all are found, there is nothing to tell.
        if !wanted.is_empty() {
            loaded(field, &direct);
        }
        if how.standardize && !wanted.is_empty() {
            let scope = Scope { mute: true, ..how.scope.clone() };
            let mapper = self.standardize(
                registry,
                &wanted,
                &Standardize { field: Some(field), scope, ..Standardize::default() },
            )?;
            let standards: Vec<&str> = mapper.mapper.iter().map(|(_, standard)| standard.first()).collect();
            found.extend(query.filter(Q::is(format!("{field}__in"), standards))?.all()?);
            let mapped: HashSet<&str> = mapper.mapper.iter().map(|(value, _)| value.as_str()).collect();
            let (mapped, unknown): (Vec<&str>, Vec<&str>) =
                wanted.into_iter().partition(|value| mapped.contains(value));
            loaded("synonyms", &mapped);
            wanted = unknown;
        }
        found.sort_by_key(Record::id);
        found.dedup_by_key(|record| record.id());
        if !wanted.is_empty() {
            let values = wanted.into_iter().map(str::to_owned).collect();
            how.scope
                .say(self, Event::NotCreated { registry: registry.name, field: field.to_owned(), values });
        }
        Ok(found)
    }

    /// Returns one record per value in the order of the values, as the constructor would make them one by one.
    ///
    /// The registry is asked once for all names, and the keywords are checked once.
    fn create_values<S: AsRef<str>>(
        &self,
        registry: &'static Registry,
        values: &[S],
        field: &'static str,
        scope: &Scope,
    ) -> Result<Vec<Record>> {
        let unique = receive(values).unique;
        let Some(first) = unique.first() else { return Ok(Vec::new()) };
        let by_name =
            registry.name_field == Some(field) && registry.traits.can_curate && self.creation().search_names;
        let existing: HashMap<String, Record> =
            if by_name { self.existing(registry, &unique, field, scope)? } else { HashMap::new() };
        let mut given: Vec<Given<'_>> = vec![(field, Value::from(*first))];
        for (name, id) in [("organism", scope.organism), ("source", scope.source), ("type", scope.within)] {
            if id.is_some() && registry.column(name).is_some() {
                given.push((name, id.into()));
            }
        }
        let pattern = self.construct_bare(registry, &given, false)?.record;
        if registry.traits.has_type && scope.within.is_none() && by_name {
            scope.say(self, Event::TipPassType { registry: registry.name });
        }
        if by_name && !scope.mute && unique.len() <= MOST_HINTS {
            let query = scope.query(self, registry)?;
            for value in unique.iter().filter(|value| !existing.contains_key(**value)) {
                self.hint_similar(&query, field, value)?;
            }
        }
        // A uid that follows from the name makes equal names one record.
        let derived =
            registry.column("uid").is_some_and(|column| column.default == FieldDefault::OntologyUid);
        let all: Vec<&str> = if derived {
            unique
        } else {
            values.iter().map(AsRef::as_ref).filter(|value| !value.is_empty()).collect()
        };
        let mut records = Vec::with_capacity(all.len());
        for value in all {
            if let Some(record) = existing.get(value) {
                let name = value.to_owned();
                scope.say(
                    self,
                    Event::ReturnedSameName { registry: registry.name, field: field.to_owned(), name },
                );
                records.push(record.clone());
            } else {
                let mut record = pattern.clone();
                record.set(field, value)?;
                write::prefill(self, &mut record)?;
                records.push(record);
            }
        }
        Ok(records)
    }

    /// Returns the oldest record of every name.
    fn existing(
        &self,
        registry: &'static Registry,
        names: &[&str],
        field: &str,
        scope: &Scope,
    ) -> Result<HashMap<String, Record>> {
        let mut records =
            scope.query(self, registry)?.filter(Q::is(format!("{field}__in"), names.to_vec()))?.all()?;
        records.sort_by_key(|record| std::cmp::Reverse(record.id()));
        Ok(records.into_iter().filter_map(|record| Some((record.text(field)?.to_owned(), record))).collect())
    }
}
