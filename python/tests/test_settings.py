"""Settings of the session, of the instance, and of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

import holotype as ln
from holotype.errors import (
    CannotSwitchDefaultInstance,
    CurrentInstanceNotConfigured,
    InstanceNotFoundError,
    InvalidArgument,
    StorageNotEmpty,
)
from test_records import answer


def test_verbosity(instance: Path) -> None:
    for name in ("error", "warning", "success", "info", "hint", "debug"):
        ln.settings.verbosity = name
        assert ln.settings.verbosity == name
    ln.settings.verbosity = 4
    assert ln.settings.verbosity == "hint"
    with pytest.raises(KeyError):
        ln.settings.verbosity = "loud"
    assert ln.settings.verbosity == "hint"


def test_storage(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = ln.settings.storage
    assert repr(storage) == f"StorageSettings(root='{instance}', uid='{storage.uid}')"
    assert f"{storage}/x" == f"{instance}/x"
    assert (storage.root, storage / "x", storage.key_to_filepath("x")) == (
        instance,
        instance / "x",
        instance / "x",
    )
    assert (storage.type, storage.host, storage.type_is_cloud) == ("local", None, False)
    assert storage.instance_uid == ln.settings.instance_uid == ln.setup.settings.instance.uid
    assert storage == ln.setup.settings.storage
    asked = answer(monkeypatch, "n")
    ln.settings.storage = "./second"
    assert asked[0].startswith(
        f"Storage location {Path.cwd()}/second does not yet exist in the current instance."
    )
    assert ln.settings.storage.root == instance
    answer(monkeypatch, "y")
    ln.settings.storage = "./second"
    assert ln.settings.storage.root == Path.cwd() / "second"
    Path("a.txt").write_text("a")
    artifact = ln.Artifact("a.txt", key="a.txt", run=False).save()
    assert artifact.path.parent == Path.cwd() / "second/.lamindb"
    ln.settings.storage = instance
    assert ln.settings.storage.root == instance
    Path("b.txt").write_text("b")
    there = ln.Artifact("b.txt", key="b.txt", storage="./second", run=False).save()
    assert there.storage_id == artifact.storage_id
    with pytest.raises(ValueError, match="is not registered"):
        ln.Artifact("b.txt", key="c.txt", storage="./third")


def test_storage_locations(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    storage = ln.Storage(root="./shared", host="lab-server", description="ours")
    assert not (Path.cwd() / "shared").exists(), "nothing happens before it is saved"
    capsys.readouterr()
    assert storage.save() is storage
    assert capsys.readouterr().out == f"→ created managed storage location at {Path.cwd()}/shared\n"
    assert (storage.host, storage.region, storage.description) == ("lab-server", "lab-server", "ours")
    assert ln.Storage("./shared").save() == storage
    with pytest.raises(InvalidArgument, match="is registered for host"):
        ln.Storage("./shared", host="elsewhere").save()
    with pytest.raises(ValueError, match="Soft delete is not possible for Storage"):
        storage.delete(permanent=False)
    with pytest.raises(InvalidArgument, match="Cannot delete the current storage location"):
        ln.settings.storage.record.delete()
    (storage.path / ".lamindb/left.txt").write_text("left")
    with pytest.raises(StorageNotEmpty, match=r"left\.txt"):
        storage.delete()
    (storage.path / ".lamindb/left.txt").unlink()
    storage.delete()
    assert ln.Storage.filter().count() == 1
    assert storage.path.exists()


def test_creation(instance: Path) -> None:
    creation = ln.settings.creation
    assert creation._artifact_use_virtual_keys is True
    creation._artifact_use_virtual_keys = False
    assert ln.settings.creation.artifact_use_virtual_keys is False
    assert "search_names=True" in repr(creation)


def test_local_storage_needs_its_mode(instance: Path) -> None:
    with pytest.raises(ValueError, match="`keep_artifacts_local` is False"):
        _ = ln.settings.local_storage
    with pytest.raises(ValueError, match="`keep_artifacts_local` is not enabled"):
        ln.settings.local_storage = "./local"
    with pytest.raises(ValueError, match="must be a boolean value"):
        ln.setup.settings.instance.keep_artifacts_local = "yes"
    ln.setup.settings.instance._keep_artifacts_local = True
    assert ln.setup.settings.instance.keep_artifacts_local is True
    assert ln.settings.local_storage.root == instance


def test_the_instance(instance: Path) -> None:
    settings = ln.setup.settings
    found = settings.instance
    assert (found.owner, found.name, found.slug) == ("anonymous", "store", "anonymous/store")
    assert (found.dialect, found.modules, found.is_remote) == ("sqlite", {"bionty"}, False)
    assert found.db == f"sqlite:///{instance}/.lamindb/lamin.db"
    assert settings.is_connected
    assert settings.dev_dir == Path.cwd()
    assert (settings.branch.name, settings.space.name) == ("main", "all")
    assert repr(settings).splitlines()[:4] == [
        "Instance: anonymous/store",
        " - branch: main",
        " - space: all",
        f" - dev-dir: {Path.cwd()}",
    ]
    assert settings.cache_dir == ln.settings.cache_dir


def test_connecting(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    ln.connect("anonymous/store")
    ln.connect("store")
    ln.connect()
    assert capsys.readouterr().out == "", "the same instance again is silent"
    with pytest.raises(InstanceNotFoundError):
        ln.connect("anonymous/nowhere")
    assert ln.ULabel.filter().count() == 0, "a failed attempt keeps the connection"
    with pytest.raises(ValueError, match="instance identifier"):
        ln.connect("a/b/c")
    ln.setup.init(storage="./other")
    capsys.readouterr()
    ln.connect("anonymous/store")
    assert capsys.readouterr().out == "→ connected lamindb: anonymous/store\n"
    run = ln.Run(ln.Transform(key="flow").save()).save()
    ln.track(run.transform)
    with pytest.raises(CannotSwitchDefaultInstance):
        ln.connect("anonymous/other")
    ln.finish()
    ln.setup.disconnect()
    assert not ln.setup.settings.is_connected
    with pytest.raises(CurrentInstanceNotConfigured):
        ln.ULabel.filter()


def test_who_works_here(instance: Path) -> None:
    assert ln.setup.settings.user.handle == "anonymous"
    ln.setup.login("jdoe", name="Jane Doe")
    assert (ln.setup.settings.user.handle, ln.setup.settings.user.name) == ("jdoe", "Jane Doe")
    assert ln.ULabel(name="hers", type=None).save().created_by.handle == "jdoe"
    ln.setup.logout()
    assert ln.setup.settings.user.handle == "anonymous"


def test_branches(instance: Path) -> None:
    ln.setup.switch("draft", create=True)
    label = ln.ULabel(name="apple", type=None).save()
    assert label.branch.name == ln.setup.settings.branch.name == "draft"
    assert ln.ULabel.filter(name="apple").exists()
    ln.setup.settings.branch = "main"
    assert not ln.ULabel.filter(name="apple").exists()
    assert ln.ULabel.filter(name="apple", branch__name="draft").exists()
    with pytest.raises(ln.errors.BranchAlreadyExists):
        ln.setup.switch("draft", create=True)


def test_deleting_an_instance(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.txt").write_text("a")
    artifact = ln.Artifact("a.txt", key="a.txt", run=False).save()
    asked = answer(monkeypatch, "n")
    assert ln.setup.delete("store") == -1
    assert asked == ["Are you sure you want to delete instance anonymous/store? (y/n) "]
    with pytest.raises(StorageNotEmpty, match=artifact.uid):
        ln.setup.delete("anonymous/store", force=True)
    artifact.delete(permanent=True)
    (instance / "notes.txt").write_text("mine")
    assert ln.setup.delete("anonymous/store", force=True) is None
    assert not ln.setup.settings.is_connected
    assert sorted(path.name for path in instance.iterdir()) == ["notes.txt"]
    with pytest.raises(InstanceNotFoundError):
        ln.connect("anonymous/store")
