"""Verifying, repairing and collecting stored content from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import holotype as ln


def _saved(name: str, content: str) -> ln.Artifact:
    Path(name).write_text(content)
    return ln.Artifact(name, key=name, run=False).save()


def test_what_is_wrong_is_found(instance: Path) -> None:
    kept, flipped, gone = _saved("a.txt", "one"), _saved("b.txt", "two"), _saved("c.txt", "three")
    assert kept.verify().ok
    assert ln.verify().ok
    assert ln.verify(full=True).bytes == 11
    assert ln.verify(sample=1).read == 1
    flipped.path.write_text("twO")
    gone.path.unlink()
    assert [found.artifact for found in ln.verify().wrong] == [gone]
    table = ln.verify(full=True).to_dataframe()
    assert list(table["state"]) == ["damaged", "missing"]
    assert list(table["key"]) == ["b.txt", "c.txt"]
    assert ln.verify(ln.Artifact.filter(key="a.txt"), full=True).ok
    found = flipped.verify()
    assert (found.state, found.read, found.ok) == ("damaged", True, False)
    assert flipped.verify(full=False).ok
    with pytest.raises(TypeError, match="query over artifacts"):
        ln.verify(ln.ULabel.filter())


def test_repair_restores_or_marks(instance: Path) -> None:
    artifact = _saved("a.txt", "one")
    artifact.path.write_text("onE")
    assert [step["step"] for step in ln.repair(dry_run=True).planned] == ["mark as incomplete"]
    assert artifact.load() == "onE"
    repaired = ln.repair()
    assert (len(repaired.done), len(repaired.lost), repaired.failed) == (1, 1, [])
    with pytest.raises(ln.errors.IncompleteArtifact):
        artifact.load()
    again = _saved("a.txt", "one")
    assert again.uid == artifact.uid
    assert again.load() == "one"
    assert ln.repair().planned == []


def test_what_nobody_uses_is_collected(instance: Path) -> None:
    artifact = _saved("a.txt", "one")
    orphan = instance / ".lamindb" / "0123456789abcdef0000.txt"
    orphan.write_text("orphan")
    assert (ln.gc().unused, len(ln.gc().young)) == ([], 1)
    assert ln.gc(older_than=0).unused == [(str(orphan), "content", 6)]
    assert orphan.exists()
    assert ln.gc(apply=True, older_than=0).moved == 1
    assert not orphan.exists()
    artifact.delete()
    assert [trashed.uid for trashed in ln.gc(trash_days=0).trash] == [artifact.uid]
    done = ln.gc(apply=True, purge=True, older_than=0, trash_days=0)
    assert (done.deleted, done.bytes) == (1, 3)
    assert ln.Artifact.filter(branch=None).count() == 0
    assert not any((instance / ".lamindb" / ".holotype-quarantine").iterdir())
