//! The suffixes that the format knows, and those that a caller adds.

use std::collections::BTreeSet;

/// The lists that suffixes are judged by.
///
/// `Formats::default()` holds the lists of the format; a caller extends its own copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formats {
    added_simple: BTreeSet<String>,
    added_composite: BTreeSet<String>,
    added_encoding: BTreeSet<String>,
    removed_simple: BTreeSet<String>,
}

impl Formats {
    /// Returns true for a suffix that names a format by itself, such as `.csv`.
    pub fn is_simple(&self, suffix: &str) -> bool {
        let listed = SIMPLE.binary_search(&suffix).is_ok() && !self.removed_simple.contains(suffix);
        listed || self.added_simple.contains(suffix)
    }

    /// Returns true for a format that takes several suffixes, such as `.ome.zarr`.
    pub fn is_composite(&self, suffix: &str) -> bool {
        COMPOSITE.binary_search(&suffix).is_ok() || self.added_composite.contains(suffix)
    }

    /// Returns true for a compression, such as `.gz`.
    pub fn is_encoding(&self, suffix: &str) -> bool {
        ENCODING.binary_search(&suffix).is_ok() || self.added_encoding.contains(suffix)
    }

    /// Adds a format of one suffix.
    pub fn add_simple(&mut self, suffix: &str) {
        let suffix = suffix.to_lowercase();
        self.removed_simple.remove(&suffix);
        self.added_simple.insert(suffix);
    }

    /// Removes a format of one suffix, added or of the format.
    pub fn remove_simple(&mut self, suffix: &str) {
        let suffix = suffix.to_lowercase();
        self.added_simple.remove(&suffix);
        self.removed_simple.insert(suffix);
    }

    /// Adds a format of several suffixes.
    pub fn add_composite(&mut self, suffix: &str) {
        self.added_composite.insert(suffix.to_lowercase());
    }

    /// Adds a compression.
    pub fn add_encoding(&mut self, suffix: &str) {
        self.added_encoding.insert(suffix.to_lowercase());
    }

    /// Returns every format of one suffix, sorted.
    pub fn simple(&self) -> BTreeSet<String> {
        let listed = SIMPLE.iter().map(|suffix| (*suffix).to_owned());
        let mut all: BTreeSet<String> =
            listed.filter(|suffix| !self.removed_simple.contains(suffix)).collect();
        all.extend(self.added_simple.iter().cloned());
        all
    }

    /// Returns every format of several suffixes, sorted.
    pub fn composite(&self) -> BTreeSet<String> {
        COMPOSITE
            .iter()
            .map(|suffix| (*suffix).to_owned())
            .chain(self.added_composite.iter().cloned())
            .collect()
    }

    /// Returns every compression, sorted.
    pub fn encoding(&self) -> BTreeSet<String> {
        ENCODING
            .iter()
            .map(|suffix| (*suffix).to_owned())
            .chain(self.added_encoding.iter().cloned())
            .collect()
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
        assert_eq!(Formats::default().simple().len(), 233);
    }
}
