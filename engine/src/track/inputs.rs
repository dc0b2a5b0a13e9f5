//! What a run reads, and what it makes again.

use crate::db::{Sql, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::record::Record;
use crate::value::Kind;

impl Instance {
    /// Notes that a run, the current one by default, reads an artifact or collection; returns whether it counts.
    ///
    /// What a run made or made again is no input of it, and what is not saved has nothing to point at. A link that
    /// exists is left as it is.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for a record of a registry that runs do not read.
    pub fn track_input(&self, record: &Record, run: Option<i64>) -> Result<bool> {
        if record.id().is_none() || self.db().read_only() {
            return Ok(false);
        }
        let Some(run) = run.or(self.context().run) else {
            self.env().emit(Event::InputNotTracked);
            return Ok(false);
        };
        if record.int("run_id") == Some(run) {
            return Ok(false);
        }
        self.db().write(|tx| {
            if linked(tx, record, "recreating_runs", run)? {
                return Ok(false);
            }
            self.link_in(tx, record, "input_of_runs", &[run])?;
            Ok(true)
        })
    }

    /// Notes that a run, the current one by default, made an artifact or collection again; returns whether it counts.
    ///
    /// What the run made first or reads does not count.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for a record of a registry that runs do not make again.
    pub fn track_recreation(&self, record: &Record, run: Option<i64>) -> Result<bool> {
        let Some(run) = run.or(self.context().run) else { return Ok(false) };
        if record.id().is_none() || record.int("run_id") == Some(run) {
            return Ok(false);
        }
        self.db().write(|tx| {
            if linked(tx, record, "input_of_runs", run)? {
                return Ok(false);
            }
            self.link_in(tx, record, "recreating_runs", &[run])?;
            Ok(true)
        })
    }
}

/// Returns true when the record is linked to the run already.
fn linked(tx: &Tx<'_>, record: &Record, relation: &str, run: i64) -> Result<bool> {
    let registry = record.registry();
    let found = registry.relation(relation).ok_or_else(|| {
        Error::field(format!(
            "Runs do not read or make records of {}: only artifacts, collections and records",
            registry.name
        ))
    })?;
    let crate::model::Via::Link { registry: link, near, far } = found.via else { return Ok(false) };
    let mut sql = Sql::new("SELECT 1 FROM ");
    sql.ident(crate::model::require(link)?.table).push(" WHERE ").ident(near).push(" = ").bind(record.id());
    sql.push(" AND ").ident(far).push(" = ").bind(run);
    Ok(tx.scalar(&sql, Kind::Int)?.is_some())
}
