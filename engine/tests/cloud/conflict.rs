//! Two who both changed the database: who comes second is told, and what they did is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holotype::{ErrorKind, Event, Instance};

use crate::client::{Client, label, labels, labels_in};
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::MOTO;

#[test]
fn who_lost_the_lock_overwrites_nothing_and_loses_nothing() {
    Client::in_every_store(loses_nothing);
}

pub fn loses_nothing(ann: Client, instance: Instance) {
    label(&instance, "of ann").unwrap();
    let ben = ann.colleague(Some("ben"));
    ben.locks().break_open().unwrap();
    let theirs = ben.connect().unwrap();
    label(&theirs, "of ben").unwrap();
    theirs.leave().unwrap();

    for error in [instance.send(), instance.leave(), instance.disconnect()].map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::SyncConflict);
        let text = error.message();
        for told in [ann.copy().display().to_string(), "run: lamin connect ann/atlas".to_owned()] {
            assert!(text.contains(&told), "{text}");
        }
    }
    assert_eq!(ann.labels_in_the_cloud(), ["of ben"]);
    assert_eq!(labels_in(&ann.copy()), ["of ann"]);
    drop(instance);

    ann.told();
    let again = ann.connect().unwrap();
    let kept = ann.kept();
    assert_eq!((labels(&again), labels_in(&kept[0])), (vec!["of ben".to_owned()], vec!["of ann".to_owned()]));
    let place = kept[0].display().to_string();
    assert!(ann.told().iter().any(|event| matches!(event, Event::Warning(text) if text.contains(&place))));
    label(&again, "of ann, again").unwrap();
    again.disconnect().unwrap();
    assert_eq!((ann.labels_in_the_cloud().len(), ann.kept().len()), (2, 1));
}

#[test]
fn what_a_killed_process_left_is_told_and_sent() {
    Client::in_every_store(sends_what_was_left);
}

pub fn sends_what_was_left(ann: Client, instance: Instance) {
    instance.disconnect().unwrap();
    label(&instance, "one").unwrap();
    drop(instance);
    ann.told();
    let reading = ann.connect().unwrap();
    assert_eq!(labels(&reading), ["one"], "unsent work is not fetched over");
    assert!(
        ann.told()
            .iter()
            .any(|event| matches!(event, Event::Warning(text) if text.contains("not in the cloud")))
    );
    assert!(ann.labels_in_the_cloud().is_empty());
    reading.hold(Duration::ZERO).unwrap();
    assert_eq!(ann.labels_in_the_cloud(), ["one"]);
    reading.disconnect().unwrap();

    label(&reading, "two").unwrap();
    drop(reading);
    Instance::disconnect_from(&ann.env, &ann.settings()).unwrap();
    assert_eq!(ann.labels_in_the_cloud(), ["one", "two"]);
    assert!(ann.locks().holders.is_empty() && ann.kept().is_empty());
}

#[test]
fn a_push_whose_answer_was_lost_is_known_as_ones_own() {
    let losing = Arc::new(AtomicBool::new(false));
    let switch = losing.clone();
    let proxy = Proxy::new(MOTO.port, move |_, line| {
        let push = line.starts_with("PUT") && line.contains("/.lamindb/lamin.db");
        if push && switch.load(Ordering::SeqCst) { Fault::Lost } else { Fault::None }
    });
    let ann = Client::new(&MOTO.root_at(&proxy.endpoint()), Some("ann"));
    let instance = ann.init().unwrap();
    label(&instance, "one").unwrap();
    losing.store(true, Ordering::SeqCst);
    let lost = instance.send();
    losing.store(false, Ordering::SeqCst);
    assert_eq!(ann.labels_in_the_cloud(), ["one"], "it arrived all the same: {lost:?}");
    label(&instance, "two").unwrap();
    instance.send().unwrap();
    assert_eq!(ann.labels_in_the_cloud(), ["one", "two"]);
    assert!(ann.kept().is_empty());
}

#[test]
fn a_copy_of_another_program_is_taken_by_its_content_and_its_time() {
    let (ann, instance) = Client::with_instance();
    instance.disconnect().unwrap();
    label(&instance, "one").unwrap();
    instance.leave().unwrap();
    drop(instance);
    let note = ann.copy().with_file_name("lamin.db.holotype");
    let change = |name: &str, time: i64| {
        std::fs::remove_file(&note).unwrap();
        let connection = rusqlite::Connection::open(ann.copy()).unwrap();
        connection.execute("UPDATE lamindb_ulabel SET name = ?1", [name]).unwrap();
        drop(connection);
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
        let time = std::time::UNIX_EPOCH + Duration::from_secs((now + time) as u64);
        std::fs::File::options().write(true).open(ann.copy()).unwrap().set_modified(time).unwrap();
    };
    // Nothing but the note is missing.
    std::fs::remove_file(&note).unwrap();
    assert_eq!((labels(&ann.connect().unwrap()), ann.kept().len()), (vec!["one".to_owned()], 0));
    // Written after the last push: work that nobody sent.
    change("newer", 1000);
    let instance = ann.connect().unwrap();
    assert_eq!((labels(&instance), ann.kept().len()), (vec!["newer".to_owned()], 0));
    instance.hold(Duration::ZERO).unwrap();
    instance.disconnect().unwrap();
    assert_eq!(ann.labels_in_the_cloud(), ["newer"]);
    drop(instance);
    // Written before: outdated, as far as anybody can tell, but kept.
    change("older", -1000);
    assert_eq!((labels(&ann.connect().unwrap()), ann.kept().len()), (vec!["newer".to_owned()], 1));
    assert_eq!(labels_in(&ann.kept()[0]), ["older"]);
}
