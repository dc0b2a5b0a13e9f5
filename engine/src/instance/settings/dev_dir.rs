//! Directories bound to an instance: `<dir>/.lamin/current_instance`.

use std::fs;
use std::path::{Path, PathBuf};

use super::choice::Slot;
use super::dirs::prefix;
use super::files::{self, Access};
use super::instance_file::InstanceSettings;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::instance::name::Slug;
use crate::instance::root::resolve;

/// A directory and the instance that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The directory.
    pub dir: PathBuf,
    /// The instance.
    pub slug: Slug,
}

/// Returns the path of a file in the `.lamin` folder of a bound directory.
pub(crate) fn file(env: &Env, dir: &Path, name: &str) -> PathBuf {
    dir.join(".lamin").join(format!("{}{name}", prefix(env)))
}

/// Returns the binding of the working directory or the nearest parent that has one; the home directory never counts.
pub fn nearest_binding(env: &Env) -> Option<Binding> {
    env.cwd.ancestors().filter(|dir| !is_home(env, dir)).find_map(|dir| read(env, dir))
}

/// Returns the directory that is bound to this instance, seen from the working directory.
pub fn dev_dir(env: &Env, slug: &Slug) -> Option<PathBuf> {
    nearest_binding(env).filter(|binding| binding.slug == *slug).map(|binding| binding.dir)
}

/// Binds a directory to an instance and returns the directory.
///
/// # Errors
/// [`ErrorKind::Value`] for the home directory, [`ErrorKind::FileNotFound`] for what is no directory.
pub fn bind(env: &Env, dir: &Path, slug: &Slug) -> Result<PathBuf> {
    let dir = resolve(&env.absolute(dir));
    if is_home(env, &dir) {
        return Err(Error::value(
            "The home directory cannot be a development directory: choose a folder below it.",
        ));
    }
    if !dir.is_dir() {
        let text = format!("{} is no directory: create it before binding an instance to it", dir.display());
        return Err(Error::new(ErrorKind::FileNotFound, text));
    }
    if read(env, &dir).is_some_and(|binding| binding.slug != *slug) {
        // What was chosen in another instance means nothing in this one.
        forget_choices(env, &dir)?;
    }
    files::write(env, &file(env, &dir, "current_instance"), &slug.to_string(), Access::Shared)?;
    Ok(dir)
}

/// Undoes [`bind`] and returns whether the directory was bound.
///
/// # Errors
/// Failures of the file system.
pub fn unbind(env: &Env, dir: &Path) -> Result<bool> {
    let dir = env.absolute(dir);
    let bound = files::remove(&file(env, &dir, "current_instance"))?;
    forget_choices(env, &dir)?;
    // Anything else in the folder is not ours, and then it stays.
    let _ = fs::remove_dir(dir.join(".lamin"));
    Ok(bound)
}

/// Checks that the working directory is not bound to another instance of this machine.
///
/// # Errors
/// [`ErrorKind::ConnectWithinDevDir`].
pub fn refuse_foreign_binding(env: &Env, slug: &Slug) -> Result<()> {
    match nearest_binding(env) {
        Some(Binding { dir, slug: bound })
            if bound != *slug && InstanceSettings::find(env, &bound)?.is_some() =>
        {
            Err(Error::new(
                ErrorKind::ConnectWithinDevDir,
                format!(
                    "You're trying to connect within the dev-dir of instance {bound} ({}). \
                     Either cd into another directory or run: lamin disconnect --here",
                    dir.display()
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn forget_choices(env: &Env, dir: &Path) -> Result<()> {
    for slot in [Slot::Branch, Slot::Space] {
        files::remove(&file(env, dir, slot.dev_dir_file()))?;
    }
    Ok(())
}

fn read(env: &Env, dir: &Path) -> Option<Binding> {
    // Folders on the way up may be closed to us, and a marker may be damaged: neither may keep anyone from working.
    let text = fs::read_to_string(file(env, dir, "current_instance")).ok()?;
    let (owner, name) = text.trim().split_once('/')?;
    let plain = !owner.is_empty() && !name.is_empty() && !name.contains(['/', '\n']);
    plain.then(|| Binding { dir: dir.to_owned(), slug: Slug::new(owner, name) })
}

pub(in crate::instance) fn is_home(env: &Env, dir: &Path) -> bool {
    dir == env.home || fs::canonicalize(&env.home).is_ok_and(|home| home == dir)
}
