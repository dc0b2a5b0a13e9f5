//! What deleted runs have left goes once nothing names it; what anything names stays, also when that happens just now.

use std::fs;

use holotype::care::{Collect, CollectPlan, Depth};
use holotype::surroundings::Process;
use holotype::track::{EnvironmentFile, Finish, FinishOptions, Report, TrackOptions, Tracking};
use holotype::{Instance, Record, Timestamp, model};

use crate::Lab;
use crate::collect::{ALL, LATE};

/// What nobody has touched since the year 2001.
const OLD: Collect = Collect { unused_before: Timestamp(978_307_200_000_000), trashed_before: None };

/// Tracks a script that prints something, in an environment, and ends its run.
fn run(lab: &Lab, instance: &Instance, said: &str, software: &str) -> Record {
    let script = lab.scratch.file("s.py", "print(1)").unwrap();
    let process = Process { words: vec![said.to_owned()], ..Process::default() };
    let source = Some(instance.source_file(&script, false).unwrap());
    let options = TrackOptions { source, process: Some(process), ..TrackOptions::default() };
    let Tracking::Started(tracked) = instance.track(&options).unwrap() else { panic!("not started") };
    let log = lab.scratch.file(&format!("{}.txt", tracked.run.uid()), said).unwrap();
    let environment =
        EnvironmentFile { name: "run_env_pip.txt".to_owned(), content: software.as_bytes().to_vec() };
    let finish = FinishOptions {
        run: tracked.run.id(),
        report: Some(Report { path: log, temporary: true }),
        environment: Some(environment),
        ..FinishOptions::default()
    };
    let Finish::Done(finished) = instance.finish(&finish).unwrap() else { panic!("not finished") };
    finished.run
}

fn delete(instance: &Instance, run: &Record) {
    instance.delete(&mut run.clone()).unwrap();
}

fn artifact(lab: &Lab, run: &Record, field: &str) -> Record {
    lab.instance().by_id(model::require("Artifact").unwrap(), run.int(field).unwrap()).unwrap()
}

/// Returns the ids of the artifacts that would go, and how many documents.
fn goes(plan: &CollectPlan) -> (Vec<i64>, usize) {
    (plan.unnamed.iter().filter_map(|outgoing| outgoing.artifact.id()).collect(), plan.documents.len())
}

fn plan(lab: &Lab) -> CollectPlan {
    lab.instance().plan_collect(ALL).unwrap()
}

#[test]
fn what_a_deleted_run_has_left_goes_and_what_another_shares_stays() {
    let lab = Lab::new();
    let instance = lab.instance();
    let first = run(&lab, instance, "one", "numpy==1\n");
    let second = run(&lab, instance, "two", "numpy==1\n");
    let (report, environment) = (first.int("report_id").unwrap(), first.int("environment_id").unwrap());
    assert_eq!(second.int("environment_id"), Some(environment));
    assert!(plan(&lab).is_empty());

    delete(instance, &first);
    assert_eq!(goes(&plan(&lab)), (vec![report], 1));
    let young = Collect { unused_before: Timestamp(0), trashed_before: Some(LATE) };
    assert_eq!(goes(&instance.plan_collect(young).unwrap()).0, Vec::<i64>::new());

    let other = artifact(&lab, &second, "report_id").id().unwrap();
    delete(instance, &second);
    let left = plan(&lab);
    assert_eq!(goes(&left), (vec![environment, report, other], 3));
    let path = left.unnamed[0].path.clone();
    let collected = left.apply(instance).unwrap();
    assert_eq!(
        (collected.unnamed, collected.documents, collected.moved, collected.failed),
        (3, 3, 3, vec![])
    );
    assert!(!path.exists() && plan(&lab).is_empty() && lab.verify(Depth::Full).is_sound());
    let held = instance.quarantined().unwrap();
    assert_eq!(held[0].size, 3 + 3 + 9);
    // The next run of the same finds nothing to share.
    let third = run(&lab, instance, "one", "numpy==1\n");
    let listed = instance.cache(&artifact(&lab, &third, "environment_id")).unwrap();
    assert_eq!(fs::read_to_string(listed).unwrap(), "numpy==1\n");
}

#[test]
fn whatever_names_it_keeps_it() {
    let lab = Lab::new();
    let instance = lab.instance();
    let gone = run(&lab, instance, "one", "numpy==1\n");
    let (report, environment) = (artifact(&lab, &gone, "report_id"), artifact(&lab, &gone, "environment_id"));
    let before = {
        delete(instance, &gone);
        plan(&lab)
    };
    assert_eq!(goes(&before).0.len(), 2);
    // Deleting the artifact would delete this transform: LaminDB's rows have it so.
    let mut transform = instance.by_id(model::require("Transform").unwrap(), 1).unwrap();
    transform.set("environment_id", environment.id()).unwrap();
    instance.save(&mut transform).unwrap();
    let reader = run(&lab, instance, "other", "numpy==2\n");
    instance.link(&report, "input_of_runs", &[reader.id().unwrap()]).unwrap();
    assert_eq!(goes(&plan(&lab)).0, Vec::<i64>::new());
    // A plan of before does no harm either.
    let collected = before.apply(instance).unwrap();
    assert_eq!((collected.unnamed, collected.failed.len()), (0, 0));
    for field in ["report_id", "environment_id"] {
        instance.cache(&artifact(&lab, &gone, field)).unwrap();
    }
    assert!(instance.by_id(model::require("Transform").unwrap(), 1).is_ok());
}

#[test]
fn a_run_that_takes_it_just_now_keeps_it() {
    let lab = Lab::new();
    let (runner, _) = lab.scratch.connect(5).unwrap();
    let last = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let mut last: Option<Record> = None;
            for _ in 0..40 {
                // Nothing names them for a moment, then the next run of the same does.
                last.iter().for_each(|run| delete(&runner, run));
                last = Some(run(&lab, &runner, "same", "numpy==1\n"));
                lab.behind("UPDATE lamindb_artifact SET updated_at = '2000-01-01 00:00:00'");
            }
            last.unwrap()
        });
        let mut taken = 0;
        while !running.is_finished() {
            let plan = lab.instance().plan_collect(OLD).unwrap();
            taken += plan.apply(lab.instance()).unwrap().unnamed;
        }
        assert!(taken > 0, "nothing was ever collected in between");
        running.join().unwrap()
    });
    for (field, content) in [("report_id", "same"), ("environment_id", "numpy==1\n")] {
        let kept = lab.instance().cache(&artifact(&lab, &last, field)).unwrap();
        assert_eq!(fs::read_to_string(kept).unwrap(), content);
    }
    assert!(lab.instance().surroundings(&last).unwrap().is_some());
    assert!(lab.verify(Depth::Full).is_sound());
}
