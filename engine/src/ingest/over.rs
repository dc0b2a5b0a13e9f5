//! Content that takes the place of other content: marked incomplete first, then swapped and shown in one transaction.

use std::cell::Cell;

use super::holder::{Sharing, claim};
use super::place::{automatic_key, storage_key};
use super::{is_incomplete, place};
use crate::content::Content;
use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::hash::Digest;
use crate::instance::Instance;
use crate::query::Q;
use crate::record::Record;
use crate::store::Store;
use crate::value::Kind;
use crate::write;

/// Staged content on its way to the place of a saved row that is marked incomplete.
pub(super) struct Over<'a> {
    pub(super) record: &'a Record,
    pub(super) store: &'a Store,
    pub(super) staged: &'a str,
    pub(super) why: Why,
    /// Set once the bytes are swapped: from then on the former ones are gone.
    pub(super) swapped: Cell<bool>,
}

/// Why content takes the place of other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The row was inserted just now: versions that were completed since have taken its place already.
    New,
    /// The row gets the content that it lacks, or other content than it had.
    Again,
    /// What lies there is not what the row promises.
    Repair,
}

impl Instance {
    /// Puts the content in its place and lets `finish` show it, in one transaction.
    pub(super) fn put_over(&self, over: &Over<'_>, finish: &dyn Fn(&Tx<'_>) -> Result<()>) -> Result<()> {
        let Over { record, store, staged, .. } = *over;
        let place = storage_key(record);
        let (mut kept, mut told) = (None, false);
        loop {
            let former = self.keep_or_warn(record, kept.is_some())?;
            if over.why != Why::Repair {
                told = self.tell_of_change(store, &place)?;
                faults::hit("over.told");
            }
            let done = self.db().write(|tx| {
                let sharing = Sharing::within(tx, record)?;
                let later = |row: &Record| row.id() > record.id() && !is_incomplete(row);
                if over.why == Why::New && sharing.others.iter().any(later) {
                    finish(tx)?;
                    return Ok(true);
                }
                let holder = sharing.other_holder(record).map(|holder| holder.uid().to_owned());
                if self.creation().keep_versions && holder.is_some() && holder != former {
                    return Ok(false);
                }
                finish(tx)?;
                claim(tx, record)?;
                faults::hit("over.before_swap");
                store.replace(staged, &place, &self.publishing())?;
                over.swapped.set(true);
                faults::hit("over.swapped");
                Ok(true)
            })?;
            if done {
                break;
            }
            // Somebody else stored a version in between: its content is to be kept as well.
            kept = Some(former);
        }
        faults::hit("over.committed");
        if told {
            self.send()?;
        }
        // What was swapped out, or was overwritten before it arrived.
        store.remove(staged).map(|_| ())
    }

    /// Tells others, where they have copies of the database, that what lies at `place` is about to change: the rows of it are
    /// marked as incomplete. Returns whether there was something to tell; then the change is to be told as well.
    pub(super) fn tell_of_change(&self, store: &Store, place: &str) -> Result<bool> {
        let seen = store.is_remote() && self.has_database_in_bucket() && store.exists(place)?;
        if seen {
            self.send()?;
        }
        Ok(seen)
    }

    /// Before the content of another version is replaced: moves it away when that is wanted, else says what goes.
    ///
    /// Returns the version that cannot be kept.
    fn keep_or_warn(&self, record: &Record, again: bool) -> Result<Option<String>> {
        let sharing = Sharing::now(self, record)?;
        let Some(former) = sharing.other_holder(record).filter(|_| !record.flag("_key_is_virtual")) else {
            return Ok(sharing.other_holder(record).map(|holder| holder.uid().to_owned()));
        };
        let uid = former.uid().to_owned();
        let keep = self.creation().keep_versions && !former.flag("_key_is_virtual");
        if !keep || !self.has_its_bytes(former)? {
            if !again {
                self.env().emit(Event::OverwritesVersion { uid: uid.clone() });
            }
            return Ok(Some(uid));
        }
        let from = storage_key(former);
        let mut kept = former.clone();
        kept.set("_key_is_virtual", true)?;
        kept.set("_overwrite_versions", false)?;
        let to = automatic_key(&kept);
        let store = self.store(former)?;
        let digest = former.id().map(|id| self.known_content(id)).transpose()?.flatten();
        let how = crate::store::Publish { digest: digest.map(|content| content.digest), ..self.publishing() };
        if !store.is_remote() {
            store.publish(&store.path(&from)?, &to, &how)?;
        } else if !store.exists(&to)? {
            store.duplicate(&from, &to, &how)?;
        }
        faults::hit("keep.copied");
        self.db().write(|tx| {
            self.refuse_moved(tx, former)?;
            write::update(self, tx, &kept)
        })?;
        faults::hit("keep.committed");
        self.env().emit(Event::KeptVersionContent { uid, path: to });
        Ok(None)
    }

    /// Fails when the content of a row lies elsewhere than when `record` was read.
    pub(super) fn refuse_moved(&self, tx: &Tx<'_>, record: &Record) -> Result<()> {
        let id = Q::is("id", record.id());
        let fresh = super::decide::row(tx, record.registry(), id, self)?.ok_or_else(|| {
            Error::does_not_exist(format!(
                "Artifact '{}' is no longer in the database: someone deleted it; create it anew",
                record.uid()
            ))
        })?;
        let same =
            storage_key(&fresh) == storage_key(record) && fresh.int("storage_id") == record.int("storage_id");
        if same {
            return Ok(());
        }
        Err(Error::integrity(format!(
            "Somebody moved the content of artifact {} meanwhile: get the artifact again and repeat",
            record.uid()
        )))
    }

    /// Refuses to take the place of bytes that belong to no artifact, unless they are the very same.
    pub(super) fn refuse_foreign(&self, tx: &Tx<'_>, record: &Record, content: &Content) -> Result<()> {
        let sharing = Sharing::within(tx, record)?;
        if sharing.holder.is_some() || (!sharing.recorded && !sharing.others.is_empty()) {
            return Ok(());
        }
        let (store, key) = self.located(record)?;
        // A save that was killed before its row was written leaves these bytes, an upload that was killed those of
        // another version, which lie at their new place as well.
        let found = Content::identify_at(&store, &key)?.1.digest;
        if found == content.digest || is_of_family(tx, record, &found)? {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::FileExists,
            format!(
                "{} exists and belongs to no artifact: register it in place or choose another key",
                store.url(&key)?
            ),
        ))
    }

    /// After storing failed: gives headship back to `head`, and shows the row as before unless bytes that are not its
    /// own would show.
    pub(super) fn show_again(&self, record: &Record, head: Option<&Record>) -> Result<()> {
        let sharing = Sharing::now(self, record)?;
        let safe = sharing.other_holder(record).is_some() || self.has_its_bytes(record)?;
        self.db().write(|tx| {
            if let Some(head) = head {
                self.make_head(tx, head, true)?;
            }
            match record.id() {
                Some(id) if safe => mark(tx, id, Visible::Complete),
                _ => Ok(()),
            }
        })
    }
}

/// Returns true when a version of the record's family has content with this digest.
fn is_of_family(tx: &Tx<'_>, record: &Record, digest: &Digest) -> Result<bool> {
    let stem = record.stem_uid();
    let mut sql = Sql::new("SELECT COUNT(*) FROM \"holotype_content\" WHERE \"digest\" = ");
    sql.bind(digest.to_hex());
    sql.push(" AND \"artifact_id\" IN (SELECT \"id\" FROM \"lamindb_artifact\" WHERE ")
        .family(stem)
        .push(")");
    Ok(tx.scalar(&sql, Kind::BigInt)?.and_then(|n| n.as_int()).is_some_and(|n| n > 0))
}

/// Returns a key of its own for content that waits for its place.
pub(super) fn stage_key(instance: &Instance, record: &Record) -> String {
    let name = crate::uid::random(instance.env(), 20);
    place::part_key(&name, record.text("suffix").unwrap_or_default())
}

/// Whether a row shows its content from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visible {
    Complete,
    Incomplete,
    /// Incomplete since it is being deleted for good: nobody needs to store its content again.
    Leaving,
}

/// Shows the content of a row, or marks it as incomplete.
pub(super) fn mark(tx: &Tx<'_>, id: i64, visible: Visible) -> Result<()> {
    let mut sql = Sql::new("UPDATE \"lamindb_artifact\" SET \"_aux\" = ");
    // Other programs keep notes of their own in the same document.
    match visible {
        Visible::Complete => sql.spelled(
            "NULLIF(json_remove(\"_aux\", '$.so', '$.leaving'), '{}')",
            "NULLIF(NULLIF(\"_aux\", 'null') - 'so' - 'leaving', '{}')",
        ),
        Visible::Incomplete => sql.spelled(
            "json_set(json_remove(COALESCE(NULLIF(\"_aux\", 'null'), '{}'), '$.leaving'), '$.so', 1)",
            "(COALESCE(NULLIF(\"_aux\", 'null'), '{}') - 'leaving') || '{\"so\": 1}'",
        ),
        Visible::Leaving => sql.spelled(
            "json_set(COALESCE(NULLIF(\"_aux\", 'null'), '{}'), '$.so', 1, '$.leaving', 1)",
            "COALESCE(NULLIF(\"_aux\", 'null'), '{}') || '{\"so\": 1, \"leaving\": 1}'",
        ),
    };
    sql.push(" WHERE \"id\" = ").bind(id);
    tx.execute(&sql).map(|_| ())
}
