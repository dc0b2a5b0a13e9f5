//! Processes killed while they save, replace, move and delete: nothing wrong is ever read, and doing it again finishes it.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "children report to their parent, and tests what they measured")]

#[path = "proof/death.rs"]
mod death;
#[path = "proof/operations.rs"]
mod operations;
mod proof;

use std::path::Path;
use std::time::Duration;

use death::{Death, Told, await_death, moments, tell};
use holotype::store::Store;
use holotype::testing::{Scratch, connect};
use operations::{OPERATIONS, act, done, prepare};
use proof::{Dice, audit, plan};

/// Not a test of its own: what the parent runs, and kills.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, operation, round, seed, point, nth] = plan.try_into().unwrap();
    let (instance, _) = connect(Path::new(&dir), seed.parse().unwrap()).unwrap();
    await_death(point, nth.parse().unwrap());
    act(&instance, Path::new(&dir), &operation, round.parse().unwrap(), &mut tell);
    println!("@end");
}

/// The instance on which one operation is killed again and again.
struct Stage {
    scratch: Scratch,
    operation: &'static str,
    round: usize,
    killed: usize,
    worst: proof::Audit,
}

impl Stage {
    fn new(operation: &'static str) -> Stage {
        Stage {
            scratch: Scratch::new().unwrap(),
            operation,
            round: 0,
            killed: 0,
            worst: proof::Audit::default(),
        }
    }

    /// One round: prepare, be killed, look at everything, do it again, look again.
    fn round(&mut self, death: &Death) -> Told {
        if self.operation == "bulk" && self.round % 3 == 2 {
            // Every audit reads everything there is: many thousand files would make it slow.
            self.clear();
            self.scratch = Scratch::new().unwrap();
        }
        let (dir, operation, round) = (self.scratch.dir().to_owned(), self.operation, self.round);
        let root = self.scratch.root();
        prepare(self.scratch.instance(), &dir, operation, round);
        let seed = 1000 + round * 50 + OPERATIONS.iter().position(|known| *known == operation).unwrap();
        let (round_word, seed) = (round.to_string(), seed.to_string());
        let told = death::run("the_child", &[dir.to_str().unwrap(), operation, &round_word, &seed], death);
        // A new connection, as the next process has it.
        let (instance, _) = connect(&dir, 7_000_000 + round as u64).unwrap();
        // A server may still be at the last wish of the dead, which holds the lock of the writers.
        instance.db().write(|_| Ok(())).unwrap();
        let counted = audit(&instance, &root);
        for (uid, hash) in &told.saved {
            let found =
                instance.registry("Artifact").unwrap().filter(holotype::Q::is("uid", uid.as_str())).unwrap();
            match found.first().unwrap() {
                Some(row) => {
                    assert!(!operation.starts_with("delete"), "{uid} was reported as deleted");
                    assert_eq!(row.text("hash"), Some(hash.as_str()), "{uid} was reported as saved");
                    assert!(!proof::is_incomplete(&row), "{uid} was reported as saved");
                }
                None => assert!(operation.starts_with("delete"), "{uid} was reported as saved and is gone"),
            }
        }
        act(&instance, &dir, operation, round, &mut |_| {});
        done(&instance, &dir, operation, round);
        let after = audit(&instance, &root);
        assert_eq!(after.incomplete, 0, "{operation} after {death:?}: doing it again finishes it");
        if !told.ended {
            self.killed += 1;
            self.worst.leftovers = self.worst.leftovers.max(counted.leftovers);
            self.worst.orphans = self.worst.orphans.max(counted.orphans);
            self.worst.incomplete += counted.incomplete;
        }
        self.round += 1;
        told
    }

    /// Settles all leftovers: what they held, no row needs.
    fn clear(&self) {
        let instance = self.scratch.instance();
        let store = Store::local(self.scratch.root(), instance.env());
        for leftover in store.leftovers().unwrap() {
            assert!(store.settle(&leftover).unwrap());
        }
        assert_eq!(audit(instance, &self.scratch.root()).leftovers, 0);
    }
}

/// Kills one operation at every fault point it passes, then `random` times at any moment.
fn kill(operation: &'static str, random: usize) -> usize {
    let mut stage = Stage::new(operation);
    // Two rounds undisturbed: the first may take another way than the later ones.
    let mut points = moments(&stage.round(&Death::Never).hits);
    let second = stage.round(&Death::Never);
    points.extend(moments(&second.hits));
    points.sort();
    points.dedup();
    assert!(points.iter().any(|(point, _)| point == "db.commit"), "{operation}: {points:?}");
    let mut at_points = 0;
    for (point, nth) in &points {
        // A point of the first round only is not passed again.
        if second.hits.iter().filter(|hit| *hit == point).count() >= *nth {
            stage.round(&Death::At(point.clone(), *nth));
            at_points += 1;
        }
    }
    let mut dice = Dice(operation.bytes().map(u64::from).sum());
    let mut longest = second.took.max(Duration::from_millis(2));
    let mut tries = 0;
    while stage.killed < at_points + random {
        let told = stage.round(&Death::After(longest * dice.below(1000) as u32 / 1000));
        if told.ended {
            // It was faster than the clock of the killer: aim earlier.
            longest = longest * 9 / 10;
        }
        tries += 1;
        assert!(tries < 8 * random, "{operation}: no moment to kill it");
    }
    eprintln!(
        "{operation}: {at_points} deaths at fault points, {random} at random moments; {} rows found incomplete, at most {} \
         leftovers and {} orphans, none of them readable",
        stage.worst.incomplete, stage.worst.leftovers, stage.worst.orphans
    );
    stage.clear();
    at_points + random
}

/// Kills all of these operations and checks that at least so many processes died.
fn kill_all(operations: &[&'static str], random: usize, at_least: usize) {
    let killed: usize = operations.iter().map(|operation| kill(operation, random)).sum();
    assert!(killed >= at_least, "{killed} processes died");
}

// Together at least 200.

#[test]
fn files_and_versions() {
    kill_all(&["file", "version", "in place", "lazy"], 9, 50);
}

#[test]
fn folders_and_their_versions() {
    kill_all(&["folder", "folder version", "folder revived"], 9, 55);
}

#[test]
fn bulk_saves() {
    kill_all(&["bulk"], 3, 12);
}

#[test]
fn replaced_content() {
    kill_all(&["replace", "replace suffix"], 9, 40);
}

#[test]
fn permanent_deletion() {
    kill_all(&["delete", "delete folder"], 9, 30);
}

#[test]
fn real_keys_and_moves() {
    kill_all(&["real key", "real key kept", "move"], 9, 60);
}

#[test]
fn uploads() {
    kill_all(&["upload", "upload folder"], 9, 30);
}
