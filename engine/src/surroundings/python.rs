//! What Python's packages say of themselves: read once, for the record of a run and for the list that the format knows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::packages::names;
use crate::track::redacted_text;

/// What every environment holds says nothing about it; `pip freeze` leaves them out, too.
const TOOLS: [&str; 4] = ["distribute", "pip", "setuptools", "wheel"];

/// Metadata begin with what is looked for.
const HEAD: usize = 1024;

/// An installed package.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    /// The folder or file of its metadata.
    info: PathBuf,
    /// Where it came from, if no index gave it.
    origin: Option<Origin>,
}

/// Where a package came from that was not taken from an index.
#[derive(Clone, Debug)]
struct Origin {
    url: String,
    editable: bool,
    /// The system that keeps its versions, and the commit.
    repository: Option<(String, Option<String>)>,
    /// Checksum of an archive.
    hash: Option<String>,
}

/// Returns the packages in folders, in the order in which an import would find them.
pub(super) fn distributions(folders: &[PathBuf]) -> Vec<Distribution> {
    let mut found = Vec::new();
    for folder in folders {
        let mut entries = names(folder);
        entries.retain(|name| name.ends_with(".dist-info") || name.ends_with(".egg-info"));
        entries.sort_unstable();
        found.extend(entries.iter().map(|name| folder.join(name)).map(|info| {
            let origin = Origin::read(&info);
            Distribution { info, origin }
        }));
    }
    found
}

/// Returns the packages as `pip freeze` lists them, sorted by name.
///
/// The metadata are read directly: asking pip takes a hundred times as long.
pub(crate) fn requirements(distributions: &[Distribution]) -> String {
    let mut found = BTreeMap::new();
    for distribution in distributions {
        let Some((name, version)) = distribution.named() else { continue };
        let plain = name.to_lowercase().replace(['_', '.'], "-");
        if !TOOLS.contains(&plain.as_str()) {
            // The first on the path is the one that imports find.
            found.entry(plain).or_insert_with(|| {
                let line = match &distribution.origin {
                    Some(origin) => origin.requirement(&name, &version),
                    None => format!("{name}=={version}"),
                };
                (name.to_lowercase(), line)
            });
        }
    }
    let mut lines: Vec<(String, String)> = found.into_values().collect();
    lines.sort_unstable();
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

impl Distribution {
    /// Returns name and version as the name of its metadata has them.
    pub(super) fn named_by_folder(&self) -> Option<(&str, &str)> {
        self.info.file_name()?.to_str()?.strip_suffix(".dist-info")?.rsplit_once('-')
    }

    /// Returns where it came from, if no index gave it.
    pub(super) fn source(&self) -> Option<String> {
        self.origin.as_ref().map(Origin::source)
    }

    /// Returns name and version as it gives them itself; nothing for leftovers without a name.
    fn named(&self) -> Option<(String, String)> {
        let wheel = self.info.extension().is_some_and(|ending| ending == "dist-info");
        let metadata = if wheel { self.info.join("METADATA") } else { self.info.join("PKG-INFO") };
        // Old packages have a file in place of the folder.
        let file = File::open(metadata).or_else(|_| File::open(&self.info)).ok()?;
        let mut lines = BufReader::with_capacity(HEAD, file);
        let (mut name, mut version, mut line) = (None, None, Vec::new());
        while name.is_none() || version.is_none() {
            line.clear();
            lines.read_until(b'\n', &mut line).ok()?;
            let text = String::from_utf8_lossy(&line);
            // After an empty line comes the description.
            let (field, value) = text.trim().split_once(':')?;
            match field {
                "Name" => name = Some(value.trim().to_owned()),
                "Version" => version = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        name.zip(version)
    }
}

impl Origin {
    /// Returns what the metadata of a package tell of its origin, without secrets.
    fn read(info: &Path) -> Option<Origin> {
        let text = fs::read(info.join("direct_url.json")).ok()?;
        let told: Json = serde_json::from_slice(&text).ok()?;
        let text = |part: &str, name: &str| told.get(part)?.get(name)?.as_str().map(str::to_owned);
        let hashes = || {
            let (kind, value) = told.get("archive_info")?.get("hashes")?.as_object()?.iter().next()?;
            Some(format!("{kind}={}", value.as_str()?))
        };
        Some(Origin {
            url: redacted_text(told.get("url")?.as_str()?).0,
            editable: told.get("dir_info").and_then(|dir| dir.get("editable")) == Some(&Json::Bool(true)),
            repository: text("vcs_info", "vcs").map(|vcs| (vcs, text("vcs_info", "commit_id"))),
            hash: text("archive_info", "hash").or_else(hashes),
        })
    }

    /// Returns it as the record of a run has it.
    fn source(&self) -> String {
        let Origin { url, editable, repository, hash } = self;
        if let Some((vcs, commit)) = repository {
            let commit = commit.as_ref().map(|commit| format!("@{commit}")).unwrap_or_default();
            return format!("{vcs}+{url}{commit}");
        }
        let hash = hash.as_ref().map(|hash| format!("#{hash}")).unwrap_or_default();
        format!("{}{url}{hash}", if *editable { "editable " } else { "" })
    }

    /// Returns the lines of a requirements file.
    fn requirement(&self, name: &str, version: &str) -> String {
        if self.editable {
            let folder = self.url.strip_prefix("file://").unwrap_or(&self.url);
            return format!("# Editable install with no version control ({name}=={version})\n-e {folder}");
        }
        format!("{name} @ {}", self.source())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_listed_as_pip_lists_them() {
        let dir = tempfile::tempdir().unwrap();
        let make = |folder: &str, name: &str, metadata: &str, direct: Option<&str>| {
            let info = dir.path().join(folder).join(name);
            fs::create_dir_all(&info).unwrap();
            let file = if name.ends_with("dist-info") { "METADATA" } else { "PKG-INFO" };
            fs::write(info.join(file), metadata).unwrap();
            if let Some(direct) = direct {
                fs::write(info.join("direct_url.json"), direct).unwrap();
            }
        };
        make(
            "a",
            "ruamel_yaml-1.0.dist-info",
            "Metadata-Version: 2.1\nName: ruamel.yaml\nVersion: 1.0\n",
            None,
        );
        make("b", "ruamel.yaml-2.0.dist-info", "Name: ruamel-yaml\nVersion: 2.0\n", None);
        make("b", "pip-23.2.dist-info", "Metadata-Version: 2.1\r\nName: pip\r\nVersion: 23.2\r\n", None);
        make("b", "Old-0.1.egg-info", "Name: Old\nVersion: 0.1\n\nName: described\n", None);
        fs::write(dir.path().join("b/Older-0.2.egg-info"), "Version: 0.2\nName: Older\n").unwrap();
        make("b", "broken-1.dist-info", "Metadata-Version: 2.1\n\nName: broken\nVersion: 1\n", None);
        let url = r#"{"url": "file:///lab/own", "dir_info": {"editable": true}}"#;
        make("b", "own-0.1.dist-info", "Name: own\nVersion: 0.1\n", Some(url));
        let url = r#"{"url": "https://lab.org/x.whl", "archive_info": {"hashes": {"sha256": "0f"}}}"#;
        make("b", "x-1.dist-info", "Name: x\nVersion: 1\n", Some(url));
        let url = r#"{"url": "https://lab.org/y", "vcs_info": {"vcs": "git", "commit_id": "c0"}}"#;
        make("b", "y-1.dist-info", "Name: y\nVersion: 1\n", Some(url));
        let folders = ["a", "none", "b"].map(|name| dir.path().join(name));
        let listed = "Old==0.1\nOlder==0.2\n# Editable install with no version control (own==0.1)\n\
                      -e /lab/own\nruamel.yaml==1.0\nx @ https://lab.org/x.whl#sha256=0f\n\
                      y @ git+https://lab.org/y@c0\n";
        assert_eq!(requirements(&distributions(&folders)), listed);
    }
}
