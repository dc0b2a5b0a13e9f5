//! Parameters and what else a run remembers of its start.

use holotype::testing::Scratch;
use holotype::track::{EnvironmentFile, Named, TrackOptions};
use holotype::{ErrorKind, Event, Record, Value, model};
use serde_json::{Value as Json, json};

use super::{all, done, of, run, started, texts};

fn params(json: Json) -> Option<serde_json::Map<String, Json>> {
    json.as_object().cloned()
}

#[test]
fn a_run_remembers_parameters_without_secrets() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("s.py", "x = 1").unwrap();
    let given = json!({
        "lr": 0.1, "name": "a'b", "none": null, "empty": [], "token": "abc", "max_tokens": 7, "flag": true,
        "db": "postgresql://u:p@h/db", "nested": {"apiKey": "x", "list": [1, {"password": "y"}]}
    });
    let options = TrackOptions { params: params(given), ..of(instance, "s.py") };
    let tracked = started(instance.track(&options));
    let stored = instance.by_id(tracked.run.registry(), tracked.run.id().unwrap()).unwrap();
    let expected = json!({
        "lr": 0.1, "name": "a'b", "token": "***REDACTED***", "max_tokens": 7, "flag": true, "db": "***REDACTED***",
        "nested": {"apiKey": "***REDACTED***", "list": [1, {"password": "***REDACTED***"}]}
    });
    assert_eq!(stored.get("params"), Some(&Value::from(expected)));
    let events = scratch.events();
    let line = texts(&events).into_iter().find(|text| text.starts_with("params: ")).unwrap().to_owned();
    assert!(
        line.starts_with(
            "params: lr=0.1, name=\"a'b\", token='***REDACTED***', max_tokens=7, flag=True, db="
        ),
        "{line}"
    );
    assert!(line.ends_with("'list': [1, {'password': '***REDACTED***'}]}"), "{line}");
}

#[test]
fn parameters_that_say_nothing_are_none() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("s.py", "x = 1").unwrap();
    let tracked =
        started(instance.track(&TrackOptions { params: params(json!({"a": null})), ..of(instance, "s.py") }));
    assert_eq!(tracked.run.get("params"), Some(&Value::Null));
    assert!(!texts(&scratch.events()).iter().any(|text| text.starts_with("params")));
}

#[test]
fn arguments_of_the_command_line_are_kept_and_said() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("s.py", "x = 1").unwrap();
    let arguments = ["--foo", "1", "bar"].map(str::to_owned).to_vec();
    let tracked = started(instance.track(&TrackOptions { arguments, ..of(instance, "s.py") }));
    assert_eq!(tracked.run.text("cli_args"), Some("--foo 1 bar"));
    assert_eq!(tracked.transform.text("description"), Some("CLI: s.py"));
    let events = scratch.events();
    assert_eq!(events[0], Event::Note("script invoked with: --foo 1 bar".to_owned()));
    let long = TrackOptions { arguments: vec!["ü".repeat(3000)], ..of(instance, "s.py") };
    assert_eq!(started(instance.track(&long)).run.text("cli_args").unwrap().chars().count(), 1024);
}

#[test]
fn the_message_names_transform_and_run_and_the_tip_repeats_what_was_passed() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let mut project = Record::empty(model::require("Project").unwrap());
    project.set("name", "atlas").unwrap();
    instance.save(&mut project).unwrap();
    scratch.file("s.py", "x = 1").unwrap();
    let tracked = started(instance.track(&TrackOptions {
        project: Some(Named::from("atlas")),
        params: params(json!({"a": 1})),
        ..of(instance, "s.py")
    }));
    let (transform, run) = (&tracked.transform, &tracked.run);
    let events = scratch.events();
    let message = Event::RunStarted {
        verb: "created",
        transform: transform.uid().to_owned(),
        key: "s.py".to_owned(),
        run: run.uid().to_owned(),
        run_verb: "started new Run",
        at: run.moment("started_at").unwrap().to_display(),
    };
    let tip = format!(
        "tip: to identify the script across renames, pass the uid: ln.track(\"{}\", project=\"atlas\", params={{...}})",
        transform.stem_uid()
    );
    assert_eq!(events, [message, Event::Note("params: a=1".to_owned()), Event::Tip(tip)]);
    for record in [transform, run] {
        let projects = instance.related(record, "projects").unwrap().all_ids().unwrap();
        assert_eq!(projects, [project.id().unwrap()]);
    }
    let uid = transform.stem_uid().to_owned();
    started(instance.track(&TrackOptions { uid: Some(uid), ..of(instance, "s.py") }));
    assert!(!scratch.events().iter().any(|event| matches!(event, Event::Tip(_))));
}

#[test]
fn names_that_nothing_answers_to_are_refused_and_nothing_is_written() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("s.py", "x = 1").unwrap();
    let plain = || of(instance, "s.py");
    let nope = || Some(Named::from("nope"));
    let hub = "please check on the hub UI whether you have the correct `uid` or `name`.";
    for (options, message) in [
        (
            TrackOptions { project: nope(), ..plain() },
            "Project 'nope' not found, either create it with `ln.Project(name='...').save()` or fix typos."
                .to_owned(),
        ),
        (TrackOptions { space: nope(), ..plain() }, format!("Space 'nope', {hub}")),
        (TrackOptions { branch: nope(), ..plain() }, format!("Branch 'nope', {hub}")),
        (
            TrackOptions { plan: nope(), ..plain() },
            "Plan artifact 'nope' not found, either create it or use a valid key/uid.".to_owned(),
        ),
        (
            TrackOptions { initiated_by_run: nope(), ..plain() },
            "Run 'nope' not found, please pass a valid run uid.".to_owned(),
        ),
    ] {
        let error = instance.track(&options).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidArgument, message.as_str()));
    }
    for uid in ["bad", "", "AbCdEfGhIjKl000", "AbCdEfGhIj-l"] {
        let error = instance.track(&TrackOptions { uid: Some(uid.to_owned()), ..plain() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let start = format!(
            "Please pass an auto-generated uid instead of \"{uid}\". Resolve by running: ln.track(\""
        );
        let fresh = error.message().strip_prefix(start.as_str()).unwrap().strip_suffix("\")").unwrap();
        assert_eq!(fresh.len(), 12, "{error}");
    }
    assert_eq!(instance.track(&TrackOptions::default()).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert!(all(instance, "Transform").is_empty() && all(instance, "Run").is_empty());
    assert_eq!(instance.context().run, None);
}

#[test]
fn branch_space_plan_and_parent_reach_the_rows_and_the_context() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    for (registry, name) in [("Branch", "b1"), ("Space", "s1")] {
        let mut record = Record::empty(model::require(registry).unwrap());
        record.set("name", name).unwrap();
        instance.save(&mut record).unwrap();
    }
    let parent = run(&scratch, "parent.py", "0").run;
    let path = scratch.file("plan.md", "a plan").unwrap();
    let new = holotype::NewArtifact::new(path.display().to_string()).key("plans/plan.md");
    let mut plan = instance.artifact(new).unwrap();
    instance.save_artifact(&mut plan).unwrap();
    scratch.file("s.py", "x = 1").unwrap();
    let tracked = started(instance.track(&TrackOptions {
        branch: Some(Named::from("b1")),
        space: Some(Named::from("s1")),
        plan: Some(Named::from("plans/plan.md")),
        initiated_by_run: Some(Named::from(parent.uid())),
        ..of(instance, "s.py")
    }));
    for record in [&tracked.transform, &tracked.run] {
        assert_eq!((record.int("branch_id"), record.int("space_id")), (Some(2), Some(2)));
    }
    assert_eq!(tracked.run.int("plan_id"), plan.record.id());
    assert_eq!(tracked.run.int("initiated_by_run_id"), parent.id());
    let context = instance.context();
    assert_eq!((context.branch, context.space, context.run), (2, 2, tracked.run.id()));
}

#[test]
fn the_environment_stands_in_for_what_was_not_passed() {
    let scratch = Scratch::new().unwrap();
    let parent = run(&scratch, "parent.py", "0").run;
    let mut project = Record::empty(model::require("Project").unwrap());
    project.set("name", "atlas").unwrap();
    scratch.instance().save(&mut project).unwrap();
    scratch.file("s.py", "x = 1").unwrap();
    let variables = [
        ("LAMIN_CURRENT_PROJECT".to_owned(), "atlas".to_owned()),
        ("LAMIN_INITIATED_BY_RUN_UID".to_owned(), parent.uid().to_owned()),
    ];
    let env = scratch.instance().env().clone().with_vars(variables);
    let instance = holotype::Instance::connect_to(&env, "store").unwrap();
    let tracked = started(instance.track(&of(&instance, "s.py")));
    assert_eq!(tracked.run.int("initiated_by_run_id"), parent.id());
    assert_eq!(instance.related(&tracked.run, "projects").unwrap().count().unwrap(), 1);
}

#[test]
fn equal_environments_are_one_hidden_artifact() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("s.py", "x = 1").unwrap();
    let with = |name: &str, content: &str| TrackOptions {
        environment: Some(EnvironmentFile { name: name.to_owned(), content: content.into() }),
        ..of(instance, "s.py")
    };
    let one = started(instance.track(&with("run_env_pip.txt", "numpy==2.0\n"))).run;
    // Runs follow each other in one process; the second one must not become the maker of its environment.
    let two = started(instance.track(&with("run_env_pip.txt", "numpy==2.0\n"))).run;
    let three = started(instance.track(&with("uv.lock", "version = 1\n"))).run;
    let four = started(instance.track(&with("run_env_pip.txt", " \n"))).run;
    assert_eq!(one.int("environment_id"), two.int("environment_id"));
    assert_ne!(one.int("environment_id"), three.int("environment_id"));
    assert_eq!(four.int("environment_id"), None);
    let artifacts = all(instance, "Artifact");
    let seen: Vec<_> = artifacts.iter().map(|row| (row.text("description"), row.text("suffix"))).collect();
    assert_eq!(seen, [(Some("requirements.txt"), Some(".txt")), (Some("uv.lock"), Some(".lock"))]);
    for artifact in &artifacts {
        assert_eq!((artifact.text("kind"), artifact.text("key")), (Some("__lamindb_run__"), None));
        assert_eq!(artifact.int("run_id"), None);
    }
    let stored = std::fs::read_to_string(instance.cache(&artifacts[0]).unwrap()).unwrap();
    assert_eq!(stored, "numpy==2.0\n");
    let run = instance.by_id(one.registry(), one.id().unwrap()).unwrap();
    assert_eq!(run.int("environment_id"), artifacts[0].id());
}

#[test]
fn a_bad_environment_does_not_stop_the_run() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("s.py", "x = 1").unwrap();
    let environment = Some(EnvironmentFile { name: "../x".to_owned(), content: b"numpy".to_vec() });
    let tracked = started(instance.track(&TrackOptions { environment, ..of(instance, "s.py") }));
    assert_eq!(tracked.run.int("environment_id"), None);
    assert_eq!(
        texts(&scratch.events()).last(),
        Some(&"could not track the environment: '../x' is no file name")
    );
    done(instance.finish(&Default::default()));
}
