"""Sequencing reads: FASTQ, BAM and BAM index."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from holotype.examples.datasets._bytes import deflate_stored, gzip_stored, place, seeded, write_file

_BASE_CODE = {"=": 0, "A": 1, "C": 2, "G": 4, "T": 8, "N": 15}
_BGZF_PAYLOAD = 60_000
# The empty block that marks the end of a complete BGZF file, byte for byte as the format gives it.
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass(frozen=True)
class Read:
    """A read aligned without gaps."""

    name: str
    start: int
    sequence: str
    qualities: bytes
    cell_barcode: str = ""


def random_sequence(length: int, seed: str) -> str:
    """Returns a DNA sequence that depends on `seed` alone."""
    rng = seeded(seed)
    return "".join(rng.choice("ACGT") for _ in range(length))


def random_qualities(length: int, seed: str) -> bytes:
    """Returns Phred scores between 20 and 40."""
    rng = seeded(seed + "/qualities")
    return bytes(rng.randint(20, 40) for _ in range(length))


def fastq_bytes(names: list[str], sequences: list[str], qualities: list[bytes]) -> bytes:
    """Returns reads as FASTQ text."""
    records = zip(names, sequences, qualities, strict=True)
    lines = (f"@{name}\n{seq}\n+\n{bytes(q + 33 for q in quals).decode()}\n" for name, seq, quals in records)
    return "".join(lines).encode()


def bam_bytes(reference: str, length: int, reads: list[Read], sample: str) -> tuple[bytes, bytes]:
    """Returns a coordinate-sorted BAM file with one reference sequence, and its index.

    Args:
        reference: Name of the reference sequence.
        length: Length of the reference sequence.
        reads: Reads, sorted by start, all within the first 16,384 bases and 60,000 bytes of records.
        sample: Sample name in the header's read group; characters the format forbids there become `_`.
    """
    sample = "".join(letter if " " < letter <= "~" else "_" for letter in sample)
    text = (
        f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:{reference}\tLN:{length}\n@RG\tID:{sample}\tSM:{sample}\n"
        "@PG\tID:holotype\tPN:holotype\n"
    ).encode()
    name = reference.encode() + b"\x00"
    header = b"BAM\x01" + struct.pack("<i", len(text)) + text + struct.pack("<i", 1)
    header += struct.pack("<i", len(name)) + name + struct.pack("<i", length)
    header_block = _bgzf_block(header)
    records = b"".join(_bam_record(read, sample) for read in reads)
    if len(records) > _BGZF_PAYLOAD:
        raise ValueError(f"Cannot write a BAM file with {len(records)} bytes of records; use fewer reads.")
    records_block = _bgzf_block(records)
    bam = header_block + records_block + _BGZF_END
    # Virtual offsets: place of the compressed block, then place within its content.
    first = len(header_block) << 16
    last = (len(header_block) + len(records_block)) << 16
    return bam, _bai_bytes(reads, first, last)


def _bgzf_block(payload: bytes) -> bytes:
    deflated = deflate_stored(payload)
    size = 18 + len(deflated) + 8
    header = b"\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00BC\x02\x00" + struct.pack("<H", size - 1)
    return header + deflated + struct.pack("<II", zlib.crc32(payload), len(payload))


def _bam_record(read: Read, sample: str) -> bytes:
    length = len(read.sequence)
    name = read.name.encode() + b"\x00"
    codes = [_BASE_CODE[base] for base in read.sequence] + [0] * (length % 2)
    packed = bytes(high << 4 | low for high, low in zip(codes[::2], codes[1::2], strict=True))
    tags = b"RGZ" + sample.encode() + b"\x00" + b"NMC\x00"
    if read.cell_barcode:
        tags += b"CBZ" + read.cell_barcode.encode() + b"\x00"
    fixed = struct.pack(
        "<iiBBHHHiiii",
        0,
        read.start,
        len(name),
        60,
        _bin(read.start, read.start + length),
        1,
        0,
        length,
        -1,
        -1,
        0,
    )
    record = fixed + name + struct.pack("<I", length << 4) + packed + read.qualities + tags
    return struct.pack("<i", len(record)) + record


def _bin(start: int, end: int) -> int:
    """Returns the smallest bin of the BAM index that holds the half-open interval."""
    for shift, offset in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
        if start >> shift == (end - 1) >> shift:
            return offset + (start >> shift)
    return 0


def _bai_bytes(reads: list[Read], first: int, last: int) -> bytes:
    """Returns the index of reads that share one bin."""
    bins = {_bin(read.start, read.start + len(read.sequence)) for read in reads}
    if len(bins) > 1:
        raise ValueError(f"Cannot index reads in {len(bins)} bins; keep them within the first 16,384 bases.")
    chunks = b"".join(struct.pack("<IiQQ", number, 1, first, last) for number in bins)
    # Bin 37450 holds no reads but the counts of mapped and unmapped ones.
    counts = struct.pack("<IiQQQQ", 37450, 2, first, last, len(reads), 0)
    return (
        b"BAI\x01" + struct.pack("<ii", 1, len(bins) + 1) + chunks + counts + struct.pack("<iQQ", 1, first, 0)
    )


def example_reads(count: int, seed: str, barcodes: list[str] | None = None) -> list[Read]:
    """Returns reads of 50 bases at increasing places of a reference made from `seed`."""
    reference = random_sequence(20 * count + 50, seed)
    reads = []
    for number in range(count):
        start = 20 * number
        reads.append(
            Read(
                name=f"read{number:04d}",
                start=start,
                sequence=reference[start : start + 50],
                qualities=random_qualities(50, f"{seed}/{number}"),
                cell_barcode=barcodes[number % len(barcodes)] if barcodes else "",
            )
        )
    return reads


def file_bam(in_storage_root: bool = False, *, basedir: str | Path = ".") -> Path:
    """Writes `output.bam`: 40 reads aligned to one reference sequence, sorted by coordinate.

    Args:
        in_storage_root: Write into the root of the default storage location.
        basedir: Folder to write into otherwise; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> ln.examples.datasets.file_bam().rename("./our_local_storage/output.bam")
    """
    bam, _ = bam_bytes("chr1", 10_000, example_reads(40, "output.bam"), sample="example")
    return write_file(bam, "output.bam", place(in_storage_root, basedir))


def file_fastq(in_storage_root: bool = False, *, basedir: str | Path = ".") -> Path:
    """Writes `input.fastq.gz`: 25 reads of 50 bases, gzip-compressed.

    Args:
        in_storage_root: Write into the root of the default storage location.
        basedir: Folder to write into otherwise; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> path = ln.examples.datasets.file_fastq()
        >>> ln.Artifact(path, key="example_datasets/file.fastq.gz").save()
    """
    reads = example_reads(25, "input.fastq")
    text = fastq_bytes([r.name for r in reads], [r.sequence for r in reads], [r.qualities for r in reads])
    return write_file(gzip_stored(text), "input.fastq.gz", place(in_storage_root, basedir))
