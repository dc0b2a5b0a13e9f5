//! Conditions written so that the database takes the right index.

use super::condition::Operand;
use super::lookup::{End, Op};
use crate::db::Sql;
use crate::value::Value;

/// Id of the branch `main`.
const MAIN: i64 = 1;

/// Returns true for the conditions of default visibility: nearly all rows are on `main` and the latest of a family.
pub(super) fn holds_for_most(end: &End, op: Op, operand: &Operand) -> bool {
    match (end.column.name, op, operand) {
        ("branch", Op::In, Operand::Many(ids)) => ids.iter().any(|id| id.as_int() == Some(MAIN)),
        ("is_latest", Op::Exact, Operand::One(flag)) => flag.as_bool() == Some(true),
        _ => false,
    }
}

/// Returns a condition for which no index is used: databases that LaminDB made have one on every column.
pub(super) fn without_index(condition: Sql) -> Sql {
    let mut sqlite = Sql::new("(");
    sqlite.append(condition.clone()).push(") IS TRUE");
    // PostgreSQL knows how many rows there are of a kind.
    let mut sql = Sql::default();
    sql.fork(sqlite, condition);
    sql
}

/// Returns true for look-ups of texts that are served by an index that ignores case.
pub(super) fn by_text(end: &End, op: Op) -> bool {
    let served = match op {
        Op::StartsWith | Op::IStartsWith => true,
        Op::Exact => !end.column.indexed,
        _ => false,
    };
    served && end.column.prefixes && end.part.is_none()
}

/// Returns the range of the index in which all texts lie that are equal to this one, or start with it.
///
/// SQLite takes the index for `LIKE` itself only where it knows the pattern while it plans.
pub(super) fn bounds(expression: Sql, op: Op, text: &Value) -> Vec<Sql> {
    let bound = |sign: &str, value: Value| {
        let mut sql = expression.clone();
        sql.push(sign).bind(value).push(" COLLATE NOCASE");
        sql
    };
    let start = match text {
        Value::Null => return Vec::new(),
        text if op == Op::Exact => return vec![bound(" = ", text.clone())],
        text => text.to_string(),
    };
    if start.is_empty() {
        return Vec::new();
    }
    let mut bounds = vec![bound(" >= ", start.as_str().into())];
    bounds.extend(after(&start).map(|end| bound(" < ", end.into())));
    bounds
}

/// Returns a text that comes after all texts with this start, whatever the case of their ASCII letters.
fn after(start: &str) -> Option<String> {
    let mut end: Vec<char> = start.to_ascii_lowercase().chars().collect();
    while let Some(last) = end.pop() {
        // A step onto an upper-case letter counts as one onto the lower-case letter, which is further: right as well.
        if let Some(next) = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32) {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}
