//! The parts that registries share, each with the law it brings along.

use super::declare::{Field, Mixin, Relation, Shape};
use super::{Default, Kind, Traits};

/// Families of versions.
pub static VERSIONED: Mixin = Mixin {
    fields: &[
        Field::char("version_tag", 30)
            .null()
            .doc("Free label of this version, such as `1.0`; without it the last four characters of the uid count."),
        Field::bool("is_latest")
            .default(Default::Bool(true))
            .doc("True for the newest version of its family on its branch."),
    ],
    traits: Traits { versioned: true, ..Traits::NONE },
    aliases: &[("version", "version_tag")],
    ..Mixin::NONE
};

/// A place on a branch and in a space.
pub static IN_BRANCH: Mixin = Mixin {
    fields: &[
        Field::bool("is_locked")
            .db_default(Default::Bool(false))
            .doc("True when the record must be neither changed nor deleted."),
        AUX,
    ],
    relations: &[
        BRANCH,
        CREATED_ON,
        Relation::one("space", "Space")
            .db_default(Default::Int(1))
            .doc("Space that decides who may see and change the record."),
    ],
    traits: Traits { branch_aware: true, ..Traits::NONE },
    aliases: &[("visibility", "branch_id")],
};

/// Where a record lives now.
pub const BRANCH: Relation = Relation::one("branch", "Branch")
    .db_default(Default::Int(1))
    .doc("Branch on which the record lives now; trash and archive are branches too.");

/// Where a record was made.
pub const CREATED_ON: Relation = Relation::one("created_on", "Branch")
    .db_default(Default::Int(1))
    .doc("Branch on which the record was made, whatever became of it later.");

/// Internal facts.
pub const AUX: Field = Field::json("_aux")
    .null()
    .db_default(Default::JsonNull)
    .doc("Internal facts that have no field of their own.");

/// When a record was made.
pub const CREATED_AT: Field =
    Field::moment("created_at").db_default(Default::Now).doc("Moment at which the record was made.");

/// When a record last changed.
pub const UPDATED_AT: Field =
    Field::moment("updated_at").db_default(Default::Now).doc("Moment of the last change.");

/// Who made a record.
pub const CREATED_BY: Relation =
    Relation::one("created_by", "User").default(Default::CurrentUser).doc("User who made the record.");

/// What made a record.
pub const RUN: Relation = Relation::one("run", "Run")
    .null()
    .default(Default::CurrentRun)
    .doc("Run that made the record, if one was being tracked.");

/// The maker of a record: user, run and moment.
pub static TRACKS_RUN: Mixin = Mixin {
    fields: &[CREATED_AT],
    relations: &[CREATED_BY, RUN],
    traits: Traits { tracks_run: true, ..Traits::NONE },
    ..Mixin::NONE
};

/// The moment of the last change.
pub static TRACKS_UPDATES: Mixin =
    Mixin { fields: &[UPDATED_AT], traits: Traits { tracks_updates: true, ..Traits::NONE }, ..Mixin::NONE };

/// Validation and standardisation of values against the registry.
pub static CAN_CURATE: Mixin = Mixin { traits: Traits { can_curate: true, ..Traits::NONE }, ..Mixin::NONE };

/// Types that group the records of a registry.
pub static HAS_TYPE: Mixin = Mixin {
    fields: &[Field::bool("is_type")
        .db_default(Default::Bool(false))
        .doc("True for a type, which groups other records of the registry.")],
    traits: Traits { has_type: true, ..Traits::NONE },
    ..Mixin::NONE
};

/// A graph of parents and children.
pub static HAS_PARENTS: Mixin = Mixin {
    relations: &[Relation::many("parents", "Self")
        .back("children")
        .doc("More general records of the registry, directly above this one.")],
    traits: Traits { has_parents: true, ..Traits::NONE },
    ..Mixin::NONE
};

/// A link table.
pub static LINK: Mixin = Mixin { traits: Traits { link: true, ..Traits::NONE }, ..Mixin::NONE };

/// Values of features that records of other registries hold by linking to this one.
pub const fn linked_in_records(back: &'static str, link_back: &'static str) -> Relation {
    Relation::many("linked_in_records", "Record")
        .back(back)
        .as_value(Shape::Value(link_back))
        .doc("Records that hold this one as the value of a feature.")
}

/// The name and id of a term in a public ontology.
pub static TERM: Mixin = Mixin {
    fields: &[
        Field::char("name", 255).doc("Name of the term."),
        Field::char("ontology_id", 255).null().indexed().doc("Id of the term in its public ontology."),
    ],
    relations: &[SOURCE],
    ..Mixin::NONE
};

/// The source of a biological entity that is no term of an ontology.
pub static SOURCED: Mixin = Mixin { relations: &[SOURCE], ..Mixin::NONE };

const SOURCE: Relation = Relation::one("source", "Source")
    .null()
    .doc("Public source and version from which the record was taken; null for records of one's own.");

/// What all biological entities hold.
pub static ENTITY: Mixin = Mixin {
    fields: &[
        Field::id(Kind::Int),
        Field::uid(14)
            .default(Default::OntologyUid)
            .doc("Identifier derived from the public id or the name, hence the same in every database."),
        Field::char("abbr", 32).null().unique().doc("Abbreviation that no other record of the registry has."),
        Field::text("synonyms").null().doc("Other names of the same thing, separated by `|`."),
        Field::text("description").null().doc("Definition, taken from the public source where there is one."),
    ],
    ..Mixin::NONE
};
