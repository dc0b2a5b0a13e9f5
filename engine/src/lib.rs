//! Holotype registers files, folders and arrays as artifacts with identity, storage, labels, versions and lineage.

pub mod db;
mod env;
mod error;
mod event;
#[cfg(feature = "faults")]
pub mod faults;
#[cfg(not(feature = "faults"))]
mod faults;
pub mod hash;
pub mod instance;
pub mod key;
pub mod model;
pub mod store;
pub mod suffix;
pub mod uid;
mod value;
pub mod version;

pub use env::Env;
pub use error::{Error, ErrorKind, KINDS, Result};
pub use event::Event;
pub use value::{Kind, Timestamp, Value, python_json, sorted_json};
