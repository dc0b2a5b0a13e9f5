//! Holotype registers files, folders and arrays as artifacts with identity, storage, labels, versions and lineage.

mod env;
mod error;
mod event;
pub mod model;
mod value;

pub use env::Env;
pub use error::{Error, ErrorKind, KINDS, Result};
pub use event::Event;
pub use value::{Kind, Timestamp, Value, python_json, sorted_json};
