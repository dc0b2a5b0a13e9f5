"""Features in Python: their types, what artifacts, runs and records hold of them, and look-ups by them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def lab(instance: Path) -> Path:
    """An instance with features and labels, in which nothing is said about names."""
    import holotype as ln
    from holotype import bionty as bt

    ln.settings.creation.search_names = False
    ln.settings.verbosity = "error"
    sample = ln.Record(name="Sample", is_type=True).save()
    dtypes: dict[str, Any] = {
        "temp": float,
        "n": int,
        "ok": bool,
        "note": str,
        "config": dict,
        "day": datetime.date,
        "at": datetime.datetime,
        "tags": list[str],
        "label": ln.ULabel,
        "labels": list[ln.ULabel],
        "cell": bt.CellType.ontology_id,
        "sample": sample,
    }
    for name, dtype in dtypes.items():
        ln.Feature(name=name, dtype=dtype).save()
    ln.save([ln.ULabel(name="A"), ln.ULabel(name="B")])
    ln.Record(name="s1", type=sample).save()
    ln.settings.verbosity = "warning"
    return instance


def artifact(name: str, **options: Any) -> Any:
    import holotype as ln

    Path(name).write_text(name)
    return ln.Artifact(name, key=name, run=False, **options).save()


def test_types_are_python_objects_and_back(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pandas as pd

    import holotype as ln
    from holotype import bionty as bt

    kinds = {
        "temp": float,
        "day": datetime.date,
        "tags": list[str],
        "label": ln.ULabel.name,
        "cell": bt.CellType.ontology_id,
        "sample": ln.Record.get(name="Sample"),
    }
    for name, kind in kinds.items():
        found = ln.Feature.get(name=name).dtype_as_object
        assert (found == kind) if not isinstance(kind, type(ln.ULabel.name)) else repr(found) == repr(kind)
    union = ln.Feature(name="x", dtype=[bt.CellType, bt.Tissue])
    assert union.dtype_as_str == "cat[bionty.CellType|bionty.Tissue]"
    assert repr(union.dtype_as_object) == "[FieldAttr(CellType.name), FieldAttr(Tissue.name)]"
    narrowed = ln.Feature(
        name="y", dtype=ln.ULabel, cat_filters={"type": ln.ULabel(name="T", is_type=True).save()}
    )
    assert narrowed.dtype_as_str.startswith("cat[ULabel[")
    assert capsys.readouterr().out == ""
    assert ln.Feature(name="z", dtype="float").dtype_as_str == "float"
    assert "rather than passing a string 'float' to dtype" in capsys.readouterr().out
    frame = pd.DataFrame(
        {"a": [1], "b": [0.5], "c": pd.Categorical(["x"]), "d": pd.to_datetime(["2024-01-01"])}
    )
    assert [f.dtype_as_str for f in ln.Feature.from_dataframe(frame)] == [
        "int",
        "float",
        "cat[ULabel]",
        "datetime",
    ]
    ln.settings.creation.search_names = True
    made = ln.Feature.from_dict({"temp": 1.5, "new": ["a"], "cells": ln.ULabel.get(name="A")}).save()
    assert [f.dtype_as_str for f in made] == ["float", "list[str]", "cat[ULabel]"]
    assert made[0] == ln.Feature.get(name="temp")
    for wrong, kind in [
        (list, ValueError),
        ("foo", ValueError),
        ("cat[Nope]", ln.errors.ValidationError),
        (None, ln.errors.ValidationError),
        (ln.ULabel.get(name="A"), ln.errors.InvalidArgument),
        ([kinds["sample"], kinds["sample"]], ln.errors.InvalidArgument),
    ]:
        with pytest.raises(kind):
            ln.Feature(name="wrong", dtype=wrong)
    with pytest.raises(
        ln.errors.ValidationError, match="Feature n already exists with dtype int, you passed str"
    ):
        ln.Feature(name="n", dtype=str)


def test_values_come_back_in_their_types(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    import holotype as ln

    a, b = ln.ULabel.get(name="A"), ln.ULabel.get(name="B")
    day, at = datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 1, 3, 4, 5)
    host = artifact("a.txt")
    plain = {
        "temp": 1.5,
        "n": np.int64(3),
        "ok": True,
        "note": "x",
        "config": {"a": [1]},
        "day": day,
        "at": at,
    }
    host.features.add_values(plain | {"tags": ("p",), "label": [a, "B"], "labels": [a], "cell": None})
    values = host.features.get_values()
    assert values == plain | {"n": 3, "tags": ["p"], "label": {"A", "B"}, "labels": ["A"]}
    assert type(values["n"]) is int
    assert host.features["labels"] == a
    assert set(host.features["label"]) == {a, b}
    assert (host.features["day"], host.features["cell"], host.features.get("cell", 1)) == (day, None, 1)
    with pytest.raises(ln.errors.ValidationError, match="Feature with name nope not found"):
        host.features["nope"]
    host.features.update_values({"temp": 2.5, "config": {}, "label": b})
    host.features.remove_values(["at", ln.Feature.get(name="day")])
    host.features.remove_values("note", value="y")
    assert "no feature 'note' with value 'y' found on artifact" in capsys.readouterr().out
    assert host.features.get_values() == {
        "label": "B",
        "labels": ["A"],
        "n": 3,
        "note": "x",
        "ok": True,
        "tags": ["p"],
        "temp": 2.5,
    }
    host.features.set_values({"temp": 3.5})
    assert repr(host.features).splitlines() == [
        f"Artifact: a.txt ({host.uid[-4:]})",
        "└── Features",
        "    └── temp  float   3.5",
    ]
    with pytest.raises(
        ln.errors.ValidationError, match="expected series 'temp' to have type float, got int64"
    ):
        host.features.set_values({"temp": 3})
    assert host.features.get_values() == {"temp": 3.5}
    host.features.remove_values()
    assert host.features.get_values() == {}
    with pytest.raises(ValueError, match="not saved yet"):
        ln.Record(name="new").features.set_values({"temp": 1.5})


def test_values_are_given_with_the_record(lab: Path) -> None:
    import holotype as ln

    assert artifact("a.txt", features={"temp": 1.5}).features["temp"] == 1.5
    record = ln.Record(name="r1", features={"temp": 2.5, "tags": ["p"]}).save()
    record.features.add_values({"tags": ["q"]})
    assert record.features.get_values() == {"tags": ["p", "q"], "temp": 2.5}
    ln.save([ln.Record(name="r2", features={"temp": 3.5}), ln.Record(name="r3")])
    assert [r.name for r in ln.Record.filter(temp__gt=2.0).order_by("name")] == ["r1", "r2"]
    with pytest.raises(ln.errors.ValidationError, match="to-one features on a Record"):
        record.features.add_values({"temp": 1.5})


def test_a_tracked_run_holds_features(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import holotype as ln

    Path("script.py").write_text("print(1)")
    ln.settings.verbosity = "hint"
    with pytest.raises(ln.errors.ValidationError, match="These keys could not be validated"):
        ln.track(features={"nope": 1}, path="script.py")
    assert ln.Run.filter().count() == 0
    ln.track(features={"temp": 3.2, "sample": ln.Record.get(name="s1")}, params={"lr": 0.1}, path="script.py")
    run = ln.context.run
    ln.finish()
    assert "→ params: lr=0.1\n→ features: temp=3.2, sample='s1'\n" in capsys.readouterr().out
    assert run.features.get_values() == {"sample": "s1", "temp": 3.2}
    assert ln.Run.filter(temp=3.2, sample="s1").one() == run
    with pytest.raises(ln.errors.InvalidArgument, match="A Run cannot hold values of 'label'"):
        run.features.add_values({"label": "A"})


def test_records_are_found_by_features(lab: Path) -> None:
    import holotype as ln

    a = ln.ULabel.get(name="A")
    warm = artifact(
        "warm.txt", features={"temp": 3.2, "label": "A", "note": "Hello", "day": datetime.date(2024, 1, 2)}
    )
    hot = artifact(
        "hot.txt", features={"temp": 4.0, "label": ["A", "B"], "at": datetime.datetime(2024, 1, 1, 3)}
    )
    bare = artifact("bare.txt")
    temp, label = ln.Feature.get(name="temp"), ln.Feature.get(name="label")

    def found(*conditions: Any, **expressions: Any) -> set[Any]:
        return set(ln.Artifact.filter(*conditions, **expressions))

    assert found(temp=3.2) == found(temp == 3.2) == found(temp__lt=4) == found(temp < 4) == {warm}
    assert found(temp__in=[4.0]) == found(temp__range=(3.5, 5.0)) == found(temp >= 3.5) == {hot}
    assert found(temp__isnull=True) == found(temp.is_null()) == {bare}
    assert found(temp != 3.2) == found(~(temp == 3.2)) == {hot, bare}
    assert found(label="A") == found(label=a) == found(label == "A") == {warm, hot}
    assert found(label__name="B") == found(label__in=["B"]) == found(key="hot.txt", label="A") == {hot}
    assert found(note__icontains="ELL") == found(day=datetime.date(2024, 1, 2)) == {warm}
    assert found(at__gt=datetime.datetime(2024, 1, 1)) == {hot}
    assert found(ln.Q(temp=3.2) | ln.Q(label="B")) == {warm, hot}
    assert ln.Artifact.get(temp=3.2) == warm
    assert temp in [label, temp]
    with pytest.raises(ln.errors.DoesNotExist, match="Did not find a ULabel matching `name=zzz`"):
        found(label="zzz")
    with pytest.raises(ln.errors.InvalidArgument, match="Or fix invalid feature names: nope"):
        found(nope=1)
    with pytest.raises(TypeError, match="Feature predicates cannot be used as booleans"):
        bool(temp > 3)
    with pytest.raises(
        ln.errors.FieldError, match="only supported for Artifact, Run, and Record, not ULabel"
    ):
        ln.ULabel.filter(temp > 3)


def test_features_are_columns(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import holotype as ln

    artifact("one.txt", features={"temp": 3.2, "n": 1, "ok": True, "label": "A", "labels": ["A"]})
    artifact("two.txt", features={"temp": 4.0, "label": "B", "at": datetime.datetime(2024, 1, 1, 3)})
    frame = ln.Artifact.to_dataframe(include=["created_by__handle", "features"], order_by="id")
    columns = ["uid", "key", "created_by__handle", "temp", "n", "ok", "at", "label", "labels"]
    assert list(frame.columns) == columns
    dtypes = {name: str(frame[name].dtype) for name in ("temp", "n", "ok", "at", "label", "labels")}
    expected = {"temp": "float64", "n": "Int64", "ok": "boolean", "at": "datetime64[ns]", "label": "category"}
    assert dtypes == expected | {"labels": "object"}
    assert (frame["temp"].tolist(), frame["labels"].tolist()[0]) == ([3.2, 4.0], ["A"])
    chosen = ln.Artifact.to_dataframe(features=["label", "nope"])
    assert list(chosen.columns) == ["uid", "key", "label"]
    assert " - passed: ['label', 'nope']\n - found: ['label']" in capsys.readouterr().out
    ln.Artifact.get(key="one.txt").features.add_values({"label": "B"})
    assert ln.Artifact.to_dataframe(features="label", order_by="id")["label"].tolist() == [{"A", "B"}, "B"]
    with pytest.raises(ln.errors.FieldError, match="A ULabel holds no features"):
        ln.ULabel.to_dataframe(include="features")
