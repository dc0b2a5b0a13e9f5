//! Removing, copying and moving objects without their bytes coming here.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{CopyMode, CopyOptions, Error as Theirs, ObjectStore};

use super::client::REQUESTS;
use super::{Object, runtime};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::store::Publish;

impl Object {
    /// Removes the file or folder at `key`; returns false when there was none.
    pub(in crate::store) fn remove(&self, key: &str) -> Result<bool> {
        self.writable()?;
        runtime::run(&|_| Ok(()), async {
            let keys = self.files_at(key).await?;
            self.delete(&keys).await?;
            Ok(!keys.is_empty())
        })
    }

    /// Removes many files; what is not there is passed over.
    pub(in crate::store) fn remove_files(&self, keys: &[String]) -> Result<()> {
        self.writable()?;
        runtime::run(&|_| Ok(()), self.delete(keys))
    }

    /// Moves what lies at `from` to `to`, where nothing may lie yet.
    pub(in crate::store) fn rename(&self, from: &str, to: &str, how: &Publish<'_>) -> Result<()> {
        self.copy_new(from, to, how)?;
        self.remove(from).map(|_| ())
    }

    /// Copies what lies at `from` to `to`, where nothing may lie yet.
    pub(in crate::store) fn copy_new(&self, from: &str, to: &str, how: &Publish<'_>) -> Result<()> {
        self.writable()?;
        runtime::run(how.progress, async {
            let keys = self.files_at(from).await?;
            if !self.files_at(to).await?.is_empty() {
                let (from, to) = (self.url(from), self.url(to));
                let message = format!("Cannot move {from} to {to} because it already exists.");
                return Err(Error::new(ErrorKind::FileExists, message));
            }
            self.copy_all(from, to, &keys, how).await
        })
    }

    /// Puts what lies at `from` in the place of what lies at `to`, and takes it away at `from`.
    pub(in crate::store) fn replace(&self, from: &str, to: &str, how: &Publish<'_>) -> Result<()> {
        self.writable()?;
        runtime::run(how.progress, async {
            let (keys, former) = (self.files_at(from).await?, self.files_at(to).await?);
            let (from, to) = (from.trim_end_matches('/'), to.trim_end_matches('/'));
            let (one, other) = (keys.iter().any(|key| key == from), former.iter().any(|key| key == to));
            if !former.is_empty() && one != other {
                let (one, other) = if other { ("file", "folder") } else { ("folder", "file") };
                let url = self.url(to);
                return Err(Error::invalid(format!(
                    "{url} is a {one} in storage; a {other} cannot replace it"
                )));
            }
            self.copy_all(from, to, &keys, how).await?;
            let kept: Vec<String> = keys.iter().map(|key| renamed(key, from, to)).collect();
            let mut stale: Vec<String> = former.into_iter().filter(|key| !kept.contains(key)).collect();
            stale.extend(keys);
            self.delete(&stale).await
        })
    }

    /// Returns the key of the file, or those of all files below the folder, that lies at `key`.
    async fn files_at(&self, key: &str) -> Result<Vec<String>> {
        let key = key.trim_end_matches('/');
        if self.stat_async(key).await?.is_some() {
            return Ok(vec![key.to_owned()]);
        }
        let below = self.stats_async(&format!("{key}/")).await?;
        Ok(below.into_iter().map(|stat| stat.key).collect())
    }

    async fn copy_all(&self, from: &str, to: &str, keys: &[String], how: &Publish<'_>) -> Result<()> {
        let (from, to) = (from.trim_end_matches('/'), to.trim_end_matches('/'));
        if keys.is_empty() {
            return Err(Error::new(ErrorKind::FileNotFound, self.url(from)));
        }
        stream::iter(keys)
            .map(|key| self.copy(key, renamed(key, from, to), how))
            .buffer_unordered(REQUESTS)
            .try_for_each(|()| async { Ok(()) })
            .await
    }

    /// Copies one object on the server and compares the sizes.
    async fn copy(&self, from: &str, to: String, how: &Publish<'_>) -> Result<()> {
        let (source, target) = (self.location(from)?, self.location(&to)?);
        let client = self.client().await?;
        let before = self.require(from).await?;
        let copy = |mode| client.store.copy_opts(&source, &target, CopyOptions::new().with_mode(mode));
        let copied = match copy(CopyMode::Overwrite).await {
            // object_store 0.13 takes the two modes for each other in Google's storage.
            Err(Theirs::AlreadyExists { .. }) => copy(CopyMode::Create).await,
            copied => copied,
        };
        copied.map_err(|error| self.fail(client, from, error))?;
        faults::hit("object.copied");
        let after = self.require(&to).await?;
        if after.size != before.size {
            let (from, to) = (self.url(from), self.url(&to));
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "{to} has {} bytes after the copy of {from}, which has {}; try again",
                    after.size, before.size
                ),
            ));
        }
        (how.progress)(before.size)
    }
}

fn renamed(key: &str, from: &str, to: &str) -> String {
    format!("{to}{}", key.strip_prefix(from).unwrap_or_default())
}
