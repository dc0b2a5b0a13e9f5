//! Collecting what no row uses, and what has been in the trash for long: planned, moved to quarantine, purged.

use std::path::{Path, PathBuf};

use super::elsewhere::heaps;
use super::location::Locations;
use super::unused::{QUARANTINE, Unused, UnusedKind, measure};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::ArtifactDeletion;
use crate::instance::Instance;
use crate::query::Q;
use crate::record::Record;
use crate::store::Store;
use crate::surroundings::Document;
use crate::value::{Timestamp, Value};

/// What is old enough to be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    /// Unused things that nobody has touched since.
    pub unused_before: Timestamp,
    /// Artifacts that were trashed before; nothing leaves the trash alone.
    pub trashed_before: Option<Timestamp>,
}

/// What a collection would take.
#[derive(Clone, Debug, Default)]
pub struct CollectPlan {
    /// Things without a row, sorted by place.
    pub unused: Vec<Unused>,
    /// Things without a row that are too young, or in use: a save may still enter them.
    pub young: Vec<Unused>,
    /// Artifacts that have been in the trash for long enough.
    pub trash: Vec<Outgoing>,
    /// Environments, reports and logs of runs that are gone: hidden artifacts that no row names any more.
    pub unnamed: Vec<Outgoing>,
    /// What was kept beside the tables of the format for runs that are gone.
    pub documents: Vec<Document>,
    /// Artifacts of the trash that have to stay, and why.
    pub kept: Vec<(Record, String)>,
}

/// An artifact that goes for good.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The artifact.
    pub artifact: Record,
    /// Where its content lies.
    pub path: PathBuf,
    /// True when the content goes to quarantine; false when it stays where the user put it, or another version needs it.
    pub content: bool,
    deletion: ArtifactDeletion,
}

/// What a collection took.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// Things and contents moved to quarantine, and unfinished uploads given up.
    pub moved: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Artifacts deleted from the trash.
    pub deleted: usize,
    /// Hidden artifacts deleted that no run named any more.
    pub unnamed: usize,
    /// Documents deleted that no run named any more.
    pub documents: usize,
    /// What was not taken, and why.
    pub failed: Vec<(PathBuf, String)>,
}

/// A thing in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Root of the storage location.
    pub root: String,
    /// Path below the root.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was moved there.
    pub since: Timestamp,
}

impl Outgoing {
    pub(super) fn of(artifact: &Record, deletion: ArtifactDeletion) -> Outgoing {
        let content = !deletion.question && deletion.content;
        Outgoing { artifact: artifact.clone(), path: deletion.path.clone(), content, deletion }
    }
}

impl CollectPlan {
    /// Returns true when there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.unused.is_empty()
            && self.trash.is_empty()
            && self.unnamed.is_empty()
            && self.documents.is_empty()
    }

    /// Returns the bytes of what has no row.
    pub fn bytes(&self) -> u64 {
        self.unused.iter().map(|unused| unused.size).sum()
    }
}

impl Instance {
    /// Returns what nobody needs any more.
    ///
    /// What is in use by a living process is left out, and so is whatever was touched since `what.unused_before`: a save
    /// stores content first and enters the row afterwards, which takes as long as the content is large.
    ///
    /// # Errors
    /// Failures of the database and of the file system.
    pub fn plan_collect(&self, what: Collect) -> Result<CollectPlan> {
        let mut plan = CollectPlan::default();
        // A folder without its successor is content of a row: repairing brings it back.
        for unused in self.unused()?.into_iter().filter(|unused| unused.kind != UnusedKind::Displaced) {
            let old = !unused.in_use && unused.since <= what.unused_before;
            if old { plan.unused.push(unused) } else { plan.young.push(unused) }
        }
        plan.unnamed = self.plan_unnamed(what.unused_before)?;
        plan.documents = self.unnamed_documents()?;
        let Some(before) = what.trashed_before else { return Ok(plan) };
        let old = Q::trashed().and(Q::is("updated_at__lte", Value::DateTime(before)));
        let mut taken = Vec::new();
        for artifact in self.registry("Artifact")?.filter(old)?.order_by(["id"])?.all()? {
            if artifact.id().is_some_and(|id| taken.contains(&id)) {
                continue;
            }
            match self.plan_trashed(&artifact, before)? {
                Ok(trashed) => {
                    taken.extend(trashed.deletion.rows.ids("Artifact"));
                    plan.trash.push(trashed);
                }
                Err(reason) => plan.kept.push((artifact, reason)),
            }
        }
        Ok(plan)
    }

    /// Returns the deletion of one artifact in the trash, or why it has to stay.
    fn plan_trashed(&self, artifact: &Record, before: Timestamp) -> Result<Result<Outgoing, String>> {
        let deletion = match self.plan_artifact_delete(artifact, None) {
            Ok(deletion) => deletion,
            Err(error) if matches!(error.kind(), ErrorKind::Protected | ErrorKind::Integrity) => {
                return Ok(Err(error.message().to_owned()));
            }
            Err(error) => return Err(error),
        };
        let rows: Vec<Value> = deletion.rows.ids("Artifact").into_iter().map(Value::Int).collect();
        let elsewhere = Q::trashed().and(Q::is("updated_at__lte", Value::DateTime(before))).negate();
        if self.registry("Artifact")?.filter(Q::is("id__in", rows))?.filter(elsewhere)?.exists()? {
            return Ok(Err(
                "a version of it that shares its store is not in the trash for as long".to_owned()
            ));
        }
        Ok(Ok(Outgoing::of(artifact, deletion)))
    }

    /// Returns everything in quarantine, sorted by place.
    ///
    /// # Errors
    /// Failures of the database and of the file system.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>> {
        let locations = Locations::of(self)?;
        let mut found = Vec::new();
        for (_, store) in locations.managed(self) {
            for entry in batches(&store)? {
                let Some((size, since)) = measure(&store.root().join(&entry))? else { continue };
                found.push(Quarantined { root: store.root().display().to_string(), key: entry, size, since });
            }
        }
        for (storage, remote) in locations.managed_elsewhere(self) {
            let root = storage.text("root").unwrap_or_default();
            let batches = heaps(&remote.store, QUARANTINE)?;
            found.extend(batches.into_iter().map(|(key, heap)| Quarantined {
                root: root.to_owned(),
                key,
                size: heap.size,
                since: heap.since,
            }));
        }
        Ok(found)
    }

    /// Removes things from quarantine for good.
    ///
    /// # Errors
    /// Failures of the file system; what was removed until then stays removed.
    pub fn purge(&self, what: &[Quarantined]) -> Result<()> {
        for one in what {
            if !one.key.starts_with(QUARANTINE) {
                return Err(Error::invalid(format!("{} is not in quarantine", one.key)));
            }
            Store::open(&one.root, self.env())?.remove(&one.key)?;
        }
        Ok(())
    }
}

impl CollectPlan {
    /// Moves what was planned to quarantine, and deletes the rows of what leaves the trash.
    ///
    /// While things are moved no save can enter a row, and whatever has got a row meanwhile stays.
    ///
    /// # Errors
    /// Failures of the database that concern everything.
    pub fn apply(&self, instance: &Instance) -> Result<Collected> {
        // What lost its row here has it elsewhere until then.
        instance.send()?;
        let mut collected = Collected::default();
        let batch = batch_name(instance);
        let locations = Locations::of(instance)?;
        for (storage, store) in locations.managed(instance) {
            let id = storage.id().unwrap_or_default();
            let here: Vec<&Unused> = self.unused.iter().filter(|unused| unused.storage == id).collect();
            if here.is_empty() {
                continue;
            }
            instance.db().write(|_| {
                let used = instance.used_below(id)?;
                for unused in here {
                    let name = unused.key.strip_prefix(".lamindb/").unwrap_or_default();
                    if !used.contains(name) {
                        take(instance, &store, unused, &batch, &mut collected);
                    }
                }
                Ok(())
            })?;
        }
        for (storage, remote) in locations.managed_elsewhere(instance) {
            let here = self.unused.iter().filter(|unused| Some(unused.storage) == storage.id());
            instance.take_elsewhere(remote, &here.collect::<Vec<_>>(), &batch, &mut collected)?;
        }
        for outgoing in &self.trash {
            collected.deleted += delete(instance, outgoing, &batch, &mut collected)?;
        }
        for outgoing in &self.unnamed {
            collected.unnamed += delete(instance, outgoing, &batch, &mut collected)?;
        }
        collected.documents = instance.delete_documents(&self.documents)?;
        Ok(collected)
    }
}

/// Deletes an artifact and moves its content to quarantine; returns how many rows of artifacts went.
fn delete(instance: &Instance, outgoing: &Outgoing, batch: &str, collected: &mut Collected) -> Result<usize> {
    let size = measure(&outgoing.path)?.map_or(0, |(size, _)| size);
    match instance.delete_into(&outgoing.deletion, outgoing.content, batch) {
        Ok(()) => {
            if outgoing.content {
                collected.moved += 1;
                collected.bytes += size;
            }
            return Ok(outgoing.deletion.rows.ids("Artifact").len());
        }
        Err(error) if error.kind() == ErrorKind::Busy => return Err(error),
        // A run has come to name it meanwhile: then it is none of this.
        Err(error) if outgoing.deletion.is_while_unused() && error.kind() == ErrorKind::Protected => {}
        Err(error) => collected.failed.push((outgoing.path.clone(), error.message().to_owned())),
    }
    Ok(0)
}

/// Moves one thing, unless somebody holds it or has touched it.
fn take(instance: &Instance, store: &Store, unused: &Unused, batch: &str, collected: &mut Collected) {
    let path = store.root().join(&unused.key);
    let moved = || -> Result<bool> {
        let held = unused.leftover(store)?.is_some_and(|leftover| leftover.in_use);
        let same = measure(&path)?.is_some_and(|(_, since)| since == unused.since);
        if held || !same {
            return Ok(false);
        }
        store.rename(&unused.key, &format!("{batch}/{}.collected", unused.key), &instance.publishing())?;
        Ok(true)
    };
    match moved() {
        Ok(true) => {
            collected.moved += 1;
            collected.bytes += unused.size;
        }
        Ok(false) => {}
        Err(error) => collected.failed.push((path, error.message().to_owned())),
    }
}

/// Returns the folder for what is collected now; a random part keeps two collections apart.
fn batch_name(instance: &Instance) -> String {
    let now = instance.env().now().to_sql();
    let moment: String = now.chars().take(19).filter(char::is_ascii_digit).collect();
    format!("{QUARANTINE}/{moment}-{}", crate::uid::random(instance.env(), 4))
}

/// Returns the batches in quarantine.
fn batches(store: &Store) -> Result<Vec<String>> {
    let folder: &Path = &store.root().join(QUARANTINE);
    let mut names = Vec::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(folder).map_err(|error| Error::io(folder, error))? {
            let entry = entry.map_err(|error| Error::io(folder, error))?;
            names.extend(entry.file_name().into_string().ok().map(|name| format!("{QUARANTINE}/{name}")));
        }
    }
    names.sort_unstable();
    Ok(names)
}
