//! The support for tests: instances of their own that repeat themselves.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use holotype::testing::{START, Scratch};
use holotype::{Event, Record, model};

fn label(scratch: &Scratch, name: &str) -> Record {
    let mut label = Record::empty(model::require("ULabel").unwrap());
    label.set("name", name).unwrap();
    scratch.instance().save(&mut label).unwrap();
    label
}

#[test]
fn two_instances_repeat_each_other_and_share_nothing() {
    let (one, two) = (Scratch::new().unwrap(), Scratch::new().unwrap());
    let (first, second) = (label(&one, "apple"), label(&two, "apple"));
    assert_eq!(first.uid(), second.uid());
    assert_eq!(first.moment("created_at"), second.moment("created_at"));
    assert_ne!(one.dir(), two.dir());
    label(&one, "pear");
    assert_eq!(two.instance().registry("ULabel").unwrap().count().unwrap(), 1);
}

#[test]
fn the_clock_advances_and_uids_differ() {
    let scratch = Scratch::new().unwrap();
    let (first, second) = (label(&scratch, "apple"), label(&scratch, "pear"));
    assert!(first.moment("created_at").unwrap() >= START);
    assert!(second.moment("created_at") > first.moment("created_at"));
    assert_ne!(first.uid(), second.uid());
}

#[test]
fn events_come_once() {
    let scratch = Scratch::new().unwrap();
    assert_eq!(scratch.events(), []);
    let mut apple = label(&scratch, "apple");
    scratch.instance().trash(&mut apple).unwrap();
    assert!(matches!(scratch.events()[..], [Event::Trashed { .. }]));
    assert_eq!(scratch.events(), []);
}

#[test]
fn another_connection_sees_the_same_records() {
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    label(&scratch, "apple");
    let (other, told) = scratch.connect(2).unwrap();
    assert_eq!(other.registry("ULabel").unwrap().count().unwrap(), 1);
    assert!(other.registry("bionty.Source").unwrap().count().unwrap() > 0);
    assert_eq!(told.take(), []);
}

#[test]
fn files_lie_in_the_working_directory_and_go_with_the_instance() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.file("a/b.txt", "x").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"x");
    assert!(path.starts_with(&scratch.instance().env().cwd));
    assert!(scratch.root().join(".lamindb/storage_uid.txt").is_file());
    drop(scratch);
    assert!(!path.exists());
}
