"""Artifacts as files of fsspec."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest

import holotype as ln


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest) -> Any:
    """An instance that stores its content in a folder, or in a bucket; the storage root is returned."""
    return request.getfixturevalue("instance" if request.param == "folder" else "cloud")


def address(artifact: ln.Artifact, protocol: str = "holotype") -> str:
    """Returns the address of an artifact."""
    return f"{protocol}://{ln.setup.settings.instance.slug}/artifact/{artifact.uid}"


def test_a_file_is_read_by_its_address(root: Any) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    artifact = ln.Artifact(frame, key="t.parquet", run=False).save()
    assert artifact is not None
    shutil.rmtree(ln.settings.cache_dir, ignore_errors=True)
    for protocol in ("holotype", "lamin"):
        assert pd.read_parquet(address(artifact, protocol)).equals(frame)
    whole = artifact.path.read_bytes()
    fs = fsspec.filesystem("holotype")
    assert fs.size(address(artifact)) == len(whole)
    assert fs.cat_file(address(artifact), start=4, end=9) == whole[4:9]
    assert fs.ls(address(artifact), detail=False) == [address(artifact).removeprefix("holotype://")]
    with pytest.raises(ValueError, match="can only be read"):
        fs.open(address(artifact), "wb")
    # A family stands for its latest version.
    newer = ln.Artifact(frame.head(1), key="t.parquet", run=False).save()
    assert newer is not None
    assert len(pd.read_parquet(address(artifact)[:-4])) == 1
    assert len(pd.read_parquet(address(artifact))) == 2


def test_a_folder_is_walked_by_its_address(root: Any) -> None:
    for name in ("a.txt", "deep/b.txt"):
        Path("d", name).parent.mkdir(parents=True, exist_ok=True)
        Path("d", name).write_text(name)
    artifact = ln.Artifact("d", key="d", run=False).save()
    assert artifact is not None
    shutil.rmtree(ln.settings.cache_dir, ignore_errors=True)
    fs, place = fsspec.filesystem("lamin"), address(artifact, "lamin")
    shown = place.removeprefix("lamin://")
    assert fs.isdir(place)
    assert sorted(fs.find(place)) == [f"{shown}/a.txt", f"{shown}/deep/b.txt"]
    assert fs.cat(f"{place}/deep/b.txt") == b"deep/b.txt"
    assert not fs.exists(f"{place}/none")
    assert (ln.UPath(place) / "a.txt").read_text() == "a.txt"


@pytest.mark.parametrize(
    "end", ["", "/artifact/short", "/run/0123456789012345", "/artifact/0123456789012345/../x"]
)
def test_what_names_no_artifact_is_refused(instance: Path, end: str) -> None:
    with pytest.raises(FileNotFoundError, match="names no artifact"):
        fsspec.filesystem("holotype").info(ln.setup.settings.instance.slug + end)


def test_an_unknown_artifact_is_not_found(instance: Path) -> None:
    slug = ln.setup.settings.instance.slug
    with pytest.raises(FileNotFoundError, match=f"Instance {slug} holds no artifact 0123456789012345"):
        fsspec.filesystem("lamin").info(f"{slug}/artifact/0123456789012345")
