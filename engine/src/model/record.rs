//! Records: flexible rows that hold values of features.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{CAN_CURATE, HAS_PARENTS, HAS_TYPE, IN_BRANCH, LINK, RUN, TRACKS_RUN, TRACKS_UPDATES};
use super::{Default, Kind};

/// A record.
pub static RECORD: Declaration = Declaration {
    doc: "A flexible label or row, such as a sample, that holds values of features.",
    mixins: &[&HAS_TYPE, &IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES, &CAN_CURATE, &HAS_PARENTS],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(16).default(Default::Uid(16)),
        Field::char("name", 150).null().indexed().doc("Name of the record."),
        Field::text("description").null().doc("What the record stands for."),
        Field::char("reference", 255).null().doc("Id or URL of the record in another system."),
        Field::char("reference_type", 25).null().doc("What `reference` is, such as `url`."),
        Field::json("extra_data").null().doc("Free JSON data kept beside the fields."),
    ],
    relations: &[
        Relation::one("type", "Record")
            .null()
            .back("records")
            .indexed()
            .doc("Type that groups this record with others, as a table groups its rows."),
        Relation::one("schema", "Schema")
            .null()
            .back("records")
            .cascade()
            .doc("Schema that the records of this type are validated against."),
        RUN.back("output_records").indexed(),
        Relation::many("linked_records", "Record")
            .back("linked_in_records")
            .as_host(Shape::Value("links_record"))
            .doc("Records that are values of this record's features."),
        Relation::many("input_of_runs", "Run").back("input_records").doc("Runs that read the record."),
        Relation::many("artifacts", "Artifact")
            .back("records")
            .as_value(Shape::Annotated)
            .doc("Artifacts that the record annotates."),
        Relation::many("runs", "Run")
            .back("records")
            .through("RunRecord", "record", "run")
            .doc("Runs that the record annotates."),
        Relation::many("transforms", "Transform")
            .back("records")
            .through("TransformRecord", "record", "transform")
            .doc("Transforms that the record annotates."),
        Relation::many("collections", "Collection")
            .back("records")
            .as_value(Shape::Annotated)
            .doc("Collections that the record annotates."),
    ],
    ..Declaration::core("Record", "lamindb_record")
};

/// A value of a record's feature that is no record.
pub static RECORD_JSON: Declaration = Declaration {
    doc: "The value of a record's feature where it is no record.",
    mixins: &[&LINK],
    fields: &[
        Field::id(Kind::BigInt),
        Field::json("value")
            .db_default(Default::JsonNull)
            .doc("The value as JSON; dates and moments as ISO text."),
    ],
    relations: &[
        Relation::one("record", "Record")
            .back("values_json")
            .cascade()
            .doc("The record that holds the value."),
        Relation::one("feature", "Feature")
            .back("links_recordjson")
            .indexed()
            .doc("The feature whose value it is."),
    ],
    uniques: &[Rule::over(&["record_id", "feature_id"])],
    ..Declaration::link("RecordJson", "lamindb_recordjson")
};
