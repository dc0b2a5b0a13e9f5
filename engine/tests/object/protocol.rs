//! What every storage location does, wherever it lies.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use holotype::hash::{ContentHash, Digest, HashKind, hash_file, hash_folder, identify_file};
use holotype::store::{Fetch, Job, Publish};
use holotype::{Error, ErrorKind};

use crate::Place;
use crate::support::{names, noise};

const MIB: usize = 1024 * 1024;

fn job(source: impl Into<std::path::PathBuf>, key: impl Into<String>) -> Job {
    Job { source: source.into(), key: key.into(), content: None, digest: None }
}

pub fn a_file_comes_back_as_it_went(place: &Place) {
    for size in [0, 1, 255 * 1024, 9 * MIB + 17] {
        let content = noise(size, 7);
        let source = place.source("x.bin", &content);
        let published = place.store.publish_file(&source, "a/b c/ü+%.bin", &Publish::default()).unwrap();
        assert_eq!(published.digest, Digest::of(&content));
        assert_eq!(published.content, hash_file(&source).unwrap());
        assert_eq!(place.keys(), ["a/b c/ü+%.bin"]);
        assert_eq!(place.store.read("a/b c/ü+%.bin").unwrap(), content);
        let target = place.path("fetched/x.bin");
        let how =
            Fetch { content: Some(&published.content), digest: Some(published.digest), ..Fetch::default() };
        let fetched = place.store.fetch("a/b c/ü+%.bin", &target, &how).unwrap();
        assert_eq!((&fetched.content, fetched.digest), (&published.content, published.digest));
        assert_eq!(fs::read(&target).unwrap(), content);
        assert_eq!(names(target.parent().unwrap()), ["x.bin"]);
    }
}

pub fn a_large_file_comes_back_as_it_went(place: &Place) {
    let content = noise(52 * MIB + 3, 3);
    let source = place.source("big", &content);
    let done = AtomicU64::new(0);
    let progress = |bytes| {
        done.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    };
    let how = Publish { durable: false, progress: &progress, ..Publish::default() };
    let published = place.store.publish_file(&source, "big", &how).unwrap();
    assert_eq!(published.content.kind, HashKind::Sha1Fl);
    assert_eq!(done.load(Ordering::Relaxed), content.len() as u64);
    assert_eq!(place.store.size("big").unwrap(), content.len() as u64);
    let target = place.path("fetched");
    let how = Fetch { content: Some(&published.content), ..Fetch::default() };
    let fetched = place.store.fetch("big", &target, &how).unwrap();
    let identity = identify_file(&target).unwrap();
    assert_eq!((fetched.content, fetched.digest), (identity.content, identity.digest));
    assert_eq!(identity.digest, Digest::of(&content));
}

pub fn a_new_file_replaces_the_old_one(place: &Place) {
    for content in ["one", "two"] {
        let source = place.source("x", content);
        place.store.publish_file(&source, "x", &Publish::default()).unwrap();
    }
    assert_eq!(place.store.read("x").unwrap(), b"two");
}

pub fn unexpected_content_is_refused(place: &Place) {
    let source = place.source("x", "one");
    place.store.publish_file(&source, "x", &Publish::default()).unwrap();
    let seen = identify_file(&source).unwrap();
    place.source("x", "two");
    for how in [
        Publish { content: Some(&seen.content), ..Publish::default() },
        Publish { digest: Some(seen.digest), ..Publish::default() },
    ] {
        let error = place.store.publish_file(&source, "x", &how).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.message().contains("create the artifact again"), "{error}");
    }
    assert_eq!(place.store.read("x").unwrap(), b"one");
    assert_eq!(place.keys(), ["x"]);
}

pub fn a_hash_made_elsewhere_is_compared_by_size_only(place: &Place) {
    let source = place.source("x", "one");
    let mut expected = hash_file(&source).unwrap();
    expected.kind = HashKind::Md5Parts(2);
    expected.hash = "elsewhere".to_owned();
    let publish = |content: Option<&ContentHash>| {
        place.store.publish_file(&source, "x", &Publish { content, ..Publish::default() })
    };
    publish(Some(&expected)).unwrap();
    expected.size = 4;
    assert!(publish(Some(&expected)).is_err());
    (expected.hash, expected.kind) = Digest::of(b"one").to_hash();
    expected.size = 3;
    publish(Some(&expected)).unwrap();
    expected.hash = "x".to_owned();
    assert!(publish(Some(&expected)).is_err());
}

pub fn a_large_file_that_changes_is_refused(place: &Place) {
    place.store.write("x", b"old", false).unwrap();
    let source = place.source("x", noise(51 * MIB, 1));
    let calls = AtomicUsize::new(0);
    let grow = |bytes| {
        if bytes > 0 && calls.fetch_add(1, Ordering::SeqCst) == 0 {
            OpenOptions::new().append(true).open(&source).unwrap().write_all(b"more").unwrap();
        }
        Ok(())
    };
    match place.store.publish_file(&source, "x", &Publish { progress: &grow, ..Publish::default() }) {
        // All of it had been read when the first part arrived.
        Ok(published) => assert_eq!(place.store.identify_file("x").unwrap().digest, published.digest),
        Err(error) => {
            assert!(error.message().contains("changed while it was read"), "{error}");
            assert_eq!(place.store.read("x").unwrap(), b"old");
        }
    }
    assert_eq!(place.keys(), ["x"]);
}

pub fn the_user_can_break_off(place: &Place) {
    let stop = |_| Err(Error::new(ErrorKind::Interrupted, "Interrupted"));
    let how = Publish { progress: &stop, ..Publish::default() };
    for size in [2 * MIB, 51 * MIB] {
        let source = place.source("x", noise(size, 1));
        let error = place.store.publish_file(&source, "x", &how).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
    place.source("d/x", "x");
    let error = place.store.publish_folder(&place.path("d"), "d", &how).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(place.keys().is_empty());
    assert!(place.store.leftovers().unwrap().is_empty());
}

pub fn what_is_missing_is_named(place: &Place) {
    let missing = place.path("none");
    let error = place.store.publish_file(&missing, "x", &Publish::default()).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::FileNotFound, missing.to_str().unwrap()));
    let url = place.store.url("a/none").unwrap();
    for error in [
        place.store.read("a/none").unwrap_err(),
        place.store.size("a/none").unwrap_err(),
        place.store.read_range("a/none", 0..1).unwrap_err(),
        place.store.identify_file("a/none").unwrap_err(),
        place.store.fetch("a/none", &place.path("y"), &Fetch::default()).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.message()), (ErrorKind::FileNotFound, url.as_str()));
    }
    assert_eq!(place.store.stat("a/none").unwrap(), None);
}

pub fn keys_that_leave_the_root_are_refused(place: &Place) {
    let source = place.source("x", "x");
    for key in ["../x", "/x", "a/../../x", "", ".", "a\0b"] {
        let error = place.store.publish_file(&source, key, &Publish::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{key}");
        assert!(place.store.exists(key).is_err());
    }
}

pub fn a_folder_comes_back_as_it_went(place: &Place) {
    let (key, target) = ("s/d.zarr", place.path("fetched.zarr"));
    for n in [40, 3] {
        let _ = fs::remove_dir_all(place.path("d"));
        for i in 0..n {
            place.source(&format!("d/sub{}/.f{i}", i % 3), format!("content {i}"));
        }
        let source = place.path("d");
        let published = place.store.publish_folder(&source, key, &Publish::default()).unwrap();
        let expected = hash_folder(&source).unwrap();
        assert_eq!((&published.content, published.digest), (&expected.content, expected.digest));
        assert_eq!(published.manifest.as_ref(), Some(&expected.manifest));
        assert_eq!(place.keys().len(), n, "the former content is gone");
        assert_eq!(place.store.identify_folder(key).unwrap().digest, expected.digest);
        assert!(place.store.is_folder(key).unwrap() && !place.store.is_folder("s/d").unwrap());
        let how =
            Fetch { content: Some(&expected.content), digest: Some(expected.digest), ..Fetch::default() };
        let fetched = place.store.fetch(key, &target, &how).unwrap();
        assert_eq!((fetched.content, fetched.digest), (expected.content, expected.digest));
        assert_eq!(names(&target), names(&source));
    }
}

pub fn a_folder_has_the_same_hash_wherever_it_lies(place: &Place) {
    for (name, content) in [("a", "A"), ("sub/b", "BB"), ("sub/deep/c", "CCC")] {
        place.source(&format!("d/{name}"), content);
    }
    place.store.publish_folder(&place.path("d"), "d", &Publish::default()).unwrap();
    let hash = place.store.content("d").unwrap().unwrap();
    assert_eq!((hash.hash.as_str(), hash.size, hash.n_files), ("9EBJF8B5NOs8afLnDD1N9g", 6, Some(3)));
}

pub fn a_refused_folder_leaves_the_old_one(place: &Place) {
    place.store.write("d/old", b"old", false).unwrap();
    place.source("d/new", "new");
    let how = Publish { digest: Some(Digest::of(b"other")), ..Publish::default() };
    let error = place.store.publish_folder(&place.path("d"), "d", &how).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    place.store.write("file", b"1", false).unwrap();
    let error = place.store.publish_folder(&place.path("d"), "file", &Publish::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(place.keys(), ["d/old", "file"]);
}

pub fn many_files_succeed_or_fail_one_by_one(place: &Place) {
    place.source("folder/a", "A");
    let mut jobs: Vec<Job> = (0..60)
        .map(|i| job(place.source(&format!("src/{i}"), format!("content {i}")), format!(".lamindb/{i}.txt")))
        .collect();
    jobs[17].source = place.path("none");
    jobs[18].key = "../out".to_owned();
    jobs[19].digest = Some(Digest::of(b"other"));
    jobs[20] = job(place.path("folder"), "folder");
    let done = AtomicU64::new(0);
    let progress = |bytes| {
        done.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    };
    let how = Publish { progress: &progress, ..Publish::default() };
    let results = place.store.publish_many(&jobs, &how);
    assert_eq!(results.len(), 60);
    for (i, (job, result)) in jobs.iter().zip(results).enumerate() {
        match i {
            17 => assert_eq!(result.unwrap_err().kind(), ErrorKind::FileNotFound),
            18 => assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidArgument),
            19 => assert_eq!(result.unwrap_err().kind(), ErrorKind::Value),
            20 => assert_eq!(result.unwrap().content.n_files, Some(1)),
            _ => {
                let content = format!("content {i}");
                assert_eq!(result.unwrap().digest, Digest::of(content.as_bytes()));
                assert_eq!(place.store.read(&job.key).unwrap(), content.as_bytes());
            }
        }
    }
    assert_eq!(place.keys().len(), 57);
    assert!(done.load(Ordering::Relaxed) >= 56 * 9);
    let keys: Vec<String> = (0..60).map(|i| format!(".lamindb/{i}.txt")).collect();
    place.store.remove_files(&keys).unwrap();
    assert_eq!(place.keys(), ["folder/a"]);
}

pub fn stored_files_can_be_looked_at(place: &Place) {
    let store = &place.store;
    for (key, content) in [("raw/a.txt", "abc"), ("raw/b/c.txt", "defgh"), ("raw2", "i")] {
        store.write(key, content.as_bytes(), false).unwrap();
    }
    let keys = |prefix| store.list(prefix).unwrap().into_iter().map(|entry| entry.key).collect::<Vec<_>>();
    assert_eq!(keys(""), ["raw/a.txt", "raw/b/c.txt", "raw2"]);
    assert_eq!(keys("raw"), ["raw/a.txt", "raw/b/c.txt", "raw2"]);
    assert_eq!(keys("raw/"), ["raw/a.txt", "raw/b/c.txt"]);
    assert_eq!(keys("raw/b/c"), ["raw/b/c.txt"]);
    assert!(keys("none/x").is_empty());
    assert!(store.exists("raw/b").unwrap() && !store.exists("raw/x").unwrap());
    assert!(!store.exists("raw2/x").unwrap());
    assert_eq!((store.size("raw/a.txt").unwrap(), store.size("raw").unwrap()), (3, 8));
    assert_eq!(store.read_range("raw/b/c.txt", 1..3).unwrap(), b"ef");
    assert_eq!(store.read_range("raw/b/c.txt", 5..5).unwrap(), b"");
    for range in [3..6, 7..9] {
        let error = store.read_range("raw/b/c.txt", range).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.message().contains("has 5 bytes"), "{error}");
    }
    assert_eq!(store.identify_file("raw/a.txt").unwrap().digest, Digest::of(b"abc"));
    assert_eq!(store.identify_folder("raw/b").unwrap().content.n_files, Some(1));
    let stats = store.stats("raw/").unwrap();
    assert_eq!(stats.iter().map(|stat| stat.size).collect::<Vec<_>>(), [3, 5]);
    assert!(stats.iter().all(|stat| stat.modified.is_some()));
}

pub fn a_file_has_the_same_hash_wherever_it_lies(place: &Place) {
    place.store.write("raw/a.txt", b"abc", false).unwrap();
    let content = place.store.content("raw/a.txt").unwrap().unwrap();
    assert_eq!(content, place.store.identify_file("raw/a.txt").unwrap().content);
}

pub fn content_is_removed_and_moved(place: &Place) {
    let store = &place.store;
    let how = Publish::default();
    for key in ["a/x", "a/y", "b"] {
        store.write(key, key.as_bytes(), true).unwrap();
    }
    let error = store.rename("b", "a/x", &how).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileExists);
    assert!(
        error.message().starts_with("Cannot move ")
            && error.message().ends_with(" because it already exists.")
    );
    store.rename("b", "new/b", &how).unwrap();
    store.rename("a", "new/a", &how).unwrap();
    assert_eq!(place.keys(), ["new/a/x", "new/a/y", "new/b"]);
    assert_eq!(store.read("new/a/y").unwrap(), b"a/y");
    assert_eq!(store.rename("none", "x", &how).unwrap_err().kind(), ErrorKind::FileNotFound);
    assert!(store.remove("new/a").unwrap());
    assert!(!store.remove("new/a").unwrap());
    assert!(!store.remove("new/b/below").unwrap());
    assert!(store.remove("new/b").unwrap());
    assert!(place.keys().is_empty());
}

pub fn content_takes_the_place_of_other_content(place: &Place) {
    let store = &place.store;
    let how = Publish::default();
    for key in ["old/x", "old/gone", "new/x", "file"] {
        store.write(key, key.as_bytes(), true).unwrap();
    }
    store.replace("new", "old", &how).unwrap();
    assert_eq!(store.read("old/x").unwrap(), b"new/x");
    assert!(!store.exists("old/gone").unwrap());
    assert_eq!(store.replace("file", "old", &how).unwrap_err().kind(), ErrorKind::InvalidArgument);
    store.duplicate("old", "twin", &how).unwrap();
    store.duplicate("file", "copy", &how).unwrap();
    assert_eq!(store.duplicate("file", "copy", &how).unwrap_err().kind(), ErrorKind::FileExists);
    let taken = store.take_out("file").unwrap().unwrap();
    taken.remove().unwrap();
    assert!(store.take_out("file").unwrap().is_none());
    store.remove("new").unwrap();
    assert_eq!(place.keys(), ["copy", "old/x", "twin/x"]);
}

pub fn wrong_content_is_never_fetched(place: &Place) {
    place.store.write("x", b"one", false).unwrap();
    place.store.write("d/x", b"one", false).unwrap();
    let target = place.source("target/x", "old");
    let other = hash_file(&place.source("other", "two")).unwrap();
    for key in ["x", "d"] {
        for how in [
            Fetch { content: Some(&other), ..Fetch::default() },
            Fetch { digest: Some(Digest::of(b"two")), ..Fetch::default() },
        ] {
            let error = place.store.fetch(key, &target, &how).unwrap_err();
            // s3s-fs fails when it is asked for a folder as if that were a file.
            let refused = match error.kind() {
                ErrorKind::Corrupt | ErrorKind::Value | ErrorKind::InvalidArgument => true,
                kind => kind == ErrorKind::Io && key == "d",
            };
            assert!(refused, "{error:?}");
        }
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(names(target.parent().unwrap()), ["x"]);
    }
}
