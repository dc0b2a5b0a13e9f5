//! Which instance is meant here and now.

use std::path::PathBuf;

use super::dev_dir::nearest_binding;
use super::instance_file::{InstanceSettings, instance_not_found};
use super::user_file::UserSettings;
use crate::env::Env;
use crate::error::Result;
use crate::event::Event;
use crate::instance::name::Slug;

/// What made an instance the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `LAMIN_CURRENT_INSTANCE`.
    Variable,
    /// The binding of this directory.
    DevDir(PathBuf),
    /// `current_instance.env`.
    Global,
}

/// The current instance and why it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRef {
    /// Its settings.
    pub settings: InstanceSettings,
    /// Why it is current.
    pub origin: Origin,
}

/// Returns the current instance: by variable, by bound directory, by `current_instance.env`, in this order.
///
/// A variable or directory that names an unknown instance is passed over with a warning.
///
/// # Errors
/// [`crate::ErrorKind::SettingsOutdated`] for a damaged settings file.
pub fn current_instance(env: &Env) -> Result<Option<InstanceRef>> {
    let ignored = |what: String| {
        env.emit(Event::Warning(format!("{what}, which is not known on this machine: it is ignored")));
    };
    if let Some(identifier) = env.var("LAMIN_CURRENT_INSTANCE") {
        match Slug::parse(identifier, &handle(env)?) {
            Ok(slug) => {
                if let Some(settings) = InstanceSettings::find(env, &slug)? {
                    return Ok(Some(InstanceRef { settings, origin: Origin::Variable }));
                }
                ignored(format!("LAMIN_CURRENT_INSTANCE names instance {slug}"));
            }
            Err(error) => env.emit(Event::Warning(format!("LAMIN_CURRENT_INSTANCE is ignored: {error}"))),
        }
    }
    if let Some(binding) = nearest_binding(env) {
        if let Some(settings) = InstanceSettings::find(env, &binding.slug)? {
            return Ok(Some(InstanceRef { settings, origin: Origin::DevDir(binding.dir) }));
        }
        ignored(format!("{} is bound to instance {}", binding.dir.display(), binding.slug));
    }
    let global = InstanceSettings::find_global(env)?;
    Ok(global.map(|settings| InstanceRef { settings, origin: Origin::Global }))
}

/// Returns the instance that an identifier means, or nothing if this machine does not know it.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for what is no identifier; [`crate::ErrorKind::SettingsOutdated`] for a damaged file.
pub fn find_by_identifier(env: &Env, identifier: &str) -> Result<Option<InstanceSettings>> {
    InstanceSettings::find(env, &Slug::parse(identifier, &handle(env)?)?)
}

/// Returns the instance that an identifier means.
///
/// # Errors
/// As [`find_by_identifier`], and [`crate::ErrorKind::InstanceNotFound`].
pub fn load_by_identifier(env: &Env, identifier: &str) -> Result<InstanceSettings> {
    let slug = Slug::parse(identifier, &handle(env)?)?;
    InstanceSettings::find(env, &slug)?.ok_or_else(|| instance_not_found(env, &slug))
}

fn handle(env: &Env) -> Result<String> {
    Ok(UserSettings::find_current(env)?.unwrap_or_else(UserSettings::anonymous).handle)
}
