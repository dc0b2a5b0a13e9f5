//! The manifest of a folder: what lies where in it.

use super::Digest;
use crate::error::{Error, ErrorKind, Result};

const HEADER: &str = "holotype manifest 1";
const DIGEST_HEADER: &str = "holotype folder 1";

/// Compression level: manifests are hex and paths, where more effort hardly pays.
const LEVEL: i32 = 3;

/// The files below a folder, sorted by path.
///
/// # Format
/// As bytes, a manifest is UTF-8 text compressed with zstd. Its first line is `holotype manifest 1`; then follows one
/// line per file, sorted by the bytes of the path, each ended by a newline and made of four fields with one blank between:
///
/// | field | form |
/// |---|---|
/// | digest | BLAKE3 of the content, 64 lower-case hex digits |
/// | mode | permission bits, octal without prefix |
/// | size | bytes, decimal |
/// | path | relative, segments joined with `/`; a newline is written `\n`, a backslash `\\` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    entries: Vec<ManifestEntry>,
}

/// One file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestEntry {
    /// Path below the folder, segments joined with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// BLAKE3 of the content.
    pub digest: Digest,
    /// Permission bits.
    pub mode: u32,
}

impl Manifest {
    /// Returns the manifest of these files, in whatever order they come.
    pub fn new(mut entries: Vec<ManifestEntry>) -> Self {
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Manifest { entries }
    }

    /// Returns the files, sorted by path.
    pub fn entries(&self) -> &[ManifestEntry] {
        &self.entries
    }

    /// Returns the file at `path`.
    pub fn get(&self, path: &str) -> Option<&ManifestEntry> {
        self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok().map(|at| &self.entries[at])
    }

    /// Returns the sum of the sizes.
    pub fn size(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }

    /// Returns the digest of the folder: BLAKE3 over path, size and digest of every file.
    ///
    /// Permission bits do not enter: they depend on who copied the folder, and object stores have none. The text
    /// covered is the line `holotype folder 1` and then one line per file as in the manifest's own, without the mode.
    pub fn digest(&self) -> Digest {
        let mut text = String::with_capacity(64 + self.entries.len() * 120);
        text.push_str(DIGEST_HEADER);
        text.push('\n');
        for ManifestEntry { path, size, digest, .. } in &self.entries {
            text.push_str(&format!("{digest} {size} {}\n", escape(path)));
        }
        Digest::of(text.as_bytes())
    }

    /// Returns the compressed text.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the compressor gives up, which takes a lack of memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut text = format!("{HEADER}\n");
        for ManifestEntry { path, size, digest, mode } in &self.entries {
            text.push_str(&format!("{digest} {mode:o} {size} {}\n", escape(path)));
        }
        zstd::bulk::compress(text.as_bytes(), LEVEL).map_err(|error| {
            Error::new(ErrorKind::Io, "The manifest of the folder cannot be compressed").because(error)
        })
    }

    /// Returns the manifest that [`Manifest::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] for anything else, and for paths that would lead out of the folder.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let corrupt = |what: &str| {
            Error::new(ErrorKind::Corrupt, format!("The manifest of the folder is damaged: {what}"))
        };
        let text = zstd::stream::decode_all(bytes).map_err(|error| corrupt("not zstd").because(error))?;
        let text = String::from_utf8(text).map_err(|error| corrupt("not UTF-8").because(error))?;
        let Some(lines) = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n')) else {
            let first: String = text.lines().next().unwrap_or_default().chars().take(40).collect();
            return Err(corrupt(&format!(
                "expected '{HEADER}', found '{first}'; a newer version may read it"
            )));
        };
        if !lines.is_empty() && !lines.ends_with('\n') {
            return Err(corrupt("the last line is cut off"));
        }
        let entries: Vec<ManifestEntry> = lines
            .split_terminator('\n')
            .map(|line| parse_line(line).ok_or_else(|| corrupt(&format!("line '{line}'"))))
            .collect::<Result<_>>()?;
        if !entries.is_sorted_by(|a, b| a.path < b.path) {
            return Err(corrupt("its lines are not sorted"));
        }
        Ok(Manifest { entries })
    }
}

fn parse_line(line: &str) -> Option<ManifestEntry> {
    let mut fields = line.splitn(4, ' ');
    let digest = fields.next()?.parse().ok()?;
    let mode = u32::from_str_radix(fields.next()?, 8).ok()?;
    let size = fields.next()?.parse().ok()?;
    let path = unescape(fields.next()?)?;
    // Whoever restores a folder from its manifest must not be led out of it.
    let inside = path.split('/').all(|segment| !matches!(segment, "" | "." | "..")) && !path.contains('\0');
    inside.then_some(ManifestEntry { path, size, digest, mode })
}

fn escape(path: &str) -> String {
    path.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescape(text: &str) -> Option<String> {
    let mut path = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                '\\' => path.push('\\'),
                'n' => path.push('\n'),
                _ => return None,
            },
            other => path.push(other),
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(path: &str, content: &str, mode: u32) -> ManifestEntry {
        let digest = Digest::of(content.as_bytes());
        ManifestEntry { path: path.to_owned(), size: content.len() as u64, digest, mode }
    }

    #[test]
    fn the_digest_covers_names_structure_and_content_but_not_modes() {
        let base = Manifest::new(vec![entry("a", "1", 0o644), entry("b", "2", 0o644)]);
        let other_order = Manifest::new(vec![entry("b", "2", 0o600), entry("a", "1", 0o755)]);
        assert_eq!(base.digest(), other_order.digest());
        for other in [
            vec![entry("a", "2", 0o644), entry("b", "1", 0o644)],
            vec![entry("a", "1", 0o644), entry("c", "2", 0o644)],
            vec![entry("a", "1", 0o644), entry("s/b", "2", 0o644)],
            vec![entry("a", "1", 0o644)],
        ] {
            assert_ne!(Manifest::new(other).digest(), base.digest());
        }
    }

    #[test]
    fn files_are_found_by_path() {
        let manifest = Manifest::new(vec![entry("s/b", "22", 0o644), entry("a", "1", 0o644)]);
        assert_eq!(manifest.get("s/b").unwrap().size, 2);
        assert_eq!(manifest.get("b"), None);
        assert_eq!(manifest.size(), 3);
        assert_eq!(manifest.entries()[0].path, "a");
    }

    #[test]
    fn damage_is_noticed() {
        let line = format!("{} 644 1 ", Digest::of(b"1"));
        let cases = [
            ("holotype manifest 2\n".to_owned(), "newer version"),
            (format!("{HEADER}\n{line}../x\n"), "line"),
            (format!("{HEADER}\n{line}/x\n"), "line"),
            (format!("{HEADER}\n{line}a\\x\n"), "line"),
            (format!("{HEADER}\n{line}b\n{line}a\n"), "sorted"),
            (format!("{HEADER}\n{line}a\n{line}a\n"), "sorted"),
            (format!("{HEADER}\n{line}a"), "cut off"),
        ];
        for (text, reason) in cases {
            let error = Manifest::from_bytes(&zstd::bulk::compress(text.as_bytes(), 1).unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}");
            assert!(error.message().contains(reason), "{text}: {error}");
        }
        assert_eq!(Manifest::from_bytes(b"no zstd").unwrap_err().kind(), ErrorKind::Corrupt);
    }

    proptest! {
        #[test]
        fn manifests_survive_their_bytes(
            files in proptest::collection::btree_map("[^/\0]{1,8}(/[^/\0]{1,8}){0,2}", (any::<u64>(), 0u32..0o7777), 0..20)
        ) {
            let plain = |path: &str| path.split('/').all(|segment| !matches!(segment, "." | ".."));
            let entries = files.into_iter().filter(|(path, _)| plain(path)).map(|(path, (size, mode))| {
                ManifestEntry { digest: Digest::of(path.as_bytes()), path, size: size >> 8, mode }
            });
            let manifest = Manifest::new(entries.collect());
            prop_assert_eq!(Manifest::from_bytes(&manifest.to_bytes().unwrap()).unwrap(), manifest);
        }
    }
}
