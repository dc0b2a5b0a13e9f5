//! Collections of artifacts.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{IN_BRANCH, LINK, TRACKS_RUN, TRACKS_UPDATES, VERSIONED, linked_in_records};
use super::{Default, Kind};

/// A collection.
pub static COLLECTION: Declaration = Declaration {
    doc: "An ordered set of artifacts with a hash and versions of its own.",
    mixins: &[&VERSIONED, &IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(20)
            .default(Default::Uid(20))
            .doc("Identifier: 16 characters for the family of versions, 4 for the version."),
        Field::char("key", 255).doc("Path-like name, such as `atlas/lung`, that versions share."),
        Field::text("description").null().doc("What the collection is, in free text."),
        Field::char("hash", 22).null().indexed().doc("Hash of the set of artifacts, whatever their order."),
        Field::char("reference", 255).null().doc("Id or URL of the collection in another system."),
        Field::char("reference_type", 25).null().doc("What `reference` is, such as `url`."),
    ],
    relations: &[
        Relation::one("run", "Run")
            .null()
            .back("output_collections")
            .indexed()
            .doc("Run that made the collection, if one was being tracked."),
        Relation::one("schema", "Schema")
            .null()
            .back("validated_collections")
            .doc("Schema against which all artifacts were validated."),
        Relation::one("meta_artifact", "Artifact")
            .null()
            .back("_meta_of_collection")
            .one_to_one()
            .doc("Artifact that holds metadata about the collection."),
        Relation::many("ulabels", "ULabel")
            .back("collections")
            .through("CollectionULabel", "collection", "ulabel")
            .doc("Labels of the collection."),
        Relation::many("input_of_runs", "Run")
            .back("input_collections")
            .doc("Runs that read the collection."),
        Relation::many("recreating_runs", "Run")
            .back("recreated_collections")
            .doc("Later runs that produced the same collection again."),
        Relation::many("artifacts", "Artifact")
            .back("collections")
            .as_host(Shape::Tracked)
            .doc("Artifacts of the collection; the ids of the links keep their order."),
        linked_in_records("linked_collections", "links_in_record"),
        Relation::many("_actions", "Artifact").doc("Artifacts that describe actions on the collection."),
    ],
    uniques: &[Rule::over(&["key", "hash"]).named("unique_collection_key_hash_not_null")],
    name_field: Some("key"),
    aliases: &[("name", "key")],
    ..Declaration::core("Collection", "lamindb_collection")
};

/// A label of a collection.
pub static COLLECTION_ULABEL: Declaration = Declaration {
    doc: "Link between `Collection` and `ULabel`.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[Field::id(Kind::BigInt)],
    relations: &[
        Relation::one("collection", "Collection").back("links_ulabel").cascade().doc("The collection."),
        Relation::one("ulabel", "ULabel").back("links_collection").indexed().doc("The label."),
        Relation::one("feature", "Feature")
            .null()
            .back("links_collectionulabel")
            .doc("Feature under which the label was given, if any."),
    ],
    uniques: &[Rule::over(&["collection_id", "ulabel_id"])],
    ..Declaration::link("CollectionULabel", "lamindb_collectionulabel")
};
