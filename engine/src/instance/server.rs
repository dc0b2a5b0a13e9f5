//! The tables and first rows of an instance on a database server, made in one transaction.

use super::init::fill;
use super::level;
use super::marker::Marker;
use super::settings::{InstanceSettings, UserSettings};
use crate::db::{Db, Dialect, Sql, Tx, ddl, masked};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::value::Kind;

/// Tables by which a database of the format is known.
const TABLES: [&str; 3] = ["django_migrations", "lamindb_artifact", "lamindb_space"];

/// Registries whose first rows come with ids of their own.
const NUMBERED: [&str; 4] = ["lamindb_space", "lamindb_user", "lamindb_branch", "lamindb_storage"];

/// Returns true when the database holds tables of the format.
pub(super) fn holds_tables(env: &Env, url: &str) -> Result<bool> {
    Ok(!Db::connect(env, url)?.present(&TABLES)?.is_empty())
}

/// Makes the tables and first rows in the database at `url` and returns the marker of the default location.
///
/// A database that holds this very instance already is taken as it is: that is how further machines join, and how an
/// `init` that was broken off after the database was made is finished.
///
/// # Errors
/// [`ErrorKind::UnknownDatabase`] when the database holds anything else; nothing is changed then.
pub(super) fn make(
    env: &Env,
    url: &str,
    settings: &InstanceSettings,
    user: &UserSettings,
    marker: Marker,
) -> Result<Marker> {
    let db = Db::connect(env, url)?;
    let shown = masked(url);
    if held(&db)? {
        return join(&db, &shown, settings, marker);
    }
    let made = db.write(|tx| {
        let tables = tx.present(&TABLES)?;
        if tables.is_empty() {
            tx.script(&ddl::create_all(Dialect::Postgres))?;
        } else if tables.len() < TABLES.len() || holds_rows(tx)? {
            // Somebody was faster.
            return Ok(false);
        }
        tx.script(&ddl::create_own(Dialect::Postgres))?;
        fill(env, tx, settings, user, &marker.storage_uid)?;
        NUMBERED.iter().try_for_each(|table| tx.renumber(table, 0))?;
        Ok(true)
    })?;
    if made { Ok(marker) } else { join(&db, &shown, settings, marker) }
}

/// Returns true when the database holds more than tables that were prepared for an instance.
fn held(db: &Db) -> Result<bool> {
    let tables = db.present(&TABLES)?;
    if tables.len() < TABLES.len() {
        return Ok(!tables.is_empty());
    }
    let rows = db.rows(&any_row(), &[Kind::Int])?;
    Ok(!rows.is_empty())
}

fn holds_rows(tx: &Tx<'_>) -> Result<bool> {
    Ok(!tx.rows(&any_row(), &[Kind::Int])?.is_empty())
}

fn any_row() -> Sql {
    Sql::new("SELECT 1 FROM \"lamindb_space\" UNION ALL SELECT 1 FROM \"django_migrations\" LIMIT 1")
}

/// Returns the marker of an instance that is in the database already.
fn join(db: &Db, shown: &str, settings: &InstanceSettings, marker: Marker) -> Result<Marker> {
    level::check(db, shown)?;
    let mut sql = Sql::new("SELECT \"uid\" FROM \"lamindb_storage\" WHERE \"root\" = ");
    sql.bind(settings.storage_root.as_str()).push(" AND \"instance_uid\" = ").bind(settings.uid());
    match db.scalar(&sql, Kind::Text)? {
        Some(uid) => Ok(Marker { storage_uid: uid.to_string(), ..marker }),
        None => Err(Error::new(
            ErrorKind::UnknownDatabase,
            format!(
                "{shown} holds another instance already: connect with its URL to work with that one, or create a database of its \
                 own for {}. Nothing was changed.",
                settings.slug()
            ),
        )),
    }
}
