//! What happened in an instance, by whom, newest first: read off the rows, since every one knows when it was made.
//!
//! ```
//! # let scratch = holotype::testing::Scratch::new()?;
//! # let instance = scratch.instance();
//! let mut label = instance.construct(holotype::model::require("ULabel")?, &[("name", "raw".into())])?.record;
//! instance.save(&mut label)?;
//! let log = instance.log(&holotype::history::Wanted::default())?;
//! assert_eq!((log[0].deed.word(), log[0].registry, log[0].name.as_str()), ("created", "ULabel", "raw"));
//! # Ok::<(), holotype::Error>(())
//! ```

use crate::error::Result;
use crate::instance::Instance;
use crate::lineage::table::{ints, texts};
use crate::model::{self, Registry};
use crate::query::{Q, QuerySet};
use crate::record::TRASH;
use crate::value::{Timestamp, Value};

/// Changes so soon after a row was made belong to its making.
const AT_ONCE: i64 = 2_000_000;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// A record was made.
    Created,
    /// A record was last changed.
    Changed,
    /// A record was moved to the trash, or last changed there.
    Trashed,
    /// A run started.
    Started,
    /// A run ended well.
    Completed,
    /// An error ended a run.
    Errored,
    /// Somebody stopped a run.
    Aborted,
}

impl Deed {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Deed::Created => "created",
            Deed::Changed => "changed",
            Deed::Trashed => "trashed",
            Deed::Started => "started",
            Deed::Completed => "completed",
            Deed::Errored => "errored",
            Deed::Aborted => "aborted",
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Moment.
    pub at: Timestamp,
    /// Handle of the user who made the record.
    pub by: String,
    /// What was done.
    pub deed: Deed,
    /// Registry of the record.
    pub registry: &'static str,
    /// Uid of the record.
    pub uid: String,
    /// Key or name of the record; of runs, the key of the transform.
    pub name: String,
    /// Uid of the run that did it, where one was tracked.
    pub run: String,
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Registries; those with things people made by default.
    pub registries: Vec<&'static Registry>,
    /// Handle of the user.
    pub by: Option<String>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Part of the key or name.
    pub name: Option<String>,
    /// Entries at most.
    pub limit: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted { registries: Vec::new(), by: None, since: None, until: None, name: None, limit: 50 }
    }
}

impl Instance {
    /// Returns what happened, newest first.
    ///
    /// Of several changes of a record the last one is known.
    ///
    /// # Errors
    /// Only those of the database.
    pub fn log(&self, wanted: &Wanted) -> Result<Vec<Entry>> {
        let everything = |registry: &&Registry| {
            let traits = registry.traits;
            traits.branch_aware && !traits.link && (traits.top_level || registry.module.name() != "lamindb")
        };
        let registries: Vec<&'static Registry> = match wanted.registries.is_empty() {
            true => model::all().iter().filter(everything).filter(|registry| self.has(registry)).collect(),
            false => wanted.registries.clone(),
        };
        let mut entries = Vec::new();
        for registry in registries {
            if registry.name == "Run" {
                self.log_moment(registry, "started_at", wanted, &mut entries)?;
                self.log_moment(registry, "finished_at", wanted, &mut entries)?;
                continue;
            }
            self.log_moment(registry, "created_at", wanted, &mut entries)?;
            if registry.column("updated_at").is_some() {
                self.log_moment(registry, "updated_at", wanted, &mut entries)?;
            }
        }
        entries.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| (b.deed, &a.name).cmp(&(a.deed, &b.name))));
        entries.truncate(wanted.limit);
        Ok(entries)
    }

    /// Returns true when the tables of the registry's module are there.
    fn has(&self, registry: &Registry) -> bool {
        let module = registry.module.name();
        module == "lamindb" || self.settings().modules.iter().any(|known| known == module)
    }

    /// Adds what happened to the records of a registry at the moments in one column.
    fn log_moment(
        &self,
        registry: &'static Registry,
        moment: &'static str,
        wanted: &Wanted,
        entries: &mut Vec<Entry>,
    ) -> Result<()> {
        let name = match registry.name {
            "Run" => "transform__key",
            _ => registry.name_field.unwrap_or("uid"),
        };
        let run = match registry.name {
            "Run" => "initiated_by_run__uid",
            _ if registry.column("run").is_some() => "run__uid",
            _ => "uid",
        };
        let person = if registry.column("created_by").is_some() { "created_by__handle" } else { "uid" };
        let state = if registry.name == "Run" { "_status_code" } else { "branch_id" };
        let made = if registry.column("created_at").is_some() { "created_at" } else { moment };
        let mut table = self
            .moments(registry, moment, name, wanted)?
            .table([moment, "uid", name, run, person, state, made, "id"])?;
        let (at, states, made) = (ints(&mut table, 0), ints(&mut table, 5), ints(&mut table, 6));
        let (uids, names) = (texts(&mut table, 1), texts(&mut table, 2));
        let (runs, people) = (texts(&mut table, 3), texts(&mut table, 4));
        for (row, at) in at.into_iter().enumerate() {
            let Some(at) = at else { continue };
            let state = states[row];
            let trashed = registry.name != "Run" && state == Some(TRASH);
            let deed = match moment {
                "started_at" => Deed::Started,
                "finished_at" => match state.and_then(|code| registry.status_word(code)) {
                    Some("errored") => Deed::Errored,
                    Some("aborted") => Deed::Aborted,
                    Some("completed") => Deed::Completed,
                    _ => continue,
                },
                "updated_at" if made[row].is_some_and(|made| at - made < AT_ONCE) => continue,
                "updated_at" if trashed => Deed::Trashed,
                "updated_at" => Deed::Changed,
                _ => Deed::Created,
            };
            let text = |column: &[Option<String>]| column[row].clone().unwrap_or_default();
            entries.push(Entry {
                at: Timestamp(at),
                by: if person == "uid" { String::new() } else { text(&people) },
                deed,
                registry: registry.name,
                name: Some(text(&names)).filter(|name| !name.is_empty()).unwrap_or_else(|| text(&uids)),
                uid: text(&uids),
                run: if run == "uid" { String::new() } else { text(&runs) },
            });
        }
        Ok(())
    }

    /// Returns the query for the newest records by one column.
    fn moments(
        &self,
        registry: &'static Registry,
        moment: &str,
        name: &str,
        wanted: &Wanted,
    ) -> Result<QuerySet> {
        let mut query = self.query(registry).filter(Q::is(format!("{moment}__isnull"), false))?;
        if registry.name == "Artifact" {
            // Logs and environments of runs are artifacts too, but nobody means them.
            let shown = Q::is("kind__isnull", true).or(Q::is("kind__startswith", "__lamindb").negate());
            query = query.filter(shown)?;
        }
        if let Some(by) = wanted.by.as_deref().filter(|_| registry.column("created_by").is_some()) {
            query = query.filter(Q::is("created_by__handle", by))?;
        }
        for (op, limit) in [("gte", wanted.since), ("lt", wanted.until)] {
            if let Some(limit) = limit {
                query = query.filter(Q::is(format!("{moment}__{op}"), Value::DateTime(limit)))?;
            }
        }
        if let Some(part) = wanted.name.as_deref() {
            query = query.filter(Q::is(format!("{name}__icontains"), part))?;
        }
        Ok(query.order_by([format!("-{moment}").as_str(), "-id"])?.slice(0, Some(wanted.limit)))
    }
}
