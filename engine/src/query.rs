//! Queries over registries: `filter`, `exclude`, `order`, `slice`, and what comes out of them.

mod annotate;
#[cfg(feature = "arrow")]
mod arrow;
mod build;
mod condition;
mod features;
mod get;
mod graph;
mod json;
pub mod lookup;
mod moment;
mod search;
mod select;
mod steer;
mod table;

use std::fmt;

pub use condition::{Operand, Q};
pub(crate) use features::features_called;
pub use table::{ColumnData, Table, TableColumn};

use crate::db::Sql;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Registry;
use crate::record::Record;
use crate::session::Session;
use crate::value::Value;

/// A lazy query: nothing is read before a method asks for records, a table or a number.
#[derive(Clone)]
pub struct QuerySet {
    session: Session,
    registry: &'static Registry,
    filters: Vec<Q>,
    annotations: Vec<annotate::Annotation>,
    order: Vec<Order>,
    offset: usize,
    limit: Option<usize>,
    ranked: Option<Vec<i64>>,
}

/// One sort key.
#[derive(Clone, Debug)]
struct Order {
    path: String,
    descending: bool,
}

/// An aggregate over the rows of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Number of non-null values.
    Count,
    /// Number of distinct non-null values.
    CountDistinct,
    /// Sum.
    Sum,
    /// Mean.
    Avg,
    /// Least.
    Min,
    /// Greatest.
    Max,
}

impl QuerySet {
    /// Returns the query for all records of a registry, whatever branch they are on.
    pub fn new(session: &Session, registry: &'static Registry) -> Self {
        QuerySet {
            session: session.clone(),
            registry,
            filters: Vec::new(),
            annotations: Vec::new(),
            order: Vec::new(),
            offset: 0,
            limit: None,
            ranked: None,
        }
    }

    /// Returns the registry that is queried.
    pub fn registry(&self) -> &'static Registry {
        self.registry
    }

    /// Returns true once the rows have an order of their own.
    pub fn ordered(&self) -> bool {
        !self.order.is_empty() || self.ranked.is_some()
    }

    /// Returns true once a slice was taken.
    pub fn sliced(&self) -> bool {
        self.offset > 0 || self.limit.is_some()
    }

    /// Returns true when a condition names one of `fields` first.
    pub fn mentions(&self, fields: &[&str]) -> bool {
        let mut found = false;
        for filter in &self.filters {
            filter.paths(&mut |path| found |= fields.contains(&path.split("__").next().unwrap_or(path)));
        }
        found
    }

    /// Returns the query restricted to records for which `condition` holds.
    ///
    /// Artifacts, runs and records are asked for by their features as well: a name that no field has is that of a feature.
    ///
    /// # Errors
    /// [`ErrorKind::Field`] for unknown fields and look-ups; [`ErrorKind::Value`] for values a field cannot hold.
    pub fn filter(&self, condition: Q) -> Result<QuerySet> {
        if self.sliced() {
            return Err(Error::type_("Cannot filter a query once a slice has been taken."));
        }
        build::check_depth(&condition)?;
        let condition = features::resolve(self, condition)?;
        build::condition(self.registry, "t0", &condition, &mut build::Aliases::with(&self.annotations))?;
        let mut next = self.clone();
        next.filters.push(condition);
        Ok(next)
    }

    /// Returns the query without the records for which `condition` holds.
    pub fn exclude(&self, condition: Q) -> Result<QuerySet> {
        self.filter(condition.negate())
    }

    /// Returns the query with the default visibility added: the current branch and `main`, unless the conditions
    /// name an identity or a branch themselves.
    pub fn visible(&self) -> Result<QuerySet> {
        if !self.registry.traits.branch_aware {
            return Ok(self.clone());
        }
        let mut free = false;
        for filter in &self.filters {
            filter.paths(&mut |path| {
                let exact = matches!(path, "id" | "uid" | "hash" | "id__in" | "uid__in" | "hash__in");
                let head = path.split("__").next().unwrap_or(path);
                free |= exact || matches!(head, "branch" | "branch_id" | "visibility");
            });
        }
        if free {
            return Ok(self.clone());
        }
        self.filter(Q::is("branch_id__in", vec![self.session.branch_id(), 1]))
    }

    /// Returns the query sorted by these look-ups; a leading `-` sorts downwards.
    pub fn order_by<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Result<QuerySet> {
        let mut next = self.clone();
        next.ranked = None;
        next.order.clear();
        for path in paths {
            let (descending, bare) = match path.strip_prefix('-') {
                Some(bare) => (true, bare),
                None => (false, path),
            };
            if !self.annotations().contains(&bare) {
                lookup::parse(self.registry, bare)?;
            }
            next.order.push(Order { path: bare.to_owned(), descending });
        }
        Ok(next)
    }

    /// Returns the query with its order turned round; without an order, by id downwards.
    #[must_use]
    pub fn reverse(&self) -> QuerySet {
        let mut next = self.clone();
        if let Some(ids) = &mut next.ranked {
            ids.reverse();
        } else if next.order.is_empty() {
            next.order.push(Order { path: "id".to_owned(), descending: true });
        } else {
            next.order.iter_mut().for_each(|order| order.descending = !order.descending);
        }
        next
    }

    /// Returns the rows from `start` up to but not including `end`.
    #[must_use]
    pub fn slice(&self, start: usize, end: Option<usize>) -> QuerySet {
        let mut next = self.clone();
        let room = self.limit.map(|limit| limit.saturating_sub(start));
        let wanted = end.map(|end| end.saturating_sub(start));
        next.offset = self.offset + start;
        next.limit = match (room, wanted) {
            (Some(room), Some(wanted)) => Some(room.min(wanted)),
            (room, wanted) => room.or(wanted),
        };
        next
    }

    /// Returns the query whose rows come in the order of `ids`, and only those.
    pub(crate) fn ranked(&self, ids: Vec<i64>) -> Result<QuerySet> {
        let mut next = self.filter(Q::is("id__in", ids.clone()))?;
        next.ranked = Some(ids);
        Ok(next)
    }

    /// Returns all records.
    pub fn all(&self) -> Result<Vec<Record>> {
        if self.is_none() {
            return Ok(Vec::new());
        }
        let columns: Vec<&str> = self.registry.columns.iter().map(|column| column.column).collect();
        let rows = self.session.db().rows(&self.select_columns(&columns)?, &self.registry.kinds())?;
        let mut records = crate::write::records(self.registry, rows);
        if let Some(ids) = &self.ranked {
            records = select::by_rank(records, ids, |record| record.id().unwrap_or_default());
            records = records.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect();
        }
        Ok(records)
    }

    /// Returns the first record, by id when there is no order.
    pub fn first(&self) -> Result<Option<Record>> {
        let query = if self.ordered() { self.clone() } else { self.order_by(["id"])? };
        Ok(query.slice(0, Some(1)).all()?.into_iter().next())
    }

    /// Returns the last record, by id when there is no order.
    pub fn last(&self) -> Result<Option<Record>> {
        if self.sliced() {
            return Ok(self.all()?.pop());
        }
        self.reverse().first()
    }

    /// Returns the one record.
    ///
    /// # Errors
    /// [`ErrorKind::DoesNotExist`] or [`ErrorKind::MultipleResults`] when there is not exactly one.
    pub fn one(&self) -> Result<Record> {
        match self.one_or_none()? {
            Some(record) => Ok(record),
            None => Err(self.none_matches()),
        }
    }

    /// Returns the first record.
    ///
    /// # Errors
    /// [`ErrorKind::DoesNotExist`] when there is none.
    pub fn one_or_first(&self) -> Result<Record> {
        self.first()?.ok_or_else(|| self.none_matches())
    }

    fn none_matches(&self) -> Error {
        Error::does_not_exist(format!("{} matching query does not exist.", self.registry.name))
    }

    /// Returns the one record, or nothing.
    ///
    /// # Errors
    /// [`ErrorKind::MultipleResults`] when there are several.
    pub fn one_or_none(&self) -> Result<Option<Record>> {
        let mut records = self.slice(0, Some(2)).all()?;
        if records.len() > 1 {
            let (n, name) = (self.count()?, self.registry.name);
            return Err(Error::new(
                ErrorKind::MultipleResults,
                format!("get() returned more than one {name} -- it returned {n}!"),
            ));
        }
        Ok(records.pop())
    }

    /// Returns the number of records.
    pub fn count(&self) -> Result<usize> {
        if self.is_none() {
            return Ok(0);
        }
        let mut sql = Sql::new("SELECT COUNT(*) FROM (");
        sql.append(self.select_columns(&["id"])?).push(") AS counted");
        let n = self
            .session
            .db()
            .scalar(&sql, crate::Kind::BigInt)?
            .and_then(|value| value.as_int())
            .unwrap_or(0);
        let n = usize::try_from(n).unwrap_or(0);
        Ok(match self.ranked {
            Some(_) => n.saturating_sub(self.offset).min(self.limit.unwrap_or(usize::MAX)),
            None => n,
        })
    }

    /// Returns how the database reads the records: a line per step; PostgreSQL reads them for it and tells the times.
    pub fn explain(&self) -> Result<String> {
        let columns: Vec<&str> = self.registry.columns.iter().map(|column| column.column).collect();
        let mut sql = Sql::default();
        sql.spelled("EXPLAIN QUERY PLAN ", "EXPLAIN (ANALYZE, BUFFERS) ");
        sql.append(self.select_columns(&columns)?);
        let (int, text) = (crate::Kind::BigInt, crate::Kind::Text);
        let kinds: &[crate::Kind] = match self.session.db().dialect() {
            crate::db::Dialect::Sqlite => &[int, int, int, text],
            crate::db::Dialect::Postgres => &[text],
        };
        let steps = self.session.db().rows(&sql, kinds)?;
        let line = |step: &Vec<Value>| step.iter().map(Value::to_string).collect::<Vec<_>>().join(" ");
        Ok(steps.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// Returns true when there is a record.
    pub fn exists(&self) -> Result<bool> {
        let query = QuerySet { order: Vec::new(), ..self.slice(0, Some(1)) };
        Ok(!query.all_ids()?.is_empty())
    }

    /// Returns the ids.
    pub fn all_ids(&self) -> Result<Vec<i64>> {
        if self.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.session.db().rows(&self.select_columns(&["id"])?, &[crate::Kind::BigInt])?;
        let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.first().and_then(Value::as_int)).collect();
        if let Some(ranked) = &self.ranked {
            ids = select::by_rank(ids, ranked, |id| *id);
            ids = ids.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect();
        }
        Ok(ids)
    }

    /// Returns these look-ups of every record as columns.
    ///
    /// # Errors
    /// [`ErrorKind::Field`] for unknown look-ups and for relations to many records.
    pub fn table<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Result<Table> {
        select::table(self, &paths.into_iter().collect::<Vec<_>>())
    }

    /// Returns, for a look-up through a relation to many records, the pairs of record id and value.
    pub fn related(&self, path: &str) -> Result<Vec<(i64, Value)>> {
        select::related(self, path)
    }

    /// Returns aggregates over the rows, in the order asked for.
    pub fn aggregate(&self, wanted: &[(Aggregate, &str)]) -> Result<Vec<Value>> {
        select::aggregate(self, wanted)
    }

    /// Returns the records that match `text`, best first.
    ///
    /// The ranks are those of the format: see the module `query/search.rs`. `fields` restricts the search; none means all text fields.
    pub fn search(&self, text: &str, fields: &[&str], limit: Option<usize>, case: Case) -> Result<QuerySet> {
        search::search(self, text, fields, limit, case)
    }

    /// Returns the SQL of a query for one field, for use inside `IN (…)`.
    pub(crate) fn subquery(&self, field: &str) -> Result<Sql> {
        let column = self.registry.column(field).ok_or_else(|| self.registry.unknown_field(field))?.column;
        if let Some(ids) = &self.ranked
            && self.sliced()
        {
            let keep: Vec<Value> = ids
                .iter()
                .skip(self.offset)
                .take(self.limit.unwrap_or(usize::MAX))
                .map(|id| (*id).into())
                .collect();
            let base = QuerySet { ranked: None, offset: 0, limit: None, ..self.clone() };
            return base.filter(Q::Is("id__in".to_owned(), Operand::Many(keep)))?.subquery(field);
        }
        self.select_columns(&[column])
    }

    /// Returns true when nothing was found already, so that there is nothing to ask.
    fn is_none(&self) -> bool {
        self.ranked.as_ref().is_some_and(Vec::is_empty)
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    fn select_columns(&self, columns: &[&str]) -> Result<Sql> {
        select::select(self, select::columns(columns))
    }
}

/// Whether a search tells capital from small letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Case {
    /// It does not.
    #[default]
    Ignored,
    /// It does.
    Sensitive,
}

impl fmt::Debug for QuerySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuerySet")
            .field("registry", &self.registry.name)
            .field("filters", &self.filters)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Returns the query for all records of a registry, on every branch.
    pub fn query(&self, registry: &'static Registry) -> QuerySet {
        QuerySet::new(self, registry)
    }

    /// Returns the query for all records of the registry of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Field`] with the nearest names for an unknown registry.
    pub fn registry(&self, name: &str) -> Result<QuerySet> {
        Ok(self.query(crate::model::require(name)?))
    }

    /// Returns the record of a registry with this id.
    ///
    /// # Errors
    /// [`ErrorKind::DoesNotExist`] when there is none.
    pub fn by_id(&self, registry: &'static Registry, id: i64) -> Result<Record> {
        let mut sql = crate::write::select_row(registry);
        sql.push(" WHERE \"id\" = ").bind(id);
        let found = crate::write::records(registry, self.db().rows(&sql, &registry.kinds())?);
        found.into_iter().next().ok_or_else(|| self.query(registry).none_matches())
    }
}
