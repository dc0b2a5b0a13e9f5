"""Datasets and files that several tests of this folder use."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import anndata
import pandas as pd
import scipy.sparse
import zarr
from holotype.examples import datasets

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


def tar_gz(name: str, members: dict[str, bytes]) -> Path:
    with tarfile.open(name, "w:gz") as archive:
        for member, content in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return Path(name)


def small_anndata() -> anndata.AnnData:
    adata = datasets.anndata_pbmc68k_reduced()[:40, :60].copy()
    adata.layers["csr"] = scipy.sparse.random(40, 60, 0.3, "csr", random_state=0)
    adata.layers["csc"] = scipy.sparse.random(40, 60, 0.3, "csc", random_state=1)
    adata.obsm["df"] = adata.obs[["n_genes"]].copy()
    adata.raw = adata.copy()
    return adata


def spatial_store(path: str) -> None:
    """Writes the layout of a SpatialData store: a marked group with AnnData tables."""
    root = zarr.open_group(path, mode="w", zarr_format=3)
    root.attrs["spatialdata_attrs"] = {"version": "0.2"}
    with anndata.settings.override(zarr_write_format=3):
        anndata.io.write_elem(root.create_group("tables"), "table", small_anndata())
    zarr.consolidate_metadata(root.store)
