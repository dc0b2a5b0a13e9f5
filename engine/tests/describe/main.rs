//! Descriptions: the trees of all kinds of records, and the field lists of registries.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod artifact;
mod features;
mod kinds;
#[path = "../support/records.rs"]
mod records;
mod registry;

use holotype::testing::Scratch;
use holotype::{NewArtifact, Record, RunChoice, Value};

/// Returns a saved record with these fields, of which nothing is told any more.
fn saved(scratch: &Scratch, registry: &str, fields: &[(&str, Value)]) -> Record {
    let record = records::saved(scratch, registry, fields);
    scratch.events();
    record
}

fn label(scratch: &Scratch, name: &str) -> Record {
    saved(scratch, "ULabel", &[("name", name.into())])
}

/// Returns a saved artifact with this key, content and run.
fn artifact(scratch: &Scratch, key: &str, content: &str, run: RunChoice) -> Record {
    let path = scratch.file(&format!("in/{key}"), content).unwrap();
    let new = NewArtifact { run, ..NewArtifact::new(path.to_str().unwrap()) };
    let mut artifact = scratch.instance().artifact(new.key(key)).unwrap();
    scratch.instance().save_artifact(&mut artifact).unwrap();
    artifact.record
}

/// Returns the text of a record, with what differs from run to run made equal: uids, moments and the folder.
fn text(scratch: &Scratch, record: &Record) -> String {
    let text = scratch.instance().describe(record).unwrap().to_text();
    let text = text.replace(&scratch.dir().display().to_string(), "<dir>").replace(record.uid(), "<uid>");
    match record.moment("created_at") {
        Some(moment) => text.replace(&moment.to_display(), "<created_at>"),
        None => text,
    }
}
