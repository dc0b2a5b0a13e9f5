//! References to literature and other sources.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{CAN_CURATE, HAS_TYPE, IN_BRANCH, LINK, TRACKS_RUN, TRACKS_UPDATES, linked_in_records};
use super::{Default, Kind, NullState};

/// A reference.
pub static REFERENCE: Declaration = Declaration {
    doc: "A publication, report or other source outside the instance.",
    mixins: &[&HAS_TYPE, &IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES, &CAN_CURATE],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(12).default(Default::Uid(12)),
        Field::char("name", 255).indexed().doc("Title of the reference."),
        Field::text("description").null().doc("What the reference is about."),
        Field::char("abbr", 32).null().doc("Abbreviation, such as a citation key."),
        Field::char("url", 200).null().doc("Web address of the reference."),
        Field::big("pubmed_id").null().doc("Id in PubMed."),
        Field::char("doi", 255).null().doc("Digital object identifier, such as `10.1038/s41586-020-2649-2`."),
        Field::text("text").null().doc("Abstract or full text."),
        Field::date("date").null().doc("Day of publication."),
    ],
    relations: &[
        Relation::one("type", "Reference")
            .null()
            .back("references")
            .doc("Type that groups this reference with others."),
        Relation::many("artifacts", "Artifact")
            .back("references")
            .as_value(Shape::Annotated)
            .doc("Artifacts that the reference annotates."),
        Relation::many("transforms", "Transform")
            .back("references")
            .as_value(Shape::Tracked)
            .doc("Transforms that the reference annotates."),
        Relation::many("collections", "Collection")
            .back("references")
            .as_value(Shape::Tracked)
            .doc("Collections that the reference annotates."),
        linked_in_records("linked_references", "links_in_record"),
        Relation::many("records", "Record")
            .back("references")
            .through("ReferenceRecord", "reference", "record")
            .doc("Records that the reference annotates."),
    ],
    ..Declaration::core("Reference", "lamindb_reference")
};

/// A reference that annotates a record.
pub static REFERENCE_RECORD: Declaration = Declaration {
    doc: "Link between `Reference` and `Record`.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[Field::id(Kind::BigInt)],
    relations: &[
        Relation::one("reference", "Reference").back("links_record").indexed().doc("The reference."),
        Relation::one("feature", "Feature")
            .null()
            .back("links_referencerecord")
            .doc("Feature under which the reference was given, if any."),
        Relation::one("record", "Record").back("links_reference").cascade().indexed().doc("The record."),
    ],
    uniques: &[
        Rule::over(&["reference_id", "feature_id", "record_id"])
            .named("unique_referencerecord")
            .when("feature_id", NullState::NotNull),
        Rule::over(&["reference_id", "record_id"])
            .named("unique_referencerecord_null_feature")
            .when("feature_id", NullState::Null),
    ],
    ..Declaration::link("ReferenceRecord", "lamindb_referencerecord")
};
