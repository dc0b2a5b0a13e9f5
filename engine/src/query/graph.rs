//! Walks along a relation of a registry to itself: ancestors, descendants, types and their members.

use std::collections::HashSet;

use super::{ColumnData, Q, QuerySet};
use crate::error::{Error, Result};
use crate::model::{self, Registry, Step, Via};
use crate::record::Record;
use crate::session::Session;

impl Session {
    /// Returns all records above this one in the graph of parents, the nearest first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] on a registry without parents, [`crate::ErrorKind::Value`] for an unsaved record.
    pub fn query_parents(&self, record: &Record) -> Result<QuerySet> {
        self.reach(record, "parents", None)
    }

    /// Returns all records below this one in the graph of parents, the nearest first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] on a registry without parents, [`crate::ErrorKind::Value`] for an unsaved record.
    pub fn query_children(&self, record: &Record) -> Result<QuerySet> {
        self.reach(record, "children", None)
    }

    /// Returns the type of a record, the type of that, and so on.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] on a registry without types, [`crate::ErrorKind::Value`] for an unsaved record.
    pub fn query_types(&self, record: &Record) -> Result<QuerySet> {
        self.reach(record, "type", None)
    }

    /// Returns the members of a type and of the types below it, `depth` levels down or all; the nearest first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] on a registry without types, [`crate::ErrorKind::Value`] for an unsaved record.
    pub fn query_members(&self, record: &Record, depth: Option<usize>) -> Result<QuerySet> {
        self.reach(record, members(record.registry())?, depth)
    }

    /// Returns what a record reaches, by the word for it: its `parents`, `children`, `types` or `members`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for another word, and those of the methods of these names.
    pub fn reached(&self, record: &Record, what: &str, depth: Option<usize>) -> Result<QuerySet> {
        match what {
            "parents" => self.query_parents(record),
            "children" => self.query_children(record),
            "types" => self.query_types(record),
            "members" => self.query_members(record, depth),
            other => Err(Error::value(format!(
                "'{other}' is not reached: ask for parents, children, types or members"
            ))),
        }
    }

    /// Returns the ids of all members below a type, breadth first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] on a registry without types.
    pub fn descendants(&self, registry: &'static Registry, id: i64) -> Result<Vec<i64>> {
        self.reachable(registry, id, members(registry)?, None)
    }

    fn reach(&self, record: &Record, relation: &str, depth: Option<usize>) -> Result<QuerySet> {
        let registry = record.registry();
        let id = record.id().ok_or_else(|| {
            Error::value(format!("{} is not saved yet: save it before using its {relation}", record.repr()))
        })?;
        let ids = self.reachable(registry, id, relation, depth)?;
        let query = self.query(registry);
        if !registry.traits.branch_aware {
            return query.ranked(ids);
        }
        // What is in the trash or on another branch is walked through but not shown.
        let shown: HashSet<i64> = query
            .filter(Q::is("id__in", ids.clone()).and(Q::is("branch_id__in", vec![self.branch_id(), 1])))?
            .all_ids()?
            .into_iter()
            .collect();
        query.ranked(ids.into_iter().filter(|id| shown.contains(id)).collect())
    }

    /// Returns the ids of the records that a relation of a registry to itself leads to, however often it is followed:
    /// level by level, each once, without the start; loops end where they begin.
    pub(crate) fn reachable(
        &self,
        registry: &'static Registry,
        start: i64,
        relation: &str,
        depth: Option<usize>,
    ) -> Result<Vec<i64>> {
        let mut seen = HashSet::from([start]);
        let mut found = Vec::new();
        let mut level = vec![start];
        let mut left = depth.unwrap_or(usize::MAX);
        while !level.is_empty() && left > 0 {
            let mut next = self.one_step(registry, relation, level)?;
            next.retain(|id| seen.insert(*id));
            found.extend(&next);
            level = next;
            left -= 1;
        }
        Ok(found)
    }

    /// Returns where one step along the relation leads from any of `level`, by id.
    fn one_step(&self, registry: &'static Registry, relation: &str, level: Vec<i64>) -> Result<Vec<i64>> {
        let (query, column) = match registry.step(relation) {
            Some(Step::One(column, _)) => {
                (self.query(registry).filter(Q::is("id__in", level))?, column.column)
            }
            Some(Step::Many(relation)) => match relation.via {
                Via::Foreign { column } => {
                    (self.query(registry).filter(Q::is(format!("{column}__in"), level))?, "id")
                }
                Via::Link { registry: link, near, far } => {
                    (self.query(model::require(link)?).filter(Q::is(format!("{near}__in"), level))?, far)
                }
            },
            _ => return Err(registry.unknown_field(relation)),
        };
        let mut ids = query.ints(column)?;
        ids.sort_unstable();
        Ok(ids)
    }
}

/// Returns the name of the relation from a type to its members.
fn members(registry: &'static Registry) -> Result<&'static str> {
    let typed = |relation: &&model::Relation| {
        relation.target == registry.name && relation.via == Via::Foreign { column: "type_id" }
    };
    let relation = registry.relations.iter().find(typed);
    Ok(relation.ok_or_else(|| Error::field(format!("{} has no types", registry.name)))?.name)
}

impl QuerySet {
    /// Returns a column of whole numbers, nulls left out.
    pub(crate) fn ints(&self, column: &str) -> Result<Vec<i64>> {
        let column = self.table([column])?.columns.pop();
        Ok(match column.map(|column| column.data) {
            Some(ColumnData::Int(ints)) => ints.into_iter().flatten().collect(),
            _ => Vec::new(),
        })
    }
}
