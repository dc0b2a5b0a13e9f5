//! Uploading: content that was kept local goes to the default storage location.
//!
//! The content is complete at its new place before the row says so; what lies locally leaves its place only afterwards.

use std::path::{Path, PathBuf};

use super::decide::row;
use super::holder::{Sharing, claim, release, shares};
use super::over::stage_key;
use super::over::{Visible, mark};
use super::place::{Place, storage_key};
use super::progress::Progress;
use super::{Artifact, Family, NewArtifact, is_incomplete};
use crate::content::{Content, recorded_hash};
use crate::db::Tx;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::fetch::EarlyCopy;
use crate::instance::Instance;
use crate::instance::settings::cache_dir;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Publish, Store};
use crate::value::Value;
use crate::write;

impl Instance {
    /// Saves an artifact and brings its content to the default storage location if it lies in another, local one.
    ///
    /// New content goes there directly; content that is stored locally moves, and its local copy goes to the cache.
    /// Files that were registered where they are stay there as well. Where artifacts are not kept local, this is saving.
    ///
    /// # Errors
    /// Those of [`Instance::save_artifact`]; [`ErrorKind::Integrity`] when the key is used in the default location.
    pub fn upload_artifact(&self, artifact: &mut Artifact) -> Result<()> {
        if !self.keeps_artifacts_local() {
            return self.save_artifact(artifact);
        }
        let target = self.chosen_storage(Some(self.context().storage))?;
        if self.is_elsewhere(&artifact.record, &target)? {
            self.redirect(artifact, &target)?;
        }
        self.save_artifact(artifact)?;
        if self.is_elsewhere(&artifact.record, &target)? { self.upload(artifact, &target) } else { Ok(()) }
    }

    /// Returns true when the content lies, or would lie, in a local storage location that is not the default one.
    fn is_elsewhere(&self, record: &Record, target: &Record) -> Result<bool> {
        let id = record.int("storage_id").unwrap_or_default();
        if target.id() == Some(id) {
            return Ok(false);
        }
        Ok(self.by_id(model::require("Storage")?, id)?.text("type") == Some("local"))
    }

    /// Lets content that is not stored yet go to another location.
    fn redirect(&self, artifact: &mut Artifact, target: &Record) -> Result<()> {
        let Some(pending) = artifact.pending.as_mut() else { return Ok(()) };
        let record = &mut artifact.record;
        if record.id().is_some() || pending.in_place {
            return Ok(());
        }
        record.set("storage", target.id())?;
        let key = record.text("key").map(str::to_owned);
        // A key means another family there; a version that was named stays what it follows.
        if let (Family::New | Family::ByKey, Some(key)) = (&pending.family, key.as_deref()) {
            let place = Place {
                storage: target.clone(),
                in_place: false,
                key: Some(key.to_owned()),
                real_key: None,
                key_is_virtual: record.flag("_key_is_virtual"),
            };
            let same = pending.family == Family::New && self.head_by_key(key, &place)?.is_none();
            if !same {
                let new = NewArtifact {
                    version_tag: record.text("version_tag").map(str::to_owned),
                    overwrite_versions: Some(record.flag("_overwrite_versions")),
                    ..NewArtifact::new("")
                };
                pending.family = self.family(&new, &place, Some(key), record)?;
            }
        }
        record.settle();
        Ok(())
    }

    /// Brings stored content to another location, under its automatic name.
    fn upload(&self, artifact: &mut Artifact, target: &Record) -> Result<()> {
        let before = artifact.record.clone();
        let source = self.cache(&before)?;
        let mut after = before.clone();
        after.set("storage", target.id())?;
        after.set("_key_is_virtual", true)?;
        after.set("_real_key", Value::Null)?;
        self.db().write(|tx| self.check_upload(tx, &before, &after))?;
        let store = self.store(&after)?;
        let place = storage_key(&after);
        let staged = if shares(&after) { stage_key(self, &after) } else { place.clone() };
        let early = EarlyCopy::new(self);
        let meanwhile = || early.make(&store, &after, &source);
        let content = self.publish_again(&before, &source, &store, (&staged, &place), &meanwhile)?;
        faults::hit("upload.published");
        let transfer =
            Transfer { before: &before, after: &after, store: &store, staged: &staged, place: &place };
        let moved = if staged == place {
            self.show_uploaded(&transfer, &content)
        } else {
            self.swap_uploaded(&transfer, &content)
        };
        if let Err(error) = moved
            && !self.take_back(&transfer)?
        {
            return Err(error);
        }
        faults::hit("upload.committed");
        if staged != place {
            self.tell_others(&store)?;
        }
        artifact.record = self.by_id(before.registry(), before.id().unwrap_or_default())?;
        self.keep_copies(&store, &[(&artifact.record, &source)]);
        early.leave_to(&artifact.record);
        self.leave_local(&before, &source);
        Ok(())
    }

    /// Stores what lies at `source` once more, checked against what is known of it; the hash stays as it is.
    fn publish_again(
        &self,
        record: &Record,
        source: &Path,
        store: &Store,
        (staged, place): (&str, &str),
        meanwhile: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<Content> {
        self.env().emit(Event::Storing { uid: record.uid().to_owned(), path: store.url(place)? });
        let known = record.id().map(|id| self.known_content(id)).transpose()?.flatten();
        let expected = recorded_hash(record);
        let total = expected.as_ref().map_or(0, |content| content.size);
        let progress =
            Progress::new(self.env(), "storing", record.text("key").unwrap_or(record.uid()), total);
        let step = |bytes| progress.step(bytes);
        let note = self.upload_note(store, source)?;
        let how = Publish {
            note: note.as_ref(),
            content: expected.as_ref(),
            digest: known.map(|content| content.digest),
            meanwhile: Some(meanwhile),
            progress: &step,
            ..self.publishing()
        };
        Content::of_published(&store.publish(source, staged, &how)?)
    }

    /// Refuses what the registry cannot hold, or what would take the place of newer content.
    fn check_upload(&self, tx: &Tx<'_>, before: &Record, after: &Record) -> Result<()> {
        self.refuse_moved(tx, before)?;
        self.refuse_key_clash(tx, after, after.stem_uid())?;
        self.refuse_equal(tx, &mut after.clone(), None)?;
        if !shares(after) {
            return Ok(());
        }
        let newer = |row: &&Record| row.id() > after.id() && !is_incomplete(row);
        match Sharing::within(tx, after)?.others.iter().find(newer) {
            None => Ok(()),
            Some(newer) => Err(Error::integrity(format!(
                "Version {} of this artifact is newer and holds the place that all versions share: {} cannot be uploaded",
                newer.uid(),
                after.uid()
            ))),
        }
    }

    /// Lets the row show its content at the new place.
    fn show_uploaded(&self, transfer: &Transfer<'_>, content: &Content) -> Result<()> {
        let Transfer { before, after, store, place, .. } = *transfer;
        self.db().write(|tx| {
            self.enter_uploaded(tx, before, after, content)?;
            // Somebody else whose upload failed may have taken the same content away.
            if store.exists(place)? { Ok(()) } else { Err(lost(after)) }
        })
    }

    /// Lets the content take the place that all versions share: older ones are marked before their bytes go.
    fn swap_uploaded(&self, transfer: &Transfer<'_>, content: &Content) -> Result<()> {
        let Transfer { before, after, store, staged, place } = *transfer;
        let (older, shown) = self.db().write(|tx| {
            let others = Sharing::within(tx, after)?.others;
            let older: Vec<i64> =
                others.iter().filter_map(Record::id).filter(|id| Some(*id) < after.id()).collect();
            let shown: Vec<i64> =
                others.iter().filter(|row| !is_incomplete(row)).filter_map(Record::id).collect();
            shown.iter().try_for_each(|id| mark(tx, *id, Visible::Incomplete))?;
            Ok((older, shown))
        })?;
        faults::hit("upload.marked");
        let show = |tx: &Tx<'_>, ids: &[i64]| ids.iter().try_for_each(|id| mark(tx, *id, Visible::Complete));
        let mut swapped = false;
        let done = self.tell_of_change(store, place).and_then(|_| {
            faults::hit("upload.told");
            self.db().write(|tx| {
                self.enter_uploaded(tx, before, after, content)?;
                // Those of an upload that was killed as well: from now on they are outdated, not incomplete.
                show(tx, &older)?;
                store.replace(staged, place, &self.publishing())?;
                swapped = true;
                faults::hit("upload.swapped");
                Ok(())
            })
        });
        if done.is_err() && !swapped {
            self.db().write(|tx| show(tx, &shown))?;
        }
        done?;
        // What was swapped out.
        store.remove(staged).map(|_| ())
    }

    fn enter_uploaded(&self, tx: &Tx<'_>, before: &Record, after: &Record, content: &Content) -> Result<()> {
        self.check_upload(tx, before, after)?;
        release(tx, std::slice::from_ref(before))?;
        write::update(self, tx, after)?;
        claim(tx, after)?;
        content.write(tx, after.id().unwrap_or_default(), self.env().now())
    }

    /// After a failure: removes what was stored, unless somebody else completed the very same upload. Returns whether.
    fn take_back(&self, transfer: &Transfer<'_>) -> Result<bool> {
        let Transfer { after, store, staged, .. } = *transfer;
        // Inside a transaction, so that nobody comes to rely on the content while it is removed.
        self.db().write(|tx| {
            let fresh = row(tx, after.registry(), Q::is("id", after.id()), self)?;
            let done = fresh.is_some_and(|row| {
                row.int("storage_id") == after.int("storage_id") && storage_key(&row) == storage_key(after)
            });
            if !done {
                store.remove(staged).ok();
            }
            Ok(done)
        })
    }

    /// Takes content that was uploaded out of its local place; files that were registered there stay.
    fn leave_local(&self, before: &Record, source: &Path) {
        let automatic = before.flag("_key_is_virtual") && before.text("_real_key").is_none();
        // A place that another upload emptied meanwhile needs no word.
        if !source.exists() {
            return;
        }
        let remains = || self.env().emit(Event::Remains { path: source.display().to_string() });
        if !automatic {
            return remains();
        }
        match self.move_to_cache(before, source) {
            Ok(path) => self.env().emit(Event::MovedToCache { path: path.display().to_string() }),
            Err(error) => {
                self.env()
                    .emit(Event::Warning(format!("could not move the local copy to the cache: {error}")));
                remains();
            }
        }
    }

    fn move_to_cache(&self, before: &Record, source: &Path) -> Result<PathBuf> {
        let local = self.store(before)?;
        let cache = Store::local(cache_dir(self.env())?, self.env());
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        let path = cache.path(&name)?;
        if path.is_dir() || source.is_dir() {
            cache.remove(&name)?;
        }
        if std::fs::rename(source, &path).is_err() {
            // The cache is on another device.
            cache.publish(source, &name, &Publish { durable: false, ..Publish::default() })?;
            local.remove(&storage_key(before))?;
        }
        Ok(path)
    }
}

/// Content on its way from one location to another.
struct Transfer<'a> {
    before: &'a Record,
    after: &'a Record,
    /// Store of the new location.
    store: &'a Store,
    /// Where the content waits there.
    staged: &'a str,
    /// Where it will be found.
    place: &'a str,
}

fn lost(record: &Record) -> Error {
    Error::new(
        ErrorKind::FileNotFound,
        format!("The uploaded content of artifact {} is gone again: repeat the upload", record.uid()),
    )
}
