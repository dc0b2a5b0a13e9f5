//! The surroundings of a command: system, programs with their digests, packages, and the variables that may matter.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::env::Env;
use crate::hash::digest_file;
use crate::track::{EnvironmentFile, is_secret_value};

/// Programs of which the digests are taken.
const PROGRAMS: usize = 200;

/// Variables that change what programs do; no others are kept.
const VARIABLES: [&str; 17] = [
    "APPTAINER_CONTAINER",
    "CONDA_DEFAULT_ENV",
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

/// Returns the surroundings as the file that is kept with the run; equal ones are kept once.
pub(super) fn record<'a>(
    env: &Env,
    called: &Path,
    programs: impl IntoIterator<Item = &'a Path>,
) -> EnvironmentFile {
    let content = format!("{:#}\n", look(env, called, programs)).into_bytes();
    EnvironmentFile { name: "environment.json".to_owned(), content }
}

fn look<'a>(env: &Env, called: &Path, programs: impl IntoIterator<Item = &'a Path>) -> Json {
    let own = fs::canonicalize(called).unwrap_or_else(|_| called.to_owned());
    let programs: BTreeSet<PathBuf> =
        programs.into_iter().map(Path::to_owned).chain([own]).take(PROGRAMS).collect();
    let variables: BTreeMap<&str, &String> = VARIABLES
        .into_iter()
        .filter_map(|name| env.vars.get(name).map(|value| (name, value)))
        .filter(|(_, value)| !is_secret_value(value))
        .collect();
    json!({
        "system": system(),
        "variables": variables,
        "packages": packages(env, called, &programs),
        "programs": digests(&programs),
    })
}

/// Returns what differs between what was kept and the present, sorted.
pub(super) fn differences(env: &Env, called: &Path, kept: &[u8]) -> Vec<Difference> {
    let Ok(kept) = serde_json::from_slice::<Json>(kept) else { return Vec::new() };
    let programs = kept.get("programs").and_then(Json::as_object);
    let programs: Vec<&Path> = programs.into_iter().flatten().map(|(path, _)| Path::new(path)).collect();
    let (mut before, mut now) = (BTreeMap::new(), BTreeMap::new());
    flatten("", &kept, &mut before);
    flatten("", &look(env, called, programs), &mut now);
    let all: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    all.into_iter()
        .map(|what| Difference {
            what: what.clone(),
            before: before.get(what).cloned(),
            now: now.get(what).cloned(),
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

fn system() -> Json {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let release = read("/etc/os-release");
    let release = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let gpus = fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let gpu = |path: PathBuf| {
        let text = fs::read_to_string(path.join("information")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Model:").map(|model| model.trim().to_owned()))
    };
    let container = [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")];
    json!({
        "name": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "release": release.map(|text| text.trim_matches('"')),
        "kernel": Some(read("/proc/sys/kernel/osrelease").trim()).filter(|text| !text.is_empty()),
        "processor": model.map(|(_, model)| model),
        "processors": cpus.lines().filter(|line| line.starts_with("processor")).count(),
        "gpus": gpus.filter_map(|entry| gpu(entry.path())).collect::<Vec<_>>().join(", "),
        "container": container.iter().find(|(path, _)| Path::new(path).exists()).map(|(_, name)| name),
    })
}

fn digests(programs: &BTreeSet<PathBuf>) -> Json {
    let digest = |path: &PathBuf| Some((path.to_str()?.to_owned(), digest_file(path).ok()?.to_hex().into()));
    Json::Object(programs.iter().filter_map(digest).collect())
}

/// Returns the packages of the languages that ran, by language, with their versions.
fn packages(
    env: &Env,
    called: &Path,
    programs: &BTreeSet<PathBuf>,
) -> BTreeMap<&'static str, BTreeMap<String, String>> {
    let ran = |start: &str| {
        programs
            .iter()
            .any(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start)))
    };
    let variable = |name: &str| env.vars.get(name).map(PathBuf::from);
    // The folder above `bin`: links to the program are not followed, since environments are made of them.
    let above = called.parent().and_then(Path::parent).map(Path::to_owned);
    let prefixes: BTreeSet<PathBuf> =
        [above, variable("VIRTUAL_ENV"), variable("CONDA_PREFIX")].into_iter().flatten().collect();
    let mut packages: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for prefix in &prefixes {
        let conda = names(&prefix.join("conda-meta")).into_iter().filter_map(|name| {
            let (rest, build) = name.strip_suffix(".json")?.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            Some((name.to_owned(), format!("{version}-{build}")))
        });
        packages.entry("conda").or_default().extend(conda);
        if ran("python") {
            for folder in python_folders(prefix) {
                let found = names(&folder).into_iter().filter_map(|name| {
                    let (name, version) = name.strip_suffix(".dist-info")?.rsplit_once('-')?;
                    Some((name.to_owned(), version.to_owned()))
                });
                packages.entry("python").or_default().extend(found);
            }
        }
        if ran("R") {
            for library in ["lib/R/library", "lib/R/site-library", "local/lib/R/site-library"] {
                packages.entry("r").or_default().extend(r_packages(&prefix.join(library)));
            }
        }
    }
    packages.retain(|_, found| !found.is_empty());
    packages
}

fn python_folders(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("lib/python3/dist-packages")];
    for lib in [prefix.join("lib"), prefix.join("local/lib")] {
        let versions = names(&lib).into_iter().filter(|name| name.starts_with("python3."));
        folders.extend(versions.flat_map(|version| {
            ["site-packages", "dist-packages"].map(|last| lib.join(&version).join(last))
        }));
    }
    folders
}

fn r_packages(library: &Path) -> Vec<(String, String)> {
    let version = |name: &String| {
        let text = fs::read_to_string(library.join(name).join("DESCRIPTION")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Version:").map(|version| version.trim().to_owned()))
    };
    names(library).into_iter().filter_map(|name| version(&name).map(|version| (name, version))).collect()
}

/// Returns the names in a folder, none where there is no such folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Timestamp;

    #[test]
    fn differences_name_what_changed() {
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        let packages = dir.path().join("lib/python3.11/site-packages");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(packages.join("numpy-2.0.1.dist-info")).unwrap();
        fs::write(bin.join("python3.11"), "one").unwrap();
        let env = |lang: &str| {
            let vars = [("LANG", lang), ("TOKEN", "x"), ("PYTHONPATH", "postgres://u:p@h/d")];
            Env::new(|| Timestamp(0), |bytes| bytes.fill(0), "/", "/")
                .with_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned())))
        };
        let python = bin.join("python3.11");
        let kept = record(&env("C"), &python, []).content;
        let text = String::from_utf8(kept.clone()).unwrap();
        assert!(
            text.contains("\"numpy\": \"2.0.1\"") && !text.contains("TOKEN") && !text.contains("postgres")
        );
        assert_eq!(differences(&env("C"), &python, &kept), []);

        fs::rename(packages.join("numpy-2.0.1.dist-info"), packages.join("numpy-2.1.0.dist-info")).unwrap();
        fs::write(&python, "two").unwrap();
        let found = differences(&env("de_DE"), &python, &kept);
        let what: Vec<&str> = found.iter().map(|difference| difference.what.as_str()).collect();
        let program = format!("programs.{}", fs::canonicalize(&python).unwrap().display());
        assert_eq!(what, ["packages.python.numpy", program.as_str(), "variables.LANG"]);
        assert_eq!((found[0].before.as_deref(), found[0].now.as_deref()), (Some("2.0.1"), Some("2.1.0")));
    }
}
