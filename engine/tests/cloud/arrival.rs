//! Databases that come to a bucket from a server: sent whole, in use when the server's was left, done again wherever they broke
//! off, here or elsewhere.

use std::path::Path;

use holotype::care::Collect;
use holotype::db::Dialect;
use holotype::instance::migrate::{self, Destination, MigrationPlan, Stage};
use holotype::instance::settings::InstanceSettings;
use holotype::testing::Database;
use holotype::{ErrorKind, InitOptions, Instance, Result, Timestamp};

use crate::client::{Client, DATABASE, label, labels};
use crate::cluster::Cluster;
use crate::death::{Death, await_death, run};
use crate::migrate::{assert_whole, database, furnish, moved};
use crate::proof::plan;
use crate::stores::server::MOTO;

/// Returns a machine with an instance whose database is on a server, and whose content is in a bucket.
fn on_server(root: &str, database: &Database) -> Client {
    let ann = Client::new(root, Some("ann"));
    let (storage, name) = (Some(root.to_owned()), Some("atlas".to_owned()));
    let options =
        InitOptions { storage, name, db: Some(database.url().to_owned()), ..InitOptions::default() };
    furnish(&ann, &Instance::init(&ann.env, &options).unwrap());
    ann
}

fn planned(client: &Client) -> Result<MigrationPlan> {
    migrate::plan(&client.env, &client.settings(), &Destination::Sqlite(None))
}

fn brought(client: &Client) -> Result<String> {
    Ok(planned(client)?.apply(&client.env)?.kept)
}

/// Fails unless the instance is in the bucket, whole, and nobody has its lock.
fn assert_in_bucket(client: &Client, when: &str) {
    let instance = client.connect().unwrap_or_else(|error| panic!("{when}: {error}"));
    assert_eq!(instance.db().dialect(), Dialect::Sqlite, "{when}");
    assert_whole(&instance, when);
    instance.disconnect().unwrap();
    assert_eq!(client.locks().holders.len(), 0, "{when}");
}

#[test]
fn an_instance_leaves_its_server_for_a_bucket() {
    let cluster = Cluster::start();
    for root in Client::roots() {
        let database = database(&cluster);
        let ann = on_server(&root, &database);
        let (ben, cleo) = (ann.colleague(Some("ben")), ann.colleague(Some("cleo")));
        drop(ben.connect().unwrap());
        let plan = planned(&ann).unwrap();
        assert_eq!((plan.stage, plan.rows() > 10), (Stage::Copy, true));
        assert!(plan.to.contains("://") && plan.to.ends_with("/.lamindb/lamin.db"), "{}", plan.to);
        let to = plan.to.clone();
        let kept = plan.apply(&ann.env).unwrap().kept;
        assert!(kept.starts_with("postgresql://"), "{kept}");
        assert_in_bucket(&ann, "here");

        let error = ben.connect().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
        let words = [&format!("moved to {to}"), "run `holotype migrate to-sqlite`"];
        assert!(words.iter().all(|word| error.message().contains(*word)), "{error}");
        assert_eq!(planned(&ben).unwrap().stage, Stage::Follow);
        brought(&ben).unwrap();
        assert_in_bucket(&ben, "elsewhere");
        let there = ben.connect().unwrap();
        label(&there, "after").unwrap();
        there.disconnect().unwrap();
        assert_eq!(labels(&ann.connect().unwrap()), ["after", "before"]);
        // While somebody works there, others follow nevertheless.
        let working = ann.connect().unwrap();
        label(&working, "later").unwrap();
        brought(&cleo).unwrap();
        working.disconnect().unwrap();
        assert_eq!(labels(&cleo.connect().unwrap()), ["after", "before", "later"]);
    }
}

#[test]
fn what_an_instance_left_in_its_bucket_is_kept_when_it_comes_back() {
    let cluster = Cluster::start();
    let (ann, instance) = Client::with_instance();
    furnish(&ann, &instance);
    drop(instance);
    let ben = ann.colleague(Some("ben"));
    let (there, again) = (database(&cluster), database(&cluster));
    moved(&ann, there.url()).unwrap();
    label(&ann.connect().unwrap(), "after").unwrap();
    brought(&ann).unwrap();
    assert_eq!(labels(&ann.connect().unwrap()), ["after", "before"]);
    // Who only knew the bucket need not know that the instance was elsewhere.
    let theirs = ben.connect().unwrap();
    assert_eq!(labels(&theirs), ["after", "before"]);
    theirs.disconnect().unwrap();
    let keys: Vec<String> = ann.bucket().list(DATABASE).unwrap().into_iter().map(|entry| entry.key).collect();
    assert!(keys.len() == 2 && keys[1].starts_with(".lamindb/lamin.db.moved-"), "{keys:?}");
    let instance = ann.connect().unwrap();
    let planned = instance.plan_collect(Collect { unused_before: Timestamp(i64::MAX), trashed_before: None });
    assert_eq!(planned.unwrap().unused.len(), 0, "and is nothing to collect");
    instance.disconnect().unwrap();
    moved(&ann, again.url()).unwrap();
    assert_eq!(labels(&ann.connect().unwrap()), ["after", "before"]);
    assert_eq!(ann.kept().len() + ben.kept().len(), 0);
}

#[test]
fn nothing_else_in_the_bucket_is_touched() {
    let cluster = Cluster::start();
    let database = database(&cluster);
    let ann = on_server(&MOTO.root(), &database);
    let (somebody, _) = Client::with_instance();
    let theirs = somebody.bucket().read(DATABASE).unwrap();
    for found in [theirs, b"no database".to_vec()] {
        ann.bucket().write(DATABASE, &found, true).unwrap();
        ann.set_lock("numbers/somebody", "1");
        let error = brought(&ann).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileExists, "{error}");
        assert!(
            error.message().starts_with("s3://") && error.message().contains("Nothing was changed"),
            "{error}"
        );
        assert_eq!(ann.bucket().read(DATABASE).unwrap(), found);
        assert_eq!(ann.lock("numbers/somebody").as_deref(), Some("1"));
        assert_eq!(labels(&ann.connect().unwrap()), ["before"]);
    }
    let elsewhere = Destination::Sqlite(Some("s3://other/place.db".into()));
    let error = migrate::plan(&ann.env, &ann.settings(), &elsewhere).unwrap_err();
    assert!(error.message().contains("is no file of this machine"), "{error}");
    let place = format!("sqlite:///{}", ann.dir.join("lamin.db").display());
    let plan = migrate::plan(&ann.env, &ann.settings(), &Destination::Sqlite(Some(place.clone().into())));
    assert_eq!(plan.unwrap().to, place, "as others are told");
}

/// Not a test of its own: the migration that the parent has killed.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, root, point, nth] = plan.try_into().unwrap();
    await_death(point, nth.parse().unwrap());
    brought(&Client::at(Path::new(&dir), &root)).unwrap();
}

/// Lets a process of this machine die on its way.
fn killed(client: &Client, point: &str, nth: usize) {
    let words = [client.dir.to_str().unwrap(), &client.root];
    run("arrival::the_child", &words, &Death::At(point.to_owned(), nth));
}

#[test]
fn a_killed_move_to_a_bucket_is_done_again() {
    let cluster = Cluster::start();
    // Whoever goes on is the same machine, or another one that only knows the server.
    for (point, nth, here) in [
        ("cloud.locked", 1, true),
        ("cloud.push", 1, false),
        ("db.committed", 2, true),
        ("cloud.locked", 2, false),
        ("db.committed", 3, true),
        ("cloud.pushed", 2, true),
        ("migrate.retired", 1, true),
    ] {
        let when = format!("killed at {point} {nth}");
        let database = database(&cluster);
        let ann = on_server(&MOTO.root(), &database);
        killed(&ann, point, nth);
        let ben = ann.colleague(Some("ben"));
        // The instance is where it was, or says where it is; it is in one place only.
        match ann.connect() {
            Ok(instance) => assert_whole(&instance, &when),
            Err(error) => assert!(error.message().contains("moved to s3://"), "{when}: {error}"),
        }
        for client in if here { [&ann, &ben] } else { [&ben, &ann] } {
            brought(client).unwrap_or_else(|error| panic!("{when}: {error}"));
            assert_in_bucket(client, &when);
        }
        assert!(!here || ann.kept().is_empty(), "{when}");
    }
}

#[test]
fn nobody_works_with_what_is_still_to_come() {
    let cluster = Cluster::start();
    let database = database(&cluster);
    let ann = on_server(&MOTO.root(), &database);
    // Sent, and the server's database not left.
    killed(&ann, "cloud.pushed", 1);
    let ben = ann.colleague(Some("ben"));
    let error = Instance::connect(&ben.env, &InstanceSettings { db: None, ..ben.settings() }).err().unwrap();
    assert!(error.message().contains("is not in use yet"), "{error}");
    label(&ann.connect().unwrap(), "meanwhile").unwrap();
    assert_eq!(planned(&ben).unwrap().stage, Stage::CopyAgain);
    brought(&ben).unwrap();
    assert_eq!(labels(&ben.connect().unwrap()), ["before", "meanwhile"]);
}
