//! Places that versions share: whose bytes lie there, whoever was revived, trashed, deleted, moved or written by others.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod proof;

use std::fs;

use holotype::db::Sql;
use holotype::testing::Scratch;
use holotype::{Artifact, ErrorKind, NewArtifact, Record, Result, RunChoice};
use proof::{audit, audit_any, save};

const KEY: &str = "real/k.txt";

fn real() -> Scratch {
    let scratch = Scratch::new().unwrap();
    scratch.instance().with_creation(|creation| creation.use_virtual_keys = false).unwrap();
    scratch
}

fn version(scratch: &Scratch, content: &str) -> Record {
    let path = scratch.file("k.txt", content).unwrap();
    save(scratch.instance(), NewArtifact::new(path.to_str().unwrap()).key(KEY)).unwrap()
}

fn folder(scratch: &Scratch, content: &str) -> Record {
    let path = scratch.file(&format!("{content}/x.txt"), content).unwrap();
    save(scratch.instance(), NewArtifact::new(path.parent().unwrap().to_str().unwrap()).key("dir")).unwrap()
}

/// Returns what an artifact yields, or nothing when its content was overwritten.
fn read(scratch: &Scratch, record: &Record) -> Option<String> {
    let row = scratch.instance().by_id(record.registry(), record.id().unwrap()).unwrap();
    match scratch.instance().cache(&row) {
        Ok(path) if path.is_dir() => Some(fs::read_to_string(path.join("x.txt")).unwrap()),
        Ok(path) => Some(fs::read_to_string(path).unwrap()),
        Err(error) => {
            assert!(
                error.message().contains("outdated") || error.kind() == ErrorKind::FileNotFound,
                "{error}"
            );
            None
        }
    }
}

fn texts(scratch: &Scratch, records: &[&Record]) -> Vec<Option<String>> {
    records.iter().map(|record| read(scratch, record)).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn content_that_comes_back_is_there_again() {
    let scratch = real();
    let (one, two) = (version(&scratch, "one"), version(&scratch, "two"));
    assert_eq!(texts(&scratch, &[&one, &two]), [None, some("two")]);
    assert_eq!(version(&scratch, "one").uid(), one.uid());
    assert_eq!(texts(&scratch, &[&one, &two]), [some("one"), None]);
    assert_eq!(version(&scratch, "two").uid(), two.uid());
    assert_eq!(texts(&scratch, &[&one, &two]), [None, some("two")]);
    let (a, b) = (folder(&scratch, "a"), folder(&scratch, "b"));
    assert_eq!(folder(&scratch, "a").uid(), a.uid());
    assert_eq!(texts(&scratch, &[&a, &b]), [some("a"), None]);
    audit(scratch.instance(), &scratch.root());
}

#[test]
fn a_version_in_the_trash_keeps_the_place_it_took() {
    let scratch = real();
    let (one, mut two) = (version(&scratch, "one"), version(&scratch, "two"));
    scratch.instance().trash(&mut two).unwrap();
    assert_eq!(texts(&scratch, &[&one, &two]), [None, some("two")]);
    scratch.instance().restore(&mut two).unwrap();
    assert_eq!(texts(&scratch, &[&one, &two]), [None, some("two")]);
    assert_eq!(audit_any(scratch.instance(), &scratch.root()).overwritten, 1);
}

#[test]
fn deleting_the_version_that_overwrote_brings_nothing_back() {
    for keep in [true, false] {
        let scratch = real();
        let (one, two) = (version(&scratch, "one"), version(&scratch, "two"));
        let plan = scratch.instance().plan_artifact_delete(&two, None).unwrap();
        assert!(plan.question, "the content is that of the version that goes");
        scratch.instance().apply_artifact_delete(&plan, !keep).unwrap();
        assert_eq!(read(&scratch, &one), None, "its bytes are gone for good");
        assert_eq!(scratch.root().join(KEY).exists(), keep);
        let again = version(&scratch, "one");
        assert_eq!((again.uid(), read(&scratch, &again)), (one.uid(), some("one")));
    }
}

#[test]
fn deleting_an_overwritten_version_leaves_the_content() {
    let scratch = real();
    let (one, two) = (version(&scratch, "one"), version(&scratch, "two"));
    scratch.instance().delete_artifact(&one, Some(true)).unwrap();
    assert_eq!(read(&scratch, &two), some("two"));
}

#[test]
fn an_overwritten_version_neither_moves_nor_replaces_what_lies_there() {
    let scratch = real();
    let (one, two) = (version(&scratch, "one"), version(&scratch, "two"));
    let row = scratch.instance().by_id(one.registry(), one.id().unwrap()).unwrap();
    let mut moved = Artifact::from_record(row.clone());
    moved.record.set("key", "real/other.txt").unwrap();
    let error = scratch.instance().save_artifact(&mut moved).unwrap_err();
    assert!(error.message().contains(one.uid()), "{error}");
    let path = scratch.file("three.txt", "three").unwrap();
    let mut replaced = Artifact::from_record(row);
    let none = RunChoice::None;
    let error =
        scratch.instance().replace_content(&mut replaced, path.to_str().unwrap(), false, none).unwrap_err();
    assert!(error.message().contains(one.uid()), "{error}");
    assert_eq!(texts(&scratch, &[&one, &two]), [None, some("two")]);
}

#[test]
fn a_version_that_another_program_wrote_over_it_is_believed() {
    let scratch = real();
    let (one, two) = (version(&scratch, "one"), version(&scratch, "two"));
    version(&scratch, "one");
    // Another program overwrites the file and adds its row, and knows nothing of what we remember.
    fs::write(scratch.root().join(KEY), "other").unwrap();
    let columns = "key, _key_is_virtual, suffix, size, _hash_type, _overwrite_versions, is_locked, branch_id, \
                   created_on_id, space_id, storage_id, created_by_id, created_at, updated_at";
    let uid = format!("{}0002", one.stem_uid());
    let mut demote = Sql::new("UPDATE lamindb_artifact SET is_latest = ");
    demote.bind(false);
    let mut insert =
        Sql::new(format!("INSERT INTO lamindb_artifact (uid, hash, is_latest, {columns}) SELECT "));
    insert.bind(uid.as_str()).push(", 'eV8g8X3uLYK0-xwCaX_0Lw', ").bind(true);
    insert.push(&format!(", {columns} FROM lamindb_artifact WHERE uid = ")).bind(one.uid());
    let mut resize = Sql::new("UPDATE lamindb_artifact SET size = 5 WHERE uid = ");
    resize.bind(uid.as_str());
    let steps = [demote, insert, resize];
    scratch.instance().db().write(|tx| steps.iter().try_for_each(|sql| tx.execute(sql).map(drop))).unwrap();
    let theirs = scratch.instance().get_uid(one.registry(), &uid).unwrap();
    assert_eq!(texts(&scratch, &[&one, &two, &theirs]), [None, None, some("other")]);
    let four = version(&scratch, "four");
    assert_eq!(texts(&scratch, &[&one, &two, &theirs, &four]), [None, None, None, some("four")]);
}

#[test]
fn kept_versions_of_files_and_folders_stay_apart() -> Result<()> {
    let scratch = real();
    scratch.instance().with_creation(|creation| creation.keep_versions = true)?;
    let files: Vec<Record> = ["1", "2", "3"].iter().map(|content| version(&scratch, content)).collect();
    let folders: Vec<Record> = ["a", "b", "c"].iter().map(|content| folder(&scratch, content)).collect();
    let all: Vec<&Record> = files.iter().chain(&folders).collect();
    assert_eq!(texts(&scratch, &all), ["1", "2", "3", "a", "b", "c"].map(some));
    audit(scratch.instance(), &scratch.root());
    Ok(())
}

#[test]
fn a_bulk_save_into_two_locations_puts_each_where_it_belongs() -> Result<()> {
    let scratch = Scratch::new()?;
    let other = scratch
        .instance()
        .create_storage(&holotype::NewStorage::new(scratch.dir().join("other").to_str().unwrap()))?;
    let mut all = Vec::new();
    for (name, storage) in [("a.txt", None), ("b.txt", other.id()), ("c.txt", None)] {
        let path = scratch.file(name, name)?;
        let new = NewArtifact { storage, ..NewArtifact::new(path.to_str().unwrap()) };
        all.push(scratch.instance().artifact(new.key(name))?);
    }
    scratch.instance().save_artifacts(&mut all)?;
    for (artifact, root) in all.iter().zip(["store", "other", "store"]) {
        let path = scratch.instance().cache(&artifact.record)?;
        assert!(path.starts_with(scratch.dir().join(root)), "{}", path.display());
        assert_eq!(Some(fs::read_to_string(path).unwrap().as_str()), artifact.record.text("key"));
    }
    Ok(())
}

#[test]
fn who_shares_a_place_is_found_by_indexes() {
    let scratch = Scratch::on_sqlite().unwrap();
    let database = rusqlite::Connection::open(scratch.root().join(".lamindb/lamin.db")).unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT uid FROM lamindb_artifact WHERE storage_id = 1 \
               AND (key IN ('a', 'b', 'c') OR _real_key = 'a')";
    let mut statement = database.prepare(sql).unwrap();
    let plan: Vec<String> =
        statement.query_map([], |row| row.get(3)).unwrap().map(|line| line.unwrap()).collect();
    assert!(plan.iter().any(|line| line.contains("holotype_artifact_real_key_idx")), "{plan:?}");
    assert!(!plan.iter().any(|line| line.starts_with("SCAN")), "{plan:?}");
}
