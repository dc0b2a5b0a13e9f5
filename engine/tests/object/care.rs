//! The care of content in buckets.

use std::fs;

use holotype::care::{Collect, Depth, State};
use holotype::{NewArtifact, NewStorage, Record, Timestamp};

use crate::artifacts::Cloud;
use crate::stores::server::MOTO;
use crate::support::noise;

impl Cloud {
    fn file(&self, key: &str, content: impl AsRef<[u8]>) -> Record {
        self.save(NewArtifact::new(self.source(key, content)).key(key))
    }

    fn folder(&self, key: &str, files: &[(&str, &str)]) -> Record {
        for (name, content) in files {
            self.source(&format!("{key}/{name}"), content);
        }
        let path = self.dir.path().join("work").join(key);
        self.save(NewArtifact::new(path.to_str().unwrap()).key(key))
    }

    /// Returns what is wrong as `key: state, detail`.
    fn wrong(&self, depth: Depth) -> Vec<String> {
        let found = self.instance.verify(&self.instance.registry("Artifact").unwrap(), depth).unwrap();
        let key = |record: &Record| record.text("key").unwrap_or_default().to_owned();
        let wrong = found.wrong.iter();
        wrong.map(|f| format!("{}: {}, {}", key(&f.artifact), f.state.name(), f.detail)).collect()
    }

    /// Repairs what is wrong and returns the words for what was done.
    fn repair(&self) -> Vec<&'static str> {
        let all = self.instance.registry("Artifact").unwrap();
        let found = self.instance.verify(&all, Depth::Full).unwrap();
        let plan = self.instance.plan_repair(&found, Timestamp(0)).unwrap();
        let repaired = plan.apply(&self.instance).unwrap();
        assert!(repaired.failed.is_empty(), "{:?}", repaired.failed);
        plan.steps.iter().map(|step| step.remedy.name()).collect()
    }

    fn place(&self, record: &Record) -> String {
        let url = self.instance.artifact_path(record).unwrap().display().to_string();
        url.strip_prefix(&format!("{}/", self.url())).unwrap().to_owned()
    }
}

/// What is wrong is found by its size, by the tag that the store gives it, or by reading it.
#[test]
fn what_is_wrong_in_a_bucket_is_found() {
    let cloud = Cloud::new();
    let bucket = cloud.bucket();
    let whole = cloud.file("whole.bin", noise(100_000, 1));
    let cut = cloud.file("cut.txt", "one two three");
    let gone = cloud.file("gone.txt", "going");
    let flipped = cloud.file("flipped.txt", "abc");
    let (large, small) = (noise(9 * 1024 * 1024, 7), "x");
    let parts = cloud.file("parts.bin", &large);
    let folder = cloud.folder("dir", &[("a", "1"), ("sub/b", "22"), ("sub/c", "333")]);
    assert!(cloud.wrong(Depth::Fast).is_empty() && cloud.wrong(Depth::Full).is_empty());
    let one = cloud.instance.verify_artifact(&whole, Depth::Full).unwrap();
    assert_eq!((one.state, one.read), (State::Sound, true));

    bucket.write(&cloud.place(&cut), b"one two", false).unwrap();
    bucket.remove(&cloud.place(&gone)).unwrap();
    bucket.write(&cloud.place(&flipped), b"abd", false).unwrap();
    bucket.write(&format!("{}/sub/b", cloud.place(&folder)), b"2x", false).unwrap();
    bucket.write(&format!("{}/foreign", cloud.place(&folder)), small.as_bytes(), false).unwrap();
    let mut bytes = large;
    bytes[8_000_000] ^= 1;
    bucket.write(&cloud.place(&parts), &bytes, false).unwrap();
    let fast = cloud.wrong(Depth::Fast);
    let tag = "its store tells another hash than was recorded";
    assert!(fast.contains(&"cut.txt: damaged, has 7 bytes instead of 13".to_owned()), "{fast:?}");
    assert!(fast.contains(&"gone.txt: missing, nothing is there".to_owned()), "{fast:?}");
    assert!(fast.contains(&format!("flipped.txt: damaged, {tag}")), "{fast:?}");
    assert!(fast.contains(&"dir: damaged, 1 foreign: foreign".to_owned()), "{fast:?}");
    bucket.remove(&format!("{}/foreign", cloud.place(&folder))).unwrap();
    let full = cloud.wrong(Depth::Full);
    assert!(full.contains(&"dir: damaged, 1 changed: sub/b".to_owned()), "{full:?}");
    assert!(full.iter().any(|line| line.starts_with("parts.bin: damaged")), "{full:?}");
    assert_eq!(full.len(), 5, "{full:?}");
}

#[test]
fn many_objects_are_looked_at_by_one_list() {
    let cloud = Cloud::new();
    for i in 0..30 {
        cloud.source(&format!("many/{i}.txt"), format!("content {i}"));
    }
    let path = cloud.dir.path().join("work/many").display().to_string();
    let mut all = cloud.instance.artifacts_from_dir(&path, Some("many"), holotype::RunChoice::None).unwrap();
    cloud.instance.save_artifacts(&mut all).unwrap();
    cloud.folder("dir", &[("a", "1"), ("b", "22")]);
    assert!(cloud.wrong(Depth::Fast).is_empty());
    cloud.bucket().remove(&cloud.place(&all[7].record)).unwrap();
    let wrong = cloud.wrong(Depth::Fast);
    assert!(wrong.len() == 1 && wrong[0].ends_with("missing, nothing is there"), "{wrong:?}");
}

#[test]
fn copies_come_from_the_cache_and_from_other_locations() {
    let cloud = Cloud::new();
    let bucket = cloud.bucket();
    let cached = cloud.file("cached.txt", "in the cache");
    cloud.instance.cache(&cached).unwrap();
    let folder = cloud.folder("dir", &[("a", "1"), ("sub/b", "22")]);
    cloud.instance.cache(&folder).unwrap();
    // The same bytes in a second bucket.
    let second = cloud.instance.create_storage(&NewStorage::new(MOTO.root())).unwrap();
    let twin = cloud.file("twin.txt", "twice there");
    let mut other = NewArtifact::new(cloud.source("other.txt", "twice there")).key("other.txt");
    (other.storage, other.skip_hash_lookup) = (second.id(), Some(true));
    let other = cloud.save(other);
    assert_ne!(other.int("storage_id"), twin.int("storage_id"));
    let lost = cloud.file("lost.txt", "nowhere else");
    fs::remove_file(cloud.cached("lost.txt")).ok();
    fs::remove_file(cloud.cached("twin.txt")).ok();
    for record in [&cached, &twin, &lost, &folder] {
        bucket.remove(&cloud.place(record)).unwrap();
    }
    let mut done = cloud.repair();
    done.sort_unstable();
    assert_eq!(done, ["mark as incomplete", "restore", "restore", "restore"]);
    let wrong = cloud.wrong(Depth::Full);
    assert!(wrong.len() == 1 && wrong[0].starts_with("lost.txt: incomplete"), "{wrong:?}");
    // Put back by hand, it is shown again.
    bucket.write(&cloud.place(&lost), b"nowhere else", false).unwrap();
    assert_eq!(cloud.repair(), ["show again"]);
    assert!(cloud.wrong(Depth::Full).is_empty());
}

#[test]
fn what_no_row_uses_moves_to_quarantine_within_the_bucket() {
    let cloud = Cloud::new();
    let bucket = cloud.bucket();
    let kept = cloud.file("kept.txt", "kept");
    let folder = cloud.folder("dir", &[("a", "1"), ("b", "22")]);
    bucket.write("mine/not-ours.txt", b"user's", false).unwrap();
    bucket.write(".lamindb/0123456789abcdef0000.txt", b"orphan", false).unwrap();
    bucket.write(".lamindb/0123456789abcdef/x", b"1", false).unwrap();
    bucket.write(".lamindb/0123456789abcdef/sub/y", b"22", false).unwrap();
    let all = Collect { unused_before: Timestamp(i64::MAX), trashed_before: None };
    let young = Collect { unused_before: Timestamp(0), ..all };
    assert_eq!(cloud.instance.plan_collect(young).unwrap().young.len(), 2);
    let plan = cloud.instance.plan_collect(all).unwrap();
    let found: Vec<(&str, u64)> = plan.unused.iter().map(|one| (one.key.as_str(), one.size)).collect();
    assert_eq!(found, [(".lamindb/0123456789abcdef", 3), (".lamindb/0123456789abcdef0000.txt", 6)]);
    assert!(plan.unused[0].place().starts_with("s3://") && !plan.unused[0].place().contains('?'));
    // Somebody writes to one of them after the plan was made: it stays.
    bucket.write(".lamindb/0123456789abcdef/z", b"new", false).unwrap();
    let collected = plan.apply(&cloud.instance).unwrap();
    assert_eq!((collected.moved, collected.bytes, collected.failed.len()), (1, 6, 0));
    let collected = cloud.instance.plan_collect(all).unwrap().apply(&cloud.instance).unwrap();
    assert_eq!((collected.moved, collected.bytes), (1, 6));
    assert!(cloud.instance.plan_collect(all).unwrap().is_empty());
    assert_eq!(cloud.text(&kept), "kept");
    assert!(cloud.wrong(Depth::Full).is_empty(), "{}", folder.uid());
    let held = cloud.instance.quarantined().unwrap();
    assert_eq!(held.iter().map(|one| one.size).sum::<u64>(), 12);
    cloud.instance.purge(&held).unwrap();
    assert!(cloud.instance.quarantined().unwrap().is_empty());
    assert!(cloud.keys().iter().all(|key| !key.contains("0123456789abcdef")), "{:?}", cloud.keys());
    assert!(cloud.keys().contains(&"mine/not-ours.txt".to_owned()));
}

#[test]
fn uploads_that_nobody_completed_are_found_and_given_up() {
    let cloud = Cloud::new();
    let record = cloud.file("kept.txt", "kept");
    let place = cloud.url().trim_start_matches("s3:/").to_owned();
    for key in [".lamindb/0123456789abcdef0000.bin", ".lamindb/a&b.part", "mine/not-ours.bin"] {
        let answer = MOTO.ask("POST", &format!("{place}/{}?uploads", key.replace('&', "%26")), b"");
        assert!(answer.contains("<UploadId>"), "{answer}");
    }
    let all = Collect { unused_before: Timestamp(i64::MAX), trashed_before: None };
    let plan = cloud.instance.plan_collect(all).unwrap();
    let found: Vec<&str> = plan.unused.iter().map(|unused| unused.key.as_str()).collect();
    assert_eq!(found, [".lamindb/0123456789abcdef0000.bin", ".lamindb/a&b.part"]);
    assert!(
        plan.unused.iter().all(|unused| unused.kind.name() == "unfinished upload" && unused.upload.is_some())
    );
    let collected = plan.apply(&cloud.instance).unwrap();
    assert_eq!((collected.moved, collected.failed.len()), (2, 0));
    assert!(cloud.instance.plan_collect(all).unwrap().is_empty());
    let theirs = cloud.bucket().unfinished("mine").unwrap();
    assert_eq!(theirs.len(), 1, "what others are at stays");
    // Somebody else may have done it already.
    for _ in 0..2 {
        cloud.bucket().give_up(&theirs[0]).unwrap();
    }
    assert_eq!(cloud.text(&record), "kept");
}

#[test]
fn copies_come_from_what_has_no_row_in_a_bucket() {
    let cloud = Cloud::new();
    let bucket = cloud.bucket();
    let (file, folder) =
        (cloud.file("x.txt", "worth keeping"), cloud.folder("dir", &[("a", "1"), ("sub/b", "22")]));
    let waiting = cloud.file("y.txt", "waiting");
    fs::remove_dir_all(cloud.cached("")).unwrap();
    // Collected by mistake: the names of the two lie in quarantine, as does something of the same size.
    let batch = ".lamindb/.holotype-quarantine/20260101000000-abcd";
    for (record, rest) in [(&file, ""), (&folder, "/a"), (&folder, "/sub/b")] {
        let place = cloud.place(record);
        let content = bucket.read(&format!("{place}{rest}")).unwrap();
        bucket.write(&format!("{batch}/{place}.collected{rest}"), &content, false).unwrap();
        bucket.remove(&format!("{place}{rest}")).unwrap();
    }
    bucket.write(&format!("{batch}/.lamindb/other.txt.collected"), b"worth nothing", false).unwrap();
    // Another one waits under a name that no row has.
    bucket.remove(&cloud.place(&waiting)).unwrap();
    bucket.write(".lamindb/0123456789abcdef0000.txt.part", b"waiting", false).unwrap();
    assert_eq!(cloud.repair(), ["restore"; 3]);
    assert!(cloud.wrong(Depth::Full).is_empty());
    assert_eq!((cloud.text(&file), cloud.text(&waiting)), ("worth keeping".to_owned(), "waiting".to_owned()));
}

/// Puts an object together from one part, which its tag shows.
fn upload_in_a_part(url: &str, content: &str) {
    let path = url.strip_prefix("s3:/").unwrap();
    let between = |text: &str, start: &str, end: &str| -> String {
        text.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned()
    };
    let begun = MOTO.ask("POST", &format!("{path}?uploads"), b"");
    let id = between(&begun, "<UploadId>", "</UploadId>");
    let sent = MOTO.ask("PUT", &format!("{path}?partNumber=1&uploadId={id}"), content.as_bytes());
    let tag = between(&sent.to_lowercase(), "etag: \"", "\"");
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
    );
    let done = MOTO.ask("POST", &format!("{path}?uploadId={id}"), parts.as_bytes());
    assert!(done.starts_with("HTTP/1.1 200"), "{done}");
}

/// The hash of such a folder is made of tags, which do not follow from the bytes of a file that came in parts.
#[test]
fn a_folder_that_was_registered_where_it_lies_is_judged_by_its_tags() {
    let cloud = Cloud::new();
    let bucket = cloud.bucket();
    upload_in_a_part(&format!("{}/raw/parts.txt", cloud.url()), "in a part");
    bucket.write("raw/small.txt", b"one", false).unwrap();
    assert!(bucket.stat("raw/parts.txt").unwrap().unwrap().tag.unwrap().contains("-1"));
    cloud.save(NewArtifact::new(format!("{}/raw", cloud.url())));
    assert_eq!((cloud.wrong(Depth::Fast), cloud.wrong(Depth::Full)), (Vec::new(), Vec::new()));
    bucket.write("raw/small.txt", b"two", true).unwrap();
    assert_eq!(cloud.wrong(Depth::Full).len(), 1);
}
