//! Public sources of ontologies.

use crate::model::declare::{Declaration, Field, Relation, Rule};
use crate::model::mixins::{IN_BRANCH, TRACKS_RUN, TRACKS_UPDATES};
use crate::model::{Default, Kind};

/// A source.
pub static SOURCE: Declaration = Declaration {
    doc: "A version of a public ontology or database, from which the records of a registry are taken.",
    mixins: &[&IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(8)
            .default(Default::OntologyUid)
            .doc("Identifier derived from entity, name, organism and version."),
        Field::char("entity", 255).doc("Registry that the source serves, such as `bionty.CellType`."),
        Field::char("organism", 255).doc("Organism that the source covers, or `all`."),
        Field::char("name", 255).doc("Short name of the source, such as `cl` for the Cell Ontology."),
        Field::char("version", 255).doc("Version of the source, such as a date or `release-116`."),
        Field::bool("in_db")
            .default(Default::Bool(false))
            .doc("True once the records of the source have been imported into the registry."),
        Field::bool("currently_used")
            .default(Default::Bool(false))
            .doc("True for the version that is consulted when none is named."),
        Field::text("description").null().doc("Full name of the source."),
        Field::text("url").null().doc("Address from which the file of the source is downloaded."),
        Field::text("md5").null().doc("MD5 checksum of that file."),
        Field::text("source_website").null().doc("Web page of the source."),
    ],
    relations: &[
        Relation::one("dataframe_artifact", "Artifact")
            .null()
            .back("_source_dataframe_of")
            .doc("Artifact that holds the terms of the source as a table."),
        Relation::many("artifacts", "Artifact")
            .back("_source_artifact_of")
            .doc("Files that belong to the source."),
    ],
    uniques: &[Rule::over(&["entity", "name", "organism", "version"])],
    ..Declaration::bionty("Source", "bionty_source")
};
