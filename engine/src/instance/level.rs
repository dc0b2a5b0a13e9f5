//! The level of a database: which migrations it has seen, and whether this version knows them.

use crate::db::{Db, Dialect, Sql};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Kind, Value};

/// The migration rows of a fresh database: app, name, date of application.
pub(super) fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    include_str!("data/migrations.tsv").lines().filter_map(|line| {
        let mut cells = line.split('\t');
        Some((cells.next()?, cells.next()?, cells.next()?))
    })
}

/// Modules whose tables this version does not know but leaves in peace.
const FOREIGN_APPS: [&str; 4] = ["pertdb", "wetlab", "contenttypes", "auth"];

/// Releases that a database must pass on its way to 2.12, which itself migrates no older ones: with the last migration of each.
const LAST_LEVELS: [(&str, u32); 2] = [("1.9.1", 115), ("2.0.1", 177)];

/// Refuses databases of another program and of another level; nothing is written.
///
/// # Errors
/// [`ErrorKind::UnknownDatabase`] naming what was found and what to do.
pub(super) fn check(db: &Db, place: &str) -> Result<()> {
    let refuse = |text: String| Err(unknown(place, &text));
    let tables = db.present(&["django_migrations", "lamindb_artifact", "lnschema_core_artifact"])?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    if has("lnschema_core_artifact") && !has("lamindb_artifact") {
        return refuse(
            "was made by a LaminDB before 1.0, whose tables no later release takes over: go on with it in that release, or make \
             a new instance in another folder and save its files there. Nothing was changed."
                .to_owned(),
        );
    }
    if !has("django_migrations") || !has("lamindb_artifact") {
        return Err(match db.dialect() {
            Dialect::Sqlite => {
                unknown(place, "is a database of another program: choose another storage location")
            }
            Dialect::Postgres => out_of_sight(db, place)?,
        });
    }
    let applied = db.rows(&Sql::new("SELECT app, name FROM django_migrations"), &[Kind::Text, Kind::Text])?;
    let known: Vec<(&str, &str)> = rows().map(|(app, name, _)| (app, name)).collect();
    for row in &applied {
        let (Some(app), Some(name)) = (row[0].as_str(), row[1].as_str()) else { continue };
        if known.contains(&(app, name)) || FOREIGN_APPS.contains(&app) || !is_newer(&known, app, name) {
            continue;
        }
        return refuse(format!(
            "is of a newer level (migration {app} {name}) than this version of Holotype knows: install a newer Holotype. \
             Nothing was changed."
        ));
    }
    let latest = ("lamindb", "0193_v2_9_part_2");
    let present = |(app, name): (&str, &str)| {
        applied.iter().any(|row| row[0].as_str() == Some(app) && row[1].as_str() == Some(name))
    };
    if !present(latest) && !present(("lamindb", "0193_squashed")) {
        let numbers = applied.iter().filter(|row| row[0].as_str() == Some("lamindb"));
        let level = numbers.filter_map(|row| number(row[1].as_str()?)).max().unwrap_or(0);
        let through = LAST_LEVELS.iter().filter(|(_, last)| *last > level).map(|(release, _)| *release);
        let releases: Vec<&str> = through.chain(["2.12"]).collect();
        return refuse(format!(
            "is of an older level (migration {level:04}) than 2.12: let LaminDB {} migrate it (`lamin migrate deploy` with each \
             release, in this order), then connect again. Nothing was changed.",
            releases.join(", then ")
        ));
    }
    Ok(())
}

fn unknown(place: &str, text: &str) -> Error {
    Error::new(ErrorKind::UnknownDatabase, format!("{place} {text}"))
}

/// Returns why a login finds no instance in a database: there is none, or it does not see the schema that it is in.
fn out_of_sight(db: &Db, place: &str) -> Result<Error> {
    let sql = Sql::new(
        "SELECT quote_ident(nspname), quote_ident(current_user), has_schema_privilege(pg_namespace.oid, 'USAGE') \
         FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE relname = 'lamindb_artifact' AND relkind = 'r' ORDER BY nspname LIMIT 1",
    );
    let rows = db.rows(&sql, &[Kind::Text, Kind::Text, Kind::Bool])?;
    Ok(match rows.first().map(Vec::as_slice) {
        Some([Value::Text(schema), _, Value::Bool(true)]) => unknown(
            place,
            &format!(
                "holds an instance in schema {schema}, where this URL does not look: add options=-csearch_path%3D{schema} to its \
                 parameters"
            ),
        ),
        Some([Value::Text(schema), Value::Text(role), _]) => Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "{place} holds an instance in schema {schema}, which {role} must not use: let its owner run `GRANT USAGE ON \
                 SCHEMA {schema} TO {role}`"
            ),
        ),
        _ => unknown(place, "is no database of an instance: name another one"),
    })
}

/// Returns the number that the name of a migration begins with.
fn number(name: &str) -> Option<u32> {
    name.split('_').next().and_then(|digits| digits.parse().ok())
}

/// Returns true for migrations numbered above the last one known of their app, and for apps never heard of.
fn is_newer(known: &[(&str, &str)], app: &str, name: &str) -> bool {
    let last = known.iter().filter(|(other, _)| *other == app).filter_map(|(_, name)| number(name)).max();
    match (last, number(name)) {
        (Some(last), Some(this)) => this > last,
        (None, _) => false,
        (Some(_), None) => true,
    }
}
