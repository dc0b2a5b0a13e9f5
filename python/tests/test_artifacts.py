"""Artifacts and collections from Python: what is stored where, what is known already, what goes away."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pandas as pd
import pytest

import holotype as ln
from holotype.errors import FieldValidationError, IntegrityError, InvalidArgument, ProtectedError
from test_records import answer


def made(name: str, text: str, **options: object) -> ln.Artifact:
    """Returns a saved artifact of a new file."""
    Path(name).write_text(text)
    return ln.Artifact(name, key=name, run=False, **options).save()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: ln.Artifact("a.txt", "b.txt"), ValueError, "Only one non-keyword arg allowed: path"),
        (lambda: ln.Artifact(), TypeError, "needs a path"),
        (lambda: ln.Artifact("a.txt", key="b", revises="x"), TypeError, "has to be of type `Artifact`"),
        (lambda: ln.Artifact("a.txt", key="b.txt", key_is_virtual=True, _key_is_virtual=True), ValueError,
         "Do not pass both key_is_virtual and _key_is_virtual"),
        (lambda: ln.Artifact("a.txt", key=".lamindb/x.txt"), ValueError, "managed storage path"),
        (lambda: ln.Artifact("a.txt", key="b.txt", branch=1, branch_id=1), ValueError, "both Branch"),
        (lambda: ln.Artifact("a.txt", key="b.txt", foo=1), FieldValidationError,
         r"Only path, key, description, .* can be passed, you passed: \{'foo': 1\}"),
        (lambda: ln.Artifact(7, key="a"), TypeError, "data has to be a string, Path, UPath"),
        (lambda: ln.Artifact("missing.txt", key="a.txt"), FileNotFoundError, "/missing.txt"),
        (lambda: ln.Artifact("a.txt", key="a.csv"), InvalidArgument, "must match the passed key's"),
        (lambda: ln.Artifact("a.txt", key="../a.txt"), ValueError, r"Relative path segment '\.\.' detected"),
        (lambda: ln.Artifact("a.txt", key="a\\b.txt"), ValueError, "Backslashes are not allowed"),
        (lambda: ln.Artifact("a.txt", key="k" * 1021 + ".txt"), FieldValidationError, "at most 1024"),
        (lambda: ln.Artifact("a.txt"), ValueError, "Pass one of key, run or description as a parameter"),
        (lambda: ln.Artifact.from_df("a.txt", schema="x", key="a.txt"), NotImplementedError, "schema"),
        (lambda: ln.Artifact.from_anndata([1], key="a.h5ad"), TypeError, "AnnData"),
        (lambda: ln.Artifact.from_dir("a.txt"), InvalidArgument, "is no folder"),
    ],
)  # fmt: skip
def test_constructor_says_what_is_wrong(
    instance: Path, make: object, error: type[Exception], text: str
) -> None:
    Path("a.txt").write_text("a")
    ln.settings.creation.artifact_silence_missing_run_warning = True
    with pytest.raises(error, match=text):
        make()  # type: ignore[operator]
    assert not ln.Artifact.filter().exists()


def test_a_file(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ln.settings.verbosity = "hint"
    Path("a.txt").write_text("hello")
    capsys.readouterr()
    artifact = ln.Artifact("a.txt", key="raw/a.txt", description="first")
    assert artifact.path == Path.cwd() / "a.txt"
    assert artifact._state.adding
    assert artifact.save() is artifact
    assert artifact.path == instance / f".lamindb/{artifact.uid}.txt"
    assert artifact.path.read_text() == "hello"
    out = capsys.readouterr().out
    assert "! no run & transform got linked, call `ln.track()` & re-run" in out
    assert "• path content will be copied to default storage upon `save()` with key 'raw/a.txt'" in out
    assert f"✓ storing artifact '{artifact.uid}' at '{artifact.path}'" in out
    assert (artifact.suffix, artifact.size, artifact.hash) == (".txt", 5, "XUFAKrxLKna5cZ2REBfFkg")
    assert (artifact.version, artifact.is_latest, artifact.stem_uid) == ("0000", True, artifact.uid[:16])
    assert artifact.load() == "hello"
    assert artifact.cache() == artifact.path
    assert ln.Artifact.get(path=artifact.path) == artifact
    assert artifact.storage.root == str(instance)
    with pytest.raises(AttributeError, match="property of 'Artifact' object has no setter"):
        artifact.path = "elsewhere"


def test_equal_content_is_known(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = made("a.txt", "same")
    capsys.readouterr()
    Path("b.txt").write_text("same")
    again = ln.Artifact("b.txt", key="b.txt", run=False)
    assert again == first
    assert again.key == "a.txt"
    out = capsys.readouterr().out
    assert "→ returning artifact with same hash: Artifact(uid=" in out
    assert "! key a.txt on existing artifact differs from passed key b.txt" in out
    copy = ln.Artifact("b.txt", key="b.txt", run=False, skip_hash_lookup=True).save()
    assert copy != first


def test_versions(instance: Path) -> None:
    first = made("a.txt", "one")
    second = made("a.txt", "two")
    third = made("b.txt", "three", revises=second, version="3.0")
    assert [artifact.uid[:16] for artifact in (first, second, third)] == [first.stem_uid] * 3
    assert [artifact.version for artifact in (first, second, third)] == ["0000", "0001", "3.0"]
    assert third.versions.count() == 3
    first.refresh_from_db()
    assert (first.is_latest, third.is_latest) == (False, True)
    assert first.load() == "one"
    assert ln.Artifact.get(first.stem_uid) == third
    assert ln.Artifact.get(first.uid) == first
    assert ln.Artifact.get(key="b.txt") == third
    third.delete()
    assert ln.Artifact.get(second.uid).is_latest
    assert ln.Artifact.get(key="a.txt") == second


def test_clashing_keys(instance: Path) -> None:
    made("a.txt", "one")
    other = made("b.txt", "two")
    other.key = "a.txt"
    with pytest.raises(IntegrityError, match="key 'a.txt' is already used by artifact"):
        other.save()
    assert ln.Artifact.get(other.uid).key == "b.txt"
    ln.settings.creation.allow_key_clash = True
    assert other.save() is other


def test_real_keys_move_content(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ln.settings.creation._artifact_use_virtual_keys = False
    artifact = made("a.txt", "one")
    assert artifact.path == instance / "a.txt"
    artifact.key = "moved/a.txt"
    asked = answer(monkeypatch, "n")
    assert artifact.save() is None
    assert asked == [
        f"You are about to move artifact from '{instance}/a.txt' to '{instance}/moved/a.txt'.\n"
        "Continue? (y/n) "
    ]
    assert (instance / "a.txt").exists()
    answer(monkeypatch, "y")
    assert artifact.save() is artifact
    assert artifact.path == instance / "moved/a.txt"
    assert artifact.path.read_text() == "one"
    assert not (instance / "a.txt").exists()
    assert ln.Artifact.get(path=instance / "moved/a.txt") == artifact


def test_content_that_lies_in_storage_stays_there(instance: Path) -> None:
    (instance / "sub").mkdir()
    (instance / "sub/a.txt").write_text("here")
    artifact = ln.Artifact(instance / "sub/a.txt", run=False).save()
    assert (artifact.key, artifact.path) == ("sub/a.txt", instance / "sub/a.txt")
    assert ln.Artifact.get(path=str(instance / "sub/a.txt")) == artifact


def test_objects_in_memory(instance: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    artifact = ln.Artifact.from_df(frame, key="t.parquet", run=False)
    assert (artifact.otype, artifact.kind, artifact.n_observations) == ("DataFrame", "dataset", 2)
    assert artifact.load() is frame
    artifact.save()
    cache = ln.settings.cache_dir
    assert list(cache.iterdir()) == [], "what was written on the way is gone"
    pd.testing.assert_frame_equal(ln.Artifact.get(key="t.parquet").load(), frame)
    assert ln.Artifact.from_dataframe(frame, key="t.parquet", run=False) == artifact
    assert list(cache.iterdir()) == []
    table = ln.Artifact.from_df(frame, key="t.csv", run=False).save()
    assert table.path.read_text() == "a,b\n1,x\n2,y\n"
    assert table.open().to_table().num_rows == 2
    dropped = ln.Artifact.from_df(frame.iloc[:1], key="u.parquet", run=False)
    assert len(list(cache.iterdir())) == 1
    del dropped
    gc.collect()
    assert list(cache.iterdir()) == [], "an artifact that was never saved leaves nothing"


def test_a_plain_constructor_recommends_the_special_one(
    instance: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    artifact = ln.Artifact(pd.DataFrame({"a": [1]}), key="t.parquet", run=False)
    advice = "! data is a DataFrame, please use .from_dataframe()"
    assert advice in capsys.readouterr().out
    assert artifact.otype == "DataFrame"
    Path("tables").mkdir()
    for name in ("t.csv", "tables/u.csv"):
        Path(name).write_text(f"a\n{name}\n")
    assert ln.Artifact("t.csv", key="t.csv", run=False).otype == "DataFrame"
    assert advice in capsys.readouterr().out
    ln.Artifact("t.csv", key="t.csv", otype="DataFrame", run=False)
    assert ln.Artifact.from_dataframe("t.csv", key="t.csv", run=False).kind == "dataset"
    assert [table.otype for table in ln.Artifact.from_dir("tables", run=False)] == ["DataFrame"]
    assert advice not in capsys.readouterr().out


def test_tiledbsoma_stores(instance: Path) -> None:
    Path("s.tiledbsoma").mkdir()
    Path("s.tiledbsoma/a").write_text("a")
    store = ln.Artifact.from_tiledbsoma("s.tiledbsoma", key="s.tiledbsoma", run=False).save()
    assert (store.otype, store.kind, store.suffix, store.n_files) == (
        "tiledbsoma",
        "dataset",
        ".tiledbsoma",
        1,
    )
    with pytest.raises(ValueError, match="no tiledbsoma store"):
        ln.Artifact.from_tiledbsoma("t.csv", key="t.csv")


def test_folders(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one.txt", "sub/two.txt", ".hidden"):
        Path("folder", name).parent.mkdir(parents=True, exist_ok=True)
        Path("folder", name).write_text(name)
    whole = ln.Artifact("folder/", description="all of it", run=False).save()
    assert (whole.n_files, whole._hash_type, whole.suffix) == (3, "md5-d", "")
    assert whole.overwrite_versions
    assert whole.path == instance / ".lamindb" / whole.stem_uid
    assert sorted(path.name for path in whole.path.rglob("*") if path.is_file()) == [
        ".hidden",
        "one.txt",
        "two.txt",
    ]
    capsys.readouterr()
    parts = ln.Artifact.from_dir("folder/", run=False)
    assert (
        "! folder is outside existing storage location, will copy files from folder/ to "
        in capsys.readouterr().out
    )
    assert [part.key for part in parts] == ["folder/.hidden", "folder/one.txt", "folder/sub/two.txt"]
    parts.save()
    assert [part.path.read_text() for part in parts] == [".hidden", "one.txt", "sub/two.txt"]
    assert parts.to_list("n_files") == [None] * 3
    with pytest.raises(FileNotFoundError):
        ln.Artifact.from_dir("nowhere")


def test_the_working_directory_may_change(
    instance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    artifact = made("a.txt", "from there")
    assert artifact.load() == "from there"
    assert (there / "a.txt").exists()


def test_lazy_artifacts(instance: Path) -> None:
    lazy = ln.Artifact.from_lazy(".txt", overwrite_versions=False, key="stream.txt", run=False)
    lazy.path.write_text("streamed")
    lazy.save()
    assert ln.Artifact.get(key="stream.txt").load() == "streamed"
    with pytest.raises(ValueError, match="suffix"):
        ln.Artifact.from_lazy(".csv", overwrite_versions=False, key="stream.txt")


def test_replacing_content(instance: Path) -> None:
    artifact = made("a.txt", "one")
    other = made("b.txt", "two")
    Path("new.txt").write_text("three")
    assert artifact.replace("new.txt", run=False) is None
    assert artifact.save() is artifact
    assert (artifact.load(), artifact.version, artifact.key) == ("three", "0000", "a.txt")
    Path("copy.txt").write_text("two")
    assert artifact.replace("copy.txt", run=False) == other
    assert artifact.load() == "three"
    Path("folder").mkdir()
    Path("folder/x").write_text("x")
    with pytest.raises(ValueError, match="It is not allowed to replace a file with a folder"):
        artifact.replace("folder", run=False)


def test_deleting(
    instance: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ln.settings.verbosity = "success"
    artifact = made("a.txt", "one")
    path = artifact.path
    capsys.readouterr()
    artifact.delete()
    assert path.exists()
    assert "→ moved record to trash: Artifact(uid=" in capsys.readouterr().out
    artifact.restore()
    assert artifact.delete(permanent=True) is None
    assert not path.exists()
    assert f"✓ deleted {path}" in capsys.readouterr().out
    artifact.delete()
    assert "record is not yet saved, delete has no effect" in capsys.readouterr().out
    with pytest.raises(ValueError, match="was deleted: construct it anew"):
        artifact.save()

    ln.settings.creation._artifact_use_virtual_keys = False
    real = made("b.txt", "two")
    asked = answer(monkeypatch, "n")
    real.delete(permanent=True)
    assert "Do you ALSO want to delete the data in storage" in asked[0]
    assert (instance / "b.txt").exists()
    assert f"→ a file/folder remains here: {instance}/b.txt" in capsys.readouterr().out


def test_a_file_that_is_gone(instance: Path) -> None:
    artifact = made("a.txt", "one")
    os.remove(artifact.path)
    with pytest.raises(FileNotFoundError):
        artifact.load()
    binary = made("x.bai", "two")
    with pytest.raises(NotImplementedError, match=r"There is no loader for \.bai files\. Use \.cache\(\)"):
        binary.load()


def test_collections(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifacts = [
        ln.Artifact.from_df(pd.DataFrame({"a": [i]}), key=f"{i}.parquet", run=False).save() for i in (3, 1, 2)
    ]
    collection = ln.Collection(artifacts, name="sets/all", run=False).save()
    assert (collection.key, collection.name) == ("sets/all", "all")
    assert collection.ordered_artifacts.to_list() == artifacts
    assert collection.artifacts.count() == 3
    assert collection.load()["a"].tolist() == [3, 1, 2]
    assert collection.open().to_table().column("a").to_pylist() == [3, 1, 2]
    assert len(collection.cache()) == 3
    assert ln.Collection.filter(name__icontains="all").one() == collection
    capsys.readouterr()
    assert ln.Collection(artifacts, key="sets/all", run=False) == collection
    assert "returning collection with same hash" in capsys.readouterr().out
    more = made("x.txt", "x")
    longer = collection.append(more, run=False).save()
    assert (longer.stem_uid, longer.version) == (collection.stem_uid, "0001")
    assert longer.ordered_artifacts.to_list() == [*artifacts, more]
    with pytest.raises(
        ValueError, match="Can only load collections where all artifacts have the same suffix"
    ):
        longer.load()
    with pytest.raises(ProtectedError, match=longer.uid):
        more.delete(permanent=True)
    assert longer.delete(permanent=True) == (5, {"lamindb.Collection": 1, "lamindb.CollectionArtifact": 4})
    assert more.load() == "x"


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda a: ln.Collection(a, "key"), ValueError, "Only one non-keyword arg allowed: artifacts"),
        (lambda a: ln.Collection(a, key="k", foo=1), FieldValidationError, "Only artifacts, .* passed: "),
        (lambda a: ln.Collection(a), FieldValidationError, r"\['key'\] are required"),
        (lambda a: ln.Collection([], key="k"), ValueError, r"Artifact or list\[Artifact\] is allowed"),
        (lambda a: ln.Collection([a, 1], key="k"), ValueError, r"Artifact or list\[Artifact\] is allowed"),
        (lambda a: ln.Collection(a, key="k", name="n"), InvalidArgument, "differ"),
        (lambda a: ln.Collection(ln.Artifact(__file__, key="u.py"), key="k"), ValueError, "Not all"),
        (lambda a: ln.Collection(a, key="k", revises=a), TypeError, "has to be of type `Collection`"),
    ],
)  # fmt: skip
def test_collection_constructor(instance: Path, make: object, error: type[Exception], text: str) -> None:
    artifact = made("a.txt", "a")
    with pytest.raises(error, match=text):
        make(artifact)  # type: ignore[operator]


def test_many_artifacts_as_one(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in (2, 1):
        ln.Artifact.from_df(pd.DataFrame({"a": [i]}), key=f"{i}.parquet", run=False).save()
    capsys.readouterr()
    assert ln.Artifact.filter().order_by("key").load()["a"].tolist() == [1, 2]
    assert "unordered" not in capsys.readouterr().out
    assert ln.Artifact.filter().open().count_rows() == 2
    assert "! this query set is unordered" in capsys.readouterr().out


def test_reading_is_noted(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifact = made("a.txt", "a")
    capsys.readouterr()
    artifact.load()
    assert capsys.readouterr().out == "! run input wasn't tracked, call `ln.track()` and re-run\n"
    artifact.load(is_run_input=False)
    assert capsys.readouterr().out == ""
    run = ln.Run(ln.Transform(key="flow").save()).save()
    artifact.cache(is_run_input=run)
    assert artifact.input_of_runs.one() == run
    ln.settings.track_run_inputs = False
    artifact.load()
    assert capsys.readouterr().out == ""
    ln.settings.track_run_inputs = True
    made_by = ln.Artifact(__file__, key="made.py", run=run).save()
    assert (made_by.run, made_by.transform) == (run, run.transform)
    made_by.cache(is_run_input=run)
    assert run.input_artifacts.to_list() == [artifact], "what a run makes is no input of it"
    assert run.query_output_artifacts().to_list() == [made_by]
