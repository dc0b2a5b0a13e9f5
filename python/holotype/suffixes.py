"""Suffixes of file names: which ones are known, and how a name is split.

The three sets may be extended at run time, for example `suffixes.simple_formats.add(".mzml")`.
"""

from __future__ import annotations

__all__ = [
    "composite_formats",
    "encoding_formats",
    "name_suffixes",
    "raw_suffix",
    "simple_formats",
    "split_suffix",
]

simple_formats = {
    f".{name}"
    for name in (
        "3g2 3gp 3gpp 3gpp2 7z a aac adts ai aif aifc aiff arrow ass au avi avif avro bam bat bcf bcpio bed "
        "bedgraph bigwig bin bmp bw c cdf ckpt cpio cram csh css csv czi data db dcm dll doc dot duckdb dvi "
        "embl eml eps etx exe fa fasta fastq fcs feather gb genbank gff gff3 gguf gif gtar gtf h h5 h5ad "
        "h5mu hdf hdf5 heic heif htm html ico ief ipynb joblib jpe jpeg jpg js json jsonl keras ksh latex "
        "lif loas loom m1v m3u m3u8 man mar markdown md me mht mhtml mid midi mif mjs mlmodel model mov "
        "movie mp2 mp3 mp4 mpa mpe mpeg mpg ms mtx n3 nc nd2 ndjson newick npy npz nq nt nwk nws o obj obo "
        "oda onnx opus orc p12 p7c parquet pb pbm pbtxt pct pdf pfx pgm pic pickle pict pkl pl png pnm pot "
        "ppa ppm pps ppt ps pt pth pwz py pyc pyo qs qt ra ram rar ras rdf rds rgb roff rtf rtx safetensors "
        "sam savedmodel sgm sgml sh shar snd so soma sqlite src srt state_dict sv4cpio sv4crc svg svs swf t "
        "tar tcl tex texi texinfo tflite tif tiff tiledb tiledbsoma tr trig tsv txt ustar vcf vtt wasm wav "
        "webm webmanifest webp wiz wsdl xbm xlb xls xlsx xml xpdl xpm xsl xul xwd yaml yml zarr zip"
    ).split()
}
composite_formats = {".anndata.zarr", ".ome.h5", ".ome.hdf5", ".ome.zarr", ".vitessce.json"}
encoding_formats = {".bz2", ".gz", ".xz", ".zst"}


def name_suffixes(name: str) -> list[str]:
    """Returns all suffixes of a file name in lower case; leading dots start none.

    Example:
        >>> name_suffixes("a.b.CSV.gz")
        ['.b', '.csv', '.gz']
    """
    if name.endswith("."):
        return []
    return [f".{part.lower()}" for part in name.lstrip(".").split(".")[1:]]


def split_suffix(name: str) -> tuple[str, str]:
    """Returns the canonical and the raw suffix of a file or folder name.

    The canonical suffix is empty if the format is unknown; the raw one then is the last suffix of the name.

    Args:
        name: Name or path; only the part after the last slash counts.

    Example:
        >>> split_suffix("x.fastq.gz"), split_suffix("x.bam.bai")
        (('.fastq.gz', '.fastq.gz'), ('', '.bai'))
    """
    parts = name_suffixes(name.rstrip("/").rsplit("/", 1)[-1])
    if not parts:
        return "", ""
    last = parts[-1]
    if len(parts) == 1:
        return (last if last in simple_formats or last in encoding_formats else ""), last
    if "".join(parts[-2:]) in composite_formats:
        return "".join(parts[-2:]), "".join(parts[-2:])
    if last in simple_formats:
        return last, last
    if last in encoding_formats:
        encoded = last
        inner = parts[-2]
        if inner == ".tar":
            encoded = ".tar" + last
            inner = parts[-3] if len(parts) > 2 else ""
        if inner in simple_formats:
            encoded = inner + encoded
        return encoded, encoded
    return "", last


def raw_suffix(name: str) -> str:
    """Returns the suffix that decides how a file is read.

    Example:
        >>> raw_suffix("cells.h5ad.tar.gz")
        '.h5ad.tar.gz'
    """
    return split_suffix(name)[1]
