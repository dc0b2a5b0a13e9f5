//! Without a network: an instance is made, filled, tracked, asked and read where there is no route to anywhere.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "the child reports to its parent")]

mod proof;

use std::fs;
use std::process::Command;

use holotype::testing::Scratch;
use holotype::track::{Finish, FinishOptions, TrackOptions, Tracking};
use holotype::{NewArtifact, NewCollection, Q, RunChoice};

/// Fails if this process holds a socket.
fn no_sockets(after: &str) {
    for entry in fs::read_dir("/proc/self/fd").unwrap().flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        assert!(!target.to_string_lossy().starts_with("socket:"), "{after} opened {}", target.display());
    }
}

/// Not a test of its own: what runs without a network.
#[test]
fn the_child() {
    if proof::plan().is_none() {
        return;
    }
    let scratch = Scratch::with_modules(&["bionty"]).unwrap();
    no_sockets("init");
    let instance = scratch.instance();
    scratch.file("script.py", "print('hello')").unwrap();
    let source = instance.source_file("script.py".as_ref(), false).unwrap();
    let options = TrackOptions { source: Some(source), ..TrackOptions::default() };
    assert!(matches!(instance.track(&options).unwrap(), Tracking::Started(_)));
    no_sockets("track");
    let file = scratch.file("a.csv", "a,b\n1,2\n").unwrap();
    let saved = proof::save(instance, NewArtifact::new(file.to_str().unwrap()).key("raw/a.csv")).unwrap();
    let folder = scratch.file("folder/x.txt", "x").unwrap().parent().unwrap().to_path_buf();
    proof::save(instance, NewArtifact::new(folder.to_str().unwrap()).key("folder")).unwrap();
    no_sockets("save");
    let new = NewCollection { run: RunChoice::Current, ..NewCollection::new(vec![saved.clone()], "all") };
    let mut collection = instance.collection(new).unwrap();
    instance.save_collection(&mut collection).unwrap();
    let found =
        instance.registry("Artifact").unwrap().filter(Q::is("run__transform__key", "script.py")).unwrap();
    assert!(found.filter(Q::is("key__startswith", "raw/")).unwrap().exists().unwrap());
    assert!(instance.registry("bionty.Source").unwrap().exists().unwrap());
    no_sockets("query");
    assert_eq!(fs::read(instance.cache(&saved).unwrap()).unwrap(), b"a,b\n1,2\n");
    assert!(matches!(instance.finish(&FinishOptions::default()).unwrap(), Finish::Done(_)));
    instance.delete_artifact(&proof::latest(instance, "folder").unwrap(), None).unwrap();
    no_sockets("finish");
    proof::audit(instance, &scratch.root());
    println!("@done");
}

#[test]
fn everything_works_without_a_route() {
    let plain = proof::child("the_child", "go");
    // A network of its own has no route; where none may be made, the child still proves that it opens no socket.
    let apart = Command::new("unshare").args(["-rn", "true"]).status().is_ok_and(|status| status.success());
    let mut command = if apart { Command::new("unshare") } else { Command::new("env") };
    if apart {
        command.arg("-rn");
    }
    command
        .arg(plain.get_program())
        .args(plain.get_args())
        .env("HOLOTYPE_TEST_PLAN", "go")
        .env_remove("HOLOTYPE_TEST_DB");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("@done"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
