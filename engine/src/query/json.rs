//! Conditions on JSON documents: texts compare as texts, numbers as numbers, everything else by its JSON form.

use super::build::{all, balanced, compare, not};
use super::condition::Operand;
use super::lookup::{End, Op};
use crate::db::Sql;
use crate::error::Result;
use crate::value::{Kind, Value};

type Json = serde_json::Value;

/// Returns the place inside the document in a column that the keys lead to.
pub(super) fn place(column: Sql, keys: &[String]) -> Sql {
    if keys.is_empty() {
        return column;
    }
    // One arrow per key; the last one yields the JSON text, so that texts and numbers stay distinct.
    let mut sqlite = column.clone();
    for key in keys {
        sqlite.push(" -> ");
        match key.parse::<i64>() {
            Ok(index) => sqlite.push(&index.to_string()),
            Err(_) => sqlite.bind(format!("$.{}", quoted(key))),
        };
    }
    let mut postgres = Sql::new("(");
    postgres.append(column).push(" #> ARRAY[").binds(keys.iter().map(Value::from)).push("]::text[])");
    let mut sql = Sql::default();
    sql.fork(sqlite, postgres);
    sql
}

fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns the condition `op operand` on a document; `whole` when it is that of the column itself.
pub(super) fn predicate(document: Sql, end: &End, op: Op, operand: Operand) -> Result<Sql> {
    let whole = end.json.is_empty();
    Ok(match (op, operand) {
        (Op::IsNull, Operand::One(value)) => {
            let mut sql = Sql::new("(");
            sql.append(document.clone()).push(" IS NULL");
            if whole {
                sql.push(" OR ").append(document).push(" = 'null'");
            }
            sql.push(")");
            if value.as_bool() == Some(true) { sql } else { not(sql) }
        }
        (Op::HasKey, Operand::One(key)) => has_key(&document, &key),
        (Op::HasKeys, Operand::Many(keys)) => all(keys.iter().map(|key| has_key(&document, key)).collect()),
        (Op::HasAnyKeys, Operand::Many(keys)) => {
            balanced(" OR ", keys.iter().map(|key| has_key(&document, key)).collect())
        }
        (Op::Exact, Operand::One(value)) => equals(&document, value),
        (Op::In, Operand::Many(values)) => {
            // Texts, of which there may be many, are handed over as one list.
            let is_text = |value: &Value| {
                matches!(value, Value::Text(_)) || value.as_json().is_some_and(Json::is_string)
            };
            let (texts, rest): (Vec<Value>, Vec<Value>) = values.into_iter().partition(is_text);
            let mut parts: Vec<Sql> = rest.into_iter().map(|value| equals(&document, value)).collect();
            if !texts.is_empty() {
                let texts = texts.into_iter().map(text_of).collect();
                let mut sql = Sql::new("(");
                sql.append(typed(&document, "text", "string")).push(" AND ");
                sql.append(compare(bare(&document), Kind::Text, Op::In, Operand::Many(texts))?).push(")");
                parts.push(sql);
            }
            balanced(" OR ", parts)
        }
        (Op::Gt | Op::Gte | Op::Lt | Op::Lte, Operand::One(value)) => {
            let mut sql = Sql::default();
            sql.fork(
                compare(bare(&document), Kind::Json, op, Operand::One(value.clone()))?,
                ordered(&document, op, value)?,
            );
            sql
        }
        (Op::Range, Operand::Many(values)) => {
            let mut sides = values.iter().cloned();
            let (low, high) = (sides.next().unwrap_or(Value::Null), sides.next().unwrap_or(Value::Null));
            let mut sql = Sql::default();
            sql.fork(
                compare(bare(&document), Kind::Json, op, Operand::Many(values))?,
                all(vec![ordered(&document, Op::Gte, low)?, ordered(&document, Op::Lte, high)?]),
            );
            sql
        }
        (op, operand) => compare(bare(&document), Kind::Text, op, operand)?,
    })
}

/// Returns the value without its JSON form: a text without quotes, a number.
fn bare(document: &Sql) -> Sql {
    let mut sqlite = Sql::new("json_extract(");
    sqlite.append(document.clone()).push(", '$')");
    let mut postgres = Sql::new("(");
    postgres.append(document.clone()).push(" #>> '{}')");
    let mut sql = Sql::default();
    sql.fork(sqlite, postgres);
    sql
}

/// Returns the condition that the value is of a type, which the two databases name differently.
fn typed(document: &Sql, sqlite: &str, postgres: &str) -> Sql {
    let mut sql = Sql::default();
    sql.spelled("json_type(", "jsonb_typeof(").append(document.clone());
    sql.spelled(&format!(") = '{sqlite}'"), &format!(") = '{postgres}'"));
    sql
}

fn has_key(document: &Sql, key: &Value) -> Sql {
    let mut sqlite = Sql::new("json_type(");
    sqlite.append(document.clone()).push(", ").bind(format!("$.{}", quoted(&key.to_string()))).push(")");
    let mut postgres = Sql::new("(");
    postgres.append(document.clone()).push(" -> ").bind(key.to_string()).push("::text)");
    let mut sql = Sql::default();
    sql.fork(sqlite, postgres).push(" IS NOT NULL");
    sql
}

/// Returns the condition that document and value compare as `op` says; those of different types never do.
fn ordered(document: &Sql, op: Op, value: Value) -> Result<Sql> {
    let value = Value::from(json_of(value));
    let mut sql = Sql::new("(jsonb_typeof(");
    sql.append(document.clone()).push(") = jsonb_typeof(").bind(value.clone()).push(") AND ");
    sql.append(compare(document.clone(), Kind::Json, op, Operand::One(value))?).push(")");
    Ok(sql)
}

fn equals(document: &Sql, value: Value) -> Sql {
    let mut sqlite = Sql::default();
    let mut postgres = document.clone();
    let json = json_of(value);
    match &json {
        Json::Null => postgres.push(" = 'null'::jsonb"),
        json => postgres.push(" = ").bind(json.clone()),
    };
    match json {
        Json::Null => {
            sqlite.append(typed(document, "null", "null"));
        }
        Json::Bool(flag) => {
            let name = if flag { "true" } else { "false" };
            sqlite.append(typed(document, name, name));
        }
        Json::Number(number) => {
            let number: Value = number.as_i64().map_or_else(|| number.as_f64().into(), Value::Int);
            sqlite.push("(json_type(").append(document.clone()).push(") IN ('integer', 'real') AND ");
            sqlite.append(bare(document)).push(" = ").bind(number).push(")");
        }
        json @ (Json::Array(_) | Json::Object(_)) => {
            sqlite.push("json(").append(document.clone()).push(") = json(").bind(json).push(")");
        }
        Json::String(text) => {
            sqlite.push("(").append(typed(document, "text", "string")).push(" AND ");
            sqlite.append(bare(document)).push(" = ").bind(text).push(")");
        }
    }
    let mut sql = Sql::default();
    sql.fork(sqlite, postgres);
    sql
}

/// Returns the value as a document holds it.
fn json_of(value: Value) -> Json {
    match value {
        Value::Json(json) => *json,
        Value::Null => Json::Null,
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => value.into_json(),
        other => text_of(other).into_json(),
    }
}

fn text_of(value: Value) -> Value {
    match value {
        Value::Json(json) if json.is_string() => Value::Text(json.as_str().unwrap_or_default().to_owned()),
        Value::DateTime(moment) => Value::Text(moment.to_iso()),
        other => Value::Text(other.to_string()),
    }
}
