//! Holotype registers files, folders and arrays as artifacts with identity, storage, labels, versions and lineage.

pub mod collection;
pub mod content;
pub mod curate;
pub mod db;
mod env;
mod error;
mod event;
#[cfg(feature = "faults")]
pub mod faults;
#[cfg(not(feature = "faults"))]
mod faults;
mod fetch;
pub mod hash;
pub mod ingest;
pub mod instance;
pub mod key;
pub mod model;
pub mod query;
mod record;
pub mod session;
mod storage;
pub mod store;
pub mod suffix;
#[cfg(feature = "testing")]
pub mod testing;
pub mod uid;
mod value;
pub mod version;
pub mod write;

pub use collection::{Collection, NewCollection};
pub use env::Env;
pub use error::{Error, ErrorKind, KINDS, Result};
pub use event::Event;
pub use ingest::{Artifact, NewArtifact, RunChoice};
pub use instance::{InitOptions, Instance};
pub use query::{Aggregate, Operand, Q, QuerySet};
pub use record::Record;
pub use session::Session;
pub use storage::InstanceDeletion;
pub use value::{Kind, Timestamp, Value, python_json, sorted_json};
