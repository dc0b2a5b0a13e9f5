"""Two "mini immuno" datasets: three samples each, with gene expression and sample metadata.

Example:
    >>> df = ln.examples.datasets.mini_immuno.get_dataset1()
    >>> df.shape
    (3, 12)
"""

from __future__ import annotations

from datetime import date

from holotype._optional import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    import pandas as pd
    from anndata import AnnData

__all__ = ["get_dataset1", "get_dataset2"]

_ENSEMBL = {
    "CD8A": "ENSG00000153563",
    "CD4": "ENSG00000010610",
    "CD14": "ENSG00000170458",
    "CD38": "ENSG00000004468",
}
# An identifier that Ensembl no longer lists.
_OUTDATED_GENE = "ENSG00000278198"


def get_dataset1(
    otype: Literal["DataFrame", "AnnData"] = "DataFrame",
    gene_symbols_in_index: bool = False,
    with_typo: bool = False,
    with_cell_type_synonym: bool = False,
    with_cell_type_typo: bool = False,
    with_gene_typo: bool = False,
    with_outdated_gene: bool = False,
    with_wrong_subtype: bool = False,
    with_index_type_mismatch: bool = False,
    with_date_as_iso_string: bool = True,
) -> pd.DataFrame | AnnData:
    """Returns the first dataset: expression of three genes and metadata of three samples.

    Metadata of the dataset as a whole stands in `attrs` of the data frame or `uns` of the AnnData object. The
    AnnData object lacks the column `donor_ethnicity`, whose lists its file formats can't hold.

    Args:
        otype: Type of the result.
        gene_symbols_in_index: Name genes by symbol instead of Ensembl identifier.
        with_typo: Misspell one perturbation (`IFNJ`).
        with_cell_type_synonym: Name B cells by a synonym.
        with_cell_type_typo: Misspell the other cell type.
        with_gene_typo: Misspell the third gene (`GeneTypo`).
        with_outdated_gene: Name the third gene by a withdrawn identifier; goes before `with_gene_typo`.
        with_wrong_subtype: Give one sample a label that is no perturbation.
        with_index_type_mismatch: Make the last index entry a number.
        with_date_as_iso_string: Give the date of study as text rather than as a date.

    Example:
        >>> df = ln.examples.datasets.small_dataset1()
        >>> ln.Artifact.from_dataframe(df, key="examples/dataset1.parquet").save()
    """
    pd = require("pandas")

    genes = (
        ["CD8A", "CD4", "CD14"] if gene_symbols_in_index else [_ENSEMBL[g] for g in ("CD8A", "CD4", "CD14")]
    )
    if with_outdated_gene:
        genes[2] = _OUTDATED_GENE
    elif with_gene_typo:
        genes[2] = "GeneTypo"
    b_cell = "B-cell" if with_cell_type_synonym else "B cell"
    t_cell = "CD8-pos alpha-beta T cell" if with_cell_type_typo else "CD8-positive, alpha-beta T cell"
    columns: dict[str, Any] = {genes[0]: [1, 2, 3], genes[1]: [3, 4, 5], genes[2]: [5, 6, 7]}
    columns["perturbation"] = pd.Categorical(
        [
            "DMSO",
            "IFNJ" if with_typo else "IFNG",
            "ulabel_but_not_perturbation" if with_wrong_subtype else "DMSO",
        ]
    )
    columns["sample_note"] = ["was ok", "looks naah", "pretty! 🤩"]
    columns["cell_type_by_expert"] = pd.Categorical([b_cell, t_cell, t_cell])
    columns["cell_type_by_model"] = pd.Categorical(["B cell", "T cell", "T cell"])
    columns["assay_oid"] = pd.Categorical(["EFO:0008913"] * 3)
    columns["concentration"] = ["0.1%", "200 nM", "0.1%"]
    columns["treatment_time_h"] = [24, 24, 6]
    columns["donor"] = ["D0001", "D0002", None]
    columns["donor_ethnicity"] = [["Chinese", "Singaporean Chinese"], ["Chinese", "Han Chinese"], ["Chinese"]]
    index = ["sample1", "sample2", 0 if with_index_type_mismatch else "sample3"]
    metadata = {
        "temperature": 21.6,
        "experiment": "Experiment 1",
        "date_of_study": _date("2024-12-01", with_date_as_iso_string),
        "study_note": "We had a great time performing this study and the results look compelling.",
    }
    return _as_otype(otype, columns, index, metadata)


def get_dataset2(
    otype: Literal["DataFrame", "AnnData"] = "DataFrame",
    gene_symbols_in_index: bool = False,
    with_date_as_iso_string: bool = True,
) -> pd.DataFrame | AnnData:
    """Returns the second dataset: three more samples, one gene differs and some metadata is missing.

    Args:
        otype: Type of the result.
        gene_symbols_in_index: Name genes by symbol instead of Ensembl identifier.
        with_date_as_iso_string: Give the date of study as text rather than as a date.

    Example:
        >>> adata = ln.examples.datasets.small_dataset2(otype="AnnData")
        >>> adata.shape
        (3, 3)
    """
    pd = require("pandas")

    symbols = ("CD8A", "CD4", "CD38")
    genes = [symbol if gene_symbols_in_index else _ENSEMBL[symbol] for symbol in symbols]
    columns: dict[str, Any] = {genes[0]: [2, 3, 3], genes[1]: [3, 4, 5], genes[2]: [4, 2, 3]}
    columns["perturbation"] = pd.Categorical(["DMSO", "IFNG", "IFNG"])
    columns["cell_type_by_model"] = pd.Categorical(["B cell", "T cell", "T cell"])
    columns["concentration"] = ["0.1%", "200 nM", "0.1%"]
    columns["treatment_time_h"] = [24, 24, 6]
    columns["donor"] = ["D0003", "D0003", "D0004"]
    metadata = {
        "temperature": 22.6,
        "experiment": "Experiment 2",
        "date_of_study": _date("2025-02-13", with_date_as_iso_string),
    }
    return _as_otype(otype, columns, ["sample4", "sample5", "sample6"], metadata)


def _date(text: str, as_text: bool) -> str | date:
    return text if as_text else date.fromisoformat(text)


def _as_otype(
    otype: str, columns: dict[str, Any], index: list[Any], metadata: dict[str, Any]
) -> pd.DataFrame | AnnData:
    """Returns a table whose first three columns are genes as a data frame or an AnnData object."""
    pd = require("pandas")

    if otype not in ("DataFrame", "AnnData"):
        raise ValueError(f"Unknown otype {otype!r}; choose 'DataFrame' or 'AnnData'.")
    df = pd.DataFrame(columns, index=index)
    if otype == "DataFrame":
        df.attrs.update(metadata)
        return df
    anndata = require("anndata")
    df.index = df.index.astype(str)
    obs = df.iloc[:, 3:].drop(columns="donor_ethnicity", errors="ignore")
    return anndata.AnnData(
        df.iloc[:, :3].to_numpy(), obs=obs, var=pd.DataFrame(index=df.columns[:3]), uns=metadata
    )
