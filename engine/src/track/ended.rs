//! What a run leaves when it ends: its environment and report, shared with runs of the same, and what surrounded it.

use super::Report;
use super::environment::EnvironmentFile;
use super::update;
use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::hash;
use crate::instance::Instance;
use crate::model;
use crate::record::Record;
use crate::surroundings::{self, Surroundings};
use crate::value::Kind;

/// What is shared may be collected until the run names it; what takes its place is too young for that.
const ATTEMPTS: usize = 3;

/// What is kept with a run that ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Left<'a> {
    pub(super) report: Option<&'a Report>,
    pub(super) environment: Option<&'a EnvironmentFile>,
    pub(super) surroundings: Option<&'a Surroundings>,
}

/// A stored report.
enum Stored {
    /// It was stored before: runs that say the same share what they said.
    Shared(Option<i64>),
    /// It is that of this run alone.
    Own(Option<i64>),
}

impl Instance {
    /// Saves a run that has ended, with what it leaves, and returns it as it is then.
    pub(super) fn save_ended(&self, run: &Record, transform: &Record, left: Left<'_>) -> Result<Record> {
        let mut own = None;
        for _ in 0..ATTEMPTS {
            let mut ended = run.clone();
            match self.store_left(&mut ended, transform, left, &mut own) {
                // It was about to be completed for this run when it was deleted.
                Err(error) if error.kind() == ErrorKind::DoesNotExist => continue,
                stored => stored?,
            }
            if let Some(saved) = self.write_ended(&ended, left.surroundings)? {
                if let Some(report) = left.report.filter(|report| report.temporary) {
                    std::fs::remove_file(&report.path).ok();
                }
                return Ok(saved);
            }
        }
        Err(Error::integrity(format!(
            "The environment or the report of Run('{}') is deleted as soon as it is stored: call `ln.finish()` again",
            run.uid()
        )))
    }

    /// Stores environment and report and lets a run name them; a report of its own is stored once.
    fn store_left(
        &self,
        run: &mut Record,
        transform: &Record,
        left: Left<'_>,
        own: &mut Option<Option<i64>>,
    ) -> Result<()> {
        if let Some(environment) = left.environment {
            self.set_environment(run, environment)?;
        }
        if let (Some(report), None) = (left.report, &own) {
            match self.store_report(run, transform, report)? {
                Stored::Shared(id) => run.set("report_id", id)?,
                Stored::Own(id) => *own = Some(id),
            }
        }
        own.map_or(Ok(()), |id| run.set("report_id", id))
    }

    /// Writes a run and its surroundings at once; nothing when what it names is no longer there.
    fn write_ended(&self, run: &Record, surroundings: Option<&Surroundings>) -> Result<Option<Record>> {
        let write = |surroundings: Option<&Surroundings>| {
            self.db().write(|tx| {
                if !names_what_is_there(tx, run)? {
                    return Ok(None);
                }
                if let Some(found) = surroundings {
                    surroundings::keep(tx, run, found.clone())?;
                }
                let mut ended = run.clone();
                update(self, tx, &mut ended)?;
                Ok(Some(ended))
            })
        };
        match write(surroundings) {
            Err(error) if surroundings.is_some() => {
                // That the run ended is worth more than what surrounded it.
                self.env().emit(Event::Warning(format!("what surrounds the run is not kept: {error}")));
                write(None)
            }
            written => written,
        }
    }

    /// Returns the report that a run has.
    pub(super) fn former_report(&self, run: &Record) -> Result<Option<Record>> {
        run.int("report_id").map(|id| self.by_id(model::require("Artifact")?, id)).transpose()
    }

    /// Stores the report, as a new version where the run has one.
    fn store_report(&self, run: &Record, transform: &Record, report: &Report) -> Result<Stored> {
        let description = match transform.text("kind") {
            Some("notebook") => format!("Report of run {}", run.uid()),
            _ => format!("log streams of run {}", run.uid()),
        };
        let former = self.former_report(run)?;
        let content = hash::hash_file(&report.path)?;
        if former.is_none()
            && content.kind.covers_content()
            && let Some(known) = self.hidden(&content.hash)?
        {
            return Ok(Stored::Shared(known.id()));
        }
        let stored = self.hide(&report.path, report.temporary, &description, former)?;
        Ok(Stored::Own(stored.id()))
    }
}

/// Returns false when the environment or the report of a run was deleted meanwhile.
fn names_what_is_there(tx: &Tx<'_>, run: &Record) -> Result<bool> {
    let mut named: Vec<i64> =
        ["environment_id", "report_id"].into_iter().filter_map(|name| run.int(name)).collect();
    named.dedup();
    let mut sql = Sql::new("SELECT COUNT(*) FROM \"lamindb_artifact\" WHERE \"id\" IN (");
    sql.binds(named.iter().map(|id| (*id).into())).push(")");
    let there = || Ok(tx.scalar(&sql, Kind::BigInt)?.and_then(|count| count.as_int()));
    Ok(named.is_empty() || there()? == i64::try_from(named.len()).ok())
}
