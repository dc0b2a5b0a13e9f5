//! The command killed at any moment: what can be read is right, nothing half-done shows, and running it again finishes it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use holotype::care::{Collect, Depth};
use holotype::{ErrorKind, Timestamp};

use crate::lab::Lab;

/// A generator of numbers that repeats itself.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

/// Runs the command and kills it after so long; returns true when it was faster.
fn killed_after(lab: &Lab, args: &[&str], delay: Duration) -> bool {
    let mut command = lab.command(&lab.work(), args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while begun.elapsed() < delay {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{args:?}");
            return true;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

/// Returns how long the command takes when nobody kills it.
fn time(lab: &Lab, args: &[&str]) -> Duration {
    let begun = Instant::now();
    lab.ok(args);
    begun.elapsed()
}

/// Checks that the instance opens, that every byte that can be read is right, and that rows of kills can be told apart.
fn audit(lab: &Lab) -> usize {
    let instance = lab.instance();
    let artifacts = instance.registry("Artifact").unwrap();
    let found = instance.verify(&artifacts, Depth::Full).unwrap();
    for wrong in &found.wrong {
        assert_eq!(wrong.state.name(), "incomplete", "{wrong:?}");
        assert_eq!(instance.cache(&wrong.artifact).unwrap_err().kind(), ErrorKind::IncompleteArtifact);
    }
    found.checked - found.wrong.len()
}

/// Repairs and collects, after which nothing may be left over.
fn clean(lab: &Lab) {
    let instance = lab.instance();
    let late = Timestamp(4_102_444_800_000_000);
    let artifacts = instance.registry("Artifact").unwrap();
    let plan = instance.plan_repair(&instance.verify(&artifacts, Depth::Full).unwrap(), late).unwrap();
    let repaired = plan.apply(&instance).unwrap();
    assert!(repaired.failed.is_empty(), "{repaired:?}");
    let all = Collect { unused_before: late, trashed_before: None };
    instance.plan_collect(all).unwrap().apply(&instance).unwrap();
    assert_eq!(instance.unused().unwrap(), []);
    instance.purge(&instance.quarantined().unwrap()).unwrap();
    assert!(instance.verify(&artifacts, Depth::Full).unwrap().is_sound());
}

/// Every file below the settings folders, each of which must be whole.
fn settings(lab: &Lab) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in [lab.home().join(".lamin"), lab.work().join(".lamin")] {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            found.insert(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

/// Kills `rounds` commands that `args` makes, each followed by `check`, which does the same again and looks.
fn rounds(lab: &Lab, rounds: usize, args: &dyn Fn(usize) -> Vec<String>, check: &dyn Fn(usize)) {
    let mut dice = Dice(rounds as u64);
    let strings = |round| args(round);
    let first = strings(0);
    let mut longest = time(lab, &first.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut killed, mut round) = (0, 1);
    while killed < rounds {
        let words = strings(round);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let delay = longest * u32::try_from(dice.below(1000)).unwrap() / 1000;
        if killed_after(lab, &words, delay) {
            longest = longest * 9 / 10;
        } else {
            killed += 1;
        }
        audit(lab);
        lab.ok(&words);
        check(round);
        round += 1;
        assert!(round < 4 * rounds + 10, "no moment to kill {words:?}");
    }
    clean(lab);
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn loads(lab: &Lab, key: &str) -> String {
    let loaded = lab.json(&["load", "--key", key]);
    loaded["paths"][0].as_str().unwrap().to_owned()
}

#[test]
fn saving_a_file_and_its_versions() {
    let lab = Lab::new();
    let name = |round: usize| format!("{round}.txt");
    let content = |round: usize| format!("content {round} ").repeat(20_000);
    let key = |round: usize| if round.is_multiple_of(2) { "same.txt".to_owned() } else { name(round) };
    let args = |round: usize| {
        lab.write(&name(round), &content(round));
        words(&["save", &name(round), "--key", &key(round)])
    };
    rounds(&lab, 30, &args, &|round| {
        assert_eq!(std::fs::read_to_string(loads(&lab, &key(round))).unwrap(), content(round));
    });
}

#[test]
fn saving_a_folder_and_its_versions() {
    let lab = Lab::new();
    let args = |round: usize| {
        for file in 0..10 {
            lab.write(&format!("dir/{file}/x.txt"), &format!("{round} {file} ").repeat(2000));
        }
        words(&["save", "dir", "--key", if round.is_multiple_of(3) { "other" } else { "dir" }])
    };
    rounds(&lab, 25, &args, &|round| {
        let path = loads(&lab, if round.is_multiple_of(3) { "other" } else { "dir" });
        for file in 0..10 {
            let text = std::fs::read_to_string(Path::new(&path).join(format!("{file}/x.txt"))).unwrap();
            assert_eq!(text, format!("{round} {file} ").repeat(2000));
        }
    });
}

#[test]
fn deleting_for_good() {
    let lab = Lab::new();
    let mut dice = Dice(5);
    let mut longest = Duration::from_millis(40);
    let (mut killed, mut round) = (0, 0);
    while killed < 25 {
        let name = format!("{round}.txt");
        lab.write(&name, &format!("gone {round}").repeat(1000));
        let place = lab.json(&["save", &name, "--key", &name])["storage_path"].as_str().unwrap().to_owned();
        let delete = ["delete", "artifact", "--key", &name, "--permanent", "--force"];
        if killed_after(&lab, &delete, longest * u32::try_from(dice.below(1000)).unwrap() / 1000) {
            longest = longest * 9 / 10;
        } else {
            killed += 1;
        }
        audit(&lab);
        // Either it is all there, or it is gone, or repairing finishes the deletion.
        if round % 2 == 0 && lab.run(&delete).code != 0 {
            assert!(lab.fails(1, &delete).contains("does not exist"));
        }
        clean(&lab);
        let rows = lab.json(&["list", "artifact", "--all", "--filter", &format!("key={name}")]);
        let left = rows.as_array().unwrap().len();
        assert_eq!(left == 1, Path::new(&place).exists(), "{name}");
        assert!(left == 0 || round % 2 == 1, "{name}");
        round += 1;
        assert!(round < 120, "no moment to kill it");
    }
}

#[test]
fn making_an_instance() {
    let mut dice = Dice(3);
    let lab = Lab::empty();
    let init = |name: &str| words(&["init", "--storage", &format!("./{name}"), "--name", name]);
    let as_str = |args: &[String]| args.iter().map(String::clone).collect::<Vec<_>>();
    let mut longest = time(&lab, &as_str(&init("first")).iter().map(String::as_str).collect::<Vec<_>>());
    let (mut killed, mut round) = (0, 0);
    while killed < 25 {
        let name = format!("i{round}");
        let args = init(&name);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if killed_after(&lab, &args, longest * u32::try_from(dice.below(1000)).unwrap() / 1000) {
            longest = longest * 9 / 10;
        } else {
            killed += 1;
        }
        for (path, text) in settings(&lab) {
            let partial = path.ends_with(".env") && (text.is_empty() || !text.ends_with('\n'));
            assert!(!partial, "{path} is not whole: {text}");
        }
        lab.ok(&args);
        lab.write("a.txt", &name);
        lab.ok(&["save", "a.txt", "--key", "a.txt"]);
        assert_eq!(std::fs::read_to_string(loads(&lab, "a.txt")).unwrap(), name);
        round += 1;
        assert!(round < 120, "no moment to kill it");
    }
}

#[test]
fn changing_settings() {
    let lab = Lab::new();
    let mut dice = Dice(9);
    let dirs = [lab.home().join("one"), lab.home().join("two")];
    for dir in &dirs {
        std::fs::create_dir(dir).unwrap();
    }
    let set = |i: usize| ["settings", "cache-dir", "set", dirs[i % 2].to_str().unwrap()].map(str::to_owned);
    let args = |i: usize| set(i).to_vec();
    let mut longest = time(&lab, &args(0).iter().map(String::as_str).collect::<Vec<_>>());
    let (mut killed, mut round) = (0, 0);
    while killed < 25 {
        let words = args(round);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if killed_after(&lab, &words, longest * u32::try_from(dice.below(1000)).unwrap() / 1000) {
            longest = longest * 9 / 10;
        } else {
            killed += 1;
        }
        let now = lab.json(&["settings", "cache-dir", "get"])["cache_dir"].as_str().unwrap().to_owned();
        assert!(dirs.iter().any(|dir| dir.to_str() == Some(now.as_str())), "{now}");
        lab.ok(&words);
        let now = lab.json(&["settings", "cache-dir", "get"])["cache_dir"].as_str().unwrap().to_owned();
        assert_eq!(now, dirs[round % 2].to_str().unwrap());
        round += 1;
        assert!(round < 120, "no moment to kill it");
    }
}
