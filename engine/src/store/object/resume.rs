//! Uploads that a process left unfinished, taken up by the next one.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use object_store::MultipartId;

use super::azure_blocks;
use super::client::Client;
use super::request::{Signer, Signing, encode, value};
use super::upload::single;
use super::{Object, tags};
use crate::error::{Error, Result};
use crate::hash::Stamp;

const HEADER: &str = "holotype upload 1";

/// A small file that tells which upload of a source was begun; as long as it is held, nobody else takes the upload up.
///
/// It outlives a process that is killed. What it says is never believed: each part that the store has is compared with the
/// bytes of the source.
#[derive(Debug)]
pub struct UploadNote {
    path: PathBuf,
    file: File,
    begun: Option<Begun>,
}

/// An upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    /// Where it was to lie, below the root.
    pub(super) key: String,
    /// What the store knows it by.
    pub(super) id: MultipartId,
    /// Bytes of a part.
    pub(super) part: u64,
    /// The state of the source.
    pub(super) state: String,
}

/// A part that a store has.
pub(super) struct There {
    pub(super) size: u64,
    pub(super) tag: String,
}

impl UploadNote {
    /// Opens the note at `path` on the upload of `source`; nothing while another process holds it.
    fn open(path: &Path, source: &Path) -> Result<Option<UploadNote>> {
        let fail = |error| Error::io(path, error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let mut text = String::new();
        // What is no text is no note either.
        let _ = file.read_to_string(&mut text);
        let state = Stamp::of(source)?.text();
        let begun = parse(&text).filter(|begun| begun.state == state);
        Ok(Some(UploadNote { path: path.to_path_buf(), file, begun }))
    }

    /// Returns the key to which the source, as it is now, was being sent when a process ended.
    pub fn key(&self) -> Option<&str> {
        self.begun.as_ref().map(|begun| begun.key.as_str())
    }

    /// Notes that an upload has begun.
    pub(super) fn write(&self, begun: &Begun) -> Result<()> {
        let Begun { key, id, part, state } = begun;
        let mut file = &self.file;
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(format!("{HEADER}\n{key}\n{id}\n{part}\n{state}\n").as_bytes()))
            .and_then(|()| file.sync_data())
            .map_err(|error| Error::io(&self.path, error))
    }

    /// Forgets the upload, which is complete or given up.
    pub(super) fn forget(&self) {
        // A note that stays names an upload that the store no longer knows.
        let _ = fs::remove_file(&self.path);
    }
}

fn parse(text: &str) -> Option<Begun> {
    let mut lines = text.lines().map(str::to_owned);
    if lines.next()? != HEADER {
        return None;
    }
    let (key, id, part) = (lines.next()?, lines.next()?, lines.next()?.parse().ok()?);
    Some(Begun { key, id, part, state: lines.next()? })
}

impl Object {
    /// Returns the note at `path` on the upload of `source`, where the file is large and the store tells of its parts.
    pub(in crate::store) fn upload_note(&self, path: &Path, source: &Path) -> Result<Option<UploadNote>> {
        let is_large = fs::metadata(source).is_ok_and(|found| found.is_file() && found.len() > single());
        let lists = || super::runtime::run(&|_| Ok(()), async { Ok(self.client().await?.signer.is_some()) });
        if is_large && lists()? { UploadNote::open(path, source) } else { Ok(None) }
    }

    /// Returns the upload that `note` names, if it is to this key in parts of this size and the store still has it, and the
    /// parts that arrived, by their number from zero.
    pub(super) async fn taken_up(
        &self,
        client: &Client,
        note: Option<&UploadNote>,
        key: &str,
        part: u64,
    ) -> Result<Option<(MultipartId, BTreeMap<usize, There>)>> {
        let fits = |begun: &&Begun| begun.key == key && begun.part == part;
        let begun = note.and_then(|note| note.begun.as_ref()).filter(fits);
        let (Some(Begun { id, .. }), Some(signer)) = (begun, &client.signer) else { return Ok(None) };
        let place = signer.url(&self.location(key)?);
        let there = match signer.signing {
            Signing::Azure(..) => {
                let list = format!("{place}?comp=blocklist&blocklisttype=uncommitted");
                self.page(signer, &list).await?.map(|page| azure_blocks::waiting(&page, id))
            }
            _ => self.parts_of(signer, &place, id).await?,
        };
        Ok(there.map(|there| (id.clone(), there)))
    }

    /// Returns the parts of an upload that the store knows.
    async fn parts_of(
        &self,
        signer: &Signer,
        place: &str,
        id: &MultipartId,
    ) -> Result<Option<BTreeMap<usize, There>>> {
        let (mut there, mut after) = (BTreeMap::new(), String::new());
        loop {
            let url = format!("{place}?{after}uploadId={}", encode(id));
            let Some(page) = self.page(signer, &url).await? else { return Ok(None) };
            for one in page.split("<Part>").skip(1) {
                let number = value(one, "PartNumber").and_then(|text| text.parse::<usize>().ok());
                let size = value(one, "Size").and_then(|text| text.parse().ok());
                if let (Some(number @ 1..), Some(size), Some(tag)) = (number, size, value(one, "ETag")) {
                    there.insert(number - 1, There { size, tag });
                }
            }
            let last = there.last_key_value().map_or(0, |(at, _)| at + 1);
            let next = format!("part-number-marker={last}&");
            if value(&page, "IsTruncated").as_deref() != Some("true") || next == after {
                return Ok(Some(there));
            }
            after = next;
        }
    }
}

impl There {
    /// Returns true when the store has just these bytes.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        self.size == bytes.len() as u64 && tags::md5_of(&self.tag) == Some(tags::md5(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_counts_for_the_source_as_it_was_and_for_one_holder() {
        let dir = tempfile::tempdir().unwrap();
        let (path, source) = (dir.path().join("notes/x"), dir.path().join("source"));
        fs::write(&source, "content").unwrap();
        let note = UploadNote::open(&path, &source).unwrap().unwrap();
        assert_eq!(note.key(), None);
        let state = Stamp::of(&source).unwrap().text();
        note.write(&Begun { key: "a/b".into(), id: "id".into(), part: 5, state }).unwrap();
        assert!(UploadNote::open(&path, &source).unwrap().is_none(), "it is held");
        drop(note);
        let note = UploadNote::open(&path, &source).unwrap().unwrap();
        assert_eq!(note.key(), Some("a/b"));
        drop(note);
        fs::write(&source, "other content").unwrap();
        let note = UploadNote::open(&path, &source).unwrap().unwrap();
        assert_eq!(note.key(), None, "the source is another");
        note.forget();
        assert!(!path.exists());
        assert_eq!(parse("something else\n"), None);
    }

    #[test]
    fn a_part_counts_by_its_size_and_its_bytes() {
        let tag = format!("\"{}\"", tags::hex(&tags::md5(b"bytes")));
        assert!(There { size: 5, tag: tag.clone() }.is(b"bytes"));
        assert!(!There { size: 5, tag: tag.clone() }.is(b"other"));
        assert!(!There { size: 6, tag }.is(b"bytes"));
        assert!(!There { size: 5, tag: "\"of its own\"".into() }.is(b"bytes"));
    }
}
