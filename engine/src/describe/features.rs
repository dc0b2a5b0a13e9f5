//! Features and labels of a record: in its content, added from outside, and as entities.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::registry::class;
use super::{Body, Section, called};
use crate::error::Result;
use crate::feature::Held;
use crate::instance::Instance;
use crate::model::{self, Registry, annotations_held};
use crate::query::Q;
use crate::record::{Record, python_literal};
use crate::value::Value;

/// Names shown per registry or feature.
const MOST_NAMES: usize = 10;
/// Members shown of a slot that lists other things than features, such as genes.
const MOST_MEMBERS: usize = 20;

/// Returns a JSON value as Python shows it, texts at the top without quotes.
pub(super) fn shown(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => python_literal(other),
    }
}

fn join(mut names: Vec<String>, more: bool) -> String {
    names.truncate(MOST_NAMES);
    let more = if more { ", ..." } else { "" };
    format!("{}{more}", names.join(", "))
}

impl Instance {
    /// Returns the labels and other entities of a record: `.ulabels  ULabel  A, B`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn entities(&self, record: &Record) -> Result<Option<Section>> {
        let mut rows = Vec::new();
        if record.id().is_none() {
            return Ok(None);
        }
        for annotation in annotations_held(record.registry(), |module| self.db().holds(module))? {
            let name = annotation.target.name_field.unwrap_or("uid");
            let query = self.related(record, annotation.relation.name)?.order_by([name, "id"])?;
            let found = query.slice(0, Some(MOST_NAMES + 1)).all()?;
            if !found.is_empty() {
                let names = found.iter().map(called).collect();
                rows.push([
                    format!(".{}", annotation.relation.name),
                    class(annotation.target.name),
                    join(names, found.len() > MOST_NAMES),
                ]);
            }
        }
        Ok((!rows.is_empty()).then(|| Section::new("Entities", Body::Values(rows))))
    }

    /// Returns the features found in the content, slot by slot, and those that were added to it.
    pub(super) fn feature_sections(&self, record: &Record) -> Result<Vec<Section>> {
        let Some(id) = record.id() else { return Ok(Vec::new()) };
        let mut values = self.features_of(record.registry(), &[id])?;
        let mut groups = Vec::new();
        if record.registry().name == "Artifact" {
            let slots =
                self.registry("ArtifactSchema")?.filter(Q::is("artifact_id", id))?.order_by(["id"])?;
            for slot in slots.all()? {
                let Some(schema) = slot.int("schema_id") else { continue };
                let schema = self.by_id(model::require("Schema")?, schema)?;
                groups.push(self.slot(slot.text("slot").unwrap_or_default(), &schema, &mut values)?);
            }
        }
        let mut sections = Vec::new();
        let title = if groups.is_empty() { "Features" } else { "External features" };
        if !groups.is_empty() {
            sections.push(Section::new("Dataset features", Body::Groups(groups)));
        }
        if !values.is_empty() {
            let rows = values.iter().map(|held| self.feature_row(&held.feature, Some(held)));
            let rows = rows.collect::<Result<_>>()?;
            sections.push(Section::new(title, Body::Values(rows)));
        }
        Ok(sections)
    }

    /// Returns the members of a slot, taking their values out of `values`.
    fn slot(
        &self,
        slot: &str,
        schema: &Record,
        values: &mut Vec<Held>,
    ) -> Result<(String, Vec<[String; 3]>)> {
        let itype = schema.text("itype").unwrap_or("Feature");
        let registry = itype.split(['[', '.']).next().unwrap_or(itype);
        if registry == "Feature" {
            let features = self.related(schema, "features")?.order_by(["name", "id"])?.all()?;
            let n = schema.int("n_members").unwrap_or(features.len() as i64);
            let mut rows = Vec::new();
            for feature in &features {
                let held = values.iter().position(|held| held.feature.id() == feature.id());
                let held = held.map(|position| values.remove(position));
                rows.push(self.feature_row(feature, held.as_ref())?);
            }
            return Ok((format!("{slot} ({n})"), rows));
        }
        let dtype = schema.text("_dtype_str").unwrap_or_default();
        let members = schema.registry().relations.iter().find(|relation| {
            let target = model::find(relation.target).map(Registry::qualified_name);
            target.is_some_and(|target| itype == target || itype.starts_with(&format!("{target}.")))
        });
        let mut rows = Vec::new();
        let mut n = schema.int("n_members").unwrap_or_default();
        if let Some(relation) = members {
            let query = self.related(schema, relation.name)?;
            n = n.max(query.count()? as i64);
            for member in query.order_by(["id"])?.slice(0, Some(MOST_MEMBERS)).all()? {
                rows.push([called(&member), dtype.to_owned(), String::new()]);
            }
            rows.sort();
            if n > rows.len() as i64 {
                rows.push(["…".to_owned(), String::new(), String::new()]);
            }
        }
        Ok((format!("{slot} ({n} {itype})"), rows))
    }

    fn feature_row(&self, feature: &Record, held: Option<&Held>) -> Result<[String; 3]> {
        let dtype = feature.text("_dtype_str").unwrap_or_default();
        Ok([called(feature), self.plain_dtype(dtype)?, held.map_or_else(String::new, text)])
    }

    /// Returns the data type without the mark of categories, types of records by name.
    pub(super) fn plain_dtype(&self, dtype: &str) -> Result<String> {
        let inner = |text: &str, open: &str, close: &str| {
            text.strip_prefix(open).and_then(|text| text.strip_suffix(close)).map(str::to_owned)
        };
        let mut plain = match (inner(dtype, "list[cat[", "]]"), inner(dtype, "cat[", "]")) {
            (Some(inner), _) => format!("list[{inner}]"),
            (None, Some(inner)) => inner,
            (None, None) => dtype.to_owned(),
        };
        for registry in ["Record", "ULabel"] {
            let open = format!("{registry}[");
            let Some(at) = plain.find(&open).map(|at| at + open.len()) else { continue };
            let uid: String = plain[at..].chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
            let kind = self.registry(registry)?.filter(Q::is("uid", uid.as_str()))?.first()?;
            if let Some(kind) = kind {
                plain.replace_range(at..at + uid.len(), &called(&kind));
            }
        }
        Ok(plain)
    }
}

/// Returns what a record holds under one feature as text.
fn text(held: &Held) -> String {
    let names = BTreeSet::from_iter(held.names());
    let more = names.len() > MOST_NAMES;
    let names: Vec<String> = names.into_iter().collect();
    let dtype = held.dtype();
    let plain = |json: &Json| match dtype.starts_with("datetime") {
        true => shown(json).replacen('T', " ", 1),
        false => shown(json),
    };
    match (dtype.starts_with("list[cat"), names.is_empty()) {
        (_, true) => held.plain.iter().map(plain).collect::<Vec<_>>().join(", "),
        (false, false) => join(names, more),
        (true, false) => {
            let quoted = names.into_iter().map(|name| crate::record::quoted(&Value::Text(name)));
            format!("[{}]", join(quoted.collect(), more))
        }
    }
}
