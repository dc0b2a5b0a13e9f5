//! The branch and the space that a user switched to: two lines, uid and name.

use std::path::{Path, PathBuf};

use super::dev_dir;
use super::dirs::SettingsDir;
use super::files::{self, Access};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::instance::name::Slug;

/// What can be switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The branch.
    Branch,
    /// The space.
    Space,
}

impl Slot {
    fn as_str(self) -> &'static str {
        match self {
            Slot::Branch => "branch",
            Slot::Space => "space",
        }
    }

    pub(super) fn dev_dir_file(self) -> &'static str {
        match self {
            Slot::Branch => "current_branch",
            Slot::Space => "current_space",
        }
    }

    fn global_file(self, env: &Env, slug: &Slug) -> PathBuf {
        SettingsDir::of(env).file(&format!("current-{}--{}--{}.txt", self.as_str(), slug.owner, slug.name))
    }
}

/// A branch or space as these files name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Uid.
    pub uid: String,
    /// Name.
    pub name: String,
}

/// Returns what was chosen for an instance: in its bound directory, else on this machine.
///
/// # Errors
/// [`crate::ErrorKind::SettingsOutdated`] for a damaged file: going on with the default would write to the wrong branch.
pub fn chosen(env: &Env, slot: Slot, slug: &Slug) -> Result<Option<Choice>> {
    if let Some(dir) = dev_dir::dev_dir(env, slug)
        && let Some(choice) = read(&dev_dir::file(env, &dir, slot.dev_dir_file()), slot)?
    {
        return Ok(Some(choice));
    }
    read(&slot.global_file(env, slug), slot)
}

/// Writes a choice to the bound directory, else for this machine, and returns the path of the file.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a name with line breaks; failures of the file system.
pub fn choose(env: &Env, slot: Slot, slug: &Slug, choice: &Choice) -> Result<PathBuf> {
    let Choice { uid, name } = choice;
    if uid.is_empty() || name.is_empty() || uid.contains(['\n', '\r']) || name.contains(['\n', '\r']) {
        return Err(Error::value(format!("The {} {name:?} can't be switched to: rename it", slot.as_str())));
    }
    let path = match dev_dir::dev_dir(env, slug) {
        Some(dir) => dev_dir::file(env, &dir, slot.dev_dir_file()),
        None => slot.global_file(env, slug),
    };
    files::write(env, &path, &format!("{uid}\n{name}"), Access::Shared)?;
    Ok(path)
}

/// Removes what was chosen, in the bound directory and on this machine, and returns whether anything was.
///
/// # Errors
/// Failures of the file system.
pub fn forget(env: &Env, slot: Slot, slug: &Slug) -> Result<bool> {
    let bound = match dev_dir::dev_dir(env, slug) {
        Some(dir) => files::remove(&dev_dir::file(env, &dir, slot.dev_dir_file()))?,
        None => false,
    };
    Ok(files::remove(&slot.global_file(env, slug))? || bound)
}

/// Removes what was chosen on this machine outside bound directories.
pub(super) fn forget_global(env: &Env, slug: &Slug) -> Result<()> {
    for slot in [Slot::Branch, Slot::Space] {
        files::remove(&slot.global_file(env, slug))?;
    }
    Ok(())
}

fn read(path: &Path, slot: Slot) -> Result<Option<Choice>> {
    let remedy = match slot {
        Slot::Branch => "switch to a branch again (without the file you are on main)",
        Slot::Space => "switch to a space again (without the file you are in space all)",
    };
    let Some(text) = files::read(path, remedy)? else { return Ok(None) };
    let mut lines = text.lines();
    match (lines.next(), lines.next(), lines.next().unwrap_or_default().trim()) {
        (Some(uid), Some(name), "") if !uid.is_empty() && !name.is_empty() => {
            Ok(Some(Choice { uid: uid.to_owned(), name: name.to_owned() }))
        }
        _ => Err(files::outdated(path, "does not hold two lines, uid and name", remedy)),
    }
}
