//! Moving an instance to a database of another kind: copied, compared, and only then taken into use.
//!
//! While it is copied nobody else can write to the old database. The copy is one transaction, or a file that gets its name
//! at the end. When every table has proved equal, the old database is marked as departed: from then on the copy is the
//! instance. What follows (the old file gets another name, the settings name the new place) is done again by the same
//! command wherever it was broken off, also on other machines that know the instance.
//!
//! A database in a bucket is locked, and its copy on this machine is what is copied. The mark counts once it was sent: until
//! then the bucket holds the instance, and only this machine, which has the lock, takes it for departed. One that comes to a
//! bucket is built on this machine and sent; what the instance left there before is kept beside it.

mod copy;
mod inventory;
mod marks;
mod tally;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connect::check_storage;
use super::name::Slug;
use super::settings::{DatabaseSite, InstanceSettings, UserSettings};
use super::{Cloud, level, own_tables};
use crate::db::{self, Db};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::faults;
use crate::uid;
use copy::Copying;
use target::{Found, Target};

pub(super) use marks::{refuse_departed, refuse_unused};

/// What the name of a file ends with, and a moment, that was the database of an instance.
const KEPT: &str = ".moved-";

/// Where the database goes.
#[derive(Clone)]
pub enum Destination {
    /// An empty database of a PostgreSQL server, by its URL.
    Postgres(String),
    /// A file that does not exist; the place that the format gives it in the default storage location when none is named,
    /// which may be in a bucket.
    Sqlite(Option<PathBuf>),
}

/// How much of a migration is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// All of it.
    Copy,
    /// All of it: the copy of a migration that was broken off is thrown away.
    CopyAgain,
    /// The copy is the instance already, and only the settings of this machine do not know it.
    Follow,
}

/// A migration that has not been begun.
#[derive(Debug)]
pub struct MigrationPlan {
    /// The instance.
    pub slug: Slug,
    /// Where its database is.
    pub from: String,
    /// Where it goes.
    pub to: String,
    /// What is left to do.
    pub stage: Stage,
    /// The tables that have rows, and how many.
    pub tables: Vec<(String, u64)>,
    old: InstanceSettings,
    new: InstanceSettings,
}

/// A migration that is done.
#[derive(Debug)]
pub struct Migrated {
    /// The settings by which the instance is found from now on.
    pub settings: InstanceSettings,
    /// Where the old database is kept.
    pub kept: String,
}

/// Returns what moving the database of an instance would take; nothing is changed.
///
/// # Errors
/// [`crate::ErrorKind::InvalidArgument`] when it is of that kind already, [`crate::ErrorKind::FileExists`] or
/// [`crate::ErrorKind::UnknownDatabase`] when the destination is not empty, [`crate::ErrorKind::Unsupported`] when
/// something would be left behind.
pub fn plan(env: &Env, settings: &InstanceSettings, destination: &Destination) -> Result<MigrationPlan> {
    let new = destination.settings(env, settings)?;
    let source = Source::look(env, settings)?;
    let target = Target::of(env, &new)?;
    let (from, to) = (source.shown(env, settings)?, target.shown(env, &new)?);
    let stage = match marks::departure_of(&source.db)? {
        Some(departure) if target.came_by(env, &departure.token)? => Stage::Follow,
        Some(departure) => return Err(marks::departed(&from, &departure)),
        None => match target.look(env, settings)? {
            Found::Nothing | Found::Former => Stage::Copy,
            Found::Unused => Stage::CopyAgain,
            Found::Something(error) => return Err(error),
        },
    };
    let tables = match stage {
        Stage::Follow => Vec::new(),
        _ => inventory::tables(&source.db)?,
    };
    let tables =
        tables.into_iter().filter(|table| table.rows > 0).map(|table| (table.name, table.rows)).collect();
    Ok(MigrationPlan { slug: settings.slug(), from, to, stage, tables, old: settings.clone(), new })
}

impl Destination {
    /// Returns the settings that name the destination.
    fn settings(&self, env: &Env, old: &InstanceSettings) -> Result<InstanceSettings> {
        let slug = old.slug();
        let already = |what: &str| {
            Error::invalid(format!("The database of {slug} is on {what} already: there is nothing to move"))
        };
        let on_server = match old.database(env)? {
            DatabaseSite::Postgres(_) => true,
            DatabaseSite::Sqlite(_) | DatabaseSite::CloudSqlite(_) => false,
        };
        let db = match self {
            Destination::Postgres(_) if on_server => return Err(already("PostgreSQL")),
            Destination::Postgres(url) if !url.starts_with("postgres") => {
                return Err(Error::value("The database URL must start with postgresql://"));
            }
            Destination::Postgres(url) => Some(url.clone()),
            Destination::Sqlite(_) if !on_server => return Err(already("SQLite")),
            Destination::Sqlite(Some(path)) => {
                // As other machines are told where the instance went.
                let path =
                    path.to_str().and_then(|path| path.strip_prefix("sqlite:///")).map_or(&**path, Path::new);
                if path.to_string_lossy().contains("://") {
                    return Err(Error::value(format!(
                        "{} is no file of this machine: without a file, the database goes to the default storage location of \
                         {slug}",
                        path.display()
                    )));
                }
                let path: PathBuf = env.absolute(path).components().collect();
                Some(format!("sqlite:///{}", path.display()))
            }
            Destination::Sqlite(None) => None,
        };
        Ok(InstanceSettings { db, ..old.clone() })
    }
}

impl MigrationPlan {
    /// Returns the number of rows to copy.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }

    /// Does what was planned, as far as it is not done already.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] when the copy does not equal the original, [`crate::ErrorKind::Busy`] while others write; the
    /// instance stays where it is then, and planning again tells how to go on.
    pub fn apply(&self, env: &Env) -> Result<Migrated> {
        let source = match self.stage {
            Stage::Follow => Source::look(env, &self.old)?,
            _ => Source::open(env, &self.old)?,
        };
        let target = Target::of(env, &self.new)?;
        match self.stage {
            Stage::Follow => source.see_off()?,
            _ => source.hand_over(|db| self.copy(env, db, &target))?,
        }
        target.settle(env)?;
        let kept = source.retire(env, &self.from)?;
        faults::hit("migrate.retired");
        match InstanceSettings::find_global(env)? {
            Some(global) if global.slug() == self.slug => self.new.save_as_global(env)?,
            _ => self.new.save(env)?,
        }
        Ok(Migrated { settings: self.new.clone(), kept })
    }

    /// Lets the destination take everything in, and marks the old database as departed.
    fn copy(&self, env: &Env, old: &Db, target: &Target) -> Result<()> {
        let token = uid::random(env, 20);
        let copying = Copying::of(env, old)?;
        old.write(|tx| {
            copying.hold(tx)?;
            if let Some(departure) = marks::departure_within(tx)? {
                return Err(marks::departed(&self.from, &departure));
            }
            let last = copying.last_ids(tx)?;
            target.receive(env, self.stage, &copying, &last, &token)?;
            marks::depart(tx, &token, &self.to, env.now())
        })
    }
}

/// The old database.
struct Source {
    db: Db,
    /// Its file, on SQLite.
    path: Option<PathBuf>,
    /// Where it lies, if that is in a bucket: the file is a copy then.
    cloud: Option<Arc<Cloud>>,
}

impl Source {
    /// Looks at it without changing a byte; a file that has moved aside already is found.
    fn look(env: &Env, settings: &InstanceSettings) -> Result<Source> {
        let cloud = Cloud::of(env, settings, &UserSettings::current(env)?)?;
        if let Some(cloud) = &cloud {
            cloud.refresh()?;
        }
        let path = match settings.sqlite_path(env)? {
            Some(path) if !path.exists() => Some(kept_beside(&path)?.unwrap_or(path)),
            path => path,
        };
        let db = match &path {
            Some(path) => Db::inspect(path)?,
            None => settings.connect_database(env)?,
        };
        let source = Source { db, path, cloud };
        level::check(&source.db, &source.shown(env, settings)?)?;
        check_storage(&source.db, &settings.storage_root)?;
        Ok(source)
    }

    /// Opens it for writing, with our own tables.
    fn open(env: &Env, settings: &InstanceSettings) -> Result<Source> {
        let looked = Source::look(env, settings)?;
        let db = match &looked.path {
            Some(path) => Db::open(path, crate::db::Open::Existing)?,
            None => looked.db,
        };
        // A copy gets them when it is known to be the newest.
        if looked.cloud.is_none() {
            own_tables::add(&db)?;
        }
        Ok(Source { db, path: looked.path, cloud: looked.cloud })
    }

    /// Returns where it is, for people.
    fn shown(&self, env: &Env, settings: &InstanceSettings) -> Result<String> {
        match &self.cloud {
            Some(cloud) => Ok(cloud.url().to_owned()),
            None => settings.shown_database(env),
        }
    }

    /// Does the work that makes it the old database; in a bucket it is that as soon as it was sent.
    fn hand_over(&self, work: impl FnOnce(&Db) -> Result<()>) -> Result<()> {
        match &self.cloud {
            Some(cloud) => cloud.hand_over(&self.db, work),
            None => work(&self.db),
        }
    }

    /// Sends the mark of its departure if whoever made it came no further.
    fn see_off(&self) -> Result<()> {
        match (&self.cloud, &self.path) {
            (Some(cloud), Some(path)) if cloud.is_ahead()? => {
                cloud.hand_over(&Db::open(path, crate::db::Open::Existing)?, |_| Ok(()))
            }
            _ => Ok(()),
        }
    }

    /// Gives a file the name under which it is kept, so that nobody takes it for the instance, and says where it is.
    fn retire(self, env: &Env, shown: &str) -> Result<String> {
        let path = match (self.path, self.cloud) {
            (Some(path), None) => path,
            _ => return Ok(shown.to_owned()),
        };
        if is_kept(&path) {
            return Ok(path.display().to_string());
        }
        // What others wrote ahead belongs to the file.
        drop(self.db);
        let db = Db::open(&path, crate::db::Open::Existing)?;
        db.checkpoint()?;
        drop(db);
        let kept = db::beside(&path, &kept_end(env));
        fs::rename(&path, &kept).map_err(|error| Error::io(&path, error))?;
        for beside in ["-wal", "-shm"] {
            // They are there only while another program has the database open.
            fs::rename(db::beside(&path, beside), db::beside(&kept, beside)).ok();
        }
        Ok(kept.display().to_string())
    }
}

/// Returns what the name of a database that is only kept from now on ends with.
fn kept_end(env: &Env) -> String {
    let moment: String = env.now().to_sql().chars().take(19).filter(char::is_ascii_digit).collect();
    format!("{KEPT}{moment}")
}

/// Explains the absence of a database that moved; nothing is said where it did not.
///
/// # Errors
/// [`crate::ErrorKind::UnknownDatabase`] naming where the instance is.
pub(super) fn refuse_moved(path: &Path) -> Result<()> {
    match kept_beside(path)? {
        Some(kept) if !path.exists() => {
            refuse_departed(&Db::inspect(&kept)?, || Ok(path.display().to_string()))
        }
        _ => Ok(()),
    }
}

/// Returns the last file that was the database at `path` until it moved.
fn kept_beside(path: &Path) -> Result<Option<PathBuf>> {
    let Some(folder) = path.parent().filter(|folder| folder.is_dir()) else { return Ok(None) };
    let start = db::beside(path, KEPT);
    let entries = fs::read_dir(folder).map_err(|error| Error::io(folder, error))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let kept = paths
        .filter(|path| path.as_os_str().as_encoded_bytes().starts_with(start.as_os_str().as_encoded_bytes()));
    Ok(kept.filter(|path| is_kept(path)).max())
}

/// Returns true for the name of a database that is only kept.
pub(crate) fn is_kept(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit_once(KEPT).is_some_and(|(_, moment)| moment.bytes().all(|byte| byte.is_ascii_digit()))
}
