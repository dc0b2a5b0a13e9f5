"""Stores that are opened to be changed: what was written becomes a version when they are closed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import holotype as ln
from samples import spatial_store, zarr_anndata
from writing import check_writing

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")


def test_what_is_written_to_a_store_is_a_version(instance: Path) -> None:
    check_writing()


def test_a_store_under_its_own_name(instance: Path) -> None:
    folder = instance / "raw"
    folder.mkdir()
    zarr_anndata(str(folder / "cells.zarr"))
    artifact = ln.Artifact(folder / "cells.zarr", run=False).save()
    assert artifact is not None
    first = artifact.uid
    with artifact.open(mode="r+") as access:
        access.add_column("var", "number", np.arange(60))
    assert artifact.uid != first
    assert artifact.path == folder / "cells.zarr"
    assert artifact.load().var["number"].sum() == 1770


def test_tables_of_spatial_data(instance: Path) -> None:
    spatial_store("s.zarr")
    artifact = ln.Artifact("s.zarr", key="s.zarr", run=False).save()
    assert artifact is not None
    first = artifact.uid
    with artifact.open(mode="r+") as access:
        access["table"].add_column("obs", "number", np.arange(40))
    assert artifact.uid != first
    with artifact.open() as access:
        assert access["table"].obs["number"].sum() == 780


def test_versions_with_places_of_their_own_are_not_changed(instance: Path) -> None:
    zarr_anndata("cells.zarr")
    artifact = ln.Artifact("cells.zarr", key="cells.zarr", overwrite_versions=False, run=False).save()
    assert artifact is not None
    with pytest.raises(ValueError, match="a place of its own: save a changed copy"):
        artifact.open(mode="r+")


def test_the_run_is_that_of_who_wrote(instance: Path) -> None:
    zarr_anndata("cells.zarr")
    artifact = ln.Artifact("cells.zarr", key="cells.zarr", run=False).save()
    assert artifact is not None
    ln.track(transform=ln.Transform(key="change", kind="pipeline").save())
    with artifact.open(mode="r+") as access:
        access.add_column("obs", "number", np.arange(40))
    assert artifact.run == ln.context.run
    ln.finish()
