//! Schemas: sets of features with rules, by which datasets are validated.

use super::declare::{Declaration, Field, Relation, Rule};
use super::mixins::{CAN_CURATE, HAS_TYPE, IN_BRANCH, LINK, TRACKS_RUN, TRACKS_UPDATES};
use super::{Default, Kind};

/// A schema.
pub static SCHEMA: Declaration = Declaration {
    doc: "A set of features with rules for them, against which datasets and records are validated.",
    mixins: &[&HAS_TYPE, &IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES, &CAN_CURATE],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(16),
        Field::char("name", 150).null().indexed().doc("Name of the schema."),
        Field::text("description").null().doc("What the schema is for."),
        Field::int("n_members").null().doc("Number of members, the index included; null if none are listed."),
        Field::bool("coerce")
            .null()
            .doc("True when validation may convert values to the data types of the members."),
        Field::bool("flexible")
            .null()
            .doc("True when registered features beyond the members are validated too."),
        Field::char("itype", 120).null().doc(
            "Registry or field that members come from, such as `Feature` or `bionty.Gene.ensembl_gene_id`.",
        ),
        Field::char("otype", 64)
            .null()
            .doc("Type of the object that a schema with slots describes, such as `AnnData`."),
        Field::char("suffix", 30).null().doc("Suffix that the stored content must have."),
        Field::char("_dtype_str", 64)
            .null()
            .doc("Data type of all members, such as `num`; null for features, which have their own."),
        Field::char("hash", 22)
            .null()
            .indexed()
            .doc("Hash of members and rules, by which an equal schema is found."),
        Field::bool("minimal_set")
            .default(Default::Bool(true))
            .doc("True when members must be present unless optional."),
        Field::bool("ordered_set")
            .default(Default::Bool(false))
            .doc("True when members must come in their order."),
        Field::bool("maximal_set")
            .default(Default::Bool(false))
            .doc("True when nothing beside the members may be present."),
    ],
    relations: &[
        Relation::one("type", "Schema")
            .null()
            .back("schemas")
            .doc("Type that groups this schema with others."),
        Relation::many("components", "Schema")
            .back("composites")
            .through("SchemaComponent", "composite", "component")
            .doc("Schemas of the slots of a composite schema."),
    ],
    ..Declaration::core("Schema", "lamindb_schema")
};

/// A schema in a slot of another.
pub static SCHEMA_COMPONENT: Declaration = Declaration {
    doc: "A schema in one slot of a composite schema.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[
        Field::id(Kind::BigInt),
        Field::char("slot", 255).null().doc("Slot of the composite, such as `obs` or `var.T`."),
    ],
    relations: &[
        Relation::one("composite", "Schema")
            .back("links_component")
            .cascade()
            .doc("The schema that has slots."),
        Relation::one("component", "Schema").back("links_composite").indexed().doc("The schema of the slot."),
    ],
    uniques: &[Rule::over(&["composite_id", "slot", "component_id"]), Rule::over(&["composite_id", "slot"])],
    ..Declaration::link("SchemaComponent", "lamindb_schemacomponent")
};
