//! Writing records: defaults, checks, inserts and updates in one transaction.

pub mod construct;
mod delete;
mod family;
mod links;
mod rows;
mod values;

pub use construct::{Constructed, Given};
pub use delete::DeletePlan;
pub(crate) use delete::{delete_in, refuse_referenced};
pub(crate) use family::{demote_head, next_uid, promote_head, settle_heads};
pub(crate) use rows::{read_row, read_rows, records, select_row};
pub(crate) use values::{check, fill, prefill};

use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::model::Registry;
use crate::query::QuerySet;
use crate::record::{Record, TRASH};
use crate::session::Session;
use crate::value::{Kind, Value};

/// What a bulk save does with rows that break a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Conflict {
    /// The save fails and nothing is written.
    #[default]
    Fail,
    /// They are left out.
    Skip,
}

/// Rows per statement of a bulk insert.
const BATCH: usize = 400;

impl Session {
    /// Saves a record: inserts it when it has no id, else writes the fields that changed.
    ///
    /// # Errors
    /// [`ErrorKind::FieldValidation`] for missing or overlong fields, [`ErrorKind::Integrity`] for broken constraints,
    /// [`ErrorKind::NoWriteAccess`] for locked records.
    pub fn save(&self, record: &mut Record) -> Result<()> {
        values::check(record)?;
        if record.id().is_none() {
            values::fill(self, record)?;
            let id = self.db().write(|tx| insert(tx, record))?;
            record.put_id(id);
        } else {
            let leads = self.db().write(|tx| {
                update(self, tx, record)?;
                match moved_from(record) {
                    Some(from) => settle_heads(tx, record, from).map(Some),
                    None => Ok(None),
                }
            })?;
            if let (Some(leads), Some(position)) = (leads, record.registry().position("is_latest")) {
                record.put(position, Value::Bool(leads));
            }
        }
        record.settle();
        Ok(())
    }

    /// Saves many records of any registries in one transaction.
    pub fn save_many(&self, records: &mut [Record], conflict: Conflict) -> Result<()> {
        for record in records.iter_mut() {
            values::check(record)?;
            if record.id().is_none() {
                values::fill(self, record)?;
            }
        }
        let ids = self.db().write(|tx| {
            let mut ids = vec![None; records.len()];
            let mut i = 0;
            while i < records.len() {
                if records[i].id().is_some() {
                    update(self, tx, &records[i])?;
                    if let Some(from) = moved_from(&records[i]) {
                        settle_heads(tx, &records[i], from)?;
                    }
                    i += 1;
                    continue;
                }
                let same = |record: &Record| {
                    record.id().is_none() && std::ptr::eq(record.registry(), records[i].registry())
                };
                let n = records[i..].iter().take(BATCH).take_while(|record| same(record)).count();
                insert_batch(tx, &records[i..i + n], conflict, &mut ids[i..i + n])?;
                i += n;
            }
            Ok(ids)
        })?;
        for (record, id) in records.iter_mut().zip(ids) {
            if let Some(id) = id {
                record.put_id(id);
            }
            record.settle();
        }
        Ok(())
    }

    /// Sets fields of all records of a query and returns how many there were.
    pub fn update(&self, query: &QuerySet, changes: &[(&str, Value)]) -> Result<usize> {
        let registry = query.registry();
        let mut scratch = Record::empty(registry);
        for (field, value) in changes {
            scratch.set(field, value.clone())?;
        }
        let positions: Vec<usize> =
            changes.iter().filter_map(|(field, _)| registry.position(field)).collect();
        values::check_lengths(&scratch)?;
        if positions.is_empty() {
            return Ok(0);
        }
        let ids = query.all_ids()?;
        self.db().write(|tx| {
            refuse_locked(tx, registry, &ids, &positions)?;
            let mut sql = update_set(self, &scratch, &positions);
            sql.push(" WHERE \"id\" IN (").append(id_list(&ids)).push(")");
            tx.execute(&sql)
        })
    }

    /// Moves a record to the trash; a head hands its place to the newest version left on its branch.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for registries without a trash.
    pub fn trash(&self, record: &mut Record) -> Result<()> {
        let registry = record.registry();
        if !registry.traits.branch_aware || registry.name == "Storage" {
            return Err(Error::value(format!(
                "Soft delete is not possible for {}, use 'permanent=True' or 'permanent=None' for permanent deletion.",
                registry.name
            )));
        }
        let Some(id) = record.id() else {
            self.env().emit(Event::NotSavedNothingToDelete);
            return Ok(());
        };
        let mut ids = vec![id];
        if registry.traits.has_type && record.flag("is_type") {
            ids.extend(self.descendants(registry, id)?);
        }
        let now = registry.traits.tracks_updates.then(|| self.env().now());
        let promoted = self.db().write(|tx| {
            refuse_locked(tx, registry, &ids, &[])?;
            let promoted = if registry.traits.versioned { promote_head(tx, record)? } else { None };
            let mut sql = Sql::new("UPDATE ");
            sql.ident(registry.table).push(" SET \"branch_id\" = ").bind(TRASH);
            if promoted.is_some() {
                sql.push(", \"is_latest\" = ").bind(false);
            }
            if let Some(now) = now {
                sql.push(", \"updated_at\" = ").bind(now);
            }
            sql.push(" WHERE \"id\" IN (").append(id_list(&ids)).push(")");
            tx.execute(&sql)?;
            Ok(promoted)
        })?;
        record.set("branch_id", TRASH)?;
        if promoted.is_some() {
            record.set("is_latest", false)?;
        }
        if let Some(now) = now {
            record.set("updated_at", now)?;
        }
        record.settle();
        self.env().emit(Event::Trashed { repr: record.repr() });
        if let Some(uid) = promoted {
            self.env().emit(Event::NewLatest { registry: registry.name, uid });
        }
        Ok(())
    }

    /// Moves a record from the trash to the main branch.
    pub fn restore(&self, record: &mut Record) -> Result<()> {
        record.set("branch_id", 1i64)?;
        self.save(record)
    }
}

/// Returns ids as a list for `IN (…)`: whole numbers, so they stand in the text.
pub(crate) fn id_list(ids: &[i64]) -> Sql {
    let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
    Sql::new(texts.join(", "))
}

/// Inserts a filled and checked record and returns its id.
pub(crate) fn insert(tx: &Tx<'_>, record: &Record) -> Result<i64> {
    let registry = record.registry();
    let (columns, values): (Vec<&str>, Vec<Value>) = registry
        .columns
        .iter()
        .zip(record.values())
        .filter(|(column, value)| !(column.name == "id" && value.is_null()))
        .map(|(column, value)| (column.column, value.clone()))
        .unzip();
    let mut sql = Sql::new("INSERT INTO ");
    sql.ident(registry.table).push(" (").idents(columns).push(") VALUES (").binds(values).push(")");
    tx.insert(&sql)
}

/// Inserts filled and checked records of one registry and says which ids they got.
pub(crate) fn insert_batch(
    tx: &Tx<'_>,
    records: &[Record],
    conflict: Conflict,
    ids: &mut [Option<i64>],
) -> Result<()> {
    let Some(first) = records.first() else { return Ok(()) };
    let registry = first.registry();
    let positions: Vec<usize> =
        (0..registry.columns.len()).filter(|i| registry.columns[*i].name != "id").collect();
    // SQLite takes 32,766 parameters per statement, PostgreSQL twice as many.
    let rows = (32_000 / positions.len().max(1)).clamp(1, BATCH);
    for (chunk, ids) in records.chunks(rows).zip(ids.chunks_mut(rows)) {
        let mut sql = Sql::new("INSERT INTO ");
        sql.ident(registry.table).push(" (");
        sql.idents(positions.iter().map(|i| registry.columns[*i].column)).push(") VALUES ");
        for (i, record) in chunk.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.binds(positions.iter().map(|i| record.values()[*i].clone())).push(")");
        }
        if conflict == Conflict::Skip {
            sql.push(" ON CONFLICT DO NOTHING");
        }
        // The uid tells the rows apart; registries without one are link tables, whose ids nobody asks for.
        if registry.column("uid").is_none() {
            tx.execute(&sql)?;
            continue;
        }
        sql.push(" RETURNING \"id\", \"uid\"");
        let made: std::collections::HashMap<String, i64> = tx
            .rows(&sql, &[Kind::BigInt, Kind::Text])?
            .into_iter()
            .filter_map(|row| Some((row.get(1)?.as_str()?.to_owned(), row.first()?.as_int()?)))
            .collect();
        for (record, id) in chunk.iter().zip(ids) {
            *id = made.get(record.uid()).copied();
        }
    }
    Ok(())
}

/// Returns the branch that a version leaves; nothing when it stays, or goes to the trash, where heads do not matter.
fn moved_from(record: &Record) -> Option<Option<i64>> {
    let from = record.before("branch_id").filter(|_| record.registry().traits.versioned)?;
    (!record.is_trashed()).then(|| from.as_int())
}

/// Writes the changed fields of a saved record.
pub(crate) fn update(session: &Session, tx: &Tx<'_>, record: &Record) -> Result<()> {
    let registry = record.registry();
    let changed: Vec<usize> = record.changed().collect();
    let Some(id) = record.id() else {
        return Err(Error::invalid(format!("{} has no id: save it first", record.repr())));
    };
    if changed.is_empty() {
        return Ok(());
    }
    refuse_locked(tx, registry, &[id], &changed)?;
    let mut sql = update_set(session, record, &changed);
    sql.push(" WHERE \"id\" = ").bind(id);
    match tx.execute(&sql)? {
        0 => Err(Error::does_not_exist(format!(
            "{} '{}' is no longer in the database: someone deleted it; create it anew",
            registry.name,
            record.uid()
        ))),
        _ => Ok(()),
    }
}

/// Returns `UPDATE … SET …` with the record's values at `positions`, and the moment where the registry keeps it.
fn update_set(session: &Session, record: &Record, positions: &[usize]) -> Sql {
    let registry = record.registry();
    let set = |column: &str, value: Value| {
        let mut set = Sql::default();
        set.ident(column).push(" = ").bind(value);
        set
    };
    let mut sets: Vec<Sql> =
        positions.iter().map(|i| set(registry.columns[*i].column, record.values()[*i].clone())).collect();
    if registry.traits.tracks_updates {
        sets.push(set("updated_at", session.env().now().into()));
    }
    let mut sql = Sql::new("UPDATE ");
    sql.ident(registry.table).push(" SET ").join(", ", sets);
    sql
}

/// Refuses changes to locked records, except for unlocking them.
fn refuse_locked(tx: &Tx<'_>, registry: &'static Registry, ids: &[i64], changed: &[usize]) -> Result<()> {
    let only_lock = !changed.is_empty() && changed.iter().all(|i| registry.columns[*i].name == "is_locked");
    if registry.column("is_locked").is_none() || only_lock || ids.is_empty() {
        return Ok(());
    }
    let name = if registry.column("uid").is_some() { "uid" } else { "id" };
    let mut sql = Sql::new("SELECT ");
    sql.ident(name)
        .push(" FROM ")
        .ident(registry.table)
        .push(" WHERE \"is_locked\" = ")
        .bind(true)
        .push(" AND \"id\" IN (")
        .append(id_list(ids))
        .push(") LIMIT 1");
    match tx.scalar(&sql, Kind::Text)? {
        None => Ok(()),
        Some(uid) => Err(Error::new(
            ErrorKind::NoWriteAccess,
            format!(
                "It is not allowed to modify or create locked ('is_locked=True') records. {} '{uid}' is locked: \
                 set is_locked to False first.",
                registry.name
            ),
        )),
    }
}
