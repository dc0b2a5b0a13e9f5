//! What surrounds a run and may change what comes of it: the system, the interpreter, packages, variables, and the
//! state of the repository that holds the code.
//!
//! It is gathered while the run goes on and kept once per content beside the tables of the format, where other programs do
//! not look ([`crate::Instance::surroundings`]). Secrets are taken out before anything is kept.

mod gather;
mod packages;
mod python;
mod repository;
mod rows;
mod software;
mod system;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::env::Env;
use crate::track::redacted_text;

pub(crate) use gather::{environment, gather, gathered};
pub(crate) use packages::{Searched, packages, python_folders};
pub(crate) use repository::{commit, restore};
pub use rows::Document;
pub(crate) use rows::keep;
pub(crate) use system::system;

/// Variables that change what programs do; no others are kept.
const VARIABLES: [&str; 19] = [
    "APPTAINER_CONTAINER",
    "CONDA_DEFAULT_ENV",
    "CONTAINER_IMAGE",
    "CONTAINER_IMAGE_DIGEST",
    "CUDA_VISIBLE_DEVICES",
    "JAVA_HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "MKL_NUM_THREADS",
    "NXF_VER",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PERL5LIB",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "R_LIBS",
    "SINGULARITY_CONTAINER",
    "TZ",
];

/// What a program that tracks itself knows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Name and version of the interpreter, such as `CPython 3.11.7`.
    pub interpreter: String,
    /// The interpreter as it was called; links are not followed.
    pub program: PathBuf,
    /// The folder of the environment that it belongs to.
    pub prefix: PathBuf,
    /// Folders in which it looks for packages.
    pub path: Vec<PathBuf>,
    /// Where it runs.
    pub folder: PathBuf,
    /// The words with which it was called.
    pub words: Vec<String>,
    /// The file that holds the code, where there is one.
    pub file: Option<PathBuf>,
}

/// What is kept of the surroundings of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Surroundings {
    /// Interpreter, system, packages, variables, lock files: equal for runs that could not tell each other apart.
    pub environment: Json,
    /// How the run was called, and the state of the repository of its code.
    pub origin: Json,
    /// How the files of the repository differed from its commit; nothing where they did not, or differed by too much.
    pub difference: Option<String>,
}

impl Surroundings {
    /// Returns in a few words which commit the code was at: `0e25fe06 (main), 2 files changed`.
    pub fn commit(&self) -> Option<String> {
        let repository = &self.origin["repository"];
        let mut text = repository["commit"].as_str()?.get(..8)?.to_owned();
        if let Some(branch) = repository["branch"].as_str() {
            text.push_str(&format!(" ({branch})"));
        }
        match repository["changed"].as_array().map_or(0, Vec::len) {
            0 => {}
            1 => text.push_str(", 1 file changed"),
            n => text.push_str(&format!(", {n} files changed")),
        }
        Some(text)
    }

    /// Returns all of it as one object: the environment, and in its `origin` the difference as text.
    pub fn json(mut self) -> Json {
        if let Some(difference) = self.difference {
            self.origin["repository"]["difference"] = difference.into();
        }
        self.environment["origin"] = self.origin;
        self.environment
    }
}

/// Something that is no longer as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What: `system.release`, `packages.python.numpy`, `programs./usr/bin/sort`, …
    pub what: String,
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub now: Option<String>,
}

impl Process {
    /// Returns what is known of a program that somebody else starts.
    pub(crate) fn of_program(env: &Env, program: &Path, folder: &Path, words: &[String]) -> Process {
        let python = program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python"));
        let prefixes = if python { prefixes(env, program) } else { BTreeSet::new() };
        Process {
            interpreter: String::new(),
            program: program.to_owned(),
            prefix: PathBuf::new(),
            path: prefixes.iter().flat_map(|prefix| python_folders(prefix)).collect(),
            folder: folder.to_owned(),
            words: words.to_vec(),
            file: None,
        }
    }
}

/// Returns the variables that are kept, without the secrets in them.
pub(crate) fn variables(env: &Env) -> BTreeMap<&'static str, String> {
    let kept = |name: &'static str| env.vars.get(name).map(|value| (name, redacted_text(value).0));
    VARIABLES.into_iter().filter_map(kept).collect()
}

/// Returns the folders in which the languages of a program keep their packages.
pub(crate) fn prefixes(env: &Env, program: &Path) -> BTreeSet<PathBuf> {
    // The folder above `bin`: links to the program are not followed, since environments are made of them.
    let above = program.parent().and_then(Path::parent).map(Path::to_owned);
    let variable = |name: &str| env.vars.get(name).map(PathBuf::from);
    [above, variable("VIRTUAL_ENV"), variable("CONDA_PREFIX")].into_iter().flatten().collect()
}

/// Returns what differs between two environments, sorted.
pub(crate) fn differences(before: &Json, now: &Json) -> Vec<Difference> {
    let (mut was, mut is) = (BTreeMap::new(), BTreeMap::new());
    flatten("", before, &mut was);
    flatten("", now, &mut is);
    let all: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    all.into_iter()
        .map(|what| Difference {
            what: what.clone(),
            before: was.get(what).cloned(),
            now: is.get(what).cloned(),
        })
        .filter(|difference| difference.before != difference.now)
        .collect()
}

fn flatten(name: &str, json: &Json, into: &mut BTreeMap<String, String>) {
    match json {
        Json::Object(map) => {
            for (key, value) in map {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, into);
            }
        }
        Json::Null => {}
        Json::String(text) => drop(into.insert(name.to_owned(), text.clone())),
        other => drop(into.insert(name.to_owned(), other.to_string())),
    }
}
