//! What a command made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Found;
use super::rules::Rules;
use crate::error::{Error, Result};
use crate::ingest::{NewArtifact, RunChoice};
use crate::instance::Instance;
use crate::record::Record;
use crate::trace::Files;

impl Instance {
    /// Saves the new and changed files that count, and returns them sorted by path.
    ///
    /// What a run within the command saved by itself belongs to that run.
    pub(super) fn command_outputs(
        &self,
        rules: &Rules,
        files: &Files,
        inner: &[i64],
        failed: &mut Vec<(PathBuf, Error)>,
    ) -> Result<Vec<Found>> {
        let made = files.written().filter(|seen| rules.is_output(&seen.path));
        let units: BTreeSet<PathBuf> = made.map(|seen| rules.unit(&seen.path)).collect();
        let mut outputs = Vec::new();
        for path in units {
            match self.save_output(rules, &path, inner) {
                Ok(Some(record)) => outputs.push(Found { path, record }),
                Ok(None) => {}
                // One file that cannot be saved must not keep the others from it.
                Err(error) => failed.push((path, error)),
            }
        }
        Ok(outputs)
    }

    fn save_output(&self, rules: &Rules, path: &Path, inner: &[i64]) -> Result<Option<Record>> {
        let mut artifact = self.artifact(self.new_artifact(rules, path, RunChoice::Current)?)?;
        let made_within = artifact.record.int("run_id").is_some_and(|run| inner.contains(&run));
        if artifact.record.id().is_some() && made_within {
            return Ok(None);
        }
        self.save_artifact(&mut artifact)?;
        Ok(Some(artifact.record))
    }

    /// Returns the wish to save a file or folder of a command under the key that the rules give it.
    pub(super) fn new_artifact(&self, rules: &Rules, path: &Path, run: RunChoice) -> Result<NewArtifact> {
        // Where content lies in storage already, its place there is its key.
        let key = match self.location_of(path)? {
            Some(_) => None,
            None if run == RunChoice::None => Some(self.command_key(rules, path)?),
            None => Some(format!("{}{}", rules.prefix, self.command_key(rules, path)?)),
        };
        Ok(NewArtifact { key, run, ..NewArtifact::new(path.to_string_lossy()) })
    }
}
