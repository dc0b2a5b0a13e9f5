//! Branches: lines of change, the trash and the archive among them.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{AUX, CREATED_AT, CREATED_BY, LINK};
use super::{Default, Kind};

/// A branch.
pub static BRANCH: Declaration = Declaration {
    doc: "A line of change on which records are made, and from which they are merged; trash and archive are branches.",
    fields: &[
        Field::id(Kind::Int),
        Field::char("name", 100).doc("Name, unique without regard to upper and lower case."),
        Field::uid(12).default(Default::Uid(12)),
        Field::text("description").null().doc("What the branch is for."),
        CREATED_AT,
        Field::small("_status_code")
            .db_default(Default::Int(0))
            .words(&[("closed", -2), ("merged", -1), ("standalone", 0), ("draft", 1), ("review", 2)])
            .doc("Status: closed -2, merged -1, standalone 0, draft 1, review 2."),
        AUX,
    ],
    relations: &[
        Relation::one("space", "Space")
            .db_default(Default::Int(1))
            .doc("Space that decides who may see and change the branch."),
        CREATED_BY.doc("User who made the branch."),
        Relation::many("users", "User")
            .back("branches")
            .through("BranchUser", "branch", "user")
            .doc("People with a role on the branch."),
        Relation::many("ulabels", "ULabel")
            .back("branches")
            .as_host(Shape::Pair)
            .doc("Labels of the branch."),
        Relation::many("projects", "Project")
            .back("branches")
            .as_host(Shape::Pair)
            .doc("Projects that the branch belongs to."),
    ],
    uniques: &[Rule::over(&["name"]).named("unique_branch_name_lower").lower()],
    aliases: &[("status", "_status_code")],
    ..Declaration::core("Branch", "lamindb_branch")
};

/// A role of a user on a branch.
pub static BRANCH_USER: Declaration = Declaration {
    doc: "The role of a user on a branch.",
    mixins: &[&LINK],
    fields: &[Field::id(Kind::BigInt), Field::char("role", 32).doc("What the user does on the branch.")],
    relations: &[
        Relation::one("branch", "Branch").back("links_user").cascade().doc("The branch."),
        Relation::one("user", "User").back("links_branch").indexed().doc("The user."),
    ],
    uniques: &[Rule::over(&["branch_id", "user_id", "role"])],
    ..Declaration::link("BranchUser", "lamindb_branchuser")
};
