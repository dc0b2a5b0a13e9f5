//! Folders file by file.

use std::collections::BTreeMap;

use super::Options;
use crate::error::Result;
use crate::hash;
use crate::instance::Instance;
use crate::record::Record;

/// The difference of two folders, by path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folders {
    /// Files that only the second has.
    pub added: Vec<String>,
    /// Files that only the first has.
    pub removed: Vec<String>,
    /// Files with other content: path, size in the first, size in the second.
    pub changed: Vec<(String, u64, u64)>,
    /// Files that were only given another name: the first's, the second's.
    pub renamed: Vec<(String, String)>,
    /// Number of files that are the same.
    pub same: usize,
    /// Names left out of the lists above, which hold as many as were asked for.
    pub left_out: usize,
}

impl Folders {
    /// Returns true when there is no difference.
    pub fn is_same(&self) -> bool {
        let lists = [
            self.added.is_empty(),
            self.removed.is_empty(),
            self.changed.is_empty(),
            self.renamed.is_empty(),
        ];
        lists.into_iter().all(|empty| empty) && self.left_out == 0
    }
}

/// Size and digest of files by path.
type Files = BTreeMap<String, (u64, hash::Digest)>;

/// Returns how the folders of two artifacts differ; their manifests tell, where they have some.
pub(super) fn compare(instance: &Instance, a: &Record, b: &Record, options: &Options) -> Result<Folders> {
    Ok(file_lists(&files(instance, a)?, &files(instance, b)?, options))
}

fn files(instance: &Instance, record: &Record) -> Result<Files> {
    let manifest = match instance.manifest(record)? {
        Some(manifest) => manifest,
        None => hash::hash_folder(&instance.cache(record)?)?.manifest,
    };
    Ok(manifest.entries().iter().map(|entry| (entry.path.clone(), (entry.size, entry.digest))).collect())
}

/// Returns how two lists of files differ.
pub fn file_lists(a: &Files, b: &Files, options: &Options) -> Folders {
    let mut found = Folders::default();
    let mut gone: BTreeMap<hash::Digest, Vec<&String>> = BTreeMap::new();
    for (path, (size, digest)) in a {
        match b.get(path) {
            Some((_, other)) if other == digest => found.same += 1,
            Some((other, _)) => found.changed.push((path.clone(), *size, *other)),
            None => gone.entry(*digest).or_default().push(path),
        }
    }
    for (path, (_, digest)) in b.iter().filter(|(path, _)| !a.contains_key(*path)) {
        match gone.get_mut(digest).and_then(Vec::pop) {
            Some(before) => found.renamed.push((before.clone(), path.clone())),
            None => found.added.push(path.clone()),
        }
    }
    found.removed = gone.into_values().flatten().cloned().collect();
    found.removed.sort_unstable();
    for list in [&mut found.added, &mut found.removed] {
        found.left_out += list.len().saturating_sub(options.most);
        list.truncate(options.most);
    }
    found.left_out += found.changed.len().saturating_sub(options.most);
    found.changed.truncate(options.most);
    found.left_out += found.renamed.len().saturating_sub(options.most);
    found.renamed.truncate(options.most);
    found
}
