//! A process killed while it publishes: the old content or the new, never a part, and nothing that repair cannot find.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_methods, reason = "the child learns from its environment what to do")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use holotype::faults;
use holotype::store::{Job, LeftoverKind, Publish, Store};
use support::{Scratch, env, names, noise};

const PLAN: &str = "HOLOTYPE_CRASH_PLAN";

/// What the child process does before it dies: `act`, with the sources in `dir`, dying at the `nth` hit of `point`.
#[derive(Clone, Copy)]
struct Plan<'a> {
    act: &'a str,
    point: &'a str,
    nth: usize,
}

/// Runs this test binary again as a child that aborts at a fault point.
fn crash(scratch: &Scratch, plan: Plan<'_>) {
    let Plan { act, point, nth } = plan;
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child", "--quiet"])
        .env(PLAN, format!("{act} {point} {nth} {}", scratch.path("").display()))
        .output()
        .unwrap()
        .status;
    assert!(!status.success(), "the child survived {act} at {point}");
}

/// Not a test of its own: what [`crash`] runs in the child.
#[test]
fn the_child() {
    let Ok(plan) = std::env::var(PLAN) else { return };
    let [act, point, nth, dir] = plan.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
    let (point, nth): (String, usize) = (point.to_owned(), nth.parse().unwrap());
    let hits = AtomicUsize::new(0);
    faults::arm(move |name| {
        if name == point && hits.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            std::process::abort();
        }
    });
    let dir = Path::new(dir);
    let store = Store::local(dir.join("root"), &env());
    let die = |_| std::process::abort();
    let how = Publish::default();
    match act {
        "file" => store.publish_file(&dir.join("new"), "key", &how).map(drop),
        "file-half" => {
            store.publish_file(&dir.join("new"), "key", &Publish { progress: &die, ..how }).map(drop)
        }
        "own" => store.publish_own(&dir.join("new"), "own", &how).map(drop),
        "many" => store.publish_many(&jobs(dir), &how).into_iter().collect::<Result<Vec<_>, _>>().map(drop),
        "folder" => store.publish_folder(&dir.join("newdir"), "key", &how).map(drop),
        "folder-half" => {
            store.publish_folder(&dir.join("newdir"), "key", &Publish { progress: &die, ..how }).map(drop)
        }
        "folder-in-two-steps" => {
            faults::forbid_exchange();
            store.publish_folder(&dir.join("newdir"), "key", &how).map(drop)
        }
        other => panic!("{other} is no act"),
    }
    .unwrap();
}

fn jobs(dir: &Path) -> Vec<Job> {
    let job =
        |i| Job { source: dir.join(format!("many/{i}")), key: format!("k{i}"), content: None, digest: None };
    (0..20).map(job).collect()
}

/// Returns a location with old content at `key`, and new content to replace it with.
fn with_file() -> Scratch {
    let scratch = Scratch::new();
    scratch.store.write("key", b"old", true).unwrap();
    scratch.source("new", noise(2 << 20, 1));
    scratch
}

fn with_folder() -> Scratch {
    let scratch = Scratch::new();
    for i in 0..20 {
        scratch.store.write(&format!("key/old{i}"), b"old", false).unwrap();
        scratch.source(&format!("newdir/sub/new{i}"), format!("new {i}"));
    }
    scratch
}

/// Settles all leftovers, which must be of these kinds, and proves that none is left.
fn repair(store: &Store, kinds: &[LeftoverKind]) {
    let leftovers = store.leftovers().unwrap();
    let mut found: Vec<LeftoverKind> = leftovers.iter().map(|leftover| leftover.kind.clone()).collect();
    // Temporary names are random, and so is their order.
    found.sort_by_key(|kind| format!("{kind:?}"));
    assert_eq!(found, kinds);
    for leftover in &leftovers {
        assert!(!leftover.in_use, "the child is dead");
        assert!(store.settle(leftover).unwrap());
        assert!(!store.settle(leftover).unwrap(), "settling twice does nothing");
    }
    assert!(store.leftovers().unwrap().is_empty());
}

#[test]
fn a_file_is_old_until_it_is_new() {
    for act in ["file", "file-half"] {
        for (point, new) in [("store.copied", false), ("store.synced", false), ("store.renamed", true)] {
            if act == "file-half" && new {
                continue;
            }
            let scratch = with_file();
            crash(&scratch, Plan { act, point, nth: 1 });
            let expected = if new { noise(2 << 20, 1) } else { b"old".to_vec() };
            assert_eq!(scratch.stored("key").unwrap(), expected, "{act} {point}");
            repair(&scratch.store, if new { &[] } else { &[LeftoverKind::Abandoned] });
            scratch.store.publish_file(&scratch.path("new"), "key", &Publish::default()).unwrap();
            assert_eq!(scratch.stored("key").unwrap(), noise(2 << 20, 1));
            assert_eq!(scratch.names(), ["key"]);
        }
    }
}

#[test]
fn a_file_at_a_key_of_its_own_is_absent_until_it_is_complete() {
    for (point, stored) in [("store.copied", false), ("store.renamed", true), ("store.synced", true)] {
        let scratch = with_file();
        crash(&scratch, Plan { act: "own", point, nth: 1 });
        assert_eq!(scratch.stored("own"), stored.then(|| noise(2 << 20, 1)), "{point}");
        repair(&scratch.store, if stored { &[] } else { &[LeftoverKind::Abandoned] });
        let published = scratch.store.publish_own(&scratch.path("new"), "own", &Publish::default()).unwrap();
        assert_eq!(published.content.size, 2 << 20);
        assert_eq!(scratch.names(), ["key", "own"]);
    }
}

#[test]
fn each_of_many_files_is_old_or_new() {
    for (point, nth, new) in [
        // Other threads go on until the process is dead.
        ("store.copied", 7, 0..=19),
        ("store.synced", 1, 20..=20),
        ("store.renamed", 1, 1..=20),
        ("store.renamed", 5, 5..=20),
    ] {
        let scratch = Scratch::new();
        for i in 0..20 {
            scratch.store.write(&format!("k{i}"), b"old", false).unwrap();
            scratch.source(&format!("many/{i}"), format!("new {i}"));
        }
        crash(&scratch, Plan { act: "many", point, nth });
        let stored: Vec<String> =
            (0..20).map(|i| String::from_utf8(scratch.stored(&format!("k{i}")).unwrap()).unwrap()).collect();
        assert!(stored.iter().enumerate().all(|(i, text)| text == "old" || *text == format!("new {i}")));
        let renamed = stored.iter().filter(|text| *text != "old").count();
        assert!(new.contains(&renamed), "{point} {nth}: {renamed}");
        let left = scratch.store.leftovers().unwrap();
        assert!(left.iter().all(|leftover| !leftover.in_use && leftover.kind == LeftoverKind::Abandoned));
        for leftover in left {
            scratch.store.settle(&leftover).unwrap();
        }
        assert_eq!(scratch.names().len(), 20);
    }
}

fn new_folder() -> Vec<String> {
    let mut names: Vec<String> = (0..20).map(|i| format!("sub/new{i}")).collect();
    names.sort();
    names
}

fn folder_at_key(scratch: &Scratch) -> Option<Vec<String>> {
    let path: PathBuf = scratch.store.path("key").unwrap();
    path.is_dir().then(|| names(&path))
}

#[test]
fn a_folder_is_old_until_it_is_new() {
    let old = with_folder();
    let old = folder_at_key(&old).unwrap();
    for (act, point, new) in [
        ("folder-half", "never", false),
        ("folder", "folder.assembled", false),
        ("folder", "folder.swapped", true),
        ("folder-in-two-steps", "folder.assembled", false),
    ] {
        let scratch = with_folder();
        crash(&scratch, Plan { act, point, nth: 1 });
        let found = folder_at_key(&scratch).unwrap();
        assert_eq!(found, if new { new_folder() } else { old.clone() }, "{act} {point}");
        repair(&scratch.store, &[LeftoverKind::Abandoned]);
        scratch.store.publish_folder(&scratch.path("newdir"), "key", &Publish::default()).unwrap();
        assert_eq!(folder_at_key(&scratch).unwrap(), new_folder());
    }
}

#[test]
fn a_folder_moved_aside_is_brought_back_by_repair() {
    let scratch = with_folder();
    let old = folder_at_key(&scratch);
    crash(&scratch, Plan { act: "folder-in-two-steps", point: "folder.old_aside", nth: 1 });
    assert_eq!(folder_at_key(&scratch), None);
    repair(&scratch.store, &[LeftoverKind::Abandoned, LeftoverKind::Displaced("key".to_owned())]);
    assert_eq!(folder_at_key(&scratch), old);
}

#[test]
fn a_folder_moved_aside_is_brought_back_by_the_next_publish() {
    let scratch = with_folder();
    let old = folder_at_key(&scratch);
    crash(&scratch, Plan { act: "folder-in-two-steps", point: "folder.old_aside", nth: 1 });
    fs::create_dir(scratch.path("empty")).unwrap();
    assert!(scratch.store.publish_folder(&scratch.path("empty"), "key", &Publish::default()).is_err());
    assert_eq!(folder_at_key(&scratch), old, "even one that fails");
    repair(&scratch.store, &[LeftoverKind::Abandoned]);
}

#[test]
fn a_folder_swapped_in_two_steps_leaves_the_old_one_to_remove() {
    let scratch = with_folder();
    crash(&scratch, Plan { act: "folder-in-two-steps", point: "folder.swapped", nth: 1 });
    assert_eq!(folder_at_key(&scratch).unwrap(), new_folder());
    repair(&scratch.store, &[LeftoverKind::Replaced("key".to_owned())]);
    assert_eq!(folder_at_key(&scratch).unwrap(), new_folder());
}
