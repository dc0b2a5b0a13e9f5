//! Blocks: readmes and comments, standing alone or attached to a record.

use super::declare::{Declaration, Field, Mixin, Relation};
use super::mixins::{AUX, BRANCH, CREATED_AT, CREATED_BY, CREATED_ON, IN_BRANCH, VERSIONED};
use super::{Default, Kind};

/// What every block holds.
static CONTENT: Mixin = Mixin {
    fields: &[
        Field::id(Kind::BigInt),
        Field::uid(20)
            .default(Default::Uid(16))
            .doc("Identifier: 16 characters for the family of versions, for readmes 4 more for the version."),
        Field::text("content").doc("The text, in Markdown."),
        Field::char("hash", 22).null().doc("Hash of the text, by which an equal text is found."),
        Field::char("kind", 22)
            .db_default(Default::Text("readme"))
            .doc("What the text is: a `readme`, which has versions, or a `comment`."),
        CREATED_AT,
        Field::small("_status_code").db_default(Default::Int(0)).doc("Status of the text."),
        AUX,
    ],
    relations: &[CREATED_BY.doc("User who wrote the text.")],
    ..Mixin::NONE
};

/// The branch of a block that is attached to a record.
static ON_BRANCH: Mixin = Mixin { relations: &[BRANCH, CREATED_ON], ..Mixin::NONE };

/// A standalone block.
pub static BLOCK: Declaration = Declaration {
    doc: "A text in Markdown that stands alone.",
    mixins: &[&VERSIONED, &IN_BRANCH, &CONTENT],
    fields: &[Field::char("key", 1024)
        .null()
        .indexed()
        .doc("Path-like name, such as `notes/protocol.md`, that versions share.")],
    relations: &[Relation::one("anchor", "Block")
        .null()
        .back("children")
        .indexed()
        .doc("Block that this one is attached to.")],
    top_level: false,
    ..Declaration::core("Block", "lamindb_block")
};

/// The parts of a block that is attached to a record.
const ATTACHED: &[&Mixin] = &[&VERSIONED, &CONTENT, &ON_BRANCH];

const fn attached(name: &'static str, table: &'static str) -> Declaration {
    Declaration { mixins: ATTACHED, top_level: false, ..Declaration::core(name, table) }
}

const fn to(name: &'static str, target: &'static str) -> Relation {
    Relation::one(name, target).back("ablocks").cascade().indexed()
}

/// A text about a record.
pub static RECORD_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a record.",
    relations: &[to("record", "Record").doc("Record that the text is about.")],
    ..attached("RecordBlock", "lamindb_recordblock")
};

/// A text about an artifact.
pub static ARTIFACT_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about an artifact.",
    relations: &[to("artifact", "Artifact").doc("Artifact that the text is about.")],
    ..attached("ArtifactBlock", "lamindb_artifactblock")
};

/// A text about a transform.
pub static TRANSFORM_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a transform or a line of its source.",
    fields: &[Field::int("line_number").null().doc("Line of the source code that the text is about.")],
    relations: &[to("transform", "Transform").null().doc("Transform that the text is about.")],
    ..attached("TransformBlock", "lamindb_transformblock")
};

/// A text about a run.
pub static RUN_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a run.",
    relations: &[to("run", "Run").doc("Run that the text is about.")],
    ..attached("RunBlock", "lamindb_runblock")
};

/// A text about a collection.
pub static COLLECTION_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a collection.",
    relations: &[to("collection", "Collection").null().doc("Collection that the text is about.")],
    ..attached("CollectionBlock", "lamindb_collectionblock")
};

/// A text about a schema.
pub static SCHEMA_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a schema.",
    relations: &[to("schema", "Schema").doc("Schema that the text is about.")],
    ..attached("SchemaBlock", "lamindb_schemablock")
};

/// A text about a feature.
pub static FEATURE_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a feature.",
    relations: &[to("feature", "Feature").doc("Feature that the text is about.")],
    ..attached("FeatureBlock", "lamindb_featureblock")
};

/// A text about a project.
pub static PROJECT_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a project.",
    relations: &[to("project", "Project").doc("Project that the text is about.")],
    ..attached("ProjectBlock", "lamindb_projectblock")
};

/// A text about a space.
pub static SPACE_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a space.",
    relations: &[to("space", "Space").doc("Space that the text is about.")],
    ..attached("SpaceBlock", "lamindb_spaceblock")
};

/// A text about a label.
pub static ULABEL_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a label.",
    relations: &[to("ulabel", "ULabel").doc("Label that the text is about.")],
    ..attached("ULabelBlock", "lamindb_ulabelblock")
};

/// A text about a branch.
pub static BRANCH_BLOCK: Declaration = Declaration {
    doc: "A readme or comment about a branch.",
    mixins: &[&VERSIONED, &CONTENT],
    relations: &[to("branch", "Branch").doc("Branch that the text is about.")],
    ..attached("BranchBlock", "lamindb_branchblock")
};
