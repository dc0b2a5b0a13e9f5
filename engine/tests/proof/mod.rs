//! What must hold of an instance at any moment, whatever happened to it, and child processes that make it happen.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_methods, reason = "children learn from their environment what to do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use holotype::content::Content;
use holotype::db::Dialect;
use holotype::query::Q;
use holotype::store::Store;
use holotype::{Artifact, ErrorKind, Instance, NewArtifact, Record, Result, Value, hash};

/// What an audit counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// Rows of the artifact registry.
    pub rows: usize,
    /// Rows whose content was read and compared.
    pub read: usize,
    /// Rows that yield no bytes because they are incomplete.
    pub incomplete: usize,
    /// Rows that yield no bytes because another version took their place.
    pub overwritten: usize,
    /// Temporary names, found as leftovers.
    pub leftovers: usize,
    /// Content below `.lamindb` that no row uses.
    pub orphans: usize,
}

/// Checks everything that must hold of an instance, by reading every byte of it.
pub fn audit(instance: &Instance, root: &Path) -> Audit {
    look(instance, root, true)
}

/// Checks the same of an instance in which the latest version may be one whose content was overwritten or removed, since
/// the versions after it went to the trash or somebody took files away.
pub fn audit_any(instance: &Instance, root: &Path) -> Audit {
    look(instance, root, false)
}

fn look(instance: &Instance, root: &Path, whole: bool) -> Audit {
    let file = root.join(".lamindb/lamin.db");
    if instance.db().dialect() == Dialect::Sqlite {
        check_database(&file);
    }
    let (mut audit, used) = look_at_rows(instance, whole);
    let store = Store::local(root, instance.env());
    let leftovers: Vec<_> = store.leftovers().unwrap().into_iter().filter(|left| !left.in_use).collect();
    audit.leftovers = leftovers.len();
    for entry in fs::read_dir(root.join(".lamindb")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let own = name.starts_with("lamin.db") || name == "storage_uid.txt";
        if !own && !used.contains(&path) && !leftovers.iter().any(|left| left.path == path) {
            audit.orphans += 1;
        }
    }
    audit
}

/// Checks every row of the artifact registry; returns what was counted and where the content of the rows lies.
pub fn look_at_rows(instance: &Instance, whole: bool) -> (Audit, BTreeSet<PathBuf>) {
    let rows = instance.registry("Artifact").unwrap().all().unwrap();
    let mut audit = Audit { rows: rows.len(), ..Audit::default() };
    let mut used = BTreeSet::new();
    let mut families: BTreeMap<(String, i64), usize> = BTreeMap::new();
    let mut uids = BTreeSet::new();
    for row in &rows {
        assert!(uids.insert(row.uid().to_owned()), "{} exists twice", row.uid());
        let branch = row.int("branch_id").unwrap();
        *families.entry((row.stem_uid().to_owned(), branch)).or_default() +=
            usize::from(row.flag("is_latest"));
        used.insert(instance.artifact_path(row).unwrap());
        match instance.cache(row) {
            Ok(path) => {
                check_bytes(instance, row, &path);
                audit.read += 1;
            }
            Err(error) => {
                let visible = branch != -1 && row.flag("is_latest");
                match error.kind() {
                    ErrorKind::IncompleteArtifact => audit.incomplete += 1,
                    ErrorKind::Value if error.message().contains("outdated") => audit.overwritten += 1,
                    ErrorKind::FileNotFound if !whole => {}
                    _ => panic!("{row:?} is listed as complete, but: {error}"),
                }
                assert!(
                    !whole || !visible || is_incomplete(row),
                    "{row:?} is the latest and complete, but cannot be read: {error}"
                );
            }
        }
    }
    for ((stem, branch), latest) in families {
        assert!(branch == -1 || latest == 1, "family {stem} has {latest} latest versions on branch {branch}");
    }
    (audit, used)
}

/// Returns true for rows that are marked as being stored.
pub fn is_incomplete(row: &Record) -> bool {
    matches!(row.get("_aux"), Some(Value::Json(json)) if json.get("so").and_then(|so| so.as_i64()) == Some(1))
}

/// Compares what lies at `path` with the hash, the size and the digest of the row.
pub fn check_bytes(instance: &Instance, row: &Record, path: &Path) {
    let (content, digest) = if path.is_dir() {
        let identity = hash::hash_folder(path).unwrap();
        (identity.content, identity.digest)
    } else {
        let identity = hash::identify_file(path).unwrap();
        (identity.content, identity.digest)
    };
    let known: Content = instance.content_of(row).unwrap().unwrap_or_else(|| panic!("{row:?} has no digest"));
    assert_eq!(known.digest, digest, "{row:?} yields bytes that are not its own");
    let kind = row.text("_hash_type").unwrap();
    let expected = if kind == "blake3" { digest.to_hash().0 } else { content.hash };
    assert_eq!(row.text("hash"), Some(expected.as_str()), "{row:?} yields bytes of another hash");
    assert_eq!(row.int("size"), Some(i64::try_from(content.size).unwrap()), "{row:?}");
}

pub fn check_database(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let dangling: i64 =
        connection.query_row("SELECT COUNT(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
    assert_eq!(dangling, 0, "rows point at rows that are gone");
}

/// Constructs and saves an artifact.
pub fn save(instance: &Instance, new: NewArtifact) -> Result<Record> {
    let mut artifact = instance.artifact(new)?;
    instance.save_artifact(&mut artifact)?;
    Ok(artifact.record)
}

/// Returns the latest visible version of a key.
pub fn latest(instance: &Instance, key: &str) -> Option<Record> {
    let found = instance.registry("Artifact").unwrap().filter(Q::is("key", key)).unwrap();
    let found = found.filter(Q::is("is_latest", true)).unwrap().filter(Q::is("branch_id", 1i64)).unwrap();
    found.one_or_none().unwrap()
}

/// Returns the artifact of the latest visible version of a key.
pub fn artifact(instance: &Instance, key: &str) -> Artifact {
    Artifact::from_record(latest(instance, key).unwrap_or_else(|| panic!("no artifact has the key {key}")))
}

/// Returns the command that runs the test `name` of this binary in a process of its own.
pub fn child(name: &str, plan: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--quiet", "--test-threads=1"]);
    command
        .env("HOLOTYPE_TEST_PLAN", plan)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Returns what the parent wants this process to do; nothing in the parent itself.
pub fn plan() -> Option<Vec<String>> {
    std::env::var("HOLOTYPE_TEST_PLAN").ok().map(|plan| plan.split('\t').map(str::to_owned).collect())
}

/// A generator of numbers that repeats itself.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Returns every file below a folder with its bytes, and every folder.
pub fn tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1).into_iter().flatten() {
        let name = entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned();
        // The log and its index change whenever somebody looks.
        if name.ends_with("-wal") || name.ends_with("-shm") {
            continue;
        }
        found.insert(name, fs::read(entry.path()).ok());
    }
    found
}
