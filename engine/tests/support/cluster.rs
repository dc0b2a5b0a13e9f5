//! A PostgreSQL cluster of a test's own.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use holotype::Env;
use holotype::testing;
use tempfile::TempDir;

/// A cluster that stops and goes away when it is dropped.
pub struct Cluster {
    pub dir: TempDir,
}

impl Cluster {
    pub fn start() -> Cluster {
        let cluster = Cluster { dir: tempfile::tempdir().unwrap() };
        // The server runs as another user where the tests run as root.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(cluster.dir.path(), open).unwrap();
        cluster.script("start", "");
        cluster
    }

    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("cluster")
    }

    pub fn script(&self, verb: &str, mode: &str) {
        script(&self.folder(), verb, mode);
    }

    pub fn port(&self) -> String {
        fs::read_to_string(self.folder().join("port")).unwrap().trim().to_owned()
    }

    /// Returns the URL through the socket.
    pub fn url(&self) -> String {
        format!("postgresql://tester@/postgres?host={}&port={}", self.folder().display(), self.port())
    }

    /// Returns the URL through the network, with the password given.
    pub fn far(&self, host: &str, password: &str, parameters: &str) -> String {
        format!("postgresql://tester:{password}@{host}:{}/postgres?{parameters}", self.port())
    }

    pub fn env(&self, name: &str) -> Env {
        testing::env(&self.dir.path().join(name), 5).unwrap().0
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        Command::new(SCRIPT).args(["stop"]).arg(self.folder()).arg("immediate").output().ok();
    }
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/postgres.sh");
/// The password of the user, as a URL spells it.
pub const PASSWORD: &str = "t%3Ast%40pw";

/// Runs one verb of the script on the cluster in a folder.
pub fn script(folder: &Path, verb: &str, mode: &str) {
    let mut command = Command::new(SCRIPT);
    command.arg(verb).arg(folder);
    if !mode.is_empty() {
        command.arg(mode);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
}
