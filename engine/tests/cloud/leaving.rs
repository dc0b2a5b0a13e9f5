//! Content that is deleted or moved: it goes when others know of that, and not before.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use holotype::care::Collect;
use holotype::{
    Artifact, Event, Instance, InstanceDeletion, NewArtifact, NewStorage, Record, Timestamp, faults,
};

use crate::client::{Client, label};
use crate::proof::{child, plan, save};
use crate::stores::server::MOTO;

/// Makes an artifact in the bucket.
fn artifact(client: &Client, instance: &Instance, key: &str) -> Record {
    let source = client.env.cwd.join("x.txt");
    fs::write(&source, format!("content of {key}")).unwrap();
    save(instance, NewArtifact::new(source.to_str().unwrap()).key(key)).unwrap()
}

/// Returns what a machine that was never here reads of all artifacts that it finds.
fn read_elsewhere(client: &Client) -> Vec<String> {
    let other = client.colleague(Some("ben"));
    let instance = other.connect().unwrap();
    let rows = instance.registry("Artifact").unwrap().order_by(["key"]).unwrap().all().unwrap();
    let texts = rows.iter().map(|row| fs::read_to_string(instance.cache(row).unwrap()).unwrap()).collect();
    instance.leave().unwrap();
    texts
}

/// Returns the keys of content in the bucket, without what belongs to the instance itself.
fn contents(client: &Client) -> Vec<String> {
    let own = [".lamindb/lamin.db", ".lamindb/storage_uid.txt", ".lamindb/_exclusion/"];
    let keys = client.bucket().list("").unwrap().into_iter().map(|entry| entry.key);
    keys.filter(|key| !own.iter().any(|own| key.starts_with(own))).collect()
}

#[test]
fn places_that_were_emptied_can_be_deleted_at_once() {
    let (ann, instance) = Client::with_instance();
    let second = instance.create_storage(&NewStorage::new(MOTO.root())).unwrap();
    let source = ann.env.cwd.join("x.txt");
    fs::write(&source, "elsewhere").unwrap();
    let new = NewArtifact { storage: second.id(), ..NewArtifact::new(source.to_str().unwrap()).key("y.txt") };
    let elsewhere = save(&instance, new).unwrap();
    let here = artifact(&ann, &instance, "one.txt");
    instance.disconnect().unwrap();
    for row in [&elsewhere, &here] {
        instance.delete_artifact(row, None).unwrap();
    }
    instance.delete_storage(&second).unwrap();
    let again = artifact(&ann, &instance, "two.txt");
    instance.disconnect().unwrap();
    instance.delete_artifact(&again, None).unwrap();
    assert_eq!(contents(&ann).len(), 1, "nothing was sent yet");
    let deletion = InstanceDeletion::plan(&ann.env, &ann.settings()).unwrap();
    assert_eq!(deletion.left, [""; 0].map(PathBuf::from));
    deletion.apply(&ann.env, true).unwrap();
    assert!(ann.bucket().list("").unwrap().is_empty());
}

#[test]
fn deleted_content_goes_when_others_know_of_it() {
    Client::in_every_store(|ann, instance| {
        let (one, two) = (artifact(&ann, &instance, "one.txt"), artifact(&ann, &instance, "two.txt"));
        instance.disconnect().unwrap();
        ann.told();
        for row in [&one, &two] {
            instance.delete_artifact(row, None).unwrap();
        }
        let told = ann.told();
        let later = |row: &Record| {
            let path = instance.artifact_path(row).unwrap().display().to_string();
            told.contains(&Event::DeletedLater { path })
        };
        assert!(later(&one) && later(&two), "{told:?}");
        assert!(!told.contains(&ann.push(false)), "nothing is sent for each");
        assert_eq!(instance.registry("Artifact").unwrap().count().unwrap(), 0);
        assert_eq!(contents(&ann).len(), 2);
        instance.leave().unwrap();
        assert_eq!(contents(&ann), [""; 0]);
        assert_eq!(read_elsewhere(&ann), [""; 0]);
    });
}

#[test]
fn content_at_a_name_of_its_own_goes_after_a_send() {
    let (ann, instance) = Client::with_instance();
    instance.with_creation(|creation| creation.use_virtual_keys = false).unwrap();
    let gone = artifact(&ann, &instance, "gone.txt");
    let mut moved = Artifact::from_record(artifact(&ann, &instance, "from.txt"));
    instance.disconnect().unwrap();
    // Its name may be used again at once, so that it cannot wait.
    instance.delete_artifact(&gone, Some(true)).unwrap();
    assert_eq!(
        (contents(&ann), promised(&ann)),
        (vec!["from.txt".to_owned()], vec!["content of from.txt".to_owned()])
    );
    artifact(&ann, &instance, "gone.txt");
    moved.record.set("key", "to.txt").unwrap();
    instance.save_artifact(&mut moved).unwrap();
    assert_eq!(contents(&ann), ["gone.txt", "to.txt"]);
    instance.disconnect().unwrap();
    assert_eq!(read_elsewhere(&ann), ["content of gone.txt", "content of from.txt"]);
}

/// Returns what the database in the bucket promises at names of its own, read from there.
fn promised(client: &Client) -> Vec<String> {
    let file = client.dir.join("seen.db");
    fs::write(&file, client.bucket().read(crate::client::DATABASE).unwrap()).unwrap();
    let connection = rusqlite::Connection::open(&file).unwrap();
    let mut statement = connection.prepare("SELECT key FROM lamindb_artifact ORDER BY key").unwrap();
    let keys = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    keys.map(|key| String::from_utf8(client.bucket().read(&key.unwrap()).unwrap()).unwrap()).collect()
}

#[test]
fn what_leaves_the_trash_goes_to_quarantine_after_a_send() {
    let (ann, instance) = Client::with_instance();
    let mut row = artifact(&ann, &instance, "one.txt");
    instance.trash(&mut row).unwrap();
    instance.disconnect().unwrap();
    let trashed_before = Timestamp::parse("2999-01-01T00:00:00Z");
    let what = Collect { unused_before: Timestamp(0), trashed_before };
    let collected = instance.plan_collect(what).unwrap().apply(&instance).unwrap();
    assert_eq!(collected.deleted, 1);
    assert!(contents(&ann).iter().all(|key| !key.contains("quarantine")));
    instance.disconnect().unwrap();
    let there = contents(&ann);
    assert!(there.len() == 1 && there[0].contains("quarantine"), "{there:?}");
}

/// Not a test of its own: the deletion that the parent has killed.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, root, point, nth] = plan.try_into().unwrap();
    let (nth, hits): (usize, _) = (nth.parse().unwrap(), AtomicUsize::new(0));
    let client = Client::at(std::path::Path::new(&dir), &root);
    let instance = client.connect().unwrap();
    faults::arm(move |name| {
        if name == point && hits.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            std::process::abort();
        }
    });
    for row in instance.registry("Artifact").unwrap().order_by(["id"]).unwrap().all().unwrap().iter().take(2)
    {
        instance.delete_artifact(row, None).unwrap();
    }
    instance.leave().unwrap();
}

#[test]
fn a_killed_deletion_leaves_no_row_without_content() {
    for (point, nth) in [
        ("db.commit", 1),
        ("db.committed", 1),
        ("delete.committed", 2),
        ("cloud.push", 1),
        ("cloud.pushed", 1),
        ("cloud.leaving", 1),
    ] {
        for overtaken in [false, true] {
            let when = format!("killed at {point} {nth}, overtaken: {overtaken}");
            let ann = Client::new(&MOTO.root(), Some("ann"));
            let instance = ann.init().unwrap();
            for key in ["a.txt", "b.txt", "c.txt"] {
                artifact(&ann, &instance, key);
            }
            instance.disconnect().unwrap();
            drop(instance);
            let words = [ann.dir.to_str().unwrap(), &ann.root, point, &nth.to_string()].join("\t");
            let output = child("leaving::the_child", &words).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && !told.contains("panicked"), "{when}: {told}");
            if overtaken {
                ann.locks().break_open().unwrap();
                let texts = read_elsewhere(&ann);
                assert!(texts.len() == 3 || texts == ["content of c.txt"], "{when}: {texts:?}");
                let ben = ann.colleague(Some("ben"));
                let theirs = ben.connect().unwrap();
                label(&theirs, "of ben").unwrap();
                theirs.disconnect().unwrap();
            }
            let instance = ann.connect().unwrap();
            label(&instance, "afterwards").unwrap();
            instance.disconnect().unwrap();
            let rows = read_elsewhere(&ann);
            assert_eq!(contents(&ann).len(), rows.len(), "{when}: {rows:?}");
        }
    }
}
