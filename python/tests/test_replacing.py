"""The life of one artifact in a folder and in a bucket, as the guide to adding, replacing, caching and
deleting tells it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import holotype as ln

if TYPE_CHECKING:
    from collections.abc import Iterator


def write(name: str, text: str) -> str:
    """Writes a file and returns its name."""
    Path(name).write_text(text)
    return name


def added(name: str, text: str, **kwargs: object) -> ln.Artifact:
    """Returns a saved artifact of a new file."""
    artifact = ln.Artifact(write(name, text), run=False, **kwargs).save()
    assert artifact is not None
    return artifact


def replaced(artifact: ln.Artifact, data: object) -> ln.Artifact:
    """Gives an artifact other content and saves it."""
    assert artifact.replace(data, run=False) is None
    assert artifact.save() is artifact
    return artifact


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest) -> Any:
    """An instance that stores its content in a folder, or in a bucket; the storage root is returned."""
    return request.getfixturevalue("instance" if request.param == "folder" else "cloud")


@pytest.fixture
def real_keys(root: Any) -> Iterator[Any]:
    """Keys say where content lies; the storage root is returned."""
    ln.settings.creation._artifact_use_virtual_keys = False
    yield root
    ln.settings.creation._artifact_use_virtual_keys = True


def test_without_a_key_the_suffix_follows_the_content(root: Any) -> None:
    artifact = added("iris.csv", "a", description="iris")
    old, cached = artifact.path, artifact.cache()
    assert old == root / ".lamindb" / f"{artifact.uid}.csv"
    assert (artifact.key, cached.suffix) == (None, ".csv")
    before = cached.stat().st_mtime
    replaced(artifact, write("new.data", "b"))
    assert artifact.path == root / ".lamindb" / f"{artifact.uid}.data"
    assert (old.exists(), artifact.path.read_text(), artifact.suffix) == (False, "b", ".data")
    assert artifact.cache().stat().st_mtime >= before


def test_a_real_key_keeps_its_name_and_takes_the_suffix(real_keys: Any) -> None:
    artifact = added("iris.csv", "a", key="iris.csv")
    assert artifact.path == real_keys / "iris.csv"
    replaced(artifact, write("new_iris.csv", "b"))
    assert (artifact.path, artifact.path.read_text()) == (real_keys / "iris.csv", "b")
    replaced(artifact, write("new_iris.data", "c"))
    assert (artifact.key, artifact.path) == ("iris.data", real_keys / "iris.data")
    assert artifact.path.read_text() == "c"
    assert not (real_keys / "iris.csv").exists()


def test_deletion_with_storage_asks_nothing(real_keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(question: str) -> str:
        raise AssertionError(question)

    monkeypatch.setattr("builtins.input", refuse)
    artifact = added("iris.csv", "a", key="iris.csv")
    artifact.delete(permanent=True, storage=True)
    assert not (real_keys / "iris.csv").exists()
    assert ln.Artifact.filter().count() == 0


def test_objects_in_memory_are_replaced_in_their_place(real_keys: Any) -> None:
    import pandas

    frame = pandas.DataFrame({"a": [1, 2]})
    artifact = ln.Artifact.from_dataframe(frame, key="iris.parquet", run=False).save()
    assert artifact is not None
    assert artifact.path == real_keys / "iris.parquet"
    replaced(artifact, frame.iloc[:1])
    assert artifact.path == real_keys / "iris.parquet"
    assert ln.Artifact.get(artifact.uid).load().equals(frame.iloc[:1])
    replaced(artifact, write("iris.csv", "a\n1\n"))
    assert (artifact.key, artifact.path) == ("iris.csv", real_keys / "iris.csv")
    assert not (real_keys / "iris.parquet").exists()


def test_only_other_content_from_outside_replaces(root: Any) -> None:
    artifact = added("iris.csv", "a", key="iris.csv")
    (root / "inside.csv").write_text("b")
    with pytest.raises(ValueError, match="Can only replace with a local path not in any Storage"):
        artifact.replace(root / "inside.csv", run=False)
    assert artifact.replace(write("copy.csv", "a"), run=False) == artifact


def test_a_registered_file_is_replaced_under_its_real_key(root: Any) -> None:
    (root / "iris.csv").write_text("a")
    artifact = ln.Artifact(root / "iris.csv", key="iris_test.csv", run=False).save()
    assert artifact is not None
    assert (artifact._real_key, artifact.path) == ("iris.csv", root / "iris.csv")
    artifact.replace(write("new.data", "b"), run=False)
    assert (root / "iris.csv").exists(), "nothing goes before it is saved"
    artifact.save()
    assert (artifact._real_key, artifact.key) == ("iris.data", "iris_test.data")
    assert (artifact.path, artifact.path.read_text()) == (root / "iris.data", "b")
    assert not (root / "iris.csv").exists()


def test_folders_are_replaced_by_folders(root: Any) -> None:
    for name, files in (("one.zarr", 1), ("two.zarr", 2)):
        Path(name).mkdir()
        for i in range(files):
            write(f"{name}/{i}", f"{name} {i}")
    folder = ln.Artifact("one.zarr", key="store.zarr", run=False).save()
    assert folder is not None
    with pytest.raises(ValueError, match="It is not allowed to replace a folder with a file"):
        folder.replace(write("file.zarr", "x"), run=False)
    with pytest.raises(ValueError, match="It is not allowed to replace a file with a folder"):
        added("a.csv", "a", key="a.csv").replace("one.zarr", run=False)
    before, place = folder.hash, folder.path
    replaced(folder, "two.zarr")
    assert (folder.hash != before, folder.n_files, folder.path) == (True, 2, place)
    assert sorted(path.name for path in place.iterdir()) == ["0", "1"]
