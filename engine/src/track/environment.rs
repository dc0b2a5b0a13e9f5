//! Artifacts that belong to a run and stay out of sight: its environment and its report.

use std::path::Path;

use crate::error::{Error, Result};
use crate::hash::source_hash;
use crate::ingest::{NewArtifact, RunChoice, is_incomplete};
use crate::instance::Instance;
use crate::instance::settings::cache_dir;
use crate::query::Q;
use crate::record::Record;

/// Kind of artifacts that are part of a run.
pub(crate) const HIDDEN: &str = "__lamindb_run__";

/// A file that lists the software present in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentFile {
    /// Name, such as `run_env_pip.txt`, `uv.lock` or `pixi.lock`.
    pub name: String,
    /// Content.
    pub content: Vec<u8>,
}

impl EnvironmentFile {
    /// What `pip freeze` prints is a requirements file, whatever we call it.
    fn description(&self) -> &str {
        if self.name.starts_with("run_env_pip") { "requirements.txt" } else { &self.name }
    }
}

impl Instance {
    /// Links a run to the artifact with its environment; runs with an equal environment share one.
    ///
    /// An empty file says nothing and is not linked.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for a name that is a path, and failures of the store.
    pub fn attach_environment(&self, run: &mut Record, environment: &EnvironmentFile) -> Result<()> {
        self.set_environment(run, environment)?;
        self.save(run)
    }

    /// Lets a run name its environment; whoever changes more of it saves it.
    pub(super) fn set_environment(&self, run: &mut Record, environment: &EnvironmentFile) -> Result<()> {
        if environment.content.trim_ascii().is_empty() {
            return Ok(());
        }
        let name = Path::new(&environment.name);
        if name.file_name() != Some(name.as_os_str()) {
            return Err(Error::value(format!("'{}' is no file name", environment.name)));
        }
        let artifact = match self.hidden(&source_hash(&environment.content))? {
            Some(known) => known,
            None => {
                let dir = cache_dir(self.env())?.join("environments").join(format!("run_{}", run.uid()));
                let path = dir.join(name);
                std::fs::create_dir_all(&dir).map_err(|error| Error::io(&dir, error))?;
                std::fs::write(&path, &environment.content).map_err(|error| Error::io(&path, error))?;
                let made = self.hide(&path, true, environment.description(), None);
                // What could not be removed goes with the cache.
                std::fs::remove_dir_all(&dir).ok();
                made?
            }
        };
        run.set("environment_id", artifact.id())
    }

    /// Returns the artifact with this hash that belongs to runs, whose content is complete.
    pub(super) fn hidden(&self, hash: &str) -> Result<Option<Record>> {
        let all = self.registry("Artifact")?.filter(Q::is("hash", hash))?.filter(Q::is("kind", HIDDEN))?;
        let known = all.filter(Q::untrashed())?.order_by(["id"])?.first()?;
        Ok(known.filter(|known| !is_incomplete(known)))
    }

    /// Saves a file as an artifact that belongs to a run and is no output of it; `former` is what it takes the place of.
    pub(super) fn hide(
        &self,
        path: &Path,
        temporary: bool,
        description: &str,
        former: Option<Record>,
    ) -> Result<Record> {
        let mut artifact = self.artifact(NewArtifact {
            source: path.to_string_lossy().into_owned(),
            temporary,
            description: Some(description.to_owned()),
            kind: Some(HIDDEN.to_owned()),
            skip_hash_lookup: Some(true),
            key_is_virtual: Some(true),
            revises: former,
            run: RunChoice::None,
            ..NewArtifact::default()
        })?;
        self.save_artifact(&mut artifact)?;
        Ok(artifact.record)
    }
}
