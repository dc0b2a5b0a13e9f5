//! Content in buckets: compared with what its store tells of it, and read where every byte counts.

use std::path::PathBuf;

use super::compare::{compare_manifests, compare_names, compare_size};
use super::location::{Locations, Remote};
use super::verify::{Flaw, OTHER_BYTES, OTHER_HASH, Proof, Seen, State, Task};
use crate::content::{Content, recorded_kind};
use crate::error::Result;
use crate::hash::Manifest;
use crate::ingest::{Progress, storage_key};
use crate::instance::Instance;
use crate::record::Record;
use crate::store::Stat;

impl Instance {
    /// Compares what lies in a bucket with the registry.
    pub(super) fn look_elsewhere(
        &self,
        locations: &Locations,
        task: &Task,
        remote: &Remote,
        path: PathBuf,
        progress: &Progress<'_>,
    ) -> Result<Seen> {
        let (artifact, key) = (&task.artifact, storage_key(&task.artifact));
        let manifest = task.manifest()?;
        let mut flaw = compare(&remote.glance(&key)?, &key, artifact, manifest.as_ref());
        if flaw.is_some() {
            // A list may be older than the row.
            flaw = compare(&remote.look(&key)?, &key, artifact, manifest.as_ref());
        }
        if let Some(flaw) = flaw {
            return Ok(task.seen(locations, flaw));
        }
        if !task.deep {
            return Ok(task.sound(path, None, 0));
        }
        let (hash, content) = Content::identify_at(&remote.store, &key)?;
        progress.add(content.size);
        let found = content.manifest.as_deref().map(Manifest::from_bytes).transpose()?;
        let flaw = match (&task.known, &manifest, &found) {
            (Some(known), Some(expected), Some(found)) => {
                let flaw = compare_manifests(found, expected);
                if flaw.is_none() {
                    return Ok(task.sound(path, Some(Proof::Confirmed(known.digest)), task.size()));
                }
                flaw
            }
            (Some(known), ..) if known.digest == content.digest => {
                return Ok(task.sound(path, Some(Proof::Confirmed(known.digest)), task.size()));
            }
            (Some(_), ..) => None,
            // The hash of a folder may be made of tags that only its store can make.
            (None, ..)
                if task.vouches(&hash, &content)
                    || remote.store.content(&key)?.is_some_and(|told| {
                        artifact.text("hash") == Some(told.hash.as_str()) && told.size == content.size
                    }) =>
            {
                return Ok(task.sound(path, Some(Proof::New(content)), task.size()));
            }
            (None, ..) => Some(OTHER_HASH.to_owned()),
        };
        Ok(task.damaged(locations, flaw.unwrap_or_else(|| OTHER_BYTES.to_owned())))
    }
}

/// Compares what a store tells of a file, or of the files of a folder.
fn compare<'a>(stats: &'a [Stat], key: &str, artifact: &Record, manifest: Option<&Manifest>) -> Option<Flaw> {
    let Some(first) = stats.first() else {
        return Some((State::Missing, "nothing is there".to_owned()));
    };
    let (folder, unknown) = (first.key != key, artifact.text("hash").is_none());
    if !unknown && folder != artifact.int("n_files").is_some() {
        let one = if folder { "a folder where a file" } else { "a file where a folder" };
        return Some((State::Damaged, format!("is {one} is expected")));
    }
    if folder {
        let file = |stat: &'a Stat| (stat.key.get(key.len() + 1..).unwrap_or_default(), stat.size);
        return compare_names(&stats.iter().map(file).collect::<Vec<_>>(), artifact, manifest);
    }
    compare_size(first.size, artifact).or_else(|| {
        // The tag of an object is its hash, where the registry holds one of the same kind.
        let told =
            first.content.as_ref().filter(|told| recorded_kind(artifact) == Some(told.kind.clone()))?;
        let other = artifact.text("hash").is_some_and(|expected| expected != told.hash);
        other.then(|| (State::Damaged, "its store tells another hash than was recorded".to_owned()))
    })
}
