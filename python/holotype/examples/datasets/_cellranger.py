"""The output folder of a single-cell RNA sequencing pipeline."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path

from holotype.examples.datasets._bytes import gzip_stored, seeded, write_file
from holotype.examples.datasets._genes import HUMAN_GENES
from holotype.examples.datasets._hdf5 import hdf5_bytes
from holotype.examples.datasets._reads import (
    bam_bytes,
    example_reads,
    fastq_bytes,
    random_qualities,
    random_sequence,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holotype.examples.datasets._hdf5 import Tree


@dataclass(frozen=True)
class _Counts:
    """A gene by cell matrix as column-sorted (gene, cell, count) triples."""

    genes: list[tuple[str, str]]
    barcodes: list[str]
    triples: list[tuple[int, int, int]]

    def first_cells(self, count: int) -> _Counts:
        return _Counts(self.genes, self.barcodes[:count], [t for t in self.triples if t[1] < count])


def _draw_counts(sample_name: str, cells: int) -> _Counts:
    rng = seeded(f"cellranger/{sample_name}")
    barcodes = sorted({"".join(rng.choice("ACGT") for _ in range(16)) + "-1" for _ in range(cells)})
    genes = list(HUMAN_GENES.items())[:20]
    triples = []
    for cell in range(len(barcodes)):
        chosen = [gene for gene in range(len(genes)) if rng.random() < 0.4] or [0]
        triples += [(gene, cell, rng.randint(1, 9)) for gene in chosen]
    return _Counts(genes, barcodes, triples)


def dir_scrnaseq_cellranger(sample_name: str, basedir: str | Path = "./", output_only: bool = True) -> Path:
    """Writes what a single-cell pipeline leaves for one sample: a folder of 15 small files.

    The content depends on the sample's name: two samples never share a count matrix.

    Args:
        sample_name: Name of the sample and of the folder.
        basedir: Folder to write into; created if absent.
        output_only: If False, also write the pipeline's input, two gzipped FASTQ files in `basedir/fastq/`.

    Returns:
        Path of the sample's folder.

    Raises:
        ValueError: If the name is empty or contains a path separator.

    Example:
        >>> folder = ln.examples.datasets.dir_scrnaseq_cellranger("sample_001")
        >>> ln.UPath(folder).view_tree()
    """
    if sample_name in ("", ".", "..") or Path(sample_name).name != sample_name:
        raise ValueError(
            f"Sample name {sample_name!r} is not a plain folder name; pass the place as `basedir`."
        )
    raw = _draw_counts(sample_name, cells=30)
    filtered = raw.first_cells(12)
    if not output_only:
        _write_fastq(sample_name, Path(basedir) / "fastq")
    folder = Path(basedir) / sample_name
    for counts, name in ((raw, "raw_feature_bc_matrix"), (filtered, "filtered_feature_bc_matrix")):
        _write_matrix(counts, folder / name, f"{sample_name}/{name}")
        write_file(_matrix_hdf5(counts), f"{name}.h5", folder)
    write_file(_molecules_hdf5(raw, sample_name), "molecule_info.h5", folder)
    reads = example_reads(40, f"cellranger/{sample_name}", filtered.barcodes)
    bam, index = bam_bytes("chr1", 10_000, reads, sample_name)
    write_file(bam, "possorted_genome_bam.bam", folder)
    write_file(index, "possorted_genome_bam.bam.bai", folder)
    write_file(_metrics(raw, filtered), "metrics_summary.csv", folder)
    write_file(_web_summary(sample_name, filtered), "web_summary.html", folder)
    write_file(_clusters(filtered, sample_name), "analysis/analysis.csv", folder)
    # The browser's own format is closed: any bytes that differ between samples do.
    write_file(f"synthetic cloupe file of sample {sample_name}\n", "cloupe.cloupe", folder)
    return folder


def _write_fastq(sample_name: str, folder: Path) -> None:
    for mate in ("R1", "R2"):
        seed = f"cellranger/{sample_name}/{mate}"
        names = [f"read{number:04d}" for number in range(20)]
        sequences = [random_sequence(50, f"{seed}/{name}") for name in names]
        qualities = [random_qualities(50, f"{seed}/{name}") for name in names]
        content = gzip_stored(fastq_bytes(names, sequences, qualities))
        write_file(content, f"{sample_name}_{mate}_001.fastq.gz", folder)


def _write_matrix(counts: _Counts, folder: Path, comment: str) -> None:
    """Writes the three files; the comment keeps the equal feature lists of two matrices distinct files."""
    features = "".join(f"{gene}\t{symbol}\tGene Expression\n" for gene, symbol in counts.genes)
    write_file(gzip_stored(features.encode(), comment), "features.tsv.gz", folder)
    barcodes = "".join(f"{barcode}\n" for barcode in counts.barcodes)
    write_file(gzip_stored(barcodes.encode(), comment), "barcodes.tsv.gz", folder)
    metadata = json.dumps({"software_version": "synthetic", "format_version": 2})
    lines = ["%%MatrixMarket matrix coordinate integer general", f"%metadata_json: {metadata}"]
    lines.append(f"{len(counts.genes)} {len(counts.barcodes)} {len(counts.triples)}")
    lines += [f"{gene + 1} {cell + 1} {count}" for gene, cell, count in counts.triples]
    write_file(gzip_stored(("\n".join(lines) + "\n").encode(), comment), "matrix.mtx.gz", folder)


def _features_tree(counts: _Counts) -> Tree:
    return {
        "_all_tag_keys": ["genome"],
        "feature_type": ["Gene Expression"] * len(counts.genes),
        "genome": ["GRCh38"] * len(counts.genes),
        "id": [gene for gene, _ in counts.genes],
        "name": [symbol for _, symbol in counts.genes],
    }


def _matrix_hdf5(counts: _Counts) -> bytes:
    starts = [0]
    for cell in range(len(counts.barcodes)):
        starts.append(starts[-1] + sum(1 for triple in counts.triples if triple[1] == cell))
    matrix: Tree = {
        "barcodes": counts.barcodes,
        "data": [count for _, _, count in counts.triples],
        "features": _features_tree(counts),
        "indices": [gene for gene, _, _ in counts.triples],
        "indptr": starts,
        "shape": [len(counts.genes), len(counts.barcodes)],
    }
    return hdf5_bytes({"matrix": matrix})


def _molecules_hdf5(counts: _Counts, sample_name: str) -> bytes:
    rng = seeded(f"cellranger/{sample_name}/molecules")
    return hdf5_bytes(
        {
            "barcode_idx": [cell for _, cell, _ in counts.triples],
            "barcodes": [barcode.removesuffix("-1") for barcode in counts.barcodes],
            "count": [count for _, _, count in counts.triples],
            "feature_idx": [gene for gene, _, _ in counts.triples],
            "features": _features_tree(counts),
            "gem_group": [1] * len(counts.triples),
            "library_idx": [0] * len(counts.triples),
            "umi": [rng.randrange(4**10) for _ in counts.triples],
        }
    )


def _metrics(raw: _Counts, filtered: _Counts) -> str:
    cells = len(filtered.barcodes)
    total = sum(count for _, _, count in raw.triples)
    in_cells = sum(count for _, _, count in filtered.triples)
    genes_per_cell = sorted(sum(1 for t in filtered.triples if t[1] == cell) for cell in range(cells))
    columns = {
        "Estimated Number of Cells": cells,
        "Mean Reads per Cell": total * 10 // cells,
        "Median Genes per Cell": genes_per_cell[cells // 2],
        "Number of Reads": total * 10,
        "Valid Barcodes": "97.4%",
        "Sequencing Saturation": "90.0%",
        "Fraction Reads in Cells": f"{100 * in_cells / total:.1f}%",
        "Total Genes Detected": len({gene for gene, _, _ in filtered.triples}),
        "Median UMI Counts per Cell": in_cells // cells,
    }
    return ",".join(columns) + "\n" + ",".join(str(value) for value in columns.values()) + "\n"


def _web_summary(sample_name: str, filtered: _Counts) -> str:
    title = html.escape(sample_name)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1><p>{len(filtered.barcodes)} cells, {len(filtered.genes)} genes</p></body>\n"
        "</html>\n"
    )


def _clusters(filtered: _Counts, sample_name: str) -> str:
    rng = seeded(f"cellranger/{sample_name}/clusters")
    lines = ["Barcode,Cluster,UMAP-1,UMAP-2"]
    for barcode in filtered.barcodes:
        lines.append(f"{barcode},{rng.randint(1, 3)},{rng.uniform(-9, 9):.4f},{rng.uniform(-9, 9):.4f}")
    return "\n".join(lines) + "\n"
