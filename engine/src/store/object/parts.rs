//! Uploads of large files in parallel parts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path as Location;
use object_store::{MultipartId, PutPayload};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::client::Client;
use super::resume::{Begun, There, UploadNote};
use super::runtime::{self, Task};
use super::upload::{Reader, kib};
use super::{Object, client, tags};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::hash::{Identity, Stamp, changed};
use crate::store::Publish;

/// Bytes of a part; some stores want all parts but the last to be equal.
const PART: u64 = 16 * 1024 * 1024;

/// Parts that a store accepts for one object, and the steps in which parts grow to stay below.
const PARTS: u64 = 10_000;
const STEP: u64 = 5 * 1024 * 1024;

/// Parts of one file under way at once.
const PARALLEL: usize = 6;

/// A part that the store has.
struct Sent {
    at: usize,
    size: u64,
    id: PartId,
    /// Of its bytes: what the store is to call them.
    md5: Option<[u8; 16]>,
}

/// Returns how large the parts of an object are.
pub(super) fn part_size(size: u64) -> u64 {
    let (needed, usual) = (size.div_ceil(PARTS), faults::limit("object.part", PART));
    if needed <= usual { usual } else { needed.div_ceil(STEP) * STEP }
}

impl Object {
    /// Sends a file in parts; the object appears only once all of it is known to be what was to be stored.
    ///
    /// An upload that another process began and `how.note` names is taken up: what the store has of it stays there.
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
        let stamp = Stamp::of(source)?;
        let part = part_size(stamp.size);
        let (id, there) = match self.taken_up(client, how.note, key, part).await? {
            Some(taken_up) => taken_up,
            None => (parts.create_multipart(location).await.map_err(fail)?, BTreeMap::new()),
        };
        let (note, open) = (how.note, true);
        let mut upload = Upload { parts: parts.clone(), location: location.clone(), id, note, open };
        if let Some(note) = how.note {
            let (key, id, state) = (key.to_owned(), upload.id.clone(), stamp.text());
            // Without the note the upload cannot be taken up later, that is all.
            let _ = note.write(&Begun { key, id, part, state });
        }
        faults::hit("object.parts");
        let sent = self.send(client, &upload, source, there, key, how).await.and_then(|sent| {
            how.check(source, &sent.0.content, sent.0.digest)?;
            Ok(sent)
        });
        let (identity, ids, md5s) = match sent {
            Ok(sent) => sent,
            Err(error) => return upload.fail(error, source, &stamp).await,
        };
        let completing = {
            let (parts, location, id) = (parts.clone(), location.clone(), upload.id.clone());
            runtime::spawn(async move { parts.complete_multipart(&location, &id, ids).await })
        };
        // Putting gigabytes together takes a store seconds, in which nothing else is asked of it.
        how.meanwhile.map_or(Ok(()), |meanwhile| meanwhile())?;
        let tag = match completing.await? {
            Ok(done) => done.e_tag,
            // The answer to a successful request may have been lost, and the second one found nothing to complete.
            Err(error) => match self.stat_async(key).await {
                Ok(Some(stat))
                    if stat.size == identity.content.size
                        && tags::compare(stat.tag.as_deref(), &md5s, true) == tags::Verdict::Same =>
                {
                    stat.tag
                }
                _ => return upload.fail(fail(error), source, &stamp).await,
            },
        };
        faults::hit("object.together");
        upload.open = false;
        if let Some(note) = how.note {
            note.forget();
        }
        self.check_stored(client, key, tag.as_deref(), &md5s, true, identity.digest).await?;
        Ok(identity)
    }

    /// Sends what the store does not have; returns the tags of all parts as it told them, where they are of content, else
    /// what they are to be.
    pub(super) async fn send(
        &self,
        client: &Client,
        upload: &Upload<'_>,
        source: &Path,
        there: BTreeMap<usize, There>,
        key: &str,
        how: &Publish<'_>,
    ) -> Result<(Identity, Vec<PartId>, Vec<[u8; 16]>)> {
        let resumed = !there.is_empty();
        let (reader, mut read) = read_ahead(client, source, there).await?;
        let mut under_way = FuturesUnordered::new();
        let mut done: Vec<Option<(PartId, Option<[u8; 16]>)>> = Vec::new();
        let mut take = |sent: Sent| {
            let Sent { at, size, id, md5 } = sent;
            done.resize_with(done.len().max(at + 1), || None);
            done[at] = Some((id, md5));
            (how.progress)(size)
        };
        let (mut at, mut kept) = (0, 0);
        while let Some(Part { bytes, tag, held }) = read.recv().await {
            let size = bytes.len() as u64;
            match tag {
                Some(tag) => {
                    kept += size;
                    let md5 = tags::md5_of(&tag);
                    take(Sent { at, size, id: PartId { content_id: tag }, md5 })?;
                }
                None => under_way.push(self.part(client, upload, key, at, bytes, held)),
            }
            at += 1;
            if under_way.len() == PARALLEL
                && let Some(sent) = under_way.next().await
            {
                take(sent?)?;
            }
        }
        while let Some(sent) = under_way.next().await {
            take(sent?)?;
        }
        if resumed {
            let (url, mib) = (self.url(key), kept >> 20);
            self.env.emit(Event::Note(format!(
                "went on with an upload that was broken off: {mib} MiB of it had arrived at {url}"
            )));
        }
        let identity = reader.await??;
        let all: Option<Vec<_>> = done.into_iter().collect();
        let (ids, md5s): (Vec<_>, Vec<_>) = all.ok_or_else(|| changed(source))?.into_iter().unzip();
        // Without a tag of content for each, nothing can be said of that of the whole.
        Ok((identity, ids, md5s.into_iter().collect::<Option<_>>().unwrap_or_default()))
    }

    /// Sends a part on the runtime's threads, where it is signed as well.
    ///
    /// A store that gets a signature compares the bytes with it itself: their SHA-256 is a part of it. Of others the tag is
    /// compared.
    async fn part(
        &self,
        client: &Client,
        upload: &Upload<'_>,
        key: &str,
        at: usize,
        bytes: Bytes,
        held: OwnedSemaphorePermit,
    ) -> Result<Sent> {
        let (parts, location, id) = (upload.parts.clone(), upload.location.clone(), upload.id.clone());
        let signed = client.signed;
        let sent = runtime::spawn(async move {
            let (size, md5) = (bytes.len() as u64, (!signed).then(|| tags::md5(&bytes)));
            let sent = parts.put_part(&location, &id, at, PutPayload::from(bytes)).await;
            faults::hit("object.part");
            drop(held);
            sent.map(|id| Sent { at, size, md5: md5.or_else(|| tags::md5_of(&id.content_id)), id })
        });
        sent.await?.map_err(|error| self.fail(client, key, error))
    }
}

/// An upload in parts that was begun.
pub(super) struct Upload<'a> {
    pub(super) parts: Arc<dyn MultipartStore>,
    pub(super) location: Location,
    pub(super) id: MultipartId,
    pub(super) note: Option<&'a UploadNote>,
    /// Nothing has completed or ended it yet.
    pub(super) open: bool,
}

impl Upload<'_> {
    /// Returns the error that the upload failed with. Where the network failed and a note tells of the upload, the parts
    /// stay, and saving again goes on; else the store forgets them, at once or, as Azure does, within a week.
    pub(super) async fn fail<T>(mut self, error: Error, source: &Path, stamp: &Stamp) -> Result<T> {
        self.open = false;
        let worth_keeping = error.kind() == ErrorKind::Io && stamp.check(source).is_ok();
        if let Some(note) = self.note {
            if worth_keeping {
                return Err(error);
            }
            note.forget();
        }
        self.give_up().await;
        Err(error)
    }

    /// Lets the store forget the parts.
    pub(super) async fn give_up(mut self) {
        self.open = false;
        // What led here matters more than parts that stay behind.
        let _ =
            tokio::time::timeout(runtime::TIDY, self.parts.abort_multipart(&self.location, &self.id)).await;
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        // The user broke off: the store should not keep what nobody will complete.
        if self.open {
            if let Some(note) = self.note {
                note.forget();
            }
            let (parts, location, id) = (self.parts.clone(), self.location.clone(), self.id.clone());
            runtime::tidy(async move {
                let _ = parts.abort_multipart(&location, &id).await;
            });
        }
    }
}

/// A part that was read, with its tag where the store has it already.
struct Part {
    bytes: Bytes,
    tag: Option<String>,
    held: OwnedSemaphorePermit,
}

/// Reads a file on a thread of its own, a little ahead of the network.
async fn read_ahead(
    client: &Client,
    source: &Path,
    there: BTreeMap<usize, There>,
) -> Result<(Task<Result<Identity>>, mpsc::Receiver<Part>)> {
    let path = source.to_path_buf();
    let mut reader = runtime::blocking(move || Reader::open(&path)).await??;
    let size = part_size(reader.size());
    let (give, take) = mpsc::channel(1);
    let memory = client.memory.clone();
    let handle = tokio::runtime::Handle::current();
    let source = source.to_path_buf();
    let task = runtime::blocking(move || {
        let room = usize::try_from(size).map_err(|_| Error::invalid("The part is larger than memory"))?;
        for at in 0.. {
            let held = handle.block_on(memory.clone().acquire_many_owned(kib(size)));
            let held = held.map_err(|_| changed(&source))?;
            let bytes = reader.part(room)?;
            let tag = there.get(&at).filter(|there| there.is(&bytes)).map(|there| there.tag.clone());
            // Nobody listens any more: the upload failed, and says so itself.
            if bytes.is_empty() || handle.block_on(give.send(Part { bytes, tag, held })).is_err() {
                break;
            }
        }
        reader.finish()
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
