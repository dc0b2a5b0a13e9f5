"""What every kind of storage owes to stores that are opened to be changed."""

from __future__ import annotations

import numpy as np
import pytest

import holotype as ln
from samples import zarr_anndata


def check_writing() -> None:
    """Changes a store of the default location where it lies, and looks what became of it."""
    zarr_anndata("cells.zarr")
    artifact = ln.Artifact("cells.zarr", key="cells.zarr", description="Cells", run=False).save()
    assert artifact is not None
    first, path = ln.Artifact.get(artifact.uid), artifact.path
    with artifact.open(mode="r+") as access:
        assert access.shape == (40, 60)
    assert artifact.uid == first.uid, "nothing was written"
    with artifact.open(mode="r+") as access:
        access.add_column("obs", "number", np.arange(40))
        assert artifact.uid == first.uid, "not before the store is closed"
    assert (artifact.uid[:16], artifact.is_latest) == (first.uid[:16], True)
    assert artifact.uid != first.uid
    assert artifact.hash != first.hash
    assert (artifact.key, artifact.description, artifact.suffix) == ("cells.zarr", "Cells", ".zarr")
    assert artifact.path == path
    again = ln.Artifact.get(key="cells.zarr")
    assert again == artifact
    assert again.load().obs["number"].to_list() == list(range(40))
    assert artifact.verify().ok
    old = ln.Artifact.get(first.uid)
    assert not old.is_latest
    with pytest.raises(ValueError, match="outdated artifact version"):
        old.load()
    with pytest.raises(ValueError, match="not the latest version"):
        old.open(mode="r+")
