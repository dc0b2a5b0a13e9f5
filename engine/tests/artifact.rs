//! Artifacts on an instance of our own: keys, versions, equal content, folders, changes, deletion.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use holotype::query::Q;
use holotype::testing;
use holotype::{Artifact, ErrorKind, Event, Instance, NewArtifact, Record, Result, RunChoice};

/// An instance with the events it has emitted so far.
struct Scratch {
    instance: Instance,
    events: RefCell<Vec<Event>>,
    scratch: testing::Scratch,
}

impl Scratch {
    fn new() -> Scratch {
        let scratch = testing::Scratch::new().unwrap();
        let instance = scratch.instance().clone();
        instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
        Scratch { instance, events: RefCell::default(), scratch }
    }

    fn file(&self, name: &str, content: &str) -> String {
        self.scratch.file(name, content).unwrap().to_str().unwrap().to_owned()
    }

    fn save(&self, name: &str, content: &str, key: &str) -> Result<Record> {
        let path = self.file(name, content);
        let mut artifact = self.instance.artifact(NewArtifact::new(path).key(key))?;
        self.instance.save_artifact(&mut artifact)?;
        Ok(artifact.record)
    }

    fn text(&self, record: &Record) -> String {
        fs::read_to_string(self.instance.cache(record).unwrap()).unwrap()
    }

    fn said(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.borrow_mut().extend(self.scratch.events());
        self.events.borrow().iter().any(wanted)
    }

    fn count(&self) -> usize {
        self.instance.registry("Artifact").unwrap().count().unwrap()
    }

    fn root(&self) -> PathBuf {
        self.scratch.root()
    }
}

#[test]
fn a_virtual_key_leaves_storage_flat() -> Result<()> {
    let scratch = Scratch::new();
    let record = scratch.save("a.txt", "hello", "raw/a.txt")?;
    let path = scratch.instance.artifact_path(&record)?;
    assert_eq!(path, scratch.root().join(format!(".lamindb/{}.txt", record.uid())));
    assert_eq!(scratch.text(&record), "hello");
    assert_eq!(record.text("hash"), Some("XUFAKrxLKna5cZ2REBfFkg"));
    assert_eq!((record.int("size"), record.version()), (Some(5), Some("0000")));
    let again = scratch.instance.get_where(record.registry(), Q::is("key", "raw/a.txt"))?;
    assert_eq!(again.uid(), record.uid());
    assert!(scratch.instance.content_of(&again)?.is_some(), "the full digest is kept");
    Ok(())
}

#[test]
fn equal_content_returns_the_artifact_and_other_content_makes_a_version() -> Result<()> {
    let scratch = Scratch::new();
    let first = scratch.save("a.txt", "one", "k.txt")?;
    let same = scratch.save("b.txt", "one", "k.txt")?;
    assert_eq!(same.uid(), first.uid());
    assert!(scratch.said(|event| matches!(event, Event::ReturnedSameHash { .. })));
    let second = scratch.save("a.txt", "two", "k.txt")?;
    assert_eq!(second.uid(), format!("{}0001", first.stem_uid()));
    assert!(scratch.said(|event| matches!(event, Event::NewVersion { .. })));
    let first = scratch.instance.get_uid(first.registry(), first.uid())?;
    assert!(!first.flag("is_latest") && second.flag("is_latest"));
    assert_eq!((scratch.text(&first), scratch.text(&second)), ("one".to_owned(), "two".to_owned()));
    let latest = scratch.instance.get_where(first.registry(), Q::is("key", "k.txt"))?;
    assert_eq!(latest.uid(), second.uid());
    Ok(())
}

#[test]
fn returning_to_earlier_content_makes_it_the_latest_again() -> Result<()> {
    let scratch = Scratch::new();
    let first = scratch.save("a.txt", "A", "k.txt")?;
    let second = scratch.save("a.txt", "B", "k.txt")?;
    let again = scratch.save("a.txt", "A", "k.txt")?;
    assert_eq!(again.uid(), first.uid());
    assert!(scratch.said(|event| *event == Event::LatestAgain { version: "0000".to_owned() }));
    let latest = scratch.instance.get_where(first.registry(), Q::is("key", "k.txt"))?;
    assert_eq!(latest.uid(), first.uid());
    let heads = scratch.instance.registry("Artifact")?.filter(Q::is("is_latest", true))?.count()?;
    assert_eq!(heads, 1, "{} is a head as well", second.uid());
    Ok(())
}

#[test]
fn another_key_for_equal_content_is_kept_back_or_taken_where_there_was_none() -> Result<()> {
    let scratch = Scratch::new();
    let first = scratch.save("a.txt", "one", "k.txt")?;
    let other = scratch.save("a.txt", "one", "other.txt")?;
    assert_eq!((other.uid(), other.text("key")), (first.uid(), Some("k.txt")));
    assert!(scratch.said(|event| matches!(event, Event::KeptKey { passed, .. } if passed == "other.txt")));
    let path = scratch.file("b.txt", "nameless");
    let mut nameless =
        scratch.instance.artifact(NewArtifact { description: Some("d".into()), ..NewArtifact::new(path) })?;
    scratch.instance.save_artifact(&mut nameless)?;
    let named = scratch.save("b.txt", "nameless", "/raw/b.txt")?;
    assert_eq!(named.uid(), nameless.record.uid());
    let stored = scratch.instance.get_uid(named.registry(), named.uid())?;
    assert_eq!(stored.text("key"), Some("/raw/b.txt"), "a leading slash is legal in a virtual key");
    Ok(())
}

#[test]
fn clashing_keys_are_refused_and_nothing_changes() -> Result<()> {
    let scratch = Scratch::new();
    scratch.save("a.txt", "one", "a.txt")?;
    let mut other = Artifact::from_record(scratch.save("b.txt", "two", "b.txt")?);
    other.record.set("key", "a.txt")?;
    let error = scratch.instance.save_artifact(&mut other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().starts_with("key 'a.txt' is already used by artifact "), "{error}");
    assert_eq!(other.record.text("key"), Some("a.txt"), "the object in memory keeps the offending value");
    let stored = scratch.instance.get_uid(other.record.registry(), other.record.uid())?;
    assert_eq!(stored.text("key"), Some("b.txt"));
    scratch.instance.with_creation(|creation| creation.allow_key_clash = true)?;
    scratch.instance.save_artifact(&mut other)?;
    Ok(())
}

#[test]
fn real_keys_place_content_and_say_what_they_overwrite() -> Result<()> {
    let scratch = Scratch::new();
    scratch.instance.with_creation(|creation| creation.use_virtual_keys = false)?;
    let first = scratch.save("a.txt", "one", ".//pre/a.txt")?;
    assert_eq!(first.text("key"), Some(".//pre/a.txt"), "the key is kept as it was given");
    assert_eq!(scratch.instance.artifact_path(&first)?, scratch.root().join("pre/a.txt"));
    let second = scratch.save("a.txt", "two", ".//pre/a.txt")?;
    assert!(scratch.said(|event| matches!(event, Event::OverwritesVersion { uid } if uid == first.uid())));
    assert_eq!(scratch.text(&second), "two");
    let first = scratch.instance.get_uid(first.registry(), first.uid())?;
    let error = scratch.instance.cache(&first).unwrap_err();
    assert!(error.to_string().contains("outdated artifact version"), "{error}");
    for bad in ["/etc/x.txt", "../x.txt", "a/../../x.txt"] {
        let path = scratch.file("x.txt", bad);
        assert!(scratch.instance.artifact(NewArtifact::new(path).key(bad)).is_err(), "{bad}");
    }
    scratch.instance.with_creation(|creation| creation.keep_versions = true)?;
    scratch.save("a.txt", "three", ".//pre/a.txt")?;
    let second = scratch.instance.get_uid(second.registry(), second.uid())?;
    assert_eq!(scratch.text(&second), "two", "the old content moved to its automatic key");
    Ok(())
}

#[test]
fn files_in_storage_are_registered_in_place() -> Result<()> {
    let scratch = Scratch::new();
    let path = scratch.root().join("mine/x.txt");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "in place").unwrap();
    let mut artifact = scratch.instance.artifact(NewArtifact::new(path.to_str().unwrap()))?;
    scratch.instance.save_artifact(&mut artifact)?;
    let record = &artifact.record;
    assert_eq!((record.text("key"), record.flag("_key_is_virtual")), (Some("mine/x.txt"), false));
    assert_eq!(scratch.instance.artifact_path(record)?, path);
    let plan = scratch.instance.plan_artifact_delete(record, None)?;
    assert!(plan.question, "content under a real key goes only when the user says so");
    scratch.instance.apply_artifact_delete(&plan, false)?;
    assert!(path.exists() && scratch.count() == 0);
    Ok(())
}

#[test]
fn folders_are_one_artifact_whose_identity_covers_names() -> Result<()> {
    let scratch = Scratch::new();
    let folder = |files: &[(&str, &str)]| {
        let dir = scratch.scratch.dir().join("work/f");
        fs::remove_dir_all(&dir).ok();
        for (name, content) in files {
            scratch.file(&format!("f/{name}"), content);
        }
        let mut artifact =
            scratch.instance.artifact(NewArtifact::new(dir.to_str().unwrap()).key("f")).unwrap();
        scratch.instance.save_artifact(&mut artifact).unwrap();
        artifact.record
    };
    let first = folder(&[("x", "1"), ("sub/y", "22")]);
    assert_eq!((first.int("n_files"), first.text("_hash_type")), (Some(2), Some("md5-d")));
    assert_eq!(first.text("hash"), Some("eM3C_vZOzZoiDzWa7ORtQQ"));
    let same = folder(&[("x", "1"), ("sub/y", "22")]);
    assert_eq!(same.uid(), first.uid());
    let swapped = folder(&[("x", "22"), ("sub/y", "1")]);
    assert_ne!(
        swapped.uid(),
        first.uid(),
        "swapped contents are another version although the format's hash is equal"
    );
    assert_eq!(swapped.text("_hash_type"), Some("blake3"));
    let path = scratch.instance.cache(&swapped)?;
    assert_eq!(fs::read_to_string(path.join("x")).unwrap(), "22");
    let old = scratch.instance.get_uid(first.registry(), first.uid())?;
    assert!(scratch.instance.cache(&old).unwrap_err().to_string().contains("outdated"));
    let names: Vec<String> = scratch
        .instance
        .manifest(&swapped)?
        .unwrap()
        .entries()
        .iter()
        .map(|entry| entry.path.clone())
        .collect();
    assert_eq!(names, ["sub/y", "x"]);
    fs::create_dir(scratch.scratch.dir().join("work/empty")).unwrap();
    let empty = scratch.scratch.dir().join("work/empty");
    let error = scratch.instance.artifact(NewArtifact::new(empty.to_str().unwrap()).key("e")).unwrap_err();
    assert!(error.to_string().contains("folder is empty"), "{error}");
    Ok(())
}

#[test]
fn a_folder_becomes_one_artifact_per_file_even_where_contents_are_equal() -> Result<()> {
    let scratch = Scratch::new();
    for (name, content) in [("b.txt", "same"), ("a.txt", "same"), ("sub/c.txt", "other"), (".hidden", "h")] {
        scratch.file(&format!("dir/{name}"), content);
    }
    let mut all = scratch.instance.artifacts_from_dir("dir", None, RunChoice::None)?;
    let keys: Vec<&str> = all.iter().filter_map(|artifact| artifact.record.text("key")).collect();
    assert_eq!(keys, ["dir/.hidden", "dir/a.txt", "dir/b.txt", "dir/sub/c.txt"]);
    scratch.instance.save_artifacts(&mut all)?;
    assert_eq!(scratch.count(), 4);
    for artifact in &all {
        assert!(scratch.instance.cache(&artifact.record)?.exists());
    }
    let mut again = scratch.instance.artifacts_from_dir("dir", None, RunChoice::None)?;
    scratch.instance.save_artifacts(&mut again)?;
    assert_eq!(scratch.count(), 4, "registering the folder again changes nothing");
    Ok(())
}

#[test]
fn trash_restore_and_permanent_deletion() -> Result<()> {
    let scratch = Scratch::new();
    let first = scratch.save("a.txt", "one", "k.txt")?;
    let mut second = scratch.save("a.txt", "two", "k.txt")?;
    scratch.instance.trash(&mut second)?;
    let head = scratch.instance.get_where(first.registry(), Q::is("key", "k.txt"))?;
    assert_eq!(head.uid(), first.uid(), "the older version is the head now");
    scratch.instance.restore(&mut second)?;
    let path = scratch.instance.cache(&second)?;
    scratch.instance.delete_artifact(&second, None)?;
    assert!(!path.exists());
    assert!(scratch.instance.get_uid(first.registry(), second.uid()).is_err());
    assert_eq!(scratch.text(&first), "one");
    Ok(())
}

#[test]
fn incomplete_content_is_never_read_and_saving_resumes() -> Result<()> {
    let scratch = Scratch::new();
    let record = scratch.save("a.txt", "whole", "k.txt")?;
    let path = scratch.instance.cache(&record)?;
    let mut broken = record.clone();
    broken.set("_aux", serde_json::json!({"so": 1}))?;
    scratch.instance.save(&mut broken)?;
    fs::write(&path, "wh").unwrap();
    let error = scratch.instance.cache(&broken).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompleteArtifact);
    assert!(error.to_string().contains(record.uid()));
    let resumed = scratch.save("a.txt", "whole", "k.txt")?;
    assert_eq!((resumed.uid(), scratch.text(&resumed).as_str()), (record.uid(), "whole"));
    Ok(())
}

#[test]
fn replace_keeps_the_version_and_follows_the_suffix() -> Result<()> {
    let scratch = Scratch::new();
    let mut artifact = Artifact::from_record(scratch.save("a.csv", "a,b\n", "t.csv")?);
    let old = scratch.instance.cache(&artifact.record)?;
    let path = scratch.file("b.data", "other");
    assert!(scratch.instance.replace_content(&mut artifact, &path, false, RunChoice::None)?.is_none());
    scratch.instance.save_artifact(&mut artifact)?;
    assert_eq!(artifact.record.text("key"), Some("t.data"));
    assert_eq!(scratch.text(&artifact.record), "other");
    assert!(!old.exists(), "the stale object is gone");
    let folder = scratch.file("dir/x", "1");
    let folder = Path::new(&folder).parent().unwrap().to_str().unwrap();
    let error = scratch.instance.replace_content(&mut artifact, folder, false, RunChoice::None).unwrap_err();
    assert_eq!(error.to_string(), "It is not allowed to replace a file with a folder.");
    Ok(())
}

#[test]
fn bad_input_is_named_and_changes_nothing() {
    let scratch = Scratch::new();
    let path = scratch.file("a.txt", "x");
    let refuse = |new: NewArtifact| scratch.instance.artifact(new).unwrap_err();
    assert_eq!(refuse(NewArtifact::new("missing.txt").key("k.txt")).kind(), ErrorKind::FileNotFound);
    assert_eq!(
        refuse(NewArtifact::new(&path).key("k.csv")).to_string(),
        "The passed path's suffix '.txt' must match the passed key's suffix '.csv'."
    );
    assert_eq!(refuse(NewArtifact::new(&path).key("a\\b.txt")).kind(), ErrorKind::Value);
    assert_eq!(refuse(NewArtifact::new(&path).key("../b.txt")).kind(), ErrorKind::Value);
    assert_eq!(refuse(NewArtifact::new(&path).key("a\0b.txt")).kind(), ErrorKind::Value);
    assert_eq!(
        refuse(NewArtifact::new(&path).key(format!("{}.txt", "k".repeat(1021)))).kind(),
        ErrorKind::FieldValidation
    );
    assert_eq!(
        refuse(NewArtifact::new(&path)).to_string(),
        "Pass one of key, run or description as a parameter"
    );
    assert_eq!(scratch.count(), 0);
    assert!(fs::read_dir(scratch.root().join(".lamindb")).unwrap().all(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("lamin.db") || name == "storage_uid.txt"
    }));
}

#[test]
fn a_lazy_artifact_is_written_first_and_saved_afterwards() -> Result<()> {
    let scratch = Scratch::new();
    let lazy = || scratch.instance.lazy_artifact(".txt", false, Some("lazy.txt"), None, RunChoice::None);
    let mut artifact = lazy()?;
    assert_eq!(scratch.instance.save_artifact(&mut artifact).unwrap_err().kind(), ErrorKind::FileNotFound);
    fs::write(artifact.source().unwrap(), "streamed").unwrap();
    scratch.instance.save_artifact(&mut artifact)?;
    assert_eq!(scratch.text(&artifact.record), "streamed");
    assert_eq!(artifact.record.int("size"), Some(8));
    let (mut second, mut third) = (lazy()?, lazy()?);
    fs::write(second.source().unwrap(), "second").unwrap();
    scratch.instance.save_artifact(&mut second)?;
    fs::write(third.source().unwrap(), "second").unwrap();
    scratch.instance.save_artifact(&mut third)?;
    assert_eq!(second.record.version(), Some("0001"));
    assert_eq!(third.record.uid(), second.record.uid(), "equal content under one key is one version");
    let (mut fourth, mut fifth) = (lazy()?, lazy()?);
    fs::write(fourth.source().unwrap(), "fourth").unwrap();
    fs::write(fifth.source().unwrap(), "fifth").unwrap();
    scratch.instance.save_artifact(&mut fourth)?;
    scratch.instance.save_artifact(&mut fifth)?;
    assert_eq!(
        (scratch.text(&fourth.record), scratch.text(&fifth.record)),
        ("fourth".into(), "fifth".into())
    );
    let suffix = scratch.instance.lazy_artifact(".txt", false, Some("lazy.csv"), None, RunChoice::None);
    assert_eq!(suffix.unwrap_err().kind(), ErrorKind::Value);
    Ok(())
}
