//! Many artifacts at once: folders file by file, and lists saved together.

use std::path::Path;

use rayon::prelude::*;

use super::decide::{Decision, insert_version};
use super::holder::shares;
use super::place::storage_key;
use super::progress::Progress;
use super::remote::is_remote;
use super::save::Outcome;
use super::source::{local_source, table};
use super::{Artifact, Family, NewArtifact, Pending, RunChoice, set_content};
use crate::content::Content;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::faults;
use crate::hash::{self, ContentHash};
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Job, Publish, Published, Store};
use crate::suffix::Suffix;
use crate::threads;
use crate::value::Value;
use crate::version;
use crate::write;

/// A row as the transaction left it, and what it found.
type Entered = (Record, Outcome);

impl Instance {
    /// Returns one artifact per file below a folder, here or in a bucket, sorted by key.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for a folder without files, [`crate::ErrorKind::FileNotFound`] for none at all,
    /// [`crate::ErrorKind::UnknownStorageLocation`] for one in a bucket that is not registered.
    pub fn artifacts_from_dir(&self, path: &str, key: Option<&str>, run: RunChoice) -> Result<Vec<Artifact>> {
        let (mut artifacts, storage, prefix) = match is_remote(path) {
            true => self.remote_files(path, key, run)?,
            false => self.local_files(path, key, run)?,
        };
        artifacts.sort_by(|a, b| a.record.text("key").cmp(&b.record.text("key")));
        self.env().emit(Event::CreatedFromDir {
            n: artifacts.len(),
            storage: storage.text("root").unwrap_or_default().to_owned(),
            prefix: format!("{prefix}/"),
        });
        Ok(artifacts)
    }

    /// Returns an artifact for every file below a folder of this machine, where they are stored, and what precedes their keys.
    fn local_files(
        &self,
        path: &str,
        key: Option<&str>,
        run: RunChoice,
    ) -> Result<(Vec<Artifact>, Record, String)> {
        let folder = local_source(self, path)?;
        if !folder.is_dir() {
            return Err(Error::invalid(format!(
                "{} is no folder: use Artifact() for a single file",
                folder.display()
            )));
        }
        let files = hash::scan_folder(&folder)?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let located = self.location_of(&folder)?.or_else(|| self.root_location(&folder));
        let (prefix, storage, in_place) = match (&located, key) {
            (Some((storage, relative)), None) => (relative.clone(), storage.clone(), true),
            (Some((storage, _)), Some(key)) => (key.trim_matches('/').to_owned(), storage.clone(), true),
            (None, Some(key)) => (key.trim_end_matches('/').to_owned(), self.chosen_storage(None)?, false),
            (None, None) => {
                let storage = self.chosen_storage(None)?;
                self.env().emit(Event::FolderOutsideStorage {
                    from: path.to_owned(),
                    to: format!("{}/{name}", storage.text("root").unwrap_or_default()),
                });
                (name, storage, false)
            }
        };
        let full = |relative: &str| {
            if prefix.is_empty() { relative.to_owned() } else { format!("{prefix}/{relative}") }
        };
        let in_real_place = in_place && key.is_none();
        let artifacts = if in_real_place
            || !self.creation().use_virtual_keys
            || self.creation().skip_size_hash
        {
            // Rare shapes go through the constructor one by one.
            let mut artifacts = Vec::with_capacity(files.files.len());
            for file in &files.files {
                let mut new = NewArtifact::new(file.source.display().to_string());
                new.key = (!in_real_place).then(|| full(&file.path));
                new.run = run;
                artifacts.push(self.artifact(new)?);
            }
            artifacts
        } else {
            self.many_virtual(
                &files.files.iter().map(|file| (file.source.as_path(), full(&file.path))).collect::<Vec<_>>(),
                &storage,
                run,
            )?
        };
        Ok((artifacts, storage, prefix))
    }

    fn root_location(&self, folder: &Path) -> Option<(Record, String)> {
        let all = self.locations().ok()?;
        all.into_iter()
            .find(|record| record.text("root").map(Path::new) == Some(folder))
            .map(|record| (record, String::new()))
    }

    /// Constructs artifacts with virtual keys for many files: hashes in parallel, registry asked once.
    fn many_virtual(
        &self,
        files: &[(&Path, String)],
        storage: &Record,
        run: RunChoice,
    ) -> Result<Vec<Artifact>> {
        let hashes: Vec<ContentHash> = threads::share(|| {
            files.par_iter().map(|(path, _)| hash::hash_file(path)).collect::<Result<_>>()
        })?;
        let known = self.known_hashes(&hashes)?;
        let used = self.known_keys(files, storage)?;
        let formats = self.env().formats();
        let run_id = run.id(self);
        let registry = model::require("Artifact")?;
        let mut artifacts = Vec::with_capacity(files.len());
        for ((path, key), content) in files.iter().zip(hashes) {
            if known.contains(&content.hash) || used.contains(key) {
                // Equal content or a key in use: the constructor decides.
                let mut new = NewArtifact::new(path.display().to_string()).key(key.clone());
                new.run = if run_id.is_none() { RunChoice::None } else { run };
                new.storage = storage.id();
                artifacts.push(self.artifact(new)?);
                continue;
            }
            crate::key::check(key, crate::key::KeyKind::Virtual)?;
            let stored = Suffix::stored(key, &formats);
            let mut record = Record::empty(registry);
            record.set("uid", version::first_uid(self.env(), registry.stem_len))?;
            record.set("key", key.as_str())?;
            record.set("_key_is_virtual", true)?;
            record.set("storage", storage.id())?;
            record.set("suffix", stored.suffix)?;
            record.set("otype", table(path))?;
            record.set("_overwrite_versions", false)?;
            record.set("is_latest", true)?;
            record.set("run", run_id)?;
            set_content(&mut record, Some(&content))?;
            write::prefill(self, &mut record)?;
            record.settle();
            artifacts.push(Artifact {
                record,
                reused: None,
                pending: Some(Pending { expected: Some(content), ..Pending::copy_of(path.to_path_buf()) }),
            });
        }
        Ok(artifacts)
    }

    fn known_hashes(&self, hashes: &[ContentHash]) -> Result<std::collections::HashSet<String>> {
        let wanted: Vec<Value> = hashes
            .iter()
            .filter(|content| content.size > 0)
            .map(|content| Value::from(content.hash.as_str()))
            .collect();
        let query = self.registry("Artifact")?.filter(Q::untrashed())?;
        self.texts(&query.filter(Q::Is("hash__in".to_owned(), crate::Operand::Many(wanted)))?, "hash")
    }

    fn known_keys(
        &self,
        files: &[(&Path, String)],
        storage: &Record,
    ) -> Result<std::collections::HashSet<String>> {
        let wanted: Vec<Value> = files.iter().map(|(_, key)| Value::from(key.as_str())).collect();
        let query =
            self.registry("Artifact")?.filter(Q::is("storage_id", storage.id().unwrap_or_default()))?;
        self.texts(&query.filter(Q::Is("key__in".to_owned(), crate::Operand::Many(wanted)))?, "key")
    }

    fn texts(&self, query: &crate::QuerySet, field: &str) -> Result<std::collections::HashSet<String>> {
        let table = query.table([field])?;
        match table.columns.into_iter().next().map(|column| column.data) {
            Some(crate::query::ColumnData::Text(values)) => Ok(values.into_iter().flatten().collect()),
            _ => Ok(std::collections::HashSet::new()),
        }
    }

    /// Saves many artifacts: their content in parallel, their rows in one transaction.
    ///
    /// # Errors
    /// The first failure; rows and content of the whole list are taken back then, except for those that needed a
    /// save of their own, which the message names.
    pub fn save_artifacts(&self, artifacts: &mut [Artifact]) -> Result<()> {
        let mut simple: Vec<usize> = (0..artifacts.len()).filter(|i| is_simple(&artifacts[*i])).collect();
        let location = |i: &usize| artifacts[*i].record.int("storage_id");
        let first = simple.first().and_then(location);
        simple.retain(|i| location(i) == first);
        self.save_simple(artifacts, &simple)?;
        let rest = artifacts.iter_mut().filter(|artifact| {
            artifact.is_pending() || artifact.record.changed().next().is_some() || artifact.reused.is_some()
        });
        for (n, artifact) in rest.enumerate() {
            self.save_artifact(artifact).map_err(|error| {
                let (message, stored, uid) = (error.message(), simple.len() + n, artifact.record.uid());
                Error::new(
                    error.kind(),
                    format!("{message} ({stored} artifacts of the list are saved, {uid} is not)"),
                )
            })?;
        }
        Ok(())
    }

    fn save_simple(&self, artifacts: &mut [Artifact], simple: &[usize]) -> Result<()> {
        if simple.is_empty() {
            return Ok(());
        }
        for i in simple {
            write::fill(self, &mut artifacts[*i].record)?;
            write::check(&artifacts[*i].record)?;
        }
        let store = self.store(&artifacts[simple[0]].record)?;
        let jobs: Vec<Job> = simple
            .iter()
            .filter_map(|i| {
                let artifact = &artifacts[*i];
                let pending = artifact.pending.as_ref()?;
                Some(Job {
                    source: pending.source.clone(),
                    key: storage_key(&artifact.record),
                    content: pending.expected.clone(),
                    digest: None,
                })
            })
            .collect();
        let total = jobs.iter().filter_map(|job| job.content.as_ref()).map(|content| content.size).sum();
        let progress = Progress::new(self.env(), "storing", format!("{} files", jobs.len()), total);
        let step = |bytes| progress.step(bytes);
        let how = Publish { progress: &step, ..self.publishing() };
        let results = store.publish_many(&jobs, &how);
        if let Some(error) = results.iter().find_map(|result| result.as_ref().err()) {
            let (kind, message) = (error.kind(), error.message().to_owned());
            take_back(&store, &jobs);
            return Err(Error::new(kind, message));
        }
        let published: Vec<_> = results.into_iter().collect::<Result<Vec<_>>>()?;
        faults::hit("bulk.published");
        let entered = self.db().write_contended(|tx| {
            let rows = simple.iter().zip(&published);
            let entered: Vec<Option<Entered>> = rows
                .map(|(i, published)| self.enter(tx, &artifacts[*i], published))
                .collect::<Result<_>>()?;
            // Last: when somebody was faster, all rows are entered anew, and the content is still where it was.
            for (entered, job) in entered.iter().zip(&jobs) {
                self.settle_content(entered.as_ref(), &store, &job.key)?;
            }
            Ok(entered)
        });
        let entered = match entered {
            Ok(entered) => entered,
            Err(error) => {
                take_back(&store, &jobs);
                return Err(error);
            }
        };
        faults::hit("bulk.committed");
        for ((i, entered), job) in simple.iter().zip(entered).zip(&jobs) {
            if !matches!(entered, Some((_, Outcome::Inserted))) {
                store.remove(&job.key)?;
            }
            // A family that shares one store takes a save of its own, later.
            let Some((record, outcome)) = entered else { continue };
            let artifact = &mut artifacts[*i];
            if let Some(pending) = artifact.pending.take()
                && !self.conclude(artifact, record, &pending, &outcome)?
            {
                // The row that was found is deleted already: a save of its own decides anew.
                artifact.pending = Some(pending);
            }
        }
        let stored: Vec<(&Record, &Path)> = simple
            .iter()
            .zip(&jobs)
            .filter(|(i, _)| !artifacts[**i].is_pending())
            .map(|(i, job)| (&artifacts[*i].record, job.source.as_path()))
            .collect();
        self.keep_copies(&store, &stored);
        Ok(())
    }

    /// Inside the write transaction: the row of content that was published.
    fn enter(&self, tx: &Tx<'_>, artifact: &Artifact, published: &Published) -> Result<Option<Entered>> {
        let Some(pending) = &artifact.pending else { return Ok(None) };
        let mut record = artifact.record.clone();
        let content = Content::of_published(published)?;
        let base = match self.decide(tx, &mut record, pending, Some(&content))? {
            Decision::Existing(id) => return Ok(Some((record, Outcome::Existing(id)))),
            Decision::New(base) => base,
        };
        if shares(&record) {
            return Ok(None);
        }
        let id = insert_version(tx, &record, base.as_ref())?;
        record.put_id(id);
        content.write(tx, id, self.env().now())?;
        Ok(Some((record, Outcome::Inserted)))
    }

    /// Moves what was published at `staged` to the place that its new row names.
    fn settle_content(&self, entered: Option<&Entered>, store: &Store, staged: &str) -> Result<()> {
        let Some((record, Outcome::Inserted)) = entered else { return Ok(()) };
        let place = storage_key(record);
        if place != staged {
            store.remove(&place)?;
            store.rename(staged, &place, &self.publishing())?;
        }
        Ok(())
    }
}

/// Returns true for new files that are copied to a place of their own.
fn is_simple(artifact: &Artifact) -> bool {
    artifact.pending.as_ref().is_some_and(|pending| {
        artifact.record.id().is_none()
            && !pending.in_place
            && !pending.folder
            && !pending.temporary
            && pending.family == Family::New
            && artifact.record.flag("_key_is_virtual")
            && !artifact.record.flag("_overwrite_versions")
    })
}

fn take_back(store: &Store, jobs: &[Job]) {
    for job in jobs {
        store.remove(&job.key).ok();
    }
}
