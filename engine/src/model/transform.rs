//! Transforms: the code that turns inputs into outputs.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{CREATED_BY, IN_BRANCH, LINK, RUN, TRACKS_RUN, UPDATED_AT, VERSIONED, linked_in_records};
use super::{Default, Kind, NullState};

/// A transform.
pub static TRANSFORM: Declaration = Declaration {
    doc: "A piece of code, such as a notebook, script, pipeline or function, with its versions.",
    mixins: &[&VERSIONED, &IN_BRANCH, &TRACKS_RUN],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(16).doc("Identifier: 12 characters for the family of versions, 4 for the version."),
        Field::char("key", 1024).doc("Path-like name, such as `analysis/qc.ipynb`, that versions share."),
        Field::text("description").null().doc("Title or purpose; for notebooks the first heading."),
        Field::char("kind", 20)
            .default(Default::Text("pipeline"))
            .doc("What runs it: `notebook`, `script`, `pipeline` or `function`."),
        Field::text("source_code")
            .null()
            .doc("Source text, with secrets blanked out; notebooks as a script in percent format."),
        Field::char("hash", 22).null().indexed().doc("Hash of the source: equal code, equal hash."),
        Field::char("reference", 255)
            .null()
            .doc("Where the code can be found elsewhere, such as a URL in a repository."),
        Field::char("reference_type", 25).null().doc("What `reference` is, such as `url`."),
        UPDATED_AT,
    ],
    relations: &[
        Relation::one("environment", "Artifact")
            .null()
            .cascade()
            .back("_environment_of_transforms")
            .doc("Artifact that describes the software the code needs."),
        Relation::one("plan", "Artifact")
            .null()
            .cascade()
            .back("_plan_for_transforms")
            .doc("Artifact that holds the plan the code follows."),
        RUN.back("output_transforms").doc("Run that made the transform, if one was being tracked."),
        CREATED_BY.back("created_transforms").doc("User who made the transform."),
        Relation::many("ulabels", "ULabel")
            .back("transforms")
            .as_host(Shape::Tracked)
            .doc("Labels of the transform."),
        linked_in_records("linked_transforms", "links_in_record"),
        Relation::many("predecessors", "Transform")
            .back("successors")
            .through("TransformTransform", "successor", "predecessor")
            .doc("Transforms that are meant to run before this one."),
    ],
    uniques: &[Rule::over(&["key", "hash"])],
    name_field: Some("key"),
    aliases: &[("name", "description"), ("type", "kind")],
    ..Declaration::core("Transform", "lamindb_transform")
};

/// A step in an order of transforms.
pub static TRANSFORM_TRANSFORM: Declaration = Declaration {
    doc: "The order of two transforms that run one after the other.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[
        Field::id(Kind::BigInt),
        Field::json("config").null().doc("How the two are wired, as free JSON."),
    ],
    relations: &[
        Relation::one("successor", "Transform")
            .back("links_predecessor")
            .cascade()
            .doc("The transform that runs later."),
        Relation::one("predecessor", "Transform")
            .back("links_successor")
            .cascade()
            .indexed()
            .doc("The transform that runs before it."),
    ],
    uniques: &[Rule::over(&["successor_id", "predecessor_id"])],
    ..Declaration::link("TransformTransform", "lamindb_transformtransform")
};

/// An annotation of a transform with a record.
pub static TRANSFORM_RECORD: Declaration = Declaration {
    doc: "Link between `Transform` and `Record`.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[Field::id(Kind::BigInt), super::mixins::CREATED_AT],
    relations: &[
        RUN,
        Relation::one("transform", "Transform")
            .back("links_record")
            .cascade()
            .indexed()
            .doc("The transform."),
        Relation::one("record", "Record")
            .back("links_transform")
            .indexed()
            .doc("The record that annotates it."),
        Relation::one("feature", "Feature")
            .null()
            .back("links_transformrecord")
            .doc("Feature under which the record annotates, if any."),
        CREATED_BY,
    ],
    uniques: &[
        Rule::over(&["transform_id", "record_id", "feature_id"])
            .named("unique_transformrecord")
            .when("feature_id", NullState::NotNull),
        Rule::over(&["transform_id", "record_id"])
            .named("unique_transformrecord_null_feature")
            .when("feature_id", NullState::Null),
    ],
    ..Declaration::link("TransformRecord", "lamindb_transformrecord")
};
