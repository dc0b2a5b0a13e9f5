//! Universal labels.

use super::declare::{Declaration, Field, Relation, Shape};
use super::mixins::{
    CAN_CURATE, HAS_PARENTS, HAS_TYPE, IN_BRANCH, TRACKS_RUN, TRACKS_UPDATES, linked_in_records,
};
use super::{Default, Kind};

/// A label.
pub static ULABEL: Declaration = Declaration {
    doc: "A simple label for artifacts, runs, transforms and other records.",
    mixins: &[&HAS_TYPE, &IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES, &CAN_CURATE, &HAS_PARENTS],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(8).default(Default::Uid(8)),
        Field::char("name", 150).indexed().doc("Name of the label."),
        Field::text("description").null().doc("What the label means."),
        Field::char("reference", 255).null().doc("Id or URL of the label in another system."),
        Field::char("reference_type", 25).null().doc("What `reference` is, such as `url`."),
    ],
    relations: &[
        Relation::one("type", "ULabel")
            .null()
            .back("ulabels")
            .doc("Type that groups this label with others."),
        Relation::many("artifacts", "Artifact")
            .back("ulabels")
            .as_value(Shape::Annotated)
            .doc("Artifacts that carry the label."),
        linked_in_records("linked_ulabels", "links_record"),
    ],
    ..Declaration::core("ULabel", "lamindb_ulabel")
};
