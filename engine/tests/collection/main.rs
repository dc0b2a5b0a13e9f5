//! Collections: constructor, hash, deduplication, versions, order, many writers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod construct;
mod race;
mod reference;
mod remove;
mod versions;

use holotype::testing::Scratch;
use holotype::{Collection, Event, Instance, NewArtifact, NewCollection, Record, RunChoice};

/// Returns a saved artifact with this content.
fn artifact(scratch: &Scratch, content: &str) -> Record {
    artifact_at(scratch, &format!("{content}.txt"), content)
}

fn artifact_at(scratch: &Scratch, key: &str, content: &str) -> Record {
    let path = scratch.file(&format!("in/{key}"), content).unwrap();
    let new = NewArtifact {
        skip_hash_lookup: Some(true),
        run: RunChoice::None,
        ..NewArtifact::new(path.to_str().unwrap())
    };
    let mut artifact = scratch.instance().artifact(new.key(key)).unwrap();
    scratch.instance().save_artifact(&mut artifact).unwrap();
    scratch.events();
    artifact.record
}

fn artifacts(scratch: &Scratch, contents: &[&str]) -> Vec<Record> {
    contents.iter().map(|content| artifact(scratch, content)).collect()
}

/// Returns the request for a collection that says nothing about runs.
fn quiet<'a>(artifacts: impl IntoIterator<Item = &'a Record>, key: &str) -> NewCollection {
    NewCollection {
        run: RunChoice::None,
        ..NewCollection::new(artifacts.into_iter().cloned().collect(), key)
    }
}

fn saved(instance: &Instance, new: NewCollection) -> Record {
    let mut collection = instance.collection(new).unwrap();
    instance.save_collection(&mut collection).unwrap();
    collection.record
}

fn save(instance: &Instance, collection: &mut Collection) -> Record {
    instance.save_collection(collection).unwrap();
    collection.record.clone()
}

fn uids(records: &[Record]) -> Vec<&str> {
    records.iter().map(Record::uid).collect()
}

fn reload(instance: &Instance, record: &Record) -> Record {
    instance.by_id(record.registry(), record.id().unwrap()).unwrap()
}

/// Returns the names of the events, which is what most tests are about.
fn names(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| format!("{event:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned())
        .collect()
}
