//! Packages by language: their versions, and where those came from that no index gave.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::python::{Distribution, distributions};
use crate::track::redacted_text;

/// By name: versions, or sources.
type Named = BTreeMap<String, String>;

/// Where packages are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Searched {
    /// Folders above `bin`, in which languages keep their packages.
    pub(crate) prefixes: BTreeSet<PathBuf>,
    /// Folders that hold Python's packages, in the order in which it looks.
    pub(crate) python: Vec<PathBuf>,
    /// The folders of R below the prefixes count.
    pub(crate) r: bool,
}

/// Packages by language.
#[derive(Clone, Debug)]
pub(crate) struct Packages {
    /// Their versions.
    pub(crate) versions: Json,
    /// Where those came from that were not taken from an index.
    pub(crate) sources: Json,
    /// Python's, in the order in which imports find them.
    pub(crate) python: Vec<Distribution>,
}

/// Returns the packages at the places where they are looked for.
pub(crate) fn packages(searched: &Searched) -> Packages {
    let (mut versions, mut sources) = (BTreeMap::<&str, Named>::new(), BTreeMap::<&str, Named>::new());
    let python = distributions(&searched.python);
    for distribution in &python {
        let Some((package, version)) = distribution.named_by_folder() else { continue };
        // The first on the path is the one that imports find.
        let known = versions.entry("python").or_default();
        if known.contains_key(package) {
            continue;
        }
        known.insert(package.to_owned(), version.to_owned());
        if let Some(source) = distribution.source() {
            sources.entry("python").or_default().insert(package.to_owned(), source);
        }
    }
    for prefix in &searched.prefixes {
        let meta = prefix.join("conda-meta");
        for name in names(&meta) {
            let Some((rest, build)) = name.strip_suffix(".json").and_then(|name| name.rsplit_once('-'))
            else {
                continue;
            };
            let Some((package, version)) = rest.rsplit_once('-') else { continue };
            versions.entry("conda").or_default().insert(package.to_owned(), format!("{version}-{build}"));
            if let Some(source) = conda_source(&meta.join(&name)) {
                sources.entry("conda").or_default().insert(package.to_owned(), source);
            }
        }
        if searched.r {
            for library in ["lib/R/library", "lib/R/site-library", "local/lib/R/site-library"] {
                versions.entry("r").or_default().extend(r_packages(&prefix.join(library)));
            }
        }
    }
    versions.retain(|_, found| !found.is_empty());
    Packages { versions: json!(versions), sources: json!(sources), python }
}

/// Returns the address and the checksum of a conda package: what its lock files consist of.
fn conda_source(meta: &Path) -> Option<String> {
    let record: Json = serde_json::from_slice(&fs::read(meta).ok()?).ok()?;
    let url = redacted_text(record.get("url")?.as_str()?).0;
    let md5 = record.get("md5").and_then(Json::as_str).map(|md5| format!("#{md5}")).unwrap_or_default();
    Some(format!("{url}{md5}"))
}

fn r_packages(library: &Path) -> Vec<(String, String)> {
    let version = |name: &String| {
        let text = fs::read_to_string(library.join(name).join("DESCRIPTION")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Version:").map(|version| version.trim().to_owned()))
    };
    names(library).into_iter().filter_map(|name| version(&name).map(|version| (name, version))).collect()
}

/// Returns the folders below a prefix that hold Python's packages.
pub(crate) fn python_folders(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("lib/python3/dist-packages")];
    for lib in [prefix.join("lib"), prefix.join("local/lib")] {
        let versions = names(&lib).into_iter().filter(|name| name.starts_with("python3."));
        folders.extend(versions.flat_map(|version| {
            ["site-packages", "dist-packages"].map(|last| lib.join(&version).join(last))
        }));
    }
    folders
}

/// Returns the names in a folder, none where there is no such folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_without_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let site = dir.path().join("site");
        let make = |name: &str, direct: Option<&str>| {
            let info = site.join(name);
            fs::create_dir_all(&info).unwrap();
            if let Some(direct) = direct {
                fs::write(info.join("direct_url.json"), direct).unwrap();
            }
        };
        make("numpy-2.0.1.dist-info", None);
        make("own-0.1.dist-info", Some(r#"{"url": "file:///lab/own", "dir_info": {"editable": true}}"#));
        make(
            "tools-1.0.dist-info",
            Some(
                r#"{"url": "https://ghp_A1b2C3d4E5f6G7h8I9j0K1l2@github.com/lab/tools",
                    "vcs_info": {"vcs": "git", "commit_id": "0f3e"}}"#,
            ),
        );
        let meta = dir.path().join("conda/conda-meta");
        fs::create_dir_all(&meta).unwrap();
        let record = r#"{"url": "https://conda.lab/linux-64/samtools-1.17-h0.conda", "md5": "00ff"}"#;
        fs::write(meta.join("samtools-1.17-h0.json"), record).unwrap();
        let searched = Searched {
            prefixes: BTreeSet::from([dir.path().join("conda")]),
            python: vec![site.clone(), site],
            r: false,
        };
        let Packages { versions, sources, .. } = packages(&searched);
        let python = json!({"numpy": "2.0.1", "own": "0.1", "tools": "1.0"});
        assert_eq!(versions, json!({"python": python, "conda": {"samtools": "1.17-h0"}}));
        let tools = "git+https://***REDACTED***@github.com/lab/tools@0f3e";
        let samtools = "https://conda.lab/linux-64/samtools-1.17-h0.conda#00ff";
        let python = json!({"own": "editable file:///lab/own", "tools": tools});
        assert_eq!(sources, json!({"python": python, "conda": {"samtools": samtools}}));
    }
}
