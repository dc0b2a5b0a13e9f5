//! Publishing many files at once.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;

use rayon::prelude::*;

use super::{Job, Publish, Published, Store, sync};
use crate::error::{Error, Result};
use crate::faults;
use crate::threads;

/// A file or folder in its place.
struct Placed {
    published: Published,
    /// A file that is still to be flushed.
    loose: Option<Loose>,
}

struct Loose {
    path: PathBuf,
    device: Option<u64>,
}

impl Store {
    /// Publishes many files, in parallel, and folders, one after the other; results come in the order of the jobs.
    ///
    /// Each job succeeds or fails by itself. Whoever looks at a key sees the old content or the new, as with
    /// [`Store::publish_file`]; but with `how.durable` a loss of power before this returns may leave neither, since all
    /// files are flushed together at the end, with their names, by one flush of the file system where there are many. So
    /// the keys have to be the caller's own, as those of [`Store::publish_own`]. `how.content` and `how.digest` do not
    /// apply: each job carries its own.
    pub fn publish_many(&self, jobs: &[Job], how: &Publish<'_>) -> Vec<Result<Published>> {
        if let Some(object) = self.object() {
            return object.publish_many(jobs, how);
        }
        // Opened before anything is written: a flush through it also reports what went wrong in between.
        let root = File::open(&self.root);
        let mut ready = BTreeSet::new();
        self.make_parents(jobs, how.durable, &mut ready);
        let (folders, files): (Vec<usize>, Vec<usize>) =
            (0..jobs.len()).partition(|&at| jobs[at].source.is_dir());
        let mut placed: Vec<(usize, Result<Placed>)> = threads::share(|| {
            files.par_iter().map(|&at| (at, self.place_job(&jobs[at], how, &ready))).collect()
        });
        placed.extend(folders.into_iter().map(|at| {
            let Job { source, key, .. } = &jobs[at];
            let published = self.publish_folder(source, key, &jobs[at].how(how));
            (at, published.map(|published| Placed { published, loose: None }))
        }));
        placed.sort_unstable_by_key(|(at, _)| *at);
        let placed: Vec<Result<Placed>> = placed.into_iter().map(|(_, placed)| placed).collect();
        let flushed = match how.durable {
            true => self.flush_placed(&placed, root.as_ref().ok()),
            false => placed.iter().map(|_| Ok(())).collect(),
        };
        faults::hit("store.synced");
        let published = |(placed, flushed): (Result<Placed>, Result<()>)| {
            let placed = placed?;
            flushed.map(|()| placed.published)
        };
        placed.into_iter().zip(flushed).map(published).collect()
    }

    /// Prepares every parent folder once; one that fails is left out and fails again in its job.
    fn make_parents(&self, jobs: &[Job], durable: bool, ready: &mut BTreeSet<PathBuf>) {
        for target in jobs.iter().filter_map(|job| self.path(&job.key).ok()) {
            let parent = target.parent().unwrap_or(&self.root);
            if !ready.contains(parent) && self.prepare(&target, durable).is_ok() {
                ready.insert(parent.to_path_buf());
            }
        }
    }

    fn place_job(&self, job: &Job, how: &Publish<'_>, ready: &BTreeSet<PathBuf>) -> Result<Placed> {
        let target = self.path(&job.key)?;
        if target.parent().is_none_or(|parent| !ready.contains(parent)) {
            self.prepare(&target, how.durable)?;
        }
        let mut staged = self.stage(&job.source, target, &job.how(how))?;
        staged.place()?;
        let loose = Loose { device: device(&staged.temp.handle), path: staged.target };
        Ok(Placed { published: staged.published, loose: Some(loose) })
    }

    /// Flushes files and their names, at once where that is cheaper; what cannot be flushed so is flushed by itself.
    fn flush_placed(&self, placed: &[Result<Placed>], root: Option<&File>) -> Vec<Result<()>> {
        let loose = |placed: &Result<Placed>| placed.as_ref().is_ok_and(|placed| placed.loose.is_some());
        let many = placed.iter().filter(|placed| loose(placed)).count() >= sync::MANY;
        // A failed flush of the whole falls back to single ones, which tell whose bytes are lost.
        let whole =
            root.filter(|root| many && sync::filesystem(root, &self.root).unwrap_or(false)).and_then(device);
        let one = |loose: &Loose| {
            let Loose { path, device } = loose;
            if whole.is_some() && *device == whole {
                return Ok(());
            }
            let file = File::options().read(true).write(true).open(path).or_else(|_| File::open(path));
            sync::file(&file.map_err(|error| Error::io(path, error))?, path)?;
            sync::folder(path.parent().unwrap_or(&self.root))
        };
        let flush = |placed: &Result<Placed>| {
            placed.as_ref().ok().and_then(|placed| placed.loose.as_ref()).map_or(Ok(()), one)
        };
        threads::share(|| placed.par_iter().map(flush).collect())
    }
}

impl Job {
    pub(super) fn how<'a>(&'a self, how: &Publish<'a>) -> Publish<'a> {
        Publish { content: self.content.as_ref(), digest: self.digest, note: None, ..*how }
    }
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
