//! Sixteen processes that save to one key.

use std::path::Path;
use std::process::{Command, Stdio};

use holotype::testing::{self, Scratch};
use holotype::{Instance, NewArtifact, NewCollection, Record, RunChoice};

use super::quiet;

const PROCESSES: u64 = 16;
const SAVES: u64 = 6;
const DIR: &str = "HOLOTYPE_TEST_RACE_DIR";
const SEED: &str = "HOLOTYPE_TEST_RACE_SEED";

/// Runs this very test `PROCESSES` times as a process of its own, each with a seed.
fn spawn(dir: &Path, test: &str) {
    let children: Vec<_> = (0..PROCESSES)
        .map(|seed| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", test, "--nocapture"])
                .env(DIR, dir)
                .env(SEED, (seed + 100).to_string())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Returns the connection and the seed of a child process, nothing in the test itself.
fn child() -> Option<(Instance, u64)> {
    let dir = std::env::var_os(DIR)?;
    let seed = std::env::var_os(SEED)?.into_string().unwrap().parse().unwrap();
    Some((testing::connect(Path::new(&dir), seed).unwrap().0, seed))
}

fn artifact(instance: &Instance, dir: &Path, name: &str) -> Record {
    let path = dir.join(format!("{name}.txt"));
    std::fs::write(&path, name).unwrap();
    let new = NewArtifact { run: RunChoice::None, ..NewArtifact::new(path.to_str().unwrap()) };
    let mut artifact = instance.artifact(new.key(format!("{name}.txt"))).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    artifact.record
}

fn save(instance: &Instance, new: NewCollection) {
    let mut collection = instance.collection(new).unwrap();
    instance.save_collection(&mut collection).unwrap();
}

fn all(scratch: &Scratch) -> Vec<Record> {
    scratch.instance().registry("Collection").unwrap().order_by(["id"]).unwrap().all().unwrap()
}

#[test]
fn one_key_with_distinct_contents_is_one_family_with_one_latest() {
    if let Some((instance, seed)) = child() {
        let dir = instance.env().cwd.clone();
        for i in 0..SAVES {
            let artifact = artifact(&instance, &dir, &format!("{seed}-{i}"));
            save(&instance, quiet(&[artifact], "shared"));
        }
        return;
    }
    let scratch = Scratch::new().unwrap();
    spawn(scratch.dir(), "race::one_key_with_distinct_contents_is_one_family_with_one_latest");
    let rows = all(&scratch);
    assert_eq!(rows.len() as u64, PROCESSES * SAVES, "no save is lost");
    let mut versions: Vec<&str> = rows.iter().map(Record::uid).collect();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), rows.len(), "every version has a number of its own");
    assert!(rows.iter().all(|row| row.stem_uid() == rows[0].stem_uid()), "one family");
    let latest: Vec<&Record> = rows.iter().filter(|row| row.flag("is_latest")).collect();
    assert_eq!(latest.len(), 1, "one latest");
    assert_eq!(latest[0].id(), rows.last().unwrap().id(), "and it is the one saved last");
    for row in &rows {
        assert_eq!(scratch.instance().ordered_artifacts(row).unwrap().count().unwrap(), 1);
    }
}

#[test]
fn one_key_with_equal_content_is_one_collection() {
    if let Some((instance, _)) = child() {
        let artifacts = instance.registry("Artifact").unwrap().all().unwrap();
        for _ in 0..SAVES {
            save(&instance, quiet(&artifacts, "shared"));
        }
        return;
    }
    let scratch = Scratch::new().unwrap();
    let dir = scratch.instance().env().cwd.clone();
    artifact(scratch.instance(), &dir, "a");
    artifact(scratch.instance(), &dir, "b");
    spawn(scratch.dir(), "race::one_key_with_equal_content_is_one_collection");
    let rows = all(&scratch);
    assert_eq!(rows.len(), 1);
    assert!(rows[0].flag("is_latest"));
    assert_eq!(scratch.instance().ordered_artifacts(&rows[0]).unwrap().count().unwrap(), 2);
    assert_eq!(scratch.instance().registry("CollectionArtifact").unwrap().count().unwrap(), 2);
}
