//! Databases in buckets that move to a server: locked while they move, departed for everybody when that was sent.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use holotype::db::Dialect;
use holotype::instance::migrate::{self, Destination, Migrated, Stage};
use holotype::testing::Database;
use holotype::{ErrorKind, Instance, NewArtifact, Result, faults};

use crate::client::{Client, label, labels};
use crate::cluster::Cluster;
use crate::proof::{child, plan, save};

pub fn database(cluster: &Cluster) -> Database {
    Database::on(&cluster.env("maker"), &cluster.url()).unwrap()
}

pub fn moved(client: &Client, url: &str) -> Result<Migrated> {
    migrate::plan(&client.env, &client.settings(), &Destination::Postgres(url.to_owned()))?.apply(&client.env)
}

/// Gives an instance a label and an artifact, and sends them.
pub fn furnish(client: &Client, instance: &Instance) {
    instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
    label(instance, "before").unwrap();
    let source = client.dir.join("x.txt");
    std::fs::write(&source, "content").unwrap();
    save(instance, NewArtifact::new(source.to_str().unwrap()).key("x.txt")).unwrap();
    instance.disconnect().unwrap();
}

/// Fails unless an instance is on the server and holds what it held before.
fn assert_arrived(instance: &Instance, when: &str) {
    assert_eq!(instance.db().dialect(), Dialect::Postgres, "{when}");
    assert_whole(instance, when);
}

/// Fails unless an instance holds what it got when it was made.
pub fn assert_whole(instance: &Instance, when: &str) {
    assert_eq!(labels(instance), ["before"], "{when}");
    let artifact = instance.registry("Artifact").unwrap().first().unwrap().unwrap();
    assert_eq!(std::fs::read(instance.cache(&artifact).unwrap()).unwrap(), b"content", "{when}");
}

#[test]
fn an_instance_leaves_its_bucket_for_a_server() {
    let cluster = Cluster::start();
    Client::in_every_store(|ann, instance| {
        let database = database(&cluster);
        furnish(&ann, &instance);
        drop(instance);
        // Others who know it: one comes later, one has it open.
        let (ben, cleo) = (ann.colleague(Some("ben")), ann.colleague(Some("cleo")));
        let open = cleo.connect().unwrap();
        open.disconnect().unwrap();

        let done = moved(&ann, database.url()).unwrap();
        assert!(done.kept.ends_with(".lamindb/lamin.db") && done.kept.contains("://"), "{}", done.kept);
        assert_arrived(&ann.connect().unwrap(), "here");

        let error = label(&open, "late").unwrap_err();
        assert!(error.message().contains("moved to postgresql://"), "{error}");
        let error = ben.connect().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnknownDatabase, "{error}");
        assert!(
            error.message().contains("holotype migrate to-postgres") && error.message().contains(&done.kept)
        );
        let to = Destination::Postgres(database.url().to_owned());
        let plan = migrate::plan(&ben.env, &ben.settings(), &to).unwrap();
        assert_eq!((plan.stage, plan.from.as_str()), (Stage::Follow, done.kept.as_str()));
        plan.apply(&ben.env).unwrap();
        let there = ben.connect().unwrap();
        assert_arrived(&there, "elsewhere");
        label(&there, "after").unwrap();
        assert_eq!(labels(&ann.connect().unwrap()), ["after", "before"]);
        assert_eq!(ann.kept().len() + ben.kept().len(), 0);
    });
}

#[test]
fn nothing_leaves_while_others_work() {
    let cluster = Cluster::start();
    let (ann, instance) = Client::with_instance();
    furnish(&ann, &instance);
    let database = database(&cluster);
    let ben = ann.colleague(Some("ben"));
    let theirs = ben.connect().unwrap();
    theirs.hold(Duration::ZERO).unwrap();
    let error = moved(&ann, database.url()).unwrap_err();
    assert!(error.kind() == ErrorKind::InstanceLocked && error.message().contains("'ben'"), "{error}");
    label(&theirs, "theirs").unwrap();
    theirs.disconnect().unwrap();
    // Another process of this machine, which is in the middle of something.
    let here = ann.connect().unwrap();
    label(&here, "here").unwrap();
    let error = moved(&ann, database.url()).unwrap_err();
    assert!(error.kind() == ErrorKind::Busy && error.message().contains("Another process"), "{error}");
    here.leave().unwrap();
    drop((here, instance));
    moved(&ann, database.url()).unwrap();
    assert_eq!(labels(&ann.connect().unwrap()), ["before", "here", "theirs"]);
}

#[test]
fn work_that_was_never_sent_moves_too() {
    let cluster = Cluster::start();
    let (ann, instance) = Client::with_instance();
    furnish(&ann, &instance);
    label(&instance, "unsent").unwrap();
    drop(instance);
    let database = database(&cluster);
    moved(&ann, database.url()).unwrap();
    assert_eq!(labels(&ann.connect().unwrap()), ["before", "unsent"]);
    assert_eq!(ann.labels_in_the_cloud(), ["before", "unsent"], "and what is kept is whole");
}

/// Not a test of its own: the migration that the parent has killed.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, root, url, point, nth] = plan.try_into().unwrap();
    let hits = Mutex::new(BTreeMap::<String, usize>::new());
    faults::arm(move |name| {
        let mut hits = hits.lock().unwrap();
        let count = hits.entry(name.to_owned()).or_default();
        *count += 1;
        if point == "list" && !name.starts_with("migrate.table") {
            println!("@hit {name}\t{count}");
        } else if (name, count.to_string()) == (&*point, nth.clone()) {
            std::process::abort();
        }
    });
    moved(&Client::at(Path::new(&dir), &root), &url).unwrap();
}

fn run(client: &Client, url: &str, point: &str, nth: &str) -> String {
    let plan = [client.dir.to_str().unwrap(), &client.root, url, point, nth].join("\t");
    let output = child("migrate::the_child", &plan).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() == (point == "list") && !told.contains("panicked"), "{point}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_killed_move_to_a_server_is_done_again() {
    let cluster = Cluster::start();
    let prepared = || {
        let (ann, instance) = Client::with_instance();
        furnish(&ann, &instance);
        (ann, database(&cluster))
    };
    let (ann, to) = prepared();
    let told = run(&ann, to.url(), "list", "");
    let moments: Vec<(&str, &str)> = told
        .lines()
        .filter_map(|line| line.strip_prefix("@hit ")?.split_once('\t'))
        .filter(|(name, _)| ["cloud.", "db.", "migrate."].iter().any(|start| name.starts_with(start)))
        .collect();
    for needed in ["cloud.locked", "cloud.push", "cloud.pushed", "db.committed", "migrate.retired"] {
        assert!(moments.iter().any(|(name, _)| *name == needed), "{needed}: {moments:?}");
    }
    for (point, nth) in moments {
        let when = format!("killed at {point} {nth}");
        let (ann, to) = prepared();
        run(&ann, to.url(), point, nth);
        // The instance is where it was, or says where it is; for others it is in one place only.
        match ann.connect() {
            Ok(instance) => assert_eq!(labels(&instance), ["before"], "{when}"),
            Err(error) => assert!(error.message().contains("moved to"), "{when}: {error}"),
        }
        moved(&ann, to.url()).unwrap_or_else(|error| panic!("{when}: {error}"));
        assert_arrived(&ann.connect().unwrap(), &when);
        let ben = ann.colleague(Some("ben"));
        moved_after(&ben, &to, &when);
        assert_eq!(ann.kept().len(), 0, "{when}");
    }
}

/// Fails unless another machine, which knows the bucket only, follows.
fn moved_after(client: &Client, to: &Database, when: &str) {
    let mut settings = client.settings();
    settings.db = None;
    settings.save(&client.env).unwrap();
    let error = client.connect().err().unwrap();
    assert!(error.message().contains("moved to"), "{when}: {error}");
    moved(client, to.url()).unwrap_or_else(|error| panic!("{when}: {error}"));
    assert_arrived(&client.connect().unwrap(), when);
}

#[test]
fn who_goes_on_in_the_bucket_has_the_instance() {
    let cluster = Cluster::start();
    let (ann, instance) = Client::with_instance();
    furnish(&ann, &instance);
    drop(instance);
    let to = database(&cluster);
    // The copy is departed here, and nobody was told.
    run(&ann, to.url(), "cloud.push", "1");
    let ben = ann.colleague(Some("ben"));
    ben.locks().break_open().unwrap();
    let theirs = ben.connect().unwrap();
    label(&theirs, "of ben").unwrap();
    theirs.disconnect().unwrap();
    // The copy that nobody got is set aside, and what came meanwhile moves.
    moved(&ann, to.url()).unwrap();
    assert_eq!(labels(&ann.connect().unwrap()), ["before", "of ben"]);
    assert_eq!(ann.kept().len(), 1);
}
