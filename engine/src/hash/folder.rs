//! Hashing a folder.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::WalkDir;

use super::file::{Identity, identify_file};
use super::stamp::{Stamp, changed};
use super::{ContentHash, Digest, Manifest, ManifestEntry, folder_hash};
use crate::error::{Error, Result};
use crate::threads;

/// The files below a folder at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder as it was given.
    pub path: PathBuf,
    /// Its files, sorted by their relative path.
    pub files: Vec<FolderFile>,
}

/// A file below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderFile {
    /// Path below the folder, segments joined with `/`.
    pub path: String,
    /// Where to read it.
    pub source: PathBuf,
    /// Permission bits.
    pub mode: u32,
    /// Size, time and identity when it was found.
    pub stamp: Stamp,
}

/// Both names of a folder, and its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderIdentity {
    /// The format's hash.
    pub content: ContentHash,
    /// The digest of the manifest.
    pub digest: Digest,
    /// Every file.
    pub manifest: Manifest,
}

/// Returns the files below `path`, hidden ones included; empty folders are passed over.
///
/// A link is followed when it stays inside the folder: what it points at then counts as if it lay there.
///
/// # Errors
/// [`crate::ErrorKind::InvalidArgument`] for an empty folder, a link that leads outside, to nothing or round in
/// circles, a name that is not UTF-8, and anything that is neither file nor folder.
pub fn scan_folder(path: &Path) -> Result<Folder> {
    let root = fs::canonicalize(path).map_err(|error| Error::io(path, error))?;
    if !root.is_dir() {
        return Err(Error::invalid(format!("{} is a file where a folder is expected", path.display())));
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).min_depth(1) {
        let entry = entry.map_err(|error| walk_error(path, error))?;
        let found = entry.path();
        if entry.path_is_symlink() {
            check_link(found, &root)?;
        }
        let relative = relative(path, found)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let metadata = entry.metadata().map_err(|error| walk_error(path, error))?;
        if !metadata.is_file() {
            let found = found.display();
            return Err(Error::invalid(format!(
                "{found} is neither a file nor a folder; remove it or save files one by one"
            )));
        }
        let stamp = Stamp::from(&metadata);
        files.push(FolderFile { path: relative, source: found.to_path_buf(), mode: mode(&metadata), stamp });
    }
    if files.is_empty() {
        return Err(Error::invalid(format!("folder is empty: {}", path.display())));
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(Folder { path: path.to_path_buf(), files })
}

/// Returns both names of a folder and its manifest; files are read in parallel.
///
/// # Errors
/// As [`scan_folder`]; [`crate::ErrorKind::Io`] when a file changes, comes or goes meanwhile.
pub fn hash_folder(path: &Path) -> Result<FolderIdentity> {
    let folder = scan_folder(path)?;
    let identify = |file: &FolderFile| {
        let identity = identify_file(&file.source)?;
        if identity.content.size == file.stamp.size { Ok(identity) } else { Err(changed(&file.source)) }
    };
    let identities: Vec<Identity> =
        threads::share(|| folder.files.par_iter().map(identify).collect::<Result<_>>())?;
    folder.check()?;
    folder.identity(identities)
}

impl Folder {
    /// Returns the sum of the sizes.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.stamp.size).sum()
    }

    /// Fails unless the folder still holds the same files, unchanged.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] that names the first file that changed, came or went.
    pub fn check(&self) -> Result<()> {
        let now = match scan_folder(&self.path) {
            Ok(now) => now,
            Err(error) => return Err(changed(&self.path).because(error)),
        };
        if now.files == self.files {
            return Ok(());
        }
        let paths =
            |folder: &Folder| folder.files.iter().map(|file| file.path.clone()).collect::<BTreeSet<_>>();
        let (before, after) = (paths(self), paths(&now));
        let moved = before.symmetric_difference(&after).next().map(|relative| self.path.join(relative));
        let rewritten =
            || self.files.iter().zip(&now.files).find(|(a, b)| a != b).map(|(file, _)| file.source.clone());
        Err(changed(&moved.or_else(rewritten).unwrap_or_else(|| self.path.clone())))
    }

    /// Returns both names and the manifest from those of the files, given in the order of [`Folder::files`].
    pub(crate) fn identity(&self, identities: Vec<Identity>) -> Result<FolderIdentity> {
        let hashes = identities.iter().map(|identity| (identity.content.hash.clone(), identity.content.size));
        let content = folder_hash(hashes)
            .ok_or_else(|| Error::invalid(format!("folder is empty: {}", self.path.display())))?;
        let entries = self.files.iter().zip(&identities).map(|(file, identity)| ManifestEntry {
            path: file.path.clone(),
            size: identity.content.size,
            digest: identity.digest,
            mode: file.mode,
        });
        let manifest = Manifest::new(entries.collect());
        Ok(FolderIdentity { content, digest: manifest.digest(), manifest })
    }
}

/// Returns the permission bits of a file; systems without them report what is usual elsewhere.
pub(crate) fn mode(metadata: &Metadata) -> u32 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        metadata.permissions().mode() & 0o777
    }
    #[cfg(not(unix))]
    {
        if metadata.permissions().readonly() { 0o444 } else { 0o644 }
    }
}

fn relative(root: &Path, found: &Path) -> Result<String> {
    let below = found.strip_prefix(root).unwrap_or(found);
    let segments: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    match segments {
        Some(segments) => Ok(segments.join("/")),
        None => Err(Error::invalid(format!("{} has a name that is not UTF-8; rename it", found.display()))),
    }
}

fn check_link(link: &Path, root: &Path) -> Result<()> {
    let target = fs::canonicalize(link).map_err(|error| Error::io(link, error))?;
    if target.starts_with(root) {
        return Ok(());
    }
    let (link, target) = (link.display(), target.display());
    Err(Error::invalid(format!(
        "{link} is a link to {target}, outside the folder; put a copy in its place or remove it"
    )))
}

fn walk_error(root: &Path, error: walkdir::Error) -> Error {
    let path = error.path().unwrap_or(root).to_path_buf();
    if error.loop_ancestor().is_some() {
        return Error::invalid(format!(
            "{} is a link that leads back to a folder around it; remove it",
            path.display()
        ));
    }
    let dangling = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
    match error.into_io_error() {
        Some(cause) if dangling && cause.kind() == std::io::ErrorKind::NotFound => {
            Error::invalid(format!("{} is a link to nothing; remove it", path.display()))
        }
        Some(cause) if cause.kind() == std::io::ErrorKind::NotFound => changed(&path),
        Some(cause) => Error::io(&path, cause),
        None => Error::invalid(format!("{} cannot be walked", path.display())),
    }
}
