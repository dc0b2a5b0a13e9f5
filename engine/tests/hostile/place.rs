//! Disks that are full, read-only, or gone.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use holotype::testing::{self, Scratch};
use holotype::{ErrorKind, InitOptions, Instance, NewArtifact, Record, RunChoice, model};

use super::{may_mount, proof, refused, save, state, under};

fn label(name: &str) -> Record {
    let mut label = Record::empty(model::require("ULabel").unwrap());
    label.set("name", name).unwrap();
    label
}

/// Not a test of its own: runs with a disk of 6 MB at `./disk`, or under a limit on the size of a file.
#[test]
fn full_disk_child() {
    let Some(plan) = proof::plan() else { return };
    let cwd = std::env::current_dir().unwrap();
    let (env, _) = testing::env(&cwd, 1).unwrap();
    let root = cwd.join("disk/store");
    let options = InitOptions { storage: Some(root.display().to_string()), ..InitOptions::default() };
    let instance = Instance::init(&env, &options).unwrap();
    fs::write(cwd.join("work/small.bin"), "s").unwrap();
    let first = proof::save(&instance, NewArtifact::new("small.bin").key("small.bin")).unwrap();
    let before = state(&instance, &root);
    let full = |error: &holotype::Error| {
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Io, "{text}");
        assert!(text.contains("No space left") || text.contains("File too large"), "{text}");
        assert!(text.contains(".lamindb") || text.contains("store/"), "it names the place: {text}");
    };
    full(&proof::save(&instance, NewArtifact::new("big.bin").key("big.bin")).unwrap_err());
    assert_eq!(state(&instance, &root), before);
    // A folder, many files, a new version, and other content for what is there.
    full(&proof::save(&instance, NewArtifact::new("many").key("many")).unwrap_err());
    let mut all = instance.artifacts_from_dir("many", None, RunChoice::None).unwrap();
    full(&instance.save_artifacts(&mut all).unwrap_err());
    full(&proof::save(&instance, NewArtifact::new("big.bin").key("small.bin")).unwrap_err());
    let mut replaced = holotype::Artifact::from_record(first.clone());
    instance.replace_content(&mut replaced, "big.bin", false, RunChoice::None).unwrap();
    full(&instance.save_artifact(&mut replaced).unwrap_err());
    assert_eq!(state(&instance, &root), before);
    check_bytes(&instance, &root, &first);
    if plan[0] == "mount" {
        fill_up(&instance, &root, &first);
    }
    println!("@done");
}

fn check_bytes(instance: &Instance, root: &Path, first: &Record) {
    let counted = proof::audit(instance, root);
    assert_eq!((counted.incomplete, counted.leftovers, counted.orphans), (0, 0, 0));
    assert_eq!(fs::metadata(instance.cache(first).unwrap()).unwrap().len(), 1);
}

/// Leaves the database no room, then gives it back.
fn fill_up(instance: &Instance, root: &Path, first: &Record) {
    let filler = root.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[1; 1024]).is_ok() {}
    drop(file);
    let mut saved = 0;
    let error = loop {
        match instance.save(&mut label(&format!("{saved} {}", "x".repeat(100)))) {
            Ok(()) => saved += 1,
            Err(error) => break error,
        }
        assert!(saved < 100_000, "a full disk takes labels without end");
    };
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.message().contains("lamin.db"), "{error}");
    let labels = || instance.registry("ULabel").unwrap().count().unwrap();
    assert_eq!(labels(), saved, "nothing that was reported as saved is lost");
    fs::write(first.uid(), "x").unwrap();
    let cwd = std::env::current_dir().unwrap();
    fs::write(cwd.join("work/tiny.txt"), "tiny").unwrap();
    let _ = proof::save(instance, NewArtifact::new("tiny.txt").key("tiny.txt"));
    fs::remove_file(filler).unwrap();
    instance.save(&mut label("there is room again")).unwrap();
    proof::save(instance, NewArtifact::new("tiny.txt").key("tiny.txt")).unwrap();
    assert_eq!(labels(), saved + 1);
    proof::audit(instance, root);
}

/// Content that is too large for the disk; it takes no room itself.
const SOURCES: &str = "mkdir -p disk work/many home && truncate -s 30M work/big.bin && truncate -s 31M work/many/1.bin && \
                       truncate -s 32M work/many/2.bin";

#[test]
fn a_full_disk() {
    if may_mount() {
        let script = format!("{SOURCES} && mount -t tmpfs -o size=6m none disk && exec \"$@\"");
        let script = format!("exec unshare -rm sh -c '{script}' sh \"$@\"");
        under(&script, "place::full_disk_child", "mount");
    }
    // Everywhere: a limit on the size of files, in units of 512 bytes or of 1 KiB, that fits the database alone.
    let script = format!("{SOURCES} && trap '' XFSZ && ulimit -f 10000 && exec \"$@\"");
    under(&script, "place::full_disk_child", "limit");
}

/// Not a test of its own: `./disk` is a file system that can be made read-only.
#[test]
fn read_only_child() {
    let Some(plan) = proof::plan() else { return };
    let cwd = std::env::current_dir().unwrap();
    let (env, _) = testing::env(&cwd, 1).unwrap();
    let root = cwd.join("disk/store");
    fs::write(cwd.join("work/a.txt"), "x").unwrap();
    fs::write(cwd.join("work/b.txt"), "y").unwrap();
    if plan[0] == "make" {
        let options = InitOptions { storage: Some(root.display().to_string()), ..InitOptions::default() };
        let instance = Instance::init(&env, &options).unwrap();
        proof::save(&instance, NewArtifact::new("a.txt").key("a.txt")).unwrap();
        instance.db().checkpoint().unwrap();
    } else {
        let before = proof::tree(&root);
        let instance = Instance::connect_to(&env, "store").unwrap();
        let found = proof::latest(&instance, "a.txt").unwrap();
        assert_eq!(fs::read(instance.cache(&found).unwrap()).unwrap(), b"x");
        assert_eq!(instance.registry("ULabel").unwrap().count().unwrap(), 0);
        for error in [
            instance.save(&mut label("x")).unwrap_err(),
            proof::save(&instance, NewArtifact::new("b.txt").key("b.txt")).unwrap_err(),
            proof::save(&instance, NewArtifact::new("b.txt").key("a.txt")).unwrap_err(),
            instance.delete_artifact(&found, None).unwrap_err(),
            instance.trash(&mut found.clone()).unwrap_err(),
        ] {
            assert!(matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Io), "{error}");
            assert!(error.message().contains("store"), "{error}");
            let text = error.to_string();
            assert!(
                text.contains("read-only") || text.contains("Read-only") || text.contains("ermission"),
                "{text}"
            );
        }
        assert!(proof::tree(&root) == before);
    }
    println!("@done");
}

#[test]
fn a_read_only_disk() {
    let binary = "\"$@\"";
    if may_mount() {
        let script = format!(
            "mkdir disk work home && mount -t tmpfs -o size=9m none disk && HOLOTYPE_TEST_PLAN=make {binary} && \
             mount -o remount,ro disk && HOLOTYPE_TEST_PLAN=read exec {binary}"
        );
        let script = format!("exec unshare -rm sh -c '{}' sh \"$@\"", script.replace('\'', "'\\''"));
        under(&script, "place::read_only_child", "make");
    }
    // As a user who may read but not write, files first, then folders as well.
    let root = std::process::Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let drop = if root { "setpriv --reuid=65534 --regid=65534 --clear-groups" } else { "" };
    for closed in ["find disk -type f -exec chmod a-w {} +", "chmod -R a-w disk"] {
        let script = format!(
            "set -e; mkdir disk work home; chmod a+rwx disk work home; HOLOTYPE_TEST_PLAN=make {drop} {binary}; {closed}; \
             HOLOTYPE_TEST_PLAN=read {drop} {binary}; chmod -R u+w disk"
        );
        under(&script, "place::read_only_child", "make");
    }
}

#[test]
fn a_location_that_goes_away_under_a_live_instance() {
    let scratch = Scratch::on_sqlite().unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    let record = save(&scratch, &path, "a.txt").unwrap();
    let aside = scratch.dir().join("aside");
    fs::rename(scratch.root(), &aside).unwrap();
    let other = scratch.file("b.txt", "y").unwrap();
    let root = scratch.root().display().to_string();
    for error in [
        save(&scratch, &other, "b.txt").unwrap_err(),
        scratch.instance().save(&mut label("lost?")).unwrap_err(),
        scratch.instance().cache(&record).map(drop).unwrap_err(),
        scratch.instance().delete_artifact(&record, None).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::FileNotFound, "{error}");
        assert!(error.message().contains(&root), "{error}");
    }
    // Somebody puts another database in its place.
    fs::create_dir_all(scratch.root().join(".lamindb")).unwrap();
    fs::copy(aside.join(".lamindb/lamin.db"), scratch.root().join(".lamindb/lamin.db")).unwrap();
    assert!(scratch.instance().save(&mut label("lost?")).is_err());
    fs::remove_dir_all(scratch.root()).unwrap();
    fs::rename(&aside, scratch.root()).unwrap();
    save(&scratch, &other, "b.txt").unwrap();
    let counted = proof::audit(scratch.instance(), &scratch.root());
    assert_eq!((counted.rows, counted.read, counted.leftovers, counted.orphans), (2, 2, 0, 0));
    assert_eq!(scratch.instance().registry("ULabel").unwrap().count().unwrap(), 0);
}

#[test]
fn content_that_somebody_removed_is_told_and_stored_again() {
    let scratch = Scratch::new().unwrap();
    let path = scratch.file("a.txt", "x").unwrap();
    let record = save(&scratch, &path, "a.txt").unwrap();
    fs::remove_file(scratch.instance().cache(&record).unwrap()).unwrap();
    refused_without_audit(&scratch, record.uid(), &record);
    assert_eq!(save(&scratch, &path, "a.txt").unwrap().uid(), record.uid());
    proof::audit(scratch.instance(), &scratch.root());
    refused(&scratch, ErrorKind::FileNotFound, &["nothing"], || {
        scratch.instance().artifact(NewArtifact::new("nothing.txt").key("nothing.txt"))
    });
}

fn refused_without_audit(scratch: &Scratch, uid: &str, record: &Record) {
    let error = scratch.instance().cache(record).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(error.message().contains(uid), "{error}");
}
