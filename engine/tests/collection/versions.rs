//! Families: the same artifacts again, the same key again, `revises`, `append`, changed keys.

use holotype::testing::Scratch;
use holotype::{Collection, ErrorKind, Event, NewCollection, Record, RunChoice};

use super::{artifact, names, quiet, reload, save, saved, uids};

fn three(scratch: &Scratch) -> [Record; 3] {
    ["A", "BB", "CCC"].map(|content| artifact(scratch, content))
}

#[test]
fn the_same_artifacts_give_the_same_collection_under_the_new_key() {
    let scratch = Scratch::new().unwrap();
    let [a, b, _] = three(&scratch);
    let instance = scratch.instance();
    let first = saved(instance, quiet(&[a.clone(), b.clone()], "my/coll"));
    scratch.events();
    let new = NewCollection { description: Some("new".into()), ..quiet(&[b, a], "other/coll") };
    let mut again = instance.collection(new).unwrap();
    assert_eq!(again.record.uid(), first.uid());
    assert!(!again.is_pending());
    let (from, to) = ("my/coll".to_owned(), "other/coll".to_owned());
    assert_eq!(
        scratch.events(),
        [
            Event::ReturnedSameHash { registry: "Collection", repr: first.repr() },
            Event::UpdatedField { field: "key".into(), from, to },
            Event::UpdatedField { field: "description".into(), from: "None".into(), to: "new".into() },
        ]
    );
    assert_eq!(reload(instance, &first).text("key"), Some("my/coll"), "persisted by save only");
    save(instance, &mut again);
    let row = reload(instance, &first);
    assert_eq!((row.text("key"), row.text("description")), (Some("other/coll"), Some("new")));
    assert_eq!(instance.ordered_artifacts(&row).unwrap().count().unwrap(), 2);
}

#[test]
fn a_key_is_kept_where_a_change_would_tear_a_family_apart_or_run_two_together() {
    let scratch = Scratch::new().unwrap();
    let [a, b, c] = three(&scratch);
    let instance = scratch.instance();
    saved(instance, quiet([&a], "family"));
    saved(instance, quiet([&b], "family"));
    saved(instance, quiet([&c], "single"));
    scratch.events();
    let kept = |existing: &str, passed: &str| Event::KeptKey {
        registry: "Collection",
        existing: existing.into(),
        passed: passed.into(),
    };
    let found = instance.collection(quiet(&[b], "elsewhere")).unwrap();
    assert_eq!(
        (found.record.text("key"), scratch.events()[1].clone()),
        (Some("family"), kept("family", "elsewhere"))
    );
    let found = instance.collection(quiet(&[c], "family")).unwrap();
    assert_eq!(
        (found.record.text("key"), scratch.events()[1].clone()),
        (Some("single"), kept("single", "family"))
    );
}

#[test]
fn the_same_key_makes_the_next_version() {
    let scratch = Scratch::new().unwrap();
    let [a, b, _] = three(&scratch);
    let instance = scratch.instance();
    let first =
        NewCollection { description: Some("d".into()), reference: Some("r".into()), ..quiet([&a], "k") };
    let first = saved(instance, first);
    scratch.events();
    let mut second = instance.collection(quiet(&[a, b], "k")).unwrap();
    assert_eq!(scratch.events(), [], "no word about versions of collections");
    assert_eq!(second.record.stem_uid(), first.stem_uid());
    assert_eq!(second.record.version(), Some("0001"));
    assert!(reload(instance, &first).flag("is_latest"), "until the new one is saved");
    let second = save(instance, &mut second);
    assert!(!reload(instance, &first).flag("is_latest"));
    assert!(second.flag("is_latest"));
    assert_eq!(
        (second.text("description"), second.text("reference")),
        (Some("d"), None),
        "what is inherited"
    );
    let versions = instance.versions(&first).unwrap().all().unwrap();
    assert_eq!(uids(&versions), uids(&[second, first]));
}

#[test]
fn going_back_to_earlier_artifacts_makes_that_version_the_latest() {
    let scratch = Scratch::new().unwrap();
    let [a, b, _] = three(&scratch);
    let instance = scratch.instance();
    let first = saved(instance, quiet([&a], "k"));
    let second = saved(instance, quiet(&[b], "k"));
    scratch.events();
    let mut again = instance.collection(quiet(&[a], "k")).unwrap();
    assert!(again.is_pending());
    save(instance, &mut again);
    assert_eq!(names(&scratch.events()), ["ReturnedSameHash", "LatestAgain"]);
    assert!(reload(instance, &first).flag("is_latest"));
    assert!(!reload(instance, &second).flag("is_latest"));
}

#[test]
fn revises_names_the_family_whatever_the_key() {
    let scratch = Scratch::new().unwrap();
    let [a, b, c] = three(&scratch);
    let instance = scratch.instance();
    let first = saved(instance, NewCollection { version_tag: Some("1".into()), ..quiet(&[a], "k") });
    let revising = |artifact: &Record, revises: &Record| NewCollection {
        key: None,
        revises: Some(revises.clone()),
        ..quiet([artifact], "")
    };
    let tagged = NewCollection { version_tag: Some("1".into()), ..revising(&b, &first) };
    let error = instance.collection(tagged).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert_eq!(error.message(), "Please change the version tag or leave it `None`, '1' is already taken");

    let renamed = NewCollection { key: Some("renamed".into()), ..revising(&b, &first) };
    let second = saved(instance, renamed);
    assert_eq!((second.stem_uid(), second.text("key")), (first.stem_uid(), Some("renamed")));
    scratch.events();
    let third = saved(instance, revising(&c, &first));
    let head = reload(instance, &second);
    assert_eq!((third.version(), third.text("key")), (Some("0002"), Some("renamed")), "based on the head");
    assert!(!head.flag("is_latest"));
    assert_eq!(scratch.events(), [Event::RevisesNotLatest { repr: second.repr() }]);
}

#[test]
fn a_revised_head_that_was_superseded_meanwhile_is_refused() {
    let scratch = Scratch::new().unwrap();
    let [a, b, c] = three(&scratch);
    let instance = scratch.instance();
    let first = saved(instance, quiet(&[a], "k"));
    let mut slow = instance.collection(NewCollection { revises: Some(first), ..quiet(&[b], "k") }).unwrap();
    let fast = saved(instance, quiet(&[c], "k"));
    let error = instance.save_collection(&mut slow).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.message().starts_with("Cannot revise a non-latest record: revises=Collection("), "{error}");
    assert!(reload(instance, &fast).flag("is_latest"));
}

#[test]
fn append_adds_one_artifact_at_the_end() {
    let scratch = Scratch::new().unwrap();
    let [a, b, c] = three(&scratch);
    let instance = scratch.instance();
    let first = saved(
        instance,
        NewCollection { description: Some("d".into()), ..quiet(&[c.clone(), a.clone()], "k") },
    );
    let mut second = instance.append(&first, &b, RunChoice::None).unwrap();
    assert!(reload(instance, &first).flag("is_latest"), "the original is unchanged until then");
    let second = save(instance, &mut second);
    assert_eq!(
        (second.version(), second.text("key"), second.text("description")),
        (Some("0001"), Some("k"), Some("d"))
    );
    let order = instance.ordered_artifacts(&second).unwrap().all().unwrap();
    assert_eq!(uids(&order), uids(&[c.clone(), a, b]));
    assert_eq!(instance.ordered_artifacts(&first).unwrap().count().unwrap(), 2);
    let same = instance.append(&second, &c, RunChoice::None).unwrap();
    assert_eq!(same.record.uid(), second.uid(), "an artifact that is in it already changes nothing");
    assert!(!same.is_pending());
}

#[test]
fn the_hash_lookup_can_be_skipped_but_key_and_hash_stay_unique() {
    let scratch = Scratch::new().unwrap();
    let [a, ..] = three(&scratch);
    let instance = scratch.instance();
    let skipping = |key: &str| NewCollection { skip_hash_lookup: true, ..quiet([&a], key) };
    let first = saved(instance, skipping("one"));
    let second = saved(instance, skipping("two"));
    assert_ne!(first.stem_uid(), second.stem_uid());
    scratch.events();
    let again = saved(instance, skipping("two"));
    assert_eq!(again.uid(), second.uid());
    let repr = again.repr();
    assert_eq!(
        scratch.events(),
        [Event::ReturnedSameHashAndKey { registry: "Collection", repr, from_trash: false }]
    );
    assert_eq!(instance.registry("Collection").unwrap().count().unwrap(), 2);
}

#[test]
fn a_key_cannot_be_changed_onto_another_collection() {
    let scratch = Scratch::new().unwrap();
    let [a, b, _] = three(&scratch);
    let instance = scratch.instance();
    let first = saved(instance, quiet([&a], "one"));
    let twin = saved(instance, NewCollection { skip_hash_lookup: true, ..quiet(&[a], "two") });
    let other = saved(instance, quiet(&[b], "three"));
    let rename = |record: &Record, key: &str| {
        let mut collection = Collection::from_record(record.clone());
        collection.record.set("key", key).unwrap();
        let result = instance.save_collection(&mut collection);
        assert_eq!(
            collection.record.text("key"),
            Some(key),
            "the key in memory stays for the user to correct"
        );
        result
    };
    let error = rename(&twin, "one").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert_eq!(
        error.message(),
        format!(
            "key 'one' with the same artifacts is already used by collection {}; choose another key",
            first.uid()
        )
    );
    let error = rename(&other, "one").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert_eq!(
        error.message(),
        format!(
            "key 'one' is already used by collection {}; choose another key or pass revises=…",
            first.uid()
        )
    );
    assert_eq!(reload(instance, &twin).text("key"), Some("two"));
    assert_eq!(reload(instance, &other).text("key"), Some("three"));
    assert_eq!(rename(&other, "a/../b").unwrap_err().kind(), ErrorKind::Value);
    rename(&other, "free").unwrap();
    assert_eq!(reload(instance, &other).text("key"), Some("free"));
    instance.with_creation(|creation| creation.allow_key_clash = true).unwrap();
    rename(&other, "one").unwrap();
    assert_eq!(
        rename(&twin, "one").unwrap_err().kind(),
        ErrorKind::Integrity,
        "what the format forbids stays forbidden"
    );
}

#[test]
fn each_meta_artifact_describes_one_collection() {
    let scratch = Scratch::new().unwrap();
    let [a, b, meta] = three(&scratch);
    let instance = scratch.instance();
    let with_meta = |artifact: Record, key: &str| NewCollection {
        meta_artifact: Some(meta.clone()),
        ..quiet(&[artifact], key)
    };
    let first = saved(instance, with_meta(a, "one"));
    assert_eq!(first.int("meta_artifact_id"), meta.id());
    let mut second = instance.collection(with_meta(b, "two")).unwrap();
    let error = instance.save_collection(&mut second).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.message().contains(first.uid()), "{error}");
    assert_eq!(instance.registry("Collection").unwrap().count().unwrap(), 1);
}

#[test]
fn branches_have_heads_of_their_own() {
    let scratch = Scratch::new().unwrap();
    let [a, b, _] = three(&scratch);
    let instance = scratch.instance();
    let first = saved(instance, quiet(&[a], "k"));
    let mut branch = Record::empty(holotype::model::require("Branch").unwrap());
    branch.set("name", "feature").unwrap();
    instance.save(&mut branch).unwrap();
    instance.with_context(|context| context.branch = branch.id().unwrap());
    let second = saved(instance, quiet(&[b], "k"));
    assert_eq!((second.stem_uid(), second.version()), (first.stem_uid(), Some("0001")));
    assert_eq!(second.int("branch_id"), branch.id());
    assert!(reload(instance, &first).flag("is_latest"), "main keeps its head");
    assert!(second.flag("is_latest"));
}
