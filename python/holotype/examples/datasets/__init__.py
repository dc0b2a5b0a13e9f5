"""Small example datasets, made on the spot without a network.

Functions named `file_…` and `dir_…` write into the current directory (or into `basedir`) and return the path;
the others return an object in memory. The same call always gives the same content, on every machine (only the
layout of `.h5ad` files depends on the library that writes them). Values are synthetic, except for Fisher's
iris measurements; columns, shapes and file names follow the published datasets that the functions are named
after.

Example:
    >>> import holotype as ln
    >>> path = ln.examples.datasets.file_fcs()
    >>> path.name
    'example.fcs'
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holotype.examples.datasets import mini_immuno
    from holotype.examples.datasets._cellranger import dir_scrnaseq_cellranger
    from holotype.examples.datasets._flow import file_fcs, file_fcs_alpert19
    from holotype.examples.datasets._images import dir_iris_images, file_jpg_paradisi05, file_tiff_suo22
    from holotype.examples.datasets._multimodal import (
        mudata_papalexi21_subset,
        spatialdata_blobs,
    )
    from holotype.examples.datasets._reads import file_bam, file_fastq
    from holotype.examples.datasets._single_cell import (
        anndata_file_pbmc68k_test,
        anndata_human_immune_cells,
        anndata_mouse_sc_lymph_node,
        anndata_pbmc3k_processed,
        anndata_pbmc68k_reduced,
        schmidt22_perturbseq,
    )
    from holotype.examples.datasets._small import anndata_with_obs, small_dataset3_cellxgene
    from holotype.examples.datasets._spatial import (
        anndata_suo22_Visium10X,
        anndata_visium_mouse_cellxgene,
        dict_cellxgene_uns,
    )
    from holotype.examples.datasets._tables import (
        df_iris,
        df_iris_in_meter,
        df_iris_in_meter_study1,
        df_iris_in_meter_study2,
        file_mini_csv,
        file_tsv_rnaseq_nfcore_salmon_merged_gene_counts,
        schmidt22_crispra_gws_IFNG,
    )
    from holotype.examples.datasets._titles import fake_bio_notebook_titles
    from holotype.examples.datasets.mini_immuno import get_dataset1 as small_dataset1
    from holotype.examples.datasets.mini_immuno import get_dataset2 as small_dataset2

__all__ = [
    "anndata_file_pbmc68k_test",
    "anndata_human_immune_cells",
    "anndata_mouse_sc_lymph_node",
    "anndata_pbmc3k_processed",
    "anndata_pbmc68k_reduced",
    "anndata_suo22_Visium10X",
    "anndata_visium_mouse_cellxgene",
    "anndata_with_obs",
    "df_iris",
    "df_iris_in_meter",
    "df_iris_in_meter_study1",
    "df_iris_in_meter_study2",
    "dict_cellxgene_uns",
    "dir_iris_images",
    "dir_scrnaseq_cellranger",
    "fake_bio_notebook_titles",
    "file_bam",
    "file_fastq",
    "file_fcs",
    "file_fcs_alpert19",
    "file_jpg_paradisi05",
    "file_mini_csv",
    "file_tiff_suo22",
    "file_tsv_rnaseq_nfcore_salmon_merged_gene_counts",
    "mini_immuno",
    "mudata_papalexi21_subset",
    "schmidt22_crispra_gws_IFNG",
    "schmidt22_perturbseq",
    "small_dataset1",
    "small_dataset2",
    "small_dataset3_cellxgene",
    "spatialdata_blobs",
]

# Module that defines each public name; loaded at first use, so that importing the package stays cheap.
_HOME = {
    "_cellranger": "dir_scrnaseq_cellranger",
    "_flow": "file_fcs file_fcs_alpert19",
    "_images": "dir_iris_images file_jpg_paradisi05 file_tiff_suo22",
    "_multimodal": "mudata_papalexi21_subset spatialdata_blobs",
    "_reads": "file_bam file_fastq",
    "_single_cell": (
        "anndata_file_pbmc68k_test anndata_human_immune_cells anndata_mouse_sc_lymph_node "
        "anndata_pbmc3k_processed anndata_pbmc68k_reduced schmidt22_perturbseq"
    ),
    "_small": "anndata_with_obs small_dataset3_cellxgene",
    "_spatial": "anndata_suo22_Visium10X anndata_visium_mouse_cellxgene dict_cellxgene_uns",
    "_tables": (
        "df_iris df_iris_in_meter df_iris_in_meter_study1 df_iris_in_meter_study2 file_mini_csv "
        "file_tsv_rnaseq_nfcore_salmon_merged_gene_counts schmidt22_crispra_gws_IFNG"
    ),
    "_titles": "fake_bio_notebook_titles",
}
_SOURCES = {name: (module, name) for module, names in _HOME.items() for name in names.split()}
_SOURCES["small_dataset1"] = ("mini_immuno", "get_dataset1")
_SOURCES["small_dataset2"] = ("mini_immuno", "get_dataset2")


def __getattr__(name: str) -> object:
    if name == "mini_immuno":
        return importlib.import_module(f"{__name__}.mini_immuno")
    try:
        module, attribute = _SOURCES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
