//! How two records differ: their fields, and for artifacts what they hold: text line by line, folders file by file,
//! tables row by row.
//!
//! ```
//! use holotype::{NewArtifact, diff::Options};
//! # let scratch = holotype::testing::Scratch::new()?;
//! # let instance = scratch.instance();
//! # let save = |text: &str| -> holotype::Result<_> {
//! #     let path = scratch.file("genes.csv", text)?.display().to_string();
//! #     let mut artifact = instance.artifact(NewArtifact::new(&path).key("genes.csv"))?;
//! #     instance.save_artifact(&mut artifact)?;
//! #     Ok(artifact.record)
//! # };
//! let before = save("gene,count\nTP53,7\nBRCA1,2\n")?;
//! let after = save("gene,count\nTP53,8\nBRCA1,2\n")?;
//! let diff = instance.diff(&before, &after, &Options::default())?;
//! assert!(diff.to_text().contains("TP53: count 7 → 8"), "{}", diff.to_text());
//! # Ok::<(), holotype::Error>(())
//! ```

mod csv;
mod folder;
mod lines;
mod show;
mod table;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::record::Record;
use crate::value::Value;

pub use folder::{Folders, file_lists};
pub use lines::{Lines, text_lines};
pub use table::{Cell, Column, RowChange, Sheet, Tables, tables};

/// Content up to this size is compared line by line or row by row.
const READ: u64 = 64 << 20;

/// How to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// Columns that tell rows of a table apart; found out by default.
    pub key: Vec<String>,
    /// Lines of context around changes of a text.
    pub context: usize,
    /// Lines, rows or files told at most; the counts are complete in any case.
    pub most: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { key: Vec::new(), context: 3, most: 100 }
    }
}

/// The difference of two records.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff {
    /// Registry of both.
    pub registry: &'static str,
    /// What the first and the second go by.
    pub names: [String; 2],
    /// Fields whose values differ: name, value of the first, value of the second.
    pub fields: Vec<[String; 3]>,
    /// What they hold.
    pub content: Content,
}

/// The difference of two contents.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// There is none, as with records that are no artifacts.
    None,
    /// Every byte is the same.
    Same,
    /// Something differs that is not looked into, for this reason.
    Differs(String),
    /// Texts.
    Text(Lines),
    /// Folders.
    Folder(Folders),
    /// Tables.
    Table(Tables),
}

impl Instance {
    /// Returns how two records of a registry differ.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Type`] for records of two registries, [`crate::ErrorKind::Value`] for a key that is no column,
    /// and failures to read the content of artifacts.
    pub fn diff(&self, a: &Record, b: &Record, options: &Options) -> Result<Diff> {
        let registry = a.registry();
        if registry.name != b.registry().name {
            return Err(Error::type_(format!(
                "{} and {} cannot be compared: pass two records of one registry",
                a.repr(),
                b.repr()
            )));
        }
        let content = match registry.name {
            "Artifact" => self.diff_content(a, b, options)?,
            "Transform" => match (a.text("source_code"), b.text("source_code")) {
                (a, b) if a == b => Content::Same,
                (a, b) => Content::Text(text_lines(a.unwrap_or(""), b.unwrap_or(""), options)),
            },
            _ => Content::None,
        };
        let name = |record: &Record| {
            let name = registry.name_field.and_then(|field| record.text(field));
            format!("{} ({})", name.unwrap_or("—"), record.uid())
        };
        Ok(Diff { registry: registry.name, names: [name(a), name(b)], fields: fields(a, b), content })
    }

    fn diff_content(&self, a: &Record, b: &Record, options: &Options) -> Result<Content> {
        let same_row = a.id().is_some() && a.id() == b.id();
        if same_row || same_digest(self.content_of(a)?.as_ref(), self.content_of(b)?.as_ref()) {
            return Ok(Content::Same);
        }
        let (of_a, of_b) = (a.int("n_files").is_some(), b.int("n_files").is_some());
        if of_a != of_b {
            return Ok(Content::Differs("one is a folder, the other a file".to_owned()));
        }
        if of_a {
            return Ok(match folder::compare(self, a, b, options)? {
                found if found.is_same() => Content::Same,
                found => Content::Folder(found),
            });
        }
        let (a_path, b_path) = (self.cache(a)?, self.cache(b)?);
        files(&a_path, &b_path, options)
    }
}

fn same_digest(a: Option<&crate::content::Content>, b: Option<&crate::content::Content>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.digest == b.digest)
}

/// Returns how two files differ.
///
/// # Errors
/// Failures to read them, and [`crate::ErrorKind::Value`] for a key that is no column.
pub fn files(a: &Path, b: &Path, options: &Options) -> Result<Content> {
    let (Some(first), Some(second)) = (read(a)?, read(b)?) else {
        return Ok(match crate::hash::digest_file(a)? == crate::hash::digest_file(b)? {
            true => Content::Same,
            false => Content::Differs(format!("more than {} MB are not looked into", READ >> 20)),
        });
    };
    if first == second {
        return Ok(Content::Same);
    }
    let (Ok(first), Ok(second)) = (String::from_utf8(first), String::from_utf8(second)) else {
        return Ok(Content::Differs("the bytes differ".to_owned()));
    };
    if first.contains('\0') || second.contains('\0') {
        return Ok(Content::Differs("the bytes differ".to_owned()));
    }
    let separator = |path: &Path| match path.extension().and_then(|suffix| suffix.to_str()) {
        Some("csv") => Some(b','),
        Some("tsv") => Some(b'\t'),
        _ => None,
    };
    if let (Some(of_a), Some(of_b)) = (separator(a), separator(b))
        && let (Some(first), Some(second)) = (csv::parse(&first, of_a), csv::parse(&second, of_b))
    {
        return tables(&first, &second, options).map(Content::Table);
    }
    Ok(Content::Text(text_lines(&first, &second, options)))
}

/// Returns what a file holds unless that is too much.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let mut bytes = Vec::new();
    file.take(READ + 1).read_to_end(&mut bytes).map_err(|error| Error::io(path, error))?;
    Ok((bytes.len() as u64 <= READ).then_some(bytes))
}

/// Returns the fields that differ.
fn fields(a: &Record, b: &Record) -> Vec<[String; 3]> {
    let registry = a.registry();
    let text = |value: &Value| if value.is_null() { "—".to_owned() } else { value.to_string() };
    registry
        .columns
        .iter()
        .zip(a.values().iter().zip(b.values()))
        .filter(|(column, (a, b))| a != b && !column.private())
        // The source is compared line by line; the rest differs without saying anything.
        .filter(|(column, _)| !["id", "source_code", "updated_at"].contains(&column.name))
        .map(|(column, (a, b))| [column.name.to_owned(), text(a), text(b)])
        // Moments of one second look the same.
        .filter(|[_, a, b]| a != b)
        .collect()
}
