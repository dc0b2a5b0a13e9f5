//! The constructor: what it refuses, what it fills in, what it says.

use holotype::testing::Scratch;
use holotype::{ErrorKind, Event, NewCollection, Record, RunChoice, model};

use super::{artifact, artifact_at, artifacts, names, quiet, saved, uids};

fn refused(scratch: &Scratch, new: NewCollection) -> (ErrorKind, String) {
    let error = scratch.instance().collection(new).unwrap_err();
    (error.kind(), error.message().to_owned())
}

#[test]
fn a_collection_keeps_the_order_of_its_artifacts() {
    let scratch = Scratch::new().unwrap();
    let [c, a, b] = ["CCC", "A", "BB"].map(|content| artifact(&scratch, content));
    let instance = scratch.instance();
    let new = NewCollection {
        description: Some("d".into()),
        reference: Some("https://x".into()),
        reference_type: Some("url".into()),
        ..quiet(&[b.clone(), c.clone(), a.clone()], "my/coll")
    };
    let mut collection = instance.collection(new).unwrap();
    assert!(collection.is_pending());
    assert_eq!(collection.record.id(), None, "the constructor writes nothing");
    instance.save_collection(&mut collection).unwrap();
    let record = collection.record;
    assert_eq!(record.text("hash"), Some("gWnqtbc2vZYztFIpJei-9g"));
    assert_eq!((record.uid().len(), record.version()), (20, Some("0000")));
    let row = instance.by_id(record.registry(), record.id().unwrap()).unwrap();
    assert_eq!(row.values(), record.values(), "what is in memory is what is stored");
    assert_eq!(
        row.repr(),
        format!(
            "Collection(uid='{}', key='my/coll', description='d', hash='gWnqtbc2vZYztFIpJei-9g', reference='https://x', \
         reference_type='url', meta_artifact=None, branch_id=1, created_on_id=1, space_id=1, created_by_id=1, run_id=None, \
         schema_id=None, created_at={}, is_locked=False, version_tag=None, is_latest=True)",
            row.uid(),
            row.moment("created_at").unwrap().to_display()
        )
    );
    assert_eq!(uids(&instance.ordered_artifacts(&row).unwrap().all().unwrap()), uids(&[b, c.clone(), a]));
    assert_eq!(instance.collection_artifacts(&row).unwrap().first().unwrap().unwrap().uid(), c.uid());
    assert!(names(&scratch.events()).is_empty());
}

#[test]
fn hashes_depend_on_the_set_of_contents_only() {
    let scratch = Scratch::new().unwrap();
    let [a, bb] = ["A", "BB"].map(|content| artifact(&scratch, content));
    let hash = |artifacts: &[Record]| {
        let new = NewCollection { skip_hash_lookup: true, ..quiet(artifacts, "k") };
        scratch.instance().collection(new).unwrap().record.text("hash").unwrap().to_owned()
    };
    assert_eq!(hash(&[a.clone(), bb.clone()]), "hQpX4PY6kYftHzq2k5eaYw");
    assert_eq!(hash(&[bb, a.clone(), a.clone()]), "hQpX4PY6kYftHzq2k5eaYw");
    assert_eq!(hash(&[a]), "vlmeoAIS66jkYHimwrbHnw");
}

#[test]
fn name_is_another_word_for_key() {
    let scratch = Scratch::new().unwrap();
    let a = artifact(&scratch, "A");
    let instance = scratch.instance();
    let named = NewCollection { key: None, name: Some("no key".into()), ..quiet([&a], "") };
    let record = saved(instance, named);
    assert_eq!(record.text("key"), Some("no key"));
    let found = instance.filter(record.registry(), [("name__icontains", "KEY".into())]).unwrap();
    assert_eq!(found.count().unwrap(), 1);
    let both = NewCollection { name: Some("other".into()), ..quiet(&[a], "k") };
    let (kind, text) = refused(&scratch, both);
    assert_eq!(kind, ErrorKind::InvalidArgument);
    assert!(text.contains("'k'") && text.contains("'other'"), "{text}");
}

#[test]
fn wrong_arguments_are_refused_with_their_texts() {
    let scratch = Scratch::new().unwrap();
    let a = artifact(&scratch, "A");
    let label = Record::empty(model::require("ULabel").unwrap());
    let unsaved = Record::empty(model::require("Artifact").unwrap());
    let one = |key: &str| quiet([&a], key);
    let cases = [
        (one(""), ErrorKind::FieldValidation, "['key'] are required."),
        (quiet(&[], "k"), ErrorKind::Value, "Artifact or list[Artifact] is allowed."),
        (quiet(&[a.clone(), label.clone()], "k"), ErrorKind::Value, "Artifact or list[Artifact] is allowed."),
        (
            quiet(&[a.clone(), unsaved.clone()], "k"),
            ErrorKind::Value,
            "Not all artifacts are yet saved, please save them",
        ),
        (
            NewCollection { meta_artifact: Some(unsaved), ..one("k") },
            ErrorKind::Value,
            "Save meta_artifact artifact before creating collection!",
        ),
        (
            NewCollection { meta_artifact: Some(label), ..one("k") },
            ErrorKind::Type,
            "`meta_artifact` has to be of type `Artifact`",
        ),
        (
            NewCollection { revises: Some(a.clone()), ..one("k") },
            ErrorKind::Type,
            "`revises` has to be of type `Collection`",
        ),
        (one("a/../b"), ErrorKind::Value, "Relative path segment '..' detected in key 'a/../b'."),
        (one("./b"), ErrorKind::Value, "Relative path segment '.' detected in key './b'."),
        (one("a\\b"), ErrorKind::Value, "Backslashes are not allowed in key 'a\\b'."),
        (
            one(&"k".repeat(256)),
            ErrorKind::FieldValidation,
            "Field 'key' of Collection takes at most 255 characters, got 256",
        ),
    ];
    for (new, kind, text) in cases {
        assert_eq!(refused(&scratch, new), (kind, text.to_owned()));
    }
    assert_eq!(scratch.instance().registry("Collection").unwrap().count().unwrap(), 0);
}

#[test]
fn artifacts_of_another_schema_are_refused() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let mut schema = Record::empty(model::require("Schema").unwrap());
    schema.set("uid", "0000000000000009").unwrap();
    instance.save(&mut schema).unwrap();
    let id = schema.id().unwrap();
    let [mut valid, other] = ["A", "BB"].map(|content| artifact(&scratch, content));
    valid.set("schema", id).unwrap();
    instance.save(&mut valid).unwrap();
    let new = NewCollection { schema: Some(id), ..quiet(&[valid.clone(), other.clone()], "k") };
    let (kind, text) = refused(&scratch, new);
    assert_eq!(kind, ErrorKind::Validation);
    assert!(text.starts_with("Artifact schemas do not match the collection schema in collection "), "{text}");
    assert!(text.ends_with(&format!(". Expected schema_id={id}, got: {{None, {id}}}")), "{text}");
    let fine = saved(instance, NewCollection { schema: Some(id), ..quiet(&[valid], "fine") });
    assert_eq!(fine.int("schema_id"), Some(id));

    let mut late = holotype::Collection::from_record(saved(instance, quiet(&[other], "late")));
    late.record.set("schema", id).unwrap();
    let error = instance.save_collection(&mut late).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation, "a schema set later is checked as well");
}

#[test]
fn repeated_contents_are_mentioned_at_construction_and_at_save() {
    let scratch = Scratch::new().unwrap();
    let a = artifact(&scratch, "A");
    let again = artifact_at(&scratch, "other/a.txt", "A");
    let instance = scratch.instance();
    let mut collection = instance.collection(quiet(&[a.clone(), again.clone(), a.clone()], "k")).unwrap();
    let told = Event::NonUniqueHashes { hashes: vec!["f8VicOenD6gaWTW3Lqy-KQ".into()] };
    assert_eq!(scratch.events(), std::slice::from_ref(&told));
    instance.save_collection(&mut collection).unwrap();
    assert_eq!(scratch.events(), [told]);
    let linked = instance.ordered_artifacts(&collection.record).unwrap().all().unwrap();
    assert_eq!(uids(&linked), uids(&[a, again]), "the same artifact is linked once");
}

#[test]
fn without_a_run_the_missing_lineage_is_mentioned() {
    let scratch = Scratch::new().unwrap();
    let a = artifact(&scratch, "A");
    let new = NewCollection { run: RunChoice::Current, ..quiet(&[a], "k") };
    scratch.instance().collection(new).unwrap();
    assert_eq!(scratch.events(), [Event::NoRun, Event::InputNotTracked]);
}

#[test]
fn a_tracked_run_makes_the_collection_and_takes_the_artifacts_in() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let [own, input] = artifacts(&scratch, &["A", "BB"]).try_into().unwrap();
    let mut transform = Record::empty(model::require("Transform").unwrap());
    transform.set("uid", "abcdefghijkl0000").unwrap();
    transform.set("key", "t").unwrap();
    instance.save(&mut transform).unwrap();
    let mut run = Record::empty(model::require("Run").unwrap());
    run.set("transform", transform.id()).unwrap();
    instance.save(&mut run).unwrap();
    let (mut own, input): (Record, Record) = (own, input);
    own.set("run", run.id()).unwrap();
    instance.save(&mut own).unwrap();
    instance.with_context(|context| context.run = run.id());

    let first = saved(instance, NewCollection::new(vec![own, input.clone()], "k"));
    assert_eq!(first.int("run_id"), run.id());
    let inputs = instance.related(&run, "input_artifacts").unwrap().all().unwrap();
    assert_eq!(uids(&inputs), [input.uid()], "what the run made itself is no input");

    instance.with_context(|context| context.run = None);
    let other = saved(instance, quiet([&input], "other"));
    instance.with_context(|context| context.run = run.id());
    let third = artifact(&scratch, "CCC");
    let next = instance.append(&other, &third, RunChoice::Current).unwrap();
    assert_eq!(next.record.int("run_id"), run.id());
    let collections = instance.related(&run, "input_collections").unwrap().all().unwrap();
    assert_eq!(uids(&collections), [other.uid()]);
    assert!(scratch.events().iter().all(|event| !matches!(event, Event::NoRun | Event::InputNotTracked)));
}

#[test]
fn similar_keys_are_hinted_at() {
    let scratch = Scratch::new().unwrap();
    let [a, b] = artifacts(&scratch, &["A", "BB"]).try_into().unwrap();
    let (a, b): (Record, Record) = (a, b);
    saved(scratch.instance(), quiet(&[a], "data/one"));
    scratch.events();
    scratch.instance().collection(quiet([&b], "data/ones")).unwrap();
    assert_eq!(
        scratch.events(),
        [Event::SimilarNames {
            registry: "Collection",
            field: "key".into(),
            name: "data/ones".into(),
            similar: vec!["data/one".into()],
        }]
    );
    scratch.instance().with_creation(|creation| creation.search_names = false).unwrap();
    scratch.instance().collection(quiet(&[b], "data/ones")).unwrap();
    assert_eq!(scratch.events(), []);
}
