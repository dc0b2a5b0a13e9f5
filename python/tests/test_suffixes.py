"""How file names are split into suffixes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype import _native, suffixes

LISTS = (suffixes.simple_formats, suffixes.composite_formats, suffixes.encoding_formats)

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


@pytest.fixture
def added() -> Iterator[None]:
    """Takes what a test adds to the lists off them again."""
    before = [set(formats) for formats in LISTS]
    yield
    for formats, known in zip(LISTS, before, strict=True):
        for suffix in set(formats) - known:
            formats.discard(suffix)
        formats.update(known)


def test_the_lists_are_those_of_the_engine() -> None:
    for formats, name in zip(LISTS, ("simple", "composite", "encoding"), strict=True):
        assert list(formats) == _native.suffixes(name)
        assert list(formats) == sorted(formats)
        assert len(formats) == len(set(formats)) > 3
        assert all(suffix in formats for suffix in formats)
    assert suffixes.encoding_formats == {".bz2", ".gz", ".xz", ".zst"}
    assert suffixes.encoding_formats | {".lz4"} == {".bz2", ".gz", ".lz4", ".xz", ".zst"}
    assert {".csv", ".h5ad"} <= suffixes.simple_formats
    assert repr(suffixes.encoding_formats) == "{'.bz2', '.gz', '.xz', '.zst'}"
    with pytest.raises(ValueError, match=".odd. is no list of formats"):
        _native.suffixes("odd")


@pytest.mark.usefixtures("added")
def test_suffixes_can_be_added() -> None:
    assert suffixes.split_suffix("x.mzML.gz") == (".gz", ".gz")
    suffixes.simple_formats.add(".mzml")
    assert suffixes.split_suffix("x.mzML.gz") == (".mzml.gz", ".mzml.gz")
    suffixes.simple_formats.discard(".csv")
    assert suffixes.split_suffix("x.csv") == ("", ".csv")
    for wrong in ("csv", "", ".a.b", ".größe", f".{'a' * 30}"):
        with pytest.raises(ValueError, match="can't be listed"):
            suffixes.simple_formats.add(wrong)


@pytest.mark.usefixtures("added")
def test_added_suffixes_count_for_artifacts(instance: Path) -> None:
    import holotype as ln
    from holotype.core.storage import VALID_COMPOSITE_SUFFIXES

    Path("x.spatialdata.zarr").mkdir()
    Path("x.spatialdata.zarr/a.txt").write_text("a")
    VALID_COMPOSITE_SUFFIXES.add(".spatialdata.zarr")
    suffixes.encoding_formats.add(".lz4")
    Path("x.csv.lz4").write_text("a")
    store = ln.Artifact("x.spatialdata.zarr", key="x.spatialdata.zarr").save()
    assert store.suffix == ".spatialdata.zarr"
    assert ln.Artifact("x.csv.lz4", key="x.csv.lz4").save().path.name.endswith("0000.csv.lz4")


@given(st.text(alphabet="ab.gztrcsv/", max_size=20))
def test_suffix_is_the_end_of_the_name(name: str) -> None:
    canonical, raw = suffixes.split_suffix(name)
    assert canonical in ("", raw)
    assert name.rstrip("/").endswith(raw)
    assert raw == "" or raw.startswith(".")
