"""Synthetic stand-ins for published single-cell datasets, with their shapes and columns."""

from __future__ import annotations

from pathlib import Path

from holotype._optional import require
from holotype.examples.datasets._genes import ensembl_ids, gene_symbols

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    import pandas as pd
    from anndata import AnnData
    from scipy.sparse import csr_matrix

_PBMC_TYPES = [
    "CD4+/CD25 T Reg",
    "CD4+/CD45RO+ Memory",
    "CD8+ Cytotoxic T",
    "CD8+/CD45RA+ Naive Cytotoxic",
    "CD14+ Monocytes",
    "CD19+ B",
    "CD34+",
    "CD56+ NK",
    "Dendritic cells",
]
_PBMC3K_TYPES = [
    "CD4 T cells",
    "CD14+ Monocytes",
    "B cells",
    "CD8 T cells",
    "NK cells",
    "FCGR3A+ Monocytes",
    "Dendritic cells",
    "Megakaryocytes",
]


def sparse_counts(rng: np.random.RandomState, n_obs: int, n_vars: int, per_cell: int) -> csr_matrix:
    """Returns a sparse count matrix with about `per_cell` counted genes in every cell."""
    np = require("numpy")
    coo_matrix = require("scipy.sparse").coo_matrix

    rows = np.repeat(np.arange(n_obs), per_cell)
    # Squaring favours low numbers: some genes are counted in most cells, most genes in few.
    columns = (rng.random_sample(rows.size) ** 2 * n_vars).astype(int)
    values = rng.randint(1, 6, size=rows.size).astype("float32")
    counts = coo_matrix((values, (rows, columns)), shape=(n_obs, n_vars)).tocsr()
    counts.sum_duplicates()
    return counts


def barcodes(rng: np.random.RandomState, count: int) -> list[str]:
    """Returns distinct cell barcodes of 14 bases with a sample number."""
    # The last bases count upwards in base four, which keeps barcodes distinct.
    letters = rng.randint(0, 4, size=(count, 7))
    suffix = [[number >> shift & 3 for shift in range(12, -2, -2)] for number in range(count)]
    return [
        "".join("ACGT"[base] for base in [*head, *tail]) + "-1"
        for head, tail in zip(letters.tolist(), suffix, strict=True)
    ]


def categories(rng: np.random.RandomState, count: int, values: list[str]) -> pd.Categorical:
    """Returns a categorical of `count` draws in which every value occurs when `count` permits."""
    pd = require("pandas")

    drawn = rng.permutation([number % len(values) for number in range(count)])
    return pd.Categorical([values[number] for number in drawn], categories=sorted(values))


def _reduced(rng: np.random.RandomState, n_obs: int, n_components: int, names: str) -> dict[str, Any]:
    embeddings = {"X_pca": rng.standard_normal((n_obs, n_components)).astype("float32")}
    embeddings |= {name: rng.standard_normal((n_obs, 2)).astype("float32") for name in names.split()}
    return embeddings


def _neighbours(rng: np.random.RandomState, n_obs: int) -> dict[str, csr_matrix]:
    np = require("numpy")
    csr_matrix = require("scipy.sparse").csr_matrix

    rows = np.repeat(np.arange(n_obs), 5)
    columns = (rows + np.tile(np.arange(1, 6), n_obs)) % n_obs
    weights = rng.random_sample(rows.size)
    distances = csr_matrix((weights, (rows, columns)), shape=(n_obs, n_obs))
    return {"distances": distances, "connectivities": distances.maximum(distances.T).tocsr()}


def anndata_pbmc68k_reduced() -> AnnData:
    """Returns 70 peripheral blood cells and 765 genes with cell types, embeddings and a neighbour graph.

    Example:
        >>> ln.examples.datasets.anndata_pbmc68k_reduced().shape
        (70, 765)
    """
    np = require("numpy")
    pd = require("pandas")

    rng = np.random.RandomState(68)
    n_obs, n_vars = 70, 765
    obs = pd.DataFrame(
        {
            "cell_type": categories(rng, n_obs, _PBMC_TYPES),
            "n_genes": rng.randint(500, 2500, n_obs),
            "percent_mito": rng.uniform(0.003, 0.03, n_obs).astype("float32"),
            "louvain": categories(rng, n_obs, [str(number) for number in range(11)]),
        },
        index=barcodes(rng, n_obs),
    )
    var = pd.DataFrame(
        {
            "n_counts": rng.uniform(100, 4000, n_vars).astype("float32"),
            "highly_variable": rng.random_sample(n_vars) > 0.1,
        },
        index=gene_symbols(n_vars),
    )
    uns = {
        "louvain": {"params": {"random_state": np.array([0]), "resolution": np.array([1.0])}},
        "louvain_colors": np.array([f"#{37 * number % 256:02x}77b4" for number in range(11)]),
        "neighbors": {"params": {"method": "umap", "n_neighbors": 5}},
        "pca": {"variance": np.linspace(5, 1, 50), "variance_ratio": np.linspace(0.05, 0.01, 50)},
    }
    return require("anndata").AnnData(
        rng.standard_normal((n_obs, n_vars)).astype("float32"),
        obs=obs,
        var=var,
        uns=uns,
        obsm=_reduced(rng, n_obs, 50, "X_umap"),
        varm={"PCs": rng.standard_normal((n_vars, 50)).astype("float32")},
        obsp=_neighbours(rng, n_obs),
    )


def anndata_file_pbmc68k_test(basedir: str | Path = ".") -> Path:
    """Writes `pbmc68k_test.h5ad`: 30 cells and 200 genes that use every slot of AnnData.

    Beside the slots of `anndata_pbmc68k_reduced`, from which it is cut, it has `raw` (100 genes), and `test`
    in `obsp`, `varp` and `layers`.

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> adata = ln.loaders.load(ln.examples.datasets.anndata_file_pbmc68k_test())
        >>> adata.raw.n_vars
        100
    """
    sparse = require("scipy.sparse")
    csr_matrix, eye = sparse.csr_matrix, sparse.eye

    adata = anndata_pbmc68k_reduced()[:30, :200].copy()
    adata.raw = adata[:, :100]
    adata.obsp["test"] = csr_matrix(eye(adata.n_obs, format="csr"))
    adata.varp["test"] = csr_matrix(eye(adata.n_vars, format="csr"))
    layer = csr_matrix(adata.shape).tolil()
    layer[0] = 1.0
    adata.layers["test"] = csr_matrix(layer)
    return _write_h5ad(adata, "pbmc68k_test.h5ad", basedir)


def _write_h5ad(adata: AnnData, name: str, basedir: str | Path) -> Path:
    path = Path(basedir) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    adata.write_h5ad(path)
    return path


def anndata_pbmc3k_processed() -> AnnData:
    """Returns 2,638 peripheral blood cells and 1,838 genes, with 13,714 genes in `raw`.

    Example:
        >>> ln.examples.datasets.anndata_pbmc3k_processed().obs.louvain.cat.categories[0]
        'B cells'
    """
    np = require("numpy")
    pd = require("pandas")

    anndata = require("anndata")
    rng = np.random.RandomState(3)
    n_obs, n_vars, n_raw = 2638, 1838, 13714
    raw_counts = sparse_counts(rng, n_obs, n_raw, 200)
    obs = pd.DataFrame(
        {
            "n_genes": raw_counts.getnnz(axis=1),
            "percent_mito": rng.uniform(0.003, 0.05, n_obs).astype("float32"),
            "n_counts": np.asarray(raw_counts.sum(axis=1)).ravel(),
            "louvain": categories(rng, n_obs, _PBMC3K_TYPES),
        },
        index=barcodes(rng, n_obs),
    )
    raw_var = pd.DataFrame({"n_cells": raw_counts.getnnz(axis=0)}, index=gene_symbols(n_raw))
    raw = anndata.AnnData(raw_counts, obs=obs, var=raw_var)
    adata = anndata.AnnData(
        raw_counts[:, :n_vars].toarray() - np.float32(0.1),
        obs=obs,
        var=raw_var.iloc[:n_vars],
        obsm=_reduced(rng, n_obs, 50, "X_tsne X_umap X_draw_graph_fr"),
        varm={"PCs": rng.standard_normal((n_vars, 50)).astype("float32")},
        obsp=_neighbours(rng, n_obs),
        uns={"louvain": {"params": {"resolution": 1.0}}, "pca": {"variance": np.linspace(5, 1, 50)}},
    )
    adata.raw = raw
    return adata


def anndata_human_immune_cells() -> AnnData:
    """Returns 1,648 immune cells from 16 tissues and 36,503 genes, annotated per cell.

    Example:
        >>> ln.examples.datasets.anndata_human_immune_cells().obs.columns.to_list()
        ['donor', 'tissue', 'cell_type', 'assay']
    """
    np = require("numpy")
    pd = require("pandas")

    rng = np.random.RandomState(1648)
    n_obs, n_vars = 1648, 36503
    tissues = (
        "blood,bone marrow,caecum,duodenum,ileum,jejunal epithelium,lamina propria,liver,lung,mesenteric "
        "lymph node,omentum,sigmoid colon,skeletal muscle tissue,spleen,thoracic lymph node,transverse colon"
    ).split(",")
    cell_types = (
        "CD16-negative, CD56-bright natural killer cell, human|CD4-positive helper T cell|"
        "T follicular helper cell|alpha-beta T cell|alveolar macrophage|classical monocyte|"
        "conventional dendritic cell|effector memory CD4-positive, alpha-beta T cell|gamma-delta T cell|"
        "germinal center B cell|lymphocyte|macrophage|mast cell|megakaryocyte|memory B cell|"
        "mucosal invariant T cell|naive B cell|plasma cell|plasmacytoid dendritic cell|regulatory T cell"
    ).split("|")
    obs = pd.DataFrame(
        {
            "donor": categories(rng, n_obs, [f"D{number}" for number in range(496, 508)]),
            "tissue": categories(rng, n_obs, tissues),
            "cell_type": categories(rng, n_obs, cell_types),
            "assay": categories(rng, n_obs, ["10x 3' v3", "10x 5' v1", "10x 5' v2"]),
        },
        index=barcodes(rng, n_obs),
    )
    genes = ensembl_ids(n_vars)
    var = pd.DataFrame(
        {
            "feature_is_filtered": np.zeros(n_vars, dtype=bool),
            "feature_reference": pd.Categorical(["NCBITaxon:9606"] * n_vars),
            "feature_biotype": pd.Categorical(["gene"] * n_vars),
        },
        index=genes,
    )
    uns = {"default_embedding": "X_umap", "schema_version": "2.0.0", "title": "Global"}
    umap = rng.standard_normal((n_obs, 2)).astype("float32")
    counts = sparse_counts(rng, n_obs, n_vars, 250)
    return require("anndata").AnnData(counts, obs=obs, var=var, uns=uns, obsm={"X_umap": umap})


def anndata_mouse_sc_lymph_node() -> AnnData:
    """Returns 1,135 cells of mouse lymph nodes and 10,000 genes, with the columns of E-MTAB-8414.

    Example:
        >>> ln.examples.datasets.anndata_mouse_sc_lymph_node().shape
        (1135, 10000)
    """
    np = require("numpy")
    pd = require("pandas")

    rng = np.random.RandomState(8414)
    n_obs, n_vars = 1135, 10000
    constant = {
        "organism": ("Mus musculus", "http://purl.obolibrary.org/obo/NCBITaxon_10090"),
        "strain": ("C57BL/6", "http://www.ebi.ac.uk/efo/EFO_0020093"),
        "age": ("10 week", ""),
        "developmental stage": ("adult", "http://www.ebi.ac.uk/efo/EFO_0001272"),
        "sex": ("female", "http://purl.obolibrary.org/obo/PATO_0000383"),
        "genotype": ("wild type genotype", "http://www.ebi.ac.uk/efo/EFO_0005168"),
        "organism part": ("mesenteric lymph node", "http://purl.obolibrary.org/obo/UBERON_0002509"),
        "cell type": ("lymphocyte", "http://purl.obolibrary.org/obo/CL_0000542"),
        "immunophenotype": ("CD45 positive", ""),
    }
    columns: dict[str, Any] = {}
    for name, (label, term) in constant.items():
        columns[f"Sample Characteristic[{name}]"] = pd.Categorical([label] * n_obs)
        columns[f"Sample Characteristic Ontology Term[{name}]"] = pd.Categorical([term] * n_obs)
    columns["Factor Value[single cell identifier]"] = [f"cell{number:04d}" for number in range(n_obs)]
    obs = pd.DataFrame(columns, index=barcodes(rng, n_obs))
    var = pd.DataFrame(index=ensembl_ids(n_vars, "ENSMUSG"))
    return require("anndata").AnnData(sparse_counts(rng, n_obs, n_vars, 150), obs=obs, var=var)


def schmidt22_perturbseq(basedir: str | Path = ".") -> Path:
    """Writes `schmidt22_perturbseq.h5ad`: 500 T cells and 800 genes with the column `cluster_name`.

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> path = ln.examples.datasets.schmidt22_perturbseq()
        >>> ln.Artifact.from_anndata(path, key="schmidt22_perturbseq.h5ad").save()
    """
    np = require("numpy")
    pd = require("pandas")

    rng = np.random.RandomState(22)
    clusters = "IFNG High,IL2 High,Th2,CCL3/4 High,GNLY High,Negative Regulators,Cycling (S),Cycling (G2/M)"
    obs = pd.DataFrame(
        {"cluster_name": categories(rng, 500, clusters.split(","))},
        index=[str(number) for number in range(500)],
    )
    var = pd.DataFrame(index=gene_symbols(800))
    adata = require("anndata").AnnData(sparse_counts(rng, 500, 800, 60), obs=obs, var=var)
    return _write_h5ad(adata, "schmidt22_perturbseq.h5ad", basedir)
