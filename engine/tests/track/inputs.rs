//! What a run reads, and what it makes again.

use std::path::Path;

use holotype::testing::Scratch;
use holotype::{Artifact, ErrorKind, Event, NewArtifact, Record, RunChoice, model};

use super::{done, run, track};

fn save(scratch: &Scratch, key: &str, content: &str) -> Record {
    let path = scratch.file(key, content).unwrap();
    let mut artifact: Artifact =
        scratch.instance().artifact(NewArtifact::new(path.display().to_string()).key(key)).unwrap();
    scratch.instance().save_artifact(&mut artifact).unwrap();
    artifact.record
}

fn ids(scratch: &Scratch, run: &Record, relation: &str) -> Vec<i64> {
    scratch.instance().related(run, relation).unwrap().all_ids().unwrap()
}

#[test]
fn what_is_read_is_an_input_once() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let artifact = save(&scratch, "a.txt", "a");
    let run = track(&scratch, "s.py", "1").run;
    assert!(instance.track_input(&artifact, None).unwrap());
    assert!(instance.track_input(&artifact, None).unwrap());
    assert_eq!(ids(&scratch, &run, "input_artifacts"), [artifact.id().unwrap()]);
}

#[test]
fn without_a_run_a_read_says_that_it_does_not_count() {
    let scratch = Scratch::new().unwrap();
    let artifact = save(&scratch, "a.txt", "a");
    scratch.events();
    assert!(!scratch.instance().track_input(&artifact, None).unwrap());
    assert_eq!(scratch.events(), [Event::InputNotTracked]);
}

#[test]
fn a_run_can_be_named() {
    let scratch = Scratch::new().unwrap();
    let first = run(&scratch, "s.py", "1").run;
    let artifact = save(&scratch, "a.txt", "a");
    assert!(scratch.instance().track_input(&artifact, first.id()).unwrap());
    assert_eq!(ids(&scratch, &first, "input_artifacts"), [artifact.id().unwrap()]);
}

#[test]
fn outputs_are_no_inputs_of_their_own_run() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = track(&scratch, "s.py", "1").run;
    let artifact = save(&scratch, "a.txt", "a");
    assert_eq!(artifact.int("run_id"), first.id());
    assert!(!instance.track_input(&artifact, None).unwrap());
    assert_eq!(ids(&scratch, &first, "input_artifacts"), [0i64; 0]);
    done(instance.finish(&Default::default()));
    // Made again by a second run, it is no input of that one either.
    let second = track(&scratch, "s.py", "1").run;
    let again = save(&scratch, "a.txt", "a");
    assert_eq!((again.id(), again.int("run_id")), (artifact.id(), first.id()));
    assert_eq!(ids(&scratch, &second, "recreated_artifacts"), [artifact.id().unwrap()]);
    assert!(!instance.track_input(&again, None).unwrap());
    assert_eq!(ids(&scratch, &second, "input_artifacts"), [0i64; 0]);
    done(instance.finish(&Default::default()));
    // A third one that only reads has it as its input, and does not count as making it again.
    let third = track(&scratch, "s.py", "1").run;
    assert!(instance.track_input(&again, None).unwrap());
    save(&scratch, "a.txt", "a");
    assert_eq!(ids(&scratch, &third, "input_artifacts"), [artifact.id().unwrap()]);
    assert_eq!(ids(&scratch, &third, "recreated_artifacts"), [0i64; 0]);
}

#[test]
fn recreation_is_noted_for_any_run_but_the_maker_and_readers() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let maker = track(&scratch, "s.py", "1").run;
    let artifact = save(&scratch, "a.txt", "a");
    let other = run(&scratch, "t.py", "2").run;
    let reader = run(&scratch, "u.py", "3").run;
    instance.track_input(&artifact, reader.id()).unwrap();
    assert!(!instance.track_recreation(&artifact, maker.id()).unwrap());
    assert!(!instance.track_recreation(&artifact, reader.id()).unwrap());
    assert!(!instance.track_recreation(&artifact, None).unwrap());
    assert!(instance.track_recreation(&artifact, other.id()).unwrap());
    assert_eq!(ids(&scratch, &other, "recreated_artifacts"), [artifact.id().unwrap()]);
}

#[test]
fn what_is_not_saved_or_no_data_cannot_be_read() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let run = track(&scratch, "s.py", "1").run;
    let unsaved = Record::empty(model::require("Artifact").unwrap());
    assert!(!instance.track_input(&unsaved, None).unwrap());
    let error = instance.track_input(&run, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Field);
}

#[test]
fn an_artifact_without_run_stays_without_one() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    track(&scratch, "s.py", "1");
    let path = scratch.file("a.txt", "a").unwrap();
    let new =
        NewArtifact { run: RunChoice::None, ..NewArtifact::new(path.display().to_string()).key("a.txt") };
    let mut artifact = instance.artifact(new).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    let stored = instance.get_uid(artifact.record.registry(), artifact.record.uid()).unwrap();
    assert_eq!((artifact.record.int("run_id"), stored.int("run_id")), (None, None));
    std::fs::create_dir_all(Path::new(&path).with_file_name("many")).unwrap();
    scratch.file("many/x.txt", "x").unwrap();
    scratch.file("many/y.txt", "y").unwrap();
    let mut many = instance
        .artifacts_from_dir(&path.with_file_name("many").display().to_string(), Some("many"), RunChoice::None)
        .unwrap();
    instance.save_artifacts(&mut many).unwrap();
    assert!(
        many.iter().all(|artifact| artifact.record.id().is_some() && artifact.record.int("run_id").is_none())
    );
}
