//! What is done to an instance while somebody is after its process, in rounds: prepared, done, and looked at.

use std::fs;
use std::path::Path;

use holotype::{Artifact, Instance, NewArtifact, NewStorage, Record, RunChoice};

use crate::proof::{self, artifact, audit, latest, save};

/// What is killed. Each takes the number of the round, which makes its content and names.
pub const OPERATIONS: [&str; 18] = [
    "file",
    "version",
    "folder",
    "folder version",
    "folder revived",
    "bulk",
    "small bulk",
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
pub fn prepare(instance: &Instance, dir: &Path, operation: &str, round: usize) {
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
        "bulk" | "small bulk" => {
            for i in 0..files(operation) {
                write(Path::new(&bulk_file(dir, round, i)), text("bulk", round * 200 + i));
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
pub fn act(
    instance: &Instance,
    dir: &Path,
    operation: &str,
    round: usize,
    acknowledge: &mut dyn FnMut(&Record),
) {
    let mut keep = |new: NewArtifact| acknowledge(&save(instance, new).unwrap());
    match operation {
        "file" => keep(NewArtifact::new(file(dir, "f.txt", round)).key(format!("f/{round}.txt"))),
        "version" => keep(NewArtifact::new(file(dir, "v.txt", round)).key("k.txt")),
        "folder" => keep(NewArtifact::new(folder(dir, "new", round)).key(format!("new{round}"))),
        "folder version" => keep(NewArtifact::new(folder(dir, "next", round)).key("dir")),
        "folder revived" => keep(NewArtifact::new(folder(dir, "turn", 901 + round % 2)).key("turns")),
        "bulk" | "small bulk" => {
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
pub fn done(instance: &Instance, dir: &Path, operation: &str, round: usize) {
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
        "bulk" | "small bulk" => {
            for i in 0..files(operation) {
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
            assert!(!path.starts_with(dir.join("local")), "{operation} {round}: {}", path.display());
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

/// Returns how many files go in bulk.
fn files(operation: &str) -> usize {
    if operation == "bulk" { 200 } else { 20 }
}

fn bulk_file(dir: &Path, round: usize, i: usize) -> String {
    dir.join(format!("work/bulk{round}/{i}.txt")).to_str().unwrap().to_owned()
}
