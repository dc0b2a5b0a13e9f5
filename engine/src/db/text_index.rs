//! The index behind the search: trigrams of every searched text, kept right whoever writes the rows.
//!
//! It may be behind: rows above the watermark `upto`, and those that triggers noted as changed, are not looked up but
//! read. So it is grown a little at a time, by the searches that need it, and no reader ever waits for it. The triggers
//! touch plain tables only: they fire in programs whose SQLite knows nothing of full-text search, too. A table that is
//! rebuilt loses them without a word, which is how it is noticed that the index has to start anew.

use super::{Db, Dialect, Sql, Tx};
use crate::error::Result;
use crate::faults;
use crate::model::Registry;
use crate::value::{Kind, Value};

/// Rows from which on a registry has an index: reading them all takes some 10 ms.
const MANY: u64 = 20_000;

/// Rows that may be missing from the index: reading them takes less time than one more transaction.
const LEFT: i64 = 500;

/// Indexing a row takes as long as reading some 100 rows, so a search that adds the hundredth part of them takes about
/// twice its time, and after a hundred searches all rows are in.
const SHARE: i64 = 100;

/// Rows that one search adds at most, so that other writers wait for no more than half a second.
const MOST: i64 = 10_000;

/// Trigrams of a text that are looked up: more of them would hardly exclude more rows.
const TRIGRAMS: usize = 24;

/// The watermark of an index without rows: some records have an id below 1.
const NOTHING: i64 = i64::MIN;

const STATE: &str = "holotype_search";
const DIRTY: &str = "holotype_search_dirty";

/// Returns the names of the fields that are searched when none are named.
pub(crate) fn searched(registry: &Registry) -> Vec<&'static str> {
    let columns = registry.columns.iter();
    columns.filter(|column| column.kind.is_text() && !column.private()).map(|column| column.column).collect()
}

/// Returns a condition that all rows fulfil in which one of `fields` holds `text`, whatever the case; grows the index.
///
/// Nothing is returned where reading all rows is the better way.
pub(crate) fn candidates(db: &Db, registry: &'static Registry, fields: &[&str], text: &str) -> Option<Sql> {
    let index = TextIndex::new(registry);
    let wanted = trigrams(text).filter(|_| db.dialect() == Dialect::Sqlite)?;
    if fields.iter().any(|field| !index.columns.contains(field)) {
        return None;
    }
    // Neither a full disk nor a damaged index may make a search fail: all rows can be read without them.
    let many = i64::try_from(faults::limit("search.index", MANY)).unwrap_or(i64::MAX);
    let last = index.last_id(db).ok().filter(|last| *last > many)?;
    let mut state = index.state(|sql, kinds| db.rows(sql, kinds)).ok()?;
    let left = many.min(LEFT);
    if state.is_none_or(|state| state.missing > left)
        && let Ok(Some(grown)) = db.try_write(|tx| index.grow(tx, (last / SHARE).clamp(left, MOST)))
    {
        state = Some(grown);
    }
    // As long as most rows are missing, excluding the others takes longer than reading them.
    state.filter(|state| state.upto >= last / 2)?;
    Some(index.condition(&wanted))
}

/// Returns the statements that take the triggers off whose tables are gone; without them every write would fail.
pub(crate) fn orphans(db: &Db) -> Result<Vec<String>> {
    if db.dialect() != Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let mut sql =
        Sql::new("SELECT \"name\" FROM sqlite_master WHERE \"type\" = 'trigger' AND \"name\" GLOB ");
    sql.bind(format!("{STATE}_*")).push(" AND (SELECT COUNT(*) FROM sqlite_master WHERE \"name\" IN (");
    sql.binds([STATE, DIRTY].map(Value::from)).push(")) < 2");
    let names = db.rows(&sql, &[Kind::Text])?;
    Ok(names.iter().flatten().map(|name| drop_statement("TRIGGER", &name.to_string())).collect())
}

/// Returns the trigrams to look up as an expression of FTS5; nothing when the text is too short or cannot be spelled.
fn trigrams(text: &str) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() < 3 || text.contains('\0') {
        return None;
    }
    let starts = characters.len() - 2;
    let step = starts.div_ceil(TRIGRAMS);
    let quoted = |start: usize| {
        let trigram: String = characters[start..start + 3].iter().collect();
        format!("\"{}\"", trigram.replace('"', "\"\""))
    };
    Some((0..starts).step_by(step).map(quoted).collect::<Vec<_>>().join(" AND "))
}

fn drop_statement(what: &str, name: &str) -> String {
    format!("DROP {what} IF EXISTS {}", Dialect::Sqlite.quote(name))
}

/// How far an index has come.
#[derive(Clone, Copy, Debug)]
struct State {
    /// Rows up to this id have been read.
    upto: i64,
    /// Rows that are not in it; counted as far as it matters.
    missing: i64,
}

struct TextIndex {
    table: &'static str,
    name: String,
    columns: Vec<&'static str>,
}

impl TextIndex {
    fn new(registry: &Registry) -> TextIndex {
        let stem = registry.table.trim_start_matches("lamindb_");
        TextIndex { table: registry.table, name: format!("{STATE}_{stem}"), columns: searched(registry) }
    }

    /// Returns everything that makes the index, as `sqlite_master` shows it: kind, name, statement.
    fn parts(&self) -> [(&'static str, String, String); 5] {
        let quote = |name: &str| Dialect::Sqlite.quote(name);
        let columns: Vec<String> = self.columns.iter().map(|column| quote(column)).collect();
        let (columns, table) = (columns.join(", "), Dialect::Sqlite.literal(self.table));
        let [state, dirty, on, index] = [STATE, DIRTY, self.table, &self.name].map(quote);
        // A table may lose a column while the trigger is there: it must name none of them outside of `OF`.
        let note = |name: &str, event: &str| {
            format!(
                "CREATE TRIGGER {} AFTER {event} ON {on} BEGIN INSERT INTO {dirty} (\"table\", \"id\") \
                 SELECT {table}, new.\"id\" \
                 WHERE new.\"id\" <= (SELECT \"upto\" FROM {state} WHERE \"table\" = {table}) \
                 AND NOT EXISTS (SELECT 1 FROM {dirty} WHERE \"table\" = {table} AND \"id\" = new.\"id\"); END",
                quote(name)
            )
        };
        let [inserted, updated] = ["inserted", "updated"].map(|event| format!("{}_{event}", self.name));
        let insert = note(&inserted, "INSERT");
        let update = note(&updated, &format!("UPDATE OF \"id\", {columns}"));
        [
            (
                "TABLE",
                STATE.to_owned(),
                format!(
                    "CREATE TABLE {state} (\"table\" TEXT NOT NULL PRIMARY KEY, \"upto\" bigint NOT NULL)"
                ),
            ),
            (
                "TABLE",
                DIRTY.to_owned(),
                format!(
                    "CREATE TABLE {dirty} (\"table\" TEXT NOT NULL, \"id\" bigint NOT NULL, PRIMARY KEY (\"table\", \"id\")) WITHOUT ROWID"
                ),
            ),
            (
                "TABLE",
                self.name.clone(),
                format!(
                    "CREATE VIRTUAL TABLE {index} USING fts5({columns}, tokenize = 'trigram', detail = 'none', content = '', contentless_delete = 1)"
                ),
            ),
            ("TRIGGER", inserted, insert),
            ("TRIGGER", updated, update),
        ]
    }

    fn last_id(&self, db: &Db) -> Result<i64> {
        let mut sql = Sql::new("SELECT MAX(\"id\") FROM ");
        sql.ident(self.table);
        Ok(int(db.scalar(&sql, Kind::BigInt)?))
    }

    /// Returns how far the index has come; nothing when there is none that can be trusted.
    fn state(&self, rows: impl Fn(&Sql, &[Kind]) -> Result<Vec<Vec<Value>>>) -> Result<Option<State>> {
        let parts = self.parts();
        let mut found = Sql::new("SELECT \"sql\" FROM sqlite_master WHERE \"name\" IN (");
        found.binds(parts.iter().map(|(_, name, _)| Value::Text(name.clone()))).push(")");
        let found = rows(&found, &[Kind::Text])?;
        if !parts.iter().all(|(.., sql)| is_there(&found, sql)) {
            return Ok(None);
        }
        let mut sql = Sql::new("SELECT \"upto\", ");
        let enough = LEFT + 1;
        sql.push("(SELECT COUNT(*) FROM (SELECT 1 FROM ").ident(self.table);
        sql.push(&format!(
            " WHERE \"id\" > \"upto\" LIMIT {enough})) + (SELECT COUNT(*) FROM (SELECT 1 FROM "
        ));
        sql.ident(DIRTY).push(" AS noted WHERE noted.\"table\" = ").bind(self.table);
        sql.push(&format!(" LIMIT {enough})) FROM "))
            .ident(STATE)
            .push(" WHERE \"table\" = ")
            .bind(self.table);
        let rows = rows(&sql, &[Kind::BigInt, Kind::BigInt])?;
        Ok(rows.into_iter().next().map(|row| {
            let mut cells = row.into_iter();
            State { upto: int(cells.next()), missing: int(cells.next()) }
        }))
    }

    /// Adds up to `most` rows, to an index made anew where there is none that can be trusted.
    fn grow(&self, tx: &Tx<'_>, most: i64) -> Result<State> {
        let rows = |sql: &Sql, kinds: &[Kind]| tx.rows(sql, kinds);
        if self.state(rows)?.is_none() {
            self.start(tx)?;
        }
        let noted = self.take_noted(tx, most)?;
        self.take_new(tx, most - noted)?;
        faults::hit("index.grown");
        Ok(self.state(rows)?.unwrap_or(State { upto: NOTHING, missing: i64::MAX }))
    }

    /// Makes the index without any rows.
    fn start(&self, tx: &Tx<'_>) -> Result<()> {
        let shared = [STATE, DIRTY];
        let mut found = Sql::new("SELECT \"sql\" FROM sqlite_master WHERE \"name\" IN (");
        found.binds(shared.map(Value::from)).push(")");
        let found = tx.rows(&found, &[Kind::Text])?;
        for (kind, name, sql) in self.parts() {
            // Other registries keep their notes in the shared tables.
            if !(shared.contains(&name.as_str()) && is_there(&found, &sql)) {
                tx.execute(&Sql::new(drop_statement(kind, &name)))?;
                tx.execute(&Sql::new(sql))?;
            }
        }
        for table in shared {
            let mut forget = Sql::new("DELETE FROM ");
            forget.ident(table).push(" WHERE \"table\" = ").bind(self.table);
            tx.execute(&forget)?;
        }
        let mut begin = Sql::new("INSERT INTO ");
        begin
            .ident(STATE)
            .push(" (\"table\", \"upto\") VALUES (")
            .bind(self.table)
            .push(", ")
            .bind(NOTHING)
            .push(")");
        tx.execute(&begin).map(drop)
    }

    /// Reads rows again that were noted as changed, and returns how many.
    fn take_noted(&self, tx: &Tx<'_>, most: i64) -> Result<i64> {
        let noted = || {
            let mut sql = Sql::new("SELECT \"id\" FROM ");
            sql.ident(DIRTY).push(" WHERE \"table\" = ").bind(self.table);
            sql.push(&format!(" ORDER BY \"id\" LIMIT {most}"));
            sql
        };
        let count = tx.rows(&noted(), &[Kind::BigInt])?.len();
        if count == 0 {
            return Ok(0);
        }
        let mut forget = Sql::new("DELETE FROM ");
        forget.ident(&self.name).push(" WHERE rowid IN (").append(noted()).push(")");
        tx.execute(&forget)?;
        let mut chosen = Sql::new("\"id\" IN (");
        chosen.append(noted()).push(")");
        self.take(tx, chosen)?;
        let mut done = Sql::new("DELETE FROM ");
        done.ident(DIRTY).push(" WHERE \"table\" = ").bind(self.table);
        done.push(" AND \"id\" IN (").append(noted()).push(")");
        tx.execute(&done)?;
        Ok(i64::try_from(count).unwrap_or(most))
    }

    /// Reads rows above the watermark and raises it.
    fn take_new(&self, tx: &Tx<'_>, most: i64) -> Result<()> {
        let upto = || {
            let mut sql = Sql::new("(SELECT \"upto\" FROM ");
            sql.ident(STATE).push(" WHERE \"table\" = ").bind(self.table).push(")");
            sql
        };
        let mut end = Sql::new("SELECT MAX(\"id\") FROM (SELECT \"id\" FROM ");
        end.ident(self.table).push(" WHERE \"id\" > ").append(upto());
        end.push(&format!(" ORDER BY \"id\" LIMIT {})", most.max(0)));
        let Some(end) = tx.scalar(&end, Kind::BigInt)?.and_then(|end| end.as_int()) else { return Ok(()) };
        let mut chosen = Sql::new("\"id\" > ");
        chosen.append(upto()).push(" AND \"id\" <= ").bind(end);
        self.take(tx, chosen)?;
        let mut raise = Sql::new("UPDATE ");
        raise.ident(STATE).push(" SET \"upto\" = ").bind(end).push(" WHERE \"table\" = ").bind(self.table);
        tx.execute(&raise).map(drop)
    }

    fn take(&self, tx: &Tx<'_>, chosen: Sql) -> Result<()> {
        let mut sql = Sql::new("INSERT INTO ");
        sql.ident(&self.name)
            .push(" (rowid, ")
            .idents(self.columns.iter().copied())
            .push(") SELECT \"id\", ");
        sql.idents(self.columns.iter().copied())
            .push(" FROM ")
            .ident(self.table)
            .push(" WHERE ")
            .append(chosen);
        tx.execute(&sql).map(drop)
    }

    /// Returns the condition on the rows known as `t0`: looked up, noted as changed, or above the watermark.
    fn condition(&self, wanted: &str) -> Sql {
        let mut sql = Sql::new("t0.\"id\" IN (SELECT rowid FROM ");
        sql.ident(&self.name).push(" WHERE ").ident(&self.name).push(" MATCH ").bind(wanted);
        sql.push(" UNION ALL SELECT \"id\" FROM ").ident(DIRTY).push(" WHERE \"table\" = ").bind(self.table);
        sql.push(" UNION ALL SELECT \"id\" FROM ")
            .ident(self.table)
            .push(" WHERE \"id\" > (SELECT \"upto\" FROM ");
        sql.ident(STATE).push(" WHERE \"table\" = ").bind(self.table).push("))");
        sql
    }
}

fn is_there(found: &[Vec<Value>], sql: &str) -> bool {
    found.iter().flatten().any(|found| found.as_str() == Some(sql))
}

fn int(value: Option<Value>) -> i64 {
    value.and_then(|value| value.as_int()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::trigrams;

    #[test]
    fn a_text_becomes_its_trigrams() {
        assert_eq!(trigrams("ab"), None);
        assert_eq!(trigrams("aäß"), Some("\"aäß\"".to_owned()));
        assert_eq!(trigrams("a\"bc"), Some("\"a\"\"b\" AND \"\"\"bc\"".to_owned()));
        let long = trigrams(&"abcdefghij".repeat(4_000)).unwrap_or_default();
        assert!((12..=24).contains(&(long.matches(" AND ").count() + 1)), "a long text asks for few of them");
    }
}
