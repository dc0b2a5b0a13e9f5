//! Databases whose last writer was killed in a transaction, with a rollback journal.

use std::fs;
use std::path::{Path, PathBuf};

use holotype::testing::{self, Scratch};
use holotype::{ErrorKind, Q};

use super::save;

/// Leaves a database as a process leaves it that is killed once `sql` and much else is written but not committed.
fn kill_in(database: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(database).unwrap();
    let mode =
        connection.query_row("PRAGMA journal_mode = delete", [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(mode, "delete");
    connection.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;").unwrap();
    connection.execute_batch(sql).unwrap();
    connection.execute_batch("CREATE TABLE ballast (a TEXT);").unwrap();
    for _ in 0..2000 {
        connection.execute("INSERT INTO ballast VALUES (hex(randomblob(500)))", []).unwrap();
    }
    let journal = PathBuf::from(format!("{}-journal", database.display()));
    let image = [database, &journal].map(|path| (path.to_owned(), fs::read(path).unwrap()));
    connection.execute_batch("ROLLBACK").unwrap();
    drop(connection);
    for (path, bytes) in image {
        fs::write(path, bytes).unwrap();
    }
}

/// Returns an instance whose database nobody has open, and its file.
fn closed() -> (Scratch, PathBuf) {
    let scratch = Scratch::on_sqlite().unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    save(&scratch, &path, "a.txt").unwrap();
    scratch.instance().db().checkpoint().unwrap();
    let database = scratch.root().join(".lamindb/lamin.db");
    (scratch, database)
}

/// Runs `test` on a copy of the database in an instance of its own, since the scratch keeps its own one open.
fn on_copy(sql: &str, test: impl FnOnce(&Path, &Path)) {
    let (scratch, database) = closed();
    let bytes = fs::read(&database).unwrap();
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().canonicalize().unwrap();
    for entry in walkdir::WalkDir::new(scratch.dir()).into_iter().flatten() {
        let target = dir.join(entry.path().strip_prefix(scratch.dir()).unwrap());
        let name = entry.file_name().to_str().unwrap();
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else if name.ends_with(".env") {
            let text = fs::read_to_string(entry.path()).unwrap();
            fs::write(target, text.replace(scratch.dir().to_str().unwrap(), dir.to_str().unwrap())).unwrap();
        } else if !name.starts_with("lamin.db") {
            fs::copy(entry.path(), target).unwrap();
        }
    }
    let place = dir.join("store/.lamindb/lamin.db");
    fs::write(&place, bytes).unwrap();
    let root = dir.join("store");
    let connection = rusqlite::Connection::open(&place).unwrap();
    connection.execute("UPDATE lamindb_storage SET root = ?1", [root.to_str().unwrap()]).unwrap();
    drop(connection);
    kill_in(&place, sql);
    assert!(dir.join("store/.lamindb/lamin.db-journal").exists());
    test(&dir, &place);
}

fn opens(sql: &str) {
    on_copy(sql, |dir, place| {
        let (instance, _) = testing::connect(dir, 9).unwrap();
        let found =
            instance.registry("Artifact").unwrap().filter(Q::is("key", "a.txt")).unwrap().one().unwrap();
        assert_eq!(fs::read_to_string(instance.cache(&found).unwrap()).unwrap(), "x");
        assert_eq!(instance.registry("ULabel").unwrap().count().unwrap(), 0);
        let source = dir.join("work/b.txt");
        fs::write(&source, "y").unwrap();
        let new = holotype::NewArtifact::new(source.to_str().unwrap()).key("b.txt");
        super::proof::save(&instance, new).unwrap();
        drop(instance);
        let connection = rusqlite::Connection::open(place).unwrap();
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        assert!(connection.prepare("SELECT * FROM ballast").is_err(), "what was broken off is undone");
        let names: Vec<String> = fs::read_dir(place.parent().unwrap())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(
            !names.iter().any(|name| name.contains("journal") || name.contains("holotype-tmp")),
            "{names:?}"
        );
    });
}

#[test]
fn what_was_written_is_undone() {
    opens(
        "INSERT INTO lamindb_ulabel (uid, name, is_type, created_at, updated_at, created_by_id, branch_id, \
         created_on_id, space_id, is_locked) VALUES ('abcdefgh', 'n', 0, '2026-01-01', '2026-01-01', 1, 1, 1, 1, 0)",
    );
}

#[test]
fn the_level_is_read_after_undoing() {
    // A migration of another release that was killed half-way.
    opens("DELETE FROM django_migrations");
    opens(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('lamindb', '9999_future', '2030-01-01')",
    );
    opens("ALTER TABLE lamindb_artifact RENAME TO elsewhere; UPDATE lamindb_storage SET root = 'gone'");
}

#[test]
fn a_database_of_another_program_is_left_as_it_is() {
    on_copy("SELECT 1", |dir, place| {
        let journal = PathBuf::from(format!("{}-journal", place.display()));
        for path in [place, &journal] {
            fs::remove_file(path).unwrap();
        }
        let foreign = rusqlite::Connection::open(place).unwrap();
        foreign.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
        drop(foreign);
        kill_in(place, "INSERT INTO recipes VALUES ('soup')");
        let before = super::proof::tree(dir);
        let Err(error) = testing::connect(dir, 9).map(drop) else { panic!("it was opened") };
        assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
        assert!(error.message().contains("another program"), "{error}");
        assert!(super::proof::tree(dir) == before, "its transaction is its own to undo");
    });
}

#[test]
fn a_transaction_that_goes_on_is_not_undone() {
    on_copy("SELECT 1", |dir, place| {
        drop(testing::connect(dir, 9).unwrap());
        let writer = rusqlite::Connection::open(place).unwrap();
        writer.query_row("PRAGMA journal_mode = delete", [], |_| Ok(())).unwrap();
        writer
            .execute_batch("BEGIN IMMEDIATE; UPDATE lamindb_branch SET description = 'mine' WHERE id = 1")
            .unwrap();
        let db = holotype::db::Db::inspect(place).unwrap();
        let sql = holotype::db::Sql::new("SELECT COUNT(*) FROM lamindb_branch");
        assert!(db.scalar(&sql, holotype::Kind::Int).unwrap().is_some());
        drop(db);
        writer.execute_batch("COMMIT").unwrap();
        let kept: String = writer
            .query_row("SELECT description FROM lamindb_branch WHERE id = 1", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, "mine");
    });
}
