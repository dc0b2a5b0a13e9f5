//! Instances on disk: settings files, directory bindings, the cache directory and markers.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use holotype::instance::name::Slug;
use holotype::instance::root::StorageRoot;
use holotype::instance::settings::InstanceSettings;
use holotype::{Env, Event, Timestamp};
use tempfile::TempDir;

mod cache;
mod current;
mod files;
mod marker;
mod names;
mod users;

/// A home and a working directory of their own, and what was told there.
struct World {
    env: Env,
    dir: TempDir,
    events: Arc<Mutex<Vec<Event>>>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Temporary folders may lie behind a link, and resolved roots would not compare.
        let base = fs::canonicalize(dir.path()).unwrap();
        let (home, cwd) = (base.join("home"), base.join("Work"));
        fs::create_dir(&home).unwrap();
        fs::create_dir(&cwd).unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = events.clone();
        let mut seed = 7_u64;
        let rng = move |bytes: &mut [u8]| {
            for byte in bytes {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (seed >> 33) as u8;
            }
        };
        let env = Env::new(|| Timestamp(0), rng, home, cwd)
            .with_vars([("XDG_CONFIG_DIRS".to_owned(), base.join("etc").display().to_string())])
            .with_voice(move |event| told.lock().unwrap().push(event));
        World { env, dir, events }
    }

    fn var(mut self, name: &str, value: impl Into<String>) -> Self {
        std::sync::Arc::make_mut(&mut self.env.vars).insert(name.to_owned(), value.into());
        self
    }

    fn path(&self, below: &str) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap().join(below)
    }

    fn lamin(&self, name: &str) -> PathBuf {
        self.env.home.join(".lamin").join(name)
    }

    fn at(&self, cwd: impl Into<PathBuf>) -> Env {
        let mut env = self.env.clone();
        env.cwd = cwd.into();
        env
    }

    fn warnings(&self) -> Vec<String> {
        let told = |event: &Event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        };
        self.events.lock().unwrap().iter().filter_map(told).collect()
    }
}

fn slug(text: &str) -> Slug {
    Slug::parse(text, "anonymous").unwrap()
}

fn instance(env: &Env, text: &str) -> InstanceSettings {
    InstanceSettings::new(&slug(text), &StorageRoot::parse(env, "./storage").unwrap())
}

fn put(path: impl AsRef<Path>, text: &str) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

/// Names in a folder, sorted.
fn names(dir: impl AsRef<Path>) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
