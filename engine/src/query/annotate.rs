//! Numbers computed for every record of a query over what it leads to: one subquery each.

use super::build::{self, Aliases};
use super::condition::Operand;
use super::lookup::{self, Lookup, Op};
use super::{Aggregate, Q, QuerySet, Table, select};
use crate::db::Sql;
use crate::error::{Error, Result};
use crate::model::Registry;
use crate::value::{Kind, Value};

/// An aggregate that every record of a query has under a name.
#[derive(Clone, Debug)]
pub(super) struct Annotation {
    name: String,
    aggregate: Aggregate,
    lookup: Lookup,
}

impl Aggregate {
    /// Returns the SQL of the aggregate of an expression of a kind.
    pub(super) fn over(self, expression: Sql, of: Option<Kind>) -> Sql {
        let mut sql = Sql::new(match self {
            Aggregate::Count => "COUNT(",
            Aggregate::CountDistinct => "COUNT(DISTINCT ",
            Aggregate::Sum => "SUM(",
            Aggregate::Avg => "AVG(",
            Aggregate::Min => "MIN(",
            Aggregate::Max => "MAX(",
        });
        sql.append(expression);
        match of {
            // Flags are numbers on SQLite only.
            Some(Kind::Bool) => sql.spelled("", "::integer"),
            Some(kind) if kind.is_text() => sql.bytewise(),
            _ => &mut sql,
        };
        sql.push(")");
        sql
    }

    /// Returns the kind of the aggregate of values of a kind; `None` stands for numbers with a fraction.
    pub(super) fn kind(self, of: Option<Kind>) -> Option<Kind> {
        match self {
            Aggregate::Count | Aggregate::CountDistinct | Aggregate::Sum => Some(Kind::BigInt),
            Aggregate::Avg => None,
            Aggregate::Min | Aggregate::Max => of,
        }
    }
}

impl Annotation {
    fn kind(&self) -> Option<Kind> {
        self.aggregate.kind(Some(self.lookup.end.kind()))
    }

    /// Returns the aggregate of the record known as `alias`.
    pub(super) fn expression(
        &self,
        registry: &'static Registry,
        alias: &str,
        aliases: &mut Aliases<'_>,
    ) -> Result<Sql> {
        let root = aliases.next();
        let (joins, end) = select::joins(&self.lookup.hops, &root, aliases)?;
        let mut sql = Sql::new("(SELECT ");
        sql.append(
            self.aggregate.over(build::expression(&end, &self.lookup.end), Some(self.lookup.end.kind())),
        );
        sql.push(" FROM ").ident(registry.table).push(&format!(" AS {root}")).append(joins);
        sql.push(" WHERE ").column(&root, "id").push(" = ").column(alias, "id").push(")");
        Ok(sql)
    }

    /// Returns the condition on the aggregate of the record known as `alias`.
    pub(super) fn condition(
        &self,
        registry: &'static Registry,
        alias: &str,
        (op, operand): (Op, Operand),
        aliases: &mut Aliases<'_>,
    ) -> Result<Sql> {
        let operand = match (op, operand) {
            (Op::IsNull, Operand::One(flag)) if flag.as_bool().is_some() => Operand::One(flag),
            (Op::Exact | Op::Gt | Op::Gte | Op::Lt | Op::Lte, Operand::One(value)) => {
                Operand::One(self.cast(value)?)
            }
            (Op::In, Operand::Many(values)) => self.cast_all(values)?,
            (Op::Range, Operand::Many(values)) if values.len() == 2 => self.cast_all(values)?,
            _ => {
                return Err(Error::field(format!(
                    "Unsupported lookup on the annotation '{}': compare it by exact, gt, gte, lt, lte, in, range or isnull",
                    self.name
                )));
            }
        };
        let expression = self.expression(registry, alias, aliases)?;
        build::compare(expression, self.kind().unwrap_or(Kind::BigInt), op, operand)
    }

    fn cast_all(&self, values: Vec<Value>) -> Result<Operand> {
        values.into_iter().map(|value| self.cast(value)).collect::<Result<_>>().map(Operand::Many)
    }

    fn cast(&self, value: Value) -> Result<Value> {
        match (self.kind(), value) {
            (_, Value::Null) => {
                Err(Error::value(format!("Cannot compare '{0}' with None: use {0}__isnull=True", self.name)))
            }
            (Some(kind), value) if !kind.is_int() => value.cast(kind),
            (_, value @ (Value::Int(_) | Value::Float(_))) => Ok(value),
            (_, value) => Err(Error::value(format!(
                "'{}' is a number and cannot be compared with '{value}'",
                self.name
            ))),
        }
    }
}

/// Returns the annotation that a path names, with what is asked of it.
pub(super) fn find<'a>(annotations: &'a [Annotation], path: &str) -> Result<Option<(&'a Annotation, Op)>> {
    // A name may hold double underscores itself, as those do that follow from field and function.
    if let Some(whole) = annotations.iter().find(|annotation| annotation.name == path) {
        return Ok(Some((whole, Op::Exact)));
    }
    let longer = |annotation: &&Annotation| {
        path.strip_prefix(annotation.name.as_str()).is_some_and(|rest| rest.starts_with("__"))
    };
    let Some(found) = annotations.iter().filter(longer).max_by_key(|annotation| annotation.name.len()) else {
        return Ok(None);
    };
    let op = &path[found.name.len() + 2..];
    let unknown = || Error::field(format!("Unsupported lookup '{op}' for the annotation '{}'.", found.name));
    Ok(Some((found, Op::find(op).ok_or_else(unknown)?)))
}

impl QuerySet {
    /// Returns the query whose records each have an aggregate under a name, for conditions, orders and tables.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for an unknown look-up, [`crate::ErrorKind::Value`] for a name that is taken,
    /// [`crate::ErrorKind::Type`] for a sum or mean of what is no number.
    pub fn annotate(&self, name: &str, aggregate: Aggregate, path: &str) -> Result<QuerySet> {
        let taken = self.registry.step(name).is_some()
            || self.annotations.iter().any(|annotation| annotation.name == name);
        if taken || name.is_empty() {
            return Err(Error::value(format!(
                "The annotation '{name}' conflicts with a field on {}: choose another name",
                self.registry.name
            )));
        }
        let lookup = lookup::parse(self.registry, path)?;
        if lookup.op != Op::Exact {
            return Err(Error::field(format!("'{path}' is a condition, not a field")));
        }
        let kind = lookup.end.kind();
        if matches!(aggregate, Aggregate::Sum | Aggregate::Avg) && !kind.is_int() && kind != Kind::Bool {
            return Err(Error::type_(format!("'{path}' is no number: it has neither sum nor mean")));
        }
        let mut next = self.clone();
        next.annotations.push(Annotation { name: name.to_owned(), aggregate, lookup });
        Ok(next)
    }

    /// Returns the names under which the records have aggregates.
    pub fn annotations(&self) -> Vec<&str> {
        self.annotations.iter().map(|annotation| annotation.name.as_str()).collect()
    }

    /// Returns the aggregates of records: a column of ids, then one per name.
    pub fn annotated(&self, ids: Vec<i64>) -> Result<Table> {
        let fresh =
            QuerySet { annotations: self.annotations.clone(), ..QuerySet::new(&self.session, self.registry) };
        let names = self.annotations();
        fresh.filter(Q::is("id__in", ids))?.table(std::iter::once("id").chain(names))
    }
}

/// Returns the expression for a look-up or annotation of a query, and the kind it yields; `None` for a number with a
/// fraction.
pub(super) fn value(query: &QuerySet, path: &str, aliases: &mut Aliases<'_>) -> Result<(Sql, Option<Kind>)> {
    match query.annotations.iter().find(|annotation| annotation.name == path) {
        Some(annotation) => Ok((annotation.expression(query.registry, "t0", aliases)?, annotation.kind())),
        None => select::expression(query.registry, "t0", path, aliases).map(|(sql, kind)| (sql, Some(kind))),
    }
}
