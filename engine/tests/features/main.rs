//! Features: new ones, values of artifacts, runs and records, and look-ups by them.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod construct;
mod query;
#[path = "../support/records.rs"]
mod records;
mod track;
mod values;

use holotype::feature::{Given, How};
use holotype::testing::Scratch;
use holotype::track::HashLookup;
use holotype::{NewArtifact, Record, Result};
use records::saved;
use serde_json::{Value as Json, json};

fn feature(scratch: &Scratch, name: &str, dtype: &str) -> Record {
    let given = [("name", name.into()), ("dtype", dtype.into())];
    let mut feature = scratch.instance().feature(&given, true).unwrap();
    scratch.instance().save(&mut feature).unwrap();
    feature
}

fn run(scratch: &Scratch) -> Record {
    let given = [("key", "T".into()), ("kind", "pipeline".into())];
    let mut transform = scratch.instance().transform(&given, None, HashLookup::Look).unwrap().record;
    scratch.instance().save_transform(&mut transform).unwrap();
    another_run(scratch, &transform)
}

fn another_run(scratch: &Scratch, transform: &Record) -> Record {
    let mut run = scratch.instance().run(Some(transform), &[]).unwrap();
    scratch.instance().save(&mut run).unwrap();
    run
}

fn artifact(scratch: &Scratch, name: &str) -> Record {
    let path = scratch.file(name, name).unwrap();
    let mut artifact =
        scratch.instance().artifact(NewArtifact::new(path.display().to_string()).key(name)).unwrap();
    scratch.instance().save_artifact(&mut artifact).unwrap();
    artifact.record
}

fn plain(name: &str, json: Json) -> (String, Given) {
    (name.to_owned(), Given::Plain(json))
}

fn label(name: &str, record: &Record) -> (String, Given) {
    (name.to_owned(), Given::Label(Box::new(record.clone())))
}

fn add(scratch: &Scratch, host: &Record, values: &[(String, Given)]) -> Result<()> {
    scratch.instance().annotate(host, values, How::Add)
}

/// Returns what a record holds: names of labels, and values that name no record.
fn held(scratch: &Scratch, host: &Record) -> Json {
    let held = scratch.instance().features_of(host.registry(), &[host.id().unwrap()]).unwrap();
    let one = |held: holotype::feature::Held| {
        let names = held.labels.iter().map(|label| json!(label.text("name").or(label.text("key"))));
        let values: Vec<Json> = names.chain(held.plain).collect();
        (held.feature.text("name").unwrap().to_owned(), json!(values))
    };
    Json::Object(held.into_iter().map(one).collect())
}

fn message(result: Result<impl Sized>) -> String {
    result.err().map(|error| error.message().to_owned()).unwrap_or_default()
}
