//! Records that tests need to be there.

use holotype::model::require;
use holotype::testing::Scratch;
use holotype::{Record, Value};

/// Returns a saved record with these fields.
pub fn saved(scratch: &Scratch, registry: &str, fields: &[(&str, Value)]) -> Record {
    let mut record = Record::empty(require(registry).unwrap());
    for (name, value) in fields {
        record.set(name, value.clone()).unwrap();
    }
    scratch.instance().save(&mut record).unwrap();
    record
}
