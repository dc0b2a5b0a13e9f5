//! How what lies in storage differs from what the registry says of it, in words.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use rayon::prelude::*;

use super::verify::{Flaw, State};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{Manifest, ManifestEntry, digest_watched, scan_folder};
use crate::ingest::Progress;
use crate::record::Record;
use crate::threads;

/// Files of a folder that a finding names.
const NAMED: usize = 3;

/// Compares the size of a file.
pub(super) fn compare_file(path: &Path, artifact: &Record) -> Result<Option<Flaw>> {
    let metadata = fs::metadata(path).map_err(|error| Error::io(path, error))?;
    Ok(compare_size(metadata.len(), artifact))
}

/// Compares a size with that of the registry.
pub(super) fn compare_size(size: u64, artifact: &Record) -> Option<Flaw> {
    let expected = artifact.int("size").and_then(|size| u64::try_from(size).ok());
    let expected = expected.filter(|expected| *expected != size)?;
    Some((State::Damaged, format!("has {size} bytes instead of {expected}")))
}

/// Compares names and sizes below a folder.
pub(super) fn compare_folder(
    path: &Path,
    artifact: &Record,
    manifest: Option<&Manifest>,
) -> Result<Option<Flaw>> {
    let folder = match scan_folder(path) {
        Ok(folder) => folder,
        Err(error) if error.kind() == ErrorKind::InvalidArgument => {
            return Ok(Some((State::Damaged, error.message().to_owned())));
        }
        Err(error) => return Err(error),
    };
    let files: Vec<(&str, u64)> =
        folder.files.iter().map(|file| (file.path.as_str(), file.stamp.size)).collect();
    Ok(compare_names(&files, artifact, manifest))
}

/// Compares names and sizes of the files of a folder.
pub(super) fn compare_names(
    files: &[(&str, u64)],
    artifact: &Record,
    manifest: Option<&Manifest>,
) -> Option<Flaw> {
    let Some(manifest) = manifest else {
        let (n, size) = (files.len() as i64, files.iter().map(|(_, size)| size).sum::<u64>());
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let other = |field: &str, found: i64| artifact.int(field).filter(|expected| *expected != found);
        let flaw = match (other("n_files", n), other("size", size)) {
            (Some(expected), _) => format!("has {n} files instead of {expected}"),
            (None, Some(expected)) => format!("has {size} bytes instead of {expected}"),
            (None, None) => return None,
        };
        return Some((State::Damaged, flaw));
    };
    let mut differences = Differences::default();
    let found: HashMap<&str, u64> = files.iter().copied().collect();
    for entry in manifest.entries() {
        match found.get(entry.path.as_str()) {
            None => differences.missing.push(entry.path.clone()),
            Some(size) if *size != entry.size => differences.changed.push(entry.path.clone()),
            Some(_) => {}
        }
    }
    let foreign = files.iter().filter(|(path, _)| manifest.get(path).is_none());
    differences.foreign = foreign.map(|(path, _)| (*path).to_owned()).collect();
    differences.words().map(|words| (State::Damaged, words))
}

/// Compares two manifests of the same names and sizes.
pub(super) fn compare_manifests(found: &Manifest, expected: &Manifest) -> Option<String> {
    let same = |path: &str, digest| found.get(path).is_some_and(|entry| entry.digest == digest);
    let changed = expected.entries().iter().filter(|entry| !same(&entry.path, entry.digest));
    let changed = changed.map(|entry| entry.path.clone()).collect();
    Differences { changed, ..Differences::default() }.words()
}

/// Compares every byte below a folder whose names and sizes are right.
pub(super) fn compare_bytes(
    path: &Path,
    manifest: &Manifest,
    progress: &Progress<'_>,
) -> Result<Option<String>> {
    let differing = |entry: &ManifestEntry| {
        let digest = digest_watched(&path.join(&entry.path), &|bytes| progress.add(bytes))?;
        Ok((digest != entry.digest).then(|| entry.path.clone()))
    };
    let changed =
        threads::share(|| manifest.entries().par_iter().map(differing).collect::<Result<Vec<_>>>())?;
    let changed = changed.into_iter().flatten().collect();
    Ok(Differences { changed, ..Differences::default() }.words())
}

/// How the files of a folder differ from its manifest.
#[derive(Default)]
struct Differences {
    missing: Vec<String>,
    changed: Vec<String>,
    foreign: Vec<String>,
}

impl Differences {
    fn words(&self) -> Option<String> {
        let kinds = [("missing", &self.missing), ("changed", &self.changed), ("foreign", &self.foreign)];
        let words: Vec<String> = kinds
            .iter()
            .filter(|(_, files)| !files.is_empty())
            .map(|(kind, files)| {
                let named = files.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
                let more = if files.len() > NAMED { ", …" } else { "" };
                format!("{} {kind}: {named}{more}", files.len())
            })
            .collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}
