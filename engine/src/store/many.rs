//! Publishing many files at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::publish::Staged;
use super::{Job, Publish, Published, Store, sync};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;

/// Files under temporary names at once; each keeps one file open.
const BATCH: usize = 256;

impl Store {
    /// Publishes many files, in parallel, and folders, one after the other; results come in the order of the jobs.
    ///
    /// Each job succeeds or fails by itself, as [`Store::publish_file`] does. With `how.durable` the files of a batch are
    /// flushed together, by one flush of the file system where there are many, before the first of them is renamed, and
    /// the folders that hold them once after the last: so whatever is reported as published is on the device under its
    /// name, and a row may be marked complete. `how.content` and `how.digest` do not apply: each job carries its own.
    pub fn publish_many(&self, jobs: &[Job], how: &Publish<'_>) -> Vec<Result<Published>> {
        if let Some(object) = self.object() {
            return object.publish_many(jobs, how);
        }
        let mut results: Vec<Option<Result<Published>>> = Vec::new();
        results.resize_with(jobs.len(), || None);
        // Opened before anything is written: a flush through it also reports what went wrong in between.
        let root = File::open(&self.root);
        let mut ready = BTreeSet::new();
        let (folders, files): (Vec<usize>, Vec<usize>) =
            (0..jobs.len()).partition(|&at| jobs[at].source.is_dir());
        for batch in files.chunks(BATCH) {
            self.make_parents(batch.iter().map(|&at| &jobs[at]), how.durable, &mut ready);
            let staged: Vec<Result<Staged>> =
                batch.par_iter().map(|&at| self.stage_job(&jobs[at], how, &ready)).collect();
            for (&at, result) in batch.iter().zip(self.place_batch(staged, how.durable, root.as_ref().ok())) {
                results[at] = Some(result);
            }
        }
        for at in folders {
            let Job { source, key, .. } = &jobs[at];
            results[at] = Some(self.publish_folder(source, key, &jobs[at].how(how)));
        }
        let unreached = || Err(Error::invalid("The job was not reached; publish it again"));
        results.into_iter().map(|result| result.unwrap_or_else(unreached)).collect()
    }

    /// Prepares every parent folder once; one that fails is left out and fails again in its job.
    fn make_parents<'a>(
        &self,
        jobs: impl Iterator<Item = &'a Job>,
        durable: bool,
        ready: &mut BTreeSet<PathBuf>,
    ) {
        for target in jobs.filter_map(|job| self.path(&job.key).ok()) {
            let parent = target.parent().unwrap_or(&self.root);
            if !ready.contains(parent) && self.prepare(&target, durable).is_ok() {
                ready.insert(parent.to_path_buf());
            }
        }
    }

    fn stage_job(&self, job: &Job, how: &Publish<'_>, ready: &BTreeSet<PathBuf>) -> Result<Staged> {
        let target = self.path(&job.key)?;
        if target.parent().is_none_or(|parent| !ready.contains(parent)) {
            self.prepare(&target, how.durable)?;
        }
        self.stage(&job.source, target, &job.how(how))
    }

    /// Flushes what is staged, renames it, and flushes the folders.
    fn place_batch(
        &self,
        staged: Vec<Result<Staged>>,
        durable: bool,
        root: Option<&File>,
    ) -> Vec<Result<Published>> {
        let flushed = if durable { flush(&staged, &self.root, root) } else { Vec::new() };
        faults::hit("store.synced");
        let mut flushed = flushed.into_iter();
        let placed: Vec<Result<(PathBuf, Published)>> = staged
            .into_iter()
            .map(|staged| {
                let flushed = flushed.next().unwrap_or(Ok(()));
                let mut staged = staged?;
                flushed?;
                staged.place()?;
                let parent = staged.target.parent().unwrap_or(&self.root).to_path_buf();
                Ok((parent, staged.published))
            })
            .collect();
        let mut failed: BTreeMap<PathBuf, (ErrorKind, String)> = BTreeMap::new();
        if durable {
            let parents: BTreeSet<&PathBuf> = placed.iter().flatten().map(|(parent, _)| parent).collect();
            for parent in parents {
                if let Err(error) = sync::folder(parent) {
                    failed.insert(parent.clone(), (error.kind(), error.message().to_owned()));
                }
            }
        }
        placed
            .into_iter()
            .map(|placed| {
                let (parent, published) = placed?;
                match failed.get(&parent) {
                    None => Ok(published),
                    Some((kind, message)) => Err(Error::new(*kind, message.clone())),
                }
            })
            .collect()
    }
}

impl Job {
    pub(super) fn how<'a>(&'a self, how: &Publish<'a>) -> Publish<'a> {
        Publish { content: self.content.as_ref(), digest: self.digest, ..*how }
    }
}

/// Flushes all that is staged, at once where that is cheaper; what cannot be flushed so is flushed file by file.
fn flush(staged: &[Result<Staged>], path: &Path, root: Option<&File>) -> Vec<Result<()>> {
    let many = staged.iter().filter(|staged| staged.is_ok()).count() >= sync::MANY;
    // A failed flush of the whole falls back to single ones, which tell whose bytes are lost.
    let whole = root.filter(|root| many && sync::filesystem(root, path).unwrap_or(false)).and_then(device);
    let one = |staged: &Staged| {
        if whole.is_some() && device(&staged.temp.handle) == whole {
            return Ok(());
        }
        sync::file(&staged.temp.handle, &staged.target)
    };
    staged.par_iter().map(|staged| staged.as_ref().map_or(Ok(()), one)).collect()
}

/// Returns which file system a file lies on, where systems number them.
fn device(file: &File) -> Option<u64> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        file.metadata().ok().map(|metadata| metadata.dev())
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        None
    }
}
