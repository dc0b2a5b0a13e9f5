"""Spatial transcriptomics in AnnData."""

from __future__ import annotations

from holotype._optional import require
from holotype.examples.datasets._genes import ensembl_ids, gene_symbols
from holotype.examples.datasets._images import tissue_pixels
from holotype.examples.datasets._single_cell import barcodes, categories, sparse_counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    import pandas as pd
    from anndata import AnnData


def dict_cellxgene_uns() -> dict[str, Any]:
    """Returns the unstructured metadata of a CELLxGENE dataset with two tissue sections.

    Example:
        >>> ln.examples.datasets.dict_cellxgene_uns()["spatial"]["is_single"]
        True
    """

    def section(suffix: str, diameter: float, scale: float) -> dict[str, Any]:
        return {
            "images": {
                "fullres": f"path/to/fullres{suffix}.jpg",
                "hires": f"path/to/hires{suffix}.jpg",
            },
            "scalefactors": {"spot_diameter_fullres": diameter, "tissue_hires_scalef": scale},
        }

    return {
        "organism_ontology_term_id": "NCBITaxon:9606",
        "spatial": {
            "is_single": True,
            "library_1": section("", 89.43, 0.177),
            "library_2": section("_2", 120.34, 0.355),
        },
    }


def _grid(columns: int, rows: int) -> pd.DataFrame:
    """Returns the array positions of Visium spots: every other row is shifted by one."""
    pd = require("pandas")

    spots = [(1, row, 2 * column + row % 2) for row in range(rows) for column in range(columns)]
    return pd.DataFrame(spots, columns=["in_tissue", "array_row", "array_col"])


def _image(width: int, height: int, seed: str) -> np.ndarray[Any, Any]:
    np = require("numpy")

    return np.frombuffer(tissue_pixels(width, height, seed), dtype="uint8").reshape(height, width, 3).copy()


def anndata_suo22_Visium10X() -> AnnData:
    """Returns 150 Visium spots on a fetal liver section and 500 genes.

    The spots' coordinates are pixels of the picture that `file_tiff_suo22` writes.

    Example:
        >>> ln.examples.datasets.anndata_suo22_Visium10X().obsm["spatial"].shape
        (150, 2)
    """
    np = require("numpy")
    pd = require("pandas")

    rng = np.random.RandomState(2022)
    grid = _grid(15, 10)
    grid["sample"] = pd.Categorical(["F121_LP1_4LIV"] * len(grid))
    grid.index = pd.Index([f"F121_LP1_4LIV-{barcode}" for barcode in barcodes(rng, len(grid))])
    places = np.column_stack([grid.array_col * 6 + 10, grid.array_row * 14 + 10]).astype("float64")
    library = {
        "images": {"hires": _image(200, 150, "suo22")},
        "scalefactors": {"spot_diameter_fullres": 8.0, "tissue_hires_scalef": 1.0},
    }
    return require("anndata").AnnData(
        sparse_counts(rng, len(grid), 500, 60),
        obs=grid,
        var=pd.DataFrame({"gene_ids": ensembl_ids(500)}, index=gene_symbols(500)),
        uns={"spatial": {"F121_LP1_4LIV": library}},
        obsm={"spatial": places},
    )


def anndata_visium_mouse_cellxgene() -> AnnData:
    """Returns 200 Visium spots of a mouse thymus and 300 genes, annotated after CELLxGENE's schema 7.

    Example:
        >>> ln.examples.datasets.anndata_visium_mouse_cellxgene().uns["organism_ontology_term_id"]
        'NCBITaxon:10090'
    """
    np = require("numpy")
    pd = require("pandas")

    rng = np.random.RandomState(56)
    obs = _grid(20, 10)
    n_obs = len(obs)
    constant = {
        "assay_ontology_term_id": "EFO:0022857",
        "assay": "Visium Spatial Gene Expression V1",
        "cell_type_ontology_term_id": "unknown",
        "cell_type": "unknown",
        "development_stage_ontology_term_id": "MmusDv:0000110",
        "development_stage": "mature stage",
        "disease_ontology_term_id": "PATO:0000461",
        "disease": "normal",
        "donor_id": "WT_1",
        "self_reported_ethnicity_ontology_term_id": "na",
        "self_reported_ethnicity": "na",
        "sex_ontology_term_id": "PATO:0000383",
        "sex": "female",
        "suspension_type": "na",
        "tissue_ontology_term_id": "UBERON:0002370",
        "tissue": "thymus",
        "tissue_type": "tissue",
    }
    for name, value in constant.items():
        obs[name] = pd.Categorical([value] * n_obs)
    obs["is_primary_data"] = True
    obs["region"] = categories(rng, n_obs, ["cortex", "medulla"])
    obs.index = pd.Index(barcodes(rng, n_obs))
    genes = ensembl_ids(300, "ENSMUSG")
    var = pd.DataFrame(
        {
            "feature_is_filtered": np.zeros(300, dtype=bool),
            "feature_name": gene_symbols(300),
            "feature_reference": pd.Categorical(["NCBITaxon:10090"] * 300),
            "feature_biotype": pd.Categorical(["gene"] * 300),
            "feature_type": pd.Categorical(["protein_coding"] * 300),
        },
        index=genes,
    )
    library = {
        "images": {"hires": _image(200, 150, "thymus")},
        "scalefactors": {"spot_diameter_fullres": 8.0, "tissue_hires_scalef": 1.0},
    }
    counts = sparse_counts(rng, n_obs, 300, 50)
    places = np.column_stack([obs.array_col * 5, obs.array_row * 14]).astype("float64")
    adata = require("anndata").AnnData(
        counts,
        obs=obs,
        var=var,
        uns={
            "organism_ontology_term_id": "NCBITaxon:10090",
            "organism": "Mus musculus",
            "schema_version": "7.0.0",
            "spatial": {"is_single": True, "thymus_1": library},
            "title": "Thymus of wild type mice",
        },
        obsm={"spatial": places},
    )
    adata.raw = adata.copy()
    return adata
