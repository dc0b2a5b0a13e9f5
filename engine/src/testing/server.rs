//! A database of its own for every test on a PostgreSQL server, copied from one with all tables.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::db::{Db, Dialect, Sql, ddl};
use crate::env::Env;
use crate::error::Result;
use crate::value::Kind;

/// The environment variable that names the server: the URL of a database on it that may make others.
const SERVER: &str = "HOLOTYPE_TEST_DB";

/// The environment variable that names a pooler before the server, through which the tests then reach their databases.
const POOLER: &str = "HOLOTYPE_TEST_POOLER";

static MADE: AtomicU64 = AtomicU64::new(0);

/// A database that goes away when it is dropped.
pub struct Database {
    server: Db,
    name: String,
    url: String,
}

impl Database {
    /// Returns a new database with the tables of the format, or nothing when the tests run on SQLite.
    ///
    /// # Errors
    /// Failures of the server.
    pub fn prepared(env: &Env) -> Result<Option<Database>> {
        let Some(url) = named(SERVER) else { return Ok(None) };
        let server = Db::connect(env, &url)?;
        let blank = template(env, &server, &url)?;
        let through = named(POOLER).unwrap_or(url);
        Database::make(server, &through, &format!("TEMPLATE {blank} STRATEGY wal_log")).map(Some)
    }

    /// Returns a new database without tables on the server of which `url` names another one.
    ///
    /// # Errors
    /// Failures of the server.
    pub fn on(env: &Env, url: &str) -> Result<Database> {
        Database::make(Db::connect(env, url)?, url, "TEMPLATE template0")
    }

    fn make(server: Db, url: &str, how: &str) -> Result<Database> {
        let name = format!("t_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        run(&server, &format!("CREATE DATABASE {name} {how}"))?;
        Ok(Database { server, url: on(url, &name), name })
    }

    /// Returns the URL.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The cluster of a test run goes away as a whole: what is left here does no harm.
        run(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).ok();
    }
}

/// Returns the kind of database that the tests run on.
pub fn dialect() -> Dialect {
    named(SERVER).map_or(Dialect::Sqlite, |_| Dialect::Postgres)
}

/// Returns the URL that a variable holds.
#[allow(clippy::disallowed_methods, reason = "tests are told by the environment which database to run on")]
fn named(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}

/// Makes the database that others are copied from, unless it is there, and returns its name.
fn template(env: &Env, server: &Db, url: &str) -> Result<String> {
    let tables = ddl::create_all(Dialect::Postgres);
    let digest = blake3::hash(tables.join(";").as_bytes()).to_hex();
    let name = format!("blank_{}", &digest[..12]);
    let mut known = Sql::new("SELECT 1 FROM pg_database WHERE datname = ");
    known.bind(name.as_str());
    if server.scalar(&known, Kind::Int)?.is_some() {
        return Ok(name);
    }
    // The transaction makes the others wait; databases are made outside of any.
    server.write(|tx| {
        if tx.scalar(&known, Kind::Int)?.is_none() {
            let draft = format!("{name}_draft");
            run(server, &format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"))?;
            run(server, &format!("CREATE DATABASE {draft} TEMPLATE template0"))?;
            Db::connect(env, &on(url, &draft))?.script(&tables)?;
            run(server, &format!("ALTER DATABASE {draft} RENAME TO {name}"))?;
        }
        Ok(())
    })?;
    Ok(name)
}

fn run(server: &Db, statement: &str) -> Result<()> {
    server.each(&Sql::new(statement), &mut |_| Ok(()))
}

/// Returns the URL of another database on the same server.
fn on(url: &str, name: &str) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let server = place.rsplit_once('/').map_or(place, |(server, _)| server);
    format!("{server}/{name}?{query}")
}
