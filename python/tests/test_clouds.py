"""Artifacts in Google Cloud Storage and Azure Blob Storage, read by the libraries of those stores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import google_storage
import holotype as ln
import servers
from cached import copies, forget_copies
from google_storage import Google
from holotype import _clouds, _places
from samples import small_anndata
from writing import check_writing

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")


@pytest.fixture(scope="module")
def google() -> Iterator[Google]:
    """Google's store, for as long as these tests run."""
    with google_storage.google() as server:
        yield server


@pytest.fixture(scope="module")
def azure() -> Iterator[str]:
    """What connects to Azure's store, for as long as these tests run."""
    with servers.azurite() as connection:
        yield connection


@pytest.fixture(params=["gs", "az"])
def root(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a location in a fresh bucket; what connects to it is in the environment."""
    bucket = f"bucket-{os.urandom(4).hex()}"
    if request.param == "gs":
        server: Google = request.getfixturevalue("google")
        server.buckets[bucket] = {}
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        # Else the library asks Google itself what kind of bucket this is.
        monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    else:
        import adlfs

        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", request.getfixturevalue("azure"))
        adlfs.AzureBlobFileSystem().mkdir(bucket)
    return f"{request.param}://{bucket}/data"


@pytest.fixture
def store(root: str, instance: Path) -> Any:
    """The location, which is the default of a new instance."""
    ln.settings.verbosity = "error"
    ln.Storage(root=root).save()
    ln.settings.storage = root
    return ln.settings.storage.root


def saved(data: Any, key: str) -> ln.Artifact:
    """Returns a saved artifact without a run, of which the cache holds no copy."""
    make = ln.Artifact.from_dataframe if isinstance(data, pd.DataFrame) else ln.Artifact
    artifact = make(data, key=key, run=False).save()
    assert artifact is not None
    forget_copies()
    return artifact


def test_a_file_goes_to_the_bucket_and_comes_back(store: Any) -> None:
    assert store.protocol == ln.settings.storage.type
    Path("x.txt").write_text("hello")
    artifact = saved("x.txt", "raw/x.txt")
    assert isinstance(artifact.path, ln.UPath)
    assert str(artifact.path) == f"{store}/.lamindb/{artifact.uid}.txt"
    assert artifact.path.read_text() == artifact.load() == artifact.cache().read_text() == "hello"
    assert ln.Artifact.get(path=artifact.path) == artifact
    # What the engine changes shows at once.
    artifact.delete(permanent=True)
    assert not artifact.path.exists()
    assert [path.name for path in (store / ".lamindb").iterdir()] == ["storage_uid.txt"]


def test_what_lies_in_the_bucket_is_registered(store: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (store / "raw/x.csv").write_text("a\n1\n")
    artifact = ln.Artifact(store / "raw/x.csv", run=False).save()
    assert artifact is not None
    assert (artifact.key, artifact.size, artifact.path) == ("raw/x.csv", 4, store / "raw/x.csv")
    assert artifact._hash_type == {"gs": "md5", "az": "md5-etag"}[store.protocol]
    assert artifact.load()["a"].tolist() == [1]
    for path in (artifact.path, str(artifact.path)):
        assert ln.Artifact.get(path=path) == artifact
    capsys.readouterr()
    store.view_tree()
    assert capsys.readouterr().out.splitlines() == [
        "2 sub-directories & 2 files with suffixes '.csv', '.txt'",
        str(store),
        "├── .lamindb/",
        "│   └── storage_uid.txt",
        "└── raw/",
        "    └── x.csv",
    ]


def test_paths_copy_files_and_folders(store: Any) -> None:
    Path("raw/b").mkdir(parents=True)
    for name in ("raw/a.txt", "raw/b/c.txt"):
        Path(name).write_text(name)
    place = (store / "in").upload_from("raw", print_progress=False)
    assert sorted(path.name for path in place.rglob("*.txt")) == ["a.txt", "c.txt"]
    assert place.synchronize_to("copy") is True
    assert Path("copy/b/c.txt").read_text() == "raw/b/c.txt"
    assert place.synchronize_to("copy") is False
    assert (place / "a.txt").modified is not None
    assert (place / "a.txt").cache(print_progress=False).read_text() == "raw/a.txt"


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_tables_are_read_where_they_lie(store: Any, suffix: str) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    table = saved(frame, f"t{suffix}")
    assert table.open().to_table(columns=["a"]).column("a").to_pylist() == [1, 2]
    with table.open(engine="polars") as lazy:
        assert lazy.select("b").collect()["b"].to_list() == ["x", "y"]
    assert not copies()


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_arrays_are_read_where_they_lie(store: Any, suffix: str) -> None:
    adata, path = small_anndata(), Path(f"cells{suffix}")
    (adata.write_h5ad if suffix == ".h5ad" else adata.write_zarr)(path)
    with saved(path, path.name).open() as access:
        assert access.shape == adata.shape
        part = access[:5, :7].X
        assert np.allclose(part if isinstance(part, np.ndarray) else part.toarray(), adata[:5, :7].X)
    # Azure's tags say nothing about content: that of a folder is fetched to be judged.
    assert bool(copies()) == (store.protocol == "az" and suffix == ".zarr")


def test_what_is_written_to_a_store_is_a_version(store: Any) -> None:
    check_writing()


def test_who_asks_is_found_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = {"use_listings_cache": False}
    assert _clouds.options("gs", {}) == _clouds.options("az", {}) == fresh
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", "key.json")
    assert _clouds.options("gcs", {}) == {"token": "key.json", **fresh}
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", '{"client_email": "me"}')
    assert _clouds.options("gs", {}) == {"token": {"client_email": "me"}, **fresh}
    assert _clouds.options("gs", {"token": "t"}) == {"token": "t", **fresh}
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "lab")
    monkeypatch.setenv("AZURE_STORAGE_KEY", "a2V5")
    assert _clouds.options("abfs", {}) == {"account_name": "lab", "account_key": "a2V5", **fresh}
    assert _clouds.options("az", {"account_name": "other", "sas_token": "t"}) == {
        "account_name": "other",
        "sas_token": "t",
        **fresh,
    }


def test_the_account_of_an_address_is_kept() -> None:
    text = "az://container@lab.blob.core.windows.net/raw/x.csv"
    path = ln.UPath(text, account_key="a2V5")
    assert path.storage_options["account_name"] == "lab"
    assert _places.spelled(path) == text
    assert _places.spelled(ln.UPath("az://container/raw/x.csv")) == "az://container/raw/x.csv"
