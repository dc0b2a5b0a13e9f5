//! Diseases, phenotypes, pathways, experimental factors and ethnicities.

use super::{ONTOLOGY, artifacts, records, schemas};
use crate::model::declare::{Declaration, Relation, Rule};

/// A disease.
pub static DISEASE: Declaration = Declaration {
    doc: "A disease or disorder, by default from the Mondo ontology.",
    mixins: ONTOLOGY,
    relations: &[artifacts("diseases"), records("diseases")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the disease, such as `Alzheimer disease`."),
        ("ontology_id", "Id in the source, such as `MONDO:0004975`."),
    ],
    ..Declaration::bionty("Disease", "bionty_disease")
};

/// A phenotype.
pub static PHENOTYPE: Declaration = Declaration {
    doc: "An observable trait of an organism, such as an abnormal finding in a patient.",
    mixins: ONTOLOGY,
    relations: &[artifacts("phenotypes"), records("phenotypes")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the phenotype, such as `Seizure`."),
        ("ontology_id", "Id in the source, such as `HP:0001250` in the Human Phenotype Ontology."),
    ],
    ..Declaration::bionty("Phenotype", "bionty_phenotype")
};

/// A pathway.
pub static PATHWAY: Declaration = Declaration {
    doc: "A biological process or pathway, by default from the Gene Ontology.",
    mixins: ONTOLOGY,
    relations: &[
        Relation::many("genes", "Gene").back("pathways").doc("Genes that take part in the pathway."),
        schemas("pathways"),
        artifacts("pathways"),
        records("pathways"),
    ],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the pathway, such as `glycolytic process`."),
        ("ontology_id", "Id in the source, such as `GO:0006096`."),
    ],
    ..Declaration::bionty("Pathway", "bionty_pathway")
};

/// An experimental factor.
pub static EXPERIMENTAL_FACTOR: Declaration = Declaration {
    doc: "A variable of an experiment, such as an assay, from the Experimental Factor Ontology.",
    mixins: ONTOLOGY,
    relations: &[artifacts("experimental_factors"), records("experimental_factors")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the factor, such as `single-cell RNA sequencing`."),
        ("ontology_id", "Id in the Experimental Factor Ontology, such as `EFO:0008913`."),
    ],
    ..Declaration::bionty("ExperimentalFactor", "bionty_experimentalfactor")
};

/// An ethnicity.
pub static ETHNICITY: Declaration = Declaration {
    doc: "An ancestry or ethnic group of humans, from the Human Ancestry Ontology.",
    mixins: ONTOLOGY,
    relations: &[artifacts("ethnicities"), records("ethnicities")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the group, such as `European`."),
        ("ontology_id", "Id in the Human Ancestry Ontology, such as `HANCESTRO:0005`."),
    ],
    ..Declaration::bionty("Ethnicity", "bionty_ethnicity")
};
