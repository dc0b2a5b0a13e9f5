"""Opening tables and stores without reading them whole."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pandas as pd
import polars
import pyarrow.dataset
import pyarrow.feather
import pyarrow.orc
import pytest

from holotype import loaders
from samples import TABLE, small_anndata

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")

ONLY_OPENS = "It is not allowed to open a {} object with `mode='{}'`."


@pytest.fixture(autouse=True)
def _in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_open_tables_with_pyarrow() -> None:
    TABLE.to_parquet("a.parquet")
    TABLE.to_csv("a.csv", index=False)
    TABLE.to_json("a.json", orient="records", lines=True)
    TABLE.to_orc("a.orc")
    for name in ("a.feather", "a.arrow", "a.ipc"):
        pyarrow.feather.write_feather(TABLE, name)
    for path in sorted(Path().iterdir()):
        dataset = loaders.open_(path)
        assert isinstance(dataset, pyarrow.dataset.Dataset)
        pd.testing.assert_frame_equal(dataset.to_table().to_pandas(), TABLE)


def test_open_tables_with_polars() -> None:
    TABLE.to_parquet("a.parquet")
    TABLE.to_csv("a.csv", index=False)
    TABLE.to_csv("a.tsv", index=False, sep="\t")
    TABLE.to_json("a.ndjson", orient="records", lines=True)
    polars.from_pandas(TABLE).write_ipc("a.ipc")
    for path in sorted(Path().iterdir()):
        with loaders.open_(path, engine="polars") as lazy:
            assert isinstance(lazy, polars.LazyFrame)
            assert lazy.collect().to_dict(as_series=False) == TABLE.to_dict("list")


def test_open_polars_asks_for_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    TABLE.to_parquet("a.parquet")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"^Please install polars: pip install 'holotype\[polars\]'$"):
        loaders.open_("a.parquet", engine="polars")


def test_open_folders() -> None:
    for part in ("k=1", "k=2"):
        Path("d", part).mkdir(parents=True)
        TABLE.to_parquet(f"d/{part}/x.parquet")
    Path("d/_SUCCESS").write_text("")
    assert loaders.open_("d").to_table().num_rows == 4
    assert loaders.open_("d", partitioning="hive").to_table().column("k").to_pylist() == [1, 1, 2, 2]
    with loaders.open_("d", engine="polars") as lazy:
        assert lazy.collect().height == 4
    TABLE.to_csv("d/other.csv")
    Path("none").mkdir()
    for path in ("d", "none"):
        with pytest.raises(ValueError) as caught:
            loaders.open_(path)
        assert str(caught.value) == (
            "The object should have .h5, .hdf5, .h5ad, .zarr, .tiledbsoma suffix be compatible with "
            "pyarrow.dataset.dataset or polars.scan_* functions, instead of being  object."
        )


@pytest.mark.parametrize("name", ["a.txt", "a.csv.gz", "a.fcs", "a.random"])
@pytest.mark.parametrize("options", [{}, {"engine": "polars"}, {"engine": "foo"}, {"mode": "x"}])
def test_open_unsupported_suffix(name: str, options: dict[str, str]) -> None:
    with pytest.raises(ValueError) as caught:
        loaders.open_(name, **options)
    text = str(caught.value)
    assert text.startswith(
        "Artifact should have a zarr, h5, tiledbsoma object or a compatible `pyarrow.dataset.dataset` or "
        "`polars.scan_*` directory as the underlying data, please use one of the following suffixes for the "
        "object name: .zarr, .anndata.zarr, .tiledbsoma, .h5, .h5.gz, .h5.tar.gz, .hdf5, .hdf5.gz, "
        ".hdf5.tar.gz, .h5ad, .h5ad.gz, .h5ad.tar.gz, "
    )
    assert text.endswith("files (no mixing allowed).")


def test_open_wrong_engine_mode_and_format() -> None:
    TABLE.to_csv("a.csv")
    Path("a.tsv").write_text("a\n1\n")
    Path("a.h5").write_bytes(b"")
    with pytest.raises(ValueError, match="^Unknown engine: foo. It should be 'pyarrow' or 'polars'.$"):
        loaders.open_("a.csv", engine="foo")
    with pytest.raises(ValueError) as caught:
        loaders.open_("a.tsv")
    assert str(caught.value) == (
        ".tsv files are not supported by pyarrow, they should have one of these formats: "
        ".parquet, .csv, .json, .orc, .arrow, .feather, .ipc."
    )
    Path("a.arrow").write_bytes(b"")
    with pytest.raises(ValueError) as caught:
        loaders.open_("a.arrow", engine="polars")
    assert str(caught.value) == (
        ".arrow files are not supported by polars, they should have one of these formats: "
        ".parquet, .csv, .tsv, .ndjson, .ipc."
    )
    small_anndata().write_zarr("a.zarr")
    for name, mode in (("a.csv", "w"), ("a.csv", "r+"), ("a.h5", "r+"), ("a.zarr", "w")):
        with pytest.raises(ValueError) as caught:
            loaders.open_(name, mode=mode)
        assert str(caught.value).startswith(ONLY_OPENS.format(Path(name).suffix, mode))
    with pytest.raises(FileNotFoundError):
        loaders.open_("absent.parquet")
    with pytest.raises(TypeError, match="bad"):
        loaders.open_("a.csv", bad=1)


def test_open_tiledbsoma_calls_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.tiledbsoma").mkdir()
    monkeypatch.setitem(sys.modules, "tiledbsoma", None)
    with pytest.raises(ImportError, match="^Please install tiledbsoma: pip install tiledbsoma$"):
        loaders.open_("a.tiledbsoma")
    library = types.SimpleNamespace(open=lambda uri, mode: (uri, mode))
    monkeypatch.setitem(sys.modules, "tiledbsoma", library)
    assert loaders.open_("a.tiledbsoma", mode="w") == ("a.tiledbsoma", "w")
    with pytest.raises(ValueError, match="not allowed"):
        loaders.open_("a.tiledbsoma", mode="r+")
