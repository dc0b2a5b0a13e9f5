"""Datasets that hold several AnnData objects."""

from __future__ import annotations

from contextlib import nullcontext

from holotype._optional import require
from holotype.examples.datasets._genes import gene_symbols
from holotype.examples.datasets._single_cell import barcodes, categories, sparse_counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mudata import MuData
    from spatialdata import SpatialData


def mudata_papalexi21_subset(with_uns: bool = False) -> MuData:
    """Returns 200 cells of a CRISPR screen measured in four modalities with 300 variables together.

    The modalities are `rna` (173 genes), `adt` (4 surface proteins), `hto` (12 hashtags) and `gdo` (111
    guides).

    Args:
        with_uns: Add study metadata to the whole and to two modalities.

    Example:
        >>> ln.examples.datasets.mudata_papalexi21_subset().mod["adt"].var_names.to_list()
        ['adt:CD86', 'adt:PDL1', 'adt:PDL2', 'adt:CD366']
    """
    np = require("numpy")
    pd = require("pandas")

    anndata, mudata = require("anndata"), require("mudata")
    rng = np.random.RandomState(21)
    cells = [f"l{1 + number % 8}_{barcode}" for number, barcode in enumerate(barcodes(rng, 200))]
    genes = gene_symbols(173)
    targets = gene_symbols(37)
    variables = {
        "rna": genes,
        "adt": [f"adt:{protein}" for protein in ("CD86", "PDL1", "PDL2", "CD366")],
        "hto": [
            f"hto:rep{1 + number // 3}-{'tx' if number % 2 else 'ctrl'}-{number}" for number in range(12)
        ],
        "gdo": [f"gdo:{target}g{guide}" for target in targets for guide in (1, 2, 3)],
    }
    modalities = {}
    for name, names in variables.items():
        counts = sparse_counts(rng, 200, len(names), min(20, 2 * len(names)))
        obs = pd.DataFrame({f"nCount_{name.upper()}": np.asarray(counts.sum(axis=1)).ravel()}, index=cells)
        var = pd.DataFrame({"name": names}, index=names)
        modalities[name] = anndata.AnnData(counts, obs=obs, var=var)
    perturbation = categories(rng, 200, ["NT", "Perturbed"])
    replicate = categories(rng, 200, ["rep1", "rep2", "rep3"])
    modalities["rna"].obs["percent.mito"] = rng.uniform(1, 10, 200)
    # Releases before 0.4 copy columns between modalities and the whole unless told not to.
    options = getattr(mudata, "set_options", None)
    with options(pull_on_update=False) if options else nullcontext():
        mdata = mudata.MuData(modalities)
        mdata.obs["perturbation"] = perturbation
        mdata.obs["replicate"] = replicate
        if with_uns:
            mdata.uns["study_metadata"] = {"temperature": 21.6, "experiment": "Experiment 1"}
            mdata["rna"].uns["site_metadata"] = {"pos": 99.9, "site_id": "SITE001"}
            mdata["rna"].uns["study_metadata"] = {"temperature": 21.6, "experiment": "Experiment 2"}
        mdata.update()
    return mdata


def spatialdata_blobs() -> SpatialData:
    """Returns an image, labels, shapes, points and a table of three genes over simulated blobs.

    Study metadata stands in `attrs`, one sample region per row in the table's `obs`.

    Example:
        >>> ln.examples.datasets.spatialdata_blobs().tables["table"].n_vars
        3
    """
    pd = require("pandas")

    datasets = require("spatialdata.datasets")
    sdata = datasets.blobs()
    table = sdata.tables["table"]
    table.var_names = pd.Index(["ENSG00000139618", "ENSG00000157764", "ENSG00000999999"])
    table.obs["sample_region"] = pd.Categorical(
        [f"sample region {1 + (number >= table.n_obs // 2)}" for number in range(table.n_obs)]
    )
    sdata.attrs["bio"] = {"disease": "Alzheimer disease", "developmental_stage": "adult stage"}
    sdata.attrs["tech"] = {"assay": "Visium Spatial Gene Expression"}
    sdata.attrs["random_int"] = 20
    return sdata
