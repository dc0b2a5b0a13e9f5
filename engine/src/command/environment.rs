//! The surroundings of a command: system, programs with their digests, packages, and the variables that may matter.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::env::Env;
use crate::hash::digest_file;
use crate::surroundings::{self, Difference, Searched, packages, python_folders, system, variables};
use crate::track::EnvironmentFile;

/// Programs of which the digests are taken.
const PROGRAMS: usize = 200;

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
    let found = packages(&searched(env, called, &programs));
    json!({
        "system": system(env),
        "variables": variables(env),
        "packages": found.versions,
        "sources": found.sources,
        "programs": digests(&programs),
    })
}

/// Returns what differs between what was kept and the present, sorted.
pub(super) fn differences(env: &Env, called: &Path, kept: &[u8]) -> Vec<Difference> {
    let Ok(kept) = serde_json::from_slice::<Json>(kept) else { return Vec::new() };
    let programs = kept.get("programs").and_then(Json::as_object);
    let programs: Vec<&Path> = programs.into_iter().flatten().map(|(path, _)| Path::new(path)).collect();
    surroundings::differences(&kept, &look(env, called, programs))
}

fn digests(programs: &BTreeSet<PathBuf>) -> Json {
    let digest = |path: &PathBuf| Some((path.to_str()?.to_owned(), digest_file(path).ok()?.to_hex().into()));
    Json::Object(programs.iter().filter_map(digest).collect())
}

/// Returns where the packages of the languages that ran are.
fn searched(env: &Env, called: &Path, programs: &BTreeSet<PathBuf>) -> Searched {
    let ran = |start: &str| {
        programs
            .iter()
            .any(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start)))
    };
    let prefixes = surroundings::prefixes(env, called);
    let python = prefixes.iter().filter(|_| ran("python")).flat_map(|prefix| python_folders(prefix));
    Searched { python: python.collect(), prefixes, r: ran("R") }
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
        assert!(text.contains("\"numpy\": \"2.0.1\"") && !text.contains("TOKEN") && !text.contains("u:p@h"));
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
