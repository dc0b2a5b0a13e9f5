//! Projects.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{CAN_CURATE, HAS_TYPE, IN_BRANCH, LINK, TRACKS_RUN, TRACKS_UPDATES, linked_in_records};
use super::{Default, Kind, NullState};

/// A project.
pub static PROJECT: Declaration = Declaration {
    doc: "An undertaking with a beginning, an end and people, to which records belong.",
    mixins: &[&HAS_TYPE, &IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES, &CAN_CURATE],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(12).default(Default::Uid(12)),
        Field::char("name", 255).indexed().doc("Name of the project."),
        Field::text("description").null().doc("What the project is about."),
        Field::char("abbr", 32).null().doc("Abbreviation of the name."),
        Field::char("url", 255).null().doc("Web page of the project."),
        Field::date("start_date").null().doc("First day of the project."),
        Field::date("end_date").null().doc("Last day of the project."),
        Field::small("_status_code").db_default(Default::Int(0)).words(&[("planned", -3), ("up-next", -2), ("active", -1), ("completed", 0), ("background", 1), ("paused", 2), ("canceled", 3), ("archived", 4)]).doc(
            "Status: planned -3, up-next -2, active -1, completed 0, background 1, paused 2, canceled 3, archived 4.",
        ),
    ],
    relations: &[
        Relation::one("type", "Project").null().back("projects").doc("Type that groups this project with others."),
        Relation::many("parents", "Project").back("children").doc("Projects that this one is part of."),
        Relation::many("predecessors", "Project").back("successors").doc("Projects that this one continues."),
        Relation::many("artifacts", "Artifact")
            .back("projects")
            .as_value(Shape::Annotated)
            .doc("Artifacts of the project."),
        Relation::many("transforms", "Transform")
            .back("projects")
            .as_value(Shape::Tracked)
            .doc("Transforms of the project."),
        Relation::many("runs", "Run").back("projects").as_value(Shape::Dated).doc("Runs of the project."),
        Relation::many("ulabels", "ULabel")
            .back("projects")
            .as_value(Shape::Tracked)
            .doc("Labels of the project."),
        Relation::many("features", "Feature")
            .back("projects")
            .as_value(Shape::Tracked)
            .doc("Features of the project."),
        Relation::many("schemas", "Schema")
            .back("projects")
            .as_value(Shape::Tracked)
            .doc("Schemas of the project."),
        linked_in_records("linked_projects", "links_in_record"),
        Relation::many("records", "Record")
            .back("projects")
            .through("ProjectRecord", "project", "record")
            .doc("Records of the project."),
        Relation::many("collections", "Collection")
            .back("projects")
            .as_value(Shape::Tracked)
            .doc("Collections of the project."),
        Relation::many("references", "Reference").back("projects").doc("References of the project."),
        Relation::many("blocks", "Block")
            .back("projects")
            .as_value(Shape::Tracked)
            .doc("Standalone texts of the project."),
        Relation::many("users", "User")
            .back("projects")
            .through("ProjectUser", "project", "user")
            .doc("People with a role in the project."),
    ],
    aliases: &[
        ("status", "_status_code"),
    ],
    ..Declaration::core("Project", "lamindb_project")
};

/// A role of a user in a project.
pub static PROJECT_USER: Declaration = Declaration {
    doc: "The role of a user in a project.",
    mixins: &[&LINK],
    fields: &[Field::id(Kind::BigInt), Field::char("role", 32).doc("What the user does in the project.")],
    relations: &[
        Relation::one("project", "Project").back("links_user").cascade().doc("The project."),
        Relation::one("user", "User").back("links_project").indexed().doc("The user."),
    ],
    uniques: &[Rule::over(&["project_id", "user_id", "role"])],
    ..Declaration::link("ProjectUser", "lamindb_projectuser")
};

/// A record that belongs to a project.
pub static PROJECT_RECORD: Declaration = Declaration {
    doc: "Link between `Project` and `Record`.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[Field::id(Kind::BigInt)],
    relations: &[
        Relation::one("project", "Project").back("links_record").indexed().doc("The project."),
        Relation::one("feature", "Feature")
            .null()
            .back("links_projectrecord")
            .doc("Feature under which the project was given, if any."),
        Relation::one("record", "Record").back("links_project").cascade().indexed().doc("The record."),
    ],
    uniques: &[
        Rule::over(&["project_id", "feature_id", "record_id"])
            .named("unique_projectrecord")
            .when("feature_id", NullState::NotNull),
        Rule::over(&["project_id", "record_id"])
            .named("unique_projectrecord_null_feature")
            .when("feature_id", NullState::Null),
    ],
    ..Declaration::link("ProjectRecord", "lamindb_projectrecord")
};
