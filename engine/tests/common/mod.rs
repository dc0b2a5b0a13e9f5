//! Instances of older and other makers, unpacked for one test.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use holotype::{Instance, testing};

/// An unpacked instance and the folder that holds it.
pub struct Fixture {
    pub instance: Instance,
    pub dir: tempfile::TempDir,
}

impl Fixture {
    /// Unpacks and opens the instance that this release made.
    pub fn open(release: &str) -> Fixture {
        let dir = unpack(release);
        let (env, _) = testing::env(dir.path(), 1).unwrap();
        let instance = Instance::connect_current(&env).unwrap().expect("the archive holds an instance");
        Fixture { instance, dir }
    }
}

/// Unpacks the archive of a release and puts the paths right.
pub fn unpack(release: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/instances/{release}/instance.tar.gz"));
    let status = Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(dir.path()).status().unwrap();
    assert!(status.success(), "tar unpacks {}", archive.display());
    let real = dir.path().canonicalize().unwrap();
    let real = real.to_str().unwrap();
    for entry in std::fs::read_dir(dir.path().join("home/.lamin")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap().replace("/holotype-fixture", real);
        std::fs::write(&path, text).unwrap();
    }
    let database = dir.path().join("root/.lamindb/lamin.db");
    if database.exists() {
        let connection = rusqlite::Connection::open(database).unwrap();
        connection
            .execute("UPDATE lamindb_storage SET root = replace(root, '/holotype-fixture', ?1)", [real])
            .unwrap();
    }
    dir
}
