//! Taking and giving back the lock of a cloud database.
//!
//! Two things make it: the note of a client of this engine, written only where there is none, which tells two clients of one
//! user apart; and the format's own lock objects, which every program of the format looks at. A note whose user has no
//! number is what a killed client left, and may be replaced.

use super::bakery::Bakery;
use super::holder::{Holder, Note};
use crate::env::Env;
use crate::error::Result;
use crate::faults;
use crate::instance::root::INTERNAL_FOLDER;
use crate::instance::settings::UserSettings;
use crate::store::{Store, Version};
use crate::uid;
use crate::value::Timestamp;

/// The lock of one instance.
pub(super) struct Locker {
    pub(super) env: Env,
    pub(super) store: Store,
    pub(super) user: UserSettings,
    folder: String,
    /// Path of the working copy, for others to read.
    copy: String,
}

impl Locker {
    /// Returns the lock of the instance with this id, as a user takes it.
    pub(super) fn new(env: &Env, store: &Store, user: &UserSettings, id: &str, copy: String) -> Self {
        let folder = format!("{INTERNAL_FOLDER}/_exclusion/{id}");
        Locker { env: env.clone(), store: store.clone(), user: user.clone(), folder, copy }
    }

    fn bakery(&self) -> Bakery<'_> {
        Bakery { env: &self.env, store: &self.store, folder: &self.folder, uid: &self.user.uid }
    }

    fn key(&self) -> String {
        format!("{}/holotype", self.folder)
    }

    /// Takes the lock for the working copy named `client`, which may have it already; else returns who has it.
    pub(super) fn take(&self, client: &str) -> Result<Option<Holder>> {
        let bakery = self.bakery();
        let (found, version) = self.note()?;
        if let Some(note) = &found
            && let Some(since) = bakery.held_since(&note.uid)?
        {
            match note.client == client {
                true if note.has && note.uid == self.user.uid => return Ok(None),
                // Killed while it took the lock, or worked with by another user.
                true => bakery.reset(&note.uid)?,
                false => return Ok(Some(holder(note, Some(since), client))),
            }
        }
        let mut note = Note {
            client: client.to_owned(),
            uid: self.user.uid.clone(),
            handle: self.user.handle.clone(),
            name: self.user.name.clone(),
            copy: self.copy.clone(),
            has: false,
        };
        let Some(version) = self.write_note(&note, version)? else { return self.somebody(client) };
        faults::hit("cloud.noted");
        match bakery.lock() {
            Ok(None) => {}
            Ok(Some(uid)) => {
                self.remove_note(client)?;
                let since = bakery.held_since(&uid)?;
                return Ok(Some(Holder { uid, since, ..Holder::default() }));
            }
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.remove_note(client);
                return Err(error);
            }
        }
        faults::hit("cloud.locked");
        note.has = true;
        if self.write_note(&note, Some(version))?.is_some() {
            return Ok(None);
        }
        // Somebody took the note for that of a killed client, before the number was there to tell otherwise.
        let (found, _) = self.note()?;
        if found.is_none_or(|note| note.uid != self.user.uid) {
            bakery.unlock()?;
        }
        self.somebody(client)
    }

    /// Returns who was faster.
    fn somebody(&self, client: &str) -> Result<Option<Holder>> {
        let (found, _) = self.note()?;
        Ok(Some(found.map(|note| holder(&note, None, client)).unwrap_or_default()))
    }

    /// Gives the lock back if the working copy named `client` has it, and returns whether it did.
    pub(super) fn give_back(&self, client: &str) -> Result<bool> {
        let (found, _) = self.note()?;
        let Some(note) = found.filter(|note| note.client == client) else { return Ok(false) };
        Bakery { uid: &note.uid, ..self.bakery() }.unlock()?;
        faults::hit("cloud.unlocked");
        self.remove_note(client)?;
        Ok(true)
    }

    /// Returns everybody who has the lock or left signs of wanting it.
    pub(super) fn holders(&self, client: Option<&str>) -> Result<Vec<Holder>> {
        let bakery = self.bakery();
        let (note, _) = self.note()?;
        let mut holders = Vec::new();
        for uid in bakery.users()? {
            let since = bakery.held_since(&uid)?;
            if since.is_none() && !bakery.is_entering(&uid)? {
                continue;
            }
            holders.push(match &note {
                Some(note) if note.uid == uid => holder(note, since, client.unwrap_or_default()),
                _ => Holder { uid, since, ..Holder::default() },
            });
        }
        Ok(holders)
    }

    /// Takes the lock from everybody.
    pub(super) fn break_open(&self) -> Result<()> {
        let bakery = self.bakery();
        for uid in bakery.users()? {
            bakery.reset(&uid)?;
        }
        self.store.remove(&self.key()).map(drop)
    }

    /// Removes all lock objects.
    pub(super) fn remove(&self) -> Result<()> {
        let objects = self.store.list(&format!("{}/", self.folder))?;
        let keys: Vec<String> = objects.into_iter().map(|entry| entry.key).collect();
        self.store.remove_files(&keys)
    }

    /// Returns the note of the client that has the lock or takes it, and its version; what is no note has a version only.
    fn note(&self) -> Result<(Option<Note>, Option<Version>)> {
        Ok(match self.store.read_version(&self.key())? {
            Some((bytes, version)) => (Note::parse(&bytes), Some(version)),
            None => (None, None),
        })
    }

    fn write_note(&self, note: &Note, over: Option<Version>) -> Result<Option<Version>> {
        // Else two who write the same words at once would both believe that they were first.
        let salt = uid::random(&self.env, 12);
        self.store.write_over(&self.key(), over.as_ref(), note.to_bytes(&salt))
    }

    fn remove_note(&self, client: &str) -> Result<()> {
        match self.note()?.0 {
            Some(note) if note.client == client => self.store.remove(&self.key()).map(drop),
            _ => Ok(()),
        }
    }
}

fn holder(note: &Note, since: Option<Timestamp>, client: &str) -> Holder {
    Holder {
        uid: note.uid.clone(),
        handle: Some(note.handle.clone()),
        name: note.name.clone(),
        since,
        copy: Some(note.copy.clone()),
        here: note.client == client,
    }
}
