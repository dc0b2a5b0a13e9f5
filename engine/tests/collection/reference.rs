//! Collections that the reference made.

#[path = "../common/mod.rs"]
mod common;

use holotype::hash::collection_hash;
use holotype::{NewCollection, Record, RunChoice};

use common::Fixture;

#[test]
fn collections_of_the_reference_have_the_hash_that_we_compute_and_are_found_again() {
    let fixture = Fixture::open("2.12.1");
    let instance = &fixture.instance;
    let collections = instance.registry("Collection").unwrap().all().unwrap();
    assert!(!collections.is_empty());
    for collection in collections {
        let artifacts = instance.ordered_artifacts(&collection).unwrap().all().unwrap();
        let hash = collection_hash(artifacts.iter().filter_map(|artifact| artifact.text("hash")));
        assert_eq!(collection.text("hash"), Some(hash.as_str()));
        let new = NewCollection {
            run: RunChoice::None,
            ..NewCollection::new(artifacts, collection.text("key").unwrap())
        };
        let again = instance.collection(new).unwrap();
        assert_eq!(again.record.uid(), collection.uid());
    }
}

#[test]
fn a_version_of_a_collection_of_the_reference_joins_its_family() {
    let fixture = Fixture::open("2.12.1");
    let instance = &fixture.instance;
    let head: Record = instance
        .registry("Collection")
        .unwrap()
        .filter(holotype::Q::is("is_latest", true))
        .unwrap()
        .first()
        .unwrap()
        .unwrap();
    let had = instance.ordered_artifacts(&head).unwrap().all_ids().unwrap();
    let artifacts = instance.registry("Artifact").unwrap().order_by(["id"]).unwrap().all().unwrap();
    let other = artifacts.iter().find(|artifact| !had.contains(&artifact.id().unwrap())).unwrap();
    let mut next = instance.append(&head, other, RunChoice::None).unwrap();
    instance.save_collection(&mut next).unwrap();
    assert_eq!(next.record.stem_uid(), head.stem_uid());
    assert!(next.record.uid() > head.uid());
    assert!(!instance.by_id(head.registry(), head.id().unwrap()).unwrap().flag("is_latest"));
}
