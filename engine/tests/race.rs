//! Many processes and threads at once on one instance: no error, nothing lost, one family, one latest.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "children report to their parent, and tests what they measured")]

mod proof;
#[path = "proof/races.rs"]
mod races;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use holotype::testing::{Scratch, connect};
use holotype::{Instance, NewArtifact, faults};
use proof::{Audit, audit, child, latest, plan, save};
use races::{act, family, file, saved};

const PROCESSES: usize = 16;
const SAVES: usize = 50;

/// Not a test of its own: one of the processes.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, what, process, n] = plan.try_into().unwrap();
    let process = process.parse().unwrap();
    let (instance, _) = connect(Path::new(&dir), 100 + process as u64).unwrap();
    act(&instance, Path::new(&dir), &what, process, n.parse().unwrap());
}

/// Lets all processes loose and returns what they reported as saved, and how long they took.
fn race(scratch: &Scratch, what: &str, processes: usize, n: usize) -> (Vec<String>, Duration) {
    let dir = scratch.dir().display().to_string();
    let begun = Instant::now();
    let children: Vec<_> = (0..processes)
        .map(|process| {
            let plan = [dir.as_str(), what, &process.to_string(), &n.to_string()].join("\t");
            child("the_child", &plan).spawn().unwrap()
        })
        .collect();
    let saved = saved(children);
    let took = begun.elapsed();
    assert_eq!(saved.len(), processes * n, "every save was reported");
    eprintln!(
        "{what}: {processes} processes x {n} saves in {:.1} s, {:.0} saves/s",
        took.as_secs_f64(),
        (processes * n) as f64 / took.as_secs_f64()
    );
    (saved, took)
}

fn checked(scratch: &Scratch) -> Audit {
    let counted = audit(scratch.instance(), &scratch.root());
    assert_eq!((counted.incomplete, counted.leftovers, counted.orphans), (0, 0, 0), "nothing is left over");
    counted
}

#[test]
fn distinct_keys() {
    let scratch = Scratch::new().unwrap();
    let (saved, _) = race(&scratch, "distinct keys", PROCESSES, SAVES);
    assert_eq!(saved.into_iter().collect::<BTreeSet<_>>().len(), PROCESSES * SAVES);
    assert_eq!(checked(&scratch).read, PROCESSES * SAVES);
}

#[test]
fn one_key_with_distinct_contents() {
    let scratch = Scratch::new().unwrap();
    let (saved, _) = race(&scratch, "distinct contents", PROCESSES, SAVES);
    assert_eq!(saved.into_iter().collect::<BTreeSet<_>>().len(), PROCESSES * SAVES);
    assert_eq!(checked(&scratch).read, PROCESSES * SAVES, "every version keeps its bytes");
    assert_eq!(family(scratch.instance(), "k.txt").len(), PROCESSES * SAVES);
}

#[test]
fn one_key_with_equal_content() {
    let scratch = Scratch::new().unwrap();
    let (saved, _) = race(&scratch, "equal content", PROCESSES, SAVES);
    assert_eq!(saved.into_iter().collect::<BTreeSet<_>>().len(), 1, "all got the same artifact");
    assert_eq!((checked(&scratch).rows, family(scratch.instance(), "k.txt").len()), (1, 1));
}

#[test]
fn one_key_with_contents_that_come_back() {
    let scratch = Scratch::new().unwrap();
    race(&scratch, "few contents", PROCESSES, 10);
    assert_eq!((checked(&scratch).read, family(scratch.instance(), "k.txt").len()), (5, 5));
}

#[test]
fn one_real_key() {
    let scratch = Scratch::new().unwrap();
    let (saved, _) = race(&scratch, "real key", PROCESSES, 10);
    let counted = checked(&scratch);
    assert_eq!((counted.read, counted.overwritten), (1, saved.len() - 1), "only the latest has its bytes");
    assert_eq!(family(scratch.instance(), "real/k.txt").len(), saved.len());
}

#[test]
fn versions_of_one_folder() {
    let scratch = Scratch::new().unwrap();
    let (saved, _) = race(&scratch, "folder", PROCESSES, 6);
    let counted = checked(&scratch);
    assert_eq!(
        (counted.read, counted.overwritten),
        (1, saved.len() - 1),
        "versions of a folder share one store"
    );
    assert_eq!(family(scratch.instance(), "folder").len(), saved.len());
}

#[test]
fn folders_saved_file_by_file() {
    let scratch = Scratch::new().unwrap();
    race(&scratch, "bulk", 8, 4);
    assert_eq!(checked(&scratch).read, 8 * 4 * 10);
    for j in 0..10 {
        assert_eq!(family(scratch.instance(), &format!("bulk/{j}.txt")).len(), 8 * 4);
    }
}

#[test]
fn one_artifact_replaced_by_all() {
    let scratch = Scratch::new().unwrap();
    let source = file(scratch.dir(), "base.txt", "base");
    save(scratch.instance(), NewArtifact::new(source).key("k.txt")).unwrap();
    race(&scratch, "replace", 8, 8);
    assert_eq!((checked(&scratch).read, family(scratch.instance(), "k.txt").len()), (1, 1));
}

#[test]
fn threads_share_one_instance() {
    for (what, rows, read) in [
        ("distinct keys", 8 * SAVES, 8 * SAVES),
        ("distinct contents", 8 * SAVES, 8 * SAVES),
        ("equal content", 1, 1),
        ("real key", 8 * SAVES, 1),
    ] {
        let scratch = Scratch::new().unwrap();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let scratch = &scratch;
                scope.spawn(move || act(scratch.instance(), scratch.dir(), what, thread, SAVES));
            }
        });
        let rate = (8 * SAVES) as f64 / begun.elapsed().as_secs_f64();
        eprintln!("{what}: 8 threads x {SAVES} saves, {rate:.0} saves/s");
        let counted = checked(&scratch);
        assert_eq!((counted.rows, counted.read), (rows, read), "{what}");
    }
}

#[test]
fn everyone_opens_an_instance_at_once_while_its_journal_is_still_the_old_one() {
    let scratch = Scratch::on_sqlite().unwrap();
    let path = scratch.root().join(".lamindb/lamin.db");
    let dir = scratch.dir().to_owned();
    // The reference keeps the rollback journal: the first of ours to come changes that.
    let connection = rusqlite::Connection::open(&path).unwrap();
    for round in 0..3 {
        let fresh = dir.join(format!("copy{round}"));
        copy_instance(&dir, &fresh, &connection);
        let children: Vec<_> = (0..PROCESSES)
            .map(|process| {
                let plan =
                    [fresh.to_str().unwrap(), "distinct contents", &process.to_string(), "1"].join("\t");
                child("the_child", &plan).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let (instance, _) = connect(&fresh, 9).unwrap();
        assert_eq!(audit(&instance, &fresh.join("store")).read, PROCESSES);
    }
}

/// Copies an instance to another folder, with its paths put right and its database in the rollback journal.
fn copy_instance(from: &Path, to: &Path, database: &rusqlite::Connection) {
    for entry in walkdir::WalkDir::new(from.join("home")).into_iter().flatten() {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            fs::write(target, text.replace(from.to_str().unwrap(), to.to_str().unwrap())).unwrap();
        }
    }
    let managed = to.join("store/.lamindb");
    fs::create_dir_all(&managed).unwrap();
    fs::copy(from.join("store/.lamindb/storage_uid.txt"), managed.join("storage_uid.txt")).unwrap();
    let copy = managed.join("lamin.db");
    database.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    let copy = rusqlite::Connection::open(copy).unwrap();
    let root = to.join("store");
    copy.execute("UPDATE lamindb_storage SET root = ?1", [root.to_str().unwrap()]).unwrap();
    let journal: String = copy.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(journal, "delete");
}

/// Deletes the artifact with the key of this race for good, if there is one.
fn delete(instance: &Instance) {
    if let Some(row) = latest(instance, "k.txt") {
        instance.delete_artifact(&row, Some(true)).unwrap();
    }
}

/// Not a test of its own: saves what somebody else deletes at a moment of the save.
#[test]
fn the_overtaken_child() {
    let Some(plan) = plan() else { return };
    let [dir, way, point] = plan.try_into().unwrap();
    let dir = Path::new(&dir);
    let ((instance, _), (other, _)) = (connect(dir, 7).unwrap(), connect(dir, 8).unwrap());
    let source = file(dir, "x.txt", "content");
    let new = NewArtifact::new(source.as_str()).key("k.txt");
    let early = instance.artifact(new.clone()).unwrap();
    let row = save(&other, new.clone()).unwrap();
    if way == "missing" {
        fs::remove_file(other.artifact_path(&row).unwrap()).unwrap();
    }
    let mut artifact = match way.as_str() {
        "decided" => instance.artifact(NewArtifact { skip_hash_lookup: Some(true), ..new }).unwrap(),
        "described" => {
            let mut artifact = instance.artifact(new).unwrap();
            artifact.record.set("description", "mine").unwrap();
            artifact
        }
        "missing" => instance.artifact(new).unwrap(),
        _ => early,
    };
    let deleted = AtomicBool::new(false);
    let pass = move |name: &str| {
        if name == point && !deleted.swap(true, Ordering::SeqCst) {
            delete(&other);
            println!("@deleted");
        }
    };
    pass("constructed");
    faults::arm(pass);
    match way.as_str() {
        "list" => {
            let mut all = [artifact];
            instance.save_artifacts(&mut all).unwrap();
            [artifact] = all;
        }
        _ => instance.save_artifact(&mut artifact).unwrap(),
    }
    assert_ne!(artifact.record.uid(), row.uid(), "no uid is given twice");
    assert_eq!(artifact.record.text("description"), (way == "described").then_some("mine"));
    println!("@saved {}", artifact.record.uid());
}

#[test]
fn a_save_that_is_overtaken_by_a_deletion_begins_anew() {
    for (way, point) in [
        ("decided", "save.committed"),
        ("missing", "save.staged"),
        ("missing", "over.told"),
        ("described", "constructed"),
        ("list", "bulk.committed"),
    ] {
        let scratch = Scratch::on_sqlite().unwrap();
        let plan = [scratch.dir().to_str().unwrap(), way, point].join("\t");
        let output = child("the_overtaken_child", &plan).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let failure = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{way}, {point}: {failure}");
        assert!(told.contains("@deleted"), "{way} never came by {point}");
        let row = latest(scratch.instance(), "k.txt").unwrap();
        assert!(told.contains(&format!("@saved {}", row.uid())), "{way}, {point}: {told}");
        assert_eq!((checked(&scratch).rows, checked(&scratch).read), (1, 1), "{way}, {point}");
    }
}

#[test]
fn what_one_thread_saves_another_one_deletes() {
    let scratch = Scratch::new().unwrap();
    let source = file(scratch.dir(), "x.txt", "content");
    let new = NewArtifact { skip_hash_lookup: Some(true), ..NewArtifact::new(source).key("k.txt") };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                delete(scratch.instance());
            }
        });
        for _ in 0..8 * SAVES {
            let saved = save(scratch.instance(), new.clone());
            if saved.is_err() {
                done.store(true, Ordering::SeqCst);
            }
            saved.unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    let counted = checked(&scratch);
    assert!(counted.rows <= 1 && counted.read == counted.rows);
}
