"""How file names are split into suffixes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype import suffixes

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")


@pytest.fixture(autouse=True)
def _in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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
