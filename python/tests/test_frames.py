"""Queries as data frames: which columns in which order, and what stands in them."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest

import holotype as ln
from holotype import models

COLUMNS = {
    "Artifact": "uid, id, "
    "key, description, suffix, kind, otype, size, hash, n_files, n_observations, extra_data, "
    "version_tag, is_latest, is_locked, created_at, branch_id, created_on_id, space_id, storage_id, "
    "run_id, schema_id, created_by_id",
    "Transform": "uid, id, "
    "key, description, kind, source_code, hash, reference, reference_type, version_tag, "
    "is_latest, is_locked, created_at, branch_id, created_on_id, space_id, environment_id, plan_id, "
    "run_id, created_by_id",
    "Run": "uid, id, name, description, entrypoint, started_at, finished_at, params, extra_data, reference, "
    "reference_type, cli_args, is_locked, created_at, branch_id, created_on_id, space_id, "
    "transform_id, report_id, environment_id, plan_id, created_by_id, initiated_by_run_id",
    "Collection": "uid, id, "
    "key, description, hash, reference, reference_type, version_tag, is_latest, is_locked, "
    "created_at, branch_id, created_on_id, space_id, created_by_id, run_id, schema_id, "
    "meta_artifact_id",
    "Feature": "uid, id, name, _dtype_str, unit, description, array_rank, array_size, array_shape, synonyms, "
    "default_value, nullable, coerce, is_locked, is_type, created_at, branch_id, created_on_id, "
    "space_id, created_by_id, run_id, type_id",
    "Schema": "uid, id, name, description, n_members, coerce, flexible, itype, otype, suffix, hash, "
    "minimal_set, ordered_set, maximal_set, is_locked, is_type, created_at, branch_id, created_on_id, "
    "space_id, created_by_id, run_id, type_id",
    "Record": "uid, id, name, description, reference, reference_type, extra_data, is_locked, is_type, "
    "created_at, branch_id, created_on_id, space_id, created_by_id, type_id, schema_id, run_id",
    "ULabel": "uid, id, name, description, reference, reference_type, is_locked, is_type, created_at, "
    "branch_id, created_on_id, space_id, created_by_id, run_id, type_id",
    "Project": "uid, id, name, description, abbr, url, start_date, end_date, is_locked, is_type, created_at, "
    "branch_id, created_on_id, space_id, created_by_id, run_id, type_id",
    "Reference": "uid, id, name, description, abbr, url, pubmed_id, doi, text, date, is_locked, is_type, "
    "created_at, branch_id, created_on_id, space_id, created_by_id, run_id, type_id",
    "Storage": "uid, id, root, description, type, region, instance_uid, is_locked, created_at, branch_id, "
    "created_on_id, space_id, created_by_id, run_id",
    "User": "uid, id, handle, name, created_at",
    "Branch": "uid, id, name, description, created_at, space_id, created_by_id",
    "Space": "uid, id, name, description, created_at, created_by_id",
    "Block": "uid, id, content, hash, kind, key, version_tag, is_latest, is_locked, created_at, branch_id, "
    "created_on_id, space_id, created_by_id, anchor_id",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_come_in_their_order(instance: Path, name: str) -> None:
    registry = getattr(models, name)
    wanted = COLUMNS[name].split(", ")
    empty = registry.filter(id=-99).to_dataframe()
    assert list(empty.columns) == wanted
    assert empty.empty
    full = registry.to_dataframe()
    if len(full):
        assert full.index.name == "id"
        assert list(full.columns) == [column for column in wanted if column != "id"]


def test_types_are_those_that_analyses_expect(instance: Path) -> None:
    ln.ULabel(name="fruit", is_type=True, type=None).save()
    ln.ULabel(name="apple", type=ln.ULabel.get(name="fruit")).save()
    frame = ln.ULabel.df()
    assert isinstance(frame["created_at"].dtype, pd.DatetimeTZDtype)
    assert str(frame["created_at"].dtype) == "datetime64[ns, UTC]"
    assert frame["is_type"].dtype == bool
    assert frame["branch_id"].dtype == "int64"
    assert frame["type_id"].dtype == "float64", "one of two is missing"
    assert frame["run_id"].dtype == object, "all are missing"
    assert frame["description"].tolist() == [None, None]
    assert frame.loc[2, "created_at"] == pd.Timestamp(ln.ULabel.get(2).created_at)


def test_the_newest_come_first_and_the_rest_is_mentioned(
    instance: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ln.settings.creation.search_names = False
    ln.save([ln.ULabel(name=f"label {i}") for i in range(25)])
    capsys.readouterr()
    assert ln.ULabel.df().index.tolist() == list(range(25, 5, -1))
    assert capsys.readouterr().out == "! truncated query result to limit=20 ULabel objects\n"
    assert len(ln.ULabel.df(limit=None)) == 25
    assert len(ln.ULabel.to_dataframe(limit=7)) == 7
    assert len(ln.ULabel.filter(id__lte=20).df()) == 20
    assert capsys.readouterr().out == ""
    assert ln.ULabel.filter().order_by("name").df(limit=3)["name"].tolist() == [
        "label 0",
        "label 1",
        "label 10",
    ]


def test_included_columns_shrink_the_rest(instance: Path) -> None:
    fruit = ln.ULabel(name="fruit", is_type=True, type=None).save()
    apple = ln.ULabel(name="apple", type=fruit).save()
    Path("a.txt").write_text("a")
    artifact = ln.Artifact("a.txt", key="a.txt", run=False).save()
    artifact.ulabels.add(apple)
    frame = ln.ULabel.to_dataframe(include=["type__name", "artifacts__key", "created_by__handle"])
    assert list(frame.columns) == ["uid", "name", "type__name", "artifacts__key", "created_by__handle"]
    assert frame.loc[apple.id].tolist()[1:] == ["apple", "fruit", {"a.txt"}, "anonymous"]
    assert frame.loc[fruit.id].tolist()[1:] == ["fruit", None, {None}, "anonymous"]
    roots = ln.Artifact.df(include="storage__root")
    assert list(roots.columns) == ["uid", "key", "storage__root"]
    assert roots.loc[artifact.id, "storage__root"] == str(instance)
    assert "_aux" in ln.ULabel.to_dataframe(include="privates").columns
    with pytest.raises(ln.errors.FieldError, match="Unknown field 'colour'"):
        ln.ULabel.to_dataframe(include="colour")


def test_artifacts_of_runs_stay_out_of_sight(instance: Path) -> None:
    Path("a.txt").write_text("a")
    Path("log.txt").write_text("log")
    ln.Artifact("a.txt", key="a.txt", run=False).save()
    ln.Artifact("log.txt", description="log", kind="__lamindb_run__", run=False).save()
    assert ln.Artifact.df()["key"].tolist() == ["a.txt"]
    assert len(ln.Artifact.filter(kind="__lamindb_run__").df()) == 1
    assert len(ln.Artifact.filter()[:5].df()) == 2


def test_tables_for_other_libraries(instance: Path) -> None:
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    ln.ULabel(name="apple", type=None).save()
    ln.ULabel(name="pear", type=None, description="sweet").save()
    table = ln.ULabel.filter().order_by("id").to_arrow()
    assert table.column("name").to_pylist() == ["apple", "pear"]
    assert table.column("description").to_pylist() == [None, "sweet"]
    assert table.column("is_type").to_pylist() == [False, False]
    assert str(table.schema.field("created_at").type) == "timestamp[us, tz=UTC]"
    assert pyarrow.table(ln.ULabel.filter()).num_rows == 2, "a query is a table to whoever speaks Arrow"
    frame = ln.ULabel.filter().order_by("id").to_polars("name", "type__name", "is_type")
    assert frame.equals(polars.DataFrame({"name": ["apple", "pear"], "type__name": [None, None],
                                          "is_type": [False, False]}, schema=frame.schema))  # fmt: skip


def test_a_hundred_thousand_rows_take_less_than_a_second(instance: Path) -> None:
    ln.settings.creation.search_names = False
    ln.save([ln.ULabel(name=f"label {i}") for i in range(100_000)])
    ln.ULabel.filter()[:10].df()
    started = time.process_time()
    frame = ln.ULabel.filter().to_dataframe(limit=None)
    assert time.process_time() - started < 1
    assert len(frame) == 100_000
    assert frame["name"].iloc[-1] == "label 0"


def test_lists_are_tables_too(instance: Path) -> None:
    labels = ln.ULabel.from_values(["apple", "pear"], create=True)
    assert labels.df()["name"].tolist() == ["apple", "pear"]
    labels.save()
    assert labels.to_dataframe().index.tolist() == [1, 2]
