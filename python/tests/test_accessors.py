"""Accessors read what is asked for, and the same as the library does."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import zarr

from holotype import accessors, loaders
from samples import ZARR_VERSIONS, small_anndata, spatial_store, zarr_anndata, zarr_array

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")


@pytest.fixture(autouse=True)
def _in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


INDEXES: list[tuple[Any, Any]] = [
    (slice(2, 9), slice(None)),
    (slice(None, None, -3), [3, 1, 2]),
    ([5, 1, 30], ["CD4", "CD3D"]),
    ([1, 1, 0], [0, 0]),
    ([39], slice(50, None)),
    ([], slice(None)),
    (slice(None), []),
    (slice(None), [59, 0]),
    (np.arange(40) % 9 == 0, np.arange(60) % 2 == 1),
]


def positions(index: Any, names: pd.Index) -> np.ndarray:
    if isinstance(index, list) and index and isinstance(index[0], str):
        return np.array([names.to_list().index(name) for name in index])
    return np.arange(len(names))[slice(0) if isinstance(index, list) and not index else index]


@pytest.mark.filterwarnings("ignore:.*names are not unique")
@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_anndata_accessor_selects_like_anndata(suffix: str) -> None:
    adata = small_anndata()
    with loaders.open_(loaders.to_disk(adata, f"a{suffix}")) as access:
        assert access.shape == (40, 60)
        for rows, columns in INDEXES:
            obs, var = positions(rows, adata.obs_names), positions(columns, adata.var_names)
            part = access[rows, columns].to_memory()
            assert part.obs_names.equals(adata.obs_names[obs])
            assert part.var_names.equals(adata.var_names[var])
            assert part.obs.equals(adata.obs.iloc[obs])
            assert np.array_equal(part.X, adata.X[obs][:, var])
            for name in ("csr", "csc"):
                assert np.array_equal(part.layers[name].toarray(), adata.layers[name].toarray()[obs][:, var])
            assert np.array_equal(part.obsm["X_pca"], adata.obsm["X_pca"][obs])
            assert part.obsm["df"].equals(adata.obsm["df"].iloc[obs])
            assert np.array_equal(part.varm["PCs"], adata.varm["PCs"][var])
            distances = adata.obsp["distances"].toarray()
            assert np.array_equal(part.obsp["distances"].toarray(), distances[obs][:, obs])
            assert np.array_equal(part.raw.X, adata.raw.X[obs])
            assert part.uns["pca"].keys() == adata.uns["pca"].keys()


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr", ".h5ad.gz"])
def test_anndata_accessor_reads_lazily(suffix: str) -> None:
    adata = small_anndata()
    path = loaders.to_disk(adata, "a.zarr" if suffix == ".zarr" else "a.h5ad")
    if suffix == ".h5ad.gz":
        Path("a.h5ad.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = Path("a.h5ad.gz")
    access = loaders.open_(path)
    assert isinstance(access, accessors.AnnDataAccessor)
    assert not isinstance(access.X, np.ndarray)
    assert access.obs.equals(adata.obs)
    assert access.var_names.equals(adata.var_names)
    assert access.layers.keys() == ["csc", "csr"]
    assert "csr" in access.layers
    assert len(access.layers) == 2
    assert access.layers["csr"].shape == (40, 60)
    assert access.uns["neighbors"]["params"]["n_neighbors"] == 5
    assert access.raw.shape == (40, 60)
    assert access.raw.var_names.equals(adata.raw.var_names)
    whole = access.to_memory()
    assert np.array_equal(whole.X, adata.X)
    assert np.array_equal(whole.raw.X, adata.raw.X)
    subset = access[5:20][["", "x"][:0]]
    assert subset.shape == (0, 60)
    nested = access[5:20][[1, 2], 3:9]
    assert isinstance(nested, accessors.AnnDataAccessorSubset)
    assert np.array_equal(nested.X, adata.X[[6, 7], 3:9])
    assert nested.raw.X.shape == (2, 60)
    assert access[adata.obs_names[3]].obs_names.to_list() == [adata.obs_names[3]]
    assert access[-1].obs_names[0] == adata.obs_names[-1]
    text = repr(access)
    assert text.startswith("AnnDataAccessor object with n_obs × n_vars = 40 × 60\n  constructed for")
    assert "    layers: ['csc', 'csr']" in text
    assert repr(nested).startswith("AnnDataAccessorSubset object with n_obs × n_vars = 2 × 6")
    assert repr(access.raw) == "AnnDataRawAccessor object with n_obs × n_vars = 40 × 60"
    assert repr(access.obsm) == (
        "Accessor for the AnnData attribute obsm\n  with keys: ['X_pca', 'X_umap', 'df']"
    )
    assert not access.closed
    access.close()
    assert access.closed
    if suffix != ".zarr":
        with pytest.raises(ValueError, match="file is closed"):
            access.X  # noqa: B018


def test_anndata_accessor_refuses_bad_indexes() -> None:
    with loaders.open_(loaders.to_disk(small_anndata(), "a.h5ad")) as access:
        with pytest.raises(IndexError, match="index 40 is out of bounds for axis with size 40"):
            access[40]
        with pytest.raises(IndexError, match="needs 40 values but has 3"):
            access[[True, False, True]]
        with pytest.raises(IndexError, match="one dimension"):
            access[[[1]]]
        with pytest.raises(KeyError, match="no_such_cell"):
            access[["no_such_cell"]]
        with pytest.raises(KeyError, match="'nope' is not in layers"):
            access.layers["nope"]
        with pytest.raises(ValueError, match="zarr store with mode='r\\+'"):
            access.add_column("obs", "x", np.arange(40))


def test_anndata_without_optional_parts() -> None:
    bare = anndata.AnnData(obs=pd.DataFrame(index=["a", "b"]), var=pd.DataFrame(index=["v"]))
    with loaders.open_(loaders.to_disk(bare, "bare.h5ad")) as access:
        assert access.X is None
        assert access.raw is None
        assert access[:1].to_memory().shape == (1, 1)


@pytest.mark.parametrize("version", ZARR_VERSIONS)
def test_add_column(version: int) -> None:
    zarr_anndata("a.zarr", version)
    zarr.consolidate_metadata("a.zarr")
    with loaders.open_("a.zarr", mode="r+") as access:
        access.add_column("obs", "number", np.arange(40))
        access.add_column("var", "group", pd.Categorical(["x", "y"] * 30))
        assert access.obs["number"].to_list() == list(range(40))
        with pytest.raises(ValueError, match="'number' exists already"):
            access.add_column("obs", "number", np.arange(40))
        with pytest.raises(ValueError, match="has 3 values but obs has 40 rows"):
            access.add_column("obs", "short", np.arange(3))
        with pytest.raises(ValueError, match="choose 'obs' or 'var'"):
            access.add_column("uns", "x", np.arange(3))
    loaded = loaders.load("a.zarr")
    assert loaded.obs["number"].iloc[-1] == 39
    assert loaded.var["group"].cat.categories.to_list() == ["x", "y"]
    with loaders.open_("a.zarr") as access, pytest.raises(ValueError, match="mode='r\\+'"):
        access.add_column("obs", "more", np.arange(40))


def test_open_spatialdata() -> None:
    spatial_store("s.zarr")
    with loaders.open_("s.zarr") as access:
        assert isinstance(access, accessors.SpatialDataAccessor)
        assert access.keys() == list(access.tables) == ["table"]
        assert access["table"][:3].to_memory().shape == (3, 60)
        assert "with tables: ['table']" in repr(access)
        with pytest.raises(KeyError, match="'points' is no table of s.zarr"):
            access["points"]
    with loaders.open_("s.zarr", mode="r+") as access:
        access["table"].add_column("obs", "number", np.arange(40))
    with loaders.open_("s.zarr") as access:
        assert access["table"].obs["number"].sum() == 780


def test_open_other_stores() -> None:
    with h5py.File("a.h5", "w") as file:
        file["d"] = [1, 2]
    Path("a.h5.gz").write_bytes(gzip.compress(Path("a.h5").read_bytes()))
    for name in ("a.h5", "a.h5.gz"):
        with loaders.open_(name) as access:
            assert isinstance(access, accessors.BackedAccessor)
            assert access.connection is None
            assert list(access.storage["d"]) == [1, 2]
            assert repr(access).startswith("BackedAccessor(connection=None, storage=<HDF5 file")
        assert not access.storage
    zarr_array("a.zarr")
    with loaders.open_("a.zarr") as access:
        assert access.storage["d"][:].tolist() == [0, 1, 2]
    Path("bad.h5ad").write_bytes(b"no HDF5")
    with pytest.raises(OSError):
        loaders.open_("bad.h5ad")
