//! Objects read with their version, and written only over a known one.

use std::path::Path;

use bytes::Bytes;
use object_store::path::Path as Location;
use object_store::{Error as Theirs, ObjectMeta, ObjectStoreExt as _, PutMode, PutPayload, UpdateVersion};

use super::client::Client;
use super::tags::{self, Verdict};
use super::{Object, runtime};
use crate::error::Result;
use crate::hash::Digest;
use crate::store::Fetch;
use crate::store::versioned::Version;

/// What an object is to hold.
pub(super) struct Sought<'a> {
    pub(super) size: u64,
    pub(super) digest: Digest,
    /// Of the whole, or of its parts.
    pub(super) md5s: &'a [[u8; 16]],
    pub(super) in_parts: bool,
}

impl Version {
    pub(super) fn of(meta: &ObjectMeta) -> Version {
        Version { tag: meta.e_tag.clone(), number: meta.version.clone() }
    }

    fn update(&self) -> PutMode {
        PutMode::Update(UpdateVersion { e_tag: self.tag.clone(), version: self.number.clone() })
    }
}

impl Object {
    pub(in crate::store) fn version(&self, key: &str) -> Result<Option<Version>> {
        runtime::run(&self.patience(), async {
            let found = self.found(key).await?;
            Ok(found.map(|meta| Version::of(&meta)))
        })
    }

    pub(in crate::store) fn read_version(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>> {
        runtime::run(&self.patience(), async {
            let found = self.get_whole(key).await?;
            Ok(found.map(|(bytes, meta)| (bytes.into(), Version::of(&meta))))
        })
    }

    pub(in crate::store) fn fetch_version(&self, key: &str, target: &Path) -> Result<Option<Version>> {
        runtime::run(&self.patience(), async {
            let Some(meta) = self.found(key).await? else { return Ok(None) };
            // Every request for a part names the tag: what arrives is of one version.
            self.get_file(key, self.stat_of(key.to_owned(), &meta), None, target, &Fetch::default()).await?;
            Ok(Some(Version::of(&meta)))
        })
    }

    pub(in crate::store) fn write_over(
        &self,
        key: &str,
        known: Option<&Version>,
        bytes: Vec<u8>,
    ) -> Result<Option<Version>> {
        self.writable()?;
        runtime::run(&|_| Ok(()), async {
            let location = self.location(key)?;
            let client = self.client().await?;
            let bytes = Bytes::from(bytes);
            let mode = known.map_or(PutMode::Create, Version::update);
            let (store, to, payload) = (client.store.clone(), location.clone(), bytes.clone());
            let put =
                runtime::spawn(
                    async move { store.put_opts(&to, PutPayload::from(payload), mode.into()).await },
                )
                .await?;
            match put {
                Ok(put) => {
                    let (md5, digest) = (tags::md5(&bytes), Digest::of(&bytes));
                    self.check_stored(client, key, put.e_tag.as_deref(), &[md5], false, digest).await?;
                    Ok(Some(Version { tag: put.e_tag, number: put.version }))
                }
                // An answer may have been lost, and the second attempt have met the first.
                Err(Theirs::AlreadyExists { .. } | Theirs::Precondition { .. }) => {
                    let (size, digest) = (bytes.len() as u64, Digest::of(&bytes));
                    let md5s = &[tags::md5(&bytes)];
                    self.if_holds(key, &Sought { size, digest, md5s, in_parts: false }).await
                }
                Err(error) => Err(self.fail(client, key, error)),
            }
        })
    }

    /// Returns the version of the object if it holds what is sought.
    pub(super) async fn if_holds(&self, key: &str, sought: &Sought<'_>) -> Result<Option<Version>> {
        let mut found = self.found(key).await?;
        loop {
            let Some(meta) = found.filter(|meta| meta.size == sought.size) else { return Ok(None) };
            let version = Version::of(&meta);
            if tags::compare(meta.e_tag.as_deref(), sought.md5s, sought.in_parts) == Verdict::Same {
                return Ok(Some(version));
            }
            match self.digest_async(key).await {
                Ok(digest) => return Ok((digest == sought.digest).then_some(version)),
                Err(error) => {
                    found = self.found(key).await?;
                    // Else it was written over while it was read, and another look is needed.
                    if found.as_ref().is_some_and(|now| Version::of(now) == version) {
                        return Err(error);
                    }
                }
            }
        }
    }

    pub(super) async fn found(&self, key: &str) -> Result<Option<ObjectMeta>> {
        let location: Location = self.location(key)?;
        let client = self.client().await?;
        match client.store.head(&location).await {
            Ok(meta) => Ok(Some(meta)),
            Err(error @ Theirs::NotFound { .. }) => self.absent(client, key, error),
            Err(error) => Err(self.fail_look(client, key, error).await),
        }
    }

    /// Returns nothing when an error says that there is no such object, but a missing bucket is an error.
    pub(super) fn absent<T>(&self, client: &Client, key: &str, error: Theirs) -> Result<Option<T>> {
        let missing = matches!(error, Theirs::NotFound { .. });
        let error = self.fail(client, key, error);
        if missing && error.message() == self.url(key) { Ok(None) } else { Err(error) }
    }
}
