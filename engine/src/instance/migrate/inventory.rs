//! What a database holds: its tables, as far as this version knows what their columns mean.

use std::collections::BTreeMap;

use crate::db::meta::META;
use crate::db::{Cell, Db, Sql, ddl};
use crate::error::{Error, ErrorKind, Result};
use crate::model;
use crate::value::{Kind, Timestamp, Value};

/// The beginning of the names of tables that are made anew from others, and of those that the databases keep for themselves.
const DERIVED: [&str; 2] = ["holotype_search", "sqlite_"];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain(Kind),
    Bytes,
}

/// A table to copy.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<(String, Form)>,
    /// Position of the column by which a row is known.
    key: usize,
    /// True for tables that number their rows.
    pub(super) numbered: bool,
    /// Rows.
    pub(super) rows: u64,
}

impl Table {
    pub(super) fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Returns the query for all rows, in the order of their keys.
    pub(super) fn select(&self, left_out: &[&str]) -> Sql {
        let mut sql = Sql::new("SELECT ");
        sql.idents(self.columns()).push(" FROM ").ident(&self.name);
        if self.name == META {
            sql.push(" WHERE \"key\" NOT IN (").binds(left_out.iter().map(|&key| key.into())).push(")");
        }
        sql.push(" ORDER BY ").idents(self.columns.get(self.key).map(|(name, _)| name.as_str()));
        if self.columns.get(self.key).is_some_and(|(_, form)| *form == Form::Plain(Kind::Text)) {
            sql.bytewise();
        }
        sql
    }

    /// Returns a row as values that the other database takes.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a cell that no database but SQLite would hold in such a column.
    pub(super) fn read(&self, cells: &[Cell<'_>]) -> Result<Vec<Value>> {
        let read = |(cell, (column, form)): (&Cell<'_>, &(String, Form))| match (*cell, *form) {
            (Cell::Null, _) => Ok(Value::Null),
            (Cell::Bytes(bytes), Form::Bytes) => Ok(Value::Bytes((*bytes).into())),
            (Cell::Text(text), Form::Bytes) => Ok(Value::Bytes(text.as_bytes().into())),
            // As text it loses nothing, neither digits nor keys that occur twice.
            (Cell::Text(text), Form::Plain(Kind::Json)) => Ok(Value::Text(text.to_owned())),
            (Cell::Text(text), Form::Plain(Kind::DateTime)) => match Timestamp::parse_sql(text) {
                Some(moment) => Ok(Value::DateTime(moment)),
                None => Err(self.misfit(column, cells, "no moment")),
            },
            (Cell::Bytes(_), Form::Plain(_)) => Err(self.misfit(column, cells, "bytes that are no text")),
            (cell, Form::Plain(kind)) => Ok(cell.read(kind)),
            (_, Form::Bytes) => Err(self.misfit(column, cells, "no bytes")),
        };
        cells.iter().zip(&self.columns).map(read).collect()
    }

    fn misfit(&self, column: &str, cells: &[Cell<'_>], what: &str) -> Error {
        let row = match cells.get(self.key) {
            Some(Cell::Int(id)) => id.to_string(),
            other => format!("{other:?}"),
        };
        Error::value(format!("Row {row} of {} holds {what} in {column}: correct it first", self.name))
    }

    /// Returns the key of a row, for messages.
    pub(super) fn key_of(&self, values: &[Value]) -> String {
        values.get(self.key).map(ToString::to_string).unwrap_or_default()
    }

    /// Returns true when the value is a document whose text may differ while its meaning does not.
    pub(super) fn is_document(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|(_, form)| *form == Form::Plain(Kind::Json))
    }
}

/// Returns the tables of a database, sorted by name, and how many rows each of them has.
///
/// # Errors
/// [`ErrorKind::Unsupported`] when there are rows in tables or columns that this version does not know: they would be lost.
pub(super) fn tables(db: &Db) -> Result<Vec<Table>> {
    let (mut known, mut strange) = (Vec::new(), Vec::new());
    for (name, columns) in found(db)? {
        let registry = model::all().iter().find(|registry| registry.table == name);
        let expected: Vec<(String, Form)> = match registry {
            Some(registry) => {
                let form = |column: &model::Column| (column.column.to_owned(), Form::Plain(column.kind));
                registry.columns.iter().map(form).collect()
            }
            None if ddl::own_names(db.dialect()).contains(&name) => {
                let form = |(name, type_): &(String, String)| Ok((name.clone(), form_of(type_)?));
                columns.iter().map(form).collect::<Result<_>>()?
            }
            None => {
                if count(db, &name, None)? > 0 {
                    strange.push(name);
                }
                continue;
            }
        };
        for (column, _) in &columns {
            let listed = expected.iter().any(|(known, _)| known == column);
            if !listed && count(db, &name, Some(column))? > 0 {
                strange.push(format!("{name}.{column}"));
            }
        }
        let rows = count(db, &name, None)?;
        let key = expected.iter().position(|(column, _)| column == "id").unwrap_or(0);
        known.push(Table { numbered: registry.is_some(), columns: expected, key, rows, name });
    }
    if strange.is_empty() {
        return Ok(known);
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "This version does not know what {} mean, and would leave their rows behind: remove them first, or keep this \
             database. Nothing was changed.",
            strange.join(", ")
        ),
    ))
}

/// Returns the columns of every table with their types.
fn found(db: &Db) -> Result<BTreeMap<String, Vec<(String, String)>>> {
    let mut sql = Sql::default();
    sql.spelled(
        "SELECT m.\"name\", p.\"name\", p.\"type\" FROM sqlite_master m, pragma_table_info(m.\"name\") p \
         WHERE m.\"type\" = 'table' ORDER BY m.\"name\", p.\"cid\"",
        "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL) FROM pg_class c \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) \
         AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) \
         ORDER BY c.relname, a.attnum",
    );
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in db.rows(&sql, &[Kind::Text; 3])? {
        let [table, column, type_] = [0, 1, 2].map(|i| row[i].to_string());
        if !DERIVED.iter().any(|start| table.starts_with(start)) {
            tables.entry(table).or_default().push((column, type_));
        }
    }
    Ok(tables)
}

/// Returns what a column of our own tables holds.
fn form_of(type_: &str) -> Result<Form> {
    Ok(match type_.to_ascii_lowercase().as_str() {
        "integer" | "bigint" => Form::Plain(Kind::BigInt),
        "text" => Form::Plain(Kind::Text),
        "datetime" | "timestamp with time zone" => Form::Plain(Kind::DateTime),
        "blob" | "bytea" => Form::Bytes,
        other => {
            let text =
                format!("A table of a newer Holotype has a column of the type {other}: install that version");
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
    })
}

/// Returns how many rows a table has, or how many of them have something in this column.
fn count(db: &Db, table: &str, column: Option<&str>) -> Result<u64> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM ");
    sql.ident(table);
    if let Some(column) = column {
        sql.push(" WHERE ").ident(column).push(" IS NOT NULL");
    }
    let count = db.scalar(&sql, Kind::BigInt)?.and_then(|count| count.as_int());
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}
