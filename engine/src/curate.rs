//! Values against a registry: find, create, validate, inspect, standardise, and the synonyms that help with it.

mod lookup;
mod standardize;
mod synonyms;
mod validate;
mod values;

pub use lookup::{LookupPrefix, lookup_field, lookup_keys};
pub use standardize::{Keep, Standard, Standardize, Standardized};
pub use validate::Inspection;
pub use values::FromValues;

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::model::Registry;
use crate::query::{Q, QuerySet, lookup as paths};

/// Which records of a registry count, and whether anything is said about the values.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Id of the organism, for registries that know organisms.
    pub organism: Option<i64>,
    /// Id of the public source.
    pub source: Option<i64>,
    /// Only records of the source count.
    pub strict_source: bool,
    /// Id of the type whose members count, for registries with types.
    pub within: Option<i64>,
    /// Nothing is said.
    pub mute: bool,
}

impl Scope {
    fn query(&self, instance: &Instance, registry: &'static Registry) -> Result<QuerySet> {
        let mut query = instance.query(registry).visible()?;
        let source = self.source.filter(|_| self.strict_source);
        for (column, id) in [("organism_id", self.organism), ("source_id", source), ("type_id", self.within)]
        {
            if let Some(id) = id.filter(|_| registry.column(column).is_some()) {
                query = query.filter(Q::is(column, id))?;
            }
        }
        Ok(query)
    }

    fn say(&self, instance: &Instance, event: Event) {
        if !self.mute {
            instance.env().emit(event);
        }
    }
}

/// Returns the physical name of the text field that values are compared with, the name field when none is given.
fn text_field(registry: &'static Registry, field: Option<&str>) -> Result<&'static str> {
    let name = field.or(registry.name_field).unwrap_or("name");
    let name = paths::unalias(registry, name);
    let column = registry.column(&name).ok_or_else(|| registry.unknown_field(&name))?;
    if column.kind.is_text() {
        return Ok(column.column);
    }
    Err(Error::field(format!(
        "Field '{name}' of {} holds no text: pass a field whose values can be compared with texts",
        registry.name
    )))
}

/// Values as they came in.
struct Received<'a> {
    /// Each value once, in the order of its first appearance, without empty ones.
    unique: Vec<&'a str>,
    /// How many were empty or came again.
    ignored: usize,
}

fn receive<S: AsRef<str>>(values: &[S]) -> Received<'_> {
    let mut seen = HashSet::with_capacity(values.len());
    let unique: Vec<&str> =
        values.iter().map(AsRef::as_ref).filter(|value| !value.is_empty() && seen.insert(*value)).collect();
    Received { ignored: values.len() - unique.len(), unique }
}

/// Returns those of `values` that some record of the query holds in `field`.
fn present(query: &QuerySet, field: &str, values: &[&str]) -> Result<HashSet<String>> {
    let hits = query.filter(Q::is(format!("{field}__in"), values.to_vec()))?;
    Ok(texts(hits.table([field])?.columns)
        .into_iter()
        .next()
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect())
}

/// Returns columns of text as texts.
fn texts(columns: Vec<crate::query::TableColumn>) -> Vec<Vec<Option<String>>> {
    use crate::query::ColumnData::{Bool, Day, Float, Int, Json, Moment, Text};
    let shown = |column: crate::query::TableColumn| match column.data {
        Text(values) | Day(values) | Json(values) => values,
        Int(values) | Moment(values) => {
            values.into_iter().map(|value| value.map(|int| int.to_string())).collect()
        }
        Float(values) => values.into_iter().map(|value| value.map(|real| real.to_string())).collect(),
        Bool(values) => values
            .into_iter()
            .map(|value| value.map(|flag| if flag { "True" } else { "False" }.to_owned()))
            .collect(),
    };
    columns.into_iter().map(shown).collect()
}
