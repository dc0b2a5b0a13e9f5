"""Loading local files and folders into memory."""

from __future__ import annotations

import gzip
import json
import sys
import types
from pathlib import Path

import anndata
import mudata
import numpy as np
import pandas as pd
import pytest

from holotype import loaders
from holotype.examples import datasets
from samples import (
    TABLE,
    ZARR_VERSIONS,
    old_mudata_options,
    small_anndata,
    spatial_store,
    tar_gz,
    zarr_anndata,
    zarr_array,
)

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")


@pytest.fixture(autouse=True)
def _in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_load_tables() -> None:
    csv = TABLE.to_csv(index=False).encode()
    tsv = TABLE.to_csv(index=False, sep="\t").encode()
    TABLE.to_parquet("a.parquet")
    for suffix, content in ((".csv", csv), (".tsv", tsv)):
        Path(f"a{suffix}").write_bytes(content)
        Path(f"a{suffix}.gz").write_bytes(gzip.compress(content))
        tar_gz(f"a{suffix}.tar.gz", {"inner": content})
    for path in sorted(Path().iterdir()):
        pd.testing.assert_frame_equal(loaders.load(path), TABLE)
    assert loaders.load("a.csv", usecols=["a"]).columns.to_list() == ["a"]
    assert loaders.load("a.tsv", sep=";").shape == (2, 1)
    # The given suffix decides, whatever the name.
    Path("a.csv.gz").rename("plain")
    pd.testing.assert_frame_equal(loaders.load("plain", ".csv.gz"), TABLE)
    with pytest.raises(TypeError, match="unexpected keyword"):
        loaders.load("a.csv", foo=1)


def test_load_anndata_in_all_its_forms() -> None:
    adata = small_anndata()
    adata.write_h5ad("a.h5ad")
    content = Path("a.h5ad").read_bytes()
    Path("a.h5ad.gz").write_bytes(gzip.compress(content))
    tar_gz("a.h5ad.tar.gz", {"folder/whatever": content})
    adata.write_zarr("a.zarr")
    adata.write_zarr("a.anndata.zarr")
    assert len(list(Path().iterdir())) == 5
    for path in Path().iterdir():
        loaded = loaders.load(path)
        assert loaded.shape == (40, 60)
        assert np.array_equal(loaded.X, adata.X)
    assert loaders.load("a.h5ad", backed="r").isbacked
    tar_gz("two.h5ad.tar.gz", {"one": b"1", "two": b"2"})
    with pytest.raises(ValueError, match="holds 2 files instead of one"):
        loaders.load("two.h5ad.tar.gz")


@pytest.mark.parametrize("version", ZARR_VERSIONS)
def test_load_zarr_by_content(version: int) -> None:
    zarr_anndata("a.zarr", version)
    assert isinstance(loaders.load("a.zarr"), anndata.AnnData)
    assert loaders.n_observations("a.zarr") == 40
    zarr_array("other.zarr", version)
    with pytest.raises(ValueError, match="^Unable to determine zarr store format and therefore cannot load"):
        loaders.load("other.zarr")
    Path("empty.zarr").mkdir()
    with pytest.raises(ValueError, match="^Could not open zarr store: "):
        loaders.load("empty.zarr")
    assert loaders.n_observations("other.zarr") is None


def test_load_mudata() -> None:
    mdata = datasets.mudata_papalexi21_subset()
    with old_mudata_options():
        assert loaders.to_disk(mdata, "m.h5mu") == Path("m.h5mu")
        loaders.to_disk(mdata, "m.zarr")
        for path in ("m.h5mu", "m.zarr"):
            loaded = loaders.load(path)
            assert isinstance(loaded, mudata.MuData)
            assert loaded.shape == (200, 300)


def test_load_spatialdata_calls_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    spatial_store("s.zarr")
    monkeypatch.setitem(sys.modules, "spatialdata", None)
    with pytest.raises(ImportError, match=r"pip install 'holotype\[spatial\]'"):
        loaders.load("s.zarr")
    library = types.SimpleNamespace(read_zarr=lambda path, **options: ("read", path, options))
    monkeypatch.setitem(sys.modules, "spatialdata", library)
    assert loaders.load("s.zarr", selection=("tables",)) == (
        "read",
        Path("s.zarr"),
        {"selection": ("tables",)},
    )


def test_load_fcs() -> None:
    loaded = loaders.load(datasets.file_fcs())
    assert loaded.shape == (1000, 16)
    assert loaded.var_names[0] == "FSC-A"


def test_load_text_and_structures() -> None:
    Path("a.json").write_text('{"x": [1]}')
    Path("a.vitessce.json").write_text("[1, 2]")
    Path("a.yaml").write_text("x: [1, 2]\n")
    Path("a.yml").write_text("- 1\n")
    Path("a.txt").write_bytes("hé\r\n".encode())
    Path("a.fasta").write_text(">x\nACGT\n")
    loaded = [loaders.load(p) for p in sorted(Path().iterdir())]
    assert loaded == [">x\nACGT\n", {"x": [1]}, "hé\n", [1, 2], {"x": [1, 2]}, [1]]
    Path("bad.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        loaders.load("bad.json")
    Path("latin.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(UnicodeDecodeError):
        loaders.load("latin.txt")
    assert loaders.load("latin.txt", encoding="latin-1") == "é"


def test_pictures_give_their_path_outside_notebooks() -> None:
    for suffix in (".html", ".jpg", ".png", ".gif", ".svg"):
        path = Path(f"a{suffix}")
        path.write_bytes(b"x")
        assert loaders.load(path) == path


def test_pictures_are_shown_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython
    from IPython import display

    shown: list[object] = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setattr(display, "display", shown.append)
    Path("a.html").write_text("<b>x</b>")
    Path("a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    for path in ("a.html", "a.svg", datasets.file_jpg_paradisi05()):
        assert loaders.load(path) is None
    assert [type(item) for item in shown] == [display.HTML, display.SVG, display.Image]


def test_rds_gives_its_path_and_a_warning() -> None:
    Path("a.rds").write_bytes(b"x")
    messages: list[str] = []
    assert loaders.load("a.rds", on_warning=messages.append) == Path("a.rds")
    assert messages == ["Please use `laminr` to load `.rds` files"]
    with pytest.warns(UserWarning, match="laminr"):
        loaders.load("a.rds")


@pytest.mark.parametrize(
    ("name", "shown"), [("a.md", ".md"), ("a.random", ".random"), ("noext", ""), ("a.fa", ".fa")]
)
def test_no_loader(name: str, shown: str) -> None:
    Path(name).write_text("x")
    with pytest.raises(NotImplementedError) as caught:
        loaders.load(name)
    assert str(caught.value) == f"There is no loader for {shown} files. Use .cache() to get the path."


def test_load_missing_file_and_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "a.zarr", "a.rds", "a.h5ad"):
        with pytest.raises(FileNotFoundError, match=name):
            loaders.load(name)
    needed = {"a.h5ad": "anndata", "a.h5mu": "mudata", "a.fcs": "readfcs", "a.yaml": "yaml"}
    extras = {"anndata": "anndata", "mudata": "anndata", "readfcs": "fcs", "yaml": "yaml"}
    for name, module in needed.items():
        Path(name).write_text("x")
        monkeypatch.setitem(sys.modules, module, None)
        expected = f"Please install {module}: pip install 'holotype[{extras[module]}]'"
        with pytest.raises(ImportError) as caught:
            loaders.load(name)
        assert str(caught.value) == expected


def test_listed_suffixes_have_a_loader() -> None:
    listed = loaders.suffixes_with_loader()
    assert listed == sorted(listed)
    assert {".csv.tar.gz", ".h5ad", ".vitessce.json", ".rds"} <= set(listed)
