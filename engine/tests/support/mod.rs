//! What the tests of the store share.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::{Path, PathBuf};

use holotype::store::Store;
use holotype::{Env, Timestamp};
use tempfile::TempDir;

/// A storage location and a place for sources beside it.
pub struct Scratch {
    dir: TempDir,
    /// The location.
    pub store: Store,
}

/// Returns an environment with a fixed clock and random bytes.
pub fn env() -> Env {
    let mut n = 0u64;
    let random = move |bytes: &mut [u8]| {
        for chunk in bytes.chunks_mut(8) {
            n += 1;
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u64(n);
            chunk.copy_from_slice(&hasher.finish().to_le_bytes()[..chunk.len()]);
        }
    };
    Env::new(|| Timestamp(0), random, "/home/u", "/home/u")
}

impl Scratch {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        Scratch { dir, store: Store::local(root, &env()) }
    }

    /// Returns a path outside the location.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file outside the location.
    pub fn source(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Returns what lies at a key, if anything does.
    pub fn stored(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.store.root().join(key)).ok()
    }

    /// Returns every name below the root, temporary ones included, sorted.
    pub fn names(&self) -> Vec<String> {
        names(self.store.root())
    }
}

/// Returns the relative paths of all files below a folder, sorted.
pub fn names(root: &Path) -> Vec<String> {
    fn walk(dir: &Path, root: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                walk(&path, root, out);
            } else {
                out.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut out = Vec::new();
    walk(root, root, &mut out);
    out.sort();
    out
}

/// Returns bytes that differ everywhere.
pub fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..size)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        })
        .collect()
}
