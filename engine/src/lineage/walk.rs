//! The walk itself: one recursive statement per direction.

use std::collections::HashSet;

use super::{Direction, Noun, Walk};
use crate::db::{Dialect, Sql};
use crate::error::Result;
use crate::instance::Instance;
use crate::model::{self, Via};
use crate::value::{Kind, Value};

/// Generations after which a walk no longer counts them in the database: a loop would be counted again and again.
const COUNTED: usize = 10_000;

/// A way to get from one noun to another, downstream.
struct Hop {
    from: Noun,
    to: Noun,
    table: &'static str,
    near: &'static str,
    far: &'static str,
}

/// What a walk came to.
pub(super) struct Reached {
    /// Nodes without the start, the nearest first.
    pub(super) places: Vec<(Noun, i64)>,
    /// True when there is more.
    pub(super) cut: bool,
}

/// Where a walk starts, as a statement with columns for noun and id.
pub(super) fn start(noun: Noun, id: i64) -> Result<Sql> {
    let mut sql = Sql::new("SELECT ");
    match noun {
        Noun::Transform => {
            sql.push(code(Noun::Run))
                .push(", CAST(\"id\" AS bigint) FROM ")
                .ident(model::require("Run")?.table);
            sql.push(" WHERE \"transform_id\" = ").bind(id);
        }
        _ => {
            sql.push(code(noun))
                .push(", CAST(\"id\" AS bigint) FROM ")
                .ident(model::require(noun.registry())?.table);
            sql.push(" WHERE \"id\" = ").bind(id);
        }
    }
    Ok(sql)
}

/// Returns all that can be reached.
pub(super) fn reach(instance: &Instance, start: &Sql, walk: &Walk) -> Result<Reached> {
    let mut found = Reached { places: Vec::new(), cut: false };
    let mut seen = HashSet::new();
    for direction in [Direction::Upstream, Direction::Downstream] {
        if !walk.goes(direction) {
            continue;
        }
        let sql = statement(instance.db().dialect(), start, direction, walk.depth, walk.limit)?;
        let rows = instance.db().rows(&sql, &[Kind::Int, Kind::BigInt])?;
        found.cut |= rows.len() > walk.limit;
        let places = rows.iter().take(walk.limit).filter_map(|row| {
            Some((decode(row.first().and_then(Value::as_int)?)?, row.get(1).and_then(Value::as_int)?))
        });
        found.places.extend(places.filter(|place| seen.insert(*place)));
    }
    Ok(found)
}

/// Returns the statement whose rows are what can be reached in one direction, the start included.
///
/// SQLite takes several recursive terms and each finds its index; PostgreSQL takes one, which looks sideways.
pub(super) fn statement(
    dialect: Dialect,
    start: &Sql,
    direction: Direction,
    depth: Option<usize>,
    limit: usize,
) -> Result<Sql> {
    let depth = depth.filter(|depth| *depth <= COUNTED);
    let (columns, zero) = if depth.is_some() { ("noun, id, deep", ", 0") } else { ("noun, id", "") };
    let hops: Vec<Hop> = hops()?.into_iter().map(|hop| hop.turned(direction)).collect();
    let mut sql = Sql::new(format!("WITH RECURSIVE reach ({columns}) AS (SELECT first.*{zero} FROM ("));
    sql.append(start.clone()).push(") AS first");
    match dialect {
        Dialect::Sqlite => {
            for hop in &hops {
                sql.push(" UNION SELECT ").push(code(hop.to)).push(", x.").ident(hop.far);
                if depth.is_some() {
                    sql.push(", reach.deep + ").push(cost(hop.to));
                }
                sql.push(" FROM reach JOIN ")
                    .ident(hop.table)
                    .push(" AS x ON reach.noun = ")
                    .push(code(hop.from));
                sql.push(" AND x.")
                    .ident(hop.near)
                    .push(" = reach.id WHERE x.")
                    .ident(hop.far)
                    .push(" IS NOT NULL");
                if let Some(depth) = depth {
                    sql.push(" AND reach.deep < ").bind(to_int(depth));
                }
            }
        }
        Dialect::Postgres => {
            sql.push(" UNION SELECT near.noun, near.id");
            if depth.is_some() {
                sql.push(", reach.deep + near.cost");
            }
            sql.push(" FROM reach CROSS JOIN LATERAL (");
            let parts = hops.iter().map(|hop| {
                let mut part = Sql::new("SELECT ");
                part.push(code(hop.to)).push(" AS noun, x.").ident(hop.far).push("::bigint AS id, ");
                part.push(cost(hop.to)).push(" AS cost FROM ").ident(hop.table);
                part.push(" AS x WHERE reach.noun = ").push(code(hop.from)).push(" AND x.").ident(hop.near);
                part.push(" = reach.id AND x.").ident(hop.far).push(" IS NOT NULL");
                part
            });
            sql.join(" UNION ALL ", parts).push(") AS near");
            if let Some(depth) = depth {
                sql.push(" WHERE reach.deep < ").bind(to_int(depth));
            }
        }
    }
    sql.push(") SELECT noun, id FROM reach");
    if depth.is_some() {
        sql.push(" GROUP BY noun, id ORDER BY MIN(deep), noun, id");
    }
    if limit < usize::MAX {
        // One more than asked for tells whether something was left out.
        sql.push(" LIMIT ").bind(to_int(limit + 1));
    }
    Ok(sql)
}

impl Hop {
    fn turned(self, direction: Direction) -> Hop {
        match direction {
            Direction::Upstream => {
                Hop { from: self.to, to: self.from, near: self.far, far: self.near, table: self.table }
            }
            _ => self,
        }
    }
}

/// Returns all ways downstream, as the registries declare them.
fn hops() -> Result<Vec<Hop>> {
    let mut hops = Vec::new();
    for noun in [Noun::Artifact, Noun::Collection, Noun::Record] {
        let registry = model::require(noun.registry())?;
        hops.push(Hop { from: Noun::Run, to: noun, table: registry.table, near: "run_id", far: "id" });
        let mut link = |relation: &str, from, to, turned: bool| -> Result<()> {
            if let Some(Via::Link { registry, near, far }) =
                registry.relation(relation).map(|found| found.via)
            {
                let (near, far) = if turned { (far, near) } else { (near, far) };
                hops.push(Hop { from, to, table: model::require(registry)?.table, near, far });
            }
            Ok(())
        };
        link("input_of_runs", noun, Noun::Run, false)?;
        link("recreating_runs", Noun::Run, noun, true)?;
        if noun == Noun::Collection {
            link("artifacts", Noun::Artifact, noun, true)?;
        }
    }
    let table = model::require("Run")?.table;
    hops.push(Hop { from: Noun::Run, to: Noun::Run, table, near: "initiated_by_run_id", far: "id" });
    Ok(hops)
}

/// Returns the generations that a step to this noun crosses: data begin a new one.
fn cost(noun: Noun) -> &'static str {
    if noun == Noun::Run { "0" } else { "1" }
}

fn code(noun: Noun) -> &'static str {
    match noun {
        Noun::Artifact => "0",
        Noun::Run => "1",
        Noun::Collection => "2",
        Noun::Record | Noun::Transform => "3",
    }
}

fn decode(code: i64) -> Option<Noun> {
    [Noun::Artifact, Noun::Run, Noun::Collection, Noun::Record].into_iter().nth(usize::try_from(code).ok()?)
}

fn to_int(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn postgres_gets_one_recursive_term() {
        let start = start(Noun::Artifact, 7).unwrap();
        let sql = statement(Dialect::Postgres, &start, Direction::Upstream, Some(2), 10).unwrap();
        assert_eq!(sql.text().matches("FROM reach").count(), 2);
        assert!(sql.text().contains("CROSS JOIN LATERAL"));
        assert_eq!(sql.params(), [Value::Int(7), Value::Int(2), Value::Int(11)]);
    }

    #[test]
    fn both_directions_take_the_same_ways() {
        let start = start(Noun::Transform, 7).unwrap();
        for direction in [Direction::Upstream, Direction::Downstream] {
            let sql = statement(Dialect::Sqlite, &start, direction, None, usize::MAX).unwrap();
            // Three kinds of data: made, read, twice made again; members; and runs started by runs.
            assert_eq!(sql.text().matches(" UNION SELECT ").count(), 3 + 3 + 2 + 1 + 1 + recreated_records());
        }
    }

    fn recreated_records() -> usize {
        usize::from(model::require("Record").unwrap().relation("recreating_runs").is_some())
    }
}
