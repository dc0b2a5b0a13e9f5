//! The end of a run.

use std::path::PathBuf;

use holotype::testing::{Scratch, connect};
use holotype::track::{Answers, Finish, FinishOptions, Outcome, Question, Report};
use holotype::{ErrorKind, Event};

use super::{all, done, interactive, notebook, of, run, started, texts, track, versions};

fn with_source(scratch: &Scratch) -> FinishOptions {
    let source = scratch.instance().source_file("n.ipynb".as_ref(), true).unwrap();
    FinishOptions { source: Some(source), ..FinishOptions::default() }
}

/// Writes a notebook of these code cells, each run once in order, and tracks it cell by cell.
fn open(scratch: &Scratch, cells: &[&str]) -> holotype::track::Tracked {
    write(scratch, cells);
    started(scratch.instance().track(&interactive(scratch.instance(), "n.ipynb")))
}

fn write(scratch: &Scratch, cells: &[&str]) -> PathBuf {
    let cells: Vec<_> = cells.iter().zip(1..).map(|(source, n)| ("code", *source, Some(n))).collect();
    scratch.file("n.ipynb", notebook(&cells)).unwrap()
}

#[test]
fn nothing_can_be_finished_before_it_started_or_twice() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let finish = || instance.finish(&FinishOptions::default());
    let error = finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TrackNotCalled);
    assert_eq!(error.message(), "Please run `ln.track()` before `ln.finish()`");
    track(&scratch, "s.py", "1");
    done(finish());
    assert_eq!(finish().unwrap_err().kind(), ErrorKind::TrackNotCalled);
}

#[test]
fn a_script_ends_in_silence_with_its_log() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let started = track(&scratch, "s.py", "1").run;
    scratch.events();
    let log = scratch.file("log.txt", "some output\n").unwrap();
    let report = Some(Report { path: log.clone(), temporary: true });
    let run = done(instance.finish(&FinishOptions { report, ..FinishOptions::default() })).run;
    assert_eq!(run.int("_status_code"), Some(0));
    assert!(run.moment("finished_at") > started.moment("started_at"));
    assert_eq!(instance.context().run, None);
    let report =
        instance.by_id(holotype::model::require("Artifact").unwrap(), run.int("report_id").unwrap()).unwrap();
    assert_eq!(report.text("description"), Some(format!("log streams of run {}", run.uid()).as_str()));
    assert_eq!(
        (report.text("kind"), report.text("key"), report.int("run_id")),
        (Some("__lamindb_run__"), None, None)
    );
    assert_eq!(std::fs::read_to_string(instance.cache(&report).unwrap()).unwrap(), "some output\n");
    assert!(!log.exists());
    let events = scratch.events();
    assert!(!events.iter().any(|event| matches!(event, Event::RunFinished { .. })));
    let stored = instance.by_id(run.registry(), run.id().unwrap()).unwrap();
    assert_eq!(stored.moment("finished_at"), run.moment("finished_at"));
}

#[test]
fn errors_and_aborts_are_told_apart() {
    let scratch = Scratch::new().unwrap();
    for (outcome, code) in [(Outcome::Completed, 0), (Outcome::Errored, 1), (Outcome::Aborted, 2)] {
        track(&scratch, "s.py", "1");
        let run = done(scratch.instance().finish(&FinishOptions { outcome, ..FinishOptions::default() })).run;
        assert_eq!(run.int("_status_code"), Some(code));
        assert!(run.moment("finished_at").is_some());
    }
}

#[test]
fn only_the_run_that_is_named_ends() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = track(&scratch, "a.py", "1").run;
    let second = track(&scratch, "b.py", "2").run;
    done(instance.finish(&FinishOptions {
        run: first.id(),
        outcome: Outcome::Errored,
        ..Default::default()
    }));
    assert_eq!(instance.context().run, second.id());
    let codes: Vec<_> = all(instance, "Run").iter().map(|run| run.int("_status_code")).collect();
    assert_eq!(codes, [Some(1), Some(-1)]);
}

#[test]
fn a_notebook_keeps_its_source_when_it_ends() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let tracked = open(&scratch, &["ln.track()", "token = 'abc'"]);
    scratch.events();
    let finished = done(instance.finish(&with_source(&scratch)));
    assert_eq!(finished.transform.id(), tracked.transform.id());
    assert_eq!(
        finished.transform.text("source_code"),
        Some("# %%\nln.track()\n\n# %%\ntoken = '***REDACTED***'\n")
    );
    let hash = holotype::hash::source_hash("# %%\nln.track()\n\n# %%\ntoken = 'abc'\n");
    assert_eq!(finished.transform.text("hash"), Some(hash.as_str()));
    assert!(finished.run.flag("_is_consecutive"));
    let events = scratch.events();
    assert_eq!(events[0], Event::RedactedSource { n: 1, place: "transform source code" });
    let Event::RunFinished { run, seconds, at } = &events[1] else { panic!("{events:?}") };
    assert_eq!(run, finished.run.uid());
    assert!((1..60).contains(seconds));
    assert_eq!(*at, finished.run.moment("finished_at").unwrap().to_display());
    let stored = instance.by_id(finished.transform.registry(), finished.transform.id().unwrap()).unwrap();
    assert_eq!(stored.text("hash"), Some(hash.as_str()));
}

#[test]
fn unchanged_notebooks_give_up_the_version_made_in_advance() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = open(&scratch, &["1"]);
    done(instance.finish(&with_source(&scratch)));
    let second = open(&scratch, &["1"]);
    assert_ne!(second.transform.id(), first.transform.id());
    let finished = done(instance.finish(&with_source(&scratch)));
    assert_eq!(finished.transform.id(), first.transform.id());
    assert_eq!(finished.run.int("transform_id"), first.transform.id());
    assert_eq!(versions(instance), [("0000".to_owned(), "n.ipynb".to_owned(), true)]);
    assert_eq!(all(instance, "Run").len(), 2);
    // With changes, the version stays.
    open(&scratch, &["1"]);
    write(&scratch, &["1", "2"]);
    done(instance.finish(&with_source(&scratch)));
    assert_eq!(versions(instance).len(), 2);
}

#[test]
fn another_source_is_overwritten_only_on_request() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let tracked = open(&scratch, &["1"]);
    done(instance.finish(&with_source(&scratch)));
    let held = instance.by_id(tracked.transform.registry(), tracked.transform.id().unwrap()).unwrap();
    write(&scratch, &["1", "changed"]);
    let options = || FinishOptions { run: tracked.run.id(), ..with_source(&scratch) };
    let asked = instance.finish(&options()).unwrap();
    let Finish::Ask(question) = asked else { panic!("{asked:?}") };
    let (hash, uid) = (held.text("hash").unwrap(), held.uid());
    assert_eq!(
        question.text(),
        format!(
            "You are about to overwrite existing source code (hash '{hash}') for Transform('{uid}'). Proceed? (y/n) "
        )
    );
    scratch.events();
    let answers = |yes| Answers { overwrite_source: Some(yes), ..Answers::default() };
    assert!(matches!(
        instance.finish(&FinishOptions { answers: answers(false), ..options() }),
        Ok(Finish::Declined)
    ));
    assert_eq!(texts(&scratch.events()), ["Please re-run `ln.track()` to make a new version"]);
    assert_eq!(all(instance, "Transform")[0].text("hash"), Some(hash));
    let finished = done(instance.finish(&FinishOptions { answers: answers(true), ..options() }));
    assert_eq!(finished.transform.id(), held.id());
    assert_ne!(all(instance, "Transform")[0].text("hash"), Some(hash));
}

#[test]
fn cells_out_of_order_warn_ask_or_pass() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let cells = [("code", "1", Some(1)), ("code", "2", Some(3))];
    scratch.file("n.ipynb", notebook(&cells)).unwrap();
    let finish = |ignore, proceed| {
        started(instance.track(&interactive(instance, "n.ipynb")));
        scratch.events();
        let answers = Answers { proceed, ..Answers::default() };
        let finished = instance.finish(&FinishOptions {
            ignore_non_consecutive: ignore,
            answers,
            ..with_source(&scratch)
        });
        let warned = texts(&scratch.events()).contains(&"cells [(1, 3)] were not run consecutively");
        (finished.unwrap(), warned)
    };
    assert!(matches!(finish(Some(false), None), (Finish::Ask(Question::NotConsecutive), true)));
    assert!(matches!(finish(Some(false), Some(false)), (Finish::Declined, false)));
    assert!(instance.context().run.is_some());
    let (Finish::Done(finished), false) = finish(Some(false), Some(true)) else { panic!() };
    assert_eq!(finished.run.get("_is_consecutive"), Some(&holotype::Value::Bool(false)));
    assert!(matches!(finish(None, None), (Finish::Done(_), true)));
    assert!(matches!(finish(Some(true), None), (Finish::Done(_), false)));
}

#[test]
fn another_report_becomes_a_version_of_the_first() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let tracked = open(&scratch, &["1"]);
    let finish = |html: &str, overwrite| {
        let path = scratch.file("n.html", html).unwrap();
        let report = Some(Report { path, temporary: false });
        let answers = Answers { overwrite_report: overwrite, ..Answers::default() };
        instance.finish(&FinishOptions { run: tracked.run.id(), report, answers, ..with_source(&scratch) })
    };
    let one = done(finish("<p>1</p>", None)).run;
    assert_eq!(done(finish("<p>1</p>", None)).run.int("report_id"), one.int("report_id"));
    let asked = finish("<p>2</p>", None).unwrap();
    let Finish::Ask(question) = asked else { panic!("{asked:?}") };
    let artifacts = || all(instance, "Artifact");
    let hash = artifacts()[0].text("hash").unwrap().to_owned();
    assert_eq!(
        question.text(),
        format!(
            "You are about to overwrite an existing report (hash '{hash}') for Run('{}'). Proceed? (y/n) ",
            one.uid()
        )
    );
    assert_eq!(done(finish("<p>2</p>", Some(false))).run.int("report_id"), one.int("report_id"));
    scratch.events();
    let two = done(finish("<p>2</p>", Some(true))).run;
    assert_ne!(two.int("report_id"), one.int("report_id"));
    assert!(texts(&scratch.events()).contains(&"overwriting run.report"));
    let reports: Vec<_> =
        artifacts().iter().map(|row| (row.uid()[16..].to_owned(), row.flag("is_latest"))).collect();
    assert_eq!(reports, [("0000".to_owned(), false), ("0001".to_owned(), true)]);
    assert_eq!(artifacts()[0].text("description"), Some(format!("Report of run {}", one.uid()).as_str()));
}

#[test]
fn a_run_whose_transform_is_gone_says_so() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let mut tracked = track(&scratch, "s.py", "1");
    instance.delete(&mut tracked.transform).unwrap();
    let error = instance.finish(&FinishOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotExist);
}

#[test]
fn a_run_that_is_killed_stays_started() {
    let scratch = Scratch::new().unwrap();
    let (other, _) = connect(scratch.dir(), 5).unwrap();
    scratch.file("s.py", "1").unwrap();
    started(other.track(&of(&other, "s.py")));
    drop(other);
    assert_eq!(all(scratch.instance(), "Run")[0].int("_status_code"), Some(-1));
    run(&scratch, "s.py", "1");
    assert_eq!(all(scratch.instance(), "Run")[0].int("_status_code"), Some(-1));
}
