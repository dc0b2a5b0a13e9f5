//! Rows from one database into another, and the comparison of what arrived.

use std::cell::Cell as Counter;

use super::inventory::{self, Table};
use super::marks::NOTES;
use super::tally::Tally;
use crate::db::{Cell, Db, Dialect, Tx};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;

/// Rows after which the listener hears of the progress.
const STEP: u64 = 5_000;

/// The rows of one database on their way to another one.
pub(super) struct Copying<'a> {
    env: &'a Env,
    source: &'a Db,
    tables: Vec<Table>,
    total: u64,
    done: Counter<u64>,
}

impl<'a> Copying<'a> {
    pub(super) fn of(env: &'a Env, source: &'a Db) -> Result<Copying<'a>> {
        let tables = inventory::tables(source)?;
        // Every row is copied, then compared.
        let total = 2 * tables.iter().map(|table| table.rows).sum::<u64>();
        Ok(Copying { env, source, tables, total, done: Counter::new(0) })
    }

    /// Keeps everybody from writing to the source until the transaction ends.
    pub(super) fn hold(&self, tx: &Tx<'_>) -> Result<()> {
        if self.source.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        // Other programs do not ask for our lock.
        let names: Vec<String> =
            self.tables.iter().map(|table| Dialect::Postgres.quote(&table.name)).collect();
        tx.script(&[format!("LOCK TABLE {} IN SHARE MODE", names.join(", "))])
    }

    /// Returns the last id that each table of the source has given out.
    pub(super) fn last_ids(&self, tx: &Tx<'_>) -> Result<Vec<i64>> {
        let last = |table: &Table| if table.numbered { tx.last_id(&table.name) } else { Ok(0) };
        self.tables.iter().map(last).collect()
    }

    /// Copies all rows and returns what they come to, table by table.
    pub(super) fn pour(&self, into: &Tx<'_>, last_ids: &[i64]) -> Result<Vec<Tally>> {
        let mut tallies = Vec::with_capacity(self.tables.len());
        for (table, last) in self.tables.iter().zip(last_ids) {
            let mut tally = Tally::default();
            into.load(&table.name, &table.columns(), |take| {
                self.source.each(&table.select(&NOTES), &mut |cells| {
                    let values = table.read(cells)?;
                    take(&values).map_err(|error| {
                        let (row, name) = (table.key_of(&values), &table.name);
                        let text = format!("Row {row} of {name} cannot be copied: {}", error.message());
                        Error::new(error.kind(), text).because(error)
                    })?;
                    tally.add(table, &values);
                    self.step("copying", table)
                })
            })?;
            if table.numbered {
                into.renumber(&table.name, *last)?;
            }
            faults::hit("migrate.table");
            tallies.push(tally);
        }
        Ok(tallies)
    }

    /// Reads everything that arrived.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when a table is not what it was.
    pub(super) fn compare(&self, copied: &Tx<'_>, tallies: &[Tally]) -> Result<()> {
        for (table, expected) in self.tables.iter().zip(tallies) {
            let mut tally = Tally::default();
            copied.each(&table.select(&NOTES), &mut |cells: &[Cell<'_>]| {
                tally.add(table, &table.read(cells)?);
                self.step("checking", table)
            })?;
            if !tally.equals(expected) {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!(
                        "The copy of {} with {} rows does not equal the original with {}: nothing was changed",
                        table.name, tally.rows, expected.rows
                    ),
                ));
            }
        }
        match copied.dangling()? {
            Some(what) => {
                let text = format!("In the original, {what}: correct it first. Nothing was changed.");
                Err(Error::integrity(text))
            }
            None => Ok(()),
        }
    }

    fn step(&self, verb: &'static str, table: &Table) -> Result<()> {
        let done = self.done.get() + 1;
        self.done.set(done);
        if !done.is_multiple_of(STEP) && done < self.total {
            return Ok(());
        }
        self.env.emit(Event::Progress { verb, name: table.name.clone(), done, total: self.total });
        self.env.keep_going()
    }
}
