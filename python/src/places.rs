//! What is set outside an instance: who works here, where settings and cache lie, what was chosen.

use std::path::PathBuf;

use holotype::instance::name::Slug;
use holotype::instance::root::StorageRoot;
use holotype::instance::settings::{self, InstanceSettings, SettingsDir, UserSettings};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::fields;
use crate::error::got;
use crate::runtime::run;
use crate::voice::env;

/// Returns the identity that records are created under.
#[pyfunction]
pub fn current_user(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let user = run(|| UserSettings::current(&env()))?;
    Ok(fields!(py, user => handle, uid, name, email, uuid))
}

/// Takes an identity on this machine.
#[pyfunction]
pub fn login(handle: &str, name: Option<&str>, email: Option<&str>) -> PyResult<()> {
    run(|| settings::login_local(&env(), handle, name, email)).map(drop)
}

/// Makes nobody the current user and returns whether somebody was.
#[pyfunction]
pub fn logout() -> PyResult<bool> {
    run(|| settings::logout(&env()))
}

/// Returns the cache directory.
#[pyfunction]
pub fn cache_dir() -> PyResult<PathBuf> {
    run(|| settings::cache_dir(&env()))
}

/// Moves the cache to a directory, or back to the default.
#[pyfunction]
pub fn set_cache_dir(path: Option<PathBuf>) -> PyResult<()> {
    run(|| settings::plan_cache_move(&env(), path.as_deref())?.apply(&env()))
}

/// Returns the directory of settings files.
#[pyfunction]
pub fn settings_dir() -> PathBuf {
    SettingsDir::of(&env()).path().to_owned()
}

/// Returns the directory of settings for all users.
#[pyfunction]
pub fn system_dir() -> PathBuf {
    settings::system_dir(&env())
}

fn slug(text: &str) -> PyResult<Slug> {
    got(Slug::parse(text, "anonymous"))
}

/// Returns the directory that is bound to an instance and holds the working directory.
#[pyfunction]
pub fn dev_dir(instance: &str) -> PyResult<Option<PathBuf>> {
    Ok(settings::dev_dir(&env(), &slug(instance)?))
}

/// Binds a directory to an instance.
#[pyfunction]
pub fn bind_dir(path: PathBuf, instance: &str) -> PyResult<()> {
    let slug = slug(instance)?;
    run(|| settings::bind(&env(), &path, &slug)).map(drop)
}

/// Takes the binding of a directory away and returns whether there was one.
#[pyfunction]
pub fn unbind_dir(path: PathBuf) -> PyResult<bool> {
    run(|| settings::unbind(&env(), &path))
}

/// Makes an instance no longer the current one of this machine and returns whether it was.
#[pyfunction]
pub fn disconnect(instance: &str) -> PyResult<bool> {
    let slug = slug(instance)?;
    run(|| InstanceSettings::forget_global(&env(), &slug))
}

/// Returns the slug of the instance that an identifier names on this machine.
#[pyfunction]
pub fn find_instance(identifier: &str) -> PyResult<String> {
    run(|| settings::load_by_identifier(&env(), identifier)).map(|found| found.slug().to_string())
}

/// Deletes an instance from this machine; content in storage is refused or left, as `require_empty` says.
#[pyfunction]
pub fn delete_instance(identifier: &str, require_empty: bool) -> PyResult<()> {
    run(|| {
        let found = settings::load_by_identifier(&env(), identifier)?;
        holotype::InstanceDeletion::plan(&env(), &found)?.apply(&env(), require_empty)
    })
}

/// Returns a storage root in the form in which it is registered.
#[pyfunction]
pub fn normalize_root(root: &str) -> PyResult<String> {
    run(|| StorageRoot::parse(&env(), root)).map(|root| root.as_str().to_owned())
}
