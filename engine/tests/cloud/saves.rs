//! Clients killed while they save to a bucket: what was reported as sent is there, nobody reads wrong bytes, others get in,
//! the same client goes on, and what is left over is found.

use std::path::Path;
use std::thread;
use std::time::Duration;

use holotype::care::Collect;
use holotype::{ErrorKind, Instance, Q, Timestamp};

use crate::client::{Client, label, labels};
use crate::death::{self, Death, Told, await_death, moments, tell};
use crate::kept::Kept;
use crate::limits::hurry;
use crate::operations::{act, done, prepare};
use crate::proof::{self, Dice, plan};
use crate::stores::server::SMALL_PARTS;

/// Not a test of its own: what the parent runs, and kills.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, root, kept, operation, round, point, nth] = plan.try_into().unwrap();
    let client = Client::at(Path::new(&dir), &root);
    let kept = Kept::named(&kept);
    hurry();
    await_death(point, nth.parse().unwrap());
    let instance = kept.open(&client).unwrap();
    act(&instance, Path::new(&dir), &operation, round.parse().unwrap(), &mut tell);
    instance.leave().unwrap();
    println!("@sent");
    println!("@end");
}

/// The instance on which one operation is killed again and again.
struct Stage {
    kept: Kept,
    operation: &'static str,
    ann: Client,
    ben: Client,
    round: usize,
    killed: usize,
}

impl Stage {
    fn new(kept: Kept, operation: &'static str) -> Stage {
        let ann = Client::new(&SMALL_PARTS.root(), Some("ann"));
        kept.init(&ann);
        let ben = ann.colleague(Some("ben"));
        // Known from now on, so that looking changes nothing.
        ben.connect().unwrap().disconnect().unwrap();
        Stage { kept, operation, ann, ben, round: 0, killed: 0 }
    }

    /// One round: prepare, be killed, let others look and perhaps write, do it again, look again.
    fn round(&mut self, death: &Death) -> Told {
        let (dir, operation, round) = (self.ann.dir.clone(), self.operation, self.round);
        let instance = self.kept.open(&self.ann).unwrap();
        prepare(&instance, &dir, operation, round);
        instance.disconnect().unwrap();
        drop(instance);
        let words = [dir.to_str().unwrap(), &self.ann.root, self.kept.name(), operation, &round.to_string()];
        let told = death::run("saves::the_child", &words, death);
        let overtaken = self.kept == Kept::Everything && self.let_others_in(&told);
        self.go_on(&told, overtaken);
        self.killed += usize::from(!told.ended);
        self.round += 1;
        told
    }

    /// Another user breaks the lock open, finds what was reported as sent, and in every third round writes; returns whether
    /// that happened.
    fn let_others_in(&self, told: &Told) -> bool {
        if !self.ben.locks().holders.is_empty() {
            self.ben.locks().break_open().unwrap();
        }
        let instance = self.ben.connect().unwrap();
        if told.sent {
            self.find(&instance, told);
        }
        // What takes the place of older content does so before the row that tells of it is sent.
        let changes = ["replace", "replace suffix", "folder version", "real key"];
        for row in instance.registry("Artifact").unwrap().all().unwrap() {
            match instance.cache(&row) {
                Ok(path) => proof::check_bytes(&instance, &row, &path),
                Err(error) => {
                    let told = matches!(
                        error.kind(),
                        ErrorKind::FileNotFound
                            | ErrorKind::Corrupt
                            | ErrorKind::IncompleteArtifact
                            | ErrorKind::Value
                    );
                    assert!(told && changes.contains(&self.operation), "{row:?}: {error}");
                }
            }
        }
        let writes = self.round % 3 == 2;
        if writes {
            instance.hold(Duration::ZERO).unwrap();
            label(&instance, &format!("of ben, {}", self.round)).unwrap();
            instance.disconnect().unwrap();
        }
        writes
    }

    /// The same machine does what was killed again.
    fn go_on(&self, told: &Told, overtaken: bool) {
        let (operation, round) = (self.operation, self.round);
        let instance = self.kept.open(&self.ann).unwrap();
        if told.sent || !overtaken {
            // What was not sent was set aside when somebody else was faster.
            self.find(&instance, told);
        }
        act(&instance, &self.ann.dir, operation, round, &mut |_| {});
        done(&instance, &self.ann.dir, operation, round);
        let (audit, used) = proof::look_at_rows(&instance, true);
        assert_eq!(audit.incomplete, 0, "{operation} {round}: doing it again finishes it");
        let all = Collect { unused_before: Timestamp(i64::MAX), trashed_before: None };
        let collected = instance.plan_collect(all).unwrap().apply(&instance).unwrap();
        assert!(collected.failed.is_empty(), "{:?}", collected.failed);
        assert_eq!(self.ann.bucket().unfinished(".lamindb").unwrap(), []);
        let used: Vec<String> = used.iter().map(|place| place.display().to_string()).collect();
        let root = self.ann.root.split('?').next().unwrap();
        for entry in self.ann.bucket().list("").unwrap() {
            let own = ["lamin.db", "storage_uid.txt", "_exclusion/", ".holotype-quarantine/"]
                .map(|own| format!(".lamindb/{own}"));
            let url = format!("{root}/{}", entry.key);
            // As on this machine, a move that was killed right before its end leaves the old name of the very same bytes.
            let known = own.iter().any(|own| entry.key.starts_with(own))
                || operation == "move" && entry.key.starts_with("from/")
                || used.iter().any(|place| url == *place || url.starts_with(&format!("{place}/")));
            assert!(known, "{operation} {round}: {} belongs to nobody", entry.key);
        }
        let here = labels(&instance).len();
        instance.disconnect().unwrap();
        if self.kept == Kept::Everything {
            assert_eq!(self.ann.labels_in_the_cloud().len(), here);
            assert!(self.ann.locks().holders.is_empty());
        }
    }

    /// Makes sure that what was reported is there.
    fn find(&self, instance: &Instance, told: &Told) {
        for (uid, hash) in &told.saved {
            let found = instance.registry("Artifact").unwrap().filter(Q::is("uid", uid.as_str())).unwrap();
            match found.first().unwrap() {
                Some(row) => {
                    assert!(!self.operation.starts_with("delete"), "{uid} was reported as deleted");
                    assert_eq!(row.text("hash"), Some(hash.as_str()), "{uid} was reported as saved");
                    assert!(!proof::is_incomplete(&row), "{uid} was reported as saved");
                }
                None => {
                    assert!(self.operation.starts_with("delete"), "{uid} was reported as saved and is gone")
                }
            }
        }
    }
}

/// Kills one operation at some of the fault points it passes, and at random moments.
fn kill(kept: Kept, operation: &'static str, at_points: usize, random: usize) {
    let mut stage = Stage::new(kept, operation);
    let mut dice = Dice(operation.bytes().map(u64::from).sum());
    stage.round(&Death::Never);
    let second = stage.round(&Death::Never);
    let mut points = moments(&second.hits);
    while points.len() > at_points {
        points.swap_remove(dice.below(points.len()));
    }
    for (point, nth) in points {
        stage.round(&Death::At(point, nth));
    }
    for _ in 0..random {
        stage.round(&Death::After(second.took * dice.below(1000) as u32 / 1000));
    }
    eprintln!("{operation}, {} in the bucket: {} deaths", kept.name(), stage.killed);
    assert!(stage.killed > 1);
}

/// Kills these operations, as often as `HOLOTYPE_KILLS` says at fault points and half as often at random moments.
#[allow(clippy::disallowed_methods, reason = "the environment says how often to kill")]
fn kill_all(kept: Kept, operations: &[&'static str]) {
    hurry();
    let often = std::env::var("HOLOTYPE_KILLS").map_or(3, |kills| kills.parse().unwrap());
    thread::scope(|scope| {
        for &operation in operations {
            scope.spawn(move || kill(kept, operation, often, often / 2));
        }
    });
}

#[test]
fn what_is_saved_to_a_bucket_survives_kills() {
    kill_all(Kept::Content, &["file", "folder version", "small bulk", "replace", "delete folder", "upload"]);
}

#[test]
fn what_is_saved_to_an_instance_in_a_bucket_survives_kills() {
    kill_all(Kept::Everything, &["version", "folder", "replace suffix", "delete", "move"]);
}
