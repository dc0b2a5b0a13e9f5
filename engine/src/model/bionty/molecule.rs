//! Genes, proteins and cell markers.

use super::{OF_ORGANISM, artifacts, organism, records, schemas};
use crate::model::declare::{Declaration, Field, Rule};

/// A gene.
pub static GENE: Declaration = Declaration {
    doc: "A gene of an organism, from Ensembl.",
    mixins: OF_ORGANISM,
    fields: &[
        Field::char("symbol", 64).null().indexed().doc("Symbol that people use, such as `TP53`."),
        Field::char("stable_id", 255)
            .null()
            .unique()
            .doc("Stable id of genes without an Ensembl gene id, such as `YAL001C` in yeast."),
        Field::char("ensembl_gene_id", 64).null().unique().doc("Id in Ensembl, such as `ENSG00000141510`."),
        Field::text("ncbi_gene_ids").null().doc("Ids in NCBI Gene, separated by `|`."),
        Field::char("biotype", 64).null().doc("Kind of gene, such as `protein_coding`."),
    ],
    relations: &[
        organism("genes").doc("Organism whose gene it is."),
        artifacts("genes"),
        records("genes"),
        schemas("genes"),
    ],
    name_field: Some("symbol"),
    ontology_id_field: Some("ensembl_gene_id"),
    docs: &[("synonyms", "Other symbols of the gene, separated by `|`.")],
    ..Declaration::bionty("Gene", "bionty_gene")
};

/// A protein.
pub static PROTEIN: Declaration = Declaration {
    doc: "A protein of an organism, from UniProt.",
    mixins: OF_ORGANISM,
    fields: &[
        Field::char("name", 255)
            .null()
            .indexed()
            .doc("Name of the protein, such as `Cellular tumor antigen p53`."),
        Field::char("uniprotkb_id", 10).null().unique().doc("Accession in UniProtKB, such as `P04637`."),
        Field::big("length").null().doc("Number of amino acids."),
        Field::char("gene_symbol", 255).null().doc("Symbol of the gene that encodes the protein."),
        Field::text("ensembl_gene_ids").null().doc("Ids in Ensembl of the genes that encode the protein."),
    ],
    relations: &[
        organism("proteins").doc("Organism whose protein it is."),
        artifacts("proteins"),
        records("proteins"),
        schemas("proteins"),
    ],
    ontology_id_field: Some("uniprotkb_id"),
    ..Declaration::bionty("Protein", "bionty_protein")
};

/// A cell marker.
pub static CELL_MARKER: Declaration = Declaration {
    doc: "A molecule, often on the cell surface, by which kinds of cells are told apart, such as CD8.",
    mixins: OF_ORGANISM,
    fields: &[
        Field::char("name", 64).doc("Name of the marker, such as `CD8`."),
        Field::char("gene_symbol", 64).null().doc("Symbol of the gene that encodes the marker."),
        Field::char("ncbi_gene_id", 32).null().doc("Id of that gene in NCBI Gene."),
        Field::char("uniprotkb_id", 10).null().doc("Accession of the protein in UniProtKB."),
    ],
    relations: &[
        organism("cell_markers").doc("Organism in which the marker is used."),
        artifacts("cell_markers"),
        records("cell_markers"),
        schemas("cell_markers"),
    ],
    uniques: &[Rule::over(&["name", "organism_id"])],
    ..Declaration::bionty("CellMarker", "bionty_cellmarker")
};
