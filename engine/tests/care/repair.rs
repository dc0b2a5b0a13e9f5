//! What is wrong is put right where there is a copy, and never shown where there is none.

use std::fs;

use holotype::care::{Collect, Depth, Remedy, RepairPlan};
use holotype::instance::settings::cache_dir;
use holotype::{ErrorKind, NewArtifact, Timestamp};

use crate::{Lab, flip};

const ALL: Timestamp = Timestamp(i64::MAX);

impl Lab {
    fn plan(&self) -> RepairPlan {
        self.instance().plan_repair(&self.verify(Depth::Full), ALL).unwrap()
    }

    /// Returns the remedies that were planned, after applying them.
    fn repair(&self) -> Vec<String> {
        let plan = self.plan();
        let repaired = plan.apply(self.instance()).unwrap();
        assert!(repaired.failed.is_empty(), "{:?}", repaired.failed);
        plan.steps.iter().map(|step| step.remedy.name().to_owned()).collect()
    }

    fn text(&self, record: &holotype::Record) -> String {
        fs::read_to_string(self.instance().cache(&self.fresh(record)).unwrap()).unwrap()
    }
}

#[test]
fn content_comes_back_from_another_artifact() {
    let lab = Lab::new();
    let first = lab.file("a.txt", "the same bytes");
    let source = lab.scratch.file("src/b.txt", "the same bytes").unwrap();
    let second = NewArtifact {
        skip_hash_lookup: Some(true),
        ..NewArtifact::new(source.to_str().unwrap()).key("b.txt")
    };
    let second = crate::proof::save(lab.instance(), second).unwrap();
    let (one, other) = (lab.path(&first), lab.path(&second));
    // Linked bytes would be damaged together.
    fs::remove_file(&other).unwrap();
    fs::write(&other, "the same bytes").unwrap();
    flip(&one, 3);
    let plan = lab.plan();
    assert!(matches!(&plan.steps[0].remedy, Remedy::Restore { from, .. } if *from == other), "{plan:?}");
    assert_eq!(fs::read(&one).unwrap()[3], b' ' ^ (1 << 3), "planning changes nothing");
    assert_eq!(lab.repair(), ["restore"]);
    assert_eq!(lab.text(&first), "the same bytes");
    fs::remove_file(&one).unwrap();
    assert_eq!(lab.repair(), ["restore"]);
    assert!(lab.verify(Depth::Full).is_sound() && lab.plan().is_empty());
}

#[test]
fn content_comes_back_from_the_cache_and_folders_come_back_whole() {
    let lab = Lab::new();
    let file = lab.file("a.txt", "cached");
    let folder = lab.folder("dir", &[("x", b"1"), ("sub/y", b"22")]);
    let cache = cache_dir(lab.instance().env()).unwrap();
    fs::write(cache.join(format!("{}.txt", file.uid())), "cached").unwrap();
    let copy = cache.join(folder.uid());
    fs::create_dir_all(copy.join("sub")).unwrap();
    fs::write(copy.join("x"), "1").unwrap();
    fs::write(copy.join("sub/y"), "22").unwrap();
    fs::write(lab.path(&file), "short").unwrap();
    fs::write(lab.path(&folder).join("foreign"), "f").unwrap();
    flip(&lab.path(&folder).join("sub/y"), 1);
    assert_eq!(lab.repair(), ["restore", "restore"]);
    assert!(lab.verify(Depth::Full).is_sound());
    assert_eq!(crate::proof::tree(&lab.path(&folder)), crate::proof::tree(&copy));
    // A copy that is damaged as well is not taken.
    fs::write(cache.join(format!("{}.txt", file.uid())), "cAched").unwrap();
    fs::write(lab.path(&file), "cBched").unwrap();
    assert_eq!(lab.repair(), ["mark as incomplete"]);
}

#[test]
fn content_without_a_copy_yields_no_bytes_until_it_is_saved_again() {
    let lab = Lab::new();
    let record = lab.file("a.txt", "only here");
    fs::write(lab.path(&record), "only hero").unwrap();
    assert_eq!(lab.plan().lost(), 1);
    assert_eq!(lab.repair(), ["mark as incomplete"]);
    let error = lab.instance().cache(&record).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompleteArtifact);
    assert_eq!(lab.repair(), ["needs its source"], "repairing again changes nothing");
    let again = lab.file("a.txt", "only here");
    assert_eq!((again.uid(), lab.text(&record).as_str()), (record.uid(), "only here"));
    assert!(lab.verify(Depth::Full).is_sound());
    // So does putting the file back by hand.
    fs::write(lab.path(&record), "only hero").unwrap();
    lab.repair();
    fs::write(lab.path(&record), "only here").unwrap();
    assert_eq!(lab.repair(), ["show again"]);
    assert_eq!(lab.text(&record), "only here");
}

#[test]
fn deletions_that_were_broken_off_are_finished() {
    let lab = Lab::new();
    let record = lab.file("a.txt", "going");
    let kept = lab.file("b.txt", "staying");
    lab.behind(&format!(
        "UPDATE lamindb_artifact SET _aux = '{{\"so\": 1, \"leaving\": 1}}' WHERE id = {}",
        record.id().unwrap()
    ));
    let path = lab.path(&record);
    assert_eq!(lab.repair(), ["finish deletion"]);
    assert!(!path.exists());
    assert_eq!(lab.instance().registry("Artifact").unwrap().all().unwrap()[0].uid(), kept.uid());
}

#[test]
fn whoever_saves_again_takes_a_deletion_back() {
    let lab = Lab::new();
    let record = lab.file("a.txt", "going");
    lab.behind("UPDATE lamindb_artifact SET _aux = '{\"so\": 1, \"leaving\": 1}'");
    let again = lab.file("a.txt", "going");
    assert_eq!(again.uid(), record.uid());
    assert!(lab.plan().is_empty());
    assert_eq!(lab.text(&record), "going");
}

#[test]
fn content_comes_back_from_quarantine_and_rows_of_others_are_left_alone() {
    let lab = Lab::new();
    let record = lab.file("a.txt", "put away by mistake");
    let uid = record.uid().to_owned();
    // Another program gave the content another place.
    let stray = lab.scratch.root().join(".lamindb/strayed.txt");
    fs::rename(lab.path(&record), &stray).unwrap();
    let all = Collect { unused_before: ALL, trashed_before: None };
    lab.instance().plan_collect(all).unwrap().apply(lab.instance()).unwrap();
    assert!(!stray.exists());
    assert_eq!(lab.repair(), ["restore"]);
    assert_eq!((lab.text(&record).as_str(), record.uid()), ("put away by mistake", uid.as_str()));
    lab.behind("UPDATE lamindb_storage SET instance_uid = 'someoneelse1'");
    fs::remove_file(lab.path(&record)).unwrap();
    assert_eq!(lab.repair(), ["needs its source"]);
}

#[test]
fn steps_that_are_out_of_date_change_nothing() {
    let lab = Lab::new();
    let record = lab.file("a.txt", "first");
    fs::write(lab.path(&record), "fir5t").unwrap();
    let plan = lab.plan();
    let mut artifact = holotype::Artifact::from_record(lab.fresh(&record));
    let source = lab.scratch.file("next.txt", "second").unwrap();
    let run = holotype::RunChoice::None;
    lab.instance().replace_content(&mut artifact, source.to_str().unwrap(), false, run).unwrap();
    lab.instance().save_artifact(&mut artifact).unwrap();
    let repaired = plan.apply(lab.instance()).unwrap();
    assert!(repaired.done.is_empty() && repaired.failed[0].1.contains("changed artifact"), "{repaired:?}");
    assert_eq!(lab.text(&record), "second");
}
