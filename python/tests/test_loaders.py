"""Reading, opening, writing and concatenating local datasets."""

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
import types
import warnings
from pathlib import Path
from typing import Any

import anndata
import h5py
import mudata
import numpy as np
import pandas as pd
import polars
import pyarrow.dataset
import pyarrow.feather
import pyarrow.orc
import pytest
import scipy.sparse
import zarr
from holotype import accessors, loaders, suffixes
from holotype.examples import datasets
from hypothesis import given
from hypothesis import strategies as st

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
ONLY_OPENS = "It is not allowed to open a {} object with `mode='{}'`."


@pytest.fixture(autouse=True)
def _in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _quiet_zarr_format() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*zarr v2.*")
        yield


def tar_gz(name: str, members: dict[str, bytes]) -> Path:
    with tarfile.open(name, "w:gz") as archive:
        for member, content in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return Path(name)


def small_anndata() -> anndata.AnnData:
    adata = datasets.anndata_pbmc68k_reduced()[:40, :60].copy()
    adata.layers["csr"] = scipy.sparse.random(40, 60, 0.3, "csr", random_state=0)
    adata.layers["csc"] = scipy.sparse.random(40, 60, 0.3, "csc", random_state=1)
    adata.obsm["df"] = adata.obs[["n_genes"]].copy()
    adata.raw = adata.copy()
    return adata


# -- suffixes


@pytest.mark.parametrize(
    ("name", "canonical", "raw"),
    [
        ("x.fastq.gz", ".fastq.gz", ".fastq.gz"),
        ("a.b.c.csv.gz", ".csv.gz", ".csv.gz"),
        ("x.tar.gz", ".tar.gz", ".tar.gz"),
        ("x.h5ad.tar.gz", ".h5ad.tar.gz", ".h5ad.tar.gz"),
        ("x.txt.tar.zst", ".txt.tar.zst", ".txt.tar.zst"),
        ("x.foo.tar.gz", ".tar.gz", ".tar.gz"),
        ("x.gz.tar", ".tar", ".tar"),
        ("x.tar.gz.gz", ".gz", ".gz"),
        ("x.csv.random.gz", ".gz", ".gz"),
        ("x.anndata.zarr", ".anndata.zarr", ".anndata.zarr"),
        ("x.OME.ZARR", ".ome.zarr", ".ome.zarr"),
        ("x.spatialdata.zarr", ".zarr", ".zarr"),
        ("x.ome.tif", ".tif", ".tif"),
        ("x.TIFF", ".tiff", ".tiff"),
        ("x.2022_07.txt", ".txt", ".txt"),
        ("x..csv", ".csv", ".csv"),
        ("x.csv.", "", ""),
        ("x.random", "", ".random"),
        ("x.bam.bai", "", ".bai"),
        ("x.txt.bak", "", ".bak"),
        ("x.random.gz", ".gz", ".gz"),
        (".hidden", "", ""),
        ("noext", "", ""),
        ("folder.d/file", "", ""),
        ("folder/x.zarr/", ".zarr", ".zarr"),
    ],
)
def test_split_suffix(name: str, canonical: str, raw: str) -> None:
    assert suffixes.split_suffix(name) == (canonical, raw)


def test_suffixes_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suffixes, "simple_formats", {*suffixes.simple_formats, ".mzml"})
    assert suffixes.split_suffix("x.mzML.gz") == (".mzml.gz", ".mzml.gz")


@given(st.text(alphabet="ab.gztrcsv/", max_size=20))
def test_suffix_is_the_end_of_the_name(name: str) -> None:
    canonical, raw = suffixes.split_suffix(name)
    assert canonical in ("", raw)
    assert name.rstrip("/").endswith(raw)
    assert raw == "" or raw.startswith(".")


# -- load


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


@pytest.mark.parametrize("version", [2, 3])
def test_load_zarr_by_content(version: int) -> None:
    with anndata.settings.override(zarr_write_format=version):
        small_anndata().write_zarr("a.zarr")
    assert isinstance(loaders.load("a.zarr"), anndata.AnnData)
    assert loaders.n_observations("a.zarr") == 40
    zarr.open_group("other.zarr", mode="w", zarr_format=version).create_array("d", data=np.arange(3))
    with pytest.raises(ValueError, match="^Unable to determine zarr store format and therefore cannot load"):
        loaders.load("other.zarr")
    Path("empty.zarr").mkdir()
    with pytest.raises(ValueError, match="^Could not open zarr store: "):
        loaders.load("empty.zarr")
    assert loaders.n_observations("other.zarr") is None


def test_load_mudata() -> None:
    mdata = datasets.mudata_papalexi21_subset()
    with mudata.set_options(pull_on_update=False):
        assert loaders.to_disk(mdata, "m.h5mu") == Path("m.h5mu")
        loaders.to_disk(mdata, "m.zarr")
        for path in ("m.h5mu", "m.zarr"):
            loaded = loaders.load(path)
            assert isinstance(loaded, mudata.MuData)
            assert loaded.shape == (200, 300)


def spatial_store(path: str) -> None:
    """Writes the layout of a SpatialData store: a marked group with AnnData tables."""
    root = zarr.open_group(path, mode="w", zarr_format=3)
    root.attrs["spatialdata_attrs"] = {"version": "0.2"}
    with anndata.settings.override(zarr_write_format=3):
        anndata.io.write_elem(root.create_group("tables"), "table", small_anndata())
    zarr.consolidate_metadata(root.store)


def test_load_spatialdata_calls_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    spatial_store("s.zarr")
    monkeypatch.setitem(sys.modules, "spatialdata", None)
    with pytest.raises(ImportError, match=r"pip install 'holotype\[spatial\]'"):
        loaders.load("s.zarr")
    library = types.SimpleNamespace(read_zarr=lambda path, **options: ("read", path, options))
    monkeypatch.setitem(sys.modules, "spatialdata", library)
    assert loaders.load("s.zarr", selection=("tables",)) == ("read", Path("s.zarr"), {"selection": ("tables",)})


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


@pytest.mark.parametrize(("name", "shown"), [("a.md", ".md"), ("a.random", ".random"), ("noext", ""), ("a.fa", ".fa")])
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


# -- objects in memory


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


# -- open


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


INDEXES: list[tuple[Any, Any]] = [
    (slice(2, 9), slice(None)),
    (slice(None, None, -3), [3, 1, 2]),
    ([5, 1, 30], ["CD4", "CD3D"]),
    ([1, 1, 0], [0, 0]),
    ([39], slice(50, None)),
    ([], slice(None)),
    (slice(None), []),
    (slice(None), [59, 0]),
    (np.arange(40) % 9 == 0, np.arange(60) % 2 == 1),
]


def positions(index: Any, names: pd.Index) -> np.ndarray:
    if isinstance(index, list) and index and isinstance(index[0], str):
        return np.array([names.to_list().index(name) for name in index])
    return np.arange(len(names))[slice(0) if isinstance(index, list) and not index else index]


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_anndata_accessor_selects_like_anndata(suffix: str) -> None:
    adata = small_anndata()
    with loaders.open_(loaders.to_disk(adata, f"a{suffix}")) as access:
        assert access.shape == (40, 60)
        for rows, columns in INDEXES:
            obs, var = positions(rows, adata.obs_names), positions(columns, adata.var_names)
            part = access[rows, columns].to_memory()
            assert part.obs_names.equals(adata.obs_names[obs])
            assert part.var_names.equals(adata.var_names[var])
            assert part.obs.equals(adata.obs.iloc[obs])
            assert np.array_equal(part.X, adata.X[obs][:, var])
            for name in ("csr", "csc"):
                assert np.array_equal(
                    part.layers[name].toarray(), adata.layers[name].toarray()[obs][:, var]
                )
            assert np.array_equal(part.obsm["X_pca"], adata.obsm["X_pca"][obs])
            assert part.obsm["df"].equals(adata.obsm["df"].iloc[obs])
            assert np.array_equal(part.varm["PCs"], adata.varm["PCs"][var])
            distances = adata.obsp["distances"].toarray()
            assert np.array_equal(part.obsp["distances"].toarray(), distances[obs][:, obs])
            assert np.array_equal(part.raw.X, adata.raw.X[obs])
            assert part.uns["pca"].keys() == adata.uns["pca"].keys()


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr", ".h5ad.gz"])
def test_anndata_accessor_reads_lazily(suffix: str) -> None:
    adata = small_anndata()
    path = loaders.to_disk(adata, "a.zarr" if suffix == ".zarr" else "a.h5ad")
    if suffix == ".h5ad.gz":
        Path("a.h5ad.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = Path("a.h5ad.gz")
    access = loaders.open_(path)
    assert isinstance(access, accessors.AnnDataAccessor)
    assert not isinstance(access.X, np.ndarray)
    assert access.obs.equals(adata.obs)
    assert access.var_names.equals(adata.var_names)
    assert access.layers.keys() == ["csc", "csr"]
    assert "csr" in access.layers
    assert len(access.layers) == 2
    assert access.layers["csr"].shape == (40, 60)
    assert access.uns["neighbors"]["params"]["n_neighbors"] == 5
    assert access.raw.shape == (40, 60)
    assert access.raw.var_names.equals(adata.raw.var_names)
    whole = access.to_memory()
    assert np.array_equal(whole.X, adata.X)
    assert np.array_equal(whole.raw.X, adata.raw.X)
    subset = access[5:20][["", "x"][:0]]
    assert subset.shape == (0, 60)
    nested = access[5:20][[1, 2], 3:9]
    assert isinstance(nested, accessors.AnnDataAccessorSubset)
    assert np.array_equal(nested.X, adata.X[[6, 7], 3:9])
    assert nested.raw.X.shape == (2, 60)
    assert access[adata.obs_names[3]].obs_names.to_list() == [adata.obs_names[3]]
    assert access[-1].obs_names[0] == adata.obs_names[-1]
    text = repr(access)
    assert text.startswith("AnnDataAccessor object with n_obs × n_vars = 40 × 60\n  constructed for")
    assert "    layers: ['csc', 'csr']" in text
    assert repr(nested).startswith("AnnDataAccessorSubset object with n_obs × n_vars = 2 × 6")
    assert repr(access.raw) == "AnnDataRawAccessor object with n_obs × n_vars = 40 × 60"
    assert repr(access.obsm) == (
        "Accessor for the AnnData attribute obsm\n  with keys: ['X_pca', 'X_umap', 'df']"
    )
    assert not access.closed
    access.close()
    assert access.closed
    if suffix != ".zarr":
        with pytest.raises(ValueError, match="file is closed"):
            access.X  # noqa: B018


def test_anndata_accessor_refuses_bad_indexes() -> None:
    with loaders.open_(loaders.to_disk(small_anndata(), "a.h5ad")) as access:
        with pytest.raises(IndexError, match="index 40 is out of bounds for axis with size 40"):
            access[40]
        with pytest.raises(IndexError, match="needs 40 values but has 3"):
            access[[True, False, True]]
        with pytest.raises(IndexError, match="one dimension"):
            access[[[1]]]
        with pytest.raises(KeyError, match="no_such_cell"):
            access[["no_such_cell"]]
        with pytest.raises(KeyError, match="'nope' is not in layers"):
            access.layers["nope"]
        with pytest.raises(ValueError, match="zarr store with mode='r\\+'"):
            access.add_column("obs", "x", np.arange(40))


def test_anndata_without_optional_parts() -> None:
    bare = anndata.AnnData(obs=pd.DataFrame(index=["a", "b"]), var=pd.DataFrame(index=["v"]))
    with loaders.open_(loaders.to_disk(bare, "bare.h5ad")) as access:
        assert access.X is None
        assert access.raw is None
        assert access[:1].to_memory().shape == (1, 1)


@pytest.mark.parametrize("version", [2, 3])
def test_add_column(version: int) -> None:
    with anndata.settings.override(zarr_write_format=version):
        small_anndata().write_zarr("a.zarr")
    zarr.consolidate_metadata("a.zarr")
    with loaders.open_("a.zarr", mode="r+") as access:
        access.add_column("obs", "number", np.arange(40))
        access.add_column("var", "group", pd.Categorical(["x", "y"] * 30))
        assert access.obs["number"].to_list() == list(range(40))
        with pytest.raises(ValueError, match="'number' exists already"):
            access.add_column("obs", "number", np.arange(40))
        with pytest.raises(ValueError, match="has 3 values but obs has 40 rows"):
            access.add_column("obs", "short", np.arange(3))
        with pytest.raises(ValueError, match="choose 'obs' or 'var'"):
            access.add_column("uns", "x", np.arange(3))
    loaded = loaders.load("a.zarr")
    assert loaded.obs["number"].iloc[-1] == 39
    assert loaded.var["group"].cat.categories.to_list() == ["x", "y"]
    with loaders.open_("a.zarr") as access, pytest.raises(ValueError, match="mode='r\\+'"):
        access.add_column("obs", "more", np.arange(40))


def test_open_spatialdata() -> None:
    spatial_store("s.zarr")
    with loaders.open_("s.zarr") as access:
        assert isinstance(access, accessors.SpatialDataAccessor)
        assert access.keys() == list(access.tables) == ["table"]
        assert access["table"][:3].to_memory().shape == (3, 60)
        assert "with tables: ['table']" in repr(access)
        with pytest.raises(KeyError, match="'points' is no table of s.zarr"):
            access["points"]
    with loaders.open_("s.zarr", mode="r+") as access:
        access["table"].add_column("obs", "number", np.arange(40))
    with loaders.open_("s.zarr") as access:
        assert access["table"].obs["number"].sum() == 780


def test_open_other_stores() -> None:
    with h5py.File("a.h5", "w") as file:
        file["d"] = [1, 2]
    Path("a.h5.gz").write_bytes(gzip.compress(Path("a.h5").read_bytes()))
    for name in ("a.h5", "a.h5.gz"):
        with loaders.open_(name) as access:
            assert isinstance(access, accessors.BackedAccessor)
            assert access.connection is None
            assert list(access.storage["d"]) == [1, 2]
            assert repr(access).startswith("BackedAccessor(connection=None, storage=<HDF5 file")
        assert not access.storage
    zarr.open_group("a.zarr", mode="w").create_array("d", data=np.arange(3))
    with loaders.open_("a.zarr") as access:
        assert access.storage["d"][:].tolist() == [0, 1, 2]
    Path("bad.h5ad").write_bytes(b"no HDF5")
    with pytest.raises(OSError):
        loaders.open_("bad.h5ad")


# -- collections


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
    with mudata.set_options(pull_on_update=False):
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
