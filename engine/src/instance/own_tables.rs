//! The tables and indexes that only this engine knows, added to databases that others made; the reference ignores them.

use crate::db::{Db, Dialect, Sql, ddl, text_index};
use crate::error::{ErrorKind, Result};
use crate::value::{Kind, Value};

/// Adds what is missing, unless the database may not be written.
pub(super) fn add(db: &Db) -> Result<()> {
    if db.read_only() {
        return Ok(());
    }
    let names = ddl::own_names(db.dialect());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let present = db.present(&names)?;
    let missing: Vec<&str> =
        names.into_iter().filter(|name| !present.iter().any(|here| here == name)).collect();
    match db.dialect() {
        _ if missing.is_empty() => {}
        Dialect::Sqlite => db.script(&ddl::create_own(Dialect::Sqlite))?,
        Dialect::Postgres => add_on_server(db, &missing)?,
    }
    match text_index::orphans(db)? {
        orphans if orphans.is_empty() => Ok(()),
        orphans => db.script(&orphans),
    }
}

/// Adds what is missing on a server, where whoever writes need not own the tables.
///
/// A login that may not make our tables can read all the same. Indexes on tables of others are left to their owner.
fn add_on_server(db: &Db, missing: &[&str]) -> Result<()> {
    let tables: Vec<&str> = missing.iter().copied().filter(|name| !name.ends_with("_idx")).collect();
    let owner = Sql::new(
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('lamindb_artifact')",
    );
    let owns = db.scalar(&owner, Kind::Bool)? == Some(Value::Bool(true));
    if tables.is_empty() && !owns {
        return Ok(());
    }
    let mut statements = ddl::create_own(Dialect::Postgres);
    if !owns {
        statements.retain(|statement| {
            statement.starts_with("CREATE TABLE") || statement.contains(" ON \"holotype_")
        });
    }
    if !tables.is_empty() {
        statements.push(ddl::share(&tables));
    }
    match db.script(&statements) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            if !tables.is_empty() {
                db.forbid_writing(format!(
                    "Nothing can be written here before the tables of Holotype are there, which this login may not make: let the \
                     owner of the database connect with Holotype once ({})",
                    error.message()
                ));
            }
            Ok(())
        }
        done => done,
    }
}
