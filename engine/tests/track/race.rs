//! Many processes and threads track at once.
#![allow(clippy::disallowed_methods, reason = "the child learns from its environment what to do")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use holotype::testing::{Scratch, connect};
use holotype::track::{EnvironmentFile, TrackOptions};

use super::{all, of, started, versions};

const PLAN: &str = "HOLOTYPE_TRACK_PLAN";

/// Tracks a script the way every process and thread of a race does it.
fn take_part(dir: &Path, seed: u64, name: &str) {
    let (instance, _) = connect(dir, seed).unwrap();
    let environment =
        Some(EnvironmentFile { name: "run_env_pip.txt".to_owned(), content: b"numpy==2.0\n".to_vec() });
    started(instance.track(&TrackOptions { environment, ..of(&instance, name) }));
}

/// Not a test of its own: what the processes of a race run.
#[test]
fn the_child() {
    let Ok(plan) = std::env::var(PLAN) else { return };
    let [seed, name, dir] = plan.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
    take_part(Path::new(dir), seed.parse().unwrap(), name);
}

fn spawn(dir: &Path, seed: u64, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "race::the_child", "--quiet"])
        .env(PLAN, format!("{seed} {name} {}", dir.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn check(scratch: &Scratch, transforms: usize, runs: usize) {
    let instance = scratch.instance();
    let latest = versions(instance).iter().filter(|row| row.2).count();
    assert_eq!((versions(instance).len(), latest), (transforms, 1));
    let made = all(instance, "Run");
    let uids: BTreeSet<&str> = made.iter().map(|run| run.uid()).collect();
    assert_eq!((made.len(), uids.len()), (runs, runs));
    let environments: BTreeSet<Option<i64>> = made.iter().map(|run| run.int("environment_id")).collect();
    assert_eq!(environments.len(), 1, "runs with an equal environment share it");
    assert_eq!(all(instance, "Artifact").len(), 1);
}

#[test]
fn processes_that_track_one_script_share_its_transform() {
    let scratch = Scratch::new().unwrap();
    scratch.file("s.py", "print(1)").unwrap();
    let children: Vec<Child> = (0..32).map(|seed| spawn(scratch.dir(), 100 + seed, "s.py")).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    check(&scratch, 1, 32);
    // A second round on changed text makes exactly one more version.
    scratch.file("s.py", "print(2)").unwrap();
    let children: Vec<Child> = (0..8).map(|seed| spawn(scratch.dir(), 200 + seed, "s.py")).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    check(&scratch, 2, 40);
}

#[test]
fn threads_that_track_one_script_share_its_transform() {
    let scratch = Scratch::new().unwrap();
    scratch.file("s.py", "print(1)").unwrap();
    std::thread::scope(|scope| {
        for seed in 0..16 {
            let dir = scratch.dir();
            scope.spawn(move || take_part(dir, 300 + seed, "s.py"));
        }
    });
    check(&scratch, 1, 16);
}

#[test]
fn threads_that_save_one_pipeline_share_its_family() {
    let scratch = Scratch::new().unwrap();
    std::thread::scope(|scope| {
        for seed in 0..12u64 {
            let dir = scratch.dir();
            scope.spawn(move || {
                let (instance, _) = connect(dir, 400 + seed).unwrap();
                let given = [("key", "pipe".into()), ("source_code", format!("version {}", seed % 3).into())];
                let mut record = instance.transform(&given, None, Default::default()).unwrap().record;
                instance.save_transform(&mut record).unwrap();
                assert!(record.id().is_some());
            });
        }
    });
    let rows = all(scratch.instance(), "Transform");
    let stems: BTreeSet<&str> = rows.iter().map(|row| row.stem_uid()).collect();
    let latest = rows.iter().filter(|row| row.flag("is_latest")).count();
    assert_eq!((rows.len(), stems.len(), latest), (3, 1, 1));
}
