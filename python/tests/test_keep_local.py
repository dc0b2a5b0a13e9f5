"""Artifacts that are kept local: the setting, the location, and what an upload does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import holotype as ln

if TYPE_CHECKING:
    Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def local(instance: Path, capsys: Capsys) -> Path:
    """An instance that keeps artifacts in a folder, whose path is returned."""
    ln.setup.settings.instance._keep_artifacts_local = True
    ln.Storage(root="./local", host="drive1").save()
    ln.settings.local_storage = "./local"
    assert capsys.readouterr().out.splitlines() == [
        f"→ created managed storage location at {Path.cwd()}/local",
        f"→ defaulting to local storage: {Path.cwd()}/local",
    ]
    return Path.cwd() / "local"


def saved(name: str, **kwargs: object) -> ln.Artifact:
    """Returns a saved artifact of a small file of its own."""
    Path(name).write_text(name)
    artifact = ln.Artifact(name, key=f"examples/{name}", run=False).save(**kwargs)
    assert artifact is not None
    return artifact


def test_the_mode_is_switched_under_both_names(instance: Path, capsys: Capsys) -> None:
    settings = ln.setup.settings.instance
    assert settings.keep_artifacts_local is settings._keep_artifacts_local is False
    settings._keep_artifacts_local = True
    assert settings.keep_artifacts_local is True
    settings.keep_artifacts_local = False
    assert settings._keep_artifacts_local is False
    with pytest.raises(ValueError, match="keep_artifacts_local must be a boolean value"):
        settings.keep_artifacts_local = "yes"
    assert capsys.readouterr().out == ""


def test_new_artifacts_are_stored_locally(instance: Path, local: Path) -> None:
    artifact = saved("a.txt")
    assert artifact.path == local / ".lamindb" / f"{artifact.uid}.txt"
    assert artifact.path.as_posix().startswith(ln.settings.local_storage.root.as_posix())
    assert artifact.storage.root == str(local)
    assert (artifact.storage.region, artifact.storage.host) == ("drive1", "drive1")
    assert ln.settings.storage.root == instance
    assert ln.setup.settings.instance.local_storage == ln.settings.local_storage
    about = repr(ln.setup.settings)
    assert f" - local storage: {local} (drive1)\n - cloud storage: {instance}\n" in about


def test_existing_files_stay_where_they_are(local: Path) -> None:
    (local / "output.bam").write_text("bam")
    artifact = ln.Artifact("./local/output.bam", run=False).save()
    assert artifact is not None
    assert (artifact.path, artifact.key) == (local / "output.bam", "output.bam")
    assert not artifact._key_is_virtual


def test_locations_are_switched(local: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    second = Path.cwd() / "second"
    question = (
        f"Storage location {second} does not yet exist. Do you want to continue with creating it? (y/n) "
    )
    asked: list[str] = []

    def answer(text: str) -> str:
        asked.append(text)
        return "n" if len(asked) == 1 else "y"

    monkeypatch.setattr("builtins.input", answer)
    ln.settings.local_storage = "./second"
    assert (ln.settings.local_storage.root, second.exists()) == (local, False)
    ln.settings.local_storage = ("./second", "drive2")
    assert asked == [question, question]
    assert (ln.settings.local_storage.root, ln.settings.local_storage.host) == (second, "drive2")
    assert saved("a.txt").path.is_relative_to(second)
    capsys.readouterr()
    ln.settings.local_storage = local
    assert capsys.readouterr().out == f"→ defaulting to local storage: {local}\n"
    assert saved("b.txt").path.is_relative_to(local)


def test_a_location_of_another_instance_is_refused(local: Path, capsys: Capsys) -> None:
    mark = Path("foreign/.lamindb/storage_uid.txt")
    mark.parent.mkdir(parents=True)
    mark.write_text("abcdefghijkl\ncreation info:\ninstance_id=aed0c84a717b58739b63c21a8406e168")
    ln.Storage("./foreign").save()
    expected = r"foreign' exists in another instance \(2hvJDMF9MRQN\), cannot write to it from here\."
    with pytest.raises(ValueError, match=expected):
        ln.settings.local_storage = "./foreign"
    with pytest.raises(ValueError, match=expected):
        ln.settings.storage = "./foreign"
    assert ln.settings.local_storage.root == local


def test_an_upload_moves_the_local_copy_to_the_cache(instance: Path, local: Path, capsys: Capsys) -> None:
    artifact = saved("a.txt")
    before, content_hash = artifact.path, artifact.hash
    capsys.readouterr()
    assert artifact.save(upload=True) is artifact
    cached = ln.settings.cache_dir / f"{artifact.uid}.txt"
    assert capsys.readouterr().out == f"→ moved local artifact to cache: {cached}\n"
    assert artifact.path == instance / ".lamindb" / f"{artifact.uid}.txt"
    assert (artifact.storage_id, artifact._key_is_virtual, artifact.hash) == (1, True, content_hash)
    assert (artifact.path.read_text(), cached.read_text(), before.exists()) == ("a.txt", "a.txt", False)
    assert ln.Artifact.get(artifact.uid).path == artifact.path
    artifact.save(upload=True)
    assert capsys.readouterr().out == ""


def test_an_upload_of_new_content_leaves_the_source(instance: Path, local: Path, capsys: Capsys) -> None:
    artifact = saved("a.txt", upload=True)
    assert artifact.path == instance / ".lamindb" / f"{artifact.uid}.txt"
    assert Path("a.txt").exists()
    assert "moved" not in capsys.readouterr().out
    table = ln.Artifact.to_dataframe(include=["storage__root", "storage__region"])
    assert list(table.columns) == ["uid", "key", "storage__root", "storage__region"]
    assert table["storage__root"].tolist() == [str(instance)]


def test_an_object_in_memory_is_uploaded(instance: Path, local: Path) -> None:
    import pandas

    frame = pandas.DataFrame({"a": [1, 2]})
    artifact = ln.Artifact.from_dataframe(frame, key="t.parquet", run=False).save(upload=True)
    assert artifact is not None
    assert artifact.path.is_relative_to(instance)
    assert artifact.load().equals(frame)


def test_registered_files_are_copied_and_stay(instance: Path, local: Path, capsys: Capsys) -> None:
    (local / "output.bam").write_text("bam")
    artifact = ln.Artifact("./local/output.bam", run=False).save()
    assert artifact is not None
    capsys.readouterr()
    artifact.save(upload=True)
    assert capsys.readouterr().out == f"→ a file/folder remains here: {local}/output.bam\n"
    assert artifact.path == instance / ".lamindb" / f"{artifact.uid}.bam"
    assert (artifact.key, artifact._key_is_virtual, artifact._real_key) == ("output.bam", True, None)
    assert (local / "output.bam").read_text() == "bam"


def test_deleting_the_instance_leaves_local_locations(instance: Path, local: Path, capsys: Capsys) -> None:
    artifact, kept = saved("a.txt", upload=True), saved("b.txt")
    (local / "output.bam").write_text("bam")
    mine = ln.Artifact("./local/output.bam", run=False).save()
    assert mine is not None
    artifact.delete(permanent=True)
    capsys.readouterr()
    mine.delete(permanent=True, storage=False)
    assert capsys.readouterr().out == f"→ a file/folder remains here: {local}/output.bam\n"
    ln.setup.delete("store", force=True)
    assert not instance.exists()
    assert kept.uid in {path.stem for path in (local / ".lamindb").iterdir()}
    assert (local / "output.bam").read_text() == "bam"


def test_a_location_belongs_to_a_space(instance: Path) -> None:
    space = ln.Space(name="team").save()
    assert ln.Storage("./one", space=space).save().space == space
    assert ln.Storage("./two", space="team").save().space == space
    assert ln.Storage("./three").save().space_id == 1
