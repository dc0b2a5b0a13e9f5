//! Artifacts: from a path a user names to content in storage and a row in the registry.
//!
//! The constructor ([`Instance::artifact`]) looks, hashes and decides; nothing is written. [`Instance::save_artifact`]
//! stores the content first and makes the row visible only once its bytes are complete.

mod again;
mod bulk;
mod change;
mod decide;
mod dedup;
mod draft;
mod family;
mod holder;
mod lazy;
mod over;
mod place;
pub(crate) mod progress;
mod remote;
mod remote_dir;
mod remove;
mod replace;
mod restore;
mod resume;
mod save;
mod source;
mod upload;
mod written;

use std::path::{Path, PathBuf};

pub use change::ArtifactMove;
pub(crate) use dedup::is_incomplete;
pub(crate) use place::{automatic_key, storage_key};
pub(crate) use progress::Progress;
pub use remove::ArtifactDeletion;
pub(crate) use restore::is_leaving;

use crate::content::Content;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::hash::{self, ContentHash};
use crate::instance::Instance;
use crate::key::{self, KeyKind};
use crate::record::Record;
use draft::Seen;
use source::{check_suffix, local_source, otype};

/// Which run an artifact is linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RunChoice {
    /// The run that is being tracked, if any.
    #[default]
    Current,
    /// None, and no word about it.
    None,
    /// This one.
    Id(i64),
}

/// What a user gives to register an artifact.
#[derive(Clone, Debug, Default)]
pub struct NewArtifact {
    /// Path of the file or folder, as the user gave it.
    pub source: String,
    /// The source is a file that the face wrote for an object in memory: it is taken away after storing.
    pub temporary: bool,
    /// Key.
    pub key: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Kind, such as `dataset`.
    pub kind: Option<String>,
    /// Type of the object, such as `DataFrame`.
    pub otype: Option<String>,
    /// Version tag.
    pub version_tag: Option<String>,
    /// Number of observations.
    pub n_observations: Option<i64>,
    /// Id of the storage location.
    pub storage: Option<i64>,
    /// Id of the branch.
    pub branch: Option<i64>,
    /// Id of the space.
    pub space: Option<i64>,
    /// Id of the schema.
    pub schema: Option<i64>,
    /// The version that this one follows.
    pub revises: Option<Record>,
    /// All versions share one store.
    pub overwrite_versions: Option<bool>,
    /// `true` never looks for equal content, `false` always does, absent does outside of storage locations.
    pub skip_hash_lookup: Option<bool>,
    /// Whether the key is virtual.
    pub key_is_virtual: Option<bool>,
    /// Run.
    pub run: RunChoice,
}

impl NewArtifact {
    /// Returns the request to register `source` with everything else left open.
    pub fn new(source: impl Into<String>) -> Self {
        NewArtifact { source: source.into(), ..Self::default() }
    }

    /// Returns the request with a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// A record of the artifact registry and what saving it still has to do.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The row.
    pub record: Record,
    pending: Option<Pending>,
    /// What was asked for, where this is the row of equal content that was registered before.
    reused: Option<Box<NewArtifact>>,
}

/// Content that is not stored yet.
#[derive(Clone, Debug)]
struct Pending {
    source: PathBuf,
    temporary: bool,
    /// The content lies in a storage location already.
    in_place: bool,
    folder: bool,
    expected: Option<ContentHash>,
    family: Family,
    /// Saving stores the content of an existing row again, because it is incomplete or gone.
    resume: bool,
    /// Saving makes an older version the latest again.
    revive: bool,
    /// What the constructor had to compute anyway.
    content: Option<Content>,
    /// The content was written to its place before the artifact was saved.
    lazy: bool,
}

impl Pending {
    /// Returns true for content that was registered where it lies on another machine.
    fn is_remote(&self) -> bool {
        self.source.to_str().is_some_and(remote::is_remote)
    }

    /// Returns what is to be done for a new file at `source`, nothing of which is known yet.
    fn copy_of(source: PathBuf) -> Self {
        Pending {
            source,
            temporary: false,
            in_place: false,
            folder: false,
            expected: None,
            family: Family::New,
            resume: false,
            revive: false,
            content: None,
            lazy: false,
        }
    }
}

/// How a new row finds its family.
#[derive(Clone, Debug, PartialEq)]
enum Family {
    /// A family of its own, unless somebody uses the key in the meantime.
    New,
    /// The family that holds the key.
    ByKey,
    /// The family of the version that the user named.
    Revises { id: i64, was_head: bool },
}

impl Artifact {
    /// Returns a saved record as an artifact.
    pub fn from_record(record: Record) -> Self {
        Artifact { record, pending: None, reused: None }
    }

    /// Returns true while content waits to be stored.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Returns the path of the content before it is saved.
    pub fn source(&self) -> Option<&Path> {
        self.pending.as_ref().map(|pending| pending.source.as_path())
    }
}

impl Instance {
    /// Returns a new artifact for a file or folder, or the registered one when the content is known.
    ///
    /// # Errors
    /// [`crate::ErrorKind::FileNotFound`] for a missing source, [`crate::ErrorKind::InvalidArgument`] and
    /// [`crate::ErrorKind::Value`] for keys that do not fit, [`crate::ErrorKind::Integrity`] when no version of the
    /// key's family is the latest.
    pub fn artifact(&self, new: NewArtifact) -> Result<Artifact> {
        if remote::is_remote(&new.source) {
            return self.remote_artifact(&new);
        }
        if new.source.contains(".lamindb/") && !new.temporary {
            return Err(Error::value(
                "Do not pass path inside the `.lamindb/` directory for non-s3/gs paths.",
            ));
        }
        let virtual_keys = new.key_is_virtual.unwrap_or_else(|| self.creation().use_virtual_keys);
        if let Some(key) = &new.key {
            let kind = if virtual_keys { KeyKind::Virtual } else { KeyKind::Real };
            key::check(key, kind)?;
        }
        let source = local_source(self, &new.source)?;
        let folder = source.is_dir();
        let suffix = check_suffix(self, &source, &new)?;
        let place = place::resolve(self, &source, &new)?;
        let (expected, content) = if self.creation().skip_size_hash {
            (None, None)
        } else if folder {
            let identity = hash::hash_folder(&source)?;
            let content = Content::of_folder(&identity)?;
            (Some(identity.content), Some(content))
        } else {
            (Some(hash::hash_file(&source)?), None)
        };
        let request =
            dedup::Request { source: &source, new: &new, place: &place, content: expected.as_ref() };
        let look_up = match new.skip_hash_lookup {
            None => !place.in_place,
            Some(skip) => !skip,
        };
        if look_up && let Some(found) = dedup::find(self, &request, content.as_ref())? {
            return dedup::reuse(self, found, &request, content);
        }
        let seen = Seen { suffix: &suffix, otype: otype(&source, &new), folder, content: expected.as_ref() };
        let (record, family) = self.draft(&new, &place, seen)?;
        Ok(Artifact {
            record,
            reused: None,
            pending: Some(Pending {
                temporary: new.temporary,
                in_place: place.in_place,
                folder,
                expected,
                family,
                content,
                ..Pending::copy_of(source)
            }),
        })
    }
}

/// Writes hash, size and number of files into the record.
fn set_content(record: &mut Record, content: Option<&ContentHash>) -> Result<()> {
    let Some(content) = content else { return Ok(()) };
    record.set("hash", content.hash.as_str())?;
    record.set("_hash_type", content.kind.to_string())?;
    record.set("size", i64::try_from(content.size).unwrap_or(i64::MAX))?;
    record.set("n_files", content.n_files.and_then(|n| i64::try_from(n).ok()))
}

/// Links the record to its run and says so when there is none.
pub(crate) fn link_run(instance: &Instance, record: &mut Record, choice: RunChoice) -> Result<Option<i64>> {
    let run = choice.id(instance);
    record.set("run", run)?;
    Ok(run)
}

impl RunChoice {
    /// Returns the id of the run, and says so when there is none to link to.
    fn id(self, instance: &Instance) -> Option<i64> {
        let run = match self {
            RunChoice::Current => instance.context().run,
            RunChoice::None => None,
            RunChoice::Id(id) => Some(id),
        };
        if run.is_none() && self == RunChoice::Current && !instance.creation().silence_missing_run {
            instance.env().emit(Event::NoRun);
        }
        run
    }
}

/// Refuses a record by which nobody could find it again.
fn require_a_hold(record: &Record, run: Option<i64>) -> Result<()> {
    let named = |field: &str| record.get(field).is_some_and(|value| !value.is_null());
    if run.is_some() || named("key") || named("description") {
        return Ok(());
    }
    Err(Error::value("Pass one of key, run or description as a parameter"))
}
