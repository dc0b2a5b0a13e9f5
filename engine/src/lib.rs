//! Holotype registers files, folders and arrays as artifacts with identity, storage, labels, versions and lineage.
//!
//! # The nouns
//!
//! An [`Instance`] is one database with its storage locations. It hands out [`QuerySet`]s over registries, which yield
//! [`Record`]s; an [`Artifact`] is a record of the artifact registry plus the content that saving it still has to store.
//!
//! ```text
//! Instance ── settings: owner, name, default storage
//!    └─ Session ── db: Db            one writer, many readers
//!          │    ── env: Env          clock, randomness, home, variables, listener
//!          │    ── context           user, branch, space, run
//!          └─ QuerySet ── registry: &'static model::Registry
//!                 └─ Record ── one value per column
//! Artifact ── record: Record
//!          └─ what to store, until it is saved
//! ```
//!
//! The engine blocks, and it never prints: whatever it has to tell leaves as an [`Event`] through the [`Env`].
//!
//! # An example
//!
//! ```
//! use holotype::{NewArtifact, Q};
//! # let scratch = holotype::testing::Scratch::new()?;
//! # let instance = scratch.instance();
//! # let path = scratch.file("counts.csv", "gene,count\nTP53,7\n")?.display().to_string();
//! // Register a file under a key: its bytes go to storage, its hash and size to the registry.
//! let mut artifact = instance.artifact(NewArtifact::new(&path).key("raw/counts.csv"))?;
//! instance.save_artifact(&mut artifact)?;
//!
//! // Label it and find it again by the label.
//! let mut label = instance.construct(holotype::model::require("ULabel")?, &[("name", "raw".into())])?.record;
//! instance.save(&mut label)?;
//! instance.link(&artifact.record, "ulabels", &[label.id().unwrap()])?;
//! let found = instance.registry("Artifact")?.filter(Q::is("ulabels__name", "raw"))?.one()?;
//! assert_eq!(found.uid(), artifact.record.uid());
//!
//! // Read it: only complete content with the registered identity is handed out.
//! let text = std::fs::read_to_string(instance.cache(&found)?).unwrap();
//! assert!(text.starts_with("gene,count"));
//!
//! // Other content under the same key is the next version of the same family.
//! # std::fs::write(&path, "gene,count\nTP53,8\n").unwrap();
//! let mut next = instance.artifact(NewArtifact::new(&path).key("raw/counts.csv"))?;
//! instance.save_artifact(&mut next)?;
//! assert_eq!((next.record.stem_uid(), next.record.version()), (found.stem_uid(), Some("0001")));
//! # Ok::<(), holotype::Error>(())
//! ```

pub mod care;
pub mod collection;
pub mod command;
pub mod content;
pub mod curate;
pub mod db;
pub mod describe;
pub mod diff;
pub mod dtype;
mod env;
mod error;
mod event;
#[cfg(feature = "faults")]
pub mod faults;
#[cfg(not(feature = "faults"))]
mod faults;
pub mod feature;
mod fetch;
pub mod hash;
pub mod history;
pub mod ingest;
pub mod instance;
pub mod key;
pub mod lineage;
pub mod model;
pub mod query;
mod record;
pub mod session;
mod storage;
pub mod store;
pub mod suffix;
pub mod surroundings;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;
pub mod trace;
pub mod track;
pub mod uid;
mod value;
pub mod version;
pub mod write;

pub use collection::{Collection, NewCollection};
pub use env::Env;
pub use error::{Error, ErrorKind, KINDS, Result};
pub use event::Event;
pub use fetch::Parts;
pub use ingest::{Artifact, NewArtifact, RunChoice};
pub use instance::{InitOptions, Instance};
pub use query::{Aggregate, Operand, Q, QuerySet};
pub use record::Record;
pub use session::Session;
pub use storage::{InstanceDeletion, NewStorage};
pub use value::{Kind, Timestamp, Value, python_json, sorted_json};
