//! Other programs that close the database while it is open here: older releases of SQLite then remove its log.

use std::fs;

use holotype::testing::Scratch;
use holotype::{ErrorKind, Instance, model};

/// Saves a label.
fn label(instance: &Instance, name: &str) -> holotype::Result<()> {
    let mut made = instance.construct(model::require("ULabel")?, &[("name", name.into())])?.record;
    instance.save(&mut made)
}

/// Counts the labels that the database file itself holds.
fn labels(scratch: &Scratch) -> i64 {
    let copy = scratch.dir().join("copy.db");
    fs::copy(scratch.root().join(".lamindb/lamin.db"), &copy).unwrap();
    let count = "SELECT count(*) FROM lamindb_ulabel WHERE name LIKE 'label-%'";
    rusqlite::Connection::open(copy).unwrap().query_row(count, [], |row| row.get(0)).unwrap()
}

fn told(refused: holotype::Result<()>) {
    let failure = refused.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Io);
    assert!(failure.message().contains("removed the log"), "{}", failure.message());
}

/// Does to the log what a program does that is the last to close the database, as far as it can see.
fn remove_log(scratch: &Scratch) {
    for name in ["lamin.db-wal", "lamin.db-shm"] {
        fs::remove_file(scratch.root().join(".lamindb").join(name)).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_lock_that_keeps_the_log_is_never_lost() {
    use std::os::unix::fs::MetadataExt as _;

    let scratch = Scratch::on_sqlite().unwrap();
    let database = fs::metadata(scratch.root().join(".lamindb/lamin.db")).unwrap();
    let inode = format!(":{}", database.ino());
    let process = std::process::id().to_string();
    let held = || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.contains(&process.as_str()) && words.iter().any(|word| word.ends_with(&inode))
        })
    };
    label(scratch.instance(), "label-1").unwrap();
    assert!(held(), "after saving");
    let again = scratch.connect(7).unwrap().0;
    assert!(held(), "after connecting again");
    label(&again, "label-2").unwrap();
    drop(again);
    assert!(held(), "after one of two connections was closed");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_to_a_log_that_was_removed() {
    let scratch = Scratch::on_sqlite().unwrap();
    label(scratch.instance(), "label-1").unwrap();
    scratch.instance().db().checkpoint().unwrap();
    remove_log(&scratch);
    told(label(scratch.instance(), "label-2"));
    told(scratch.connect(7).map(drop));
    assert_eq!(labels(&scratch), 1);
}

#[cfg(unix)]
#[test]
fn a_log_that_is_removed_during_a_transaction_is_told() {
    let scratch = Scratch::on_sqlite().unwrap();
    label(scratch.instance(), "label-1").unwrap();
    scratch.instance().db().checkpoint().unwrap();
    told(scratch.instance().db().write(|_| {
        remove_log(&scratch);
        Ok(())
    }));
    told(label(scratch.instance(), "label-2"));
    assert_eq!(labels(&scratch), 1);
}
