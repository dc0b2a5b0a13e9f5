//! Spaces: who may see and change records.

use super::declare::{Declaration, Field, Relation, Rule};
use super::mixins::CREATED_AT;
use super::{Default, Kind};

/// A space.
pub static SPACE: Declaration = Declaration {
    doc: "A region of the instance with its own circle of people who may read and write in it.",
    fields: &[
        Field::id(Kind::SmallInt),
        Field::char("name", 100).doc("Name, unique without regard to upper and lower case."),
        Field::uid(12).default(Default::Uid(12)),
        Field::text("description").null().doc("What the space is for."),
        CREATED_AT,
    ],
    relations: &[Relation::one("created_by", "User")
        .null()
        .cascade()
        .doc("User who made the space; null for the space that every instance starts with.")],
    uniques: &[Rule::over(&["name"]).named("unique_space_name_lower").lower()],
    ..Declaration::core("Space", "lamindb_space")
};
