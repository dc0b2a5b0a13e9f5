//! What a command made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Found;
use super::note::Note;
use super::rules::Rules;
use crate::content::Content;
use crate::error::{Error, Result};
use crate::ingest::{NewArtifact, RunChoice};
use crate::instance::Instance;
use crate::query::Q;
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
        let mut units: BTreeSet<PathBuf> = made.map(|seen| rules.unit(&seen.path)).collect();
        let told = self.told_by(inner)?;
        units.retain(|path| !told.iter().any(|place| path.starts_with(place)));
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
        if self.is_made_within(path, inner)? {
            return Ok(None);
        }
        self.save_made(rules, path).map(Some)
    }

    /// Saves a file or folder as made by the current run.
    pub(super) fn save_made(&self, rules: &Rules, path: &Path) -> Result<Record> {
        let mut artifact = self.artifact(self.new_artifact(rules, path, RunChoice::Current)?)?;
        self.save_artifact(&mut artifact)?;
        // What was there under this key already was made again.
        self.track_recreation(&artifact.record, None)?;
        Ok(artifact.record)
    }

    /// Returns what commands and jobs say that they made.
    fn told_by(&self, runs: &[i64]) -> Result<Vec<PathBuf>> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let runs = self.registry("Run")?.filter(Q::is("id__in", runs.to_vec()))?.all()?;
        let notes = runs.iter().filter_map(Note::read_from);
        let places = notes.flat_map(|note| {
            let project = note.project;
            note.outputs.into_iter().map(move |place| project.join(place.path))
        });
        Ok(places.collect())
    }

    /// Returns true for content that a run within the command saved.
    fn is_made_within(&self, path: &Path, inner: &[i64]) -> Result<bool> {
        if inner.is_empty() {
            return Ok(false);
        }
        let (hash, _) = Content::identify(path)?;
        let made = Q::is("run_id__in", inner.to_vec()).and(Q::is("hash", hash.hash));
        self.registry("Artifact")?.filter(made)?.exists()
    }

    /// Returns the wish to save a file or folder of a command under the key that the rules give it.
    pub(super) fn new_artifact(&self, rules: &Rules, path: &Path, run: RunChoice) -> Result<NewArtifact> {
        // Where content lies in storage already, its place there is its key.
        let key = match self.location_of(path)? {
            Some(_) => None,
            None if run == RunChoice::None => Some(self.command_key(rules, path)?),
            None => Some(format!("{}{}", rules.prefix, self.command_key(rules, path)?)),
        };
        // A file is what it is called: equal content under another key is another thing.
        let skip_hash_lookup = Some(true);
        Ok(NewArtifact { key, run, skip_hash_lookup, ..NewArtifact::new(path.to_string_lossy()) })
    }
}
