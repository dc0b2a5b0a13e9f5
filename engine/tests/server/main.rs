//! PostgreSQL itself: what only a server can do to us, on clusters that the tests start and stop.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

#[path = "../support/cluster.rs"]
mod cluster;
mod joining;
mod limits;
#[path = "../proof/mod.rs"]
mod proof;
mod rights;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cluster::{Cluster, PASSWORD, script};
use holotype::db::{Db, Open, Sql};
use holotype::testing::Database;
use holotype::{
    Env, ErrorKind, InitOptions, Instance, Kind, NewArtifact, Record, Result, RunChoice, Value, model,
};

fn label(name: &str) -> Record {
    let mut label = Record::empty(model::require("ULabel").unwrap());
    label.set("name", name).unwrap();
    label
}

fn count(db: &Db, table: &str) -> i64 {
    let sql = Sql::new(format!("SELECT COUNT(*) FROM {table}"));
    db.scalar(&sql, Kind::BigInt).unwrap().unwrap().as_int().unwrap()
}

/// Returns an instance on a database of its own, which goes with the first of the two.
fn instance_on(cluster: &Cluster, env: &Env) -> (Database, Instance) {
    let database = Database::on(env, &cluster.url()).unwrap();
    let options = InitOptions { db: Some(database.url().to_owned()), ..InitOptions::default() };
    let instance = Instance::init(env, &options).unwrap();
    (database, instance)
}

/// What both databases do alike.
fn driver_suite(db: &Db) {
    db.script(&["CREATE TABLE counted (name TEXT UNIQUE, n BIGINT)".to_owned()]).unwrap();
    let insert = |name: &str, n: i64| {
        let mut sql = Sql::new("INSERT INTO counted VALUES (");
        sql.binds([name.into(), n.into()]).push(")");
        sql
    };
    // All or nothing; what fails within a savepoint takes nothing else with it.
    let failed: Result<()> = db.write(|tx| {
        tx.execute(&insert("lost", 1))?;
        Err(holotype::Error::value("no"))
    });
    assert_eq!(failed.unwrap_err().message(), "no");
    assert_eq!(count(db, "counted"), 0);
    db.write(|tx| {
        tx.execute(&insert("kept", 0))?;
        let clash = tx.savepoint(|| tx.execute(&insert("kept", 1))).unwrap_err();
        assert_eq!(clash.kind(), ErrorKind::Integrity, "{clash}");
        tx.execute(&insert("also", 0)).map(|_| ())
    })
    .unwrap();
    assert_eq!(count(db, "counted"), 2);
    // A query that breaks off leaves the connection whole.
    let broken =
        db.each(&Sql::new("SELECT name FROM counted"), &mut |_| Err(holotype::Error::value("enough")));
    assert_eq!(broken.unwrap_err().message(), "enough");
    // Writers wait for each other, so that no step is lost.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    db.write(|tx| {
                        let n =
                            tx.scalar(&Sql::new("SELECT n FROM counted WHERE name = 'kept'"), Kind::BigInt)?;
                        let mut sql = Sql::new("UPDATE counted SET n = ");
                        sql.bind(n.unwrap().as_int().unwrap() + 1).push(" WHERE name = 'kept'");
                        tx.execute(&sql)
                    })
                    .unwrap();
                }
            });
        }
    });
    let n = db.scalar(&Sql::new("SELECT n FROM counted WHERE name = 'kept'"), Kind::BigInt).unwrap();
    assert_eq!(n, Some(Value::Int(40)));
    assert_eq!(db.present(&["counted", "uncounted"]).unwrap(), ["counted"]);
}

#[test]
fn both_drivers_do_alike() {
    let dir = tempfile::tempdir().unwrap();
    driver_suite(&Db::open(&dir.path().join("a.db"), Open::Create).unwrap());
    let cluster = Cluster::start();
    let env = cluster.env("a");
    let db = Db::connect(&env, &cluster.url()).unwrap();
    driver_suite(&db);
    // What a failed statement has spoiled is never committed as if nothing were.
    let spoiled = db.write(|tx| {
        tx.execute(&Sql::new("INSERT INTO counted VALUES ('spoiled', 1)"))?;
        tx.execute(&Sql::new("INSERT INTO counted VALUES ('kept', 1)")).ok();
        Ok(())
    });
    assert_eq!(spoiled.unwrap_err().kind(), ErrorKind::Database);
    // Another program, which takes no lock of ours, gives out the same name in between.
    let mut tries = 0;
    db.write_contended(|tx| {
        tries += 1;
        if tries == 1 {
            let theirs = Db::connect(&env, &cluster.url())?;
            theirs.each(&Sql::new("INSERT INTO counted VALUES ('next 0', 0)"), &mut |_| Ok(()))?;
        }
        let mut sql = Sql::new("INSERT INTO counted SELECT ");
        sql.bind(format!("next {}", tries - 1)).push("::text, 0");
        tx.execute(&sql)
    })
    .unwrap();
    assert_eq!((tries, count(&db, "counted")), (2, 4));
    // A statement that takes too long is given up, and the connection goes on.
    let hurried = env.with_vars([("HOLOTYPE_STATEMENT_TIMEOUT".to_owned(), "1".to_owned())]);
    let db = Db::connect(&hurried, &cluster.url()).unwrap();
    let begun = Instant::now();
    let error = db.scalar(&Sql::new("SELECT pg_sleep(30)"), Kind::Text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(count(&db, "counted"), 4);
}

#[test]
fn an_instance_is_made_joined_and_kept_apart() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    let database = Database::on(&env, &cluster.url()).unwrap();
    let storage = cluster.dir.path().join("store").display().to_string();
    let options = |name: &str| InitOptions {
        storage: Some(storage.clone()),
        name: Some(name.to_owned()),
        db: Some(database.url().to_owned()),
        modules: vec!["bionty".to_owned()],
    };
    let instance = Instance::init(&env, &options("shared")).unwrap();
    let mut apple = label("apple");
    instance.save(&mut apple).unwrap();
    let mut branch = Record::empty(model::require("Branch").unwrap());
    branch.set("name", "mine").unwrap();
    instance.save(&mut branch).unwrap();
    assert_eq!((apple.id(), branch.id()), (Some(1), Some(2)), "ids go on after those of the first rows");
    assert_eq!(count(instance.db(), "django_migrations"), 24);
    assert!(!cluster.dir.path().join("store/.lamindb/lamin.db").exists());
    // Init again connects; init on another machine joins.
    let again = Instance::init(&env, &options("shared")).unwrap();
    assert_eq!(again.registry("ULabel").unwrap().count().unwrap(), 1);
    let other = Instance::init(&cluster.env("two"), &options("shared")).unwrap();
    assert_eq!(other.registry("ULabel").unwrap().count().unwrap(), 1);
    assert_eq!(other.settings().uid(), instance.settings().uid());
    // Another instance finds no room in the same database.
    let far = InitOptions {
        storage: Some(cluster.dir.path().join("elsewhere").display().to_string()),
        ..options("mine")
    };
    let error = Instance::init(&cluster.env("three"), &far).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
    assert!(!cluster.dir.path().join("elsewhere").exists(), "a refused init leaves nothing");
    assert_eq!(count(instance.db(), "lamindb_storage"), 1);
    // A database of a newer level is left untouched.
    let newer = "INSERT INTO django_migrations (app, name, applied) VALUES ('lamindb', '9999_future', now())";
    instance.db().script(&[newer.to_owned(), "DROP TABLE holotype_meta".to_owned()]).unwrap();
    let error = Instance::connect(&env, &instance.settings()).err().unwrap();
    assert!(error.kind() == ErrorKind::UnknownDatabase && error.message().contains("9999_future"), "{error}");
    assert!(instance.db().present(&["holotype_meta"]).unwrap().is_empty());
}

#[test]
fn work_goes_on_after_a_restart() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    let (_database, instance) = instance_on(&cluster, &env);
    instance.save(&mut label("first")).unwrap();
    let labels = || instance.registry("ULabel").unwrap().count();
    for (round, mode) in ["fast", "immediate"].into_iter().enumerate() {
        let folder = cluster.folder();
        script(&folder, "stop", mode);
        let starting = thread::spawn(move || {
            thread::sleep(Duration::from_millis(500));
            script(&folder, "start", "");
        });
        assert_eq!(labels().unwrap(), 1 + 2 * round, "a question waits for the server and is asked again");
        starting.join().unwrap();
        instance.save(&mut label(&format!("second {round}"))).unwrap();
        // In the middle of a change: nothing is written, which is said.
        let error = instance
            .db()
            .write(|tx| {
                tx.execute(&Sql::new("DELETE FROM lamindb_ulabel"))?;
                cluster.script("stop", mode);
                tx.execute(&Sql::new("DELETE FROM lamindb_ulabel"))
            })
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Database, "{error}");
        cluster.script("start", "");
        assert_eq!(labels().unwrap(), 2 + 2 * round);
        // Between the last statement and the commit: whether it counts is found out.
        let folder = cluster.folder();
        let mut starting = None;
        let error = instance
            .db()
            .write(|tx| {
                tx.execute(&Sql::new("DELETE FROM lamindb_ulabel"))?;
                script(&folder, "stop", mode);
                let folder = folder.clone();
                starting = Some(thread::spawn(move || script(&folder, "start", "")));
                Ok(())
            })
            .unwrap_err();
        assert!(error.message().contains("nothing was written"), "{error}");
        starting.unwrap().join().unwrap();
        instance.save(&mut label(&format!("third {round}"))).unwrap();
        assert_eq!(labels().unwrap(), 3 + 2 * round);
    }
    cluster.script("stop", "fast");
    let error = Instance::connect(&env, &instance.settings()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Database, "{error}");
    cluster.script("start", "");
}

/// Saves go on while the server crashes again and again: what was acknowledged is there, and saving again does the rest.
#[test]
fn saves_survive_a_server_that_crashes() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    let (_database, instance) = instance_on(&cluster, &env);
    instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
    let over = AtomicBool::new(false);
    let (saved, refused) = thread::scope(|scope| {
        let saving = scope.spawn(|| {
            let (mut saved, mut refused) = (Vec::new(), 0);
            loop {
                let n = saved.len();
                let source = env.cwd.join(format!("{n}.txt"));
                std::fs::write(&source, format!("content {n}")).unwrap();
                // Every third one is a version of the one before.
                let key = format!("{}.txt", n - usize::from(n % 3 == 2));
                let new = NewArtifact::new(source.display().to_string()).key(key);
                let done = instance.artifact(new).and_then(|mut artifact| {
                    instance.save_artifact(&mut artifact)?;
                    Ok(artifact.record)
                });
                match done {
                    Ok(record) => saved.push(record),
                    Err(error) => {
                        assert!(matches!(error.kind(), ErrorKind::Database | ErrorKind::Busy), "{error}");
                        refused += 1;
                        continue;
                    }
                }
                // Never after a try that failed: whether it was stored may be unknown until it is made again.
                if over.load(Ordering::SeqCst) && n >= 20 {
                    break (saved, refused);
                }
            }
        });
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(400));
            cluster.script("stop", "immediate");
            cluster.script("start", "");
        }
        over.store(true, Ordering::SeqCst);
        saving.join().unwrap()
    });
    for (n, record) in saved.iter().enumerate() {
        let now = instance.get_uid(record.registry(), record.uid()).unwrap();
        let path = instance.cache(&now).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), format!("content {n}"));
    }
    assert_eq!(
        instance.registry("Artifact").unwrap().count().unwrap(),
        saved.len(),
        "{refused} tries failed"
    );
    let audit = proof::audit(&instance, &env.cwd.join("storage"));
    assert_eq!((audit.incomplete, audit.rows), (0, saved.len()));
}

/// Another program, which takes no lock of ours, enters two rows while many files are saved together.
#[test]
fn many_saves_start_again_when_somebody_was_faster() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    let (database, instance) = instance_on(&cluster, &env);
    instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
    let folder = env.cwd.join("many");
    std::fs::create_dir_all(&folder).unwrap();
    let source = |name: &str, content: &str| {
        std::fs::write(folder.join(name), content).unwrap();
        folder.join(name).display().to_string()
    };
    (0..5).for_each(|i| drop(source(&format!("{i}.txt"), &format!("content {i}"))));
    let path = folder.display().to_string();
    let mut all = instance.artifacts_from_dir(&path, Some("many"), RunChoice::None).unwrap();
    // Between construction and save, one of the keys gets a first version.
    let mut first =
        instance.artifact(NewArtifact::new(source("first.txt", "first")).key("many/3.txt")).unwrap();
    instance.save_artifact(&mut first).unwrap();
    let theirs = Db::connect(&env, database.url()).unwrap();
    let enter = |uid: &str, key: &str, hash: &str| {
        format!(
            "INSERT INTO lamindb_artifact (uid, key, suffix, hash, _hash_type, size, is_latest, _key_is_virtual, \
             _overwrite_versions, storage_id, created_by_id) \
             VALUES ('{uid}', '{key}', '.txt', '{hash}', 'md5', 9, false, true, false, 1, 1) RETURNING id"
        )
    };
    let equal = all[1].record.text("hash").unwrap().to_owned();
    let (one, two) = (
        enter("theirs0000000000", "many/1.txt", &equal),
        enter(&format!("{}0001", first.record.stem_uid()), "many/3.txt", "of somebody elses file"),
    );
    // Entered now, but seen and in the way only in two seconds.
    let slow = format!("WITH a AS ({one}), b AS ({two}) SELECT pg_sleep(2) FROM a, b");
    thread::scope(|scope| {
        let entering = scope.spawn(|| theirs.each(&Sql::new(slow), &mut |_| Ok(())).unwrap());
        thread::sleep(Duration::from_millis(700));
        let begun = Instant::now();
        instance.save_artifacts(&mut all).unwrap();
        assert!(begun.elapsed() > Duration::from_millis(600), "nobody was in the way");
        entering.join().unwrap();
    });
    assert_eq!(all[1].record.uid(), "theirs0000000000", "equal content under an equal key is one artifact");
    let uid = format!("{}0002", first.record.stem_uid());
    assert_eq!(all[3].record.uid(), uid, "the next version that is free");
    for i in [0, 2, 3, 4] {
        let path = instance.cache(&all[i].record).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), format!("content {i}"));
    }
    assert_eq!(instance.registry("Artifact").unwrap().count().unwrap(), 7);
    assert!(instance.unused().unwrap().is_empty(), "no content is left over");
}

/// Asks a question often and returns how many statements the server then keeps prepared for the connection.
fn prepared_after_asking(db: &Db) -> i64 {
    for n in 0..6i64 {
        let mut sql = Sql::new("SELECT ");
        sql.bind(n).push(" + 1");
        assert_eq!(db.scalar(&sql, Kind::BigInt).unwrap(), Some(Value::Int(n + 1)));
    }
    let sql = Sql::new("SELECT COUNT(*) FROM pg_prepared_statements");
    db.scalar(&sql, Kind::BigInt).unwrap().unwrap().as_int().unwrap()
}

#[test]
fn what_is_asked_again_is_prepared_unless_a_pooler_is_between() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    for url in [
        cluster.url(),
        cluster.far("localhost", PASSWORD, "sslmode=disable"),
        cluster.far("localhost", PASSWORD, "sslmode=prefer"),
        cluster.far("localhost", PASSWORD, "sslmode=require"),
    ] {
        assert_eq!(prepared_after_asking(&Db::connect(&env, &url).unwrap()), 1, "{url}");
    }
    cluster.script("pool", "");
    let port = std::fs::read_to_string(cluster.folder().join("pooler.port")).unwrap();
    let pooled = cluster.url().replace(&cluster.port(), port.trim());
    assert_eq!(prepared_after_asking(&Db::connect(&env, &pooled).unwrap()), 0);
}

#[test]
fn prepared_statements_survive_changed_tables() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    let (db, other) =
        (Db::connect(&env, &cluster.url()).unwrap(), Db::connect(&env, &cluster.url()).unwrap());
    let run = |db: &Db, sql: &str| db.each(&Sql::new(sql), &mut |_| Ok(())).unwrap();
    run(&db, "CREATE TABLE changing (name VARCHAR(9), n INTEGER)");
    run(&db, "INSERT INTO changing VALUES ('one', 1)");
    let ask = || {
        let mut sql = Sql::new("SELECT name, n FROM changing WHERE n = ");
        sql.bind(1i64);
        db.rows(&sql, &[Kind::Text, Kind::BigInt])
    };
    let row = vec![vec![Value::from("one"), Value::Int(1)]];
    (0..6).for_each(|_| assert_eq!(ask().unwrap(), row));
    for change in ["ADD COLUMN more TEXT", "ALTER COLUMN name TYPE TEXT", "ALTER COLUMN n TYPE BIGINT"] {
        run(&other, &format!("ALTER TABLE changing {change}"));
        (0..6).for_each(|_| assert_eq!(ask().unwrap(), row, "after {change}"));
    }
    // Whatever else becomes of the statements, the question is answered.
    run(&db, "DEALLOCATE ALL");
    (0..6).for_each(|_| assert_eq!(ask().unwrap(), row));
    // In a transaction the server has given up already: it says so, and the next try goes through.
    (0..6).for_each(|_| assert_eq!(ask().unwrap(), row));
    run(&other, "ALTER TABLE changing ALTER COLUMN n TYPE INTEGER");
    let in_transaction = || {
        db.write(|tx| {
            let mut sql = Sql::new("SELECT name, n FROM changing WHERE n = ");
            sql.bind(1i64);
            tx.rows(&sql, &[Kind::Text, Kind::BigInt])
        })
    };
    if let Err(error) = in_transaction() {
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        assert!(error.to_string().contains("try again"), "{error}");
    }
    assert_eq!(in_transaction().unwrap(), row);
}

#[test]
fn connections_are_encrypted_and_secrets_kept() {
    let cluster = Cluster::start();
    let env = cluster.env("one");
    let encrypted = |url: &str| -> Result<bool> {
        let sql = Sql::new("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
        Ok(Db::connect(&env, url)?.scalar(&sql, Kind::Bool)? == Some(Value::Bool(true)))
    };
    let authority = cluster.folder().join("authority.crt").display().to_string();
    let full = format!("sslmode=verify-full&sslrootcert={authority}");
    for (host, parameters, expected) in [
        ("localhost", "sslmode=disable", Some(false)),
        ("localhost", "sslmode=prefer", Some(true)),
        ("localhost", "sslmode=require&channel_binding=require", Some(true)),
        ("localhost", "sslmode=disable&channel_binding=require", None),
        ("localhost", "", Some(true)),
        ("127.0.0.1", "sslmode=require", Some(true)),
        ("localhost", full.as_str(), Some(true)),
        // The certificate is for the name alone.
        ("127.0.0.1", full.as_str(), None),
        ("127.0.0.1", &full.replace("verify-full", "verify-ca"), Some(true)),
        ("localhost", "sslmode=verify-full", None),
        ("localhost", "sslmode=sometimes", None),
    ] {
        let found = encrypted(&cluster.far(host, PASSWORD, parameters));
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{host} {parameters}: {found:?}");
    }
    // The password comes from the environment where the URL has none, and is never told.
    let bare = cluster.far("localhost", "", "").replace(":@", "@");
    let with = env.clone().with_vars([("PGPASSWORD".to_owned(), "t:st@pw".to_owned())]);
    assert!(Db::connect(&with, &bare).is_ok());
    for url in [
        cluster.far("localhost", "hunter2", "password=hunter2"),
        cluster.far("localhost", "hunter2", "nonsense=hunter2"),
        cluster.far("hunter2.invalid", "hunter2", "connect_timeout=2"),
        "postgresql://tester:hunter2@localhost:1/postgres".to_owned(),
        "postgresql://tester:hunter2@localhost:hunter2/postgres".to_owned(),
    ] {
        let error = Db::connect(&env, &url).err().unwrap();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    let error = Db::connect(&env, &cluster.far("localhost", "wrong", "")).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    let distrusted =
        Db::connect(&env, &cluster.far("localhost", PASSWORD, "sslmode=verify-full")).err().unwrap();
    assert!(distrusted.message().contains("sslrootcert"), "{distrusted}");
    let bare = cluster.far("localhost", "t:st@pw", "");
    assert!(Db::connect(&env, &bare).err().unwrap().message().contains("%40"));
    let absent = cluster.far("localhost", PASSWORD, "").replace("/postgres?", "/absent?");
    assert_eq!(Db::connect(&env, &absent).err().unwrap().kind(), ErrorKind::UnknownDatabase);
}
