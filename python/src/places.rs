//! What is set outside an instance: who works here, where settings and cache lie, what was chosen.

use std::path::PathBuf;

use holotype::instance::name::Slug;
use holotype::instance::root::StorageRoot;
use holotype::instance::settings::{self, InstanceSettings, SettingsDir, UserSettings};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::{error, runtime, voice};

fn user<'py>(py: Python<'py>, user: &UserSettings) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("handle", &user.handle)?;
    out.set_item("uid", &user.uid)?;
    out.set_item("name", &user.name)?;
    out.set_item("email", &user.email)?;
    out.set_item("uuid", &user.uuid)?;
    Ok(out)
}

/// Returns the identity that records are created under.
#[pyfunction]
fn current_user(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let found = runtime::run(py, || UserSettings::current(&voice::env()))?;
    user(py, &found)
}

/// Takes an identity on this machine.
#[pyfunction]
fn login<'py>(
    py: Python<'py>,
    handle: &str,
    name: Option<&str>,
    email: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    let taken = runtime::run(py, || settings::login_local(&voice::env(), handle, name, email))?;
    user(py, &taken)
}

/// Makes nobody the current user and returns whether somebody was.
#[pyfunction]
fn logout(py: Python<'_>) -> PyResult<bool> {
    runtime::run(py, || settings::logout(&voice::env()))
}

/// Returns the cache directory.
#[pyfunction]
fn cache_dir(py: Python<'_>) -> PyResult<PathBuf> {
    runtime::run(py, || settings::cache_dir(&voice::env()))
}

/// Moves the cache to a directory, or back to the default.
#[pyfunction]
fn set_cache_dir(py: Python<'_>, path: Option<PathBuf>) -> PyResult<()> {
    runtime::run(py, || {
        let env = voice::env();
        settings::plan_cache_move(&env, path.as_deref())?.apply(&env)
    })
}

/// Returns the directory of settings files.
#[pyfunction]
fn settings_dir() -> PathBuf {
    SettingsDir::of(&voice::env()).path().to_owned()
}

/// Returns the directory of settings for all users.
#[pyfunction]
fn system_dir() -> PathBuf {
    settings::system_dir(&voice::env())
}

fn slug(py: Python<'_>, text: &str) -> PyResult<Slug> {
    Slug::parse(text, "anonymous").map_err(|failure| error::raise(py, &failure))
}

/// Returns the directory that is bound to an instance and holds the working directory.
#[pyfunction]
fn dev_dir(py: Python<'_>, instance: &str) -> PyResult<Option<PathBuf>> {
    let slug = slug(py, instance)?;
    Ok(settings::dev_dir(&voice::env(), &slug))
}

/// Binds a directory to an instance.
#[pyfunction]
fn bind_dir(py: Python<'_>, path: PathBuf, instance: &str) -> PyResult<()> {
    let slug = slug(py, instance)?;
    runtime::run(py, || settings::bind(&voice::env(), &path, &slug).map(drop))
}

/// Takes the binding of a directory away and returns whether there was one.
#[pyfunction]
fn unbind_dir(py: Python<'_>, path: PathBuf) -> PyResult<bool> {
    runtime::run(py, || settings::unbind(&voice::env(), &path))
}

/// Makes an instance no longer the current one of this machine and returns whether it was.
#[pyfunction]
fn disconnect(py: Python<'_>, instance: &str) -> PyResult<bool> {
    let slug = slug(py, instance)?;
    runtime::run(py, || InstanceSettings::forget_global(&voice::env(), &slug))
}

/// Returns the slug of the instance that an identifier names on this machine.
#[pyfunction]
fn find_instance(py: Python<'_>, identifier: &str) -> PyResult<String> {
    runtime::run(py, || Ok(settings::load_by_identifier(&voice::env(), identifier)?.slug().to_string()))
}

/// Deletes an instance from this machine; content in storage is refused or left, as `require_empty` says.
#[pyfunction]
fn delete_instance(py: Python<'_>, identifier: &str, require_empty: bool) -> PyResult<()> {
    runtime::run(py, || {
        let env = voice::env();
        let found = settings::load_by_identifier(&env, identifier)?;
        holotype::InstanceDeletion::plan(&env, &found)?.apply(&env, require_empty)
    })
}

/// Returns a storage root in the form in which it is registered.
#[pyfunction]
fn normalize_root(py: Python<'_>, root: &str) -> PyResult<String> {
    runtime::run(py, || Ok(StorageRoot::parse(&voice::env(), root)?.as_str().to_owned()))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(current_user, module)?)?;
    module.add_function(wrap_pyfunction!(login, module)?)?;
    module.add_function(wrap_pyfunction!(logout, module)?)?;
    module.add_function(wrap_pyfunction!(cache_dir, module)?)?;
    module.add_function(wrap_pyfunction!(set_cache_dir, module)?)?;
    module.add_function(wrap_pyfunction!(settings_dir, module)?)?;
    module.add_function(wrap_pyfunction!(system_dir, module)?)?;
    module.add_function(wrap_pyfunction!(dev_dir, module)?)?;
    module.add_function(wrap_pyfunction!(bind_dir, module)?)?;
    module.add_function(wrap_pyfunction!(unbind_dir, module)?)?;
    module.add_function(wrap_pyfunction!(disconnect, module)?)?;
    module.add_function(wrap_pyfunction!(find_instance, module)?)?;
    module.add_function(wrap_pyfunction!(delete_instance, module)?)?;
    module.add_function(wrap_pyfunction!(normalize_root, module)?)
}
