//! The new database: what is there already, and how it takes the copy in.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use super::copy::Copying;
use super::{Stage, kept_end, marks};
use crate::db::{Db, Dialect, Sql, Tx, ddl, masked};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::Cloud;
use crate::instance::connect::check_storage;
use crate::instance::settings::{InstanceSettings, UserSettings};
use crate::store::sync;
use crate::value::Kind;

/// Where the copy goes.
pub(super) enum Target {
    Server(String),
    File(PathBuf),
    /// The default storage location with this root, which is in a bucket.
    Bucket {
        cloud: Arc<Cloud>,
        root: String,
    },
}

/// What lies there.
pub(super) enum Found {
    Nothing,
    /// A copy of this instance that was never taken into use.
    Unused,
    /// The database that this instance left before.
    Former,
    /// Something that must not be touched, as the error says.
    Something(Error),
}

impl Target {
    pub(super) fn of(env: &Env, settings: &InstanceSettings) -> Result<Target> {
        if let Some(cloud) = Cloud::of(env, settings, &UserSettings::current(env)?)? {
            return Ok(Target::Bucket { cloud, root: settings.storage_root.clone() });
        }
        Ok(match settings.sqlite_path(env)? {
            Some(path) => Target::File(path),
            None => Target::Server(settings.db.clone().unwrap_or_default()),
        })
    }

    /// Returns where it is, for people.
    pub(super) fn shown(&self, env: &Env, settings: &InstanceSettings) -> Result<String> {
        match self {
            Target::Bucket { cloud, .. } => Ok(cloud.url().to_owned()),
            _ => settings.shown_database(env),
        }
    }

    pub(super) fn look(&self, env: &Env, settings: &InstanceSettings) -> Result<Found> {
        let arrives = |db: &Db| -> Result<bool> {
            Ok(marks::is_arriving(db)? && check_storage(db, &settings.storage_root).is_ok())
        };
        match self {
            Target::Server(url) => {
                let db = Db::connect(env, url)?;
                let held = relations(&|sql, kinds| db.rows(sql, kinds))?;
                Ok(match held.is_empty() {
                    true => Found::Nothing,
                    false if arrives(&db)? => Found::Unused,
                    false => Found::Something(occupied_server(url, &held)),
                })
            }
            Target::File(path) if !path.exists() => Ok(Found::Nothing),
            // Whatever is wrong with a file, it is none that may be replaced.
            Target::File(path) => Ok(match Db::inspect(path) {
                Ok(db) if arrives(&db)? => Found::Unused,
                _ => Found::Something(occupied_file(&path.display())),
            }),
            Target::Bucket { cloud, root } => {
                let found = cloud.peek(|path| Ok(found_in_bucket(path, root, cloud.url())))?;
                Ok(found.unwrap_or(Found::Nothing))
            }
        }
    }

    /// Returns true when the database there was made by this migration.
    pub(super) fn came_by(&self, env: &Env, token: &str) -> Result<bool> {
        match self {
            Target::Server(url) => marks::came_by(&Db::connect(env, url)?, token),
            Target::File(path) => Ok(path.exists() && marks::came_by(&Db::inspect(path)?, token)?),
            Target::Bucket { cloud, .. } => {
                let came = cloud.peek(|path| marks::came_by(&Db::inspect(path)?, token))?;
                Ok(came.unwrap_or(false))
            }
        }
    }

    /// Makes the database with all rows, compared, or nothing at all.
    pub(super) fn receive(
        &self,
        env: &Env,
        stage: Stage,
        copying: &Copying<'_>,
        last_ids: &[i64],
        token: &str,
    ) -> Result<()> {
        let path = match self {
            Target::Server(url) => {
                return Db::connect(env, url)?.write(|tx| {
                    clear(tx, url, stage)?;
                    // Looking up each relation while rows come in takes longer than once at the end.
                    let mut rules = ddl::create_all(Dialect::Postgres);
                    rules.extend(ddl::create_own(Dialect::Postgres));
                    let tables: Vec<String> =
                        rules.extract_if(.., |statement| statement.starts_with("CREATE TABLE")).collect();
                    tx.script(&tables)?;
                    let tallies = copying.pour(tx, last_ids)?;
                    // Tables with rows that are still to be looked at take no index.
                    tx.script(&["SET CONSTRAINTS ALL IMMEDIATE".to_owned()])?;
                    // One by one: each may take as long as a statement may.
                    rules.iter().try_for_each(|rule| tx.script(slice::from_ref(rule)))?;
                    copying.compare(tx, &tallies)?;
                    // Until the server knows what came, it guesses, and answers slowly.
                    tx.script(&["ANALYZE".to_owned()])?;
                    marks::arrive(tx, token)
                });
            }
            Target::File(path) => path,
            Target::Bucket { cloud, .. } => cloud.path(),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = path.with_file_name(format!(".{name}.migration.holotype-tmp"));
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(&draft, error));
            }
            _ => {}
        }
        let made = Db::draft(&draft, |tx| {
            tx.script(&ddl::create_own(Dialect::Sqlite))?;
            let tallies = copying.pour(tx, last_ids)?;
            copying.compare(tx, &tallies)?;
            marks::arrive(tx, token)
        });
        let placed = made.and_then(|()| match self {
            Target::Bucket { cloud, root } => {
                cloud.bring(&draft, &kept_end(env), |path| match found_in_bucket(path, root, cloud.url()) {
                    Found::Something(error) => Err(error),
                    Found::Former => Ok(true),
                    Found::Nothing | Found::Unused => Ok(false),
                })
            }
            _ if stage == Stage::Copy && path.exists() => Err(occupied_file(&path.display())),
            _ => {
                fs::rename(&draft, path).map_err(|error| Error::io(path, error))?;
                path.parent().map_or(Ok(()), sync::folder)
            }
        });
        if placed.is_err() || matches!(self, Target::Bucket { .. }) {
            fs::remove_file(&draft).ok();
        }
        placed
    }

    /// Notes that the copy is the instance.
    pub(super) fn settle(&self, env: &Env) -> Result<()> {
        match self {
            Target::Server(url) => marks::settle(&Db::connect(env, url)?),
            Target::File(path) => marks::settle(&Db::open(path, crate::db::Open::Existing)?),
            Target::Bucket { cloud, .. } => cloud.take_into_use(marks::is_arriving, marks::settle),
        }
    }
}

/// Returns what the database at `path`, which was fetched from a bucket, is to the instance with this default location.
fn found_in_bucket(path: &Path, root: &str, url: &str) -> Found {
    let judge = |db: &Db| -> Result<Option<Found>> {
        check_storage(db, root)?;
        let left = marks::departure_of(db)?.map(|_| Found::Former);
        Ok(if marks::is_arriving(db)? { Some(Found::Unused) } else { left })
    };
    // As with files.
    let found = Db::inspect(path).and_then(|db| judge(&db)).unwrap_or_default();
    found.unwrap_or_else(|| Found::Something(occupied_file(&url)))
}

/// Makes room on a server: what a migration that was broken off has left goes, anything else stays.
fn clear(tx: &Tx<'_>, url: &str, stage: Stage) -> Result<()> {
    let held = relations(&|sql, kinds| tx.rows(sql, kinds))?;
    if held.is_empty() {
        return Ok(());
    }
    if stage != Stage::CopyAgain || !marks::is_arriving_within(tx)? {
        return Err(occupied_server(url, &held));
    }
    let names: Vec<String> = ddl::create_all(Dialect::Postgres)
        .iter()
        .chain(&ddl::create_own(Dialect::Postgres))
        .filter(|statement| statement.starts_with("CREATE TABLE"))
        .filter_map(|statement| statement.split('"').nth(1))
        .map(|name| Dialect::Postgres.quote(name))
        .collect();
    tx.script(&[format!("DROP TABLE IF EXISTS {} CASCADE", names.join(", "))])
}

type Rows<'a> = dyn Fn(&Sql, &[Kind]) -> Result<Vec<Vec<crate::value::Value>>> + 'a;

/// Returns the names of some tables and the like in a server's database; what belongs to its extensions does not count.
fn relations(rows: &Rows<'_>) -> Result<Vec<String>> {
    let sql = Sql::new(
        "SELECT relname::text FROM pg_class c WHERE relnamespace = current_schema()::regnamespace \
         AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS (SELECT 1 FROM pg_depend d \
         WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1 LIMIT 4",
    );
    Ok(rows(&sql, &[Kind::Text])?.into_iter().flatten().map(|name| name.to_string()).collect())
}

fn occupied_server(url: &str, held: &[String]) -> Error {
    Error::new(
        ErrorKind::UnknownDatabase,
        format!(
            "{} is not empty (it holds {} …): create a database of its own for the instance, for example with createdb. \
             Nothing was changed.",
            masked(url),
            held.join(", ")
        ),
    )
}

fn occupied_file(place: &dyn Display) -> Error {
    Error::new(
        ErrorKind::FileExists,
        format!("{place} exists: move it away first, or name another file. Nothing was changed."),
    )
}
