"""Every example dataset opens in a real parser of its format and never changes."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import inspect
import random
import subprocess
import sys
from pathlib import Path

import anndata
import flowio
import h5py
import mudata
import pandas as pd
import pysam
import pytest
import scipy.io
from Bio import SeqIO
from PIL import Image

from holotype.examples import datasets
from holotype.examples.datasets import _bytes, _hdf5, _jpeg, _reads, mini_immuno

CELLRANGER_FILES = """
analysis/analysis.csv
cloupe.cloupe
filtered_feature_bc_matrix.h5
filtered_feature_bc_matrix/barcodes.tsv.gz
filtered_feature_bc_matrix/features.tsv.gz
filtered_feature_bc_matrix/matrix.mtx.gz
metrics_summary.csv
molecule_info.h5
possorted_genome_bam.bam
possorted_genome_bam.bam.bai
raw_feature_bc_matrix.h5
raw_feature_bc_matrix/barcodes.tsv.gz
raw_feature_bc_matrix/features.tsv.gz
raw_feature_bc_matrix/matrix.mtx.gz
web_summary.html
""".split()

# Fingerprints of files whose bytes depend on nothing but this package: guides show their hashes.
FINGERPRINTS = {
    "file_bam": "813325acbb46981d88504c205a00342f",
    "file_fastq": "bec254d17bf8e614d49b5be93bb4b3fa",
    "file_fcs": "06a1d361445f3d259550687a815d49b5",
    "file_fcs_alpert19": "9964834cf02235d643ea3097d39080c1",
    "file_jpg_paradisi05": "a1e2c2a88832406faccd5a89a4d29f9c",
    "file_mini_csv": "e0ff6e15cbf37111798abedd9f987260",
    "file_tiff_suo22": "3eeb4a276ff01e89a0efa66b4afe119d",
    "file_tsv_rnaseq_nfcore_salmon_merged_gene_counts": "0ded509be7adc016737c0893ecf0cf9d",
    "schmidt22_crispra_gws_IFNG": "a2fb6fb8ec93f4b066a575ef6ce8e1ee",
}


@pytest.fixture(autouse=True)
def _in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_names_are_those_of_the_reference() -> None:
    assert datasets.__all__ == sorted(datasets.__all__)
    assert dir(datasets) == datasets.__all__
    assert all(hasattr(datasets, name) for name in datasets.__all__)
    with pytest.raises(AttributeError, match="no_such_set"):
        datasets.no_such_set  # noqa: B018


def test_core_and_examples_are_one_module() -> None:
    from holotype.core import datasets as through_core

    assert through_core is datasets
    assert importlib.import_module("holotype.core.datasets") is datasets


def test_importing_loads_no_heavy_library() -> None:
    program = (
        "import holotype.core.datasets as d, holotype.loaders, holotype.upath, holotype.accessors; dir(d); "
        "heavy = {'anndata', 'fsspec', 'h5py', 'numpy', 'pandas', 'polars', 'pyarrow', 'scipy', 'zarr'}; "
        "found = (heavy | {'upath'}) & set(sys.modules); sys.exit(str(found) if found else 0)"
    )
    source = str(Path(inspect.getfile(datasets)).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {source!r}); {program}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "expected"), FINGERPRINTS.items())
def test_bytes_never_change(name: str, expected: str) -> None:
    assert sha256(getattr(datasets, name)())[:32] == expected


@pytest.mark.parametrize("name", [*FINGERPRINTS, "anndata_file_pbmc68k_test", "schmidt22_perturbseq"])
def test_files_go_where_asked_and_repeat(name: str, tmp_path: Path) -> None:
    here = getattr(datasets, name)()
    there = getattr(datasets, name)(basedir=tmp_path / "new" / "folder")
    assert here == Path(here.name)
    assert there == tmp_path / "new" / "folder" / here.name
    assert here.read_bytes() == there.read_bytes()


def test_file_names() -> None:
    names = {
        "file_bam": "output.bam",
        "file_fastq": "input.fastq.gz",
        "file_fcs": "example.fcs",
        "file_fcs_alpert19": "Alpert19.fcs",
        "file_jpg_paradisi05": "paradisi05_laminopathic_nuclei.jpg",
        "file_mini_csv": "mini.csv",
        "file_tiff_suo22": "F121_LP1_4LIV.tiff",
        "file_tsv_rnaseq_nfcore_salmon_merged_gene_counts": "salmon.merged.gene_counts.tsv",
        "schmidt22_crispra_gws_IFNG": "schmidt22-crispra-gws-IFNG.csv",
    }
    assert {name: getattr(datasets, name)().name for name in FINGERPRINTS} == names


def test_file_can_be_moved_into_a_storage_folder(tmp_path: Path) -> None:
    (tmp_path / "our_local_storage").mkdir()
    moved = datasets.file_bam().rename("./our_local_storage/output.bam")
    assert moved.exists()
    assert not Path("output.bam").exists()


def test_in_storage_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import holotype

    class Settings:
        class storage:  # noqa: N801
            root = tmp_path / "root"

    monkeypatch.setattr(holotype, "settings", Settings, raising=False)
    assert datasets.file_mini_csv(in_storage_root=True) == tmp_path / "root" / "mini.csv"


@pytest.mark.parametrize(
    ("name", "events", "channels"), [("file_fcs", 1000, 16), ("file_fcs_alpert19", 500, 40)]
)
def test_fcs_opens_in_flowio(name: str, events: int, channels: int) -> None:
    path = getattr(datasets, name)()
    data = flowio.FlowData(str(path))
    assert (data.version, data.event_count, data.channel_count) == ("3.1", events, channels)
    values = data.as_array()
    assert values.shape == (events, channels)
    # The declared range covers every value.
    assert all(values[:, i].max() < float(data.channels[i + 1]["pnr"]) for i in range(channels))


def test_bam_opens_in_pysam() -> None:
    path = datasets.file_bam()
    pysam.quickcheck(str(path))
    with pysam.AlignmentFile(str(path)) as bam:
        reads = list(bam)
        assert bam.header["HD"]["SO"] == "coordinate"
        assert bam.references == ("chr1",)
    assert len(reads) == 40
    assert [read.reference_start for read in reads] == sorted(read.reference_start for read in reads)
    assert all(read.cigarstring == "50M" and len(read.query_qualities) == 50 for read in reads)
    # Overlapping reads agree where they overlap.
    assert reads[0].query_sequence[20:] == reads[1].query_sequence[:30]
    # Samtools' own index comes to the same answer as ours.
    pysam.index(str(path))
    with pysam.AlignmentFile(str(path)) as bam:
        assert sum(1 for _ in bam.fetch("chr1", 100, 200)) == 7


def test_bam_end_marker_is_needed() -> None:
    path = datasets.file_bam()
    path.write_bytes(path.read_bytes()[:-28])
    with pytest.raises(pysam.SamtoolsError):
        pysam.quickcheck(str(path))


def test_fastq_opens_in_biopython() -> None:
    path = datasets.file_fastq()
    # No time stamp and no name in the gzip header.
    assert path.read_bytes()[:10] == bytes.fromhex("1f8b08000000000000ff")
    with gzip.open(path, "rt") as text:
        records = list(SeqIO.parse(text, "fastq"))
    assert len(records) == 25
    assert all(len(record) == 50 for record in records)
    assert set("".join(str(record.seq) for record in records)) <= set("ACGT")


def test_gzip_of_large_content_uses_several_blocks() -> None:
    content = random.Random(0).randbytes(200_000)
    assert gzip.decompress(_bytes.gzip_stored(content, "with a comment")) == content
    assert gzip.decompress(_bytes.gzip_stored(b"")) == b""


def test_pictures_open_in_pillow() -> None:
    with Image.open(datasets.file_jpg_paradisi05()) as picture:
        picture.load()
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (160, 120))
        # Nuclei glow blue on black.
        colours = picture.getextrema()
    assert colours[2][1] > 200
    assert colours[0][1] < 80
    with Image.open(datasets.file_tiff_suo22()) as picture:
        picture.load()
        assert (picture.format, picture.mode, picture.size) == ("TIFF", "RGB", (200, 150))


def test_jpeg_encoder_reproduces_a_gradient_and_odd_sizes() -> None:
    Path("g.jpg").write_bytes(_jpeg.jpeg_bytes(19, 13, lambda x, y: (x * 12, 255 - y * 18, 100)))
    with Image.open("g.jpg") as picture:
        assert picture.size == (19, 13)
        for x in range(19):
            for y in range(13):
                expected = (x * 12, 255 - y * 18, 100)
                assert all(abs(a - b) <= 16 for a, b in zip(picture.getpixel((x, y)), expected, strict=True))


def test_jpeg_encoder_survives_noise() -> None:
    rng = random.Random(1)
    noise = {(x, y): tuple(rng.randrange(256) for _ in range(3)) for x in range(32) for y in range(32)}
    Path("n.jpg").write_bytes(_jpeg.jpeg_bytes(32, 32, lambda x, y: noise[x, y]))
    with Image.open("n.jpg") as picture:
        picture.load()
        assert picture.size == (32, 32)


def test_iris_images() -> None:
    root = datasets.dir_iris_images()
    assert root == Path("iris_studies")
    assert sorted(p.name for p in root.iterdir()) == [f"study{n}_raw_images" for n in range(3)]
    pictures = list(root.rglob("*.jpg"))
    assert len(pictures) == 405
    assert len({sha256(p) for p in pictures}) == 405
    for study in root.iterdir():
        meta = pd.read_csv(study / "meta.csv")
        assert meta.columns.to_list() == ["0", "1"]
        assert all((study / name).exists() for name in meta["0"])
        assert set(meta["1"]) == {"setosa", "versicolor", "virginica"}
        assert all(name == f"iris-{sha256(study / name)}.jpg" for name in meta["0"])
        with Image.open(study / meta["0"][0]) as picture:
            picture.load()
            assert picture.size == (16, 16)


def test_cellranger_tree() -> None:
    folder = datasets.dir_scrnaseq_cellranger("sample_001")
    assert folder == Path("sample_001")
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert files == sorted(CELLRANGER_FILES)
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == [
        "analysis",
        "filtered_feature_bc_matrix",
        "raw_feature_bc_matrix",
    ]
    assert len({sha256(folder / name) for name in files}) == 15
    again = datasets.dir_scrnaseq_cellranger("sample_001", "elsewhere")
    assert all(sha256(again / name) == sha256(folder / name) for name in files)
    other = datasets.dir_scrnaseq_cellranger("sample_002")
    assert all(sha256(other / name) != sha256(folder / name) for name in files if name.endswith("z"))


def test_cellranger_files_are_valid_and_agree() -> None:
    folder = datasets.dir_scrnaseq_cellranger("sample_001")
    for name, cells in (("raw_feature_bc_matrix", 30), ("filtered_feature_bc_matrix", 12)):
        with gzip.open(folder / name / "matrix.mtx.gz") as file:
            matrix = scipy.io.mmread(file).tocsc()
        barcodes = pd.read_csv(folder / name / "barcodes.tsv.gz", header=None)[0].to_list()
        features = pd.read_csv(folder / name / "features.tsv.gz", header=None, sep="\t")
        assert matrix.shape == (len(features), len(barcodes)) == (20, cells)
        with h5py.File(folder / f"{name}.h5") as file:
            assert list(file["matrix/shape"]) == [20, cells]
            assert [b.decode() for b in file["matrix/barcodes"]] == barcodes
            assert [b.decode() for b in file["matrix/features/id"]] == features[0].to_list()
            assert (file["matrix/data"][:] == matrix.data).all()
            assert (file["matrix/indices"][:] == matrix.indices).all()
            assert (file["matrix/indptr"][:] == matrix.indptr).all()
    with h5py.File(folder / "molecule_info.h5") as file:
        assert len(file["umi"]) == len(file["barcode_idx"]) == len(file["feature_idx"])
    with pysam.AlignmentFile(str(folder / "possorted_genome_bam.bam")) as bam:
        assert bam.has_index()
        assert bam.mapped == 40
        assert [r.reference_start for r in bam.fetch("chr1", 0, 30)] == [0, 20]
        assert all(r.has_tag("CB") for r in bam.fetch())
    assert len(pd.read_csv(folder / "metrics_summary.csv")) == 1
    assert len(pd.read_csv(folder / "analysis/analysis.csv")) == 12


def test_cellranger_input_and_bad_names() -> None:
    datasets.dir_scrnaseq_cellranger("s", "run", output_only=False)
    fastq = sorted(Path("run/fastq").iterdir())
    assert [p.name for p in fastq] == ["s_R1_001.fastq.gz", "s_R2_001.fastq.gz"]
    with gzip.open(fastq[0], "rt") as text:
        assert len(list(SeqIO.parse(text, "fastq"))) == 20
    for name in ("", "a/b", "..", "."):
        with pytest.raises(ValueError, match="folder name"):
            datasets.dir_scrnaseq_cellranger(name)


def test_cellranger_takes_any_plain_name() -> None:
    folder = datasets.dir_scrnaseq_cellranger("Probe 1 µ <b>")
    with pysam.AlignmentFile(str(folder / "possorted_genome_bam.bam")) as bam:
        assert bam.header["RG"][0]["SM"] == "Probe_1___<b>"
    assert "Probe 1 µ &lt;b&gt;" in (folder / "web_summary.html").read_text(encoding="utf-8")


def test_hdf5_writer_limits() -> None:
    Path("t.h5").write_bytes(_hdf5.hdf5_bytes({f"n{i:02d}": [i, -i, 2**40] for i in range(16)}))
    with h5py.File("t.h5") as file:
        assert {name: list(file[name]) for name in file} == {f"n{i:02d}": [i, -i, 2**40] for i in range(16)}
    with pytest.raises(ValueError, match="17 names"):
        _hdf5.hdf5_bytes({f"n{i}": [i] for i in range(17)})


def test_bam_writer_limits() -> None:
    reads = _reads.example_reads(900, "x")
    with pytest.raises(ValueError, match="fewer reads"):
        _reads.bam_bytes("chr1", 100_000, reads, "s")
    with pytest.raises(ValueError, match="16,384"):
        _reads.bam_bytes("chr1", 100_000, [reads[0], reads[890]], "s")


def test_iris_tables() -> None:
    df = datasets.df_iris()
    assert df.shape == (150, 5)
    # Known means of Fisher's data.
    assert df.mean().round(3).to_list() == [5.843, 3.057, 3.758, 1.199, 1.0]
    in_meter = datasets.df_iris_in_meter()
    columns = ["sepal_length", "sepal_width", "petal_length", "petal_width", "iris_organism_name"]
    assert in_meter.columns.to_list() == columns
    assert in_meter.iris_organism_name.value_counts().to_dict() == {
        "setosa": 50,
        "versicolor": 50,
        "virginica": 50,
    }
    study1, study2 = datasets.df_iris_in_meter_study1(), datasets.df_iris_in_meter_study2()
    pd.testing.assert_frame_equal(pd.concat([study1, study2]), in_meter)
    assert (len(study1), study2.index[0]) == (75, 75)


def test_tables() -> None:
    assert pd.read_csv(datasets.file_mini_csv()).test.to_list() == [1, 2, 3]
    counts = pd.read_csv(datasets.file_tsv_rnaseq_nfcore_salmon_merged_gene_counts(), sep="\t")
    assert counts.shape == (120, 7)
    assert counts.gene_id.is_unique
    screen = pd.read_csv(datasets.schmidt22_crispra_gws_IFNG())
    assert screen.shape == (1000, 14)
    assert sorted(screen["neg|rank"]) == list(range(1, 1001))


def test_small_dataset1() -> None:
    df = datasets.small_dataset1()
    assert df.attrs["experiment"] == "Experiment 1"
    assert df.index.to_list() == ["sample1", "sample2", "sample3"]
    assert df.columns.to_list()[:4] == [
        "ENSG00000153563",
        "ENSG00000010610",
        "ENSG00000170458",
        "perturbation",
    ]
    assert df.dtypes["perturbation"] == "category"
    assert datasets.small_dataset1 is mini_immuno.get_dataset1


@pytest.mark.parametrize(
    ("option", "column", "values"),
    [
        ("with_typo", "perturbation", ["DMSO", "IFNJ", "DMSO"]),
        ("with_wrong_subtype", "perturbation", ["DMSO", "IFNG", "ulabel_but_not_perturbation"]),
        (
            "with_cell_type_synonym",
            "cell_type_by_expert",
            ["B-cell"] + ["CD8-positive, alpha-beta T cell"] * 2,
        ),
        ("with_cell_type_typo", "cell_type_by_expert", ["B cell"] + ["CD8-pos alpha-beta T cell"] * 2),
        ("gene_symbols_in_index", "CD14", [5, 6, 7]),
        ("with_gene_typo", "GeneTypo", [5, 6, 7]),
        ("with_outdated_gene", "ENSG00000278198", [5, 6, 7]),
    ],
)
def test_small_dataset1_variants(option: str, column: str, values: list[object]) -> None:
    plain, df = datasets.small_dataset1(), datasets.small_dataset1(**{option: True})
    assert df[column].to_list() == values
    changed = [i for i in range(plain.shape[1]) if plain.iloc[:, i].to_list() != df.iloc[:, i].to_list()]
    renamed = [i for i in range(plain.shape[1]) if plain.columns[i] != df.columns[i]]
    assert len(changed) + len(renamed) == (3 if option == "gene_symbols_in_index" else 1)


def test_small_datasets_other_options() -> None:
    assert datasets.small_dataset1(with_index_type_mismatch=True).index[2] == 0
    assert str(datasets.small_dataset1(with_date_as_iso_string=False).attrs["date_of_study"]) == "2024-12-01"
    adata = datasets.small_dataset1(otype="AnnData", with_index_type_mismatch=True)
    assert adata.obs_names.to_list() == ["sample1", "sample2", "0"]
    assert "donor_ethnicity" not in adata.obs
    assert adata.uns["temperature"] == 21.6
    assert datasets.small_dataset2().donor.to_list() == ["D0003", "D0003", "D0004"]
    assert datasets.small_dataset2(otype="AnnData", gene_symbols_in_index=True).var_names.to_list() == [
        "CD8A",
        "CD4",
        "CD38",
    ]
    for function in (datasets.small_dataset1, datasets.small_dataset2, datasets.small_dataset3_cellxgene):
        with pytest.raises(ValueError, match="Unknown otype"):
            function(otype="Tensor")


def test_small_dataset3() -> None:
    adata = datasets.small_dataset3_cellxgene()
    assert (adata.shape, adata.obs["organism_ontology_term_id"].iloc[0]) == ((3, 3), "NCBITaxon:9606")
    assert datasets.small_dataset3_cellxgene(with_var_typo=True).var_names[0] == "invalid_ensembl_id"
    assert "UBERON:0002048XXX" in datasets.small_dataset3_cellxgene(with_obs_typo=True).obs.to_numpy()
    assert "assay" in datasets.small_dataset3_cellxgene(with_obs_defaults=True).obs
    uns = datasets.small_dataset3_cellxgene(with_uns_organism=True, with_uns_spatial=True).uns
    assert uns["organism"] == "Homo sapiens"
    assert uns["spatial"]["library_123"]["images"]["hires"].shape == (2000, 2000, 3)
    assert datasets.small_dataset3_cellxgene(otype="DataFrame").shape == (3, 13)


@pytest.mark.parametrize(
    ("name", "shape", "obs"),
    [
        ("anndata_with_obs", (40, 100), "cell_type cell_type_id tissue disease"),
        ("anndata_pbmc68k_reduced", (70, 765), "cell_type n_genes percent_mito louvain"),
        ("anndata_pbmc3k_processed", (2638, 1838), "n_genes percent_mito n_counts louvain"),
        ("anndata_human_immune_cells", (1648, 36503), "donor tissue cell_type assay"),
        ("anndata_mouse_sc_lymph_node", (1135, 10000), None),
        ("anndata_suo22_Visium10X", (150, 500), "in_tissue array_row array_col sample"),
        ("anndata_visium_mouse_cellxgene", (200, 300), None),
        ("small_dataset3_cellxgene", (3, 3), None),
    ],
)
def test_anndata_sets(name: str, shape: tuple[int, int], obs: str | None, tmp_path: Path) -> None:
    adata = getattr(datasets, name)()
    assert adata.shape == shape
    assert adata.obs_names.is_unique
    assert adata.var_names.is_unique
    if obs:
        assert adata.obs.columns.to_list() == obs.split()
    adata.write_h5ad(tmp_path / "x.h5ad")
    back = anndata.read_h5ad(tmp_path / "x.h5ad")
    again = getattr(datasets, name)()
    assert (back.X != again.X).sum() == 0
    assert back.obs.astype(str).equals(again.obs.astype(str))


def test_pbmc68k_test_file_uses_every_slot() -> None:
    adata = anndata.read_h5ad(datasets.anndata_file_pbmc68k_test())
    assert adata.shape == (30, 200)
    assert adata.raw.shape == (30, 100)
    assert adata.obsp["test"].sum() == 30
    assert adata.varp["test"].sum() == 200
    assert adata.layers["test"].sum() == 200
    assert (adata.layers["test"][0].toarray() == 1).all()


def test_perturbseq_file() -> None:
    adata = anndata.read_h5ad(datasets.schmidt22_perturbseq())
    assert adata.obs.columns.to_list() == ["cluster_name"]
    assert adata.shape == (500, 800)


@pytest.mark.filterwarnings("ignore:From 0.4")
def test_mudata(tmp_path: Path) -> None:
    mdata = datasets.mudata_papalexi21_subset(with_uns=True)
    assert {name: modality.n_vars for name, modality in mdata.mod.items()} == {
        "rna": 173,
        "adt": 4,
        "hto": 12,
        "gdo": 111,
    }
    assert mdata.uns["study_metadata"]["temperature"] == 21.6
    assert not datasets.mudata_papalexi21_subset().uns
    mdata.write(tmp_path / "m.h5mu")
    assert mudata.read_h5mu(tmp_path / "m.h5mu").shape == (200, 300)


def test_spatialdata_asks_for_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spatialdata", None)
    monkeypatch.setitem(sys.modules, "spatialdata.datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'holotype\[spatial\]'"):
        datasets.spatialdata_blobs()


def test_uns_and_titles() -> None:
    uns = datasets.dict_cellxgene_uns()
    assert uns["spatial"]["library_2"]["images"]["hires"] == "path/to/hires_2.jpg"
    titles = datasets.fake_bio_notebook_titles()
    assert len(set(titles)) == 100
    assert datasets.fake_bio_notebook_titles(3) == titles[:3]
    assert len(set(datasets.fake_bio_notebook_titles(10_000))) == 10_000
    for count in (-1, 10_001):
        with pytest.raises(ValueError, match="choose a number"):
            datasets.fake_bio_notebook_titles(count)
