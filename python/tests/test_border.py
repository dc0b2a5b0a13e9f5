"""The border between Python and the engine: nothing is known on one side only."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

import holotype as ln
from holotype import _native, errors
from holotype.registry import registry_class


def test_every_kind_of_error_has_its_exception() -> None:
    assert set(errors.KINDS) == set(_native.error_kinds())
    assert all(issubclass(kind, BaseException) for kind in errors.KINDS.values())


def test_old_names_of_exceptions_catch_the_same() -> None:
    assert errors.DoesNotExist is errors.ObjectDoesNotExist
    assert errors.MultipleResultsFound is errors.MultipleObjectsReturned
    assert issubclass(errors.InvalidArgument, AssertionError)
    assert issubclass(errors.ProtectedError, errors.IntegrityError)
    assert issubclass(errors.KINDS["FileNotFound"], FileNotFoundError)


@pytest.mark.parametrize("qualified", [name for name, _ in _native.registries()])
def test_every_registry_is_a_class_with_its_fields(qualified: str) -> None:
    cls = registry_class(qualified)
    data = _native.describe(qualified)
    assert cls.__name__ == data["name"]
    assert cls.__doc__
    for column in data["columns"]:
        assert isinstance(getattr(cls, column["column"]), ln.models.FieldAttr), column["column"]
        assert hasattr(cls, column["name"])
    for relation in data["relations"]:
        assert hasattr(cls, relation["name"]), relation["name"]


def test_every_public_name_resolves() -> None:
    for name in ln.__all__:
        assert getattr(ln, name) is not None, name
    from holotype import bionty

    for name in bionty.__all__:
        assert getattr(bionty, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Artefact'"):
        _ = ln.Artefact


def test_the_sets_of_registries_are_those_of_the_engine() -> None:
    top = {name.split(".")[1] for name, is_top in _native.registries() if is_top and name[0] == "l"}
    assert {
        "Artifact", "Branch", "Collection", "Feature", "Project", "Record", "Reference", "Run", "Schema",
        "Space", "Storage", "Transform", "ULabel", "User",
    } <= top  # fmt: skip
    assert top <= set(ln.__all__)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        -(2**62),
        "text with ünïcode and 'quotes'",
        {"a": [1, 2.5, None, {"b": "c"}]},
        [1, "two"],
    ],
)
def test_values_survive_the_way_there_and_back(instance: Path, value: object) -> None:
    artifact = ln.Artifact(__file__, key="a.py", run=False).save()
    artifact.extra_data = value if isinstance(value, (dict, list)) else {"value": value}
    artifact.save()
    stored = ln.Artifact.get(artifact.uid).extra_data
    assert stored == (value if isinstance(value, (dict, list)) else {"value": value})


def test_moments_and_days_keep_their_meaning(instance: Path) -> None:
    project = ln.Project(name="p", start_date=date(2024, 2, 29)).save()
    again = ln.Project.get(project.uid)
    assert again.start_date == date(2024, 2, 29)
    assert again.created_at.tzinfo is timezone.utc
    there = timezone(timedelta(hours=5))
    assert ln.Project.filter(created_at__lt=datetime.now(there) + timedelta(minutes=1)).exists()
    assert not ln.Project.filter(created_at__lt=datetime.now(there) - timedelta(days=1)).exists()


def test_a_value_that_cannot_be_stored_is_refused(instance: Path) -> None:
    label = ln.ULabel(name="a")
    with pytest.raises(ValueError, match="is_type"):
        label.is_type = "perhaps"
    with pytest.raises(TypeError, match="cannot be stored"):
        ln.Artifact(__file__, key="b.py", run=False).extra_data = object()


def test_documents_may_be_changed_in_place(instance: Path) -> None:
    artifact = ln.Artifact(__file__, key="a.py", run=False)
    artifact.extra_data = {"n": 1}
    artifact.extra_data["n"] = 2
    artifact.save()
    assert ln.Artifact.get(artifact.uid).extra_data == {"n": 2}


def test_records_can_be_copied_and_pickled(instance: Path) -> None:
    label = ln.ULabel(name="apple").save()
    for twin in (copy.copy(label), copy.deepcopy(label), pickle.loads(pickle.dumps(label))):
        assert twin == label
        assert twin.name == "apple"
        twin.name = "changed"
    assert label.name == "apple"
    with pytest.raises(TypeError, match="save it before"):
        pickle.dumps(ln.Artifact(__file__, key="x.py", run=False))


def test_identity_follows_the_row(instance: Path) -> None:
    label = ln.ULabel(name="apple").save()
    assert label == ln.ULabel.get(name="apple")
    assert hash(label) == hash(ln.ULabel.get(label.id))
    assert label != ln.Branch.get(1)
    assert ln.ULabel(name="x") != ln.ULabel(name="x")
    with pytest.raises(TypeError, match="unhashable"):
        hash(ln.ULabel(name="new"))


def test_messages_go_to_whatever_stdout_is_now(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ln.ULabel(name="apple").save()
    capsys.readouterr()
    ln.ULabel(name="apple")
    assert "→ returning ulabel with same name: 'apple'" in capsys.readouterr().out
    ln.settings.verbosity = "error"
    ln.ULabel(name="apple")
    assert capsys.readouterr().out == ""


def test_the_engine_works_while_other_threads_run(instance: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def save(i: int) -> int:
        return int(ln.ULabel(name=f"label-{i}", type=None).save().id)

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(save, range(40)))
    assert len(set(ids)) == 40
    assert ln.ULabel.filter().count() == 40


def test_a_forked_process_has_a_connection_of_its_own(instance: Path) -> None:
    import os

    ln.ULabel(name="parent", type=None).save()
    child = os.fork()
    if child == 0:
        try:
            ln.ULabel(name="child", type=None).save()
            ok = ln.ULabel.filter().count() == 2
        finally:
            os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert ln.ULabel.filter(name="child").exists()


def test_a_forked_process_has_threads_of_its_own(instance: Path) -> None:
    import os
    import signal

    def many(name: str) -> list[Path]:
        folder = Path(name)
        folder.mkdir()
        for n in range(20):
            (folder / f"{n}.txt").write_text(f"{name} {n}")
        (folder / "large.bin").write_bytes(name.encode() * 5_000_000)
        return sorted(folder.iterdir())

    files = {name: many(name) for name in ("parent", "child")}
    ln.save(ln.Artifact.from_dir("parent", key="parent"))
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        ok = False
        try:
            ln.save(ln.Artifact.from_dir("child", key="child"))
            ok = ln.Artifact.filter(key__startswith="child/").count() == len(files["child"])
        finally:
            os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    large = ln.Artifact.get(key="child/large.bin")
    assert large.verify(full=True).ok
    assert ln.Artifact.filter().count() == sum(map(len, files.values()))


def test_what_is_saved_after_another_program_left_is_there(instance: Path) -> None:
    """A program that believes to be the last to close the database removes its log."""
    database = Path(ln.settings.storage.root_as_str) / ".lamindb" / "lamin.db"
    visit = (
        f"import sqlite3; database = sqlite3.connect({str(database)!r})\n"
        "database.execute('SELECT 1 FROM lamindb_user'); database.close()"
    )
    count = "import holotype as ln; print(ln.ULabel.filter().count())"
    for n, happens in enumerate([lambda: None, ln.connect]):
        ln.ULabel(name=f"before-{n}", type=None).save()
        happens()
        subprocess.run([sys.executable, "-c", visit], check=True)
        ln.ULabel(name=f"after-{n}", type=None).save()
        seen = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True)
        assert int(seen.stdout.split()[-1]) == ln.ULabel.filter().count() == 2 * (n + 1)
    # On Unix, closing a plain file takes the locks away that would have kept the log: that is told.
    database.read_bytes()
    subprocess.run([sys.executable, "-c", visit], check=True)
    if not database.with_name("lamin.db-wal").exists():
        with pytest.raises(OSError, match="removed the log"):
            ln.ULabel(name="unseen", type=None).save()


def test_importing_is_light(home: Path) -> None:
    heavy = {
        "pandas",
        "numpy",
        "pyarrow",
        "anndata",
        "typing",
        "pathlib",
        "asyncio",
        "IPython",
        "dataclasses",
    }
    code = "import sys; before = set(sys.modules); import holotype; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    loaded = {name.split(".")[0] for name in eval(done.stdout)}
    assert loaded.isdisjoint(heavy), loaded & heavy


def test_a_new_process_connects_by_itself(instance: Path) -> None:
    ln.ULabel(name="apple", type=None).save()
    code = "import holotype as ln; print(ln.ULabel.get(name='apple').name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["→ connected lamindb: anonymous/store", "apple"]


def test_without_an_instance_the_first_query_says_what_to_do(home: Path) -> None:
    code = "import holotype as ln\nprint('imported')\nln.ULabel.filter()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "imported\n"
    assert "CurrentInstanceNotConfigured: No instance is connected! Call" in done.stderr
    assert "ln.connect(" in done.stderr
    assert "holotype connect" in done.stderr
