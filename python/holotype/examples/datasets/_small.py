"""Tiny AnnData objects for curation examples."""

from __future__ import annotations

from holotype._optional import require
from holotype.examples.datasets._genes import ensembl_ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    import pandas as pd
    from anndata import AnnData


def small_dataset3_cellxgene(
    otype: Literal["DataFrame", "AnnData"] = "AnnData",
    *,
    with_obs_defaults: bool = False,
    with_var_typo: bool = False,
    with_obs_typo: bool = False,
    with_uns_organism: bool = False,
    with_uns_spatial: bool = False,
) -> pd.DataFrame | AnnData:
    """Returns three cells and three genes annotated in the manner of CELLxGENE.

    Args:
        otype: Type of the result; the data frame has genes and annotations side by side, without the
            organism.
        with_obs_defaults: Add the columns that the schema demands but permits to fill with defaults.
        with_var_typo: Give the first gene an invalid identifier.
        with_obs_typo: Give two cells an invalid tissue.
        with_uns_organism: State the organism for the whole dataset rather than per cell.
        with_uns_spatial: Add a tissue image and scale factors.

    Example:
        >>> ln.examples.datasets.small_dataset3_cellxgene().n_obs
        3
    """
    pd = require("pandas")

    if otype not in ("DataFrame", "AnnData"):
        raise ValueError(f"Unknown otype {otype!r}; choose 'DataFrame' or 'AnnData'.")
    cells = ["barcode1", "barcode2", "barcode3"]
    genes = [
        "invalid_ensembl_id" if with_var_typo else "ENSG00000000457",
        "ENSG00000000419",
        "ENSG00000139618",
    ]
    lung = "UBERON:0002048XXX" if with_obs_typo else "UBERON:0002048"
    annotation: dict[str, Any] = {
        "disease_ontology_term_id": ["MONDO:0004975", "MONDO:0004980", "MONDO:0004980"],
        "development_stage_ontology_term_id": ["unknown"] * 3,
        "sex_ontology_term_id": ["PATO:0000383", "PATO:0000384", "unknown"],
        "tissue_ontology_term_id": [lung, lung, "UBERON:0000948"],
        "cell_type": ["T cell", "B cell", "B cell"],
        "self_reported_ethnicity": ["South Asian"] * 3,
        "donor_id": pd.Categorical(["-1", "1", "2"]),
        "is_primary_data": [False] * 3,
        "suspension_type": ["cell"] * 3,
        "tissue_type": ["tissue"] * 3,
    }
    if with_obs_defaults:
        annotation["cell_type_ontology_term_id"] = ["CL:0000084", "CL:0000236", "CL:0000236"]
        annotation["self_reported_ethnicity_ontology_term_id"] = ["na"] * 3
        annotation["assay_ontology_term_id"] = ["EFO:1001982"] * 3
        annotation["assay"] = ["single-cell RNA sequencing"] * 3
    counts = pd.DataFrame([[2, 3, 4], [3, 4, 2], [3, 5, 3]], index=cells, columns=genes, dtype="float32")
    obs = pd.DataFrame(annotation, index=cells)
    if otype == "DataFrame":
        return pd.concat([counts, obs], axis=1)
    return _cellxgene_anndata(counts, obs, with_uns_organism, with_uns_spatial)


def _cellxgene_anndata(
    counts: pd.DataFrame, obs: pd.DataFrame, with_uns_organism: bool, with_uns_spatial: bool
) -> AnnData:
    np = require("numpy")
    pd = require("pandas")

    uns: dict[str, Any] = {"title": "CELLxGENE example"}
    if with_uns_organism:
        uns |= {"organism_ontology_term_id": "NCBITaxon:9606", "organism": "Homo sapiens"}
    else:
        obs["organism_ontology_term_id"] = "NCBITaxon:9606"
    if with_uns_spatial:
        hires = np.random.RandomState(0).randint(0, 256, size=(2000, 2000, 3)).astype("uint8")
        library = {
            "scalefactors": {"spot_diameter_fullres": 165.0, "tissue_hires_scalef": 0.5},
            "images": {"hires": hires},
        }
        uns["spatial"] = {"is_single": True, "library_123": library}
    components = np.array([[-1.2, 0.8], [0.5, -0.3], [0.7, -0.5]], dtype="float32")
    var = pd.DataFrame({"feature_is_filtered": False}, index=counts.columns)
    return require("anndata").AnnData(
        counts.to_numpy(), obs=obs, var=var, uns=uns, obsm={"X_pca": components}
    )


def anndata_with_obs() -> AnnData:
    """Returns 40 cells and 100 genes with cell type, cell type identifier, tissue and disease of each cell.

    Example:
        >>> ln.examples.datasets.anndata_with_obs().obs.columns.to_list()
        ['cell_type', 'cell_type_id', 'tissue', 'disease']
    """
    np = require("numpy")
    pd = require("pandas")

    cell_types = {
        "T cell": "CL:0000084",
        "hematopoietic stem cell": "CL:0000037",
        "hepatocyte": "CL:0000182",
        "my new cell type": "",
    }
    columns = {
        "cell_type": list(cell_types),
        "cell_type_id": list(cell_types.values()),
        "tissue": ["kidney", "liver", "heart", "brain"],
        "disease": [
            "chronic kidney disease",
            "liver lymphoma",
            "cardiac ventricle disorder",
            "Alzheimer disease",
        ],
    }
    cells = [f"obs{number}" for number in range(40)]
    obs = pd.DataFrame(
        {name: [values[i % 4] for i in range(40)] for name, values in columns.items()}, index=cells
    )
    counts = np.random.RandomState(0).poisson(1.0, size=(40, 100)).astype("float32")
    return require("anndata").AnnData(counts, obs=obs, var=pd.DataFrame(index=ensembl_ids(100)))
