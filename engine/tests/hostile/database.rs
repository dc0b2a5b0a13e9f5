//! Databases that are not what they should be, and settings that cannot be read.

use std::fs;
use std::path::{Path, PathBuf};

use holotype::testing::{self, Scratch};
use holotype::{ErrorKind, InitOptions, Instance, NewCollection, Record, RunChoice, Value, model};

use super::{refused, save};

/// Returns an instance with a row or two, all of it in the database file.
fn closed() -> Scratch {
    let scratch = Scratch::on_sqlite().unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    save(&scratch, &path, "a.txt").unwrap();
    scratch.instance().db().checkpoint().unwrap();
    scratch
}

/// Returns a copy of the instance's folder elsewhere, so that nobody has its database open.
fn copy(scratch: &Scratch, name: &str) -> PathBuf {
    let to = scratch
        .dir()
        .parent()
        .unwrap()
        .join(format!("{}-{name}", scratch.dir().file_name().unwrap().to_str().unwrap()));
    for entry in walkdir::WalkDir::new(scratch.dir()).into_iter().flatten() {
        let target = to.join(entry.path().strip_prefix(scratch.dir()).unwrap());
        let name = entry.file_name().to_str().unwrap();
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else if name.ends_with(".env") {
            let text = fs::read_to_string(entry.path()).unwrap();
            fs::write(target, text.replace(scratch.dir().to_str().unwrap(), to.to_str().unwrap())).unwrap();
        } else if !name.ends_with("-wal") && !name.ends_with("-shm") {
            fs::copy(entry.path(), target).unwrap();
        }
    }
    let database = rusqlite::Connection::open(to.join("store/.lamindb/lamin.db")).unwrap();
    let root = to.join("store");
    database.execute("UPDATE lamindb_storage SET root = ?1", [root.to_str().unwrap()]).unwrap();
    let journal =
        database.query_row("PRAGMA journal_mode = delete", [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(journal, "delete");
    to
}

/// Returns the bytes of the database in such a copy.
fn bytes(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("store/.lamindb/lamin.db")).unwrap()
}

/// Checks that connecting fails, names the database, and touches nothing at all.
fn refused_to_open(dir: &Path, words: &[&str]) {
    let before = super::proof::tree(dir);
    let Err(error) = testing::connect(dir, 3).map(drop) else { panic!("{words:?}: it was opened") };
    assert!(matches!(error.kind(), ErrorKind::UnknownDatabase | ErrorKind::FileNotFound), "{error}");
    assert!(error.message().contains(dir.join("store").to_str().unwrap()), "{error}");
    for word in words {
        assert!(error.message().contains(word), "'{word}' is not in: {error}");
    }
    assert!(super::proof::tree(dir) == before, "a file changed: {error}");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_database_that_is_none() {
    let scratch = closed();
    let first = copy(&scratch, "first");
    let whole = bytes(&first);
    fs::remove_dir_all(first).unwrap();
    assert!(whole.len() > 100_000);
    for (name, bytes, words) in [
        ("empty", Vec::new(), vec!["empty"]),
        ("text", b"this is a diary".repeat(100), vec!["no SQLite database"]),
        ("half", whole[..whole.len() / 2].to_vec(), vec!["truncated"]),
        ("page", whole[..4096].to_vec(), vec!["truncated"]),
        ("head", whole[..60].to_vec(), vec![]),
        ("one byte short", whole[..whole.len() - 1].to_vec(), vec!["truncated"]),
    ] {
        let dir = copy(&scratch, name);
        fs::write(dir.join("store/.lamindb/lamin.db"), bytes).unwrap();
        refused_to_open(&dir, &words);
    }
    let dir = copy(&scratch, "missing");
    fs::remove_file(dir.join("store/.lamindb/lamin.db")).unwrap();
    refused_to_open(&dir, &[]);
}

#[test]
fn a_database_with_a_damaged_page() {
    let scratch = closed();
    let mut dice = super::proof::Dice(7);
    for round in 0..12 {
        let dir = copy(&scratch, &format!("damaged{round}"));
        let mut bytes = bytes(&dir);
        let at = 4096 * (1 + dice.below(bytes.len() / 4096 - 1));
        bytes[at..at + 4096].fill(0xA5);
        fs::write(dir.join("store/.lamindb/lamin.db"), bytes).unwrap();
        // It may open, as long as the damage is not touched; whatever fails says where and why.
        let work = testing::connect(&dir, 3).and_then(|(instance, _)| {
            for registry in ["Artifact", "Storage", "User", "ULabel", "Run"] {
                instance.registry(registry)?.all()?;
            }
            Ok(())
        });
        if let Err(error) = work {
            assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
            assert!(error.message().contains("lamin.db") && error.message().contains("backup"), "{error}");
        }
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn a_database_of_another_program_or_of_a_newer_level() {
    let scratch = closed();
    let alter = |name: &str, sql: &str, words: &[&str]| {
        let dir = copy(&scratch, name);
        let connection = rusqlite::Connection::open(dir.join("store/.lamindb/lamin.db")).unwrap();
        connection
            .execute_batch(&format!("PRAGMA foreign_keys = OFF; PRAGMA journal_mode = delete; {sql}"))
            .unwrap();
        drop(connection);
        refused_to_open(&dir, words);
    };
    alter("foreign", "DROP TABLE django_migrations", &["another program"]);
    alter(
        "newer",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('lamindb', '9999_future', '2027-01-01')",
        &["newer level", "9999_future"],
    );
    alter(
        "older",
        "DELETE FROM django_migrations WHERE app = 'lamindb' AND name LIKE '019%'",
        &["older level"],
    );
    alter("strange", "UPDATE lamindb_storage SET root = '/somewhere/else'", &[]);
}

#[test]
fn settings_that_cannot_be_read() {
    let scratch = closed();
    for (name, text, words) in [
        ("blank", "", vec!["instance--"]),
        ("garbled", "\u{1}\u{2}===\nfoo\n", vec!["instance--"]),
        ("cut", "lamindb_instance_owner=anony", vec!["instance--"]),
    ] {
        let dir = copy(&scratch, name);
        let path = walkdir::WalkDir::new(dir.join("home")).into_iter().flatten().find(|entry| {
            let name = entry.file_name().to_str().unwrap();
            name.starts_with("instance--") && name.contains("store")
        });
        let path = path.expect("the settings of the instance").into_path();
        fs::write(&path, text).unwrap();
        let before = super::proof::tree(&dir);
        let Err(error) = testing::connect(&dir, 3).map(drop) else { panic!("{name}: it was opened") };
        for word in words {
            assert!(error.message().contains(word), "'{word}' is not in: {error}");
        }
        assert!(super::proof::tree(&dir) == before, "{name}: a file changed");
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn two_instances_with_one_location() {
    let scratch = Scratch::on_sqlite().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (env, _) = testing::env(other.path(), 9).unwrap();
    let root = scratch.root().display().to_string();
    let options = |name: Option<&str>| InitOptions {
        storage: Some(root.clone()),
        name: name.map(str::to_owned),
        ..InitOptions::default()
    };
    let words = [root.as_str(), "managed by another"];
    refused(&scratch, ErrorKind::StorageAlreadyManaged, &words, || {
        Instance::init(&env, &options(Some("mine"))).map(drop)
    });
    // One of the same name has the same identity: it is the very instance, which this home did not know yet.
    let before = super::state(scratch.instance(), &scratch.root());
    let joined = Instance::init(&env, &options(None)).unwrap();
    assert_eq!(joined.settings().id, scratch.instance().settings().id);
    assert_eq!(super::state(scratch.instance(), &scratch.root()), before);
    // As a further location of another instance it is known, but not written to.
    let own = InitOptions {
        storage: Some(other.path().join("own").display().to_string()),
        ..InitOptions::default()
    };
    let second = Instance::init(&env, &own).unwrap();
    let before = super::state(scratch.instance(), &scratch.root());
    let location = second.create_storage(&holotype::NewStorage::new(&root)).unwrap();
    assert!(!second.manages(&location));
    assert!(second.use_storage(&location).is_err());
    fs::write(other.path().join("work/x.txt"), "x").unwrap();
    let new = holotype::NewArtifact { storage: location.id(), ..holotype::NewArtifact::new("x.txt") };
    assert_eq!(second.artifact(new.key("x.txt")).unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(super::state(scratch.instance(), &scratch.root()), before);
}

#[test]
fn deleting_what_others_use() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let members: Vec<Record> = (0..2)
        .map(|i| {
            let path = scratch.file(&format!("{i}.txt"), format!("{i}")).unwrap();
            save(&scratch, &path, &format!("{i}.txt")).unwrap()
        })
        .collect();
    let new = NewCollection { run: RunChoice::None, ..NewCollection::new(members.clone(), "both") };
    let mut collection = instance.collection(new).unwrap();
    instance.save_collection(&mut collection).unwrap();
    let uid = collection.record.uid().to_owned();
    for storage in [None, Some(true)] {
        refused(&scratch, ErrorKind::Protected, &["Collection", &uid], || {
            instance.delete_artifact(&members[0], storage)
        });
    }
    let mut row = members[0].clone();
    refused(&scratch, ErrorKind::Protected, &["Collection", &uid], || instance.delete(&mut row).map(drop));
    let location = instance.by_id(model::require("Storage").unwrap(), 1).unwrap();
    refused(&scratch, ErrorKind::InvalidArgument, &["storage"], || instance.delete_storage(&location));
    let user = instance.registry("User").unwrap().first().unwrap().unwrap();
    let ids = [user.id().unwrap()];
    refused(&scratch, ErrorKind::Protected, &["created_by"], || {
        instance.plan_delete(user.registry(), &ids).map(drop)
    });
}

#[test]
fn locked_rows_stay() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    let mut record = save(&scratch, &path, "a.txt").unwrap();
    record.set("is_locked", true).unwrap();
    scratch.instance().save(&mut record).unwrap();
    let mut renamed = holotype::Artifact::from_record(record.clone());
    renamed.record.set("description", Value::from("new")).unwrap();
    refused(&scratch, ErrorKind::NoWriteAccess, &[record.uid()], || {
        scratch.instance().save_artifact(&mut renamed)
    });
    let mut replaced = holotype::Artifact::from_record(record.clone());
    let source = scratch.file("b.txt", "y").unwrap();
    let choice = RunChoice::None;
    scratch.instance().replace_content(&mut replaced, source.to_str().unwrap(), false, choice).unwrap();
    refused(&scratch, ErrorKind::NoWriteAccess, &[record.uid()], || {
        scratch.instance().save_artifact(&mut replaced)
    });
    assert_eq!(fs::read(scratch.instance().cache(&record).unwrap()).unwrap(), b"x");
    refused(&scratch, ErrorKind::NoWriteAccess, &[record.uid()], || {
        scratch.instance().delete_artifact(&record, None)
    });
}

#[test]
fn databases_of_older_releases_are_left_to_them() {
    for (release, words) in [
        ("1.9.1", ["migration 0115", "LaminDB 2.0.1, then 2.12"]),
        ("0.77.3", ["before 1.0", "in that release"]),
    ] {
        let dir = super::common::unpack(release);
        let (env, _) = testing::env(dir.path(), 1).unwrap();
        let before = super::proof::tree(dir.path());
        let Err(error) = Instance::connect_current(&env).map(drop) else { panic!("{release} was opened") };
        assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
        for word in words {
            assert!(error.message().contains(word), "'{word}' is not in: {error}");
        }
        assert!(super::proof::tree(dir.path()) == before, "{release}: a file changed or was renamed");
    }
}
