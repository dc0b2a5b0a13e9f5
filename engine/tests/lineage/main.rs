//! Lineage: the graph, the queries along it, and every form in which it is shown.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

mod ancestors;
mod drawing;
mod graph;
mod queries;
mod text;

use holotype::lineage::{Lineage, Link};
use holotype::testing::Scratch;
use holotype::track::HashLookup;
use holotype::{Collection, NewArtifact, NewCollection, Record, RunChoice};

/// An instance with data and runs.
struct Lab {
    scratch: Scratch,
}

impl Lab {
    fn new() -> Lab {
        Lab { scratch: Scratch::new().unwrap() }
    }

    fn instance(&self) -> &holotype::Instance {
        self.scratch.instance()
    }

    /// Returns a new run of the transform with this key that reads `inputs`.
    fn run(&self, key: &str, inputs: &[&Record]) -> Record {
        let instance = self.instance();
        let known = instance.registry("Transform").unwrap().filter(holotype::Q::is("key", key)).unwrap();
        let transform = known.first().unwrap().unwrap_or_else(|| {
            let mut made = instance.transform(&[("key", key.into())], None, HashLookup::Look).unwrap().record;
            instance.save(&mut made).unwrap();
            made
        });
        let mut run = instance.run(Some(&transform), &[]).unwrap();
        instance.save(&mut run).unwrap();
        for input in inputs {
            assert!(instance.track_input(input, run.id()).unwrap());
        }
        run
    }

    /// Returns a new artifact with this key, made by a run or from outside.
    fn artifact(&self, key: &str, run: Option<&Record>) -> Record {
        let path = self.scratch.file(&format!("in/{key}"), key).unwrap();
        let run = run.and_then(Record::id).map_or(RunChoice::None, RunChoice::Id);
        let new = NewArtifact { run, ..NewArtifact::new(path.to_str().unwrap()) };
        let mut artifact = self.instance().artifact(new.key(key)).unwrap();
        self.instance().save_artifact(&mut artifact).unwrap();
        artifact.record
    }

    fn collection(&self, key: &str, artifacts: &[&Record], run: Option<&Record>) -> Record {
        let run = run.and_then(Record::id).map_or(RunChoice::None, RunChoice::Id);
        let artifacts = artifacts.iter().map(|artifact| (*artifact).clone()).collect();
        let new = NewCollection { key: Some(key.to_owned()), artifacts, run, ..NewCollection::default() };
        let mut collection: Collection = self.instance().collection(new).unwrap();
        self.instance().save_collection(&mut collection).unwrap();
        collection.record
    }
}

/// Returns the edges as `from>to`, by label, with the link where data did not just flow; sorted.
fn edges(lineage: &Lineage) -> Vec<String> {
    let mut found: Vec<String> = lineage
        .edges
        .iter()
        .map(|edge| {
            let (from, to) = (&lineage.nodes[edge.from].label, &lineage.nodes[edge.to].label);
            match edge.link {
                Link::Input | Link::Output => format!("{from}>{to}"),
                link => format!("{from}>{to} {}", link.word()),
            }
        })
        .collect();
    found.sort();
    found
}

/// Returns the labels of the nodes, sorted.
fn labels(lineage: &Lineage) -> Vec<&str> {
    let mut found: Vec<&str> = lineage.nodes.iter().map(|node| node.label.as_str()).collect();
    found.sort_unstable();
    found
}
