//! What no row uses is found and can be brought back; what is used, young or held stays.

use std::fs;

use holotype::Timestamp;
use holotype::care::{Collect, CollectPlan, Depth, UnusedKind};

use crate::Lab;

/// The year 2100.
pub(crate) const LATE: Timestamp = Timestamp(4_102_444_800_000_000);

pub(crate) const ALL: Collect = Collect { unused_before: LATE, trashed_before: None };

impl Lab {
    fn collect(&self, what: Collect) -> CollectPlan {
        self.instance().plan_collect(what).unwrap()
    }

    fn put(&self, name: &str, content: &str) -> std::path::PathBuf {
        let path = self.scratch.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

fn keys(plan: &CollectPlan) -> Vec<(&str, UnusedKind)> {
    plan.unused.iter().map(|unused| (unused.key.as_str(), unused.kind)).collect()
}

#[test]
fn what_no_row_uses_is_listed_moved_and_purged() {
    let lab = Lab::new();
    let file = lab.file("a.txt", "one");
    lab.folder("dir", &[("x", b"1")]);
    lab.put("mine/data.txt", "of the user");
    assert!(lab.collect(ALL).is_empty(), "a fresh instance holds nothing unused");
    lab.put(".lamindb/0123456789abcdef0000.txt", "orphan");
    lab.put(".lamindb/0123456789abcdefghij.txt.part", "waits");
    lab.put(".lamindb/stray/deep/x", "orphans");
    lab.put("mine/.data.txt.AbCd0123.holotype-tmp", "half");
    let plan = lab.collect(ALL);
    let expected = [
        ("mine/.data.txt.AbCd0123.holotype-tmp", UnusedKind::Temporary),
        (".lamindb/0123456789abcdef0000.txt", UnusedKind::Content),
        (".lamindb/0123456789abcdefghij.txt.part", UnusedKind::Waiting),
        (".lamindb/stray", UnusedKind::Content),
    ];
    assert_eq!(keys(&plan), expected);
    assert_eq!(plan.bytes(), 6 + 5 + 7 + 4);
    let young = lab.collect(Collect { unused_before: Timestamp(0), ..ALL });
    assert_eq!((young.unused.len(), young.young.len()), (0, 4));

    let collected = plan.apply(lab.instance()).unwrap();
    assert_eq!((collected.moved, collected.bytes, collected.failed.len()), (4, 22, 0));
    assert!(lab.collect(ALL).is_empty() && lab.verify(Depth::Full).is_sound());
    assert_eq!(lab.instance().cache(&file).unwrap(), lab.path(&file));
    assert!(lab.scratch.root().join("mine/data.txt").exists());

    let held = lab.instance().quarantined().unwrap();
    assert_eq!((held.len(), held[0].size), (1, 22));
    let batch = lab.scratch.root().join(&held[0].key);
    assert_eq!(fs::read_to_string(batch.join(".lamindb/stray.collected/deep/x")).unwrap(), "orphans");
    lab.instance().purge(&held).unwrap();
    assert!(!batch.exists() && lab.instance().quarantined().unwrap().is_empty());
}

#[test]
fn what_got_a_row_or_a_newer_time_since_the_plan_stays() {
    let lab = Lab::new();
    let record = lab.file("a.txt", "one");
    let (name, place) = (lab.path(&record), lab.scratch.root().join(".lamindb/0123456789abcdef0000.txt"));
    fs::rename(&name, &place).unwrap();
    let touched = lab.put(".lamindb/0123456789abcdef0001.txt", "orphan");
    let plan = lab.collect(ALL);
    assert_eq!(plan.unused.len(), 2);
    lab.behind(&format!(
        "UPDATE lamindb_artifact SET uid = '0123456789abcdef0000' WHERE uid = '{}'",
        record.uid()
    ));
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&touched, "orphaN").unwrap();
    assert_eq!(plan.apply(lab.instance()).unwrap().moved, 0);
    assert!(place.exists() && touched.exists());
}

#[test]
fn a_save_that_goes_on_is_never_disturbed() {
    let lab = Lab::new();
    let (writer, _) = lab.scratch.connect(5).unwrap();
    std::thread::scope(|scope| {
        let saving = scope.spawn(|| {
            for round in 0..40 {
                let source = lab.scratch.file(&format!("s/{round}.txt"), format!("{round}")).unwrap();
                let new = holotype::NewArtifact::new(source.to_str().unwrap()).key(format!("{round}.txt"));
                crate::proof::save(&writer, new).unwrap();
            }
        });
        // As old as a save can be that began a second ago.
        while !saving.is_finished() {
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as i64;
            let plan =
                lab.collect(Collect { unused_before: Timestamp(now - 1_000_000), trashed_before: None });
            plan.apply(lab.instance()).unwrap();
        }
    });
    let found = lab.verify(Depth::Full);
    assert_eq!((found.checked, found.is_sound()), (40, true));
}

#[test]
fn old_trash_goes_to_quarantine_and_its_rows_go() {
    let lab = Lab::new();
    let mut old = lab.file("old.txt", "thrown away");
    let mut real = {
        lab.instance().with_creation(|creation| creation.use_virtual_keys = false).unwrap();
        lab.file("real/here.txt", "of the user")
    };
    let kept = lab.file("kept.txt", "kept");
    lab.instance().trash(&mut old).unwrap();
    lab.instance().trash(&mut real).unwrap();
    let (path, place) = (lab.path(&old), lab.path(&real));
    let what = |before| Collect { unused_before: Timestamp(0), trashed_before: Some(Timestamp(before)) };
    assert!(lab.collect(what(0)).trash.is_empty(), "it was trashed just now");
    let plan = lab.collect(what(LATE.0));
    assert_eq!(plan.trash.iter().map(|trashed| trashed.content).collect::<Vec<_>>(), [true, false]);
    let collected = plan.apply(lab.instance()).unwrap();
    assert_eq!((collected.deleted, collected.moved, collected.bytes), (2, 1, 11));
    assert!(!path.exists() && place.exists(), "content at a real key belongs to the user");
    let left = lab.instance().registry("Artifact").unwrap().all().unwrap();
    assert_eq!(left.iter().map(|row| row.uid()).collect::<Vec<_>>(), [kept.uid()]);
    let held = lab.instance().quarantined().unwrap();
    let name = path.file_name().unwrap();
    let batch = lab.scratch.root().join(&held[0].key);
    assert_eq!(fs::read_to_string(batch.join(".lamindb").join(name)).unwrap(), "thrown away");
}

#[test]
fn trash_that_others_need_stays() {
    let lab = Lab::new();
    let mut used = lab.file("used.txt", "in a collection");
    let new = holotype::NewCollection::new(vec![used.clone()], "c");
    let mut collection = lab.instance().collection(new).unwrap();
    lab.instance().save_collection(&mut collection).unwrap();
    lab.instance().trash(&mut used).unwrap();
    lab.folder("dir", &[("x", b"1")]);
    let mut second = lab.folder("dir", &[("x", b"2")]);
    lab.instance().trash(&mut second).unwrap();
    let everything = Collect { trashed_before: Some(LATE), ..ALL };
    let plan = lab.collect(everything);
    assert!(plan.kept.iter().any(|(row, _)| row.uid() == used.uid()), "{plan:?}");
    plan.apply(lab.instance()).unwrap();
    assert!(lab.path(&used).exists());
}
