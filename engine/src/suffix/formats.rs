//! The suffixes that the format knows, and those that a caller adds.

use std::collections::BTreeSet;

use super::{MAX_LEN, is_plain};
use crate::error::{Error, Result};

/// What a listed suffix stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A format by itself, such as `.csv`.
    Simple,
    /// A format that takes several suffixes, such as `.ome.zarr`.
    Composite,
    /// A compression, such as `.gz`.
    Encoding,
}

impl Format {
    /// Returns the list of the format, sorted.
    fn listed(self) -> &'static [&'static str] {
        match self {
            Format::Simple => &SIMPLE,
            Format::Composite => &COMPOSITE,
            Format::Encoding => &ENCODING,
        }
    }
}

/// The lists that suffixes are judged by.
///
/// `Formats::default()` holds the lists of the format; a caller extends its own copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formats {
    changed: [Changes; 3],
}

/// How a caller's list differs from that of the format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Changes {
    added: BTreeSet<String>,
    removed: BTreeSet<String>,
}

impl Formats {
    /// Returns true for a suffix that is listed; `suffix` is in lower case.
    pub fn contains(&self, format: Format, suffix: &str) -> bool {
        let changes = &self.changed[format as usize];
        let listed = format.listed().binary_search(&suffix).is_ok() && !changes.removed.contains(suffix);
        listed || changes.added.contains(suffix)
    }

    /// Lists a suffix, in lower case.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for what no file name of that format can end in, or no column can hold.
    pub fn add(&mut self, format: Format, suffix: &str) -> Result<()> {
        let suffix = suffix.to_lowercase();
        let parts = suffix.split('.').skip(1);
        let many = parts.clone().count() > 1;
        let whole = suffix.starts_with('.') && parts.clone().all(|part| !part.is_empty()) && suffix != ".";
        if !whole || many != (format == Format::Composite) {
            let like = if format == Format::Composite { "like '.ome.zarr'" } else { "like '.csv'" };
            return Err(Error::value(format!("'{suffix}' can't be listed: pass a suffix {like}")));
        }
        if suffix.len() > MAX_LEN || !suffix.chars().all(is_plain) {
            return Err(Error::value(format!(
                "'{suffix}' can't be listed: a suffix has at most {MAX_LEN} characters, all of them ASCII letters, digits, '.', '_' or '-'"
            )));
        }
        let changes = &mut self.changed[format as usize];
        changes.removed.remove(&suffix);
        changes.added.insert(suffix);
        Ok(())
    }

    /// Takes a suffix off its list, also one of the format.
    pub fn remove(&mut self, format: Format, suffix: &str) {
        let suffix = suffix.to_lowercase();
        let changes = &mut self.changed[format as usize];
        changes.added.remove(&suffix);
        changes.removed.insert(suffix);
    }

    /// Returns every suffix of a list, sorted.
    pub fn all(&self, format: Format) -> BTreeSet<String> {
        let changes = &self.changed[format as usize];
        let listed = format.listed().iter().map(|suffix| (*suffix).to_owned());
        let kept = listed.filter(|suffix| !changes.removed.contains(suffix));
        kept.chain(changes.added.iter().cloned()).collect()
    }
}

/// Formats of one suffix, sorted.
#[rustfmt::skip]
static SIMPLE: [&str; 233] = [
    ".3g2", ".3gp", ".3gpp", ".3gpp2", ".7z", ".a", ".aac", ".adts", ".ai", ".aif", ".aifc", ".aiff",
    ".arrow", ".ass", ".au", ".avi", ".avif", ".avro", ".bam", ".bat", ".bcf", ".bcpio", ".bed",
    ".bedgraph", ".bigwig", ".bin", ".bmp", ".bw", ".c", ".cdf", ".ckpt", ".cpio", ".cram", ".csh", ".css",
    ".csv", ".czi", ".data", ".db", ".dcm", ".dll", ".doc", ".dot", ".duckdb", ".dvi", ".embl", ".eml",
    ".eps", ".etx", ".exe", ".fa", ".fasta", ".fastq", ".fcs", ".feather", ".gb", ".genbank", ".gff",
    ".gff3", ".gguf", ".gif", ".gtar", ".gtf", ".h", ".h5", ".h5ad", ".h5mu", ".hdf", ".hdf5", ".heic",
    ".heif", ".htm", ".html", ".ico", ".ief", ".ipynb", ".joblib", ".jpe", ".jpeg", ".jpg", ".js", ".json",
    ".jsonl", ".keras", ".ksh", ".latex", ".lif", ".loas", ".loom", ".m1v", ".m3u", ".m3u8", ".man", ".mar",
    ".markdown", ".md", ".me", ".mht", ".mhtml", ".mid", ".midi", ".mif", ".mjs", ".mlmodel", ".model",
    ".mov", ".movie", ".mp2", ".mp3", ".mp4", ".mpa", ".mpe", ".mpeg", ".mpg", ".ms", ".mtx", ".n3", ".nc",
    ".nd2", ".ndjson", ".newick", ".npy", ".npz", ".nq", ".nt", ".nwk", ".nws", ".o", ".obj", ".obo",
    ".oda", ".onnx", ".opus", ".orc", ".p12", ".p7c", ".parquet", ".pb", ".pbm", ".pbtxt", ".pct", ".pdf",
    ".pfx", ".pgm", ".pic", ".pickle", ".pict", ".pkl", ".pl", ".png", ".pnm", ".pot", ".ppa", ".ppm",
    ".pps", ".ppt", ".ps", ".pt", ".pth", ".pwz", ".py", ".pyc", ".pyo", ".qs", ".qt", ".ra", ".ram",
    ".rar", ".ras", ".rdf", ".rds", ".rgb", ".roff", ".rtf", ".rtx", ".safetensors", ".sam", ".savedmodel",
    ".sgm", ".sgml", ".sh", ".shar", ".snd", ".so", ".soma", ".sqlite", ".src", ".srt", ".state_dict",
    ".sv4cpio", ".sv4crc", ".svg", ".svs", ".swf", ".t", ".tar", ".tcl", ".tex", ".texi", ".texinfo",
    ".tflite", ".tif", ".tiff", ".tiledb", ".tiledbsoma", ".tr", ".trig", ".tsv", ".txt", ".ustar", ".vcf",
    ".vtt", ".wasm", ".wav", ".webm", ".webmanifest", ".webp", ".wiz", ".wsdl", ".xbm", ".xlb", ".xls",
    ".xlsx", ".xml", ".xpdl", ".xpm", ".xsl", ".xul", ".xwd", ".yaml", ".yml", ".zarr", ".zip",
];

/// Formats of several suffixes, sorted.
#[rustfmt::skip]
static COMPOSITE: [&str; 5] = [
    ".anndata.zarr", ".ome.h5", ".ome.hdf5", ".ome.zarr", ".vitessce.json",
];

/// Compressions, sorted.
#[rustfmt::skip]
static ENCODING: [&str; 4] = [
    ".bz2", ".gz", ".xz", ".zst",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_well_formed() {
        for list in [&SIMPLE[..], &COMPOSITE[..], &ENCODING[..]] {
            assert!(list.is_sorted());
            assert!(list.iter().all(|suffix| suffix.starts_with('.') && *suffix == suffix.to_lowercase()));
        }
        assert_eq!(Formats::default().all(Format::Simple).len(), 233);
    }
}
