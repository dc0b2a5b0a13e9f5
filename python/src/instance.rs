//! The one handle: an instance with its records, links and context.

use std::time::Duration;

use holotype::NewStorage;
use holotype::instance::{InitOptions, find_or_join};
use holotype::session::Creation;
use holotype::write::Conflict;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::{Given, InRegistry, choose, fields};
use crate::error;
use crate::query::QuerySet;
use crate::record::{Record, change, change_all};
use crate::runtime::run;
use crate::voice::env;

/// A connected instance.
#[pyclass(frozen, module = "holotype._native")]
pub struct Instance {
    pub inner: holotype::Instance,
}

impl From<holotype::Instance> for Instance {
    fn from(inner: holotype::Instance) -> Self {
        Instance { inner }
    }
}

/// How many rows went, in all and by registry.
type Counts = (usize, std::collections::BTreeMap<String, usize>);

#[pymethods]
impl Instance {
    /// Initialises an instance, or connects when one of that name can be loaded.
    #[staticmethod]
    fn init(
        storage: Option<String>,
        name: Option<String>,
        db: Option<String>,
        modules: Vec<String>,
    ) -> PyResult<Self> {
        let options = InitOptions { storage, name, db, modules };
        run(|| holotype::Instance::init(&env(), &options)).map(Self::from)
    }

    /// Connects to an instance by name, `owner/name` or URL.
    #[staticmethod]
    fn connect(identifier: &str) -> PyResult<Self> {
        run(|| holotype::Instance::connect_to(&env(), identifier)).map(Self::from)
    }

    /// Connects to the current instance, if there is one.
    #[staticmethod]
    fn connect_current() -> PyResult<Option<Self>> {
        Ok(run(|| holotype::Instance::connect_current(&env()))?.map(Self::from))
    }

    /// Connects to an instance and keeps the lock of a database in a bucket, waiting for it so many seconds.
    #[staticmethod]
    fn hold(identifier: &str, seconds: f64) -> PyResult<Self> {
        let patience = Duration::try_from_secs_f64(seconds)
            .map_err(|_| error::value(format!("{seconds} is no time to wait: pass seconds")))?;
        run(|| holotype::Instance::connect_and_hold(&env(), &find_or_join(&env(), identifier)?, patience))
            .map(Self::from)
    }

    /// Sends what this process wrote to a database in a bucket, and gives back the lock that its first write took.
    fn leave(&self) -> PyResult<()> {
        run(|| self.inner.leave())
    }

    /// Sends what a database in a bucket does not have yet, and gives its lock back.
    fn disconnect(&self) -> PyResult<()> {
        run(|| self.inner.disconnect())
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
    fn query(&self, registry: InRegistry) -> QuerySet {
        self.inner.query(registry.0).into()
    }

    /// Returns the record with an id.
    fn by_id(&self, registry: InRegistry, id: i64) -> PyResult<Record> {
        run(|| self.inner.by_id(registry.0, id)).map(Record::from)
    }

    /// Returns a new record from keywords, or the existing one of the same name, and whether it existed.
    fn construct(
        &self,
        registry: InRegistry,
        keywords: Given,
        search_names: bool,
    ) -> PyResult<(Record, bool)> {
        let made = run(|| self.inner.construct_with(registry.0, &keywords.pairs(), search_names))?;
        Ok((made.record.into(), made.existing))
    }

    /// Saves a record.
    fn save(&self, record: &Bound<'_, Record>) -> PyResult<()> {
        change(record, |row| self.inner.save(row))
    }

    /// Saves records in one transaction.
    fn save_many(&self, records: Vec<Bound<'_, Record>>, ignore_conflicts: bool) -> PyResult<()> {
        let conflict = if ignore_conflicts { Conflict::Skip } else { Conflict::Fail };
        change_all(&records, |record| record.row().clone(), |rows| self.inner.save_many(rows, conflict))
    }

    /// Sets fields of all records of a query and returns how many there were.
    fn update(&self, query: &QuerySet, changes: Given) -> PyResult<usize> {
        run(|| self.inner.update(&query.inner, &changes.pairs()))
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
    fn delete_all(&self, query: &QuerySet) -> PyResult<Counts> {
        run(|| self.inner.delete_all(&query.inner))
    }

    /// Returns the records at the other end of a relation.
    fn related(&self, record: &Record, relation: &str) -> PyResult<QuerySet> {
        run(|| self.inner.related(record.row(), relation)).map(QuerySet::from)
    }

    /// Links a record to others.
    fn link(&self, record: &Record, relation: &str, targets: Vec<i64>) -> PyResult<()> {
        run(|| self.inner.link(record.row(), relation, &targets))
    }

    /// Takes links away.
    fn unlink(&self, record: &Record, relation: &str, targets: Vec<i64>) -> PyResult<()> {
        run(|| self.inner.unlink(record.row(), relation, &targets))
    }

    /// Makes these the only linked records.
    fn set_links(&self, record: &Record, relation: &str, targets: Vec<i64>) -> PyResult<()> {
        run(|| self.inner.set_links(record.row(), relation, &targets))
    }

    /// Returns what is known of a record, as a tree, and what there is to know before reading on.
    fn describe(&self, record: &Record) -> PyResult<(String, Vec<String>)> {
        run(|| self.inner.describe(record.row())).map(|tree| (tree.to_text(), tree.warnings))
    }

    /// Returns the fields and relations of a registry.
    fn describe_registry(&self, registry: InRegistry) -> String {
        self.inner.registry_text(registry.0)
    }

    /// Works on another branch from now on.
    fn switch_branch(&self, target: &str, create: bool) -> PyResult<Record> {
        run(|| self.inner.switch_branch(target, create)).map(Record::from)
    }

    /// Works in another space from now on.
    fn switch_space(&self, target: &str) -> PyResult<Record> {
        run(|| self.inner.switch_space(target)).map(Record::from)
    }

    /// Returns what new records get when nothing else is said.
    fn context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        // Asked as every call is: the run may be that of the function which asks.
        let context = run(|| Ok(self.inner.context()))?;
        Ok(fields!(py, context => user, branch, space, run, storage))
    }

    /// Sets a part of the context: branch, space or run.
    fn set_context(&self, name: &str, id: Option<i64>) -> PyResult<()> {
        match (name, id) {
            ("branch", Some(id)) => self.inner.with_context(|context| context.branch = id),
            ("space", Some(id)) => self.inner.with_context(|context| context.space = id),
            ("run", id) => self.inner.with_context(|context| context.run = id),
            _ => return Err(error::value(format!("'{name}' is not set this way"))),
        }
        Ok(())
    }

    /// Returns how new records are made.
    fn creation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let creation = self.inner.creation();
        Ok(
            fields!(py, creation => search_names, use_virtual_keys, skip_size_hash, silence_missing_run, allow_key_clash,
            keep_versions, durable),
        )
    }

    /// Sets how new records are made.
    fn set_creation(&self, name: &str, on: bool) -> PyResult<()> {
        let flag: fn(&mut Creation) -> &mut bool = choose!(name, "is no setting":
            "search_names" => |all| &mut all.search_names, "use_virtual_keys" => |all| &mut all.use_virtual_keys,
            "skip_size_hash" => |all| &mut all.skip_size_hash, "allow_key_clash" => |all| &mut all.allow_key_clash,
            "silence_missing_run" => |all| &mut all.silence_missing_run,
            "keep_versions" => |all| &mut all.keep_versions, "durable" => |all| &mut all.durable);
        run(|| self.inner.with_creation(|creation| *flag(creation) = on))
    }

    /// Returns the settings of the instance.
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = self.inner.settings();
        let out = fields!(py, settings => owner, name, id, storage_root, storage_region, modules, git_repo,
            keep_artifacts_local);
        out.set_item("slug", settings.slug().to_string())?;
        out.set_item("uid", settings.uid())?;
        out.set_item("db", run(|| settings.shown_database(self.inner.env()))?)?;
        Ok(out)
    }

    /// Sets whether artifacts stay in local storage, for this session.
    fn set_keep_artifacts_local(&self, on: bool) {
        self.inner.set_keep_artifacts_local(on);
    }

    /// Returns the local storage location that new content goes to while artifacts stay local.
    fn local_storage(&self) -> PyResult<Record> {
        run(|| self.inner.local_storage()).map(Record::from)
    }

    /// Makes a registered location the local one of this session.
    fn use_local_storage(&self, record: &Record) -> PyResult<()> {
        run(|| self.inner.use_local_storage(record.row()))
    }

    /// Registers a storage location, or returns the registered one.
    fn create_storage(
        &self,
        root: String,
        description: Option<String>,
        host: Option<String>,
        space: Option<i64>,
    ) -> PyResult<Record> {
        let new = NewStorage { root, description, host, space };
        run(|| self.inner.create_storage(&new)).map(Record::from)
    }

    /// Removes a storage location that holds nothing.
    fn delete_storage(&self, record: &Record) -> PyResult<()> {
        run(|| self.inner.delete_storage(record.row()))
    }

    /// Makes a registered location the default of this session.
    fn use_storage(&self, record: &Record) -> PyResult<()> {
        run(|| self.inner.use_storage(record.row()))
    }

    /// Returns true when this instance may write to a location.
    fn manages(&self, record: &Record) -> bool {
        self.inner.manages(record.row())
    }
}
