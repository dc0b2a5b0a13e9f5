//! Comparing stored content with what the registry says of it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::compare::{compare_bytes, compare_file, compare_folder};
use super::location::Locations;
use crate::content::{Content, recorded_kind};
use crate::db::Sql;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{ContentHash, Digest, HashKind, Manifest, digest_watched};
use crate::ingest::{Progress, is_incomplete, storage_key};
use crate::instance::Instance;
use crate::query::{Q, QuerySet};
use crate::record::Record;
use crate::threads;
use crate::value::{Kind, Value};

/// Artifacts that are looked at between two visits to the database.
const CHUNK: usize = 2000;

/// What is said of content with another digest, and of content with another hash.
pub(super) const OTHER_BYTES: &str = "its bytes are not those that were saved";
pub(super) const OTHER_HASH: &str = "its bytes do not have the hash that was recorded";

/// How often an artifact is looked at again when somebody changes it meanwhile.
const TRIES: usize = 3;

/// How thoroughly content is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// That it is there and of the right size; of folders, every file.
    Fast,
    /// As [`Depth::Fast`], and every byte of so many artifacts picked at random.
    Sample(usize),
    /// Every byte.
    Full,
}

/// What was found of an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Sound,
    /// Older content that a later version has replaced at the place they share: to be expected.
    Overwritten,
    /// Nothing is there.
    Missing,
    /// Something else is there.
    Damaged,
    /// It was never completely stored.
    Incomplete,
    /// It could not be looked at.
    Unreachable,
}

/// An artifact and what was found of it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The artifact.
    pub artifact: Record,
    /// Where its content should lie; empty when that is unknown.
    pub path: PathBuf,
    /// What was found.
    pub state: State,
    /// The difference in words; empty for what is sound.
    pub detail: String,
    /// True when every byte was compared.
    pub read: bool,
}

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Artifacts looked at.
    pub checked: usize,
    /// Artifacts of which every byte was compared.
    pub read: usize,
    /// Bytes read.
    pub bytes: u64,
    /// Older versions whose content was overwritten, as it happens at shared places.
    pub overwritten: usize,
    /// Everything that is wrong, in the order of the rows.
    pub wrong: Vec<Finding>,
}

impl State {
    /// Returns true for what should not be.
    pub fn is_wrong(self) -> bool {
        !matches!(self, State::Sound | State::Overwritten)
    }

    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Sound => "sound",
            State::Overwritten => "overwritten",
            State::Missing => "missing",
            State::Damaged => "damaged",
            State::Incomplete => "incomplete",
            State::Unreachable => "unreachable",
        }
    }
}

impl Verification {
    /// Returns true when nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// An artifact to look at.
pub(super) struct Task {
    pub(super) artifact: Record,
    pub(super) known: Option<Content>,
    pub(super) deep: bool,
}

/// What looking at an artifact came to.
pub(super) struct Seen {
    finding: Finding,
    bytes: u64,
    /// Digest of the bytes, when they were read and are right.
    proof: Option<Proof>,
}

pub(super) enum Proof {
    /// The digest on record.
    Confirmed(Digest),
    /// The first one, or that of content another program has stored since.
    New(Content),
}

/// A difference, as state and words.
pub(super) type Flaw = (State, String);

impl Instance {
    /// Compares the stored content of artifacts with sizes, hashes and digests; files are read in parallel.
    ///
    /// Whoever changes an artifact meanwhile does not make it wrong: it is looked at again. When every byte of an
    /// artifact is right, the present time is recorded beside its digest, and a digest that was lacking is added.
    ///
    /// # Errors
    /// Failures of the database; whatever is wrong with content is a [`Finding`] instead.
    pub fn verify(&self, artifacts: &QuerySet, depth: Depth) -> Result<Verification> {
        let mut ids = artifacts.all_ids()?;
        ids.sort_unstable();
        ids.dedup();
        let sample = match depth {
            Depth::Sample(n) => self.pick(&ids, n),
            _ => Vec::new(),
        };
        let deep = |id: i64| match depth {
            Depth::Fast => false,
            Depth::Full => true,
            Depth::Sample(_) => sample.binary_search(&id).is_ok(),
        };
        let locations = Locations::of(self)?.listed_for(ids.len());
        let read: Vec<i64> = ids.iter().copied().filter(|id| deep(*id)).collect();
        let progress =
            Progress::new(self.env(), "verifying", format!("{} artifacts", ids.len()), self.sizes(&read)?);
        let mut found = Verification::default();
        for chunk in ids.chunks(CHUNK) {
            let tasks = self.tasks(artifacts.registry(), chunk, &deep)?;
            let look = |task| self.look_until_settled(&locations, task, &progress);
            let seen: Vec<Option<Seen>> =
                threads::share(|| tasks.into_par_iter().map(look).collect::<Result<_>>())?;
            let seen: Vec<Seen> = seen.into_iter().flatten().collect();
            self.record_proofs(&seen)?;
            for Seen { finding, bytes, .. } in seen {
                found.checked += 1;
                found.read += usize::from(finding.read);
                found.bytes += bytes;
                found.overwritten += usize::from(finding.state == State::Overwritten);
                if finding.state.is_wrong() {
                    found.wrong.push(finding);
                }
            }
        }
        Ok(found)
    }

    /// Compares every byte of one artifact's content.
    ///
    /// # Errors
    /// As [`Instance::verify`]; [`ErrorKind::DoesNotExist`] when the artifact is no longer in the database.
    pub fn verify_artifact(&self, artifact: &Record, depth: Depth) -> Result<Finding> {
        let gone = || Error::does_not_exist(format!("Artifact {} is not in the database", artifact.uid()));
        let id = artifact.id().ok_or_else(gone)?;
        let tasks = self.tasks(artifact.registry(), &[id], &|_| depth != Depth::Fast)?;
        let task = tasks.into_iter().next().ok_or_else(gone)?;
        let total = u64::try_from(artifact.int("size").unwrap_or(0)).unwrap_or(0);
        let progress =
            Progress::new(self.env(), "verifying", artifact.text("key").unwrap_or(artifact.uid()), total);
        let seen = self.look_until_settled(&Locations::of(self)?, task, &progress)?.ok_or_else(gone)?;
        self.record_proofs(std::slice::from_ref(&seen))?;
        Ok(seen.finding)
    }

    /// Returns so many of the ids, drawn at random and sorted.
    fn pick(&self, ids: &[i64], n: usize) -> Vec<i64> {
        let mut pool = ids.to_vec();
        let n = n.min(pool.len());
        for i in 0..n {
            let mut bytes = [0u8; 8];
            self.env().fill_random(&mut bytes);
            let rest = (pool.len() - i) as u64;
            pool.swap(i, i + (u64::from_le_bytes(bytes) % rest) as usize);
        }
        pool.truncate(n);
        pool.sort_unstable();
        pool
    }

    /// Returns the sum of the sizes that the rows promise.
    fn sizes(&self, ids: &[i64]) -> Result<u64> {
        let mut total = 0;
        for chunk in ids.chunks(CHUNK) {
            let mut sql =
                Sql::new("SELECT CAST(SUM(\"size\") AS bigint) FROM \"lamindb_artifact\" WHERE \"id\" IN (");
            sql.binds(chunk.iter().map(|id| Value::Int(*id))).push(")");
            let sum = self.db().scalar(&sql, Kind::BigInt)?.and_then(|sum| sum.as_int());
            total += u64::try_from(sum.unwrap_or(0)).unwrap_or(0);
        }
        Ok(total)
    }

    fn tasks(
        &self,
        registry: &'static crate::model::Registry,
        ids: &[i64],
        deep: &dyn Fn(i64) -> bool,
    ) -> Result<Vec<Task>> {
        let values: Vec<Value> = ids.iter().map(|id| Value::Int(*id)).collect();
        let rows = self.query(registry).filter(Q::is("id__in", values))?.order_by(["id"])?.all()?;
        let mut known: HashMap<i64, Content> = self.known_contents(ids)?.into_iter().collect();
        let task = |artifact: Record| {
            let id = artifact.id().unwrap_or_default();
            Task { known: known.remove(&id), deep: deep(id), artifact }
        };
        Ok(rows.into_iter().map(task).collect())
    }

    /// Looks at an artifact, again when its row or its files change meanwhile; nothing when it is deleted meanwhile.
    fn look_until_settled(
        &self,
        locations: &Locations,
        mut task: Task,
        progress: &Progress<'_>,
    ) -> Result<Option<Seen>> {
        let mut tries = 1;
        loop {
            self.env().keep_going()?;
            let seen = match self.look(locations, &task, progress) {
                Ok(seen) => seen,
                Err(error) if of_database(&error) => return Err(error),
                Err(error) => task.seen(locations, (State::Unreachable, error.message().to_owned())),
            };
            if !seen.finding.state.is_wrong() || tries == TRIES {
                return Ok(Some(seen));
            }
            let id = task.artifact.id().unwrap_or_default();
            let Some(now) = self.tasks(task.artifact.registry(), &[id], &|_| task.deep)?.into_iter().next()
            else {
                return Ok(None);
            };
            let unsettled = seen.finding.state == State::Unreachable && seen.finding.path.exists();
            if !unsettled && now.same(&task) {
                return Ok(Some(seen));
            }
            task = now;
            tries += 1;
        }
    }

    fn look(&self, locations: &Locations, task: &Task, progress: &Progress<'_>) -> Result<Seen> {
        let artifact = &task.artifact;
        if is_incomplete(artifact) {
            return Ok(task.seen(locations, (State::Incomplete, "was never completely stored".to_owned())));
        }
        let path = match locations.path(artifact) {
            Ok(path) => path,
            Err(reason) => return Ok(task.seen(locations, (State::Unreachable, reason))),
        };
        if !self.holds_place(artifact)? {
            let detail = "another version has taken its place".to_owned();
            return Ok(task.seen(locations, (State::Overwritten, detail)));
        }
        if let Some(remote) = locations.remote(artifact) {
            return self.look_elsewhere(locations, task, remote, path, progress);
        }
        let folder = match fs::metadata(&path) {
            Ok(metadata) => metadata.is_dir(),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(task.seen(locations, (State::Missing, "nothing is there".to_owned())));
            }
            Err(error) => return Err(Error::io(&path, error)),
        };
        let unknown = artifact.text("hash").is_none();
        if !unknown && folder != artifact.int("n_files").is_some() {
            let one = if folder { "a folder where a file" } else { "a file where a folder" };
            return Ok(task.seen(locations, (State::Damaged, format!("is {one} is expected"))));
        }
        let manifest = if folder { task.manifest()? } else { None };
        let shallow = if folder {
            compare_folder(&path, artifact, manifest.as_ref())?
        } else {
            compare_file(&path, artifact)?
        };
        if let Some(flaw) = shallow {
            return Ok(task.seen(locations, flaw));
        }
        if !task.deep {
            return Ok(task.sound(path, None, 0));
        }
        self.read(locations, task, &path, manifest.as_ref(), progress)
    }

    /// Reads every byte.
    fn read(
        &self,
        locations: &Locations,
        task: &Task,
        path: &Path,
        manifest: Option<&Manifest>,
        progress: &Progress<'_>,
    ) -> Result<Seen> {
        let size = task.size();
        let flaw = match (&task.known, manifest) {
            (Some(known), None) if task.artifact.int("n_files").is_none() => {
                let digest = digest_watched(path, &|bytes| progress.add(bytes))?;
                if digest == known.digest {
                    return Ok(task.sound(path.to_owned(), Some(Proof::Confirmed(digest)), size));
                }
                OTHER_BYTES.to_owned()
            }
            (Some(known), Some(manifest)) => match compare_bytes(path, manifest, progress)? {
                None => {
                    let proof = Proof::Confirmed(known.digest);
                    return Ok(task.sound(path.to_owned(), Some(proof), size));
                }
                Some(flaw) => flaw,
            },
            _ => {
                let (hash, content) = Content::identify(path)?;
                progress.add(content.size);
                if task.vouches(&hash, &content) {
                    return Ok(task.sound(path.to_owned(), Some(Proof::New(content)), size));
                }
                OTHER_HASH.to_owned()
            }
        };
        Ok(task.damaged(locations, flaw))
    }

    /// Notes when digests were confirmed, and adds those that were lacking.
    fn record_proofs(&self, seen: &[Seen]) -> Result<()> {
        let proven: Vec<(i64, &Proof)> = seen
            .iter()
            .filter_map(|seen| Some((seen.finding.artifact.id()?, seen.proof.as_ref()?)))
            .collect();
        if proven.is_empty() || self.db().read_only() {
            return Ok(());
        }
        let now = self.env().now();
        self.db().write(|tx| {
            for (id, proof) in proven {
                let digest = match proof {
                    Proof::Confirmed(digest) => *digest,
                    Proof::New(content) => {
                        // The artifact may have been deleted while it was read.
                        let mut sql = Sql::new("SELECT 1 FROM \"lamindb_artifact\" WHERE \"id\" = ");
                        sql.bind(id);
                        if tx.scalar(&sql, Kind::Int)?.is_none() {
                            continue;
                        }
                        content.write(tx, id, now)?;
                        content.digest
                    }
                };
                let mut sql = Sql::new("UPDATE \"holotype_content\" SET \"verified_at\" = ");
                sql.bind(Value::DateTime(now)).push(" WHERE \"artifact_id\" = ").bind(id);
                sql.push(" AND \"digest\" = ").bind(digest.to_hex());
                tx.execute(&sql)?;
            }
            Ok(())
        })
    }
}

impl Task {
    /// Returns the files that were saved, of a folder whose manifest is known.
    pub(super) fn manifest(&self) -> Result<Option<Manifest>> {
        let bytes = self.known.as_ref().and_then(|known| known.manifest.as_deref());
        bytes.map(Manifest::from_bytes).transpose()
    }

    /// Returns the bytes that the row promises.
    pub(super) fn size(&self) -> u64 {
        u64::try_from(self.artifact.int("size").unwrap_or(0)).unwrap_or(0)
    }

    /// Returns true when bytes whose digest nobody knows have the hash of the row, as far as it can be made from them.
    pub(super) fn vouches(&self, hash: &ContentHash, content: &Content) -> bool {
        let expected = self.artifact.text("hash");
        match recorded_kind(&self.artifact) {
            Some(HashKind::Blake3) => Some(content.digest.to_hash().0.as_str()) == expected,
            // Only the store that made such a hash can make it again: size is all there is to compare.
            Some(kind) if kind != hash.kind => self.artifact.int("size") == i64::try_from(hash.size).ok(),
            _ => expected.is_none() || expected == Some(hash.hash.as_str()),
        }
    }

    /// Returns what was found of content that was read.
    pub(super) fn damaged(&self, locations: &Locations, flaw: String) -> Seen {
        let mut seen = self.seen(locations, (State::Damaged, flaw));
        seen.finding.read = true;
        seen.bytes = self.size();
        seen
    }

    pub(super) fn seen(&self, locations: &Locations, (state, detail): Flaw) -> Seen {
        let path = locations.path(&self.artifact).unwrap_or_default();
        let finding = Finding { artifact: self.artifact.clone(), path, state, detail, read: false };
        Seen { finding, bytes: 0, proof: None }
    }

    pub(super) fn sound(&self, path: PathBuf, proof: Option<Proof>, bytes: u64) -> Seen {
        let read = proof.is_some();
        let finding = Finding {
            artifact: self.artifact.clone(),
            path,
            state: State::Sound,
            detail: String::new(),
            read,
        };
        Seen { finding, bytes, proof }
    }

    /// Returns true when the registry still says the same.
    fn same(&self, other: &Task) -> bool {
        let said = |task: &Task| {
            let artifact = &task.artifact;
            let text = |field: &str| artifact.text(field).map(str::to_owned);
            (
                (storage_key(artifact), artifact.int("storage_id"), artifact.int("size"), text("hash")),
                (is_incomplete(artifact), task.known.as_ref().map(|known| known.digest)),
            )
        };
        said(self) == said(other)
    }
}

/// Returns true for failures that concern every artifact.
fn of_database(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Database | ErrorKind::Busy | ErrorKind::UnknownDatabase)
}
