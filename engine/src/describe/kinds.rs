//! What is told of each kind of record.

use serde_json::Value as Json;

use super::{Body, Item, Row, Section, Tree, called, format_size};
use crate::error::Result;
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::value::Value;

/// Lines of source code shown.
const SOURCE_LINES: usize = 30;
/// Lines of a report or environment shown.
const LOG_LINES: usize = 4;
/// Characters of a line shown.
const LINE_CHARS: usize = 80;

/// Returns facts in lines of two.
fn flow(items: Vec<Item>) -> Vec<Row> {
    let mut items = items.into_iter();
    let mut rows = Vec::new();
    while let Some(left) = items.next() {
        rows.push(Row { left, right: items.next() });
    }
    rows
}

/// Returns a field as a fact, with nothing for null.
fn field(record: &Record, name: &str) -> Item {
    let value = record.get(name).filter(|value| !value.is_null());
    Item::new(name, value.map_or_else(String::new, Value::to_string))
}

/// Returns a field as a fact where it holds something.
fn optional(record: &Record, name: &str) -> Option<Item> {
    Some(field(record, name)).filter(|item| !item.value.is_empty())
}

/// Returns a field as a fact, with `None` for null.
fn always(record: &Record, name: &str) -> Item {
    Item::new(name, record.get(name).unwrap_or(&Value::Null))
}

/// Returns the first lines of a text, cut to what fits on a screen.
fn head(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .take(most)
        .map(|line| match line.char_indices().nth(LINE_CHARS) {
            Some((at, _)) => format!("{} …", &line[..at]),
            None => line.to_owned(),
        })
        .collect();
    if text.lines().nth(most).is_some() {
        lines.push("…".to_owned());
    }
    lines
}

impl Instance {
    pub(super) fn describe_artifact(&self, record: &Record, tree: &mut Tree) -> Result<()> {
        let mut items = vec![always(record, "uid")];
        items.extend(self.run_item(record)?);
        if record.text("kind").is_some() || record.text("otype").is_some() {
            items.extend([always(record, "kind"), always(record, "otype")]);
        }
        items.push(always(record, "hash"));
        items.push(Item::new("size", record.int("size").map_or_else(|| "None".to_owned(), format_size)));
        items.extend(self.place_items(record)?);
        items.extend(["n_observations", "n_files"].iter().filter_map(|name| optional(record, name)));
        items.extend(self.name_of(record, "schema")?.map(|name| Item::new("schema", name)));
        tree.items = flow(items);
        if let Ok(path) = self.artifact_path(record) {
            let value = Some(path.display().to_string());
            tree.sections.push(Section { value, ..Section::new("storage/path", Body::Empty) });
        }
        tree.sections.extend(self.feature_sections(record)?);
        tree.sections.extend(self.entities(record)?);
        Ok(())
    }

    pub(super) fn describe_collection(&self, record: &Record, tree: &mut Tree) -> Result<()> {
        let mut items = vec![always(record, "uid")];
        items.extend(self.run_item(record)?);
        items.extend(self.place_items(record)?);
        tree.items = flow(items);
        tree.sections.extend(self.entities(record)?);
        Ok(())
    }

    pub(super) fn describe_run(&self, record: &Record, tree: &mut Tree) -> Result<()> {
        let transform = self.foreign(record, "transform")?;
        tree.detail = transform.as_ref().map(called);
        let version = |transform: &Record| {
            format!("{} ({})", called(transform), transform.version().unwrap_or_default())
        };
        let code = record.int("_status_code").unwrap_or_default();
        let status = record.registry().status_word(code).unwrap_or_default();
        let pair = |left: Item, right: Option<Item>| Row { left, right };
        tree.items = vec![
            pair(
                always(record, "uid"),
                transform.as_ref().map(|transform| Item::new("transform", version(transform))),
            ),
            pair(field(record, "started_at"), Some(field(record, "finished_at"))),
            pair(Item::new("status", status), optional(record, "reference")),
        ];
        if let Some(found) = self.surroundings(record)? {
            let text = |json: &Json| json.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
            let interpreter = text(&found.environment["interpreter"]);
            let commit = found.commit().map(|commit| Item::new("commit", commit));
            let interpreter = interpreter.map(|name| Item::new("interpreter", name));
            tree.items.extend(flow(commit.into_iter().chain(interpreter).collect()));
        }
        tree.items.extend(flow(self.place_items(record)?));
        for name in ["report", "environment"] {
            if let Some(artifact) = self.foreign(record, name)? {
                let uid = artifact.uid().get(..7).unwrap_or(artifact.uid()).to_owned();
                let body = Body::Text(head(&self.beginning(&artifact), LOG_LINES));
                tree.sections.push(Section { value: Some(uid), ..Section::new(name, body) });
            }
        }
        if let Some(Json::Object(params)) = record.get("params").and_then(Value::as_json)
            && !params.is_empty()
        {
            let items =
                params.iter().map(|(name, value)| Item::new(name, super::features::shown(value))).collect();
            tree.sections.push(Section::new("Params", Body::List(items)));
        }
        tree.sections.extend(self.feature_sections(record)?);
        Ok(())
    }

    pub(super) fn describe_transform(&self, record: &Record, tree: &mut Tree) -> Result<()> {
        tree.items = vec![
            Row { left: always(record, "uid"), right: optional(record, "reference") },
            Row {
                left: always(record, "hash"),
                right: Some(Item::new("type", record.text("kind").unwrap_or_default())),
            },
        ];
        tree.items.extend(flow(self.place_items(record)?));
        if let Some(source) = record.text("source_code").filter(|source| !source.is_empty()) {
            tree.sections.push(Section::new("source_code:", Body::Text(head(source, SOURCE_LINES))));
        }
        Ok(())
    }

    pub(super) fn describe_record(&self, record: &Record, tree: &mut Tree) -> Result<()> {
        let name = |of: &str| Ok::<_, crate::Error>(self.name_of(record, of)?.unwrap_or_default());
        let mut items = vec![always(record, "uid")];
        items.extend(self.run_item(record)?);
        items.push(Item::new("type", name("type")?));
        items.push(always(record, "is_type"));
        items.push(Item::new("schema", name("schema")?));
        items.push(field(record, "reference"));
        items.extend(self.place_items(record)?);
        tree.items = flow(items);
        tree.sections.extend(self.feature_sections(record)?);
        Ok(())
    }

    pub(super) fn describe_schema(&self, record: &Record, tree: &mut Tree) -> Result<()> {
        let mut items = vec![always(record, "uid")];
        let itype = record.text("itype").filter(|itype| !itype.is_empty());
        items.extend(itype.filter(|itype| *itype != "Feature").map(|itype| Item::new("itype", itype)));
        items.extend(["otype", "suffix"].iter().filter_map(|name| optional(record, name)));
        items.extend(
            ["ordered_set", "maximal_set"]
                .iter()
                .filter(|name| record.flag(name))
                .map(|name| always(record, name)),
        );
        items.extend(self.made_items(record)?);
        tree.items = flow(items);
        tree.sections.extend(self.member_sections(record)?);
        Ok(())
    }

    pub(super) fn describe_branch(&self, record: &Record, tree: &mut Tree) -> Result<()> {
        let code = record.int("_status_code").unwrap_or_default();
        let status = record.registry().status_word(code).unwrap_or_default();
        let mut items = vec![Item::new("status", status)];
        items.extend(self.name_of(record, "space")?.map(|space| Item::new("space", space)));
        items.extend(self.made_items(record)?);
        tree.items = flow(items);
        Ok(())
    }

    /// Returns `run: <name> (<transform>)` for a record that a run made.
    fn run_item(&self, record: &Record) -> Result<Option<Item>> {
        let Some(run) = self.foreign(record, "run")? else { return Ok(None) };
        let transform = self.foreign(&run, "transform")?;
        let detail =
            transform.as_ref().map_or_else(String::new, |transform| format!(" ({})", called(transform)));
        Ok(Some(Item::new("run", format!("{}{detail}", called(&run)))))
    }

    /// Returns branch, space and the maker of a record; one that is not saved yet gets those of the session.
    fn place_items(&self, record: &Record) -> Result<Vec<Item>> {
        let context = self.context();
        let mut record = record.clone();
        for (name, id) in [("branch", context.branch), ("space", context.space), ("created_by", context.user)]
        {
            if record.get(name).is_some_and(Value::is_null) {
                record.set(name, id)?;
            }
        }
        let mut items = Vec::new();
        for name in ["branch", "space"] {
            items.extend(self.name_of(&record, name)?.map(|value| Item::new(name, value)));
        }
        items.extend(self.made_items(&record)?);
        Ok(items)
    }

    fn made_items(&self, record: &Record) -> Result<Vec<Item>> {
        let mut items: Vec<Item> = optional(record, "created_at").into_iter().collect();
        items.extend(self.name_of(record, "created_by")?.map(|name| Item::new("created_by", name)));
        Ok(items)
    }

    fn foreign(&self, record: &Record, name: &str) -> Result<Option<Record>> {
        let column = record.registry().column(name);
        let Some((to, id)) = column.and_then(|column| Some((column.to?, record.int(column.column)?))) else {
            return Ok(None);
        };
        self.query(model::require(to.target)?).filter(Q::is("id", id))?.first()
    }

    /// Returns the beginning of a text artifact; nothing when there is none to read.
    fn beginning(&self, artifact: &Record) -> String {
        const BYTES: u64 = 4096;
        let readable = || {
            let text =
                matches!(artifact.text("suffix"), Some(".txt" | ".log" | ".md" | ".yml" | ".yaml" | ""));
            let store = self.store(artifact).ok().filter(|_| text)?;
            let key = crate::ingest::storage_key(artifact);
            let size = store.size(&key).ok()?;
            store.read_range(&key, 0..size.min(BYTES)).ok()
        };
        String::from_utf8_lossy(&readable().unwrap_or_default()).into_owned()
    }

    /// Returns the members of a schema, and the schemas of its slots.
    fn member_sections(&self, record: &Record) -> Result<Vec<Section>> {
        let Some(id) = record.id() else { return Ok(Vec::new()) };
        let mut sections = Vec::new();
        let itype = record.text("itype").unwrap_or_default();
        if itype.starts_with("Feature") {
            sections.extend(self.schema_features(record)?);
        } else if !itype.is_empty() && itype != "Composite" {
            let n = record.int("n_members").map_or_else(String::new, |n| format!(" ({n})"));
            let dtype = Item::new("dtype", record.text("_dtype_str").unwrap_or("None"));
            sections.push(Section::new(format!("{itype}{n}"), Body::List(vec![dtype])));
        }
        let slots =
            self.registry("SchemaComponent")?.filter(Q::is("composite_id", id))?.order_by(["id"])?.all()?;
        let mut items = Vec::new();
        for slot in &slots {
            let name = self.name_of(slot, "component")?.unwrap_or_default();
            items.push(Item::new(slot.text("slot").unwrap_or_default(), name));
        }
        if !items.is_empty() {
            sections.push(Section::new(format!("Slots ({})", items.len()), Body::List(items)));
        }
        Ok(sections)
    }

    fn schema_features(&self, record: &Record) -> Result<Option<Section>> {
        let links =
            self.registry("SchemaFeature")?.filter(Q::is("schema_id", record.id()))?.order_by(["id"])?;
        let features = self.query(model::require("Feature")?).ranked(links.ints("feature_id")?)?.all()?;
        if features.is_empty() {
            return Ok(None);
        }
        let optional: Vec<&str> = match record.get("_aux") {
            Some(Value::Json(aux)) => {
                let uids = aux.pointer("/af/1").and_then(Json::as_array);
                uids.into_iter().flatten().filter_map(Json::as_str).collect()
            }
            _ => Vec::new(),
        };
        let mark = |flag: bool| if flag { "✓" } else { "✗" }.to_owned();
        let mut rows: Vec<Vec<String>> = vec![
            ["name", "dtype", "optional", "nullable", "coerce", "default_value"].map(str::to_owned).to_vec(),
        ];
        for feature in &features {
            let default = match feature.get("default_value") {
                Some(Value::Json(json)) => super::features::shown(json),
                _ => "unset".to_owned(),
            };
            rows.push(vec![
                called(feature),
                self.plain_dtype(feature.text("_dtype_str").unwrap_or_default())?,
                mark(optional.contains(&feature.uid())),
                mark(feature.flag("nullable")),
                mark(feature.flag("coerce")),
                default,
            ]);
        }
        Ok(Some(Section::new(format!("Features ({})", features.len()), Body::Grid(rows))))
    }
}
