//! Values against registries: from_values, validate, inspect, standardize, synonyms, graphs.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod graph;
mod standardize;
mod synonyms;
mod validate;
mod values;

use holotype::model::{Registry, require};
use holotype::testing::Scratch;
use holotype::{Record, Value};

fn registry(name: &str) -> &'static Registry {
    require(name).unwrap()
}

/// Returns a saved record with these fields.
fn saved(scratch: &Scratch, registry: &str, fields: &[(&str, Value)]) -> Record {
    let mut record = Record::empty(require(registry).unwrap());
    for (name, value) in fields {
        record.set(name, value.clone()).unwrap();
    }
    scratch.instance().save(&mut record).unwrap();
    record
}

fn label(scratch: &Scratch, name: &str) -> Record {
    saved(scratch, "ULabel", &[("name", name.into())])
}

/// Returns a saved cell type with synonyms, which may be empty.
fn cell_type(scratch: &Scratch, name: &str, synonyms: &str) -> Record {
    let synonyms = (!synonyms.is_empty()).then_some(synonyms);
    saved(scratch, "bionty.CellType", &[("name", name.into()), ("synonyms", synonyms.into())])
}

fn names(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.text("name").unwrap()).collect()
}
