//! Putting a folder into a bucket: one object per file, all below one prefix.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::client::REQUESTS;
use super::{Object, runtime};
use crate::error::{Error, Result};
use crate::hash::{ContentHash, FolderIdentity, HashKind, hash_folder, scan_folder};
use crate::store::{Publish, Published};

impl Object {
    pub(in crate::store) fn publish_folder(
        &self,
        source: &Path,
        key: &str,
        how: &Publish<'_>,
    ) -> Result<Published> {
        self.writable()?;
        runtime::run(how.progress, self.put_folder(source, key, how))
    }

    /// Puts every file, checked against what was hashed before the first of them left, then removes what was there before.
    ///
    /// A prefix has no moment at which it appears: whoever keeps a row for the folder marks it incomplete meanwhile.
    pub(super) async fn put_folder(&self, source: &Path, key: &str, how: &Publish<'_>) -> Result<Published> {
        let key = key.trim_end_matches('/');
        self.location(key)?;
        let path = source.to_path_buf();
        let (folder, identity) = runtime::blocking(move || {
            let folder = scan_folder(&path)?;
            let identity = hash_folder(&path)?;
            folder.check()?;
            Ok::<_, Error>((folder, identity))
        })
        .await??;
        how.check(source, &identity.content, identity.digest)?;
        if self.stat_async(key).await?.is_some() {
            let url = self.url(key);
            return Err(Error::invalid(format!("{url} is a file in storage; a folder cannot replace it")));
        }
        let former = self.stats_async(&format!("{key}/")).await?;
        let FolderIdentity { content, digest, manifest } = identity;
        stream::iter(folder.files.iter().zip(manifest.entries()))
            .map(|(file, entry)| async move {
                let expected = ContentHash {
                    hash: entry.digest.to_hash().0,
                    kind: HashKind::Blake3,
                    size: entry.size,
                    n_files: None,
                };
                let how =
                    Publish { content: Some(&expected), digest: Some(entry.digest), note: None, ..*how };
                self.put_file(&file.source, &format!("{key}/{}", file.path), &how).await
            })
            .buffer_unordered(REQUESTS)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        let check = folder.clone();
        runtime::blocking(move || check.check()).await??;
        let kept: BTreeSet<String> = folder.files.iter().map(|file| format!("{key}/{}", file.path)).collect();
        let stale: Vec<String> =
            former.into_iter().map(|stat| stat.key).filter(|key| !kept.contains(key)).collect();
        if !stale.is_empty() {
            self.delete(&stale).await?;
        }
        Ok(Published { content, digest, manifest: Some(manifest), cloned: false })
    }
}
