"""Records of an instance after another one is connected: they stay where they belong."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

import holotype as ln
from holotype.errors import InstanceNotFoundError, InvalidArgument


@pytest.fixture
def former(instance: Path) -> Any:
    """An artifact of an instance that is no longer the current one, where its id means another artifact."""
    ln.settings.verbosity = "error"
    made = []
    for name in ("former", "present"):
        ln.setup.init(storage=f"./{name}", name=name)
        Path(f"{name}.txt").write_text(name)
        made.append(ln.Artifact(f"{name}.txt", key=f"{name}.txt", run=False).save())
        ln.ULabel(name=name).save()
    assert made[0].id == made[1].id
    assert made[0] != made[1]
    return made[0]


def test_records_stay_where_they_belong(former: Any) -> None:
    assert former._state.db == "anonymous/former"
    assert Path(former.path).is_relative_to(Path("former").resolve())
    assert former.load() == "former"
    assert pickle.loads(pickle.dumps(former)) == former
    former.description = "changed"
    former.save()
    ln.save([former])
    there = ln.Artifact.connect("former")
    assert there.get(key="former.txt").description == "changed"
    former.refresh_from_db()
    assert former.key == "former.txt"
    former.delete(permanent=True)
    assert there.count() == 0
    kept = ln.Artifact.get(key="present.txt")
    assert (kept.description, kept.load()) == (None, "present")


def test_records_of_two_instances_do_not_point_at_each_other(former: Any) -> None:
    here, label = ln.Artifact.get(), ln.ULabel.get()
    theirs = ln.ULabel.connect("former").get()
    assert (theirs.id, theirs.name) == (label.id, "former")
    for point in (
        lambda: here.ulabels.add(theirs),
        lambda: former.ulabels.add(label),
        lambda: here.ulabels.set([theirs]),
        lambda: setattr(here, "storage", former.storage),
        lambda: ln.ULabel(name="below", type=theirs),
        lambda: ln.Artifact("present.txt", key="x.txt", revises=former, run=False),
        lambda: ln.Artifact("present.txt", key="x.txt", storage=former.storage, run=False),
        lambda: ln.Collection([here, former], key="both"),
    ):
        with pytest.raises(InvalidArgument, match=r"belongs to the instance anonymous/\w+, not to"):
            point()
    assert here.ulabels.count() == former.ulabels.count() == 0
    former.ulabels.add(theirs)
    assert [label.name for label in former.ulabels] == ["former"]


def test_records_of_another_instance_are_no_conditions(former: Any) -> None:
    theirs = ln.ULabel.connect("former")
    for ask in (
        lambda: ln.Artifact.filter(ulabels=theirs.get()),
        lambda: ln.Artifact.filter(ulabels__in=[theirs.get()]),
        lambda: ln.Artifact.filter(ln.Q(ulabels=theirs.get()) | ln.Q(key="x")),
        lambda: ln.Artifact.filter(ulabels__in=theirs),
        lambda: ln.Artifact.filter().exclude(storage=former.storage),
        lambda: ln.Artifact.get(former),
    ):
        with pytest.raises(InvalidArgument, match=r"belongs to the instance anonymous/former, not to"):
            ask()
    former.ulabels.add(theirs.get())
    assert ln.Artifact.connect("former").filter(ulabels=theirs.get()).one() == former
    assert ln.Artifact.filter(ulabels=ln.ULabel.get()).count() == 0


def test_records_find_their_instance_after_a_fork(former: Any) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0 if former.load() == "former" and ln.Artifact.get().load() == "present" else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_records_of_a_deleted_instance_say_so(former: Any) -> None:
    former.delete(permanent=True)
    label = ln.ULabel.connect("anonymous/former").get()
    ln.setup.delete("former", force=True)
    with pytest.raises(InstanceNotFoundError, match="anonymous/former"):
        label.save()
