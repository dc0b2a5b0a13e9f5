//! Tissues, cell types, cell lines and developmental stages.

use super::{ONTOLOGY, artifacts, records};
use crate::model::declare::{Declaration, Rule};

/// A tissue.
pub static TISSUE: Declaration = Declaration {
    doc: "A tissue, organ or other part of a body, from the Uberon anatomy ontology.",
    mixins: ONTOLOGY,
    relations: &[artifacts("tissues"), records("tissues")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the tissue, such as `lung`."),
        ("ontology_id", "Id in Uberon, such as `UBERON:0002048`."),
    ],
    ..Declaration::bionty("Tissue", "bionty_tissue")
};

/// A cell type.
pub static CELL_TYPE: Declaration = Declaration {
    doc: "A type of cell, such as T cell, from the Cell Ontology.",
    mixins: ONTOLOGY,
    relations: &[artifacts("cell_types"), records("cell_types")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the cell type, such as `T cell`."),
        ("ontology_id", "Id in the Cell Ontology, such as `CL:0000084`."),
    ],
    ..Declaration::bionty("CellType", "bionty_celltype")
};

/// A cell line.
pub static CELL_LINE: Declaration = Declaration {
    doc: "A population of cells kept in culture, such as HeLa, by default from Cellosaurus.",
    mixins: ONTOLOGY,
    relations: &[artifacts("cell_lines"), records("cell_lines")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the cell line, such as `HEK293`."),
        ("ontology_id", "Id in the source, such as `CLO:0001230` in the Cell Line Ontology."),
    ],
    ..Declaration::bionty("CellLine", "bionty_cellline")
};

/// A developmental stage.
pub static DEVELOPMENTAL_STAGE: Declaration = Declaration {
    doc: "A stage in the life of an organism, such as embryonic or adult.",
    mixins: ONTOLOGY,
    relations: &[artifacts("developmental_stages"), records("developmental_stages")],
    uniques: &[Rule::over(&["name", "ontology_id"])],
    docs: &[
        ("name", "Name of the stage, such as `embryonic stage`."),
        ("ontology_id", "Id in the ontology of the organism's stages, such as `HsapDv:0000002`."),
    ],
    ..Declaration::bionty("DevelopmentalStage", "bionty_developmentalstage")
};
