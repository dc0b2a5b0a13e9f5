//! Two users who share an instance in a bucket, and what they do to it over a bad network.

use std::fs;
use std::path::Path;
use std::time::Duration;

use holotype::care::{Collect, Depth};
use holotype::{ErrorKind, Instance, NewArtifact, Q, Record, Result, Timestamp};

use crate::client::{Client, label, labels};
use crate::proof::{self, Dice, latest};
use crate::stores::server::SMALL_PARTS;
use crate::support::noise;
use crate::weather::Weather;

/// What is done: the database is handed over; content is sent, fetched and removed; the database is sent and fetched.
pub const KINDS: [&str; 6] = ["hand over", "upload", "download", "delete", "push", "pull"];

/// How often something may fail before it has to succeed.
const PATIENCE: usize = 200;

pub struct World {
    weather: Weather,
    ann: Client,
    ben: Client,
    /// Ann's, who has the lock whenever no run is under way.
    instance: Instance,
    rounds: usize,
    /// What was reported as sent.
    pushed: Vec<String>,
    /// What was reported as saved, and is not yet deleted.
    saved: Vec<Record>,
}

impl World {
    /// Returns a world in which each request is tried so often.
    pub fn new(attempts: &str) -> World {
        let weather = Weather::default();
        let root = SMALL_PARTS.root_at(&weather.over(&SMALL_PARTS).endpoint());
        let ann = Client::new(&root, Some("ann")).with_var("AWS_MAX_ATTEMPTS", attempts);
        let instance = ann.init().unwrap();
        instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
        let ben = ann.colleague(Some("ben")).with_var("AWS_MAX_ATTEMPTS", attempts);
        World { weather, ann, ben, instance, rounds: 0, pushed: Vec::new(), saved: Vec::new() }
    }

    /// Does one thing until it succeeds; returns what, and how often it failed before.
    pub fn run(&mut self, dice: &mut Dice) -> (&'static str, usize) {
        self.rounds += 1;
        // Handing over asks as much of a server as twenty others do.
        let what = if dice.below(30) == 0 { "hand over" } else { *dice.pick(&KINDS[1..]) };
        let failures = match what {
            "upload" => self.upload(dice),
            "download" => self.download(dice),
            "delete" => self.delete(dice),
            "push" => self.push(dice),
            "hand over" => self.hand_over(dice),
            _ => self.pull(dice),
        };
        self.weather.clear_up();
        (what, failures)
    }

    /// Does something in bad weather until it succeeds, and returns how often it failed.
    fn insist<T>(&self, dice: &mut Dice, mut work: impl FnMut() -> Result<T>) -> (T, usize) {
        for failed in 0..PATIENCE {
            self.weather.worsen(dice);
            let done = work();
            self.weather.clear_up();
            match done {
                Ok(done) => return (done, failed),
                Err(error) => clear(&error),
            }
        }
        panic!("it never succeeds");
    }

    /// Writes a file or a folder that never was before, of some size, and returns its path.
    fn source(&self, dice: &mut Dice) -> String {
        let folder = dice.below(4) == 0;
        let name = if folder { self.rounds.to_string() } else { format!("{}.bin", self.rounds) };
        let path = self.ann.dir.join("sources").join(name);
        let size = |dice: &mut Dice| {
            let end = *dice.pick(&[10, 3_000, 300_000]);
            dice.below(end)
        };
        let write = |path: &Path, dice: &mut Dice| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut content = noise(size(dice), dice.roll());
            content.extend_from_slice(path.to_str().unwrap().as_bytes());
            fs::write(path, content).unwrap();
        };
        if folder {
            for i in 0..1 + dice.below(6) {
                write(&path.join(format!("sub{}/{i}.bin", i % 2)), dice);
            }
        } else {
            write(&path, dice);
        }
        path.to_str().unwrap().to_owned()
    }

    /// Saves something, as a new artifact or as a version of one that is there.
    fn upload(&mut self, dice: &mut Dice) -> usize {
        let source = self.source(dice);
        let folder = Path::new(&source).is_dir();
        let key = if dice.below(3) == 0 { usize::MAX } else { self.rounds };
        let key = if folder { format!("folder{key}") } else { format!("file{key}.bin") };
        let save = || proof::save(&self.instance, NewArtifact::new(&source).key(&key));
        let (record, failures) = self.insist(dice, save);
        assert_eq!(latest(&self.instance, &key).unwrap().uid(), record.uid());
        self.forget(&record);
        self.compare(&record, &self.instance.cache(&record).unwrap(), &source);
        if folder {
            // Versions of a folder share one place: the content of the former ones is gone.
            self.saved.retain(|other| other.stem_uid() != record.stem_uid());
        }
        self.saved.push(record);
        failures
    }

    /// Fetches something that was saved before.
    fn download(&mut self, dice: &mut Dice) -> usize {
        if self.saved.is_empty() {
            self.upload(&mut Dice(dice.roll()));
        }
        let record = dice.pick(&self.saved).clone();
        self.forget(&record);
        let (path, failures) = self.insist(dice, || {
            let path = self.instance.cache(&record);
            path.inspect(|path| proof::check_bytes(&self.instance, &record, path))
        });
        proof::check_bytes(&self.instance, &record, &path);
        failures
    }

    /// Deletes something for good.
    fn delete(&mut self, dice: &mut Dice) -> usize {
        if self.saved.is_empty() {
            self.upload(&mut Dice(dice.roll()));
        }
        let record = self.saved.swap_remove(dice.below(self.saved.len()));
        let rows = || {
            let all = self.instance.registry("Artifact").unwrap();
            all.filter(Q::is("uid", record.uid())).unwrap().all().unwrap()
        };
        let (_, failures) = self.insist(dice, || match rows().first() {
            Some(row) => self.instance.delete_artifact(row, None),
            None => Ok(()),
        });
        assert!(rows().is_empty(), "{record:?}");
        // Of a folder, all versions go.
        self.saved.retain(|other| self.instance.by_id(other.registry(), other.id().unwrap()).is_ok());
        failures
    }

    /// Sends rows.
    fn push(&mut self, dice: &mut Dice) -> usize {
        let name = format!("{} of ann", self.rounds);
        label(&self.instance, &name).unwrap();
        let (_, failures) = self.insist(dice, || self.instance.send());
        self.pushed.push(name);
        if dice.below(4) == 0 {
            self.same_in_the_cloud();
        }
        failures
    }

    /// Lets the other user work, and come to an end.
    fn hand_over(&mut self, dice: &mut Dice) -> usize {
        let (_, mut failures) = self.insist(dice, || self.instance.disconnect());
        let (theirs, failed) = self.insist(dice, || self.ben.connect());
        failures += failed;
        failures += self.insist(dice, || theirs.hold(Duration::ZERO)).1;
        for name in &self.pushed {
            assert!(labels(&theirs).contains(name), "{name} was reported as sent");
        }
        let name = format!("{} of ben", self.rounds);
        label(&theirs, &name).unwrap();
        failures += self.insist(dice, || theirs.disconnect()).1;
        self.pushed.push(name);
        failures += self.insist(dice, || self.instance.hold(Duration::ZERO)).1;
        assert_eq!(labels(&self.instance).len(), self.pushed.len());
        failures
    }

    /// Brings what was sent to the other user.
    fn pull(&mut self, dice: &mut Dice) -> usize {
        let (theirs, failures) = self.insist(dice, || self.ben.connect());
        let there = labels(&theirs);
        assert_eq!(there.len(), self.pushed.len(), "{there:?} of {:?}", self.pushed);
        failures
    }

    /// Removes the copy in the cache.
    fn forget(&self, record: &Record) {
        let path = self.instance.cache(record).unwrap();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    fn compare(&self, record: &Record, path: &Path, source: &str) {
        proof::check_bytes(&self.instance, record, path);
        if path.is_dir() {
            assert_eq!(proof::tree(path), proof::tree(Path::new(source)));
        } else {
            assert!(fs::read(path).unwrap() == fs::read(source).unwrap(), "{record:?}");
        }
    }

    fn same_in_the_cloud(&self) {
        let (mut there, mut sent) = (self.ann.labels_in_the_cloud(), self.pushed.clone());
        there.sort();
        sent.sort();
        assert_eq!(there, sent);
    }

    /// Looks at everything once more, in good weather.
    pub fn check(self) {
        self.instance.disconnect().unwrap();
        self.same_in_the_cloud();
        assert!(
            self.ann.kept().is_empty() && self.ben.kept().is_empty(),
            "nobody's work had to be set aside"
        );
        assert!(self.ann.locks().holders.is_empty());
        let artifacts = self.instance.registry("Artifact").unwrap();
        let found = self.instance.verify(&artifacts, Depth::Full).unwrap();
        let wrong: Vec<_> = found.wrong.iter().filter(|finding| self.is_saved(&finding.artifact)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        // What failures left behind is found, all of it.
        let all = Collect { unused_before: Timestamp(i64::MAX), trashed_before: None };
        self.instance.hold(Duration::ZERO).unwrap();
        let plan = self.instance.plan_collect(all).unwrap();
        assert!(plan.young.is_empty(), "{:?}", plan.young);
        let collected = plan.apply(&self.instance).unwrap();
        assert!(collected.failed.is_empty(), "{:?}", collected.failed);
        assert_eq!(self.ann.bucket().unfinished(".lamindb").unwrap(), []);
        self.instance.disconnect().unwrap();
        let used: Vec<String> = self.saved.iter().map(|record| self.place(record)).collect();
        for entry in self.ann.bucket().list("").unwrap() {
            let own = [
                ".lamindb/lamin.db",
                ".lamindb/storage_uid.txt",
                ".lamindb/_exclusion/",
                ".lamindb/.holotype-quarantine/",
            ];
            let known = own.iter().any(|own| entry.key.starts_with(own))
                || used
                    .iter()
                    .any(|place| entry.key == *place || entry.key.starts_with(&format!("{place}/")));
            assert!(known, "{} belongs to nobody", entry.key);
        }
    }

    fn is_saved(&self, record: &Record) -> bool {
        self.saved.iter().any(|saved| saved.uid() == record.uid())
    }

    fn place(&self, record: &Record) -> String {
        let url = self.instance.artifact_path(record).unwrap().display().to_string();
        let root = self.ann.root.split('?').next().unwrap();
        url.strip_prefix(&format!("{root}/")).unwrap().to_owned()
    }
}

/// Checks that an error names what failed and what to do.
pub fn clear(error: &holotype::Error) {
    let text = error.message();
    assert!(matches!(error.kind(), ErrorKind::Io), "{:?}: {text}", error.kind());
    assert!(text.contains("s3://"), "no place is named: {text}");
    let next = ["try again", "check the network", "again later"];
    assert!(next.iter().any(|next| text.contains(next)), "no next step is named: {text}");
}
