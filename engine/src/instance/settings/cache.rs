//! The cache directory: where it is, moving it, clearing it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::dirs::{SettingsDir, platform_cache_dir};
use super::dotenv::{DotEnv, Writer};
use super::files::{self, Access};
use super::instance_file::InstanceSettings;
use super::system::SystemSettings;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::cloud::KEPT;
use crate::instance::root::resolve;

const FILE: &str = "storage.env";
const KEY: &str = "lamindb_cache_path";

/// Returns the cache directory, made if need be: by variable, by user, by machine, by platform, in this order.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a directory that is not absolute or is a file; [`crate::ErrorKind::SettingsOutdated`]
/// for a damaged settings file.
pub fn cache_dir(env: &Env) -> Result<PathBuf> {
    let dir = match env.var("LAMIN_CACHE_DIR") {
        Some(dir) if !is_absolute(dir) => {
            return Err(Error::value("LAMIN_CACHE_DIR must be a valid absolute path."));
        }
        Some(dir) => checked(Path::new(dir))?,
        None => configured(env)?,
    };
    if let Err(error) = fs::create_dir_all(&dir) {
        env.emit(Event::Warning(format!(
            "The cache directory {} was not created: {error}; name another one in LAMIN_CACHE_DIR",
            dir.display()
        )));
    }
    Ok(dir)
}

/// Returns the cache directory that settings files and platform mean.
fn configured(env: &Env) -> Result<PathBuf> {
    match user_cache_dir(env)? {
        Some(dir) => checked(&dir),
        None => default_cache_dir(env),
    }
}

fn default_cache_dir(env: &Env) -> Result<PathBuf> {
    match SystemSettings::load(env)?.cache_path {
        Some(dir) => checked(&dir),
        None => Ok(platform_cache_dir(env)),
    }
}

fn user_cache_dir(env: &Env) -> Result<Option<PathBuf>> {
    let path = SettingsDir::of(env).shared_file(FILE);
    let file = DotEnv::read(&path, "set the cache directory again")?;
    Ok(match file {
        Some(file) => file.nullable(KEY)?.map(PathBuf::from),
        None => None,
    })
}

fn is_absolute(dir: &str) -> bool {
    Path::new(dir).is_absolute() && !dir.contains("://")
}

fn checked(dir: &Path) -> Result<PathBuf> {
    let text = dir.to_str().unwrap_or_default();
    if text.contains("://") {
        return Err(Error::value(format!("The cache directory must be on this machine: {text} is a URL")));
    }
    if !is_absolute(text) {
        return Err(Error::value("A path to the cache dir should be absolute."));
    }
    if dir.exists() && !dir.is_dir() {
        return Err(Error::value(format!("The cache directory can't be {text}: it is a file")));
    }
    Ok(dir.to_owned())
}

/// Refuses a cache directory that holds what is no cache.
fn guard(env: &Env, dir: &Path) -> Result<()> {
    let real = resolve(dir);
    let holds = |path: &Path| resolve(path).starts_with(&real);
    let refuse = |what: String| {
        Err(Error::value(format!(
            "{} can't be used as a cache: it holds {what}. Choose another folder.",
            dir.display()
        )))
    };
    if holds(&env.home) {
        return refuse("the home directory".to_owned());
    }
    if holds(SettingsDir::of(env).path()) {
        return refuse("the settings directory".to_owned());
    }
    for settings in InstanceSettings::list(env) {
        if settings.root().is_ok_and(|root| root.local_path().is_some_and(holds)) {
            return refuse(format!("the storage location of instance {}", settings.slug()));
        }
    }
    Ok(())
}

/// What moving the cache to another directory will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheMove {
    /// Where the cache is.
    pub from: PathBuf,
    /// Where it will be.
    pub to: PathBuf,
    /// Files to bring along, below `from`, sorted.
    pub files: Vec<PathBuf>,
    /// Whether `from` goes away; the cache of the machine stays for others.
    pub removes_old: bool,
    setting: Option<PathBuf>,
}

/// Plans to move the cache to `to`, or back to the default without one.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a directory that is not absolute, is a file, or holds other things than a cache.
pub fn plan_cache_move(env: &Env, to: Option<&Path>) -> Result<CacheMove> {
    let from = configured(env)?;
    let setting = match to {
        Some(dir) if dir.starts_with("~") => Some(checked(&env.absolute(dir))?),
        Some(dir) => Some(checked(dir)?),
        None => None,
    };
    let to = match &setting {
        Some(dir) => dir.clone(),
        None => default_cache_dir(env)?,
    };
    guard(env, &to)?;
    let (real_from, real_to) = (resolve(&from), resolve(&to));
    let moves = real_from != real_to && from.is_dir();
    if moves && (real_to.starts_with(&real_from) || real_from.starts_with(&real_to)) {
        let (from, to) = (from.display(), to.display());
        return Err(Error::value(format!("The cache can't move from {from} to {to}: one holds the other")));
    }
    let mut files = Vec::new();
    // Links and devices are no cached content.
    for entry in if moves { walk(&from)? } else { Vec::new() } {
        if entry.file_type().is_file() {
            files.extend(entry.path().strip_prefix(&from).map(Path::to_owned));
        }
    }
    files.sort();
    let removes_old =
        moves && SystemSettings::load(env)?.cache_path.is_none_or(|shared| resolve(&shared) != real_from);
    Ok(CacheMove { from, to, files, removes_old, setting })
}

impl CacheMove {
    /// Copies the files with their times, writes the setting, and removes the old directory if that was planned.
    ///
    /// A file that the new directory has already is kept.
    ///
    /// # Errors
    /// Failures of the file system; the old cache is whole and in force then.
    pub fn apply(&self, env: &Env) -> Result<()> {
        fs::create_dir_all(&self.to).map_err(|error| Error::io(&self.to, error))?;
        for file in &self.files {
            copy_with_time(&self.from.join(file), &self.to.join(file))?;
        }
        let value = match &self.setting {
            Some(dir) => Some(dir.to_str().ok_or_else(|| {
                Error::value(format!(
                    "The path {} is not valid UTF-8: choose another cache directory",
                    dir.display()
                ))
            })?),
            None => None,
        };
        let mut line = Writer::default();
        line.text(KEY, value)?;
        let path = SettingsDir::of(env).shared_file(FILE);
        files::write(env, &path, line.finish().trim_end_matches('\n'), Access::Shared)?;
        if self.removes_old {
            ClearPlan::of(&self.from)?.apply()?;
            // Files that appeared meanwhile stay, and so does the folder then.
            let _ = fs::remove_dir(&self.from);
        }
        if env.var("LAMIN_CACHE_DIR").is_some() {
            env.emit(Event::Warning("LAMIN_CACHE_DIR is set and overrides the cache directory".to_owned()));
        }
        Ok(())
    }
}

fn copy_with_time(from: &Path, to: &Path) -> Result<()> {
    if to.symlink_metadata().is_ok() {
        return Ok(());
    }
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    // The time tells whether a copy is fresh, so it must travel along.
    let copy = || {
        let modified = from.metadata()?.modified()?;
        fs::copy(from, to)?;
        File::options().write(true).open(to)?.set_modified(modified)
    };
    copy().map_err(|error| {
        let _ = fs::remove_file(to);
        Error::io(from, error)
    })
}

/// What clearing the cache will remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearPlan {
    /// The cache directory, which stays.
    pub root: PathBuf,
    /// Files and links below it, sorted; what links point to is not touched.
    pub files: Vec<PathBuf>,
    /// Folders below it, inner ones first.
    pub folders: Vec<PathBuf>,
    /// Size of the files.
    pub bytes: u64,
}

/// Plans to remove everything from the cache directory.
///
/// # Errors
/// [`crate::ErrorKind::Value`] if the directory holds other things than a cache; failures of the file system.
pub fn plan_cache_clear(env: &Env) -> Result<ClearPlan> {
    let dir = cache_dir(env)?;
    guard(env, &dir)?;
    ClearPlan::of(&dir)
}

impl ClearPlan {
    fn of(dir: &Path) -> Result<Self> {
        let root = resolve(dir);
        let found = if root.is_dir() { walk(&root)? } else { Vec::new() };
        let mut plan = ClearPlan { root, files: Vec::new(), folders: Vec::new(), bytes: 0 };
        for entry in found {
            if entry.file_type().is_dir() {
                plan.folders.push(entry.into_path());
            } else if entry.file_name().to_string_lossy().starts_with(KEPT) {
                // The only copy of somebody's work.
            } else {
                plan.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
                plan.files.push(entry.into_path());
            }
        }
        plan.files.sort();
        Ok(plan)
    }

    /// Removes what was planned; what came since stays, what is gone is no error.
    ///
    /// # Errors
    /// Failures of the file system.
    pub fn apply(&self) -> Result<()> {
        for path in &self.files {
            files::remove(path)?;
        }
        for path in &self.folders {
            match fs::remove_dir(path) {
                Ok(()) => {}
                Err(error) if files::is_absent(&error) => {}
                Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {}
                Err(error) => return Err(Error::io(path, error)),
            }
        }
        Ok(())
    }
}

/// Returns everything below a directory, what is inside a folder before the folder; links are not followed.
fn walk(root: &Path) -> Result<Vec<walkdir::DirEntry>> {
    let walk = WalkDir::new(root).min_depth(1).follow_links(false).contents_first(true).sort_by_file_name();
    walk.into_iter().collect::<std::result::Result<_, _>>().map_err(|error| {
        let path = error.path().unwrap_or(root).to_owned();
        Error::io(&path, error.into())
    })
}
