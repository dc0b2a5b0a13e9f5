"""Objects in memory: their kind, suffix, size and writing them to disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pytest

from holotype import loaders
from holotype.examples import datasets
from samples import TABLE, small_anndata

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")


@pytest.fixture(autouse=True)
def _in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Impostor:
    """Not a data frame, whatever its name."""


def test_kind_of() -> None:
    class Derived(pd.DataFrame):
        pass

    Impostor.__name__ = "DataFrame"
    assert loaders.kind_of(TABLE) == loaders.kind_of(Derived(TABLE)) == "DataFrame"
    assert loaders.kind_of(polars.DataFrame({"a": [1]})) == "DataFrame"
    assert loaders.kind_of(small_anndata()) == loaders.kind_of(small_anndata()[:2]) == "AnnData"
    assert loaders.kind_of(datasets.mudata_papalexi21_subset()) == "MuData"
    assert [loaders.kind_of(x) for x in ("a.csv", Path("a"), 3, None, Impostor(), TABLE["a"])] == [None] * 6


def fake_spatialdata() -> Any:
    cls = type("SpatialData", (), {"write": lambda self, path: Path(path).write_text("written")})
    cls.__module__ = "spatialdata._core.spatialdata"
    return cls()


@pytest.mark.parametrize(
    ("make", "key", "format", "expected"),
    [
        (lambda: TABLE, None, None, ".parquet"),
        (lambda: TABLE, "x.csv", None, ".csv"),
        (lambda: TABLE, "x.CSV", None, ".csv"),
        (lambda: TABLE, "x.tsv", None, ".parquet"),
        (lambda: TABLE, "x", "csv", ".csv"),
        (lambda: TABLE, "x.csv", ".parquet", ".parquet"),
        (lambda: polars.DataFrame({"a": [1]}), "x.csv", None, ".csv"),
        (small_anndata, None, None, ".h5ad"),
        (small_anndata, "x", None, ".h5ad"),
        (small_anndata, "x.zarr", None, ".zarr"),
        (small_anndata, "x.anndata.zarr", None, ".anndata.zarr"),
        (small_anndata, "x.spatialdata.zarr", None, ".zarr"),
        (small_anndata, "x.h5ad", "zarr", ".zarr"),
        (datasets.mudata_papalexi21_subset, "x.anything", None, ".h5mu"),
        (fake_spatialdata, None, None, ".zarr"),
    ],
)
def test_suffix_of_object(make: Any, key: str | None, format: str | None, expected: str) -> None:
    assert loaders.suffix_of_object(make(), key, format) == expected


@pytest.mark.parametrize(
    ("key", "format", "shown"), [("x.foo", None, "foo"), ("x", "foo", "foo"), ("a.h5ad.gz", None, "h5ad.gz")]
)
def test_suffix_of_anndata_is_refused(key: str, format: str | None, shown: str) -> None:
    with pytest.raises(ValueError) as caught:
        loaders.suffix_of_object(small_anndata(), key, format)
    assert str(caught.value) == (
        f"Error when specifying AnnData storage format, it should be 'h5ad', 'zarr', not '{shown}'. "
        "Check 'format' or the suffix of 'key'."
    )


def test_other_objects_are_refused() -> None:
    for obj in (3, {"a": 1}, [1], np.ones(2)):
        with pytest.raises(TypeError, match="^data has to be a string, Path, UPath$"):
            loaders.suffix_of_object(obj, "x.json")
        with pytest.raises(TypeError, match="^data has to be a string, Path, UPath$"):
            loaders.to_disk(obj, "x.json")
    with pytest.raises(ValueError, match="should be 'parquet', 'csv', not 'xlsx'"):
        loaders.suffix_of_object(TABLE, None, "xlsx")


def test_to_disk_round_trips() -> None:
    named = TABLE.set_index(pd.Index(["r1", "r2"], name="row"))
    for name in ("a.parquet", "new/folder/a.csv"):
        pd.testing.assert_frame_equal(loaders.load(loaders.to_disk(TABLE, name)), TABLE)
    pd.testing.assert_frame_equal(loaders.load(loaders.to_disk(named, "n.parquet")), named)
    assert loaders.load(loaders.to_disk(named, "n.csv")).columns.to_list() == ["row", "a", "b"]
    assert loaders.load(loaders.to_disk(TABLE.iloc[1:], "s.csv")).shape == (1, 3)
    assert loaders.load(loaders.to_disk(TABLE, "i.csv", index=True)).shape == (2, 3)
    for name in ("p.parquet", "p.csv"):
        frame = polars.DataFrame({"a": [1, 2], "b": ["x", "y"]})
        pd.testing.assert_frame_equal(loaders.load(loaders.to_disk(frame, name)), TABLE)
    for name in ("a.h5ad", "a.zarr", "b.anndata.zarr"):
        assert loaders.load(loaders.to_disk(small_anndata(), name)).shape == (40, 60)
    assert loaders.to_disk(fake_spatialdata(), "s.zarr").read_text() == "written"
    attributes = loaders.load(loaders.to_disk(datasets.small_dataset1(), "attrs.parquet")).attrs
    assert attributes["temperature"] == 21.6
    dated = datasets.small_dataset1(with_date_as_iso_string=False)
    dated.attrs = {"array": np.arange(2), **dated.attrs}
    dated.attrs["set"] = {1}
    attributes = loaders.load(loaders.to_disk(dated, "dated.parquet")).attrs
    assert (attributes["date_of_study"], attributes["array"], attributes["set"]) == (
        "2024-12-01",
        [0, 1],
        "{1}",
    )
    assert str(type(dated.attrs["date_of_study"])) == "<class 'datetime.date'>"
    with pytest.raises(ValueError, match=r"Cannot write DataFrame to 'a.tsv': .* one of '.parquet', '.csv'"):
        loaders.to_disk(TABLE, "a.tsv")
    with pytest.raises(ValueError, match="Cannot write AnnData"):
        loaders.to_disk(small_anndata(), "a.csv")


def test_n_observations() -> None:
    assert loaders.n_observations(TABLE) == 2
    assert loaders.n_observations(polars.DataFrame({"a": [1, 2, 3]})) == 3
    assert loaders.n_observations(small_anndata()) == 40
    assert loaders.n_observations(datasets.mudata_papalexi21_subset()) == 200
    TABLE.to_parquet("a.parquet")
    assert loaders.n_observations("a.parquet") == 2
    Path("f.parquet").mkdir()
    for number in range(3):
        TABLE.to_parquet(f"f.parquet/{number}.parquet")
    assert loaders.n_observations(Path("f.parquet")) == 6
    small_anndata().write_h5ad("a.h5ad")
    assert loaders.n_observations("a.h5ad") == 40
    TABLE.to_csv("a.csv")
    assert loaders.n_observations("a.csv") is None
    assert loaders.n_observations(3) is None
