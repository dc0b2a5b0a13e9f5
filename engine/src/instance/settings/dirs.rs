//! Where settings live, and under which names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::event::Event;

/// The folder of settings files of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsDir {
    path: PathBuf,
    prefix: String,
}

impl SettingsDir {
    /// Returns the settings directory of an environment; nothing is created.
    pub fn of(env: &Env) -> Self {
        let parent = env.var("LAMIN_SETTINGS_DIR").map_or_else(|| env.home.clone(), |dir| env.absolute(dir));
        SettingsDir { path: parent.join(".lamin"), prefix: prefix(env) }
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a settings file of the present `LAMIN_ENV`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{}{name}", self.prefix))
    }

    /// Returns the path of a settings file that all values of `LAMIN_ENV` share.
    pub fn shared_file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the part between `head` and `tail` for each file of that form, sorted.
    pub(crate) fn names(&self, head: &str, tail: &str) -> Vec<String> {
        let head = format!("{}{head}", self.prefix);
        let mut names: Vec<String> = fs::read_dir(&self.path)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with(&head) && name.ends_with(tail))
            .collect();
        names.sort();
        names
    }

    /// Creates the folder and returns whether it is there; a failure is a warning only.
    pub fn ensure(&self, env: &Env) -> bool {
        let created = fs::create_dir_all(&self.path);
        if created.is_err() {
            let path = self.path.display();
            env.emit(Event::Warning(format!("Failed to create lamin settings directory at {path}")));
        }
        created.is_ok()
    }
}

/// Returns what stands before the names of settings files: nothing, or `<LAMIN_ENV>--`.
pub(crate) fn prefix(env: &Env) -> String {
    env.var("LAMIN_ENV").filter(|name| *name != "prod").map(|name| format!("{name}--")).unwrap_or_default()
}

/// Returns the folder of settings for all users of the machine.
pub fn system_dir(env: &Env) -> PathBuf {
    if cfg!(windows) {
        PathBuf::from(env.var("PROGRAMDATA").unwrap_or(r"C:\ProgramData")).join("laminlabs").join("lamindb")
    } else if cfg!(target_os = "macos") {
        PathBuf::from("/Library/Application Support/lamindb")
    } else {
        let dirs = env.var("XDG_CONFIG_DIRS").and_then(|dirs| dirs.split(':').find(|dir| !dir.is_empty()));
        Path::new(dirs.unwrap_or("/etc/xdg")).join("lamindb")
    }
}

/// Returns the folder that the platform means for caches of this user.
pub fn platform_cache_dir(env: &Env) -> PathBuf {
    if cfg!(windows) {
        let local =
            env.var("LOCALAPPDATA").map_or_else(|| env.home.join("AppData").join("Local"), PathBuf::from);
        local.join("laminlabs").join("lamindb").join("Cache")
    } else if cfg!(target_os = "macos") {
        env.home.join("Library/Caches/lamindb")
    } else {
        let base = env.var("XDG_CACHE_HOME").map_or_else(|| env.home.join(".cache"), PathBuf::from);
        env.cwd.join(base).join("lamindb")
    }
}
