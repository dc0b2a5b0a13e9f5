//! Instances that move between a file and a server: everything arrives, nothing is lost, whatever happens on the way.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "support/cluster.rs"]
mod cluster;
mod proof;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cluster::Cluster;
use holotype::care::{Collect, Depth};
use holotype::db::{Db, Dialect, Sql};
use holotype::instance::migrate::{self, Destination, Migrated, MigrationPlan, Stage};
use holotype::instance::settings::{InstanceSettings, load_by_identifier};
use holotype::testing::{Database, Scratch, connect, env};
use holotype::{
    ErrorKind, Instance, Kind, NewArtifact, Record, Result, Timestamp, Value, faults, model, sorted_json,
};
use proof::{child, plan, save};
use serde_json::json;

fn label(instance: &Instance, name: &str) -> Record {
    let mut label = Record::empty(model::require("ULabel").unwrap());
    label.set("name", name).unwrap();
    instance.save(&mut label).unwrap();
    label
}

/// An instance on SQLite with something of everything that is hard to carry.
fn furnished() -> Scratch {
    let scratch = Scratch::on_sqlite().unwrap();
    let instance = scratch.instance();
    instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
    let artifact = |name: &str, content: &str, key: &str| {
        let source = scratch.file(name, content).unwrap();
        save(instance, NewArtifact::new(source.to_str().unwrap()).key(key)).unwrap()
    };
    artifact("a.txt", "one", "a.txt");
    let second = artifact("b.txt", "two", "a.txt");
    scratch.file("dir/x", "x").unwrap();
    scratch.file("dir/sub/y", "yy").unwrap();
    let folder = scratch.dir().join("work/dir");
    save(instance, NewArtifact::new(folder.to_str().unwrap()).key("dir")).unwrap();
    let odd = label(instance, "tab\there, back\\slash, \\N, line\nbreak, \"quote\", é, 🧬, {curly}");
    instance.link(&second, "ulabels", &[odd.id().unwrap()]).unwrap();
    let mut with_document = label(instance, "document");
    let document = json!({"b": [1.0, 1e3, 2.5, "é\t"], "a": {"z": null, "y": true}});
    with_document.set("_aux", Value::from(document)).unwrap();
    instance.save(&mut with_document).unwrap();
    // Its id is never given again.
    instance.delete(&mut label(instance, "gone")).unwrap();
    scratch
}

fn settings(dir: &Path) -> InstanceSettings {
    load_by_identifier(&env(dir, 3).unwrap().0, "store").unwrap()
}

fn planned(dir: &Path, to: &Destination) -> Result<MigrationPlan> {
    migrate::plan(&env(dir, 3)?.0, &settings(dir), to)
}

fn moved(dir: &Path, to: &Destination) -> Result<Migrated> {
    planned(dir, to)?.apply(&env(dir, 4)?.0)
}

/// Returns every value of every row, a line each.
fn everything(instance: &Instance) -> BTreeSet<String> {
    let value = |record: &Record, name: &str| match record.get(name) {
        // Servers put the keys of documents in an order of their own.
        Some(Value::Json(json)) => sorted_json(json),
        other => format!("{other:?}"),
    };
    let line = |record: &Record| {
        let columns = record.registry().columns.iter();
        let values = columns.map(|column| format!("{}={}", column.name, value(record, column.name)));
        format!("{}: {}", record.registry().name, values.collect::<Vec<_>>().join(" "))
    };
    let rows = |registry| instance.query(registry).all().unwrap();
    model::all().iter().flat_map(|registry| rows(registry).iter().map(line).collect::<Vec<_>>()).collect()
}

/// Fails unless an instance holds exactly these rows, and names those that it should not hold, or should.
fn assert_holds(instance: &Instance, expected: &BTreeSet<String>, when: &str) {
    let found = everything(instance);
    let differing: Vec<&String> = found.symmetric_difference(expected).collect();
    assert!(differing.is_empty(), "{when}: {differing:#?}");
}

fn database(cluster: &Cluster) -> Database {
    Database::on(&cluster.env("maker"), &cluster.url()).unwrap()
}

fn server(database: &Database) -> Destination {
    Destination::Postgres(database.url().to_owned())
}

fn file(scratch: &Scratch) -> PathBuf {
    scratch.root().join(".lamindb/lamin.db")
}

#[test]
fn everything_arrives_there_and_back() {
    let cluster = Cluster::start();
    let (scratch, database) = (furnished(), database(&cluster));
    let dir = scratch.dir();
    let before = everything(scratch.instance());
    let plan = planned(dir, &server(&database)).unwrap();
    assert_eq!(plan.stage, Stage::Copy);
    let counted = |table: &str| plan.tables.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows);
    assert_eq!((counted("lamindb_artifact"), counted("holotype_content")), (Some(3), Some(3)));
    assert_eq!((counted("lamindb_ulabel"), counted("lamindb_project")), (Some(2), None));
    assert!(file(&scratch).exists(), "a plan changes nothing");

    let done = plan.apply(&env(dir, 4).unwrap().0).unwrap();
    assert!(!file(&scratch).exists() && Path::new(&done.kept).exists(), "{}", done.kept);
    let (there, _) = connect(dir, 5).unwrap();
    assert_eq!(there.db().dialect(), Dialect::Postgres);
    assert_holds(&there, &before, "on the server");
    assert!(there.verify(&there.registry("Artifact").unwrap(), Depth::Full).unwrap().is_sound());
    assert_eq!(label(&there, "next").id(), Some(4), "ids go on after those that were given out");
    // The rules that the server keeps by itself came along.
    let mut kind = label(&there, "kind");
    kind.set("type", kind.id()).unwrap();
    assert!(there.save(&mut kind).is_err(), "a label is no type of itself");
    let known = Sql::new("SELECT COUNT(*) FROM pg_stats WHERE tablename = 'lamindb_ulabel'");
    let known = there.db().scalar(&known, Kind::BigInt).unwrap().and_then(|n| n.as_int());
    assert!(known > Some(0), "the server knows what came, and so how to answer");
    // The old database is kept, and nobody takes it for the instance.
    let stale = scratch.instance().save(&mut Record::empty(model::require("ULabel").unwrap()));
    assert!(stale.is_err());
    let old = InstanceSettings { db: Some(format!("sqlite:///{}", done.kept)), ..there.settings() };
    let error = Instance::connect(there.env(), &old).err().unwrap();
    assert!(
        error.message().contains("moved to postgresql://") && !error.message().contains("t%3Ast"),
        "{error}"
    );
    let all = Collect { unused_before: Timestamp(i64::MAX), trashed_before: None };
    assert!(there.plan_collect(all).unwrap().is_empty(), "the old database is no rubbish");

    let before = everything(&there);
    moved(dir, &Destination::Sqlite(None)).unwrap();
    let (back, _) = connect(dir, 6).unwrap();
    assert_eq!(back.db().dialect(), Dialect::Sqlite);
    assert_holds(&back, &before, "back in a file");
    proof::audit(&back, &scratch.root());
    assert!(back.verify(&back.registry("Artifact").unwrap(), Depth::Full).unwrap().is_sound());
    assert_eq!(label(&back, "last").id(), Some(6));
    assert!(Instance::connect(there.env(), &there.settings()).is_err(), "the server's database is only kept");
}

#[test]
fn other_machines_follow_by_the_same_command() {
    let cluster = Cluster::start();
    let (scratch, database) = (furnished(), database(&cluster));
    let dir = scratch.dir();
    let old = settings(dir);
    moved(dir, &server(&database)).unwrap();
    // Another home that knows the instance from before.
    let (other, _) = env(&dir.join("other"), 9).unwrap();
    old.save(&other).unwrap();
    let error = Instance::connect(&other, &old).err().unwrap();
    assert!(error.message().contains("holotype migrate to-postgres"), "{error}");
    let plan = migrate::plan(&other, &old, &server(&database)).unwrap();
    assert_eq!((plan.stage, plan.rows()), (Stage::Follow, 0));
    let new = plan.apply(&other).unwrap().settings;
    let here = everything(&connect(dir, 5).unwrap().0);
    assert_holds(&Instance::connect(&other, &new).unwrap(), &here, "on the other machine");
    // Nowhere else, though.
    let elsewhere = Database::on(&other, &cluster.url()).unwrap();
    assert!(migrate::plan(&other, &old, &server(&elsewhere)).unwrap_err().message().contains("moved to"));
}

#[test]
fn what_is_there_stays_and_what_would_be_lost_is_named() {
    let cluster = Cluster::start();
    let (scratch, database) = (furnished(), database(&cluster));
    let dir = scratch.dir();
    let before = everything(scratch.instance());
    let refused = |to: &Destination, kind: ErrorKind, words: &str| {
        let error = moved(dir, to).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert_holds(&connect(dir, 5).unwrap().0, &before, words);
    };
    refused(&Destination::Sqlite(None), ErrorKind::InvalidArgument, "SQLite already");
    refused(&Destination::Postgres("mysql://x/y".to_owned()), ErrorKind::Value, "postgresql://");
    let theirs = Db::connect(scratch.instance().env(), database.url()).unwrap();
    theirs.script(&["CREATE TABLE mine (n bigint)".to_owned()]).unwrap();
    refused(&server(&database), ErrorKind::UnknownDatabase, "it holds mine");
    theirs.script(&["DROP TABLE mine".to_owned()]).unwrap();

    // Behind the engine's back, as other programs write: each of these has no room on a server, or no meaning here.
    let own = rusqlite::Connection::open(file(&scratch)).unwrap();
    let id = "(SELECT MIN(id) FROM lamindb_ulabel)";
    for (harm, mend, kind, words) in [
        (
            "CREATE TABLE their_notes (n); INSERT INTO their_notes VALUES (1)",
            "DROP TABLE their_notes",
            ErrorKind::Unsupported,
            "their_notes",
        ),
        (
            "ALTER TABLE lamindb_ulabel ADD COLUMN colour TEXT DEFAULT 'red'",
            "ALTER TABLE lamindb_ulabel DROP COLUMN colour",
            ErrorKind::Unsupported,
            "lamindb_ulabel.colour",
        ),
        (
            "UPDATE lamindb_ulabel SET description = 'nul' || char(0) || 'nul' WHERE id = ",
            "UPDATE lamindb_ulabel SET description = NULL WHERE id = ",
            ErrorKind::Value,
            "Row 1 of lamindb_ulabel",
        ),
        (
            "UPDATE lamindb_ulabel SET reference_type = replace(hex(zeroblob(100)), '0', 'x') WHERE id = ",
            "UPDATE lamindb_ulabel SET reference_type = NULL WHERE id = ",
            ErrorKind::FieldValidation,
            "COPY lamindb_ulabel, line 1, column reference_type",
        ),
        (
            "PRAGMA foreign_keys = OFF; UPDATE lamindb_ulabel SET run_id = 77 WHERE id = ",
            "UPDATE lamindb_ulabel SET run_id = NULL WHERE id = ",
            ErrorKind::Integrity,
            "lamindb_ulabel_run_id_fk",
        ),
    ] {
        let on_row = |sql: &str| if sql.ends_with("id = ") { format!("{sql}{id}") } else { sql.to_owned() };
        own.execute_batch(&on_row(harm)).unwrap();
        let error = moved(dir, &server(&database)).unwrap_err();
        assert!(error.kind() == kind && error.message().contains(words), "{harm}: {error}");
        own.execute_batch(&on_row(mend)).unwrap();
        assert!(theirs.present(&["lamindb_ulabel", "holotype_meta"]).unwrap().is_empty(), "nothing arrived");
    }
    drop(own);
    assert_holds(&connect(dir, 5).unwrap().0, &before, "after all refusals");
    moved(dir, &server(&database)).unwrap();
    fs::write(file(&scratch), "mine").unwrap();
    let error = moved(dir, &Destination::Sqlite(None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileExists, "{error}");
    assert_eq!(fs::read(file(&scratch)).unwrap(), b"mine");
    let elsewhere = dir.join("elsewhere.db");
    moved(dir, &Destination::Sqlite(Some(elsewhere.clone()))).unwrap();
    assert_holds(&connect(dir, 5).unwrap().0, &before, "in another file");
    assert_eq!(settings(dir).db, Some(format!("sqlite:///{}", elsewhere.display())));
}

/// Not a test of its own: the migration that the parent has killed.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, url, point, nth] = plan.try_into().unwrap();
    let (nth, hits): (usize, _) = (nth.parse().unwrap(), AtomicUsize::new(0));
    faults::arm(move |name| {
        if name == point && hits.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            std::process::abort();
        }
    });
    let to = if url.is_empty() { Destination::Sqlite(None) } else { Destination::Postgres(url) };
    moved(Path::new(&dir), &to).unwrap();
}

/// Moments of a migration: the first commit is that of the copy, the second that of the old database, which is the moment of
/// the change, the third that of the new one when it is settled.
const MOMENTS: [(&str, usize); 8] = [
    ("migrate.table", 60),
    ("db.commit", 1),
    ("db.committed", 1),
    ("db.commit", 2),
    ("db.committed", 2),
    ("db.commit", 3),
    ("db.committed", 3),
    ("migrate.retired", 1),
];

/// Kills a migration at every moment, then does it again and compares.
fn killed_at_every_moment(back: bool) {
    let cluster = Cluster::start();
    for (point, nth) in MOMENTS {
        let (scratch, database) = (furnished(), database(&cluster));
        let dir = scratch.dir();
        let to = if back {
            moved(dir, &server(&database)).unwrap();
            Destination::Sqlite(None)
        } else {
            server(&database)
        };
        let before = everything(&connect(dir, 5).unwrap().0);
        let url = if back { "" } else { database.url() };
        let output =
            child("the_child", &format!("{}\t{url}\t{point}\t{nth}", dir.display())).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && !told.contains("panicked"), "{point} {nth}: {told}");
        // Until the same command is given again, the instance is where it was, or says where it is.
        match connect(dir, 6) {
            Ok((instance, _)) => assert_holds(&instance, &before, &format!("killed at {point} {nth}")),
            Err(error) => assert!(error.message().contains("moved to"), "{point} {nth}: {error}"),
        }
        moved(dir, &to).unwrap_or_else(|error| panic!("{point} {nth}: {error}"));
        let (instance, _) = connect(dir, 7).unwrap();
        assert_holds(&instance, &before, &format!("again after {point} {nth}"));
        let expected = if back { Dialect::Sqlite } else { Dialect::Postgres };
        assert_eq!(instance.db().dialect(), expected);
        label(&instance, "afterwards");
        let notes = Sql::new("SELECT \"key\" FROM holotype_meta WHERE \"key\" = 'migration:arriving'");
        assert!(instance.db().rows(&notes, &[Kind::Text]).unwrap().is_empty(), "{point} {nth}");
    }
}

#[test]
fn a_killed_move_to_a_server_is_done_again() {
    killed_at_every_moment(false);
}

#[test]
fn a_killed_move_to_a_file_is_done_again() {
    killed_at_every_moment(true);
}
