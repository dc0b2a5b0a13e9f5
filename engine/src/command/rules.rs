//! Which files of a command count as inputs and outputs.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::NewCommand;
use super::pattern::Pattern;
use crate::error::Result;
use crate::hash::Stamp;
use crate::instance::Instance;
use crate::instance::settings::cache_dir;
use crate::trace::Files;

/// Names that hold what programs keep for themselves; so do all that start with a dot.
const PRIVATE: [&str; 5] = ["__pycache__", "node_modules", "site-packages", "dist-packages", "nohup.out"];

/// Endings of files on their way to something else.
const PASSING: [&str; 6] = [".tmp", ".temp", ".swp", ".pyc", ".lock", "~"];

/// Endings of folders that are one thing.
const WHOLE: [&str; 3] = [".zarr", ".tiledb", ".tiledbsoma"];

/// The rules for one command.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Files below count by default.
    project: PathBuf,
    /// Where the instance keeps content, for reading.
    kept: Vec<PathBuf>,
    cache: PathBuf,
    outputs: Vec<Pattern>,
    inputs: Vec<Pattern>,
    ignore: Vec<Pattern>,
    /// Files that a workflow manager names as inputs, by their real paths.
    declared: BTreeSet<PathBuf>,
    pub(super) prefix: String,
    /// Folders of a workflow manager, relative to the project.
    scratch: Option<&'static str>,
    /// What the patterns for outputs meant before the command ran.
    before: BTreeMap<PathBuf, Stamp>,
}

impl Rules {
    pub(super) fn new(
        instance: &Instance,
        new: &NewCommand,
        words: &[String],
        folder: &Path,
    ) -> Result<Rules> {
        let patterns = |texts: &[String]| {
            texts.iter().map(|text| Pattern::new(text, folder)).collect::<Result<Vec<_>>>()
        };
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let project = instance
            .below_project(&folder.join("x"))
            .and_then(|below| folder.ancestors().nth(below.components().count() - 1))
            .unwrap_or(folder);
        let locations = instance.locations()?;
        let roots = locations.iter().filter(|location| location.text("type") == Some("local"));
        let mut rules = Rules {
            project: project.to_owned(),
            kept: roots.filter_map(|location| Some(real(Path::new(location.text("root")?)))).collect(),
            cache: real(&cache_dir(instance.env())?),
            outputs: patterns(&new.outputs)?,
            inputs: patterns(&new.inputs)?,
            ignore: patterns(&new.ignore)?,
            declared: BTreeSet::new(),
            prefix: new.prefix.clone().unwrap_or_default(),
            scratch: words.first().is_some_and(|word| word.ends_with("nextflow")).then_some("work"),
            before: BTreeMap::new(),
        };
        rules.before = rules.named(&rules.outputs).collect();
        Ok(rules)
    }

    /// Takes up files that are inputs, whatever they are called.
    pub(super) fn declare_inputs(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.declared.extend(paths);
    }

    /// Returns the folder of the project.
    pub(super) fn project(&self) -> &Path {
        &self.project
    }

    /// Returns the folders in which a command is watched.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let bases = self.outputs.iter().chain(&self.inputs).map(|pattern| pattern.base().to_owned());
        [self.project.clone(), self.cache.clone()].into_iter().chain(self.kept.clone()).chain(bases).collect()
    }

    /// Notes the files that the patterns name: all that is known where nothing was traced.
    pub(super) fn declare(&self, files: &mut Files) {
        for (path, _) in self.named(&self.inputs) {
            files.open_to_read(&path);
        }
        for (path, stamp) in self.named(&self.outputs) {
            if self.before.get(&path) != Some(&stamp) {
                files.appear(&path);
            }
        }
    }

    /// Returns the files that patterns mean at present.
    fn named<'a>(&'a self, patterns: &'a [Pattern]) -> impl Iterator<Item = (PathBuf, Stamp)> + 'a {
        patterns.iter().flat_map(move |pattern| {
            let walk = WalkDir::new(pattern.base()).sort_by_file_name().into_iter();
            let entries = walk.filter_entry(|entry| entry.file_name() != ".lamindb").flatten();
            let files = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
            files
                .filter(|path| pattern.matches(path) && !self.is_internal(path))
                .filter_map(|path| Stamp::of(&path).ok().map(|stamp| (path, stamp)))
        })
    }

    /// Returns true for a new or changed file that is to be saved.
    pub(super) fn is_output(&self, path: &Path) -> bool {
        if self.is_internal(path) || any(&self.ignore, path) {
            return false;
        }
        if self.outputs.is_empty() { self.is_of_project(path) } else { any(&self.outputs, path) }
    }

    /// Returns true for a file whose content may be that of an artifact, wherever that lies.
    pub(super) fn is_input(&self, path: &Path) -> bool {
        !self.is_internal(path)
            && !any(&self.ignore, path)
            && (self.is_of_project(path) || self.is_named_input(path))
    }

    /// Returns true for a file that is registered where it is not yet.
    pub(super) fn is_declared_input(&self, path: &Path) -> bool {
        !self.is_internal(path) && !any(&self.ignore, path) && self.is_named_input(path)
    }

    fn is_named_input(&self, path: &Path) -> bool {
        any(&self.inputs, path) || self.declared.contains(path)
    }

    /// Returns true when the user wants nothing to do with a file.
    pub(super) fn is_ignored(&self, path: &Path) -> bool {
        any(&self.ignore, path)
    }

    /// Returns the path below the cache directory.
    pub(super) fn in_cache<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.strip_prefix(&self.cache).ok()
    }

    /// Returns the folder that the key of a file starts from where it lies in no project of the instance.
    pub(super) fn base_of<'a>(&'a self, path: &Path) -> &'a Path {
        if path.starts_with(&self.project) {
            return &self.project;
        }
        let patterns = self.outputs.iter().chain(&self.inputs);
        patterns.filter(|pattern| pattern.matches(path)).map(Pattern::base).next().unwrap_or(&self.project)
    }

    /// Returns the folder that a file is part of, where that is one thing; else the file.
    pub(super) fn unit(&self, path: &Path) -> PathBuf {
        let folders: Vec<&Path> =
            path.ancestors().skip(1).filter(|dir| dir.starts_with(&self.project)).collect();
        let whole = folders.into_iter().rev().find(|dir| {
            let name = dir.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            WHOLE.iter().any(|ending| name.ends_with(ending))
        });
        whole.unwrap_or(path).to_owned()
    }

    /// Returns true for what the instance itself keeps.
    fn is_internal(&self, path: &Path) -> bool {
        path.starts_with(&self.cache)
            || path.components().any(|part| matches!(part.as_os_str().to_str(), Some(".lamindb" | ".lamin")))
            || path.file_name().is_some_and(|name| name.to_string_lossy().contains(".lndb"))
    }

    fn is_of_project(&self, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(&self.project) else { return false };
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        if PASSING.iter().any(|ending| name.ends_with(ending)) {
            return false;
        }
        if self.scratch.is_some_and(|scratch| below.starts_with(scratch)) {
            return false;
        }
        let mut folder = self.project.clone();
        below.components().all(|part| {
            let name = part.as_os_str().to_string_lossy();
            folder.push(part);
            let environment = || folder.join("pyvenv.cfg").is_file() || folder.join("conda-meta").is_dir();
            !name.starts_with('.') && !PRIVATE.contains(&&*name) && !environment()
        })
    }
}

fn any(patterns: &[Pattern], path: &Path) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}
