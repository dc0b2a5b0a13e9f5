//! The care of content: verifying, repairing and collecting.

use holotype::Timestamp;
use holotype::care::{Collect, Depth, Remedy, Step};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::instance::Instance;
use crate::query::QuerySet;
use crate::record::Record;
use crate::runtime;

/// Microseconds of an hour.
const HOUR: f64 = 3_600_000_000.0;

/// What a finding says: artifact, state, detail, path, and whether every byte was compared.
type Finding = (Record, &'static str, String, String, bool);

fn depth(full: bool, sample: Option<usize>) -> Depth {
    match sample {
        Some(n) => Depth::Sample(n),
        None if full => Depth::Full,
        None => Depth::Fast,
    }
}

fn finding(found: holotype::care::Finding) -> Finding {
    let path = found.path.display().to_string();
    (Record::from(found.artifact), found.state.name(), found.detail, path, found.read)
}

/// Compares the stored content of artifacts with the registry.
#[pyfunction]
fn verify<'py>(
    py: Python<'py>,
    instance: &Instance,
    artifacts: &QuerySet,
    full: bool,
    sample: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let found = runtime::run(py, || instance.inner.verify(&artifacts.inner, depth(full, sample)))?;
    let out = PyDict::new(py);
    out.set_item("checked", found.checked)?;
    out.set_item("read", found.read)?;
    out.set_item("bytes", found.bytes)?;
    out.set_item("overwritten", found.overwritten)?;
    out.set_item("wrong", found.wrong.into_iter().map(finding).collect::<Vec<Finding>>())?;
    Ok(out)
}

/// Compares the stored content of one artifact with the registry.
#[pyfunction]
fn verify_artifact(py: Python<'_>, instance: &Instance, record: &Record, full: bool) -> PyResult<Finding> {
    let depth = depth(full, None);
    runtime::run(py, || instance.inner.verify_artifact(record.row(), depth)).map(finding)
}

/// Plans a repair and, unless `dry_run`, does it; returns the steps planned, done and failed.
#[pyfunction]
fn repair<'py>(
    py: Python<'py>,
    instance: &Instance,
    artifacts: &QuerySet,
    full: bool,
    older_than: f64,
    dry_run: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let inner = &instance.inner;
    let (plan, repaired) = runtime::run(py, || {
        let found = inner.verify(&artifacts.inner, depth(full, None))?;
        let plan = inner.plan_repair(&found, before(inner, older_than))?;
        let repaired = if dry_run { None } else { Some(plan.apply(inner)?) };
        Ok((plan, repaired))
    })?;
    let out = PyDict::new(py);
    out.set_item(
        "planned",
        plan.steps.iter().map(|each| step(py, each, None)).collect::<PyResult<Vec<_>>>()?,
    )?;
    let repaired = repaired.unwrap_or_default();
    out.set_item(
        "done",
        repaired.done.iter().map(|each| step(py, each, None)).collect::<PyResult<Vec<_>>>()?,
    )?;
    let failed = repaired.failed.iter().map(|(each, why)| step(py, each, Some(why)));
    out.set_item("failed", failed.collect::<PyResult<Vec<_>>>()?)?;
    Ok(out)
}

fn step<'py>(py: Python<'py>, step: &Step, error: Option<&str>) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("step", step.remedy.name())?;
    out.set_item("uid", step.artifact.as_ref().map(|row| row.uid()))?;
    out.set_item("key", step.artifact.as_ref().and_then(|row| row.text("key")))?;
    out.set_item("reason", &step.reason)?;
    out.set_item("path", step.path.display().to_string())?;
    let from = match &step.remedy {
        Remedy::Restore { from, .. } => Some(from.display().to_string()),
        _ => None,
    };
    out.set_item("from", from)?;
    out.set_item("error", error)?;
    Ok(out)
}

/// Returns the moment so many hours ago.
fn before(instance: &holotype::Instance, hours: f64) -> Timestamp {
    Timestamp(instance.env().now().0.saturating_sub((hours * HOUR) as i64))
}

/// Plans a collection and, if `apply`, does it; returns what was found and what was taken.
#[pyfunction]
fn collect<'py>(
    py: Python<'py>,
    instance: &Instance,
    older_than: f64,
    trash_days: f64,
    apply: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let inner = &instance.inner;
    let (plan, collected) = runtime::run(py, || {
        let trashed_before = Some(before(inner, trash_days * 24.0));
        let plan =
            inner.plan_collect(Collect { unused_before: before(inner, older_than), trashed_before })?;
        let collected = if apply { Some(plan.apply(inner)?) } else { None };
        Ok((plan, collected))
    })?;
    let out = PyDict::new(py);
    let unused = |all: &[holotype::care::Unused]| -> Vec<(String, &'static str, u64)> {
        all.iter().map(|one| (format!("{}/{}", one.root, one.key), one.kind.name(), one.size)).collect()
    };
    out.set_item("unused", unused(&plan.unused))?;
    out.set_item("young", unused(&plan.young))?;
    let trash = plan.trash.iter().map(|trashed| Record::from(trashed.artifact.clone()));
    out.set_item("trash", trash.collect::<Vec<_>>())?;
    let kept = plan.kept.iter().map(|(row, why)| (Record::from(row.clone()), why.clone()));
    out.set_item("kept", kept.collect::<Vec<_>>())?;
    let collected = collected.unwrap_or_default();
    out.set_item("moved", collected.moved)?;
    out.set_item("bytes", if apply { collected.bytes } else { plan.bytes() })?;
    out.set_item("deleted", collected.deleted)?;
    let failed = collected.failed.iter().map(|(path, why)| (path.display().to_string(), why.clone()));
    out.set_item("failed", failed.collect::<Vec<_>>())?;
    Ok(out)
}

/// Removes for good what is in quarantine; returns how many bytes that were.
#[pyfunction]
fn purge(py: Python<'_>, instance: &Instance) -> PyResult<u64> {
    runtime::run(py, || {
        let held = instance.inner.quarantined()?;
        instance.inner.purge(&held)?;
        Ok(held.iter().map(|one| one.size).sum())
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(verify_artifact, module)?)?;
    module.add_function(wrap_pyfunction!(repair, module)?)?;
    module.add_function(wrap_pyfunction!(collect, module)?)?;
    module.add_function(wrap_pyfunction!(purge, module)?)
}
