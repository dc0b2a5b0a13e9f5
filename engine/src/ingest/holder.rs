//! Who holds a place: at a real key, and where versions share one store, content lies for one row at a time.
//!
//! Whoever puts content at a place that other rows use as well records in the same transaction which row holds it. So
//! no version ever shows the bytes of another one, whatever was revived, trashed, deleted or killed in between.

use serde_json::json;

use super::is_incomplete;
use super::place::storage_key;
use crate::content::{Content, recorded_kind};
use crate::db::{Sql, Tx, meta};
use crate::error::Result;
use crate::instance::Instance;
use crate::record::Record;
use crate::value::{Kind, Value};
use crate::write::{records, select_row};

type Rows<'a> = dyn Fn(&Sql, &[Kind]) -> Result<Vec<Vec<Value>>> + 'a;

/// Returns true for content at a place that other rows may use as well.
pub(crate) fn shares(record: &Record) -> bool {
    record.flag("_overwrite_versions")
        || !record.flag("_key_is_virtual")
        || record.text("_real_key").is_some()
}

/// The rows of one place.
pub(super) struct Sharing {
    /// The rows other than the one asked for.
    pub(super) others: Vec<Record>,
    /// The row whose bytes lie there.
    pub(super) holder: Option<Record>,
    /// Somebody recorded who holds the place; without a holder, nobody does.
    pub(super) recorded: bool,
}

/// What the database remembers of a place.
struct Recorded {
    uid: String,
    /// The greatest id of an artifact at that time: a later row of another program tells more.
    seen: i64,
}

impl Sharing {
    /// Returns who shares the place of `record`, as the transaction sees it.
    pub(super) fn within(tx: &Tx<'_>, record: &Record) -> Result<Sharing> {
        Sharing::find(&|sql, kinds| tx.rows(sql, kinds), record)
    }

    /// Returns who shares the place of `record` at present.
    pub(super) fn now(instance: &Instance, record: &Record) -> Result<Sharing> {
        Sharing::find(&|sql, kinds| instance.db().rows(sql, kinds), record)
    }

    fn find(rows: &Rows<'_>, record: &Record) -> Result<Sharing> {
        let all = rows_at(rows, record)?;
        let recorded = recorded(rows, record)?;
        let seen = recorded.as_ref().map_or(0, |recorded| recorded.seen);
        let newest =
            |candidates: &[&Record]| candidates.iter().max_by_key(|row| row.id()).map(|row| (*row).clone());
        let later: Vec<&Record> =
            all.iter().filter(|row| !is_incomplete(row) && row.id() > Some(seen)).collect();
        let holder = match &recorded {
            None => newest(&later),
            Some(recorded) => {
                let ours = with_content(rows, &later)?;
                let foreign: Vec<&Record> =
                    later.into_iter().filter(|row| row.id().is_none_or(|id| !ours.contains(&id))).collect();
                newest(&foreign).or_else(|| all.iter().find(|row| row.uid() == recorded.uid).cloned())
            }
        };
        let recorded = recorded.is_some();
        let others = all.into_iter().filter(|row| row.id() != record.id()).collect();
        Ok(Sharing { others, holder, recorded })
    }

    /// Returns the holder if it is another row.
    pub(super) fn other_holder(&self, record: &Record) -> Option<&Record> {
        self.holder.as_ref().filter(|holder| holder.id() != record.id())
    }
}

/// Records that the bytes at the place of `record`, which is saved, are its own.
pub(super) fn claim(tx: &Tx<'_>, record: &Record) -> Result<()> {
    if !shares(record) {
        return Ok(());
    }
    let sharing = Sharing::within(tx, record)?;
    if sharing.others.is_empty() && !sharing.recorded {
        return Ok(());
    }
    put(tx, record, record.uid())
}

/// Records that these rows no longer hold their places: they are about to be deleted or moved.
pub(super) fn release(tx: &Tx<'_>, gone: &[Record]) -> Result<()> {
    for record in gone.iter().filter(|record| shares(record)) {
        let sharing = Sharing::within(tx, record)?;
        let stay = |row: &Record| !gone.iter().any(|gone| gone.id() == row.id());
        if !sharing.others.iter().any(stay) {
            tx.forget_meta(&name(record))?;
        } else if sharing.holder.as_ref().is_none_or(|holder| !stay(holder)) {
            put(tx, record, "")?;
        }
    }
    Ok(())
}

fn put(tx: &Tx<'_>, record: &Record, uid: &str) -> Result<()> {
    let seen = tx.scalar(&Sql::new("SELECT MAX(\"id\") FROM \"lamindb_artifact\""), Kind::BigInt)?;
    let seen = seen.and_then(|seen| seen.as_int()).unwrap_or(0);
    tx.set_meta(&name(record), json!({"uid": uid, "seen": seen}).to_string())
}

fn name(record: &Record) -> String {
    format!("place:{}:{}", record.int("storage_id").unwrap_or_default(), storage_key(record))
}

fn recorded(rows: &Rows<'_>, record: &Record) -> Result<Option<Recorded>> {
    let text = rows(&meta::query(&name(record)), &[Kind::Json])?
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next());
    let Some(Value::Json(json)) = text else { return Ok(None) };
    let uid = json.get("uid").and_then(|uid| uid.as_str()).unwrap_or_default().to_owned();
    Ok(Some(Recorded { uid, seen: json.get("seen").and_then(|seen| seen.as_i64()).unwrap_or(0) }))
}

/// Returns the saved rows whose content lies, or goes, where that of `record` does.
fn rows_at(rows: &Rows<'_>, record: &Record) -> Result<Vec<Record>> {
    let registry = record.registry();
    let place = storage_key(record);
    let mut sql = select_row(registry);
    sql.push(" WHERE \"storage_id\" = ").bind(record.int("storage_id"));
    if record.flag("_key_is_virtual") && record.text("_real_key").is_none() {
        let stem = record.stem_uid();
        sql.push(" AND ").family(stem);
    } else {
        let spellings =
            [place.clone(), format!("./{place}"), record.text("key").unwrap_or_default().to_owned()];
        sql.push(" AND (\"key\" IN (").binds(spellings.into_iter().map(Value::Text));
        sql.push(") OR \"_real_key\" = ").bind(place.as_str()).push(")");
    }
    let mut all = records(registry, rows(&sql, &registry.kinds())?);
    all.retain(|row| shares(row) && storage_key(row) == place);
    Ok(all)
}

/// Returns the ids of the rows whose content this engine has seen.
fn with_content(rows: &Rows<'_>, candidates: &[&Record]) -> Result<Vec<i64>> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT \"artifact_id\" FROM \"holotype_content\" WHERE \"artifact_id\" IN (");
    sql.binds(candidates.iter().map(|row| Value::from(row.id()))).push(")");
    let found = rows(&sql, &[Kind::BigInt])?;
    Ok(found.iter().filter_map(|row| row.first().and_then(Value::as_int)).collect())
}

impl Instance {
    /// Returns true when the bytes at the place of an artifact are its own.
    pub(crate) fn holds_place(&self, record: &Record) -> Result<bool> {
        if !shares(record) {
            return Ok(true);
        }
        let sharing = Sharing::now(self, record)?;
        // Whoever was killed while storing may or may not have replaced the bytes.
        if sharing.others.iter().any(is_incomplete) {
            return self.has_its_bytes(record);
        }
        match sharing.other_holder(record) {
            Some(holder) => self.same_content(record, holder),
            None => Ok(sharing.holder.is_some() || !sharing.recorded),
        }
    }

    /// Returns true when what lies at the place of an artifact is its content, by reading it.
    pub(super) fn has_its_bytes(&self, record: &Record) -> Result<bool> {
        let (store, key) = self.located(record)?;
        if !store.exists(&key)? {
            return Ok(false);
        }
        let (hash, found) = Content::identify_at(&store, &key)?;
        let known = record.id().map(|id| self.known_content(id)).transpose()?.flatten();
        Ok(match known {
            Some(known) => known.digest == found.digest,
            None => record.text("hash") == Some(hash.hash.as_str()),
        })
    }

    fn same_content(&self, one: &Record, other: &Record) -> Result<bool> {
        if one.text("hash").is_none()
            || one.text("hash") != other.text("hash")
            || one.int("size") != other.int("size")
        {
            return Ok(false);
        }
        if recorded_kind(one).is_some_and(|kind| kind.covers_content()) {
            return Ok(true);
        }
        let digest = |row: &Record| -> Result<_> {
            Ok(row.id().map(|id| self.known_content(id)).transpose()?.flatten().map(|content| content.digest))
        };
        Ok(digest(one)?.is_some_and(|one| digest(other).is_ok_and(|other| other == Some(one))))
    }
}
