//! Values against registries: from_values, validate, inspect, standardize, synonyms, graphs.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod graph;
#[path = "../support/records.rs"]
mod records;
mod standardize;
mod synonyms;
mod validate;
mod values;

use holotype::Record;
use holotype::model::{Registry, require};
use holotype::testing::Scratch;
use records::saved;

fn registry(name: &str) -> &'static Registry {
    require(name).unwrap()
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
