//! Bad input and hostile surroundings: a clear error that names the object, and nothing changed.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "children report to their parent")]
#![allow(clippy::disallowed_methods, reason = "children run where the test puts them")]

#[path = "../common/mod.rs"]
mod common;
mod database;
mod journal;
mod keys;
mod log;
mod place;
#[path = "../proof/mod.rs"]
mod proof;
mod queries;
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use holotype::db::Sql;
use holotype::testing::Scratch;
use holotype::{Error, ErrorKind, Instance, Kind, NewArtifact, Result, model};

/// Everything that must stay as it was: the number of rows of every table, and every file but the database itself.
#[derive(Debug, PartialEq)]
pub struct State {
    rows: BTreeMap<String, i64>,
    files: BTreeMap<String, Option<Vec<u8>>>,
}

/// Returns what must stay as it was.
pub fn state(instance: &Instance, root: &Path) -> State {
    let own = ["holotype_content", "holotype_document", "holotype_meta", "holotype_run"];
    let tables = model::all().iter().map(|registry| registry.table).chain(own);
    let count = |table: &str| {
        let sql = Sql::new(format!("SELECT COUNT(*) FROM \"{table}\""));
        instance.db().scalar(&sql, Kind::BigInt).unwrap().unwrap().as_int().unwrap()
    };
    let rows = tables.map(|table| (table.to_owned(), count(table))).collect();
    let mut files = proof::tree(root);
    files.retain(|name, _| !name.ends_with("lamin.db"));
    State { rows, files }
}

/// Checks that `act` fails with this kind, says all of `words`, and changes nothing.
pub fn refused<T>(
    scratch: &Scratch,
    kind: ErrorKind,
    words: &[&str],
    act: impl FnOnce() -> Result<T>,
) -> Error {
    let before = state(scratch.instance(), &scratch.root());
    let Err(error) = act() else { panic!("nothing was refused; expected {kind:?} with {words:?}") };
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.message().contains(word), "'{word}' is not in: {error}");
    }
    assert_eq!(state(scratch.instance(), &scratch.root()), before, "{error}");
    proof::audit(scratch.instance(), &scratch.root());
    error
}

/// Constructs and saves.
pub fn save(scratch: &Scratch, source: &Path, key: &str) -> Result<holotype::Record> {
    proof::save(scratch.instance(), NewArtifact::new(source.to_str().unwrap()).key(key))
}

/// Runs a test of this binary under a shell script, which gets the command in `"$@"`.
///
/// The binary is copied to where everybody may run it.
pub fn under(script: &str, test: &str, plan: &str) -> Output {
    let place = tempfile::tempdir().unwrap();
    let binary = place.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    Command::new("chmod").args(["-R", "a+rwx"]).arg(place.path()).status().unwrap();
    let output = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&binary)
        .args(["--exact", test, "--nocapture", "--quiet", "--test-threads=1"])
        .env("HOLOTYPE_TEST_PLAN", plan)
        .env("TMPDIR", place.path())
        .current_dir(place.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{test} under `{script}`:\n{text}\n{told}");
    assert!(text.contains("@done"), "{test} did nothing:\n{text}\n{told}");
    output
}

/// Returns true where a process may have a file system of its own, as tests of full and read-only disks need it.
pub fn may_mount() -> bool {
    let script = "mkdir -p \"$1\" && mount -t tmpfs -o size=1m none \"$1\"";
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(dir.path());
    command.output().is_ok_and(|output| output.status.success())
}
