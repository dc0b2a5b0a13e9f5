//! What a record holds when nothing was given, and what it must hold.

use crate::error::{Error, Result};
use crate::model::Default;
use crate::record::Record;
use crate::session::Session;
use crate::uid;
use crate::value::{Kind, Timestamp, Value};

/// Gives a new record what it will have when nothing else is said, so that a user can see it before it is saved.
///
/// Moments stay open: they are those of the save.
pub(crate) fn prefill(session: &Session, record: &mut Record) -> Result<()> {
    defaults(session, record, None)
}

/// Fills the fields that have a default and were not set.
pub(crate) fn fill(session: &Session, record: &mut Record) -> Result<()> {
    let registry = record.registry();
    defaults(session, record, Some(session.env().now()))?;
    let missing: Vec<String> = registry
        .columns
        .iter()
        .enumerate()
        .filter(|(i, column)| !column.null && column.name != "id" && record.values()[*i].is_null())
        .filter(|(_, column)| column.kind != Kind::Json)
        .map(|(_, column)| format!("'{}'", column.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::field_validation(format!("[{}] are required.", missing.join(", "))))
}

fn defaults(session: &Session, record: &mut Record, now: Option<Timestamp>) -> Result<()> {
    let registry = record.registry();
    let context = session.context();
    for (i, column) in registry.columns.iter().enumerate() {
        if !record.values()[i].is_null() || column.name == "id" {
            continue;
        }
        let value = match column.default {
            Default::None | Default::JsonNull => continue,
            Default::Int(_) if matches!(column.name, "branch" | "created_on") => Value::Int(context.branch),
            Default::Int(_) if column.name == "space" => Value::Int(context.space),
            Default::Bool(flag) => Value::Bool(flag),
            Default::Int(int) => Value::Int(int),
            Default::Text(text) => Value::from(text),
            Default::Now => match now {
                Some(now) => Value::DateTime(now),
                None => continue,
            },
            Default::Uid(n) => Value::Text(uid::random(session.env(), usize::from(n))),
            Default::OntologyUid => Value::Text(ontology_uid(record)?),
            Default::CurrentUser => Value::Int(context.user),
            // Who set it to nothing wants no run.
            Default::CurrentRun if record.before(column.name).is_some() => continue,
            Default::CurrentRun => context.run.into(),
        };
        record.put(i, value);
    }
    Ok(())
}

/// Returns the uid that the same term has in every instance.
fn ontology_uid(record: &Record) -> Result<String> {
    let registry = record.registry();
    let length = match registry.column("uid").map(|column| column.kind) {
        Some(Kind::Char(n)) => usize::from(n),
        _ => registry.stem_len,
    };
    if registry.name == "Source" {
        let text: String =
            ["entity", "name", "organism", "version"].iter().filter_map(|field| record.text(field)).collect();
        return Ok(uid::from_text(&text, length));
    }
    let id =
        registry.ontology_id_field.and_then(|field| record.text(field)).or_else(|| record.text("stable_id"));
    let name = registry.name_field.and_then(|field| record.text(field));
    match id.or(name) {
        Some(text) => Ok(uid::from_text(text, length)),
        None => Err(Error::value(format!("must provide ontology_id or name for {}", registry.name))),
    }
}

/// Refuses texts that are longer than their column or hold a NUL character, which texts within JSON must not hold either.
pub(super) fn check_lengths(record: &Record) -> Result<()> {
    for (column, value) in record.registry().columns.iter().zip(record.values()) {
        // Serialised it has six characters.
        let nul = match value {
            Value::Json(json) => holds_nul(json),
            value => value.as_str().is_some_and(|text| text.contains('\0')),
        };
        if nul {
            return Err(Error::field_validation(format!(
                "Field '{}' of {} holds a NUL character: remove it",
                column.name,
                record.registry().name
            )));
        }
        if let Kind::Char(most) = column.kind
            && let Some(text) = value.as_str()
            && text.chars().count() > usize::from(most)
        {
            return Err(Error::field_validation(format!(
                "Field '{}' of {} takes at most {most} characters, got {}",
                column.name,
                record.registry().name,
                text.chars().count()
            )));
        }
    }
    Ok(())
}

/// Checks a record before it is written.
pub(crate) fn check(record: &Record) -> Result<()> {
    check_lengths(record)?;
    let registry = record.registry();
    if matches!(registry.name, "ULabel" | "Feature" | "Schema" | "Record" | "Project" | "Reference")
        && record.id().is_some()
        && record.int("type_id") == record.id()
    {
        return Err(Error::validation(format!(
            "Cannot set type: {} cannot be its own type",
            registry.name.to_lowercase()
        )));
    }
    Ok(())
}

/// Returns true when a text or a name somewhere within has a NUL character.
fn holds_nul(json: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}
