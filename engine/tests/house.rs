//! Guards of the map: which way imports point, how long files are, and that no test is forgotten.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors of the engine, lowest first: a module may use its own floor and those below.
const FLOORS: [&[&str]; 7] = [
    &["error", "value"],
    &["uid", "model", "dtype", "event", "key", "suffix", "faults", "threads"],
    &["env", "version"],
    &["db", "record", "hash", "store", "trace"],
    &["session", "query", "write"],
    &["instance", "storage"],
    &[
        "care",
        "content",
        "ingest",
        "fetch",
        "collection",
        "command",
        "curate",
        "describe",
        "feature",
        "lineage",
        "history",
        "diff",
        "surroundings",
        "track",
        "testing",
    ],
];

/// Modules that may use one module above them, with the reason.
const EXCEPTIONS: [(&str, &str); 1] = [
    // Uids are drawn from the environment's generator.
    ("uid", "env"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn files(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            let skipped = name.starts_with('.')
                || ["target", "node_modules", "data", "__pycache__", "snapshots"].contains(&name.as_str());
            if !skipped {
                files(&path, extension, found);
            }
        } else if path.extension().is_some_and(|known| known == extension) {
            found.push(path);
        }
    }
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Returns the code without comments and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_point_down() {
    let source = root().join("engine/src");
    let mut all = Vec::new();
    files(&source, "rs", &mut all);
    let mut upward = Vec::new();
    let mut unknown = Vec::new();
    for path in all {
        let relative = path.strip_prefix(&source).unwrap();
        let module = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        if module == "lib" {
            continue;
        }
        let Some(own) = floor(&module) else {
            unknown.push(module);
            continue;
        };
        let text = code(&fs::read_to_string(&path).unwrap());
        for (at, _) in text.match_indices("crate::") {
            let used: String =
                text[at + 7..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let Some(theirs) = floor(&used) else { continue };
            if theirs > own && !EXCEPTIONS.contains(&(module.as_str(), used.as_str())) {
                upward.push(format!("{} uses crate::{used}", relative.display()));
            }
        }
    }
    upward.dedup();
    assert!(unknown.is_empty(), "give these modules a floor in engine/tests/house.rs: {unknown:?}");
    assert!(upward.is_empty(), "imports that point upward:\n{}", upward.join("\n"));
}

#[test]
fn parallel_work_goes_through_the_pool_of_the_process() {
    let mut all = Vec::new();
    files(&root().join("engine/src"), "rs", &mut all);
    let parallel = ["par_iter(", "rayon::join", "rayon::scope", "rayon::spawn", "update_rayon"];
    for path in all.into_iter().filter(|path| !path.ends_with("threads.rs")) {
        let text = code(&fs::read_to_string(&path).unwrap());
        let uses = parallel.iter().any(|call| text.contains(call));
        assert!(!uses || text.contains("threads::share"), "{}: see threads.rs", path.display());
    }
}

#[test]
fn files_stay_short() {
    let mut all = Vec::new();
    for (folder, extension) in [
        ("engine", "rs"),
        ("cli", "rs"),
        ("python", "rs"),
        ("python", "py"),
        ("compat", "py"),
        ("bench", "py"),
    ] {
        files(&root().join(folder), extension, &mut all);
    }
    let mut sizes: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for path in all {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        sizes.insert(path, lines);
    }
    let long: Vec<_> = sizes.iter().filter(|(_, lines)| **lines > 800).collect();
    assert!(long.is_empty(), "split these: {long:?}");
    let mut code: Vec<usize> = sizes
        .iter()
        .filter(|(path, _)| !path.components().any(|part| part.as_os_str() == "tests"))
        .map(|(_, lines)| *lines)
        .collect();
    code.sort_unstable();
    let (median, p90) = (code[code.len() / 2], code[code.len() * 9 / 10]);
    assert!(median <= 150, "the median file has {median} lines");
    assert!(p90 <= 400, "one file in ten has more than {p90} lines");
}

/// The border to Python converts and nothing else: what makes it longer than this belongs into the engine.
#[test]
fn the_border_stays_thin() {
    let mut all = Vec::new();
    files(&root().join("python/src"), "rs", &mut all);
    let lines = |path: &PathBuf| {
        let text = code(&fs::read_to_string(path).unwrap());
        text.lines().filter(|line| !line.trim().is_empty()).count()
    };
    let lines: usize = all.iter().map(lines).sum();
    assert!((1..=1_900).contains(&lines), "python/src has {lines} lines of code");
}

#[test]
fn every_python_test_is_collected() {
    let mut all = Vec::new();
    files(&root().join("python/tests"), "py", &mut all);
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let has_tests =
            text.lines().any(|line| line.starts_with("def test_") || line.starts_with("    def test_"));
        assert!(
            !has_tests || name.starts_with("test_"),
            "{} holds tests that pytest does not collect",
            path.display()
        );
    }
}

#[test]
fn only_the_database_module_opens_sqlite() {
    let source = root().join("engine/src");
    let mut all = Vec::new();
    files(&source, "rs", &mut all);
    for path in all {
        let relative = path.strip_prefix(&source).unwrap().to_string_lossy().into_owned();
        let text = code(&fs::read_to_string(&path).unwrap());
        assert!(
            relative.starts_with("db/") || !text.contains("rusqlite"),
            "{relative} speaks to SQLite itself"
        );
    }
}
