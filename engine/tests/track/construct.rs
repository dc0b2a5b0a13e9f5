//! Transforms and runs that a user makes by hand.

use holotype::testing::Scratch;
use holotype::track::HashLookup::{Look, Skip};
use holotype::write::{Constructed, Given};
use holotype::{ErrorKind, Event, Instance, Record, Result, Value};
use serde_json::json;

use super::{texts, versions};

fn make(instance: &Instance, given: &[Given<'_>]) -> Result<Constructed> {
    instance.transform(given, None, Look)
}

fn save(instance: &Instance, given: &[Given<'_>]) -> Record {
    let mut record = make(instance, given).unwrap().record;
    instance.save_transform(&mut record).unwrap();
    record
}

#[test]
fn a_transform_needs_a_key_and_is_a_pipeline_by_default() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let record = save(instance, &[("key", "pipe/x".into())]);
    assert_eq!((record.text("kind"), record.uid().len()), (Some("pipeline"), 16));
    assert_eq!(
        save(instance, &[("key", "pipe/s".into()), ("type", "script".into())]).text("kind"),
        Some("script")
    );
    for (given, kind, message) in [
        (vec![], ErrorKind::FieldValidation, "['key'] are required."),
        (
            vec![("name", Value::from("x"))],
            ErrorKind::Value,
            "Only key, description, version, kind, type, revises, reference, reference_type can be passed, but you passed: \
             {'name': 'x'}",
        ),
        (
            vec![("key", "k".into()), ("version", Value::Int(3))],
            ErrorKind::Value,
            "`version` parameter must be `None` or `str`, e.g., '0.1', '1', '2', etc.",
        ),
        (
            vec![("key", "k".into()), ("kind", "nokind".into())],
            ErrorKind::FieldValidation,
            "kind: nokind is not a valid value\n    → Valid values are: function, notebook, pipeline, script",
        ),
        (
            vec![("key", "k".into()), ("uid", "abcdefghijkl".into())],
            ErrorKind::Validation,
            "`uid` must be exactly 16 characters long, got 12.",
        ),
        (
            vec![("key", "../x".into())],
            ErrorKind::Value,
            "Relative path segment '..' detected in key '../x'.",
        ),
    ] {
        let error = make(instance, &given).unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message));
    }
}

#[test]
fn the_same_key_without_source_is_the_same_transform() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = save(instance, &[("key", "pipe/x".into())]);
    let again = make(instance, &[("key", "pipe/x".into()), ("description", "new".into())]).unwrap();
    assert!(again.existing);
    assert_eq!((again.record.id(), again.record.text("description")), (first.id(), Some("new")));
    let events = scratch.events();
    assert_eq!(texts(&events), ["no source code was yet saved, returning existing transform with same key"]);
}

#[test]
fn another_source_is_another_version_and_the_same_source_the_same() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let code = |key: &str, code: &str| [("key", Value::from(key)), ("source_code", Value::from(code))];
    let first = save(instance, &code("pipe/y", "abc"));
    let second = save(instance, &code("pipe/y", "abcd"));
    assert_eq!((second.stem_uid(), &second.uid()[12..]), (first.stem_uid(), "0001"));
    scratch.events();
    let same = make(instance, &code("pipe/y", "abc")).unwrap();
    assert_eq!((same.existing, same.record.id()), (true, first.id()));
    let elsewhere = make(instance, &code("pipe/z", "abcd")).unwrap();
    assert_eq!((elsewhere.existing, elsewhere.record.text("key")), (true, Some("pipe/y")));
    assert!(matches!(scratch.events().last(), Some(Event::KeptKey { .. })));
    let mut copy = instance.transform(&code("pipe/z", "abcd"), None, Skip).unwrap().record;
    instance.save_transform(&mut copy).unwrap();
    assert_eq!(copy.text("hash"), second.text("hash"));
    assert_eq!(versions(instance).iter().map(|row| row.2).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn a_version_can_be_revised_under_another_key() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = save(
        instance,
        &[
            ("key", "q/1".into()),
            ("version", "1".into()),
            ("source_code", "1".into()),
            ("description", "first".into()),
        ],
    );
    let second = save(instance, &[("key", "q/1".into()), ("source_code", "2".into())]);
    scratch.events();
    let given = [("key", Value::from("q/5")), ("source_code", "3".into())];
    let mut third = instance.transform(&given, Some(&first), Look).unwrap().record;
    assert_eq!(
        scratch.events(),
        [
            Event::RevisesNotLatest { repr: second.repr() },
            Event::RenamingTransform { from: "q/1".to_owned(), to: "q/5".to_owned() },
        ]
    );
    instance.save_transform(&mut third).unwrap();
    assert_eq!((&third.uid()[12..], third.text("description")), ("0002", Some("first")));
    assert_eq!(versions(instance).iter().map(|row| row.2).collect::<Vec<_>>(), [false, false, true]);
    let taken = [("key", Value::from("q/2")), ("version", "1".into()), ("source_code", "x".into())];
    let base = save(instance, &taken);
    let again = [("key", Value::from("q/2")), ("version", "1".into()), ("source_code", "y".into())];
    let error = make(instance, &again).unwrap_err();
    assert_eq!(error.message(), "Please change the version tag or leave it `None`, '1' is already taken");
    let label = Record::empty(holotype::model::require("ULabel").unwrap());
    assert_eq!(instance.transform(&again, Some(&label), Look).unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(base.version(), Some("1"));
}

#[test]
fn what_others_saved_meanwhile_is_found_at_save() {
    let scratch = Scratch::new().unwrap();
    let (instance, other) = (scratch.instance(), scratch.connect(9).unwrap().0);
    let code = |code: &str| [("key", Value::from("pipe")), ("source_code", Value::from(code))];
    let mut mine = make(instance, &code("1")).unwrap().record;
    let mut newer = make(instance, &code("2")).unwrap().record;
    let theirs = save(&other, &code("1"));
    instance.save_transform(&mut mine).unwrap();
    assert_eq!(mine.id(), theirs.id());
    instance.save_transform(&mut newer).unwrap();
    assert_eq!((newer.stem_uid(), &newer.uid()[12..]), (theirs.stem_uid(), "0001"));
}

#[test]
fn a_saved_transform_changes_like_any_record() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let mut record = save(instance, &[("key", "pipe".into())]);
    record.set("description", "new").unwrap();
    instance.save_transform(&mut record).unwrap();
    let stored = instance.by_id(record.registry(), record.id().unwrap()).unwrap();
    assert_eq!(stored.text("description"), Some("new"));
}

#[test]
fn secrets_in_given_source_are_blanked_out() {
    let scratch = Scratch::new().unwrap();
    let record = save(scratch.instance(), &[("key", "pipe".into()), ("source_code", "token = 'abc'".into())]);
    assert_eq!(record.text("source_code"), Some("token = '***REDACTED***'"));
    assert_eq!(record.text("hash"), Some(holotype::hash::source_hash("token = 'abc'").as_str()));
}

#[test]
fn a_run_needs_a_saved_transform_and_a_status_to_start_with() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let transform = save(instance, &[("key", "pipe".into())]);
    let unsaved = make(instance, &[("key", "new".into())]).unwrap().record;
    let given = [("status", Value::from("x"))];
    for (transform, given, kind, message) in [
        (None, &given[..0], ErrorKind::Type, "Pass transform parameter"),
        (Some(&unsaved), &given[..0], ErrorKind::Value, "Please save transform record before creating a run"),
        (
            Some(&transform),
            &given[..],
            ErrorKind::Value,
            "status must be 'scheduled' or 'started', but you passed: 'x'.",
        ),
        (
            Some(&transform),
            &[("foo", Value::Int(1))][..],
            ErrorKind::Value,
            "Only transform, name, description, params, reference, reference_type, initiated_by_run, plan, status can be \
             passed, but you passed: {'foo': 1}",
        ),
    ] {
        let error = instance.run(transform, given).unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message));
    }
    let mut run = instance.run(Some(&transform), &[]).unwrap();
    instance.save(&mut run).unwrap();
    assert_eq!((run.int("_status_code"), run.uid().len()), (Some(-3), 16));
    assert_eq!(
        (run.get("finished_at"), run.get("_is_consecutive")),
        (Some(&Value::Null), Some(&Value::Null))
    );
    assert!(run.moment("started_at").is_some());
    let given = [
        ("name", Value::from("n")),
        ("entrypoint", "main".into()),
        ("status", "started".into()),
        ("params", Value::from(json!({"token": "a", "x": null}))),
        ("initiated_by_run", run.id().into()),
    ];
    let mut second = instance.run(Some(&transform), &given).unwrap();
    instance.save(&mut second).unwrap();
    assert_eq!((second.int("_status_code"), second.int("initiated_by_run_id")), (Some(-1), run.id()));
    assert_eq!(second.get("params"), Some(&Value::from(json!({"token": "***REDACTED***", "x": null}))));
}
