"""Several datasets as one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from holotype import loaders
from holotype.examples import datasets
from samples import TABLE, old_mudata_options, small_anndata

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")


@pytest.fixture(autouse=True)
def _in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_tables() -> list[str]:
    pd.DataFrame({"a": [1, 2], "b": [1, 2]}).to_csv("1.csv", index=False)
    pd.DataFrame({"a": [1, 3], "c": [1, 2]}).to_csv("2.csv", index=False)
    return ["1.csv", "2.csv"]


def test_load_collection_of_tables() -> None:
    paths = write_tables()
    outer = loaders.load_collection(paths, ["u1", "u2"])
    assert outer.index.to_list() == [0, 1, 0, 1]
    assert outer.columns.to_list() == ["a", "b", "c"]
    assert outer["b"].isna().to_list() == [False, False, True, True]
    assert loaders.load_collection(paths[::-1], ["u2", "u1"])["a"].to_list() == [1, 3, 1, 2]
    assert loaders.load_collection(paths, ["u1", "u2"], join="inner").columns.to_list() == ["a"]
    assert loaders.load_collection(paths, ["u1", "u2"], ignore_index=True).index.to_list() == [0, 1, 2, 3]
    assert loaders.load_collection(paths[:1], ["u1"]).shape == (2, 2)
    for number in (1, 2):
        Path(f"{number}.csv").rename(f"renamed{number}")
    named = loaders.load_collection(["renamed1", "renamed2"], ["u1", "u2"], suffixes_raw=[".csv", ".csv"])
    assert len(named) == 4


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_load_collection_of_anndata(suffix: str) -> None:
    first = small_anndata()
    second = first[:, 10:].copy()
    second.obs_names = [f"other{number}" for number in range(40)]
    paths = [loaders.to_disk(first, f"1{suffix}"), loaders.to_disk(second, f"2{suffix}")]
    joined = loaders.load_collection(paths, ["uid1", "uid2"])
    assert joined.shape == (80, 60)
    assert joined.obs["artifact_uid"].value_counts().to_dict() == {"uid1": 40, "uid2": 40}
    assert loaders.load_collection(paths, ["uid1", "uid2"], join="inner").shape == (80, 50)
    labelled = loaders.load_collection(paths, ["uid1", "uid2"], label="from", keys=["x", "y"])
    assert labelled.obs["from"].iloc[[0, -1]].to_list() == ["x", "y"]
    assert "artifact_uid" not in loaders.load_collection(paths, ["u", "v"], label=None).obs


def test_load_collection_errors() -> None:
    paths = write_tables()
    TABLE.to_parquet("1.parquet")
    for name in ("1.fasta", "2.fasta"):
        Path(name).write_text(">a")
    with pytest.raises(
        ValueError, match="^Can only load collections where all artifacts have the same suffix$"
    ):
        loaders.load_collection(["1.csv", "1.parquet"], ["u", "v"])
    with pytest.raises(ValueError, match="^Unable to concatenate .fasta objects.$"):
        loaders.load_collection(["1.fasta", "2.fasta"], ["u", "v"])
    with old_mudata_options():
        loaders.to_disk(datasets.mudata_papalexi21_subset(), "m.zarr")
        with pytest.raises(ValueError, match="^Unable to concatenate .zarr objects.$"):
            loaders.load_collection(["m.zarr", "m.zarr"], ["u", "v"])
    with pytest.raises(ValueError, match="no artifacts"):
        loaders.load_collection([], [])
    with pytest.raises(TypeError, match="sep"):
        loaders.load_collection(paths, ["u", "v"], sep=";")


def test_open_collection() -> None:
    for number in (1, 2):
        TABLE.assign(n=number).to_parquet(f"{number}.parquet")
    for order in ([1, 2], [2, 1]):
        paths = [f"{number}.parquet" for number in order]
        table = loaders.open_collection(paths).to_table()
        assert table.column("n").to_pylist() == [order[0]] * 2 + [order[1]] * 2
        with loaders.open_collection(paths, engine="polars") as lazy:
            assert lazy.select("n").collect()["n"].to_list() == [order[0]] * 2 + [order[1]] * 2
    for number in (1, 2):
        Path(f"folder{number}").mkdir()
        Path(f"{number}.parquet").rename(f"folder{number}/x.parquet")
    assert loaders.open_collection(["folder1", "folder2"]).count_rows() == 4
    assert loaders.open_collection(write_tables()).to_table().num_rows == 4


def test_open_collection_errors() -> None:
    write_tables()
    TABLE.to_parquet("1.parquet")
    for name in ("1.fasta", "2.fasta"):
        Path(name).write_text(">a")
    for engine in ("pyarrow", "polars"):
        with pytest.raises(ValueError) as caught:
            loaders.open_collection(["1.parquet", "1.csv"], engine)
        assert str(caught.value) == (
            "The artifacts in the collection have different file formats: .csv, .parquet.\n"
            "It is not possible to open such stores with pyarrow or polars."
        )
    with pytest.raises(ValueError, match="^.fasta files are not supported by pyarrow, they should have one"):
        loaders.open_collection(["1.fasta", "2.fasta"])
    with pytest.raises(ValueError, match="^Unknown engine: foo"):
        loaders.open_collection(["1.csv", "2.csv"], "foo")
