//! Uploads of large files in parallel parts.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Location;
use object_store::{MultipartId, PutPayload};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::client::Client;
use super::runtime::{self, Task};
use super::tags;
use super::upload::{Reader, kib};
use super::{Object, client};
use crate::error::{Error, Result};
use crate::faults;
use crate::hash::{Identity, changed};
use crate::store::Publish;

/// Bytes of a part; some stores want all parts but the last to be equal.
const PART: u64 = 16 * 1024 * 1024;

/// Parts that a store accepts for one object, and the steps in which parts grow to stay below.
const PARTS: u64 = 10_000;
const STEP: u64 = 5 * 1024 * 1024;

/// Parts of one file under way at once.
const PARALLEL: usize = 6;

/// A part on its way.
type Sent = Task<(usize, u64, [u8; 16], object_store::Result<PartId>)>;

/// Returns how large the parts of an object are.
pub(super) fn part_size(size: u64) -> u64 {
    let (needed, usual) = (size.div_ceil(PARTS), faults::limit("object.part", PART));
    if needed <= usual { usual } else { needed.div_ceil(STEP) * STEP }
}

impl Object {
    /// Sends a file in parts; the object appears only once all of it is known to be what was to be stored.
    pub(super) async fn put_large(
        &self,
        client: &Client,
        location: &Location,
        source: &Path,
        key: &str,
        how: &Publish<'_>,
    ) -> Result<Identity> {
        let parts = client.parts.clone().ok_or_else(|| client::read_only(&self.root))?;
        let fail = |error| self.fail(client, key, error);
        let id = parts.create_multipart(location).await.map_err(fail)?;
        let mut upload = Upload { parts: parts.clone(), location: location.clone(), id, open: true };
        faults::hit("object.parts");
        let sent = self.send(client, &upload, source, key, how).await.and_then(|sent| {
            how.check(source, &sent.0.content, sent.0.digest)?;
            Ok(sent)
        });
        let (identity, ids, md5s) = match sent {
            Ok(sent) => sent,
            Err(error) => return upload.abort(error).await,
        };
        let tag = match parts.complete_multipart(location, &upload.id, ids).await {
            Ok(done) => done.e_tag,
            // The answer to a successful request may have been lost, and the second one found nothing to complete.
            Err(error) => match self.stat_async(key).await {
                Ok(Some(stat))
                    if stat.size == identity.content.size
                        && tags::compare(stat.tag.as_deref(), &md5s, true) == tags::Verdict::Same =>
                {
                    stat.tag
                }
                _ => return upload.abort(fail(error)).await,
            },
        };
        faults::hit("object.together");
        upload.open = false;
        self.check_stored(client, key, tag.as_deref(), &md5s, true, identity.digest).await?;
        Ok(identity)
    }

    async fn send(
        &self,
        client: &Client,
        upload: &Upload,
        source: &Path,
        key: &str,
        how: &Publish<'_>,
    ) -> Result<(Identity, Vec<PartId>, Vec<[u8; 16]>)> {
        let (reader, mut read) = read_ahead(client, source).await?;
        let mut under_way: FuturesUnordered<Sent> = FuturesUnordered::new();
        let mut done: Vec<Option<(PartId, [u8; 16])>> = Vec::new();
        let mut take = |sent: Result<(usize, u64, [u8; 16], object_store::Result<PartId>)>| {
            let (at, size, md5, part) = sent?;
            done.resize_with(done.len().max(at + 1), || None);
            done[at] = Some((part.map_err(|error| self.fail(client, key, error))?, md5));
            (how.progress)(size)
        };
        let mut at = 0;
        while let Some((bytes, held)) = read.recv().await {
            under_way.push(upload.part(at, bytes, held));
            at += 1;
            if under_way.len() == PARALLEL
                && let Some(sent) = under_way.next().await
            {
                take(sent)?;
            }
        }
        while let Some(sent) = under_way.next().await {
            take(sent)?;
        }
        let identity = reader.await??;
        let all: Option<Vec<_>> = done.into_iter().collect();
        let (ids, md5s) = all.ok_or_else(|| changed(source))?.into_iter().unzip();
        Ok((identity, ids, md5s))
    }
}

struct Upload {
    parts: Arc<dyn MultipartStore>,
    location: Location,
    id: MultipartId,
    /// Nothing has completed or ended it yet.
    open: bool,
}

impl Upload {
    /// Lets the store forget the parts; the error that led here matters more than parts that stay behind.
    async fn abort<T>(mut self, error: Error) -> Result<T> {
        self.open = false;
        let _ =
            tokio::time::timeout(runtime::TIDY, self.parts.abort_multipart(&self.location, &self.id)).await;
        Err(error)
    }

    fn part(&self, at: usize, bytes: Bytes, held: OwnedSemaphorePermit) -> Sent {
        let (parts, location, id) = (self.parts.clone(), self.location.clone(), self.id.clone());
        runtime::spawn(async move {
            let (size, md5) = (bytes.len() as u64, tags::md5(&bytes));
            let sent = parts.put_part(&location, &id, at, PutPayload::from(bytes)).await;
            faults::hit("object.part");
            drop(held);
            (at, size, md5, sent)
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // The user broke off: the store should not keep what nobody will complete.
        if self.open {
            let (parts, location, id) = (self.parts.clone(), self.location.clone(), self.id.clone());
            runtime::tidy(async move {
                let _ = parts.abort_multipart(&location, &id).await;
            });
        }
    }
}

type Parts = mpsc::Receiver<(Bytes, OwnedSemaphorePermit)>;

/// Reads a file on a thread of its own, a little ahead of the network.
async fn read_ahead(client: &Client, source: &Path) -> Result<(Task<Result<Identity>>, Parts)> {
    let path = source.to_path_buf();
    let mut reader = runtime::blocking(move || Reader::open(&path)).await??;
    let size = part_size(reader.size());
    let (give, take) = mpsc::channel(1);
    let memory = client.memory.clone();
    let handle = tokio::runtime::Handle::current();
    let source = source.to_path_buf();
    let task = runtime::blocking(move || {
        loop {
            let held = handle.block_on(memory.clone().acquire_many_owned(kib(size)));
            let held = held.map_err(|_| changed(&source))?;
            let room = usize::try_from(size).map_err(|_| Error::invalid("The part is larger than memory"))?;
            let bytes = reader.part(room)?;
            // Nobody listens any more: the upload failed, and says so itself.
            if bytes.is_empty() || handle.block_on(give.send((bytes, held))).is_err() {
                return reader.finish();
            }
        }
    });
    Ok((task, take))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_with_the_object() {
        const MIB: u64 = 1024 * 1024;
        assert_eq!(part_size(51 * MIB), PART);
        assert_eq!(part_size(PART * PARTS), PART);
        assert_eq!(part_size(PART * PARTS + 1), 20 * MIB);
        assert!(
            part_size(5 << 40).is_multiple_of(STEP) && (5u64 << 40).div_ceil(part_size(5 << 40)) <= PARTS
        );
    }
}
