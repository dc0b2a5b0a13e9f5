//! Settings beside instances and users: those of the machine, and the modules to use without an instance.

use std::path::PathBuf;

use super::dirs::{SettingsDir, system_dir};
use super::dotenv::DotEnv;
use super::files::{self, Access};
use super::instance_file::parse_modules;
use crate::env::Env;
use crate::error::{Error, Result};

const MODULES: &str = "current_modules.txt";
const REMEDY: &str = "set the modules again";

/// What holds for every user of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemSettings {
    /// The cache directory.
    pub cache_path: Option<PathBuf>,
    /// Whether S3 is read without credentials.
    pub s3_anon: bool,
}

impl SystemSettings {
    /// Returns the settings of the machine; without a file nothing is set.
    ///
    /// # Errors
    /// [`crate::ErrorKind::SettingsOutdated`] for a damaged file.
    pub fn load(env: &Env) -> Result<Self> {
        let path = system_dir(env).join("system.env");
        let remedy = "write it again (keys lamindb_cache_path and lamindb_s3_anon)";
        let Some(file) = DotEnv::read(&path, remedy)? else { return Ok(SystemSettings::default()) };
        Ok(SystemSettings {
            cache_path: file.optional("lamindb_cache_path").map(PathBuf::from),
            s3_anon: file.flag("lamindb_s3_anon")?,
        })
    }
}

/// Returns the modules chosen for work without an instance.
///
/// # Errors
/// [`crate::ErrorKind::SettingsOutdated`] for a damaged file.
pub fn chosen_modules(env: &Env) -> Result<Vec<String>> {
    let text = files::read(&SettingsDir::of(env).file(MODULES), REMEDY)?;
    Ok(parse_modules(env.var("LAMINDB_MODULES").or(text.as_deref()).unwrap_or_default()))
}

/// Chooses the modules for work without an instance; an empty choice removes the file.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for names that no list can carry; failures of the file system.
pub fn set_chosen_modules(env: &Env, modules: &[String]) -> Result<()> {
    let path = SettingsDir::of(env).file(MODULES);
    if modules.is_empty() {
        return files::remove(&path).map(|_| ());
    }
    match modules.iter().find(|name| parse_modules(name) != [name.as_str()] || name.contains(['\n', '\r'])) {
        Some(name) => Err(Error::value(format!("{name:?} is no name of a module"))),
        None => files::write(env, &path, &modules.join(","), Access::Shared),
    }
}
