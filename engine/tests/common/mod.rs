//! Instances of older and other makers, unpacked for one test.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use holotype::{Env, Instance, Timestamp};

/// An unpacked instance and the folder that holds it.
pub struct Fixture {
    pub instance: Instance,
    pub dir: tempfile::TempDir,
}

impl Fixture {
    /// Unpacks and opens the instance that this release made.
    pub fn open(release: &str) -> Fixture {
        let dir = unpack(release);
        let instance =
            Instance::connect_current(&env(dir.path())).unwrap().expect("the archive holds an instance");
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

/// Returns an environment below `dir` with a clock that moves on by a millisecond at each look.
pub fn env(dir: &Path) -> Env {
    let home: PathBuf = dir.join("home");
    let work = dir.join("work");
    std::fs::create_dir_all(&work).unwrap();
    let clock = AtomicI64::new(1_780_000_000_000_000);
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    Env::new(
        move || Timestamp(clock.fetch_add(1000, Ordering::Relaxed)),
        move |bytes| {
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 33) as u8;
            }
        },
        home,
        work,
    )
}
