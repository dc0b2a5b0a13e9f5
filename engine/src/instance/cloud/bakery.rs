//! The lock objects that all clients of the format share: Lamport's bakery over small objects, one participant per user.
//!
//! Who wants the lock draws a number above all others; the smallest number holds it, and of equal ones that of the user who
//! arrived first. Nobody waits in line: who is not the first gives the number back at once.

use std::time::Duration;

use super::holder::WEEK;
use crate::env::Env;
use crate::error::Result;
use crate::event::Event;
use crate::faults;
use crate::store::Store;
use crate::value::Timestamp;

/// How often somebody who is about to draw a number is looked at, and when that becomes worth telling.
const POLLS: u32 = 150;
const TELL_AT: u32 = 100;
const POLL: Duration = Duration::from_millis(100);

/// The lock of one instance, as one user takes it.
pub(super) struct Bakery<'a> {
    pub(super) env: &'a Env,
    pub(super) store: &'a Store,
    /// The folder of the objects, below the root of the storage location.
    pub(super) folder: &'a str,
    /// Uid of the user.
    pub(super) uid: &'a str,
}

impl Bakery<'_> {
    /// Takes the lock, or returns the uid of who has it.
    pub(super) fn lock(&self) -> Result<Option<String>> {
        let users = self.enrol()?;
        self.reset(self.uid)?;
        for user in &users {
            self.clear_if_stale(user)?;
        }
        let outcome = self.draw(&users);
        if !matches!(outcome, Ok(None)) {
            // Whatever went wrong, nobody shall wait for a number that nobody uses.
            self.reset(self.uid)?;
        }
        outcome
    }

    fn draw(&self, users: &[String]) -> Result<Option<String>> {
        self.set("entering", self.uid, 1)?;
        faults::hit("cloud.entering");
        let mut highest = 0;
        for user in users {
            highest = highest.max(self.value("numbers", user)?);
        }
        let mine = highest + 1;
        self.set("numbers", self.uid, mine)?;
        faults::hit("cloud.drawn");
        self.set("entering", self.uid, 0)?;
        // Who arrived since then has seen this number, or is seen now.
        let users = self.users()?;
        let place = |uid: &str| users.iter().position(|user| user == uid);
        for other in users.iter().filter(|user| *user != self.uid) {
            if !self.has_drawn(other)? {
                return Ok(Some(other.clone()));
            }
            let theirs = self.value("numbers", other)?;
            if theirs != 0 && (theirs, place(other)) < (mine, place(self.uid)) {
                return Ok(Some(other.clone()));
            }
        }
        Ok(None)
    }

    /// Gives the number back.
    pub(super) fn unlock(&self) -> Result<()> {
        self.set("numbers", self.uid, 0)
    }

    /// Makes a user one who wants nothing.
    pub(super) fn reset(&self, uid: &str) -> Result<()> {
        self.set("numbers", uid, 0)?;
        self.set("entering", uid, 0)
    }

    /// Returns since when a user holds a number that is not too old to count.
    pub(super) fn held_since(&self, uid: &str) -> Result<Option<Timestamp>> {
        if self.value("numbers", uid)? == 0 {
            return Ok(None);
        }
        let stat = self.store.stat(&self.key("numbers", uid))?;
        let since = stat.and_then(|stat| stat.modified).unwrap_or_else(|| self.env.now());
        Ok((!self.is_stale(since)).then_some(since))
    }

    /// Returns true for a user who was about to draw a number when last heard of.
    pub(super) fn is_entering(&self, uid: &str) -> Result<bool> {
        Ok(self.value("entering", uid)? != 0)
    }

    /// Returns the uids of all users who ever wanted the lock, in order of their first arrival.
    pub(super) fn users(&self) -> Result<Vec<String>> {
        let found = self.store.read_version(&self.priorities())?;
        Ok(found.map(|(bytes, _)| split(&bytes)).unwrap_or_default())
    }

    /// Adds the user to the list and returns it.
    fn enrol(&self) -> Result<Vec<String>> {
        loop {
            let (mut users, version) = match self.store.read_version(&self.priorities())? {
                Some((bytes, version)) => (split(&bytes), Some(version)),
                None => (Vec::new(), None),
            };
            if users.iter().any(|user| user == self.uid) {
                return Ok(users);
            }
            users.push(self.uid.to_owned());
            let text = users.join("*").into_bytes();
            if self.store.write_over(&self.priorities(), version.as_ref(), text)?.is_some() {
                return Ok(users);
            }
            // Somebody else arrived at the same moment: they come first.
            self.env.keep_going()?;
        }
    }

    /// Waits while a user is about to draw a number; returns false for one who does not come to an end.
    fn has_drawn(&self, uid: &str) -> Result<bool> {
        for poll in 0..POLLS {
            if !self.is_entering(uid)? {
                return Ok(true);
            }
            if poll == TELL_AT {
                self.env.emit(Event::Warning(format!("competing for the lock with the user {uid}.")));
            }
            self.env.keep_going()?;
            std::thread::sleep(POLL);
        }
        Ok(false)
    }

    /// Takes a number away that is older than a lock may become.
    fn clear_if_stale(&self, uid: &str) -> Result<()> {
        for part in ["numbers", "entering"] {
            if self.value(part, uid)? == 0 {
                continue;
            }
            let stat = self.store.stat(&self.key(part, uid))?;
            if stat.and_then(|stat| stat.modified).is_some_and(|since| self.is_stale(since)) {
                self.env.emit(Event::Info(format!(
                    "the lock of the user {uid} seems to be stale, clearing {part}."
                )));
                self.set(part, uid, 0)?;
            }
        }
        Ok(())
    }

    fn is_stale(&self, since: Timestamp) -> bool {
        self.env.now().0 - since.0 > WEEK
    }

    fn priorities(&self) -> String {
        format!("{}/priorities", self.folder)
    }

    fn key(&self, part: &str, uid: &str) -> String {
        format!("{}/{part}/{uid}", self.folder)
    }

    /// Returns what a user wrote; nothing written, or nothing that is a number, counts as zero.
    fn value(&self, part: &str, uid: &str) -> Result<u64> {
        let found = self.store.read_version(&self.key(part, uid))?;
        let number = found.and_then(|(bytes, _)| String::from_utf8_lossy(&bytes).trim().parse().ok());
        Ok(number.unwrap_or(0))
    }

    fn set(&self, part: &str, uid: &str, value: u64) -> Result<()> {
        self.store.write(&self.key(part, uid), value.to_string().as_bytes(), true)
    }
}

fn split(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.trim().split('*').filter(|uid| !uid.is_empty()).map(str::to_owned).collect()
}
