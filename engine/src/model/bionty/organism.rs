//! Organisms.

use super::{ONTOLOGY, artifacts, records};
use crate::model::declare::{Declaration, Field, Rule};

/// An organism.
pub static ORGANISM: Declaration = Declaration {
    doc: "A species or strain, such as human or mouse, from the NCBI taxonomy as Ensembl lists it.",
    mixins: ONTOLOGY,
    fields: &[Field::char("scientific_name", 255)
        .null()
        .unique()
        .doc("Scientific name, such as `homo_sapiens`.")],
    relations: &[artifacts("organisms"), records("organisms")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Common name, such as `human`."),
        ("ontology_id", "Id in the NCBI taxonomy, such as `NCBITaxon:9606`."),
    ],
    ..Declaration::bionty("Organism", "bionty_organism")
};
