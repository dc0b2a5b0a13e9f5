//! Which transform a file stands for, case by case.

use holotype::testing::Scratch;
use holotype::track::{Rename, TrackOptions};
use holotype::{ErrorKind, Event, Record, model};

use super::common::Fixture;
use super::{all, asked, done, interactive, notebook, of, run, started, texts, track, versions};

fn v(rows: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    rows.iter().map(|(uid, key, latest)| ((*uid).to_owned(), (*key).to_owned(), *latest)).collect()
}

fn verbs(events: &[Event]) -> Vec<String> {
    let verb = |event: &Event| match event {
        Event::RunStarted { verb, run_verb, .. } => Some(format!("{verb}, {run_verb}")),
        _ => None,
    };
    events.iter().filter_map(verb).collect()
}

#[test]
fn a_new_script_is_a_new_family_with_its_source() {
    let scratch = Scratch::new().unwrap();
    let tracked = track(&scratch, "s.py", "print(1)\n");
    let (transform, run) = (&tracked.transform, &tracked.run);
    assert!(tracked.created && !tracked.restarted);
    assert_eq!(versions(scratch.instance()), v(&[("0000", "s.py", true)]));
    assert_eq!(transform.text("kind"), Some("script"));
    assert_eq!(transform.text("source_code"), Some("print(1)\n"));
    assert_eq!(transform.text("hash"), Some(holotype::hash::source_hash("print(1)\n").as_str()));
    assert_eq!((transform.text("description"), transform.int("run_id")), (None, None));
    assert_eq!((run.uid().len(), run.int("_status_code")), (16, Some(-1)));
    assert!(run.flag("_is_consecutive") && run.moment("finished_at").is_none());
    assert_eq!(run.int("transform_id"), transform.id());
    assert_eq!(scratch.instance().context().run, run.id());
    assert_eq!(verbs(&scratch.events()), ["created, started new Run"]);
}

#[test]
fn an_unchanged_script_is_loaded_and_a_changed_one_gets_a_version() {
    let scratch = Scratch::new().unwrap();
    run(&scratch, "s.py", "1");
    scratch.events();
    let again = run(&scratch, "s.py", "1");
    assert!(!again.created);
    assert_eq!(verbs(&scratch.events()), ["loaded, started new Run"]);
    run(&scratch, "s.py", "2");
    let events = scratch.events();
    let expected =
        Event::NewTransformVersion { kind: "script".to_owned(), key: "s.py".to_owned(), note: String::new() };
    assert_eq!(events[0], expected);
    assert_eq!(verbs(&events), ["created, started new Run"]);
    assert_eq!(versions(scratch.instance()), v(&[("0000", "s.py", false), ("0001", "s.py", true)]));
    // Going back to the old text finds the old version.
    let back = run(&scratch, "s.py", "1");
    assert_eq!(back.transform.id(), again.transform.id());
    assert_eq!(all(scratch.instance(), "Run").len(), 4);
}

#[test]
fn a_second_run_in_one_process_does_not_make_the_first_one_its_maker() {
    let scratch = Scratch::new().unwrap();
    track(&scratch, "a.py", "1");
    let second = track(&scratch, "b.py", "2");
    assert_eq!(second.transform.int("run_id"), None);
}

#[test]
fn a_renamed_file_asks_first() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = run(&scratch, "s.py", "1");
    scratch.file("new.py", "1").unwrap();
    scratch.events();
    let question = asked(instance.track(&of(instance, "new.py")));
    assert_eq!(
        question.text(),
        "Found transform with same hash but different key: s.py. Did you rename your script to new.py (1) or \
         intentionally made a copy (2)?"
    );
    assert_eq!((all(instance, "Run").len(), scratch.events().len()), (1, 0));

    let renamed =
        started(instance.track(&TrackOptions { rename: Some(Rename::Renamed), ..of(instance, "new.py") }));
    assert_eq!((renamed.transform.id(), renamed.created), (first.transform.id(), false));
    let events = scratch.events();
    assert_eq!(events[0], Event::RenamingTransform { from: "s.py".to_owned(), to: "new.py".to_owned() });
    assert_eq!(versions(instance), v(&[("0000", "new.py", true)]));
}

#[test]
fn a_copy_becomes_a_family_of_its_own() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = run(&scratch, "s.py", "1");
    scratch.file("copy.py", "1").unwrap();
    let copied =
        started(instance.track(&TrackOptions { rename: Some(Rename::Copied), ..of(instance, "copy.py") }));
    assert!(copied.created);
    assert_ne!(copied.transform.stem_uid(), first.transform.stem_uid());
    assert_eq!(versions(instance), v(&[("0000", "s.py", true), ("0000", "copy.py", true)]));
    // From now on each is found by its own key.
    assert_eq!(run(&scratch, "copy.py", "1").transform.id(), copied.transform.id());
    assert_eq!(run(&scratch, "s.py", "1").transform.id(), first.transform.id());
}

#[test]
fn a_copy_over_a_file_with_a_transform_of_its_own_is_its_next_version() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    run(&scratch, "s.py", "1");
    let own = run(&scratch, "t.py", "2").transform;
    scratch.file("t.py", "1").unwrap();
    assert_eq!(asked(instance.track(&of(instance, "t.py"))).existing, "s.py");
    let copied =
        started(instance.track(&TrackOptions { rename: Some(Rename::Copied), ..of(instance, "t.py") }));
    assert_eq!((copied.transform.stem_uid(), &copied.transform.uid()[12..]), (own.stem_uid(), "0001"));
}

#[test]
fn where_nobody_can_be_asked_a_rename_is_assumed() {
    let scratch = Scratch::new().unwrap();
    run(&scratch, "s.py", "1");
    scratch.file("new.py", "1").unwrap();
    let env = scratch.instance().env().clone().with_vars([("LAMIN_TESTING".to_owned(), "true".to_owned())]);
    let instance = holotype::Instance::connect_to(&env, "store").unwrap();
    assert!(!started(instance.track(&of(&instance, "new.py"))).created);
    assert_eq!(versions(&instance), v(&[("0000", "new.py", true)]));
}

#[test]
fn keys_are_paths_below_the_directory_that_is_bound_to_the_instance() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    for (name, key) in [("s.py", "s.py"), ("a/b/s.py", "a/b/s.py")] {
        let path = scratch.file(name, "1").unwrap();
        assert_eq!(instance.source_file(&path, false).unwrap().key, key);
    }
    let outside = scratch.dir().join("elsewhere/sub/s.py");
    std::fs::create_dir_all(outside.parent().unwrap()).unwrap();
    std::fs::write(&outside, "1").unwrap();
    assert_eq!(instance.source_file(&outside, false).unwrap().key, "s.py");
    // A directory of another instance on the way up does not count.
    let marker = scratch.file("a/.lamin/current_instance", "someone/else").unwrap();
    let below = scratch.dir().join("work/a/b/s.py");
    assert_eq!(instance.source_file(&below, false).unwrap().key, "a/b/s.py");
    std::fs::write(marker, instance.settings().slug().to_string()).unwrap();
    assert_eq!(instance.source_file(&below, false).unwrap().key, "b/s.py");
}

#[test]
fn a_file_of_the_same_name_in_another_folder_is_another_transform() {
    let scratch = Scratch::new().unwrap();
    let first = run(&scratch, "a/s.py", "1");
    scratch.events();
    let other = run(&scratch, "s.py", "2");
    assert!(other.created);
    let others = vec![(first.transform.uid().to_owned(), "a/s.py".to_owned())];
    assert!(scratch.events().contains(&Event::IgnoringTransforms { others }));
    // Neither a name that merely ends alike nor a wildcard in it is the same name.
    assert!(run(&scratch, "ss.py", "3").created);
    assert!(run(&scratch, "_.py", "4").created);
    let expected = v(&[
        ("0000", "a/s.py", true),
        ("0000", "s.py", true),
        ("0000", "ss.py", true),
        ("0000", "_.py", true),
    ]);
    assert_eq!(versions(scratch.instance()), expected);
}

#[test]
fn the_deepest_key_that_fits_the_path_wins() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    for (name, code) in [("s.py", "1"), ("b/s.py", "2"), ("a/b/s.py", "3")] {
        run(&scratch, name, code);
    }
    // Outside of any bound directory the key is the bare name; the path tells which one is meant.
    let path = scratch.dir().join("elsewhere/b/s.py");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "changed").unwrap();
    let source = instance.source_file(&path, false).unwrap();
    let tracked = started(instance.track(&TrackOptions { source: Some(source), ..TrackOptions::default() }));
    let deep = all(instance, "Transform")[1].stem_uid().to_owned();
    assert_eq!((tracked.transform.stem_uid(), tracked.transform.text("key")), (deep.as_str(), Some("s.py")));
    assert_eq!(&tracked.transform.uid()[12..], "0001");
}

#[test]
fn a_given_family_is_found_across_renames_and_made_when_it_is_new() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let with = |name: &str| TrackOptions { uid: Some("AbCdEfGhIjKl".to_owned()), ..of(instance, name) };
    scratch.file("u.py", "1").unwrap();
    assert_eq!(started(instance.track(&with("u.py"))).transform.uid(), "AbCdEfGhIjKl0000");
    assert!(!started(instance.track(&with("u.py"))).created);
    scratch.file("u.py", "2").unwrap();
    assert_eq!(started(instance.track(&with("u.py"))).transform.uid(), "AbCdEfGhIjKl0001");
    scratch.file("moved.py", "2").unwrap();
    assert_eq!(started(instance.track(&with("moved.py"))).transform.uid(), "AbCdEfGhIjKl0001");
    assert_eq!(versions(instance), v(&[("0000", "u.py", false), ("0001", "moved.py", true)]));
}

#[test]
fn a_given_version_is_that_version_or_an_error() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let with = |name: &str, uid: &str| TrackOptions { uid: Some(uid.to_owned()), ..of(instance, name) };
    scratch.file("u.py", "1").unwrap();
    assert!(started(instance.track(&with("u.py", "AbCdEfGhIjKl0000"))).created);
    assert!(!started(instance.track(&with("u.py", "AbCdEfGhIjKl0000"))).created);
    scratch.file("other.py", "2").unwrap();
    let error = instance.track(&with("other.py", "AbCdEfGhIjKl0000")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UpdateContext);
    assert_eq!(
        error.message(),
        "✗ source code changed, please update the `uid` argument in `track()` to \"AbCdEfGhIjKl0001\""
    );
    // The failed call renamed nothing.
    assert_eq!(versions(instance), v(&[("0000", "u.py", true)]));
    let far = started(instance.track(&with("other.py", "AbCdEfGhIjKl0005")));
    assert!(far.created);
    assert_eq!(versions(instance), v(&[("0000", "u.py", false), ("0005", "other.py", true)]));
    let error = instance.track(&with("other.py", "AbCdEfGhIjKl0000")).unwrap_err();
    assert!(error.message().ends_with("to \"AbCdEfGhIjKl0006\""), "{error}");
}

#[test]
fn a_version_label_belongs_to_one_version() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let with = |tag: &str| TrackOptions { version_tag: Some(tag.to_owned()), ..of(instance, "s.py") };
    scratch.file("s.py", "1").unwrap();
    let first = started(instance.track(&with("1"))).transform;
    assert_eq!(first.version(), Some("1"));
    assert!(!started(instance.track(&with("1"))).created);
    scratch.file("s.py", "2").unwrap();
    let error = instance.track(&with("1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UpdateContext);
    assert_eq!(
        error.message(),
        format!(
            "✗ version '1' is already taken by Transform('{}'); please set another version, e.g., ln.context.version = \
             '1.1'",
            first.uid()
        )
    );
    assert_eq!(versions(instance).len(), 1);
    assert_eq!(started(instance.track(&with("1.1"))).transform.version(), Some("1.1"));
}

#[test]
fn drafts_are_reused_by_their_maker_and_left_alone_by_others() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("n.ipynb", notebook(&[("code", "1", Some(1))])).unwrap();
    let draft = started(instance.track(&interactive(instance, "n.ipynb")));
    assert_eq!((draft.transform.text("source_code"), draft.transform.text("hash")), (None, None));
    assert_eq!(draft.run.get("_is_consecutive"), Some(&holotype::Value::Null));
    assert_eq!(
        started(instance.track(&interactive(instance, "n.ipynb"))).transform.id(),
        draft.transform.id()
    );

    let mut user = Record::empty(model::require("User").unwrap());
    user.set("uid", "zzzzzzzz").unwrap();
    user.set("handle", "zoe").unwrap();
    instance.save(&mut user).unwrap();
    let (other, told) = scratch.connect(7).unwrap();
    other.with_context(|context| context.user = user.id().unwrap());
    let theirs = started(other.track(&interactive(&other, "n.ipynb")));
    assert!(theirs.created);
    let note = " -- anonymous already works on this draft".to_owned();
    let expected =
        Event::NewTransformVersion { kind: "notebook".to_owned(), key: "n.ipynb".to_owned(), note };
    assert_eq!(told.take()[0], expected);
}

#[test]
fn a_notebook_that_a_person_runs_anticipates_changes() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("n.ipynb", notebook(&[("markdown", "# My title", None), ("code", "1", Some(1))])).unwrap();
    let first = started(instance.track(&interactive(instance, "n.ipynb")));
    assert_eq!(first.transform.text("description"), Some("My title"));
    let source = instance.source_file("n.ipynb".as_ref(), true).unwrap();
    done(instance.finish(&holotype::track::FinishOptions { source: Some(source), ..Default::default() }));
    scratch.events();
    // Run as a whole, the same notebook is the same version.
    assert!(!started(instance.track(&of(instance, "n.ipynb"))).created);
    let next = started(instance.track(&interactive(instance, "n.ipynb")));
    assert!(next.created);
    let note = " -- anticipating changes".to_owned();
    assert!(scratch.events().contains(&Event::NewTransformVersion {
        kind: "notebook".to_owned(),
        key: "n.ipynb".to_owned(),
        note
    }));
    assert_eq!(versions(instance), v(&[("0000", "n.ipynb", false), ("0001", "n.ipynb", true)]));
    // By its full uid a saved version cannot be run again cell by cell.
    let uid = Some(first.transform.uid().to_owned());
    let error = instance.track(&TrackOptions { uid, ..interactive(instance, "n.ipynb") }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UpdateContext);
    assert!(
        error.message().starts_with("✗ re-running notebook with already-saved source code, please update"),
        "{error}"
    );
}

#[test]
fn a_new_title_updates_the_description() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    for title in ["# One", "# Two"] {
        scratch.file("n.ipynb", notebook(&[("markdown", title, None)])).unwrap();
        started(instance.track(&interactive(instance, "n.ipynb")));
    }
    assert_eq!(all(instance, "Transform")[0].text("description"), Some("Two"));
    assert!(texts(&scratch.events()).contains(&"updated transform description"));
}

#[test]
fn a_description_that_somebody_wrote_outlives_arguments() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let mut transform = run(&scratch, "s.py", "1").transform;
    let call = || TrackOptions { arguments: vec!["--n=3".to_owned()], ..of(instance, "s.py") };
    assert_eq!(started(instance.track(&call())).transform.text("description"), Some("CLI: s.py"));
    transform.set("description", "Quality of the lung").unwrap();
    instance.save(&mut transform).unwrap();
    assert_eq!(started(instance.track(&call())).transform.text("description"), Some("Quality of the lung"));
    let given = TrackOptions { description: Some("Given".to_owned()), ..call() };
    assert_eq!(started(instance.track(&given)).transform.text("description"), Some("Given"));
}

#[test]
fn a_script_that_lamindb_tracked_gets_its_next_version() {
    let fixture = Fixture::open("2.12.1");
    let instance = &fixture.instance;
    let known =
        all(instance, "Transform").into_iter().find(|row| row.text("key") == Some("analysis.py")).unwrap();
    let path = fixture.dir.path().join("work/analysis.py");
    std::fs::write(&path, "print('changed')").unwrap();
    let source = Some(instance.source_file(&path, false).unwrap());
    let tracked = started(instance.track(&TrackOptions { source, ..TrackOptions::default() }));
    assert_eq!((tracked.transform.stem_uid(), &tracked.transform.uid()[12..]), (known.stem_uid(), "0001"));
    let known = instance.by_id(known.registry(), known.id().unwrap()).unwrap();
    assert!(!known.flag("is_latest") && tracked.transform.flag("is_latest"));
    // The version before keeps its runs.
    assert_eq!(instance.related(&known, "runs").unwrap().count().unwrap(), 2);
}

#[test]
fn a_run_goes_on_when_no_new_one_is_wanted() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    scratch.file("n.ipynb", notebook(&[("code", "1", Some(1))])).unwrap();
    let first = started(instance.track(&interactive(instance, "n.ipynb")));
    assert!(!first.restarted);
    let second = started(instance.track(&interactive(instance, "n.ipynb")));
    assert!(second.restarted);
    assert_eq!((second.run.id(), second.run.int("_status_code")), (first.run.id(), Some(-2)));
    assert!(second.run.moment("started_at") > first.run.moment("started_at"));
    let fresh = TrackOptions { new_run: Some(true), ..interactive(instance, "n.ipynb") };
    assert!(!started(instance.track(&fresh)).restarted);

    let script = track(&scratch, "s.py", "1").run;
    done(instance.finish(&Default::default()));
    let again = started(instance.track(&TrackOptions { new_run: Some(false), ..of(instance, "s.py") }));
    assert_eq!((again.run.id(), again.run.moment("finished_at")), (script.id(), None));
    assert!(verbs(&scratch.events()).contains(&"loaded, re-started Run".to_owned()));
}

#[test]
fn a_pipeline_is_tracked_by_its_record_and_a_script_is_not() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let given = |key: &str, kind: &str| {
        let mut record = instance
            .transform(&[("key", key.into()), ("kind", kind.into())], None, Default::default())
            .unwrap()
            .record;
        instance.save_transform(&mut record).unwrap();
        record
    };
    let pipeline = given("pipe/x", "pipeline");
    let with = |record: &Record| TrackOptions { transform: Some(record.clone()), ..TrackOptions::default() };
    let tracked = started(instance.track(&with(&pipeline)));
    assert_eq!(tracked.run.int("transform_id"), pipeline.id());
    assert_eq!(tracked.run.get("_is_consecutive"), Some(&holotype::Value::Null));
    assert!(!texts(&scratch.events()).iter().any(|text| text.starts_with("tip:")));
    let error = instance.track(&with(&given("pipe/n", "notebook"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.message().starts_with("Use `ln.track()` without passing transform"), "{error}");
    let unsaved = instance.transform(&[("key", "pipe/new".into())], None, Default::default()).unwrap().record;
    assert_eq!(instance.track(&with(&unsaved)).unwrap_err().kind(), ErrorKind::Value);
}

#[test]
fn a_script_in_the_trash_comes_back_when_it_runs() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let mut first = run(&scratch, "s.py", "1").transform;
    instance.trash(&mut first).unwrap();
    scratch.events();
    let back = run(&scratch, "s.py", "1").transform;
    assert_eq!((back.id(), back.int("branch_id")), (first.id(), Some(1)));
    assert!(matches!(scratch.events()[0], Event::ReturnedSameHashAndKey { from_trash: true, .. }));
    // Other text under the same name has nothing to do with what is in the trash.
    instance.trash(&mut first).unwrap();
    assert_ne!(run(&scratch, "s.py", "2").transform.stem_uid(), first.stem_uid());
}

#[test]
fn secrets_in_a_script_are_not_stored_but_hashed() {
    let scratch = Scratch::new().unwrap();
    let code = "token = \"abc\"\n";
    let transform = track(&scratch, "s.py", code).transform;
    assert_eq!(transform.text("source_code"), Some("token = \"***REDACTED***\"\n"));
    assert_eq!(transform.text("hash"), Some(holotype::hash::source_hash(code).as_str()));
    let events = scratch.events();
    assert!(events.contains(&Event::RedactedSource { n: 1, place: "transform source code" }));
    run(&scratch, "s.py", code);
    assert!(!scratch.events().iter().any(|event| matches!(event, Event::RedactedSource { .. })));
}

#[test]
fn two_transforms_never_share_key_and_source() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = run(&scratch, "s.py", "1").transform;
    let uid = Some("AbCdEfGhIjKl".to_owned());
    let error = instance.track(&TrackOptions { uid, ..of(instance, "s.py") }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.message().contains(first.uid()), "{error}");
    assert_eq!(versions(instance).len(), 1);
}

#[test]
fn odd_files_are_tracked_too() {
    let scratch = Scratch::new().unwrap();
    assert_eq!(track(&scratch, "empty.py", "").transform.text("source_code"), Some(""));
    let path = scratch.file("latin.py", b"x = '\xe9\0'\n").unwrap();
    let instance = scratch.instance();
    let file = instance.source_file(&path, false).unwrap();
    assert_eq!(file.hash, holotype::hash::source_hash(b"x = '\xe9\0'\n"));
    let source = Some(file);
    let tracked = started(instance.track(&TrackOptions { source, ..TrackOptions::default() }));
    assert_eq!(tracked.transform.text("source_code"), Some("x = '\u{fffd}\u{fffd}'\n"));
    assert_eq!(
        instance.source_file("nofile.py".as_ref(), false).unwrap_err().kind(),
        ErrorKind::FileNotFound
    );
}
