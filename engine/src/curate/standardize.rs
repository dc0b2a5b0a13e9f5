//! Synonyms and other spellings turned into the values that a registry knows.

use std::collections::HashMap;

use super::{Scope, present, receive, text_field, texts};
use crate::error::Result;
use crate::event::Event;
use crate::instance::Instance;
use crate::model::Registry;
use crate::query::Q;

/// Which value stands for a synonym that several records share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Keep {
    /// That of the oldest record.
    #[default]
    First,
    /// That of the newest record.
    Last,
    /// All of them.
    All,
}

/// How values are standardised.
#[derive(Clone, Debug)]
pub struct Standardize<'a> {
    /// Field that holds the standard values, the name field when absent.
    pub field: Option<&'a str>,
    /// Field whose values are returned in place of the standard ones.
    pub return_field: Option<&'a str>,
    /// Capital and small letters differ.
    pub case_sensitive: bool,
    /// What to do with ambiguous synonyms.
    pub keep: Keep,
    /// Field that holds the synonyms, separated by `|`.
    pub synonyms_field: &'a str,
    /// Which records count.
    pub scope: Scope,
}

impl Default for Standardize<'_> {
    fn default() -> Self {
        Standardize {
            field: None,
            return_field: None,
            case_sensitive: false,
            keep: Keep::First,
            synonyms_field: "synonyms",
            scope: Scope::default(),
        }
    }
}

/// What stands for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standard {
    /// One value.
    One(String),
    /// Several values, where [`Keep::All`] was asked for and the synonym is ambiguous.
    Many(Vec<String>),
}

impl Standard {
    /// Returns the first value.
    pub fn first(&self) -> &str {
        match self {
            Standard::One(value) => value,
            Standard::Many(values) => values.first().map_or("", String::as_str),
        }
    }
}

/// Values after standardisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standardized {
    /// What stands for each value as it came in; unknown values stand for themselves.
    pub values: Vec<Standard>,
    /// The values that were replaced and what stands for them, in the order of their first appearance.
    pub mapper: Vec<(String, Standard)>,
}

impl Instance {
    /// Returns the values with synonyms replaced by the standard ones.
    ///
    /// On a registry without synonyms the values come back as they are.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for an unknown field or one without text.
    pub fn standardize<S: AsRef<str>>(
        &self,
        registry: &'static Registry,
        values: &[S],
        how: &Standardize<'_>,
    ) -> Result<Standardized> {
        let field = text_field(registry, how.field)?;
        let wanted = match how.return_field {
            Some(wanted) => text_field(registry, Some(wanted))?,
            None => field,
        };
        if registry.column(how.synonyms_field).is_none() {
            let values = values.iter().map(|value| Standard::One(value.as_ref().to_owned())).collect();
            return Ok(Standardized { values, mapper: Vec::new() });
        }
        let unique = receive(values).unique;
        let query = how.scope.query(self, registry)?;
        let valid = present(&query, field, &unique)?;
        let strange: Vec<&str> = unique.iter().copied().filter(|value| !valid.contains(*value)).collect();
        let found = self.standards(registry, &strange, field, wanted, how)?;
        let mapper: Vec<(String, Standard)> = strange
            .iter()
            .filter_map(|value| Some(((*value).to_owned(), choose(found.get(&fold(value, how))?, how.keep)?)))
            .collect();
        let mut standards: HashMap<&str, Standard> =
            mapper.iter().map(|(value, standard)| (value.as_str(), standard.clone())).collect();
        if wanted != field {
            let columns = query.filter(Q::is(format!("{field}__in"), unique.clone()))?.order_by(["id"])?;
            let mut columns = texts(columns.table([field, wanted])?.columns).into_iter();
            let (names, returned) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
            let mut known: HashMap<String, Vec<String>> = HashMap::new();
            for (name, value) in names.into_iter().zip(returned) {
                if let (Some(name), Some(value)) = (name, value) {
                    known.entry(name).or_default().push(value);
                }
            }
            for value in &unique {
                if let Some(standard) = known.get(*value).and_then(|all| choose(all, how.keep)) {
                    standards.insert(value, standard);
                }
            }
        }
        if !mapper.is_empty() {
            let (n, all, s) = (mapper.len(), values.len(), if mapper.len() == 1 { "" } else { "s" });
            how.scope.say(self, Event::Info(format!("standardized {n}/{all} term{s}")));
        }
        let values = values
            .iter()
            .map(|value| {
                standards
                    .get(value.as_ref())
                    .cloned()
                    .unwrap_or_else(|| Standard::One(value.as_ref().to_owned()))
            })
            .collect();
        Ok(Standardized { values, mapper })
    }

    /// Returns, for values that no record holds as they are, what records with such a synonym or spelling hold.
    ///
    /// One pass over the registry serves all values: synonyms lie in one column and have no index.
    fn standards(
        &self,
        registry: &'static Registry,
        values: &[&str],
        field: &str,
        wanted: &str,
        how: &Standardize<'_>,
    ) -> Result<HashMap<String, Vec<String>>> {
        let mut found: HashMap<String, Vec<String>> =
            values.iter().map(|value| (fold(value, how), Vec::new())).collect();
        if found.is_empty() {
            return Ok(found);
        }
        let rows = how.scope.query(self, registry)?.order_by(["id"])?;
        let mut columns = texts(rows.table([field, how.synonyms_field, wanted])?.columns).into_iter();
        let mut next = || columns.next().unwrap_or_default();
        let (names, synonyms, returned) = (next(), next(), next());
        for ((name, synonyms), value) in names.into_iter().zip(synonyms).zip(returned) {
            let Some(value) = value else { continue };
            let items = synonyms.as_deref().unwrap_or_default().split('|').map(str::trim);
            for item in name.as_deref().into_iter().chain(items).filter(|item| !item.is_empty()) {
                if let Some(standards) = found.get_mut(&fold(item, how))
                    && !standards.contains(&value)
                {
                    standards.push(value.clone());
                }
            }
        }
        Ok(found)
    }
}

fn fold(value: &str, how: &Standardize<'_>) -> String {
    if how.case_sensitive { value.to_owned() } else { value.to_lowercase() }
}

fn choose(all: &[String], keep: Keep) -> Option<Standard> {
    Some(match (keep, all) {
        (_, []) => return None,
        (_, [one]) | (Keep::First, [one, ..]) | (Keep::Last, [.., one]) => Standard::One(one.clone()),
        (Keep::All, many) => Standard::Many(many.to_vec()),
    })
}
