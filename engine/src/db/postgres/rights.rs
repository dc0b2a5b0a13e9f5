//! What a login may do in a database, looked at once when it is opened.

use super::connection::Connection;
use crate::db::{Dialect, Sql, ddl};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Kind, Value};

/// What whoever works with a table has to be granted.
const ALL: &str = "SELECT, INSERT, UPDATE, DELETE";

/// Returns why nothing can be written, if that is so.
///
/// # Errors
/// [`ErrorKind::PermissionDenied`] where the tables of this engine are there but must not be read: they say which database
/// is the instance, and without them an answer might be one of yesterday.
pub(super) fn why_read_only(connection: &Connection, place: &str) -> Result<Option<String>> {
    let rows = connection
        .rows(&question(), &[Kind::Bool, Kind::Bool, Kind::Text, Kind::Text, Kind::Text, Kind::Text])?;
    let cell = |i: usize| rows.first().and_then(|row| row.get(i));
    let text = |i: usize| cell(i).and_then(Value::as_str);
    let (role, schema) = (text(4).unwrap_or_default(), text(5).unwrap_or("public"));
    if cell(0) == Some(&Value::Bool(true)) {
        return Ok(Some(format!(
            "{place} is read-only, as a replica or by default_transaction_read_only: save where it may be written"
        )));
    }
    if let Some(tables) = text(2) {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "{place} does not let {role} read the tables that Holotype added to it: let its owner run `GRANT {ALL} ON {tables} \
                 TO {role}` (SELECT alone is enough for reading)"
            ),
        ));
    }
    let missing = match text(3) {
        _ if cell(1) == Some(&Value::Bool(true)) => format!("ALL TABLES IN SCHEMA {schema}"),
        Some(tables) => tables.to_owned(),
        None => return Ok(None),
    };
    Ok(Some(format!(
        "{place} is read-only for {role}: ask its owner for write access, which `GRANT {ALL} ON {missing} TO {role}` gives"
    )))
}

/// Asks whether nobody may write, whether the role must not write artifacts, which of our own tables it must not read, which of
/// them it must not write, and its name and that of the schema.
fn question() -> Sql {
    let names = ddl::own_names(Dialect::Postgres);
    let own = |what: &str, condition: &str| {
        let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        format!(
            "(SELECT string_agg(quote_ident(relname), ', ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relname IN ({}) \
             AND pg_table_is_visible(oid) AND NOT ({condition})) AS {what}",
            names.join(", ")
        )
    };
    let may = |right: &str| format!("has_table_privilege(oid, '{right}')");
    Sql::new(format!(
        "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean, \
         NOT COALESCE(has_table_privilege(to_regclass('lamindb_artifact'), 'INSERT'), true), {}, {}, \
         quote_ident(current_user), quote_ident(current_schema())",
        own("unread", &may("SELECT")),
        own("unwritten", &["INSERT", "UPDATE", "DELETE"].map(may).join(" AND "))
    ))
}
