//! Suffixes of file names: which part of a name says what the file is.

mod formats;

pub use formats::{Format, Formats};

/// Characters that the column for suffixes can hold.
const MAX_LEN: usize = 30;

/// The suffix of a name in lower case, twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Suffix {
    /// The suffix made of listed formats and encodings; empty when the last one is in no list.
    pub canonical: String,
    /// The suffix as the name has it; equal to `canonical` unless that is empty.
    pub raw: String,
}

/// The suffix that an artifact's row and its stored name carry, and what became of the name's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoredSuffix {
    /// The suffix to store, possibly empty.
    pub suffix: String,
    /// True when the name has several suffixes and only the last one is kept.
    pub reduced: bool,
    /// The suffix that cannot be kept because of its length or characters.
    pub dropped: Option<String>,
}

impl Suffix {
    /// Returns the suffix of the last segment of `name`, which may be a path or a key.
    pub fn of_name(name: &str, formats: &Formats) -> Suffix {
        let name = last_segment(name).to_lowercase();
        let chain = chain(&name);
        let Some((last, before)) = chain.split_last() else {
            return Suffix { canonical: String::new(), raw: String::new() };
        };
        let listed = |from: &[&str]| {
            let suffix: String = from.concat();
            Suffix { canonical: suffix.clone(), raw: suffix }
        };
        let n = chain.len();
        if let Some(from) =
            (0..n - 1).find(|&from| formats.contains(Format::Composite, &chain[from..].concat()))
        {
            return listed(&chain[from..]);
        }
        if formats.contains(Format::Simple, last) {
            return listed(&chain[n - 1..]);
        }
        if !formats.contains(Format::Encoding, last) {
            return Suffix { canonical: String::new(), raw: (*last).to_owned() };
        }
        match before {
            [.., inner, ".tar"] if formats.contains(Format::Simple, inner) => listed(&chain[n - 3..]),
            [.., inner] if formats.contains(Format::Simple, inner) => listed(&chain[n - 2..]),
            _ => listed(&chain[n - 1..]),
        }
    }

    /// Returns what an artifact of that name stores.
    ///
    /// A listed suffix is stored in its canonical form, an unlisted one as it is if it has at most 30 characters, all
    /// of them ASCII letters, digits, `.`, `_` or `-`: tools that go by file names keep working on the stored file.
    pub fn stored(name: &str, formats: &Formats) -> StoredSuffix {
        let found = Suffix::of_name(name, formats);
        let name = last_segment(name).to_lowercase();
        let chain = chain(&name);
        let suffix = if found.canonical.is_empty() { found.raw } else { found.canonical };
        let keep = suffix.len() <= MAX_LEN && suffix.chars().all(is_plain);
        if keep {
            let reduced = chain.len() > 1 && chain.last() == Some(&suffix.as_str());
            StoredSuffix { suffix, reduced, dropped: None }
        } else {
            StoredSuffix { suffix: String::new(), reduced: false, dropped: Some(suffix) }
        }
    }
}

/// Returns true for the characters that a stored suffix may have.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn last_segment(name: &str) -> &str {
    let name = name.trim_end_matches('/');
    name.rsplit('/').next().unwrap_or(name)
}

/// Returns the suffixes of a file name in order, each with its dot; leading dots hide a file and start no suffix.
pub fn chain(name: &str) -> Vec<&str> {
    let bare = name.trim_start_matches('.');
    if bare.ends_with('.') {
        return Vec::new();
    }
    let dots: Vec<usize> = bare.match_indices('.').map(|(at, _)| at).collect();
    let ends = dots.iter().skip(1).copied().chain([bare.len()]);
    dots.iter().zip(ends).map(|(&start, end)| &bare[start..end]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(name: &str, canonical: &str, raw: &str) {
        let expected = Suffix { canonical: canonical.to_owned(), raw: raw.to_owned() };
        assert_eq!(Suffix::of_name(name, &Formats::default()), expected, "{name}");
    }

    #[test]
    fn names_have_the_suffixes_of_the_format() {
        for (name, suffix) in [
            ("x.fastq.gz", ".fastq.gz"),
            ("a.b.c.csv.gz", ".csv.gz"),
            ("x.tar.gz", ".tar.gz"),
            ("x.h5ad.tar.gz", ".h5ad.tar.gz"),
            ("x.random.tar.gz", ".tar.gz"),
            ("x.anndata.zarr", ".anndata.zarr"),
            ("x.OME.ZARR", ".ome.zarr"),
            ("x.vitessce.json", ".vitessce.json"),
            ("x.spatialdata.zarr", ".zarr"),
            ("x.ome.tif", ".tif"),
            ("x.TIFF", ".tiff"),
            ("x.2022_07.txt", ".txt"),
            ("x.random.gz", ".gz"),
            ("x.gz", ".gz"),
            ("x.tar", ".tar"),
            ("a.zarr/", ".zarr"),
            ("dir.csv/x.parquet", ".parquet"),
        ] {
            check(name, suffix, suffix);
        }
        for (name, raw) in [
            ("x.random", ".random"),
            ("x.bai", ".bai"),
            ("x.bam.bai", ".bai"),
            ("x.cloupe", ".cloupe"),
            ("x.txt.bak", ".bak"),
            (".hidden", ""),
            ("noext", ""),
            ("dir.csv/noext", ""),
            ("dot.", ""),
            ("", ""),
        ] {
            check(name, "", raw);
        }
    }

    #[test]
    fn formats_can_be_added() {
        let mut formats = Formats::default();
        formats.add(Format::Simple, ".BAI").unwrap();
        formats.add(Format::Composite, ".spatialdata.zarr").unwrap();
        formats.add(Format::Encoding, ".lz4").unwrap();
        let canonical = |name| Suffix::of_name(name, &formats).canonical;
        assert_eq!(canonical("x.bam.bai"), ".bai");
        assert_eq!(canonical("x.spatialdata.zarr"), ".spatialdata.zarr");
        assert_eq!(canonical("x.csv.lz4"), ".csv.lz4");
        formats.remove(Format::Simple, ".bai");
        formats.remove(Format::Encoding, ".gz");
        assert_eq!(Suffix::of_name("x.bam.bai", &formats).canonical, "");
        assert_eq!(Suffix::of_name("x.csv.gz", &formats).canonical, "");
        assert!(!formats.all(Format::Encoding).contains(".gz"));
        formats.add(Format::Encoding, ".gz").unwrap();
        formats.remove(Format::Encoding, ".lz4");
        formats.remove(Format::Composite, ".spatialdata.zarr");
        formats.add(Format::Simple, ".bai").unwrap();
        formats.remove(Format::Simple, ".bai");
        assert_eq!(formats.all(Format::Encoding), Formats::default().all(Format::Encoding));
        assert_eq!(formats.all(Format::Simple), Formats::default().all(Format::Simple));
    }

    #[test]
    fn what_no_name_ends_in_cannot_be_added() {
        let mut formats = Formats::default();
        for bad in ["", ".", "csv", ".a.b", ".a..", ".größe", ".a b", &format!(".{}", "a".repeat(30))] {
            assert_eq!(
                formats.add(Format::Simple, bad).unwrap_err().kind(),
                crate::ErrorKind::Value,
                "{bad}"
            );
        }
        assert!(formats.add(Format::Composite, ".zarr").is_err());
        assert_eq!(formats, Formats::default());
    }

    #[test]
    fn unlisted_suffixes_are_stored() {
        let stored = |name: &str| Suffix::stored(name, &Formats::default());
        let kept = |suffix: &str, reduced| StoredSuffix { suffix: suffix.to_owned(), reduced, dropped: None };
        assert_eq!(stored("possorted_genome_bam.bam.bai"), kept(".bai", true));
        assert_eq!(stored("q.abcdef"), kept(".abcdef", false));
        assert_eq!(stored("x.ome.tif"), kept(".tif", true));
        assert_eq!(stored("x.csv.gz"), kept(".csv.gz", false));
        assert_eq!(stored("x.OME.zarr"), kept(".ome.zarr", false));
        assert_eq!(stored("noext"), kept("", false));
        let longest = format!("x.{}", "a".repeat(29));
        assert_eq!(stored(&longest).suffix.len(), 30);
        for bad in [format!(".{}", "a".repeat(30)), ".a b".to_owned(), ".größe".to_owned(), ".a+b".to_owned()]
        {
            let expected = StoredSuffix { suffix: String::new(), reduced: false, dropped: Some(bad.clone()) };
            assert_eq!(stored(&format!("x.csv{bad}")), expected);
        }
    }

    proptest! {
        #[test]
        fn a_suffix_ends_its_name(name in "\\PC*|[a-zA-Z.]{0,12}(\\.(csv|gz|tar|zarr|ome|bai|h5ad|İ)){0,4}") {
            let lower = name.to_lowercase();
            let found = Suffix::of_name(&name, &Formats::default());
            let end = lower.trim_end_matches('/');
            prop_assert!(end.ends_with(&found.raw) && end.ends_with(&found.canonical));
            prop_assert!(found.canonical.is_empty() || found.canonical == found.raw);
            let stored = Suffix::stored(&name, &Formats::default());
            prop_assert!(end.ends_with(&stored.suffix) && stored.suffix.len() <= 30);
            prop_assert!(stored.dropped.is_none() || stored.suffix.is_empty());
        }
    }
}
