//! Source files: what a script or notebook on disk contributes to its transform.

use std::path::{Component, Path, PathBuf};

use super::notebook::Notebook;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::source_hash;
use crate::instance::Instance;
use crate::instance::name::Slug;
use crate::instance::settings::nearest_binding;

/// What kind of source file a transform stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file that runs from top to bottom.
    Script,
    /// A document whose cells run one by one.
    Notebook,
}

impl SourceKind {
    /// Returns the word that the registry and messages use.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceKind::Script => "script",
            SourceKind::Notebook => "notebook",
        }
    }
}

/// A script or notebook as it lies on disk now.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Script or notebook.
    pub kind: SourceKind,
    /// Path below the development directory of the instance, else the file name.
    pub key: String,
    /// Text to keep: scripts as they are, notebooks as a script in percent format; secrets are still in it.
    pub source_code: String,
    /// Hash of a script's bytes or of a notebook's text.
    pub hash: String,
    /// First heading of a notebook.
    pub title: Option<String>,
    /// A person runs the cells of the notebook one by one right now.
    pub interactive: bool,
    /// Neighbouring cells that did not run one after the other; always empty for scripts.
    pub gaps: Vec<(Option<i64>, Option<i64>)>,
}

impl Instance {
    /// Returns a script or notebook as it lies on disk; `interactive` says that a person runs it cell by cell.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] for a missing file, [`ErrorKind::Unsupported`] for a notebook without a name of its
    /// own, [`ErrorKind::Value`] for a notebook that cannot be read.
    pub fn source_file(&self, path: &Path, interactive: bool) -> Result<SourceFile> {
        let path = self.env().absolute(path);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let suffix = path.extension().map(|suffix| suffix.to_string_lossy().into_owned()).unwrap_or_default();
        if suffix == "ipynb" && name.starts_with("Untitled") {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "Your notebook file name is '{name}', please rename it before tracking. You might have to re-start \
                     your notebook kernel."
                ),
            ));
        }
        let bytes = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let key = self.source_key(&path)?;
        let mut file = SourceFile {
            path,
            kind: SourceKind::Script,
            key,
            hash: source_hash(&bytes),
            source_code: text,
            title: None,
            interactive: false,
            gaps: Vec::new(),
        };
        match suffix.as_str() {
            "ipynb" => {
                let notebook = Notebook::parse(&file.source_code).map_err(|error| {
                    Error::value(format!("{}: {}", file.path.display(), error.message())).because(error)
                })?;
                file.source_code = notebook.to_script();
                file.hash = source_hash(&file.source_code);
                file.title = notebook.title();
                file.gaps = notebook.gaps();
                file.kind = SourceKind::Notebook;
                file.interactive = interactive;
            }
            "Rmd" | "qmd" => {
                file.title = rendered_title(&file.path);
                file.kind = SourceKind::Notebook;
            }
            "py" => file.title = marimo_title(&file.source_code),
            _ => {}
        }
        Ok(file)
    }

    /// Returns the key of a source file: its path below the development directory, else its name.
    pub(super) fn source_key(&self, path: &Path) -> Result<String> {
        let name = || path.file_name().map(PathBuf::from).unwrap_or_default();
        let relative = self.below_project(path).unwrap_or_else(name);
        match relative.to_str() {
            Some(key) if !key.is_empty() => Ok(key.replace('\\', "/")),
            _ => Err(Error::value(format!(
                "The path {} is not valid UTF-8: rename the file first",
                path.display()
            ))),
        }
    }

    /// Returns the path of a file below the development directory of the instance that holds it, if one does.
    pub(crate) fn below_project(&self, path: &Path) -> Option<PathBuf> {
        let slug = self.settings().slug();
        let below =
            |path: &Path| Some(path.strip_prefix(bound_dir(self.env(), &slug, path)?).ok()?.to_owned());
        let resolved = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        // A path that leads out of a folder seems to lie below it.
        let plain = !path.components().any(|part| part == Component::ParentDir);
        Some(path).filter(|_| plain).and_then(below).or_else(|| below(&resolved))
    }
}

/// Returns the nearest directory above `path` that is bound to the instance; those of other instances do not count.
fn bound_dir(env: &Env, slug: &Slug, path: &Path) -> Option<PathBuf> {
    let mut env = env.clone();
    let mut dir = path.parent()?.to_owned();
    loop {
        env.cwd = dir;
        let binding = nearest_binding(&env)?;
        if binding.slug == *slug {
            return Some(binding.dir);
        }
        dir = binding.dir.parent()?.to_owned();
    }
}

/// Returns the first heading in the texts of a marimo notebook, which is a Python file.
fn marimo_title(code: &str) -> Option<String> {
    if !code.contains("marimo.App(") {
        return None;
    }
    let texts = code.split(".md(").skip(1).filter_map(|rest| {
        let rest = rest.trim_start().trim_start_matches(['r', 'f', 'R', 'F']);
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote))?;
        rest[quote.len()..].split(quote).next()
    });
    let mut lines = texts.flat_map(str::lines).map(str::trim);
    lines.find_map(|line| line.strip_prefix("# ")).map(|title| title.trim().to_owned())
}

/// Returns the title of the page that was rendered from an R notebook and lies next to it.
fn rendered_title(path: &Path) -> Option<String> {
    let html = ["html", "nb.html"]
        .iter()
        .find_map(|suffix| std::fs::read_to_string(path.with_extension(suffix)).ok())?;
    let (_, rest) = html.split_once("<title>")?;
    let (title, _) = rest.split_once("</title>")?;
    Some(title.trim().to_owned()).filter(|title| !title.is_empty())
}
