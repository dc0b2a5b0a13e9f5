//! What surrounds a run is kept when it is finished, once per content, beside the tables of the format.

use holotype::db::Sql;
use holotype::model;
use holotype::surroundings::{Process, Surroundings};
use holotype::testing::Scratch;
use holotype::track::{FinishOptions, Outcome, TrackOptions};
use holotype::{Instance, Kind, Record};
use serde_json::json;

use super::{done, of, started};

fn process(scratch: &Scratch) -> Process {
    let site = scratch.dir().join("site");
    let numpy = site.join("numpy-2.0.1.dist-info");
    std::fs::create_dir_all(&numpy).unwrap();
    std::fs::write(numpy.join("METADATA"), "Metadata-Version: 2.1\nName: numpy\nVersion: 2.0.1\n").unwrap();
    Process {
        interpreter: "cpython 3.12.1".to_owned(),
        program: scratch.dir().join("env/bin/python"),
        prefix: scratch.dir().join("env"),
        path: vec![site],
        folder: scratch.dir().join("work"),
        words: ["python", "s.py", "--token", "abc"].map(str::to_owned).to_vec(),
        file: Some(scratch.dir().join("work/s.py")),
    }
}

/// Tracks the script once more and ends its run.
fn run(scratch: &Scratch, process: Process, outcome: Outcome) -> Record {
    let options = TrackOptions { process: Some(process), ..of(scratch.instance(), "s.py") };
    let tracked = started(scratch.instance().track(&options));
    assert_eq!(scratch.instance().surroundings(&tracked.run).unwrap(), None);
    done(scratch.instance().finish(&FinishOptions { outcome, ..FinishOptions::default() })).run
}

fn kept(instance: &Instance, run: &Record) -> Surroundings {
    instance.surroundings(run).unwrap().unwrap()
}

fn count(instance: &Instance, table: &str) -> i64 {
    let sql = Sql::new(format!("SELECT COUNT(*) FROM \"{table}\""));
    instance.db().scalar(&sql, Kind::BigInt).unwrap().unwrap().as_int().unwrap()
}

#[test]
fn runs_of_equal_surroundings_share_them() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("s.py", "print(1)").unwrap();
    let first = run(&scratch, process(&scratch), Outcome::Completed);
    let second = run(&scratch, process(&scratch), Outcome::Errored);
    let found = kept(instance, &first);
    assert_eq!(found, kept(instance, &second));
    // What other programs of the format see is what they would have written.
    let listed = instance.by_id(model::require("Artifact").unwrap(), first.int("environment_id").unwrap());
    let listed = instance.cache(&listed.unwrap()).unwrap();
    assert_eq!(std::fs::read_to_string(listed).unwrap(), "numpy==2.0.1\n");
    assert_eq!(second.int("environment_id"), first.int("environment_id"));
    assert_eq!(found.environment["interpreter"], "cpython 3.12.1");
    assert_eq!(found.environment["packages"], json!({"python": {"numpy": "2.0.1"}}));
    assert_eq!(found.origin["words"], json!(["python", "s.py", "--token", "***REDACTED***"]));
    assert_eq!((count(instance, "holotype_run"), count(instance, "holotype_document")), (2, 2));

    // Another package: another environment, of a run that was called alike.
    let other = process(&scratch);
    std::fs::create_dir(other.path[0].join("zarr-3.0.dist-info")).unwrap();
    let third = run(&scratch, other, Outcome::Aborted);
    let newer = kept(instance, &third);
    assert_eq!(newer.environment["packages"]["python"]["zarr"], "3.0");
    assert_eq!(newer.origin, found.origin);
    assert_eq!(count(instance, "holotype_document"), 3);
    assert_eq!(kept(instance, &first), found);
}

#[test]
fn a_damaged_document_is_told() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("s.py", "print(1)").unwrap();
    let run = run(&scratch, process(&scratch), Outcome::Completed);
    instance.db().script(&["DELETE FROM holotype_document".to_owned()]).unwrap();
    let error = instance.surroundings(&run).unwrap_err();
    assert_eq!(error.kind(), holotype::ErrorKind::Integrity);
    assert!(error.message().ends_with("in holotype_document is missing or damaged"), "{error}");
}
