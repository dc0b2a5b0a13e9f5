//! Descriptions of records as trees: data for the faces, and the plain text of them.
//!
//! ```
//! # let scratch = holotype::testing::Scratch::new()?;
//! # let instance = scratch.instance();
//! let branch = instance.by_id(holotype::model::require("Branch")?, 1)?;
//! let tree = instance.describe(&branch)?;
//! assert_eq!(tree.title(), "Branch: main");
//! assert!(tree.to_text().starts_with("Branch: main\n|   description: "));
//! # Ok::<(), holotype::Error>(())
//! ```

mod features;
mod kinds;
mod notes;
mod registry;
mod text;

pub use text::format_size;

use crate::error::Result;
use crate::instance::Instance;
use crate::model;
use crate::record::{Record, TRASH};
use crate::value::Value;

/// A described record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Registry, such as `Artifact`.
    pub registry: &'static str,
    /// What the record goes by: its key, name or uid.
    pub name: String,
    /// What stands in parentheses after the name, such as the version.
    pub detail: Option<String>,
    /// What to know before reading on: not the latest version, archived, in the trash.
    pub warnings: Vec<String>,
    /// Texts that may be long, such as the description.
    pub notes: Vec<Item>,
    /// Facts, one or two to a line.
    pub items: Vec<Row>,
    /// What comes below the facts.
    pub sections: Vec<Section>,
}

/// A fact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// Label, such as `size`.
    pub label: String,
    /// Value as text; nothing is shown for an empty one.
    pub value: String,
}

/// A line of facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The fact on the left.
    pub left: Item,
    /// The fact on the right.
    pub right: Option<Item>,
}

/// A branch of the tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// Heading, such as `Entities`.
    pub title: String,
    /// What stands after the heading on its line.
    pub value: Option<String>,
    /// What stands below it.
    pub body: Body,
}

/// What stands below a heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Names, their data types, and their values.
    Values(Vec<[String; 3]>),
    /// Tables with headings of their own.
    Groups(Vec<(String, Vec<[String; 3]>)>),
    /// A table whose first row is its head.
    Grid(Vec<Vec<String>>),
    /// One line each.
    List(Vec<Item>),
    /// The first lines of a longer text.
    Text(Vec<String>),
}

impl Item {
    fn new(label: &str, value: impl ToString) -> Self {
        Item { label: label.to_owned(), value: value.to_string() }
    }
}

impl Section {
    fn new(title: impl Into<String>, body: Body) -> Self {
        Section { title: title.into(), value: None, body }
    }
}

impl Tree {
    /// Returns the first line: `Artifact: raw/a.txt (0000)`.
    pub fn title(&self) -> String {
        let detail = self.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
        format!("{}: {}{detail}", self.registry, self.name)
    }
}

impl Instance {
    /// Returns what is known of a record.
    ///
    /// # Errors
    /// Only those of the database: what is missing or cannot be read is left out.
    pub fn describe(&self, record: &Record) -> Result<Tree> {
        let registry = record.registry();
        let mut tree = Tree { registry: registry.name, name: called(record), ..Tree::default() };
        if registry.traits.versioned {
            tree.detail = record.version().map(str::to_owned);
        }
        tree.warnings = warnings(record);
        match registry.name {
            "Artifact" => self.describe_artifact(record, &mut tree)?,
            "Collection" => self.describe_collection(record, &mut tree)?,
            "Run" => self.describe_run(record, &mut tree)?,
            "Transform" => self.describe_transform(record, &mut tree)?,
            "Record" => self.describe_record(record, &mut tree)?,
            "Schema" => self.describe_schema(record, &mut tree)?,
            "Branch" => self.describe_branch(record, &mut tree)?,
            _ => return Ok(tree),
        }
        if let Some(description) = record.text("description").filter(|text| !text.is_empty()) {
            tree.notes.push(Item::new("description", description));
        }
        tree.sections.extend(self.describe_notes(record)?);
        Ok(tree)
    }

    /// Returns the name of the record that a foreign key leads to, nothing where it is null.
    fn name_of(&self, record: &Record, field: &str) -> Result<Option<String>> {
        let Some(column) = record.registry().column(field) else { return Ok(None) };
        let (Some(to), Some(id)) = (column.to, record.int(column.column)) else { return Ok(None) };
        let target = self.query(model::require(to.target)?).filter(crate::query::Q::is("id", id))?.first()?;
        Ok(target.as_ref().map(called))
    }
}

/// Returns what a record goes by.
pub(crate) fn called(record: &Record) -> String {
    let registry = record.registry();
    let name = match registry.name {
        // Runs have a moment for a name where none was given, which nobody remembers.
        "Run" => record.text("name").or_else(|| record.uid().get(..7)),
        "Schema" => record.text("name").or(Some("unnamed")),
        _ => registry.name_field.and_then(|field| record.text(field)),
    };
    match name.filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None if registry.column("uid").is_some() => record.uid().to_owned(),
        None => record.get("id").map_or_else(String::new, Value::to_string),
    }
}

fn warnings(record: &Record) -> Vec<String> {
    let registry = record.registry();
    let noun = registry.name.to_lowercase();
    let mut warnings = Vec::new();
    match record.int("branch_id").filter(|_| registry.traits.branch_aware) {
        Some(TRASH) => warnings.push(format!("This {noun} is in the trash.")),
        Some(0) => warnings.push(format!("This {noun} is archived.")),
        _ => {}
    }
    if registry.traits.versioned && record.id().is_some() && !record.flag("is_latest") && warnings.is_empty()
    {
        warnings.push(format!("This is not the latest version of the {}.", registry.name));
    }
    warnings
}
