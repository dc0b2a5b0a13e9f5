//! Permanent deletion: planned with everything that goes with it, then applied in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use crate::db::{Db, Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{self, Module, OnDelete, Registry};
use crate::query::QuerySet;
use crate::record::Record;
use crate::session::Session;
use crate::value::{Kind, Value};

use super::{id_list, promote_head, refuse_locked};

/// What a deletion removes: ids by registry, the dependent rows first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeletePlan {
    steps: Vec<(&'static str, Vec<i64>)>,
    /// Rows whose foreign key at the column is cleared instead, by registry and column.
    root: Option<&'static str>,
}

impl DeletePlan {
    /// Returns how many rows go, in all and by qualified registry name.
    pub fn counts(&self) -> (usize, BTreeMap<String, usize>) {
        let mut by_registry = BTreeMap::new();
        for (name, ids) in &self.steps {
            if let Some(registry) = model::find(name) {
                *by_registry.entry(registry.qualified_name()).or_default() += ids.len();
            }
        }
        (by_registry.values().sum(), by_registry)
    }

    /// Returns the ids that go from a registry.
    pub fn ids(&self, registry: &str) -> Vec<i64> {
        self.steps
            .iter()
            .filter(|(name, _)| *name == registry)
            .flat_map(|(_, ids)| ids.iter().copied())
            .collect()
    }

    /// Returns true when nothing would be deleted.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|(_, ids)| ids.is_empty())
    }
}

/// Whom a plan asks.
trait Asked {
    fn rows(&self, sql: &Sql) -> Result<Vec<Vec<Value>>>;
    fn holds(&self, module: Module) -> Result<bool>;
}

impl Asked for Db {
    fn rows(&self, sql: &Sql) -> Result<Vec<Vec<Value>>> {
        Db::rows(self, sql, &[Kind::BigInt])
    }

    fn holds(&self, module: Module) -> Result<bool> {
        Db::holds(self, module)
    }
}

impl Asked for Tx<'_> {
    fn rows(&self, sql: &Sql) -> Result<Vec<Vec<Value>>> {
        Tx::rows(self, sql, &[Kind::BigInt])
    }

    fn holds(&self, module: Module) -> Result<bool> {
        Tx::holds(self, module)
    }
}

/// A column by which records point at others, and what becomes of them when those go.
type Reference = (&'static Registry, &'static model::Column, OnDelete);

/// Returns the places where records point at the registry; modules that an instance does without have no tables.
fn references(asked: &dyn Asked, registry: &'static Registry) -> Result<Vec<Reference>> {
    let of = |from: &'static Registry| {
        from.columns.iter().filter_map(move |column| {
            let to = column.to?;
            (to.target == registry.name).then_some((from, column, to.on_delete))
        })
    };
    let mut found: Vec<_> = model::all().iter().flat_map(of).collect();
    let optional = |(from, ..): &Reference| from.module == Module::Bionty;
    if found.iter().any(optional) && !asked.holds(Module::Bionty)? {
        found.retain(|reference| !optional(reference));
    }
    Ok(found)
}

impl Session {
    /// Returns what the permanent deletion of these records would remove.
    ///
    /// # Errors
    /// [`ErrorKind::Protected`] naming who still points at them.
    pub fn plan_delete(&self, registry: &'static Registry, ids: &[i64]) -> Result<DeletePlan> {
        plan(self.db(), registry, ids)
    }

    /// Returns those of the ids at which no row points, in ascending order.
    pub(crate) fn unreferenced(&self, registry: &'static Registry, ids: &[i64]) -> Result<Vec<i64>> {
        unreferenced(self.db(), registry, ids)
    }

    /// Deletes what was planned; the plan is made anew inside the transaction, so that nobody slips in between.
    pub fn apply_delete(&self, plan: &DeletePlan) -> Result<usize> {
        let Some(registry) = plan.root.and_then(model::find) else { return Ok(0) };
        let ids = plan.ids(registry.name);
        self.db().write(|tx| delete_in(tx, registry, &ids))
    }

    /// Deletes a record and everything that hangs on it; a head hands its place on.
    ///
    /// Returns the number of rows in all and by registry.
    pub fn delete(&self, record: &mut Record) -> Result<(usize, BTreeMap<String, usize>)> {
        let Some(id) = record.id() else {
            self.env().emit(crate::Event::NotSavedNothingToDelete);
            return Ok((0, BTreeMap::new()));
        };
        let registry = record.registry();
        let (plan, promoted) = self.db().write(|tx| {
            let promoted = if registry.traits.versioned { promote_head(tx, record)? } else { None };
            let plan = plan(tx, registry, &[id])?;
            apply(tx, &plan)?;
            Ok((plan, promoted))
        })?;
        if let Some(position) = registry.position("id") {
            record.put(position, Value::Null);
        }
        if let Some(uid) = promoted {
            self.env().emit(crate::Event::NewLatest { registry: registry.name, uid });
        }
        Ok(plan.counts())
    }

    /// Deletes all records of a query permanently.
    pub fn delete_all(&self, query: &QuerySet) -> Result<(usize, BTreeMap<String, usize>)> {
        let ids = query.all_ids()?;
        let plan = self.plan_delete(query.registry(), &ids)?;
        self.apply_delete(&plan)?;
        Ok(plan.counts())
    }
}

/// Refuses a deletion while any row points at these, also one that would go with them.
pub(crate) fn refuse_referenced(tx: &Tx<'_>, registry: &'static Registry, ids: &[i64]) -> Result<()> {
    match unreferenced(tx, registry, ids)?.len() == ids.len() {
        true => Ok(()),
        false => {
            Err(Error::new(ErrorKind::Protected, format!("Somebody has come to use the {}", registry.name)))
        }
    }
}

fn unreferenced(asked: &dyn Asked, registry: &'static Registry, ids: &[i64]) -> Result<Vec<i64>> {
    let mut left: BTreeSet<i64> = ids.iter().copied().collect();
    for (from, column, _) in references(asked, registry)? {
        if left.is_empty() {
            break;
        }
        let ids: Vec<i64> = left.iter().copied().collect();
        let mut sql = Sql::new("SELECT DISTINCT ");
        sql.ident(column.column).push(" FROM ").ident(from.table).push(" WHERE ").ident(column.column);
        sql.push(" IN (").append(id_list(&ids)).push(")");
        for row in asked.rows(&sql)? {
            row.first().and_then(Value::as_int).map(|id| left.remove(&id));
        }
    }
    Ok(left.into_iter().collect())
}

/// Plans and deletes inside a transaction.
pub(crate) fn delete_in(tx: &Tx<'_>, registry: &'static Registry, ids: &[i64]) -> Result<usize> {
    let plan = plan(tx, registry, ids)?;
    apply(tx, &plan)
}

fn apply(tx: &Tx<'_>, plan: &DeletePlan) -> Result<usize> {
    let mut n = 0;
    for (name, ids) in plan.steps.iter().rev() {
        let registry = model::require(name)?;
        refuse_locked(tx, registry, ids, &[])?;
        let mut sql = Sql::new("DELETE FROM ");
        sql.ident(registry.table).push(" WHERE \"id\" IN (").append(id_list(ids)).push(")");
        n += tx.execute(&sql)?;
    }
    Ok(n)
}

fn plan(asked: &dyn Asked, registry: &'static Registry, ids: &[i64]) -> Result<DeletePlan> {
    let mut gone: BTreeMap<&'static str, Vec<i64>> = BTreeMap::new();
    gone.insert(registry.name, ids.to_vec());
    let mut steps = vec![(registry.name, ids.to_vec())];
    let mut protected: Vec<(&'static Registry, &'static model::Column, Vec<i64>, &'static str)> = Vec::new();
    let mut queue = vec![(registry, ids.to_vec())];
    while let Some((target, ids)) = queue.pop() {
        if ids.is_empty() {
            continue;
        }
        for (from, column, on_delete) in references(asked, target)? {
            let mut sql = Sql::new("SELECT \"id\" FROM ");
            sql.ident(from.table)
                .push(" WHERE ")
                .ident(column.column)
                .push(" IN (")
                .append(id_list(&ids))
                .push(")");
            let found: Vec<i64> =
                asked.rows(&sql)?.iter().filter_map(|row| row.first().and_then(Value::as_int)).collect();
            if found.is_empty() {
                continue;
            }
            if on_delete == OnDelete::Protect {
                protected.push((from, column, found, target.name));
                continue;
            }
            let known = gone.entry(from.name).or_default();
            let fresh: Vec<i64> = found.into_iter().filter(|id| !known.contains(id)).collect();
            if !fresh.is_empty() {
                known.extend(&fresh);
                steps.push((from.name, fresh.clone()));
                queue.push((from, fresh));
            }
        }
    }
    // A protected reference does not count when the record that holds it goes as well.
    for (from, column, holders, target) in protected {
        let left: Vec<i64> = holders
            .into_iter()
            .filter(|id| !gone.get(from.name).is_some_and(|ids| ids.contains(id)))
            .collect();
        if !left.is_empty() {
            return Err(Error::new(
                ErrorKind::Protected,
                format!(
                    "Cannot delete {target}: {} {} through '{}.{}' ({}); delete or change them first",
                    left.len(),
                    if left.len() == 1 { "record points at it" } else { "records point at it" },
                    from.name,
                    column.name,
                    holders_text(asked, from, column, &left)?,
                ),
            ));
        }
    }
    Ok(DeletePlan { steps, root: Some(registry.name) })
}

/// Returns who holds a protected reference, by uid where there is one; for link rows, the record on the other side.
fn holders_text(
    asked: &dyn Asked,
    from: &'static Registry,
    column: &model::Column,
    ids: &[i64],
) -> Result<String> {
    let shown = &ids[..ids.len().min(5)];
    let other = from.columns.iter().find(|other| {
        from.traits.link
            && other.to.is_some_and(|to| to.on_delete == OnDelete::Cascade)
            && other.column != column.column
    });
    let mut sql = Sql::default();
    let mut name = from.name;
    match other.and_then(|other| Some((other, model::find(other.to?.target)?))) {
        Some((other, target)) if target.column("uid").is_some() => {
            name = target.name;
            sql.push("SELECT DISTINCT t.\"uid\" FROM ")
                .ident(from.table)
                .push(" AS l JOIN ")
                .ident(target.table);
            sql.push(" AS t ON t.\"id\" = ").column("l", other.column).push(" WHERE l.\"id\" IN (");
        }
        _ if from.column("uid").is_some() => {
            sql.push("SELECT \"uid\" FROM ").ident(from.table).push(" WHERE \"id\" IN (");
        }
        _ => {
            sql.push("SELECT \"id\" FROM ").ident(from.table).push(" WHERE \"id\" IN (");
        }
    }
    sql.append(id_list(shown)).push(")");
    let texts: Vec<String> =
        asked.rows(&sql)?.iter().filter_map(|row| row.first().map(|cell| cell.to_string())).collect();
    Ok(format!("{name} {}", texts.join(", ")))
}
