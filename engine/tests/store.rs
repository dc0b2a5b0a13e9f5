//! The store of a local location: what is published is whole, checked and inside its root. What holds for every place
//! is tested in `object/protocol.rs`, for local ones as well.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use holotype::hash::{Digest, HashKind, hash_file, hash_folder, identify_file};
use holotype::store::{Entry, Job, LeftoverKind, Publish, Store};
use holotype::{Error, ErrorKind};
use support::{Scratch, env, names, noise};

const MIB: usize = 1024 * 1024;

fn job(source: impl Into<std::path::PathBuf>, key: impl Into<String>) -> Job {
    Job { source: source.into(), key: key.into(), content: None, digest: None }
}

#[test]
fn a_file_is_published_with_both_names() {
    let scratch = Scratch::new();
    for size in [0, 1, 255 * 1024, MIB - 1, MIB, 3 * MIB + 17] {
        let content = noise(size, 7);
        let source = scratch.source("x.bin", &content);
        let published = scratch.store.publish_file(&source, "a/b/x.bin", &Publish::default()).unwrap();
        assert_eq!(scratch.stored("a/b/x.bin").unwrap(), content);
        assert_eq!(published.digest, Digest::of(&content));
        assert_eq!(published.content, hash_file(&source).unwrap());
        assert_eq!(published.manifest, None);
        assert_eq!(scratch.names(), ["a/b/x.bin"], "no temporary name stays");
    }
}

#[test]
fn a_large_file_is_hashed_while_it_passes() {
    let scratch = Scratch::new();
    let source = scratch.source("big", noise(52 * MIB, 3));
    let done = AtomicU64::new(0);
    let progress = |bytes| {
        done.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    };
    let how = Publish { durable: false, progress: &progress, ..Publish::default() };
    let published = scratch.store.publish_file(&source, "big", &how).unwrap();
    assert_eq!(published.content.kind, HashKind::Sha1Fl);
    let identity = identify_file(&scratch.store.path("big").unwrap()).unwrap();
    assert_eq!((published.content, published.digest), (identity.content, identity.digest));
    assert_eq!(done.load(Ordering::Relaxed), 52 * MIB as u64);
}

#[test]
fn unexpected_content_is_refused() {
    let scratch = Scratch::new();
    let source = scratch.source("x", "one");
    scratch.store.publish_file(&source, "x", &Publish::default()).unwrap();
    let seen = identify_file(&source).unwrap();
    scratch.source("x", "two");
    for how in [
        Publish { content: Some(&seen.content), ..Publish::default() },
        Publish { digest: Some(seen.digest), ..Publish::default() },
    ] {
        let error = scratch.store.publish_file(&source, "x", &how).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.message().contains("create the artifact again"), "{error}");
    }
    assert_eq!(scratch.stored("x").unwrap(), b"one");
    assert_eq!(scratch.names(), ["x"]);
    scratch.source("x", "one");
    let how = Publish { content: Some(&seen.content), digest: Some(seen.digest), ..Publish::default() };
    scratch.store.publish_file(&source, "x", &how).unwrap();
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let scratch = Scratch::new();
    scratch.store.write("x", b"old", false).unwrap();
    for size in [48 * 1024, 3 * MIB] {
        let source = scratch.source("x", noise(size, 1));
        let calls = AtomicUsize::new(0);
        let grow = |_| {
            if calls.fetch_add(1, Ordering::SeqCst) == 0 {
                OpenOptions::new().append(true).open(&source).unwrap().write_all(b"more").unwrap();
            }
            Ok(())
        };
        match scratch.store.publish_file(&source, "x", &Publish { progress: &grow, ..Publish::default() }) {
            // A clone is taken at one moment, before the first progress is reported.
            Ok(published) => {
                assert!(published.cloned && size == 3 * MIB);
                assert_eq!(scratch.stored("x").unwrap(), noise(size, 1));
            }
            Err(error) => {
                let name = source.display();
                let expected = format!("{name} changed while it was read; save it again once it is complete");
                assert_eq!((error.kind(), error.message()), (ErrorKind::Io, expected.as_str()));
                assert_eq!(scratch.stored("x").unwrap(), b"old");
            }
        }
        assert_eq!(scratch.names(), ["x"]);
    }
}

#[test]
fn the_user_can_break_off() {
    let scratch = Scratch::new();
    let source = scratch.source("x", noise(2 * MIB, 1));
    let stop = |_| Err(Error::new(ErrorKind::Interrupted, "Interrupted"));
    let how = Publish { progress: &stop, ..Publish::default() };
    assert_eq!(scratch.store.publish_file(&source, "x", &how).unwrap_err().kind(), ErrorKind::Interrupted);
    fs::create_dir(scratch.path("d")).unwrap();
    fs::rename(&source, scratch.path("d/x")).unwrap();
    assert_eq!(
        scratch.store.publish_folder(&scratch.path("d"), "d", &how).unwrap_err().kind(),
        ErrorKind::Interrupted
    );
    assert!(scratch.names().is_empty());
    assert!(scratch.store.leftovers().unwrap().is_empty());
}

#[test]
fn what_is_missing_is_named() {
    let scratch = Scratch::new();
    let missing = scratch.path("none");
    let error = scratch.store.publish_file(&missing, "x", &Publish::default()).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::FileNotFound, missing.to_str().unwrap()));
    let store = Store::local(scratch.path("unmounted"), &env());
    let source = scratch.source("x", "x");
    let error = store.publish_file(&source, "x", &Publish::default()).unwrap_err();
    assert!(error.message().contains("unmounted does not exist"), "{error}");
    assert!(!scratch.path("unmounted").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn an_unreadable_file_is_named() {
    let scratch = Scratch::new();
    // The first page of a process is never mapped: a regular file that cannot be read, whoever asks.
    let unreadable = std::path::Path::new("/proc/self/mem");
    let error = scratch.store.publish_file(unreadable, "x", &Publish::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().starts_with("/proc/self/mem"), "{error}");
    assert!(scratch.names().is_empty());
}

#[test]
fn files_and_folders_do_not_replace_each_other() {
    let scratch = Scratch::new();
    let file = scratch.source("x", "x");
    scratch.source("d/x", "x");
    scratch.store.write("file", b"1", false).unwrap();
    scratch.store.write("folder/a", b"2", false).unwrap();
    let how = Publish::default();
    for error in [
        scratch.store.publish_file(&file, "folder", &how).unwrap_err(),
        scratch.store.write("folder", b"", false).unwrap_err(),
        scratch.store.publish_folder(&scratch.path("d"), "file", &how).unwrap_err(),
        scratch.store.publish_file(&file, "file/below", &how).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    assert_eq!(scratch.names(), ["file", "folder/a"]);
}

#[test]
fn a_folder_is_published_with_its_manifest() {
    let scratch = Scratch::new();
    for n in [3, 40] {
        let _ = fs::remove_dir_all(scratch.path("d"));
        for i in 0..n {
            scratch.source(&format!("d/sub{}/f{i}", i % 3), format!("content {i}"));
        }
        let source = scratch.path("d");
        let published = scratch.store.publish_folder(&source, "s/d.zarr", &Publish::default()).unwrap();
        let found = hash_folder(&scratch.store.path("s/d.zarr").unwrap()).unwrap();
        assert_eq!(published.content, found.content);
        assert_eq!(published.digest, found.digest);
        assert_eq!(published.manifest, Some(found.manifest));
        assert_eq!(
            names(&scratch.store.path("s/d.zarr").unwrap()),
            names(&source),
            "the former content is gone"
        );
        assert!(scratch.store.leftovers().unwrap().is_empty());
    }
}

#[test]
fn a_refused_folder_leaves_the_old_one() {
    let scratch = Scratch::new();
    scratch.store.write("d/old", b"old", false).unwrap();
    scratch.source("d/new", "new");
    let folder = scratch.path("d");
    let how = Publish { digest: Some(Digest::of(b"other")), ..Publish::default() };
    assert_eq!(scratch.store.publish_folder(&folder, "d", &how).unwrap_err().kind(), ErrorKind::Value);
    let grow = |_| {
        scratch.source("d/more", "more");
        Ok(())
    };
    let how = Publish { progress: &grow, ..Publish::default() };
    let error = scratch.store.publish_folder(&folder, "d", &how).unwrap_err();
    assert!(error.message().contains("more changed while it was read"), "{error}");
    assert_eq!(scratch.names(), ["d/old"]);
    let error = scratch.store.publish_folder(scratch.store.root(), "d", &Publish::default()).unwrap_err();
    assert!(error.message().contains("where it would be stored"), "{error}");
}

#[test]
fn many_files_succeed_or_fail_one_by_one() {
    let scratch = Scratch::new();
    scratch.source("folder/a", "A");
    let mut jobs: Vec<Job> = (0..300)
        .map(|i| {
            job(scratch.source(&format!("src/{i}"), format!("content {i}")), format!(".lamindb/{i}.txt"))
        })
        .collect();
    jobs[17].source = scratch.path("none");
    jobs[18].key = "../out".to_owned();
    jobs[19].digest = Some(Digest::of(b"other"));
    jobs[20] = job(scratch.path("folder"), "folder");
    let done = AtomicU64::new(0);
    let progress = |bytes| {
        done.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    };
    let results = scratch.store.publish_many(&jobs, &Publish { progress: &progress, ..Publish::default() });
    assert_eq!(results.len(), 300);
    for (i, (job, result)) in jobs.iter().zip(results).enumerate() {
        match i {
            17 => assert_eq!(result.unwrap_err().kind(), ErrorKind::FileNotFound),
            18 => assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidArgument),
            19 => assert_eq!(result.unwrap_err().kind(), ErrorKind::Value),
            20 => assert_eq!(result.unwrap().content.n_files, Some(1)),
            _ => {
                let content = format!("content {i}");
                assert_eq!(result.unwrap().digest, Digest::of(content.as_bytes()));
                assert_eq!(scratch.stored(&job.key).unwrap(), content.as_bytes());
            }
        }
    }
    assert_eq!(scratch.names().len(), 297);
    assert!(done.load(Ordering::Relaxed) > 297 * 9);
}

#[test]
fn ten_thousand_small_files() {
    let scratch = Scratch::new();
    let jobs: Vec<Job> = (0..10_000)
        .map(|i| job(scratch.source(&format!("src/{i}"), format!("{i}")), format!("{}/{i}", i % 10)))
        .collect();
    let results = scratch.store.publish_many(&jobs, &Publish { durable: false, ..Publish::default() });
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(scratch.store.list("").unwrap().len(), 10_000);
}

#[test]
fn stored_files_can_be_looked_at() {
    let scratch = Scratch::new();
    let store = &scratch.store;
    for (key, content) in [
        ("raw/a.txt", "abc"),
        ("raw/b/c.txt", "defgh"),
        ("raw2", "i"),
        ("raw/.a.txt.00000000.holotype-tmp", "t"),
    ] {
        fs::create_dir_all(store.path(key).unwrap().parent().unwrap()).unwrap();
        fs::write(store.path(key).unwrap(), content).unwrap();
    }
    let keys = |prefix| store.list(prefix).unwrap().into_iter().map(|entry| entry.key).collect::<Vec<_>>();
    assert_eq!(keys(""), ["raw/a.txt", "raw/b/c.txt", "raw2"]);
    assert_eq!(keys("raw"), ["raw/a.txt", "raw/b/c.txt", "raw2"]);
    assert_eq!(keys("raw/"), ["raw/a.txt", "raw/b/c.txt"]);
    assert_eq!(keys("raw/b/c"), ["raw/b/c.txt"]);
    assert!(keys("none/x").is_empty());
    assert_eq!(store.list("raw2").unwrap(), [Entry { key: "raw2".to_owned(), size: 1 }]);
    assert!(
        store.exists("raw/b").unwrap() && !store.exists("raw/x").unwrap() && !store.exists("raw2/x").unwrap()
    );
    assert_eq!((store.size("raw/a.txt").unwrap(), store.size("raw").unwrap()), (3, 8));
    assert_eq!(store.size("none").unwrap_err().kind(), ErrorKind::FileNotFound);
    assert_eq!(store.read("raw/a.txt").unwrap(), b"abc");
    assert_eq!(store.read_range("raw/b/c.txt", 1..3).unwrap(), b"ef");
    assert_eq!(store.read_range("raw/b/c.txt", 5..5).unwrap(), b"");
    assert_eq!(store.read_range("raw/b/c.txt", 3..6).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(store.identify_file("raw/a.txt").unwrap().digest, Digest::of(b"abc"));
    assert_eq!(store.identify_folder("raw/b").unwrap().content.n_files, Some(1));
}

#[test]
fn content_is_removed_and_moved() {
    let scratch = Scratch::new();
    let store = &scratch.store;
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
    assert_eq!(scratch.names(), ["new/a/x", "new/a/y", "new/b"]);
    assert_eq!(store.rename("none", "x", &how).unwrap_err().kind(), ErrorKind::FileNotFound);
    assert!(store.remove("new/a").unwrap());
    assert!(!store.remove("new/a").unwrap());
    assert!(!store.remove("new/b/below").unwrap());
    assert!(store.remove("new/b").unwrap());
    assert!(scratch.names().is_empty());
}

#[test]
fn a_temporary_name_in_use_is_no_leftover() {
    let scratch = Scratch::new();
    let source = scratch.source("x", noise(2 * MIB, 1));
    let seen = AtomicUsize::new(0);
    let look = |_| {
        for leftover in scratch.store.leftovers()? {
            assert!(leftover.in_use);
            assert_eq!(leftover.kind, LeftoverKind::Abandoned);
            assert!(!scratch.store.settle(&leftover)?);
            seen.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    };
    let how = Publish { progress: &look, ..Publish::default() };
    scratch.store.publish_file(&source, "x", &how).unwrap();
    assert!(seen.load(Ordering::SeqCst) > 0);
    scratch.source("d/x", "x");
    scratch.store.publish_folder(&scratch.path("d"), "d", &how).unwrap();
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn nothing_is_written_or_removed_through_a_link_that_leaves_the_root() {
        let scratch = Scratch::new();
        let store = &scratch.store;
        scratch.source("outside/x", "x");
        let source = scratch.source("y", "y");
        symlink(scratch.path("outside"), store.root().join("link")).unwrap();
        let how = Publish::default();
        for error in [
            store.publish_file(&source, "link/y", &how).unwrap_err(),
            store.publish_file(&source, "link/deep/y", &how).unwrap_err(),
            store.publish_many(&[job(&source, "link/y")], &how).pop().unwrap().unwrap_err(),
            store.publish_folder(&scratch.path("outside"), "link/d", &how).unwrap_err(),
            store.write("link/y", b"y", false).unwrap_err(),
            store.remove("link/x").unwrap_err(),
            store.rename("link/x", "x", &how).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
            assert!(error.message().contains("outside the storage location"), "{error}");
        }
        assert_eq!(names(&scratch.path("outside")), ["x"]);
        // The link itself may be replaced or removed: what it points at stays.
        store.publish_file(&source, "other", &how).unwrap();
        symlink(scratch.path("outside/x"), store.root().join("file")).unwrap();
        store.publish_file(&source, "file", &how).unwrap();
        assert_eq!(fs::read(scratch.path("outside/x")).unwrap(), b"x");
        assert!(store.remove("link").unwrap());
        assert_eq!(names(&scratch.path("outside")), ["x"]);
    }

    #[test]
    fn links_inside_the_root_are_fine() {
        let scratch = Scratch::new();
        let source = scratch.source("y", "y");
        fs::create_dir(scratch.store.root().join("real")).unwrap();
        symlink("real", scratch.store.root().join("alias")).unwrap();
        scratch.store.publish_file(&source, "alias/y", &Publish::default()).unwrap();
        assert_eq!(scratch.stored("real/y").unwrap(), b"y");
    }

    #[test]
    fn permission_bits_are_kept() {
        let scratch = Scratch::new();
        for (bits, name) in [(0o600, "private"), (0o700, "script"), (0o400, "fixed")] {
            let source = scratch.source(&format!("d/{name}"), "x");
            fs::set_permissions(&source, fs::Permissions::from_mode(bits)).unwrap();
            scratch.store.publish_file(&source, name, &Publish::default()).unwrap();
            let stored = fs::metadata(scratch.store.path(name).unwrap()).unwrap();
            assert_eq!(stored.permissions().mode() & 0o777, bits, "{name}");
        }
        let published = scratch.store.publish_folder(&scratch.path("d"), "d", &Publish::default()).unwrap();
        assert_eq!(published.manifest.unwrap().get("script").unwrap().mode, 0o700);
        let stored = fs::metadata(scratch.store.path("d/script").unwrap()).unwrap();
        assert_eq!(stored.permissions().mode() & 0o777, 0o700);
    }
}
