//! The ontology registries.
//!
//! Ten of them hold terms of public ontologies and share one form; genes, proteins and cell markers belong to an
//! organism and have identifiers of their own.

pub mod anatomy;
pub mod molecule;
pub mod organism;
pub mod source;
pub mod term;

use super::declare::{Mixin, Relation, Shape};
use super::mixins::{CAN_CURATE, ENTITY, HAS_PARENTS, IN_BRANCH, SOURCED, TERM, TRACKS_RUN, TRACKS_UPDATES};

/// The parts of a registry of ontology terms.
const ONTOLOGY: &[&Mixin] =
    &[&IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES, &CAN_CURATE, &HAS_PARENTS, &TERM, &ENTITY];

/// The parts of a registry of entities that belong to an organism.
const OF_ORGANISM: &[&Mixin] = &[&IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES, &CAN_CURATE, &SOURCED, &ENTITY];

const fn artifacts(back: &'static str) -> Relation {
    Relation::many("artifacts", "Artifact")
        .back(back)
        .as_value(Shape::Term)
        .doc("Artifacts annotated with this entity.")
}

const fn records(back: &'static str) -> Relation {
    Relation::many("records", "Record")
        .back(back)
        .as_value(Shape::TermValue)
        .doc("Records that hold this entity as the value of a feature.")
}

const fn schemas(back: &'static str) -> Relation {
    Relation::many("schemas", "Schema")
        .back(back)
        .as_value(Shape::Pair)
        .doc("Schemas that the entity is a member of.")
}

const fn organism(back: &'static str) -> Relation {
    Relation::one("organism", "Organism").back(back).doc("Organism in which the entity occurs.")
}
