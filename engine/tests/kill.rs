//! Processes killed while they save, replace, move and delete: nothing wrong is ever read, and doing it again finishes it.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "children report to their parent, and tests what they measured")]

mod proof;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use holotype::store::Store;
use holotype::testing::{Scratch, connect};
use holotype::{Artifact, Instance, NewArtifact, NewStorage, Record, RunChoice, faults};
use proof::{Dice, artifact, audit, child, latest, plan, save};

/// What is killed. Each takes the number of the round, which makes its content and names.
const OPERATIONS: [&str; 17] = [
    "file",
    "version",
    "folder",
    "folder version",
    "folder revived",
    "bulk",
    "replace",
    "replace suffix",
    "delete",
    "delete folder",
    "real key",
    "real key kept",
    "move",
    "in place",
    "lazy",
    "upload",
    "upload folder",
];

fn text(name: &str, round: usize) -> String {
    format!("{name} of round {round}\n").repeat(400 + round)
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> String {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn folder(dir: &Path, name: &str, round: usize) -> String {
    let path = dir.join("work").join(format!("{name}{round}"));
    for i in 0..12 {
        write(&path.join(format!("sub{}/x{i}.txt", i % 3)), text(name, round + i));
    }
    path.to_str().unwrap().to_owned()
}

fn file(dir: &Path, name: &str, round: usize) -> String {
    write(&dir.join("work").join(format!("{round}-{name}")), text(name, round))
}

/// Keeps artifacts in a folder of their own from now on.
fn keep_local(instance: &Instance, dir: &Path) {
    instance.set_keep_artifacts_local(true);
    let storage = NewStorage::new(dir.join("local").to_str().unwrap());
    instance.use_local_storage(&instance.create_storage(&storage).unwrap()).unwrap();
}

/// Makes sure that there is what the operation works on. Never killed.
fn prepare(instance: &Instance, dir: &Path, operation: &str, round: usize) {
    let seed = |new: NewArtifact| save(instance, new).unwrap();
    let first = round == 0;
    match operation {
        "version" if first => drop(seed(NewArtifact::new(file(dir, "base.txt", 900)).key("k.txt"))),
        "folder version" if first => drop(seed(NewArtifact::new(folder(dir, "base", 900)).key("dir"))),
        "folder revived" if first => {
            for base in [901, 902] {
                seed(NewArtifact::new(folder(dir, "turn", base)).key("turns"));
            }
        }
        "replace" if first => drop(seed(NewArtifact::new(file(dir, "r.csv", 900)).key("r.csv"))),
        "replace suffix" => {
            let key = format!("r{round}.csv");
            seed(NewArtifact::new(file(dir, &key, 900)).key(key));
        }
        "upload" => {
            keep_local(instance, dir);
            seed(NewArtifact::new(file(dir, "u.txt", round)).key(format!("u{round}.txt")));
        }
        "upload folder" => {
            keep_local(instance, dir);
            let revises = latest(instance, "up");
            let new = NewArtifact::new(folder(dir, "up", round)).key("up");
            let record = seed(NewArtifact { revises, ..new });
            if first {
                instance.upload_artifact(&mut Artifact::from_record(record)).unwrap();
                let revises = latest(instance, "up");
                let new = NewArtifact::new(folder(dir, "up", 900)).key("up");
                seed(NewArtifact { revises, ..new });
            }
        }
        "delete" => drop(seed(NewArtifact::new(file(dir, "d.txt", round)).key(format!("d{round}.txt")))),
        "delete folder" => {
            for version in [0, 500] {
                seed(NewArtifact::new(folder(dir, "gone", round + version)).key(format!("gone{round}")));
            }
        }
        "real key" | "real key kept" | "move" => {
            instance
                .with_creation(|creation| {
                    creation.use_virtual_keys = false;
                    creation.keep_versions = operation == "real key kept";
                })
                .unwrap();
            let key = match operation {
                "move" => format!("from/{round}/m.txt"),
                "real key" => "real/x.txt".to_owned(),
                _ => "kept/x.txt".to_owned(),
            };
            // The first round of a key starts without content at its place.
            if operation == "move" || round == 1 {
                seed(NewArtifact::new(file(dir, "base.txt", 900 + round)).key(key));
            }
        }
        _ => {}
    }
}

/// Does the operation; `acknowledge` is called with every row that was reported as saved, or as deleted.
fn act(instance: &Instance, dir: &Path, operation: &str, round: usize, acknowledge: &mut dyn FnMut(&Record)) {
    let mut keep = |new: NewArtifact| acknowledge(&save(instance, new).unwrap());
    match operation {
        "file" => keep(NewArtifact::new(file(dir, "f.txt", round)).key(format!("f/{round}.txt"))),
        "version" => keep(NewArtifact::new(file(dir, "v.txt", round)).key("k.txt")),
        "folder" => keep(NewArtifact::new(folder(dir, "new", round)).key(format!("new{round}"))),
        "folder version" => keep(NewArtifact::new(folder(dir, "next", round)).key("dir")),
        "folder revived" => keep(NewArtifact::new(folder(dir, "turn", 901 + round % 2)).key("turns")),
        "bulk" => {
            let path = format!("work/bulk{round}");
            let mut all =
                instance.artifacts_from_dir(dir.join(path).to_str().unwrap(), None, RunChoice::None).unwrap();
            instance.save_artifacts(&mut all).unwrap();
            all.iter().for_each(|artifact| acknowledge(&artifact.record));
        }
        "replace" => {
            let mut old = artifact(instance, "r.csv");
            let source = file(dir, "new.csv", round);
            if instance.replace_content(&mut old, &source, false, RunChoice::None).unwrap().is_none() {
                instance.save_artifact(&mut old).unwrap();
            }
            acknowledge(&old.record);
        }
        "replace suffix" => {
            let Some(old) = latest(instance, &format!("r{round}.csv")) else { return };
            let mut old = Artifact::from_record(old);
            let source = file(dir, "new.data", round);
            if instance.replace_content(&mut old, &source, false, RunChoice::None).unwrap().is_none() {
                instance.save_artifact(&mut old).unwrap();
            }
            acknowledge(&old.record);
        }
        "delete" | "delete folder" => {
            let key = if operation == "delete" { format!("d{round}.txt") } else { format!("gone{round}") };
            let Some(record) = latest(instance, &key) else { return };
            instance.delete_artifact(&record, None).unwrap();
            acknowledge(&record);
        }
        "real key" | "real key kept" => {
            instance
                .with_creation(|creation| {
                    creation.use_virtual_keys = false;
                    creation.keep_versions = operation == "real key kept";
                })
                .unwrap();
            let key = if operation == "real key" { "real/x.txt" } else { "kept/x.txt" };
            keep(NewArtifact::new(file(dir, "x.txt", round)).key(key));
        }
        "in place" => {
            let path = dir.join(format!("store/mine/{round}.txt"));
            keep(NewArtifact::new(write(&path, text("mine", round))));
        }
        "lazy" => {
            let mut lazy =
                instance.lazy_artifact(".txt", false, Some("lazy.txt"), None, RunChoice::None).unwrap();
            fs::write(lazy.source().unwrap(), text("lazy", round)).unwrap();
            instance.save_artifact(&mut lazy).unwrap();
            acknowledge(&lazy.record);
        }
        "upload" | "upload folder" => {
            keep_local(instance, dir);
            let key = if operation == "upload" { format!("u{round}.txt") } else { "up".to_owned() };
            let mut kept = Artifact::from_record(latest(instance, &key).unwrap());
            instance.upload_artifact(&mut kept).unwrap();
            acknowledge(&kept.record);
        }
        "move" => {
            let Some(record) = latest(instance, &format!("from/{round}/m.txt")) else { return };
            let mut moved = Artifact::from_record(record);
            moved.record.set("key", format!("to/{round}/m.txt")).unwrap();
            instance.save_artifact(&mut moved).unwrap();
            acknowledge(&moved.record);
        }
        other => panic!("{other} is no operation"),
    }
}

/// Checks that the operation is done.
fn done(instance: &Instance, dir: &Path, operation: &str, round: usize) {
    let holds = |key: &str, expected: String| {
        let record =
            latest(instance, key).unwrap_or_else(|| panic!("{operation} {round}: nothing under {key}"));
        let path = instance.cache(&record).unwrap();
        assert_eq!(fs::read(&path).unwrap(), fs::read(expected).unwrap(), "{operation} {round}");
    };
    let same = |key: &str, name: &str, from: usize| {
        let path = instance.cache(&latest(instance, key).unwrap()).unwrap();
        let expected = dir.join("work").join(format!("{name}{from}"));
        assert_eq!(proof::tree(&path), proof::tree(&expected), "{operation} {round}");
    };
    match operation {
        "file" => holds(&format!("f/{round}.txt"), file(dir, "f.txt", round)),
        "version" => holds("k.txt", file(dir, "v.txt", round)),
        "folder" => same(&format!("new{round}"), "new", round),
        "folder version" => same("dir", "next", round),
        "folder revived" => same("turns", "turn", 901 + round % 2),
        "bulk" => {
            for i in 0..BULK {
                holds(&format!("bulk{round}/{i}.txt"), bulk_file(dir, round, i));
            }
        }
        "replace" => holds("r.csv", file(dir, "new.csv", round)),
        "replace suffix" => holds(&format!("r{round}.data"), file(dir, "new.data", round)),
        "delete" => assert!(latest(instance, &format!("d{round}.txt")).is_none()),
        "delete folder" => assert!(latest(instance, &format!("gone{round}")).is_none()),
        "real key" => holds("real/x.txt", file(dir, "x.txt", round)),
        "real key kept" => {
            holds("kept/x.txt", file(dir, "x.txt", round));
            let counted = audit(instance, &dir.join("store"));
            assert_eq!(counted.overwritten, 0, "every version is kept");
        }
        "in place" => holds(&format!("mine/{round}.txt"), file(dir, "mine", round)),
        "lazy" => holds("lazy.txt", file(dir, "lazy", round)),
        "upload" | "upload folder" => {
            let key = if operation == "upload" { format!("u{round}.txt") } else { "up".to_owned() };
            let path = instance.cache(&latest(instance, &key).unwrap()).unwrap();
            assert!(path.starts_with(dir.join("store")), "{operation} {round}: {}", path.display());
            match operation {
                "upload" => holds(&key, file(dir, "u.txt", round)),
                _ => same(&key, "up", if round == 0 { 900 } else { round }),
            }
        }
        "move" => {
            holds(&format!("to/{round}/m.txt"), file(dir, "base.txt", 900 + round));
            // Killed right before its end, a move leaves the old name of the very same bytes.
            let old = dir.join(format!("store/from/{round}/m.txt"));
            assert!(!old.exists() || fs::read(old).unwrap() == text("base.txt", 900 + round).into_bytes());
        }
        other => panic!("{other} is no operation"),
    }
}

const BULK: usize = 200;

fn bulk_file(dir: &Path, round: usize, i: usize) -> String {
    dir.join(format!("work/bulk{round}/{i}.txt")).to_str().unwrap().to_owned()
}

/// Not a test of its own: what the parent runs, and kills.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, operation, round, seed, point, nth] = plan.try_into().unwrap();
    let (round, nth): (usize, usize) = (round.parse().unwrap(), nth.parse().unwrap());
    let (instance, _) = connect(Path::new(&dir), seed.parse().unwrap()).unwrap();
    let hits = Mutex::new(BTreeMap::<String, usize>::new());
    faults::arm(move |name| {
        let mut hits = hits.lock().unwrap();
        let hit = hits.entry(name.to_owned()).or_default();
        *hit += 1;
        if point == "list" {
            println!("@hit {name}");
        } else if name == point && *hit == nth {
            std::process::abort();
        }
    });
    println!("@start");
    act(&instance, Path::new(&dir), &operation, round, &mut |record| {
        println!("@saved {} {}", record.uid(), record.text("hash").unwrap_or_default());
    });
    println!("@end");
}

/// When a child dies.
#[derive(Clone, Debug)]
enum Death {
    /// It does not, and lists the fault points it passed.
    Never,
    /// At the nth time it comes by a fault point.
    At(String, usize),
    /// So long after the start of its work.
    After(Duration),
}

/// What a child told before it died.
#[derive(Default)]
struct Told {
    hits: Vec<String>,
    saved: Vec<(String, String)>,
    ended: bool,
    took: Duration,
}

fn run(dir: &Path, operation: &str, round: usize, death: &Death) -> Told {
    let (point, nth) = match death {
        Death::Never => ("list", 0),
        Death::At(point, nth) => (point.as_str(), *nth),
        Death::After(_) => ("none", 0),
    };
    let seed = 1000 + round * 50 + OPERATIONS.iter().position(|known| *known == operation).unwrap();
    let plan = [
        &dir.display().to_string(),
        operation,
        &round.to_string(),
        &seed.to_string(),
        point,
        &nth.to_string(),
    ];
    let mut child = child("the_child", &plan.join("\t")).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stderr = child.stderr.take().unwrap();
    let child = Arc::new(Mutex::new(child));
    let mut told = Told::default();
    let mut begun = Instant::now();
    let mut killer = None;
    for line in lines {
        let line = line.unwrap();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("@start", _) => {
                begun = Instant::now();
                if let Death::After(delay) = death {
                    let (delay, child) = (*delay, child.clone());
                    killer = Some(std::thread::spawn(move || {
                        std::thread::sleep(delay);
                        child.lock().unwrap().kill().unwrap();
                    }));
                }
            }
            ("@hit", name) => told.hits.push(name.to_owned()),
            ("@saved", rest) => {
                let (uid, hash) = rest.split_once(' ').unwrap();
                told.saved.push((uid.to_owned(), hash.to_owned()));
            }
            ("@end", _) => {
                told.ended = true;
                told.took = begun.elapsed();
            }
            _ => {}
        }
    }
    if let Some(killer) = killer {
        killer.join().unwrap();
    }
    let mut text = String::new();
    stderr.read_to_string(&mut text).unwrap();
    let status = child.lock().unwrap().wait().unwrap();
    match death {
        Death::Never => assert!(status.success(), "{text}"),
        Death::At(..) => assert!(!status.success(), "{operation}: the child survived {death:?}"),
        Death::After(_) => {}
    }
    assert!(!text.contains("panicked"), "{operation} {death:?}: {text}");
    told
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
        if operation == "bulk" {
            for i in 0..BULK {
                write(Path::new(&bulk_file(&dir, round, i)), text("bulk", round * BULK + i));
            }
        }
        prepare(self.scratch.instance(), &dir, operation, round);
        let told = run(&dir, operation, round, death);
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

/// Returns the fault points that a list of hits passes, and for frequent ones the first, a middle and the last time.
fn moments(hits: &[String]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    hits.iter().for_each(|hit| *counts.entry(hit).or_default() += 1);
    let mut moments = Vec::new();
    for (point, n) in counts {
        let mut nths: Vec<usize> = if n <= 3 { (1..=n).collect() } else { vec![1, n / 2, n] };
        nths.dedup();
        moments.extend(nths.into_iter().map(|nth| (point.clone(), nth)));
    }
    moments
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
