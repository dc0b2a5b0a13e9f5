//! Artifacts, and the links of theirs that follow no family.

use super::declare::{Declaration, Field, Relation, Rule, Shape};
use super::mixins::{CREATED_BY, IN_BRANCH, LINK, TRACKS_RUN, TRACKS_UPDATES, VERSIONED, linked_in_records};
use super::{Kind, NullState};

/// An artifact.
pub static ARTIFACT: Declaration = Declaration {
    doc: "A file, folder or array in storage, with its hash, version and origin.",
    mixins: &[&VERSIONED, &IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(20).doc("Identifier: 16 characters for the family of versions, 4 for the version."),
        Field::char("key", 1024)
            .null()
            .indexed()
            .prefixes()
            .doc("Path-like name within the storage location, such as `raw/cells.csv`, that versions share."),
        Field::char("_real_key", 1024).null().doc(
            "Path of the content below the storage root, where it is neither `key` nor the automatic one.",
        ),
        Field::text("description").null().prefixes().doc("What the content is, in free text."),
        Field::char("suffix", 30)
            .doc("Suffix of the content, such as `.parquet` or `.csv.gz`; empty if there is none."),
        Field::char("kind", 20)
            .null()
            .doc("What the content serves as, such as `dataset`; `__lamindb…` marks internal artifacts."),
        Field::char("otype", 64)
            .null()
            .doc("Type of the object in memory, such as `DataFrame` or `AnnData`."),
        Field::big("size").null().doc("Size of the content in bytes."),
        Field::char("hash", 22).null().indexed().doc("Hash of the content: equal content, equal hash."),
        Field::big("n_files").null().doc("Number of files in a folder; null for a single file."),
        Field::big("n_observations")
            .null()
            .doc("Number of observations, such as rows of a table or cells of a matrix."),
        Field::char("_hash_type", 30)
            .null()
            .doc("How `hash` came about, such as `md5`, `sha1-fl` for large files or `md5-d` for folders."),
        Field::json("extra_data").null().doc("Free JSON data kept beside the fields."),
        Field::bool("_key_is_virtual")
            .doc("True when `key` is a mere name and doesn't say where the content lies."),
        Field::bool("_overwrite_versions")
            .doc("True when a new version replaces the stored content of the one before it."),
    ],
    relations: &[
        Relation::one("storage", "Storage").back("artifacts").doc("Storage location that holds the content."),
        Relation::one("run", "Run")
            .null()
            .back("output_artifacts")
            .indexed()
            .doc("Run that made the artifact, if one was being tracked."),
        Relation::one("schema", "Schema")
            .null()
            .back("validated_artifacts")
            .doc("Schema against which the content was validated."),
        CREATED_BY.back("created_artifacts").doc("User who made the artifact."),
        Relation::many("input_of_runs", "Run").back("input_artifacts").doc("Runs that read the artifact."),
        Relation::many("recreating_runs", "Run")
            .back("recreated_artifacts")
            .doc("Later runs that produced the same content again."),
        Relation::many("schemas", "Schema")
            .back("artifacts")
            .through("ArtifactSchema", "artifact", "schema")
            .doc("Schemas found in the content, by slot."),
        Relation::many("json_values", "JsonValue")
            .back("artifacts")
            .as_host(Shape::Tracked)
            .doc("Values of features of the artifact that are no records."),
        Relation::many("_actions", "Artifact")
            .back("_action_targets")
            .doc("Artifacts that describe actions on this one."),
        Relation::many("artifacts", "Artifact")
            .back("linked_by_artifacts")
            .through("ArtifactArtifact", "artifact", "value")
            .doc("Artifacts that annotate this one."),
        linked_in_records("linked_artifacts", "links_in_record"),
    ],
    uniques: &[
        Rule::over(&["storage_id", "key", "hash"])
            .named("unique_artifact_storage_key_hash_not_null")
            .when("key", NullState::NotNull),
        Rule::over(&["storage_id", "hash"])
            .named("unique_artifact_storage_hash_null_key")
            .when("key", NullState::Null),
    ],
    name_field: Some("key"),
    aliases: &[
        ("transform", "run__transform"),
        ("feature_sets", "schemas"),
        ("type", "kind"),
        ("n_objects", "n_files"),
        ("_accessor", "otype"),
    ],
    ..Declaration::core("Artifact", "lamindb_artifact")
};

/// A schema found in a slot of an artifact.
pub static ARTIFACT_SCHEMA: Declaration = Declaration {
    doc: "A schema found in one slot of an artifact, such as its columns.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[
        Field::id(Kind::BigInt),
        Field::char("slot", 255)
            .null()
            .doc("Part of the content that the schema describes, such as `columns` or `obs`."),
        Field::bool("feature_ref_is_semantic")
            .null()
            .doc("Column of the format that is kept but not interpreted."),
    ],
    relations: &[
        Relation::one("artifact", "Artifact").back("_links_schema").cascade().doc("The artifact."),
        Relation::one("schema", "Schema").back("_links_artifact").indexed().doc("The schema."),
    ],
    uniques: &[Rule::over(&["artifact_id", "slot", "schema_id"]), Rule::over(&["artifact_id", "slot"])],
    ..Declaration::link("ArtifactSchema", "lamindb_artifactschema")
};

/// An annotation of an artifact with a run.
pub static ARTIFACT_RUN: Declaration = Declaration {
    doc: "Link between `Artifact` and `Run`, for runs that annotate an artifact.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[Field::id(Kind::BigInt)],
    relations: &[
        Relation::one("artifact", "Artifact").back("links_run").cascade().indexed().doc("The artifact."),
        Relation::one("run", "Run")
            .back("links_artifact")
            .cascade()
            .indexed()
            .doc("The run that annotates it."),
        Relation::one("feature", "Feature")
            .null()
            .back("links_artifactrun")
            .doc("Feature under which the run annotates, if any."),
    ],
    uniques: &[
        Rule::over(&["artifact_id", "run_id", "feature_id"])
            .named("unique_artifactrun")
            .when("feature_id", NullState::NotNull),
        Rule::over(&["artifact_id", "run_id"])
            .named("unique_artifactrun_null_feature")
            .when("feature_id", NullState::Null),
    ],
    ..Declaration::link("ArtifactRun", "lamindb_artifactrun")
};

/// An annotation of an artifact with another.
pub static ARTIFACT_ARTIFACT: Declaration = Declaration {
    doc: "Link between two artifacts, the second of which annotates the first.",
    mixins: &[&LINK, &TRACKS_RUN],
    fields: &[Field::id(Kind::BigInt)],
    relations: &[
        Relation::one("artifact", "Artifact").back("links_artifact").cascade().indexed().doc("The artifact."),
        Relation::one("value", "Artifact")
            .back("links_value")
            .cascade()
            .indexed()
            .doc("The artifact that annotates it."),
        Relation::one("feature", "Feature")
            .null()
            .back("links_artifactartifact")
            .doc("Feature under which it annotates, if any."),
    ],
    uniques: &[
        Rule::over(&["artifact_id", "value_id", "feature_id"])
            .named("unique_artifactartifact")
            .when("feature_id", NullState::NotNull),
        Rule::over(&["artifact_id", "value_id"])
            .named("unique_artifactartifact_null_feature")
            .when("feature_id", NullState::Null),
    ],
    ..Declaration::link("ArtifactArtifact", "lamindb_artifactartifact")
};
