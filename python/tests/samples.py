"""Datasets and files that several tests of this folder use."""

from __future__ import annotations

import io
import tarfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import anndata
import mudata
import numpy as np
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


ZARR_VERSIONS = [2, 3] if int(zarr.__version__.split(".", 1)[0]) >= 3 else [2]


def zarr_group(path: str, version: int = 2) -> zarr.Group:
    """Returns a new zarr group of a format version."""
    options = {"zarr_format": version} if 3 in ZARR_VERSIONS else {}
    return zarr.open_group(path, mode="w", **options)


def zarr_array(path: str, version: int = 2) -> None:
    """Writes a zarr group with one array of no known kind."""
    group = zarr_group(path, version)
    create = group.create_array if hasattr(group, "create_array") else group.create_dataset
    create("d", data=np.arange(3))


def zarr_anndata(path: str, version: int = 2) -> None:
    """Writes the sample AnnData object as zarr of a format version."""
    writing = anndata.settings.override(zarr_write_format=version) if 3 in ZARR_VERSIONS else nullcontext()
    with writing:
        small_anndata().write_zarr(path)


def spatial_store(path: str) -> None:
    """Writes the layout of a SpatialData store: a marked group with AnnData tables."""
    root = zarr_group(path, ZARR_VERSIONS[-1])
    root.attrs["spatialdata_attrs"] = {"version": "0.2"}
    anndata.io.write_elem(root.create_group("tables"), "table", small_anndata())
    zarr.consolidate_metadata(root.store)


def old_mudata_options() -> AbstractContextManager[object]:
    """Silences what mudata before 0.4 announces about its next release."""
    options = getattr(mudata, "set_options", None)
    return options(pull_on_update=False) if options else nullcontext()
