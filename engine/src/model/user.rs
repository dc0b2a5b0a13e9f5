//! Users, and the list of migrations that every database carries.

use super::Kind;
use super::declare::{Declaration, Field, Relation, Shape};
use super::mixins::{CAN_CURATE, CREATED_AT, UPDATED_AT, linked_in_records};

/// A user.
pub static USER: Declaration = Declaration {
    doc: "A person or service that makes records.",
    mixins: &[&CAN_CURATE],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(8).doc("Identifier of the account; eight zeros for the anonymous user."),
        Field::char("handle", 30).unique().doc("Short unique name of the account."),
        Field::char("name", 150).null().doc("Full name."),
        CREATED_AT,
        UPDATED_AT,
    ],
    relations: &[
        linked_in_records("linked_users", "links_record"),
        Relation::many("artifacts", "Artifact")
            .back("users")
            .as_value(Shape::Annotated)
            .doc("Artifacts annotated with the user."),
    ],
    name_field: Some("handle"),
    ..Declaration::core("User", "lamindb_user")
};

/// An applied migration.
pub static MIGRATION: Declaration = Declaration {
    doc: "A change of the database layout that has been applied.",
    fields: &[
        Field::id(Kind::BigInt),
        Field::char("app", 255).doc("Module that the change belongs to."),
        Field::char("name", 255).doc("Name of the change."),
        Field::moment("applied").doc("Moment at which the change was applied."),
    ],
    top_level: false,
    ..Declaration::core("Migration", "django_migrations")
};
