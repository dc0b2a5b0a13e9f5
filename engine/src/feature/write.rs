//! Values of features, written in a transaction that goes on.

use serde_json::Value as Json;

use super::{Checked, Values};
use crate::db::{Sql, Tx};
use crate::error::Result;
use crate::hash::value_hash;
use crate::instance::Instance;
use crate::model::{self, PlainValues, Registry};
use crate::record::Record;
use crate::value::{Kind, Value};
use crate::write::{self, Conflict, id_list};

/// Writes values of a host; those that it has already stay as they are.
///
/// Nobody else has to wait or fail where several add one value at the same time: who comes second uses the row of the
/// first.
pub(super) fn insert(instance: &Instance, tx: &Tx<'_>, host: &Record, values: &Values) -> Result<()> {
    let mut links: Vec<Record> = Vec::new();
    for one in &values.0 {
        for (way, id) in &one.labels.found {
            let mut row = Record::empty(way.link);
            row.set(way.near, host.id())?;
            row.set(way.far, *id)?;
            row.set("feature_id", one.feature.id())?;
            links.push(row);
        }
    }
    match model::plain_values(host.registry()) {
        Some(PlainValues::Shared(link, near, far)) => {
            for id in shared(instance, tx, &values.0)? {
                let mut row = Record::empty(link);
                row.set(near, host.id())?;
                row.set(far, id)?;
                links.push(row);
            }
        }
        Some(PlainValues::Own(registry, near)) => {
            for one in values.0.iter().filter(|one| !one.plain.is_empty()) {
                let mut row = Record::empty(registry);
                row.set(near, host.id())?;
                row.set("feature_id", one.feature.id())?;
                row.set("value", joined(tx, registry, near, host, one)?)?;
                links.push(row);
            }
        }
        None => {}
    }
    for row in &mut links {
        write::fill(instance, row)?;
    }
    // Rows of one table lie together, as they are inserted at once.
    links.sort_by_key(|row| row.registry().table);
    for rows in links.chunk_by(|a, b| a.registry().table == b.registry().table) {
        write::insert_batch(tx, rows, Conflict::Skip, &mut vec![None; rows.len()])?;
    }
    Ok(())
}

/// Returns the ids of the rows that hold values, which are made where nobody had these values.
fn shared(instance: &Instance, tx: &Tx<'_>, values: &[Checked]) -> Result<Vec<i64>> {
    let registry = model::require("JsonValue")?;
    let mut rows = Vec::new();
    let mut which = Vec::new();
    for one in values {
        for json in &one.plain {
            let hash = value_hash(json);
            let mut row = Record::empty(registry);
            row.set("feature_id", one.feature.id())?;
            row.set("value", json.clone())?;
            row.set("hash", hash.as_str())?;
            write::fill(instance, &mut row)?;
            rows.push(row);
            let mut same = Sql::new("(\"feature_id\" = ");
            same.bind(one.feature.id()).push(" AND \"hash\" = ").bind(hash).push(")");
            which.push(same);
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    write::insert_batch(tx, &rows, Conflict::Skip, &mut vec![None; rows.len()])?;
    let mut ids = Vec::new();
    for which in which.chunks(100) {
        let mut sql = Sql::new("SELECT \"id\" FROM ");
        sql.ident(registry.table).push(" WHERE ").join(" OR ", which.iter().cloned());
        let found = tx.rows(&sql, &[Kind::BigInt])?;
        ids.extend(found.iter().filter_map(|row| row.first().and_then(Value::as_int)));
    }
    Ok(ids)
}

/// Returns the value that a record holds from now on: what it had is the beginning of a list.
fn joined(
    tx: &Tx<'_>,
    registry: &'static Registry,
    near: &str,
    host: &Record,
    one: &Checked,
) -> Result<Json> {
    let [Json::Array(more)] = &one.plain[..] else {
        return Ok(one.plain.first().cloned().unwrap_or(Json::Null));
    };
    let mut own = Sql::new(" WHERE ");
    own.ident(near).push(" = ").bind(host.id()).push(" AND \"feature_id\" = ").bind(one.feature.id());
    let mut read = Sql::new("SELECT \"value\" FROM ");
    read.ident(registry.table).append(own.clone());
    let before = tx.scalar(&read, Kind::Json)?;
    let mut items = match before.as_ref().and_then(Value::as_json) {
        Some(Json::Array(items)) => items.clone(),
        _ => Vec::new(),
    };
    items.extend(more.iter().cloned());
    let mut delete = Sql::new("DELETE FROM ");
    delete.ident(registry.table).append(own);
    tx.execute(&delete)?;
    Ok(Json::Array(items))
}

/// What of a feature's values goes.
pub(super) enum Only<'a> {
    /// Values that name no record and have this hash.
    Hash(&'a str),
    /// Records of these ids, by registry.
    Labels(&'a [(model::Annotation, i64)]),
}

/// Takes values of features away and returns how many there were.
pub(super) fn remove(
    tx: &Tx<'_>,
    registry: &'static Registry,
    host: i64,
    features: &[i64],
    only: Option<&Only<'_>>,
) -> Result<usize> {
    if features.is_empty() {
        return Ok(0);
    }
    let mut gone = 0;
    let plain = match only {
        Some(Only::Labels(_)) => None,
        _ => model::plain_values(registry),
    };
    if let Some(plain) = plain {
        let mut sql = Sql::new("DELETE FROM ");
        let hash = match only {
            Some(Only::Hash(hash)) => Some(*hash),
            _ => None,
        };
        match plain {
            PlainValues::Own(rows, near) => {
                let mut own = Sql::new(" WHERE ");
                own.ident(near).push(" = ").bind(host);
                own.push(" AND \"feature_id\" IN (").append(id_list(features)).push(")");
                let mut read = Sql::new("SELECT \"value\" FROM ");
                read.ident(rows.table).append(own.clone());
                let other = |value: Option<Value>| {
                    value.is_none_or(|value| Some(value_hash(&value.into_json()).as_str()) != hash)
                };
                if hash.is_some() && other(tx.scalar(&read, Kind::Json)?) {
                    return Ok(0);
                }
                sql.ident(rows.table).append(own);
            }
            PlainValues::Shared(link, near, far) => {
                sql.ident(link.table).push(" WHERE ").ident(near).push(" = ").bind(host).push(" AND ");
                sql.ident(far).push(" IN (SELECT \"id\" FROM ");
                sql.ident(model::require("JsonValue")?.table);
                sql.push(" WHERE \"feature_id\" IN (").append(id_list(features)).push(")");
                if let Some(hash) = hash {
                    sql.push(" AND \"hash\" = ").bind(hash);
                }
                sql.push(")");
            }
        }
        gone += tx.execute(&sql)?;
    }
    if matches!(only, Some(Only::Hash(_))) {
        return Ok(gone);
    }
    for way in model::annotations_held(registry, |module| tx.holds(module))? {
        let mut sql = Sql::new("DELETE FROM ");
        sql.ident(way.link.table).push(" WHERE ").ident(way.near).push(" = ").bind(host);
        sql.push(" AND \"feature_id\" IN (").append(id_list(features)).push(")");
        if let Some(Only::Labels(labels)) = only {
            let ids: Vec<i64> =
                labels.iter().filter(|(of, _)| of.link.table == way.link.table).map(|(_, id)| *id).collect();
            if ids.is_empty() {
                continue;
            }
            sql.push(" AND ").ident(way.far).push(" IN (").append(id_list(&ids)).push(")");
        }
        gone += tx.execute(&sql)?;
    }
    Ok(gone)
}
