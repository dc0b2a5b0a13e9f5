//! The statements behind a query: rows, columns, aggregates.

use std::collections::HashMap;

use super::lookup::{self, Hop};
use super::table::{ColumnData, Table, TableColumn};
use super::{Aggregate, Q, QuerySet, annotate, build};
use crate::db::Sql;
use crate::error::{Error, Result};
use crate::model::{Registry, Via};
use crate::value::{Kind, Value};

/// Returns `SELECT expressions FROM … WHERE … ORDER BY … LIMIT …`.
pub(super) fn select(query: &QuerySet, expressions: Vec<Sql>) -> Result<Sql> {
    select_among(query, expressions, None)
}

/// Returns the columns of the queried table as expressions.
pub(super) fn columns(names: &[&str]) -> Vec<Sql> {
    let column = |name: &&str| {
        let mut sql = Sql::default();
        sql.column("t0", name);
        sql
    };
    names.iter().map(column).collect()
}

/// Returns the statement of [`select`] for the rows for which `among` holds too.
pub(super) fn select_among(query: &QuerySet, expressions: Vec<Sql>, among: Option<Sql>) -> Result<Sql> {
    let mut aliases = build::Aliases::with(&query.annotations);
    let mut sql = Sql::new("SELECT ");
    sql.join(", ", expressions).push(" FROM ").ident(query.registry.table).push(" AS t0");
    let mut parts: Vec<Sql> = among.into_iter().collect();
    if !(query.filters.is_empty() && parts.is_empty()) {
        sql.push(" WHERE ");
        for filter in &query.filters {
            parts.push(build::condition(query.registry, "t0", filter, &mut aliases)?);
        }
        sql.append(build::all(parts));
    }
    for (i, order) in query.order.iter().enumerate() {
        sql.push(if i == 0 { " ORDER BY " } else { ", " });
        let (value, kind) = annotate::value(query, &order.path, &mut aliases)?;
        sql.append(value);
        if kind.is_some_and(Kind::is_text) {
            sql.bytewise();
        }
        // Nothing comes before everything else on both databases; asked for in vain, it would cost PostgreSQL the index.
        match (order.descending, may_be_null(query, &order.path)?) {
            (true, true) => sql.spelled(" DESC", " DESC NULLS LAST"),
            (false, true) => sql.spelled(" ASC", " ASC NULLS FIRST"),
            (true, false) => sql.push(" DESC"),
            (false, false) => sql.push(" ASC"),
        };
    }
    if query.ranked.is_none() && (query.limit.is_some() || query.offset > 0) {
        let limit = query.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(i64::MAX);
        // As parameters they would make SQLite plan anew on every run: it looks at their values.
        let offset = i64::try_from(query.offset).unwrap_or(i64::MAX);
        sql.push(&format!(" LIMIT {limit}"));
        if offset > 0 {
            sql.push(&format!(" OFFSET {offset}"));
        }
    }
    Ok(sql)
}

fn may_be_null(query: &QuerySet, path: &str) -> Result<bool> {
    if query.annotations().contains(&path) {
        return Ok(true);
    }
    let lookup = lookup::parse(query.registry, path)?;
    Ok(lookup.end.column.null || !lookup.hops.is_empty() || !lookup.end.json.is_empty())
}

/// Returns the scalar expression for a look-up along relations to one record, and the kind it yields.
pub(super) fn expression(
    registry: &'static Registry,
    alias: &str,
    path: &str,
    aliases: &mut build::Aliases<'_>,
) -> Result<(Sql, Kind)> {
    let lookup = lookup::parse(registry, path)?;
    if lookup.op != lookup::Op::Exact {
        return Err(Error::field(format!("'{path}' is a condition, not a field")));
    }
    let value = scalar(alias, path, &lookup.hops, &lookup.end, aliases)?;
    Ok((value, lookup.end.kind()))
}

fn scalar(
    alias: &str,
    path: &str,
    hops: &[Hop],
    end: &lookup::End,
    aliases: &mut build::Aliases<'_>,
) -> Result<Sql> {
    match hops.split_first() {
        None => Ok(build::expression(alias, end)),
        Some((Hop::Many(..), _)) => {
            Err(Error::field(format!("'{path}' leads to many records: it has no single value")))
        }
        Some((Hop::One(column, target), rest)) => {
            let inner = aliases.next();
            let mut sql = Sql::new("(SELECT ");
            sql.append(scalar(&inner, path, rest, end, aliases)?);
            sql.push(" FROM ").ident(target.table).push(&format!(" AS {inner} WHERE "));
            sql.column(&inner, "id").push(" = ").column(alias, column.column).push(")");
            Ok(sql)
        }
    }
}

/// Returns `items` in the order in which their ids stand in `ids`.
pub(super) fn by_rank<T>(items: Vec<T>, ids: &[i64], id: impl Fn(&T) -> i64) -> Vec<T> {
    let position: HashMap<i64, usize> = ids.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    let mut items = items;
    items.sort_by_key(|item| position.get(&id(item)).copied().unwrap_or(usize::MAX));
    items
}

pub(super) fn table(query: &QuerySet, paths: &[&str]) -> Result<Table> {
    let mut aliases = build::Aliases::default();
    let mut expressions = Vec::new();
    let mut columns = Vec::new();
    for path in paths {
        let (sql, kind) = annotate::value(query, path, &mut aliases)?;
        expressions.push(sql);
        columns.push(TableColumn { name: (*path).to_owned(), data: ColumnData::new(kind) });
    }
    let ranked = query.ranked.as_deref();
    // Without columns the rows are counted all the same.
    if ranked.is_some() || paths.is_empty() {
        let mut id = Sql::default();
        id.column("t0", "id");
        expressions.push(id);
    }
    let mut ids = Vec::new();
    let mut rows = 0;
    query.session.db().each(&select(query, expressions)?, &mut |cells| {
        rows += 1;
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.data.push(*cell);
        }
        if ranked.is_some()
            && let Some(crate::db::Cell::Int(id)) = cells.last()
        {
            ids.push(*id);
        }
        Ok(())
    })?;
    if let Some(ranked) = ranked {
        let order: Vec<usize> = by_rank((0..ids.len()).collect(), ranked, |i| ids[*i])
            .into_iter()
            .skip(query.offset)
            .take(query.limit.unwrap_or(usize::MAX))
            .collect();
        columns.iter_mut().for_each(|column| column.data.permute(&order));
        rows = order.len();
    }
    Ok(Table { rows, columns })
}

/// Returns pairs of record id and value for a look-up whose first relation leads to many records.
pub(super) fn related(query: &QuerySet, path: &str) -> Result<Vec<(i64, Value)>> {
    let lookup = lookup::parse(query.registry, path)?;
    let (joins, here) = joins(&lookup.hops, "t0", &mut build::Aliases::default())?;
    let mut sql = Sql::new("SELECT t0.\"id\", ");
    sql.append(build::expression(&here, &lookup.end))
        .push(" FROM ")
        .ident(query.registry.table)
        .push(" AS t0");
    sql.append(joins).push(" WHERE t0.\"id\" IN (").append(query.subquery("id")?).push(")");
    let rows = query.session.db().rows(&sql, &[Kind::BigInt, lookup.end.kind()])?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter();
            Some((cells.next()?.as_int()?, cells.next()?))
        })
        .collect())
}

/// Returns the joins along relations from the table known as `alias`, and what the last table is known as.
pub(super) fn joins(hops: &[Hop], alias: &str, aliases: &mut build::Aliases<'_>) -> Result<(Sql, String)> {
    let mut joins = Sql::default();
    let mut here = alias.to_owned();
    for hop in hops {
        let target = hop.target();
        let inner = aliases.next();
        match hop {
            Hop::One(column, _) => {
                joins.push(" JOIN ").ident(target.table).push(&format!(" AS {inner} ON "));
                joins.column(&inner, "id").push(" = ").column(&here, column.column);
            }
            Hop::Many(relation, _) => match relation.via {
                Via::Foreign { column } => {
                    joins.push(" JOIN ").ident(target.table).push(&format!(" AS {inner} ON "));
                    joins.column(&inner, column).push(" = ").column(&here, "id");
                }
                Via::Link { registry, near, far } => {
                    let link = aliases.next();
                    let table = crate::model::require(registry)?.table;
                    joins.push(" JOIN ").ident(table).push(&format!(" AS {link} ON "));
                    joins.column(&link, near).push(" = ").column(&here, "id");
                    joins.push(" JOIN ").ident(target.table).push(&format!(" AS {inner} ON "));
                    joins.column(&inner, "id").push(" = ").column(&link, far);
                }
            },
        }
        here = inner;
    }
    Ok((joins, here))
}

pub(super) fn aggregate(query: &QuerySet, wanted: &[(Aggregate, &str)]) -> Result<Vec<Value>> {
    let mut aliases = build::Aliases::default();
    let mut expressions = Vec::new();
    let mut kinds = Vec::new();
    let base = query.registry.columns.iter().any(|column| column.name == "id");
    for (aggregate, path) in wanted {
        let (value, kind) = if *path == "*" && base {
            (Sql::new("1"), Some(Kind::Int))
        } else {
            annotate::value(query, path, &mut aliases)?
        };
        expressions.push(aggregate.over(value, kind));
        // A number with a fraction is read as what it is.
        kinds.push(aggregate.kind(kind).unwrap_or(Kind::BigInt));
    }
    let query = match (&query.ranked, query.sliced()) {
        (None, false) => QuerySet { order: Vec::new(), ..query.clone() },
        // Aggregates over a slice see the rows of the slice only.
        _ => QuerySet::new(query.session(), query.registry).filter(Q::is("id__in", query.all_ids()?))?,
    };
    let rows = query.session.db().rows(&select(&query, expressions)?, &kinds)?;
    Ok(rows.into_iter().next().unwrap_or_default())
}
