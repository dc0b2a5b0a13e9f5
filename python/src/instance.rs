//! The one handle: an instance with its records, links and context.

use std::time::Duration;

use holotype::instance::{InitOptions, find_or_join};
use holotype::write::Conflict;
use holotype::{NewStorage, Value};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert;
use crate::describe::registry;
use crate::error;
use crate::query::QuerySet;
use crate::record::Record;
use crate::runtime;
use crate::voice;

/// A connected instance.
#[pyclass(frozen, module = "holotype._native")]
pub struct Instance {
    pub inner: holotype::Instance,
}

/// How many rows went, in all and by registry.
type Counts = (usize, std::collections::BTreeMap<String, usize>);

/// Returns keyword arguments as names and values.
pub fn given(arguments: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Value)>> {
    let pair = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        Ok((name.extract::<String>()?, convert::from_python(&value)?))
    };
    arguments.iter().map(pair).collect()
}

/// Returns names and values as the engine takes them.
pub fn borrowed(pairs: &[(String, Value)]) -> Vec<(&str, Value)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

/// Lets the engine work on a copy of a row while other threads may read it, then takes the result over.
pub fn change<T: Send>(
    record: &Bound<'_, Record>,
    call: impl FnOnce(&mut holotype::Record) -> holotype::Result<T> + Send,
) -> PyResult<T> {
    let mut row = record.borrow().row().clone();
    let (result, row) = runtime::run(record.py(), || {
        let result = call(&mut row)?;
        Ok((result, row))
    })?;
    *record.borrow_mut().row_mut() = row;
    Ok(result)
}

#[pymethods]
impl Instance {
    /// Initialises an instance, or connects when one of that name can be loaded.
    #[staticmethod]
    fn init(
        py: Python<'_>,
        storage: Option<String>,
        name: Option<String>,
        db: Option<String>,
        modules: Vec<String>,
    ) -> PyResult<Self> {
        let options = InitOptions { storage, name, db, modules };
        let inner = runtime::run(py, || holotype::Instance::init(&voice::env(), &options))?;
        Ok(Instance { inner })
    }

    /// Connects to an instance by name, `owner/name` or URL.
    #[staticmethod]
    fn connect(py: Python<'_>, identifier: &str) -> PyResult<Self> {
        let inner = runtime::run(py, || holotype::Instance::connect_to(&voice::env(), identifier))?;
        Ok(Instance { inner })
    }

    /// Connects to the current instance, if there is one.
    #[staticmethod]
    fn connect_current(py: Python<'_>) -> PyResult<Option<Self>> {
        let found = runtime::run(py, || holotype::Instance::connect_current(&voice::env()))?;
        Ok(found.map(|inner| Instance { inner }))
    }

    /// Connects to an instance and keeps the lock of a database in a bucket, waiting for it so many seconds.
    #[staticmethod]
    fn hold(py: Python<'_>, identifier: &str, seconds: f64) -> PyResult<Self> {
        let patience = Duration::try_from_secs_f64(seconds)
            .map_err(|_| error::value(py, format!("{seconds} is no time to wait: pass seconds")))?;
        let inner = runtime::run(py, || {
            let env = voice::env();
            let settings = find_or_join(&env, identifier)?;
            holotype::Instance::connect_and_hold(&env, &settings, patience)
        })?;
        Ok(Instance { inner })
    }

    /// Sends what this process wrote to a database in a bucket, and gives back the lock that its first write took.
    fn leave(&self, py: Python<'_>) -> PyResult<()> {
        runtime::run(py, || self.inner.leave())
    }

    /// Sends what a database in a bucket does not have yet, and gives its lock back.
    fn disconnect(&self, py: Python<'_>) -> PyResult<()> {
        runtime::run(py, || self.inner.disconnect())
    }

    /// Working directory that the instance resolves relative paths against.
    #[getter]
    fn cwd(&self) -> String {
        self.inner.env().cwd.display().to_string()
    }

    /// True when nothing can be written.
    #[getter]
    fn read_only(&self) -> bool {
        self.inner.db().read_only()
    }

    /// Returns the query for all records of a registry, on every branch.
    fn query(&self, py: Python<'_>, name: &str) -> PyResult<QuerySet> {
        Ok(QuerySet { inner: self.inner.query(registry(py, name)?) })
    }

    /// Returns the record with an id.
    fn by_id(&self, py: Python<'_>, name: &str, id: i64) -> PyResult<Record> {
        let registry = registry(py, name)?;
        runtime::run(py, || self.inner.by_id(registry, id)).map(Record::from)
    }

    /// Returns a new record from keywords, or the existing one of the same name, and whether it existed.
    fn construct(
        &self,
        py: Python<'_>,
        name: &str,
        keywords: &Bound<'_, PyDict>,
        search_names: bool,
    ) -> PyResult<(Record, bool)> {
        let registry = registry(py, name)?;
        let pairs = given(keywords)?;
        let made = runtime::run(py, || self.inner.construct_with(registry, &borrowed(&pairs), search_names))?;
        Ok((made.record.into(), made.existing))
    }

    /// Saves a record.
    fn save(&self, record: &Bound<'_, Record>) -> PyResult<()> {
        change(record, |row| self.inner.save(row))
    }

    /// Saves records in one transaction.
    fn save_many(&self, py: Python<'_>, records: Vec<Py<Record>>, ignore_conflicts: bool) -> PyResult<()> {
        let mut rows: Vec<holotype::Record> =
            records.iter().map(|record| record.borrow(py).row().clone()).collect();
        let conflict = if ignore_conflicts { Conflict::Skip } else { Conflict::Fail };
        runtime::run(py, || self.inner.save_many(&mut rows, conflict))?;
        for (record, row) in records.iter().zip(rows) {
            *record.borrow_mut(py).row_mut() = row;
        }
        Ok(())
    }

    /// Sets fields of all records of a query and returns how many there were.
    fn update(&self, py: Python<'_>, query: &QuerySet, changes: &Bound<'_, PyDict>) -> PyResult<usize> {
        let pairs = given(changes)?;
        runtime::run(py, || self.inner.update(&query.inner, &borrowed(&pairs)))
    }

    /// Moves a record to the trash.
    fn trash(&self, record: &Bound<'_, Record>) -> PyResult<()> {
        change(record, |row| self.inner.trash(row))
    }

    /// Moves a record from the trash to the main branch.
    fn restore(&self, record: &Bound<'_, Record>) -> PyResult<()> {
        change(record, |row| self.inner.restore(row))
    }

    /// Deletes a record permanently and returns how many rows went, in all and by registry.
    fn delete(&self, record: &Bound<'_, Record>) -> PyResult<Counts> {
        change(record, |row| self.inner.delete(row))
    }

    /// Deletes all records of a query permanently.
    fn delete_all(&self, py: Python<'_>, query: &QuerySet) -> PyResult<Counts> {
        runtime::run(py, || self.inner.delete_all(&query.inner))
    }

    /// Returns the records at the other end of a relation.
    fn related(&self, py: Python<'_>, record: &Record, relation: &str) -> PyResult<QuerySet> {
        let inner = runtime::run(py, || self.inner.related(record.row(), relation))?;
        Ok(QuerySet { inner })
    }

    /// Links a record to others.
    fn link(&self, py: Python<'_>, record: &Record, relation: &str, targets: Vec<i64>) -> PyResult<()> {
        runtime::run(py, || self.inner.link(record.row(), relation, &targets))
    }

    /// Takes links away.
    fn unlink(&self, py: Python<'_>, record: &Record, relation: &str, targets: Vec<i64>) -> PyResult<()> {
        runtime::run(py, || self.inner.unlink(record.row(), relation, &targets))
    }

    /// Makes these the only linked records.
    fn set_links(&self, py: Python<'_>, record: &Record, relation: &str, targets: Vec<i64>) -> PyResult<()> {
        runtime::run(py, || self.inner.set_links(record.row(), relation, &targets))
    }

    /// Returns what is known of a record, as a tree.
    fn describe(&self, py: Python<'_>, record: &Record) -> PyResult<String> {
        runtime::run(py, || Ok(self.inner.describe(record.row())?.to_text()))
    }

    /// Returns what there is to know about a record before reading on.
    fn warnings(&self, py: Python<'_>, record: &Record) -> PyResult<Vec<String>> {
        runtime::run(py, || Ok(self.inner.describe(record.row())?.warnings))
    }

    /// Returns the fields and relations of a registry.
    fn describe_registry(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        Ok(self.inner.registry_text(registry(py, name)?))
    }

    /// Returns a new branch, saved.
    fn create_branch(&self, py: Python<'_>, name: &str) -> PyResult<Record> {
        runtime::run(py, || self.inner.create_branch(name)).map(Record::from)
    }

    /// Works on another branch from now on.
    fn switch_branch(&self, py: Python<'_>, target: &str, create: bool) -> PyResult<Record> {
        runtime::run(py, || self.inner.switch_branch(target, create)).map(Record::from)
    }

    /// Works in another space from now on.
    fn switch_space(&self, py: Python<'_>, target: &str) -> PyResult<Record> {
        runtime::run(py, || self.inner.switch_space(target)).map(Record::from)
    }

    /// Returns what new records get when nothing else is said.
    fn context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        // Asked as every call is: the run may be that of the function which asks.
        let context = runtime::run(py, || Ok(self.inner.context()))?;
        let out = PyDict::new(py);
        out.set_item("user", context.user)?;
        out.set_item("branch", context.branch)?;
        out.set_item("space", context.space)?;
        out.set_item("run", context.run)?;
        out.set_item("storage", context.storage)?;
        Ok(out)
    }

    /// Sets a part of the context: branch, space or run.
    fn set_context(&self, py: Python<'_>, name: &str, id: Option<i64>) -> PyResult<()> {
        let mut known = true;
        self.inner.with_context(|context| match (name, id) {
            ("branch", Some(id)) => context.branch = id,
            ("space", Some(id)) => context.space = id,
            ("run", id) => context.run = id,
            _ => known = false,
        });
        if known { Ok(()) } else { Err(error::value(py, format!("'{name}' is not set this way"))) }
    }

    /// Returns how new records are made.
    fn creation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let creation = self.inner.creation();
        let out = PyDict::new(py);
        out.set_item("search_names", creation.search_names)?;
        out.set_item("use_virtual_keys", creation.use_virtual_keys)?;
        out.set_item("skip_size_hash", creation.skip_size_hash)?;
        out.set_item("silence_missing_run", creation.silence_missing_run)?;
        out.set_item("allow_key_clash", creation.allow_key_clash)?;
        out.set_item("keep_versions", creation.keep_versions)?;
        out.set_item("durable", creation.durable)?;
        Ok(out)
    }

    /// Sets how new records are made.
    fn set_creation(&self, py: Python<'_>, name: &str, on: bool) -> PyResult<()> {
        let mut known = true;
        runtime::run(py, || {
            self.inner.with_creation(|creation| match name {
                "search_names" => creation.search_names = on,
                "use_virtual_keys" => creation.use_virtual_keys = on,
                "skip_size_hash" => creation.skip_size_hash = on,
                "silence_missing_run" => creation.silence_missing_run = on,
                "allow_key_clash" => creation.allow_key_clash = on,
                "keep_versions" => creation.keep_versions = on,
                "durable" => creation.durable = on,
                _ => known = false,
            })
        })?;
        if known { Ok(()) } else { Err(error::value(py, format!("There is no setting '{name}'"))) }
    }

    /// Returns the settings of the instance.
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = self.inner.settings();
        let out = PyDict::new(py);
        out.set_item("owner", &settings.owner)?;
        out.set_item("name", &settings.name)?;
        out.set_item("slug", settings.slug().to_string())?;
        out.set_item("id", &settings.id)?;
        out.set_item("uid", settings.uid())?;
        out.set_item("storage_root", &settings.storage_root)?;
        out.set_item("storage_region", &settings.storage_region)?;
        let database = runtime::run(py, || settings.shown_database(self.inner.env()))?;
        out.set_item("db", database)?;
        out.set_item("modules", &settings.modules)?;
        out.set_item("git_repo", &settings.git_repo)?;
        out.set_item("keep_artifacts_local", settings.keep_artifacts_local)?;
        Ok(out)
    }

    /// Sets whether artifacts stay in local storage, for this session.
    fn set_keep_artifacts_local(&self, on: bool) {
        self.inner.set_keep_artifacts_local(on);
    }

    /// Returns the local storage location that new content goes to while artifacts stay local.
    fn local_storage(&self, py: Python<'_>) -> PyResult<Record> {
        runtime::run(py, || self.inner.local_storage()).map(Record::from)
    }

    /// Makes a registered location the local one of this session.
    fn use_local_storage(&self, py: Python<'_>, record: &Record) -> PyResult<()> {
        runtime::run(py, || self.inner.use_local_storage(record.row()))
    }

    /// Registers a storage location, or returns the registered one.
    fn create_storage(
        &self,
        py: Python<'_>,
        root: String,
        description: Option<String>,
        host: Option<String>,
        space: Option<i64>,
    ) -> PyResult<Record> {
        let new = NewStorage { root, description, host, space };
        runtime::run(py, || self.inner.create_storage(&new)).map(Record::from)
    }

    /// Removes a storage location that holds nothing.
    fn delete_storage(&self, py: Python<'_>, record: &Record) -> PyResult<()> {
        runtime::run(py, || self.inner.delete_storage(record.row()))
    }

    /// Makes a registered location the default of this session.
    fn use_storage(&self, py: Python<'_>, record: &Record) -> PyResult<()> {
        runtime::run(py, || self.inner.use_storage(record.row()))
    }

    /// Returns true when this instance may write to a location.
    fn manages(&self, record: &Record) -> bool {
        self.inner.manages(record.row())
    }
}
