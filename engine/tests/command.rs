//! Commands as runs: what their files are, and runs whose process is gone.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use holotype::command::{DoneCommand, NewCommand, Ran};
use holotype::instance::settings::cache_dir;
use holotype::testing::{Scratch, connect};
use holotype::trace::{Files, Write};
use holotype::{Instance, NewArtifact, Record, RunChoice, Value, model};
use serde_json::json;

fn wanted(words: &[&str]) -> NewCommand {
    NewCommand { words: words.iter().map(|word| (*word).to_owned()).collect(), ..NewCommand::default() }
}

/// Plays a command: what it opens is what `opens` notes.
fn play(instance: &Instance, new: &NewCommand, opens: impl FnOnce(&mut Files)) -> DoneCommand {
    let plan = instance.plan_command(new).unwrap();
    let started = instance.start_command(&plan).unwrap();
    let mut files = plan.watch().files;
    opens(&mut files);
    instance.finish_command(&plan, started, Ran { files, ..Ran::default() }).unwrap()
}

fn make(files: &mut Files, path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    files.open_to_write(path, Write::Anew);
    fs::write(path, content).unwrap();
}

fn save(instance: &Instance, path: &Path, key: &str) -> Record {
    let new = NewArtifact { run: RunChoice::None, ..NewArtifact::new(path.to_string_lossy()).key(key) };
    let mut artifact = instance.artifact(new).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    artifact.record
}

fn keys(found: &[holotype::command::Found]) -> Vec<&str> {
    found.iter().map(|found| found.record.text("key").unwrap()).collect()
}

fn work(scratch: &Scratch) -> PathBuf {
    scratch.dir().join("work")
}

#[test]
fn folders_of_some_formats_are_one_output() {
    let scratch = Scratch::new().unwrap();
    let done = play(scratch.instance(), &wanted(&["true"]), |files| {
        for name in
            ["cells.zarr/.zattrs", "cells.zarr/X/0.0", "tables/a.csv", "tables/b.csv", ".cache/x", "x.tmp"]
        {
            make(files, &work(&scratch).join(name), name);
        }
    });
    assert_eq!(keys(&done.outputs), ["cells.zarr", "tables/a.csv", "tables/b.csv"]);
    assert_eq!(done.outputs[0].record.int("n_files"), Some(2));
    assert!(done.failed.is_empty());
}

#[test]
fn copies_in_the_cache_are_what_they_are_copies_of() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let row = |registry: &str, fields: &[(&str, Value)]| {
        let mut row = Record::empty(model::require(registry).unwrap());
        fields.iter().for_each(|(name, value)| row.set(name, value.clone()).unwrap());
        instance.save(&mut row).unwrap();
        row
    };
    let bucket = row("Storage", &[("root", "s3://bucket/team".into()), ("type", "s3".into())]);
    let artifact = |uid: &str, key: &str, is_virtual: bool| {
        row(
            "Artifact",
            &[
                ("uid", uid.into()),
                ("key", key.into()),
                ("suffix", ".csv".into()),
                ("storage_id", bucket.id().into()),
                ("_key_is_virtual", is_virtual.into()),
                ("_overwrite_versions", false.into()),
                ("is_latest", true.into()),
            ],
        )
    };
    artifact("aaaaaaaaaaaaaaaa0000", "one.csv", true);
    artifact("bbbbbbbbbbbbbbbb0000", "two/x.csv", false);
    artifact("cccccccccccccccc0000", "three.csv", true);
    let cache = fs::canonicalize(cache_dir(instance.env()).unwrap()).unwrap().join("bucket/team");
    let done = play(instance, &wanted(&["true"]), |files| {
        for name in ["one.csv", "two/x.csv", ".lamindb/cccccccccccccccc0000.csv", "foreign.csv"] {
            let path = cache.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            files.open_to_read(&path);
        }
        make(files, &cache.join("made.csv"), "made");
    });
    let mut found = keys(&done.inputs);
    found.sort_unstable();
    assert_eq!(found, ["one.csv", "three.csv", "two/x.csv"]);
    assert!(done.outputs.is_empty());
}

#[test]
fn what_cannot_be_saved_keeps_nothing_else_from_it() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let long = format!("{}.csv", "x".repeat(200));
    let deep = work(&scratch).join([long.as_str(); 6].join("/"));
    let done = play(instance, &wanted(&["true"]), |files| {
        make(files, &deep, "too long a key");
        make(files, &work(&scratch).join("fine.csv"), "fine");
    });
    assert_eq!(keys(&done.outputs), ["fine.csv"]);
    assert_eq!(done.failed.len(), 1);
    assert!(done.failed[0].1.message().contains("at most"), "{:?}", done.failed);
    assert_eq!(done.run.int("_status_code"), Some(0));
}

#[test]
fn keys_start_at_the_folder_of_the_project() {
    let scratch = Scratch::new().unwrap();
    let (instance, _) = connect(scratch.dir(), 7).unwrap();
    let analysis = work(&scratch).join("analysis");
    fs::create_dir(&analysis).unwrap();
    fs::write(analysis.join("step.sh"), "true\n").unwrap();
    let slug = instance.settings().slug();
    holotype::instance::settings::bind(instance.env(), &work(&scratch), &slug).unwrap();
    let mut env = instance.env().clone();
    env.cwd = analysis.clone();
    let inner = Instance::connect_to(&env, "store").unwrap();
    save(&inner, &analysis.join("step.sh"), "copy.sh");
    let done = play(&inner, &wanted(&["bash", "step.sh"]), |files| {
        files.open_to_read(&analysis.join("step.sh"));
        make(files, &analysis.join("out/a.csv"), "a");
        make(files, &work(&scratch).join("shared/b.csv"), "b");
    });
    assert_eq!(done.transform.text("key"), Some("analysis/step.sh"));
    assert_eq!(keys(&done.outputs), ["analysis/out/a.csv", "shared/b.csv"]);
    // The code is no data that it reads.
    assert!(done.inputs.is_empty());
}

#[test]
fn runs_of_processes_that_are_gone_are_closed_with_what_they_started() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let plan = instance.plan_command(&wanted(&["true"])).unwrap();
    let started = instance.start_command(&plan).unwrap();
    let (uid, id) = (started.run.uid().to_owned(), started.run.id());
    let mut child = instance.run(Some(&started.transform), &[("status", "started".into())]).unwrap();
    child.set("initiated_by_run_id", id).unwrap();
    instance.save(&mut child).unwrap();
    let (other, told) = connect(scratch.dir(), 8).unwrap();
    // It goes on here: nobody closes it.
    assert!(other.close_killed().unwrap().is_empty());
    fs::write(&started.log, "half done").unwrap();
    // A mark that nobody holds is what a killed process leaves behind, and one that failed to finish.
    let marks = cache_dir(instance.env()).unwrap().join("runs");
    drop(started);
    assert!(marks.join(&uid).exists());
    fs::write(marks.join("0000000000000000"), "somebody/else").unwrap();
    assert_eq!(other.close_killed().unwrap(), std::slice::from_ref(&uid));
    assert!(told.take().iter().any(|event| format!("{event:?}").contains("was killed")));
    for run in instance.registry("Run").unwrap().all().unwrap() {
        assert_eq!((run.int("_status_code"), run.moment("finished_at").is_some()), (Some(2), true));
    }
    assert!(!marks.join(&uid).exists() && marks.join("0000000000000000").exists());
    assert!(other.close_killed().unwrap().is_empty());
}

#[test]
fn a_note_keeps_what_else_is_known_of_a_run() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let plan = instance.plan_command(&wanted(&["true"])).unwrap();
    let mut started = instance.start_command(&plan).unwrap();
    let Some(Value::Json(mut data)) = started.run.get("extra_data").cloned() else { panic!("no note") };
    data["mine"] = json!(7);
    started.run.set("extra_data", *data).unwrap();
    instance.save(&mut started.run).unwrap();
    let done = instance.finish_command(&plan, started, Ran { code: Some(0), ..Ran::default() }).unwrap();
    let Some(Value::Json(data)) = done.run.get("extra_data") else { panic!("no note") };
    assert_eq!((&data["mine"], &data["command"]["exit_code"]), (&json!(7), &json!(0)));
}
