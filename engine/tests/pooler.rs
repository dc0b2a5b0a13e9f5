//! PostgreSQL behind a pooler that gives every transaction any of a few connections.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "support/cluster.rs"]
mod cluster;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use cluster::Cluster;
use holotype::db::{Db, Sql};
use holotype::testing::Database;
use holotype::{Env, ErrorKind, InitOptions, Instance, Kind, NewArtifact, Q, Record, Value, model};

/// Connections that the pooler keeps to a database; the tests have more clients than that.
const CONNECTIONS: usize = 3;
const WRITERS: u64 = 8;
const SAVES: usize = 6;

/// A cluster with a pooler before it, and a database on it.
struct Pooled {
    database: Database,
    url: String,
    // Last, so that what lies on it is closed before it goes.
    cluster: Cluster,
}

impl Pooled {
    fn start() -> Pooled {
        let cluster = Cluster::start();
        cluster.script("pool", "");
        let database = Database::on(&cluster.env("maker"), &cluster.url()).unwrap();
        let port = fs::read_to_string(cluster.folder().join("pooler.port")).unwrap();
        let (place, _) = database.url().split_once('?').unwrap();
        let url = format!("{place}?host={}&port={}", cluster.folder().display(), port.trim());
        Pooled { database, url, cluster }
    }

    /// Returns the instance as one user's process opens it.
    fn open(&self, env: &Env) -> Instance {
        let storage = self.cluster.dir.path().join("store").display().to_string();
        let (storage, db) = (Some(storage), Some(self.url.clone()));
        let options = InitOptions { storage, db, name: Some("pooled".to_owned()), ..InitOptions::default() };
        let instance = Instance::init(env, &options).unwrap();
        instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
        instance
    }
}

fn label(name: &str) -> Record {
    let mut label = Record::empty(model::require("ULabel").unwrap());
    label.set("name", name).unwrap();
    label
}

#[test]
fn many_writers_share_few_connections() {
    let pooled = Pooled::start();
    let first = pooled.open(&pooled.cluster.env("first"));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let pooled = &pooled;
            scope.spawn(move || {
                let (env, _) =
                    holotype::testing::env(&pooled.cluster.dir.path().join(writer.to_string()), 100 + writer)
                        .unwrap();
                let instance = pooled.open(&env);
                for n in 0..SAVES {
                    let source = env.cwd.join("x.txt");
                    fs::write(&source, format!("save {n} of {writer}")).unwrap();
                    let new = NewArtifact::new(source.display().to_string()).key("x.txt");
                    let mut artifact = instance.artifact(new).unwrap();
                    instance.save_artifact(&mut artifact).unwrap();
                    instance.save(&mut label(&format!("{n} of {writer}"))).unwrap();
                }
            });
        }
    });
    let (all, versions) = (WRITERS as usize * SAVES, first.registry("Artifact").unwrap());
    assert_eq!(first.registry("ULabel").unwrap().count().unwrap(), all);
    assert_eq!(versions.clone().count().unwrap(), all, "every save is a version");
    assert_eq!(versions.clone().filter(Q::is("is_latest", true)).unwrap().count().unwrap(), 1);
    let stems: std::collections::BTreeSet<String> =
        versions.all().unwrap().iter().map(|version| version.stem_uid().to_owned()).collect();
    assert_eq!(stems.len(), 1, "one family");
    // More rows than come at a time, of many questions at once.
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for name in ["0 of 0", "5 of 7"] {
                    let found = first.registry("ULabel").unwrap().filter(Q::is("name", name)).unwrap();
                    assert_eq!(found.one().unwrap().text("name"), Some(name));
                }
                let sql = Sql::new("SELECT n FROM generate_series(1, 5000) AS n");
                assert_eq!(first.db().rows(&sql, &[Kind::Int]).unwrap().len(), 5000);
            });
        }
    });
    let sql = Sql::new("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()");
    let used = first.db().scalar(&sql, Kind::BigInt).unwrap().unwrap().as_int().unwrap();
    assert!(used <= CONNECTIONS as i64, "{used} connections");
}

#[test]
fn a_statement_that_takes_too_long_is_given_up() {
    let pooled = Pooled::start();
    let env = pooled.cluster.env("one");
    let hurried = env.clone().with_vars([("HOLOTYPE_STATEMENT_TIMEOUT".to_owned(), "1".to_owned())]);
    let db = Db::connect(&hurried, &pooled.url).unwrap();
    let begun = Instant::now();
    let error = db.scalar(&Sql::new("SELECT pg_sleep(30)"), Kind::Text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    let changing = db.write(|tx| tx.execute(&Sql::new("SELECT pg_sleep(30)"))).unwrap_err();
    assert_eq!(changing.kind(), ErrorKind::Busy, "{changing}");
    assert!(begun.elapsed() < Duration::from_secs(15));
    // None of the connections is left with what was given up, nor with its limits.
    for _ in 0..2 * CONNECTIONS {
        let slow = Db::connect(&pooled.cluster.env("two"), &pooled.url).unwrap();
        assert!(slow.scalar(&Sql::new("SELECT pg_sleep(1.1)"), Kind::Text).is_ok());
        assert_eq!(db.scalar(&Sql::new("SELECT 1"), Kind::Int).unwrap(), Some(Value::Int(1)));
    }
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state <> 'idle' \
               AND pid <> pg_backend_pid()";
    let left =
        Db::connect(&env, pooled.database.url()).unwrap().scalar(&Sql::new(sql), Kind::BigInt).unwrap();
    assert_eq!(left, Some(Value::Int(0)), "the server was told");
}

#[test]
fn work_goes_on_after_the_pooler_crashed() {
    let pooled = Pooled::start();
    let instance = pooled.open(&pooled.cluster.env("one"));
    instance.save(&mut label("before")).unwrap();
    let folder = pooled.cluster.folder();
    pooled.cluster.script("unpool", "");
    let starting = thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        cluster::script(&folder, "pool", "");
    });
    assert_eq!(
        instance.registry("ULabel").unwrap().count().unwrap(),
        1,
        "a question waits and is asked again"
    );
    starting.join().unwrap();
    let error = instance
        .db()
        .write(|tx| {
            tx.execute(&Sql::new("DELETE FROM lamindb_ulabel"))?;
            pooled.cluster.script("unpool", "");
            tx.execute(&Sql::new("DELETE FROM lamindb_ulabel"))
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database, "{error}");
    pooled.cluster.script("pool", "");
    instance.save(&mut label("after")).unwrap();
    assert_eq!(instance.registry("ULabel").unwrap().count().unwrap(), 2);
}
