//! Features and labels of a record: in its content, added from outside, and as entities.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::registry::class;
use super::{Body, Section, called};
use crate::error::Result;
use crate::instance::Instance;
use crate::model::{self, Registry, Relation, Via};
use crate::query::{Operand, Q};
use crate::record::Record;
use crate::value::{Value, python_json};

/// Names shown per registry or feature.
const MOST_NAMES: usize = 10;
/// Members shown of a slot that lists other things than features, such as genes.
const MOST_MEMBERS: usize = 20;

/// Returns a JSON value as Python shows it, texts at the top without quotes.
pub(super) fn shown(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => python(other),
    }
}

fn python(json: &Json) -> String {
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::String(text) => crate::record::quoted(&Value::Text(text.clone())),
        Json::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let pair = |(key, value): (&String, &Json)| {
                format!("{}: {}", crate::record::quoted(&Value::Text(key.clone())), python(value))
            };
            format!("{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        number => python_json(number),
    }
}

/// A way from a record to what annotates it.
struct Annotation {
    relation: &'static Relation,
    link: &'static Registry,
    target: &'static Registry,
    near: &'static str,
    far: &'static str,
}

/// Returns the relations by which records of a registry carry labels and other entities.
fn annotations(registry: &'static Registry) -> impl Iterator<Item = Annotation> {
    registry.relations.iter().filter(|relation| !relation.private).filter_map(move |relation| {
        let Via::Link { registry: link, near, far } = relation.via else { return None };
        // A record that is a value of another one's feature is linked by the same kind of table, seen from behind.
        let own = link.starts_with(registry.name) && near == format!("{}_id", registry.name.to_lowercase());
        let link = model::find(link).filter(|link| own && link.column("feature_id").is_some())?;
        Some(Annotation { relation, link, target: model::find(relation.target)?, near, far })
    })
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
        for annotation in annotations(record.registry()).filter(|_| record.id().is_some()) {
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
        let mut values = self.feature_values(record, id)?;
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
            let ids: Vec<i64> = values.keys().copied().collect();
            let features =
                self.registry("Feature")?.filter(Q::is("id__in", ids))?.order_by(["name", "id"])?.all()?;
            let mut rows = Vec::new();
            for feature in &features {
                rows.push(self.feature_row(feature, feature.id().and_then(|id| values.remove(&id)))?);
            }
            sections.push(Section::new(title, Body::Values(rows)));
        }
        Ok(sections)
    }

    /// Returns the members of a slot, taking their values out of `values`.
    fn slot(
        &self,
        slot: &str,
        schema: &Record,
        values: &mut BTreeMap<i64, Found>,
    ) -> Result<(String, Vec<[String; 3]>)> {
        let itype = schema.text("itype").unwrap_or("Feature");
        let registry = itype.split(['[', '.']).next().unwrap_or(itype);
        if registry == "Feature" {
            let features = self.related(schema, "features")?.order_by(["name", "id"])?.all()?;
            let n = schema.int("n_members").unwrap_or(features.len() as i64);
            let mut rows = Vec::new();
            for feature in &features {
                rows.push(self.feature_row(feature, feature.id().and_then(|id| values.remove(&id)))?);
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

    fn feature_row(&self, feature: &Record, found: Option<Found>) -> Result<[String; 3]> {
        let dtype = feature.text("_dtype_str").unwrap_or_default();
        let value = found.map_or_else(String::new, |found| found.text(dtype.starts_with("list[cat")));
        Ok([called(feature), self.plain_dtype(dtype)?, value])
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

    /// Returns what a record holds by feature: names of labels and other records, and plain values.
    fn feature_values(&self, record: &Record, id: i64) -> Result<BTreeMap<i64, Found>> {
        let mut values: BTreeMap<i64, Found> = BTreeMap::new();
        for annotation in annotations(record.registry()) {
            let links = self.query(annotation.link).filter(Q::is(annotation.near, id))?;
            let links = links.filter(Q::is("feature_id__isnull", false))?.order_by(["id"])?.all()?;
            let targets: BTreeSet<i64> = links.iter().filter_map(|link| link.int(annotation.far)).collect();
            if targets.is_empty() {
                continue;
            }
            let ids = Operand::Many(targets.into_iter().map(Value::Int).collect());
            let targets = self.query(annotation.target).filter(Q::Is("id__in".to_owned(), ids))?.all()?;
            let names: BTreeMap<Option<i64>, String> =
                targets.iter().map(|target| (target.id(), called(target))).collect();
            for link in &links {
                if let (Some(feature), Some(name)) =
                    (link.int("feature_id"), names.get(&link.int(annotation.far)))
                {
                    values.entry(feature).or_default().names.insert(name.clone());
                }
            }
        }
        for (feature, value) in self.plain_values(record, id)? {
            values.entry(feature).or_default().plain.push(value);
        }
        Ok(values)
    }

    fn plain_values(&self, record: &Record, id: i64) -> Result<Vec<(i64, String)>> {
        let rows = match record.registry().name {
            "Record" => self.registry("RecordJson")?.filter(Q::is("record_id", id))?,
            _ if record.registry().relation("json_values").is_some() => {
                self.related(record, "json_values")?
            }
            _ => return Ok(Vec::new()),
        };
        let value = |row: &Record| match row.get("value") {
            Some(Value::Json(json)) => shown(json),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let rows = rows.order_by(["id"])?.all()?;
        Ok(rows.iter().filter_map(|row| Some((row.int("feature_id")?, value(row)))).collect())
    }
}

/// What a record holds under one feature.
#[derive(Default)]
struct Found {
    names: BTreeSet<String>,
    plain: Vec<String>,
}

impl Found {
    fn text(self, list: bool) -> String {
        let more = self.names.len() > MOST_NAMES;
        let names: Vec<String> = self.names.into_iter().collect();
        match (list, names.is_empty()) {
            (_, true) => self.plain.join(", "),
            (false, false) => join(names, more),
            (true, false) => {
                let quoted = names.into_iter().map(|name| crate::record::quoted(&Value::Text(name)));
                format!("[{}]", join(quoted.collect(), more))
            }
        }
    }
}
