//! Trash, restoring, permanent deletion, and what a collection protects.

use holotype::testing::Scratch;
use holotype::{ErrorKind, Event, NewCollection};

use super::{artifact, artifacts, names, quiet, reload, saved, uids};

#[test]
fn the_trash_hands_headship_on_and_gives_back() {
    let scratch = Scratch::new().unwrap();
    let [a, b] = ["A", "BB"].map(|content| artifact(&scratch, content));
    let instance = scratch.instance();
    let first = saved(instance, quiet(&[a], "k"));
    let mut second = saved(instance, quiet([&b], "k"));
    scratch.events();
    instance.trash(&mut second).unwrap();
    assert_eq!(second.int("branch_id"), Some(-1));
    assert_eq!(
        scratch.events(),
        [
            Event::Trashed { repr: second.repr() },
            Event::NewLatest { registry: "Collection", uid: first.uid().into() },
        ]
    );
    assert!(reload(instance, &first).flag("is_latest"));
    assert_eq!(uids(&instance.versions(&first).unwrap().all().unwrap()), [first.uid()]);

    let again = saved(instance, quiet(&[b], "k"));
    assert_eq!(again.uid(), second.uid(), "the same key and artifacts come back from the trash");
    assert_eq!(names(&scratch.events()), ["ReturnedSameHashAndKey", "LatestAgain"]);
    let row = reload(instance, &second);
    assert_eq!((row.int("branch_id"), row.flag("is_latest")), (Some(1), true));
    assert!(!reload(instance, &first).flag("is_latest"));

    let mut row = row;
    instance.trash(&mut row).unwrap();
    instance.restore(&mut row).unwrap();
    let row = reload(instance, &row);
    assert_eq!(
        (row.int("branch_id"), row.flag("is_latest")),
        (Some(1), false),
        "restoring does not make it head again"
    );
}

#[test]
fn permanent_deletion_takes_the_links_and_leaves_the_artifacts() {
    let scratch = Scratch::new().unwrap();
    let pair = artifacts(&scratch, &["A", "BB"]);
    let instance = scratch.instance();
    let mut collection = saved(instance, quiet(&pair, "k"));
    let (n, counts) = instance.delete(&mut collection).unwrap();
    let counts: Vec<(String, usize)> = counts.into_iter().collect();
    assert_eq!(n, 3);
    assert_eq!(counts, [("lamindb.Collection".into(), 1), ("lamindb.CollectionArtifact".into(), 2)]);
    assert_eq!(instance.registry("Artifact").unwrap().count().unwrap(), 2);
    assert_eq!(instance.registry("CollectionArtifact").unwrap().count().unwrap(), 0);
}

#[test]
fn an_artifact_of_a_collection_is_protected_even_in_the_trash() {
    let scratch = Scratch::new().unwrap();
    let a = artifact(&scratch, "A");
    let instance = scratch.instance();
    let mut collection = saved(instance, quiet([&a], "k"));
    instance.trash(&mut collection).unwrap();
    let error = instance.delete(&mut a.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protected);
    assert!(error.message().contains(&format!("Collection {}", collection.uid())), "{error}");
    assert!(instance.artifact_path(&a).unwrap().exists());
}

#[test]
fn an_artifact_that_went_away_before_saving_is_named() {
    let scratch = Scratch::new().unwrap();
    let [a, b] = ["A", "BB"].map(|content| artifact(&scratch, content));
    let instance = scratch.instance();
    let mut collection = instance.collection(quiet(&[a, b.clone()], "k")).unwrap();
    instance.delete(&mut b.clone()).unwrap();
    let error = instance.save_collection(&mut collection).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotExist);
    assert!(error.message().contains(&format!("id {}", b.id().unwrap())), "{error}");
    assert_eq!(instance.registry("Collection").unwrap().count().unwrap(), 0);
    assert_eq!(instance.registry("CollectionArtifact").unwrap().count().unwrap(), 0);
}

#[test]
fn content_is_read_in_order_and_by_one_suffix() {
    use holotype::collection::Use;
    let scratch = Scratch::new().unwrap();
    let [a, b] = ["A", "BB"].map(|content| artifact(&scratch, content));
    let csv = super::artifact_at(&scratch, "t.csv", "x,y\n");
    let instance = scratch.instance();
    let same = saved(instance, quiet(&[b, a.clone()], "same"));
    let contents: Vec<String> = instance
        .cache_collection(&same)
        .unwrap()
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(contents, ["BB", "A"]);
    assert_eq!(instance.collection_suffix(&same, Use::Load).unwrap(), ".txt");
    let mixed = saved(instance, quiet(&[a, csv], "mixed"));
    let error = |wanted| instance.collection_suffix(&mixed, wanted).unwrap_err().message().to_owned();
    assert_eq!(error(Use::Load), "Can only load collections where all artifacts have the same suffix");
    assert_eq!(
        error(Use::Open),
        "The artifacts in the collection have different file formats: .csv, .txt. It is not \
        possible to open such stores with pyarrow or polars."
    );
    let unsaved = instance.collection(NewCollection { skip_hash_lookup: true, ..quiet(&[], "none") });
    assert_eq!(unsaved.unwrap_err().kind(), ErrorKind::Value);
}
