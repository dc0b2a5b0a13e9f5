//! The care of content: verifying, repairing and collecting.

use holotype::Timestamp;
use holotype::care::{Collect, Depth, Step, Unused};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::{Document, fields};
use crate::instance::Instance;
use crate::query::QuerySet;
use crate::record::{Record, rows};
use crate::runtime::run;

/// Microseconds of an hour.
const HOUR: f64 = 3_600_000_000.0;

/// What a finding says: artifact, state, detail, path, and whether every byte was compared.
type Finding = (Record, &'static str, String, String, bool);

fn finding(found: holotype::care::Finding) -> Finding {
    (found.artifact.into(), found.state.name(), found.detail, found.path.display().to_string(), found.read)
}

#[pymethods]
impl Instance {
    /// Compares the stored content of artifacts with the registry.
    fn verify<'py>(
        &self,
        py: Python<'py>,
        artifacts: &QuerySet,
        full: bool,
        sample: Option<usize>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let depth = sample.map_or(depth(full), Depth::Sample);
        let found = run(|| self.inner.verify(&artifacts.inner, depth))?;
        let out = fields!(py, found => checked, read, bytes, overwritten);
        out.set_item("wrong", found.wrong.into_iter().map(finding).collect::<Vec<Finding>>())?;
        Ok(out)
    }

    /// Compares the stored content of one artifact with the registry.
    fn verify_artifact(&self, record: &Record, full: bool) -> PyResult<Finding> {
        run(|| self.inner.verify_artifact(record.row(), depth(full))).map(finding)
    }

    /// Plans a repair and, unless `dry_run`, does it; returns the steps planned, done and failed.
    fn repair<'py>(
        &self,
        py: Python<'py>,
        artifacts: &QuerySet,
        full: bool,
        older_than: f64,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let inner = &self.inner;
        let (plan, repaired) = run(|| {
            let found = inner.verify(&artifacts.inner, depth(full))?;
            let plan = inner.plan_repair(&found, before(inner, older_than))?;
            let repaired = if dry_run { None } else { Some(plan.apply(inner)?) };
            Ok((plan, repaired.unwrap_or_default()))
        })?;
        let steps = |steps: &[Step]| steps.iter().map(|each| step(each, None)).collect::<Vec<_>>();
        let failed = repaired.failed.iter().map(|(each, why)| step(each, Some(why)));
        let out = PyDict::new(py);
        out.set_item("planned", steps(&plan.steps))?;
        out.set_item("done", steps(&repaired.done))?;
        out.set_item("failed", failed.collect::<Vec<_>>())?;
        Ok(out)
    }

    /// Plans a collection and, if `apply`, does it; returns what was found and what was taken.
    fn collect<'py>(
        &self,
        py: Python<'py>,
        older_than: f64,
        trash_days: f64,
        apply: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let inner = &self.inner;
        let (plan, collected) = run(|| {
            let trashed_before = Some(before(inner, trash_days * 24.0));
            let plan =
                inner.plan_collect(Collect { unused_before: before(inner, older_than), trashed_before })?;
            let collected = if apply { Some(plan.apply(inner)?) } else { None };
            Ok((plan, collected.unwrap_or_default()))
        })?;
        let unused = |all: &[Unused]| -> Vec<(String, &'static str, u64)> {
            all.iter().map(|one| (format!("{}/{}", one.root, one.key), one.kind.name(), one.size)).collect()
        };
        let bytes = if apply { collected.bytes } else { plan.bytes() };
        let failed = collected.failed.iter().map(|(path, why)| (path.display().to_string(), why.clone()));
        let out = fields!(py, collected => moved, deleted);
        out.set_item("unnamed", rows(plan.unnamed.into_iter().map(|unnamed| unnamed.artifact).collect()))?;
        out.set_item("documents", plan.documents.len())?;
        out.set_item("unused", unused(&plan.unused))?;
        out.set_item("young", unused(&plan.young))?;
        out.set_item("trash", rows(plan.trash.into_iter().map(|trashed| trashed.artifact).collect()))?;
        let kept = plan.kept.into_iter().map(|(row, why)| (Record::from(row), why));
        out.set_item("kept", kept.collect::<Vec<_>>())?;
        out.set_item("bytes", bytes)?;
        out.set_item("failed", failed.collect::<Vec<_>>())?;
        Ok(out)
    }

    /// Removes for good what is in quarantine; returns how many bytes that were.
    fn purge(&self) -> PyResult<u64> {
        run(|| {
            let held = self.inner.quarantined()?;
            self.inner.purge(&held)?;
            Ok(held.iter().map(|one| one.size).sum())
        })
    }
}

fn depth(full: bool) -> Depth {
    if full { Depth::Full } else { Depth::Fast }
}

fn step(step: &Step, error: Option<&str>) -> Document {
    let mut json = step.json();
    json["error"] = error.into();
    Document(json)
}

/// Returns the moment so many hours ago.
fn before(instance: &holotype::Instance, hours: f64) -> Timestamp {
    Timestamp(instance.env().now().0.saturating_sub((hours * HOUR) as i64))
}
