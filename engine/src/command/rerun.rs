//! Doing it again: the code, the inputs and the outputs of a run, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use walkdir::WalkDir;

use super::environment::{self, Difference};
use super::note::{Note, Place};
use crate::content::Content;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{Digest, digest_file, source_hash};
use crate::instance::Instance;
use crate::model;
use crate::record::Record;
use crate::track::REDACTED;

/// What doing a run again takes.
#[derive(Clone, Debug)]
pub struct Rerun {
    /// The run.
    pub run: Record,
    /// Its transform.
    pub transform: Record,
    /// What of the surroundings is no longer as it was, sorted.
    pub differences: Vec<Difference>,
    note: Note,
}

/// A folder in which a command can run again.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The words of the command.
    pub words: Vec<String>,
    /// Where it is to run.
    pub folder: PathBuf,
    /// What is not as it was.
    pub warnings: Vec<String>,
}

/// How an output came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every byte is the same.
    Same,
    /// Something else was made.
    Different,
    /// Nothing was made.
    Missing,
    /// The content that was made first is out of reach.
    Unknown,
}

impl Verdict {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Same => "same",
            Verdict::Different => "different",
            Verdict::Missing => "missing",
            Verdict::Unknown => "unknown",
        }
    }
}

/// An output of a run and what doing it again made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Where the command put it.
    pub path: PathBuf,
    /// Uid of the artifact.
    pub uid: String,
    /// How it came out.
    pub verdict: Verdict,
}

impl Instance {
    /// Returns what doing the command of a run again takes; nothing is written.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a run that no command started, whose command line held secrets, or which wrote outside of
    /// its project.
    pub fn plan_rerun(&self, run: &Record) -> Result<Rerun> {
        let uid = run.uid();
        let note = Note::read_from(run).filter(|note| !note.words.is_empty()).ok_or_else(|| {
            Error::value(format!(
                "Run('{uid}') was not started by `holotype run`: only such runs can be done again"
            ))
        })?;
        if note.words.iter().any(|word| word.contains(REDACTED)) {
            return Err(Error::value(format!(
                "The command line of Run('{uid}') held secrets that were not kept: run it again by hand"
            )));
        }
        if let Some(outside) = note.outputs.iter().find(|place| place.path.is_absolute()) {
            return Err(Error::value(format!(
                "Run('{uid}') wrote {} outside of its project: doing it again would overwrite that file",
                outside.path.display()
            )));
        }
        let transform =
            self.by_id(model::require("Transform")?, run.int("transform_id").unwrap_or_default())?;
        let differences = match run.int("environment_id") {
            Some(id) => {
                let kept = self.cache(&self.by_id(model::require("Artifact")?, id)?)?;
                let kept = fs::read(&kept).map_err(|error| Error::io(&kept, error))?;
                environment::differences(self.env(), &note.program, &kept)
            }
            None => Vec::new(),
        };
        Ok(Rerun { run: run.clone(), transform, differences, note })
    }
}

impl Rerun {
    /// Fills an empty folder with code and inputs, and returns how to run the command there.
    ///
    /// # Errors
    /// [`ErrorKind::FileExists`] for a folder that holds something, and failures of the store.
    pub fn prepare(&self, instance: &Instance, root: &Path) -> Result<Prepared> {
        fs::create_dir_all(root).map_err(|error| Error::io(root, error))?;
        let root = fs::canonicalize(root).map_err(|error| Error::io(root, error))?;
        let mut entries = fs::read_dir(&root).map_err(|error| Error::io(&root, error))?;
        if entries.next().is_some() {
            let text = format!("{} is not empty: name a new folder", root.display());
            return Err(Error::new(ErrorKind::FileExists, text));
        }
        let folder = root.join(&self.note.folder);
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        let mut warnings = Vec::new();
        for place in &self.note.inputs {
            warnings.extend(self.bring(instance, place, &root)?);
        }
        for (path, digest) in &self.note.read {
            warnings.extend(self.copy_other(path, *digest, &root)?);
        }
        // Folders for outputs are part of what the command found.
        let outputs = self.note.outputs.iter().filter_map(|place| place.path.parent());
        for parent in outputs.chain(self.note.folders.iter().map(PathBuf::as_path)) {
            let parent = root.join(parent);
            fs::create_dir_all(&parent).map_err(|error| Error::io(&parent, error))?;
        }
        warnings.extend(self.write_code(&root)?);
        let words = self.note.words.iter().map(|word| moved(word, &self.note.project, &root)).collect();
        Ok(Prepared { words, folder, warnings })
    }

    /// Returns what came of it as data.
    pub fn json(&self, warnings: &[String], code: i64, compared: &[Compared]) -> Json {
        let differences = self.differences.iter().map(
            |difference| json!({"what": difference.what, "before": difference.before, "now": difference.now}),
        );
        let outputs = compared
            .iter()
            .map(|output| json!({"path": output.path, "uid": output.uid, "verdict": output.verdict.word()}));
        json!({
            "run": self.run.uid(),
            "exit_code": code,
            "same": code == 0 && compared.iter().all(|output| output.verdict == Verdict::Same),
            "outputs": outputs.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
            "warnings": warnings,
        })
    }

    /// Returns how each output of the run came out, sorted by path.
    ///
    /// # Errors
    /// Failures of the database and the file system.
    pub fn compare(&self, instance: &Instance, root: &Path) -> Result<Vec<Compared>> {
        let compare = |place: &Place| {
            let path = root.join(&place.path);
            let record = instance.get_uid(model::require("Artifact")?, &place.uid)?;
            let verdict = match instance.content_of(&record)? {
                _ if !path.exists() => Verdict::Missing,
                None => Verdict::Unknown,
                Some(first) if Content::identify(&path)?.1.digest == first.digest => Verdict::Same,
                Some(_) => Verdict::Different,
            };
            Ok(Compared { path: place.path.clone(), uid: place.uid.clone(), verdict })
        };
        self.note.outputs.iter().map(compare).collect()
    }

    /// Puts an input where the command read it.
    fn bring(&self, instance: &Instance, place: &Place, root: &Path) -> Result<Option<String>> {
        let record = instance.get_uid(model::require("Artifact")?, &place.uid)?;
        let content = instance.cache(&record)?;
        let internal = |path: &Path| path.components().any(|part| part.as_os_str() == ".lamindb");
        if place.path.is_relative() && !internal(&place.path) {
            copy(&content, &root.join(&place.path))?;
            return Ok(None);
        }
        // Read where it is kept: there it must be again.
        let path = self.note.project.join(&place.path);
        let same = path == content || internal(&path) && path.exists();
        let gone = || format!("{} is no longer there: the command may not find it", path.display());
        Ok((!same && !path.exists()).then(gone))
    }

    /// Copies a file that is no artifact from where the command read it.
    fn copy_other(&self, path: &Path, digest: Digest, root: &Path) -> Result<Option<String>> {
        let from = self.note.project.join(path);
        let shown = path.display();
        if !from.is_file() {
            return Ok(Some(format!("{shown} is gone: it was read, but is no artifact")));
        }
        if path.is_relative() {
            copy(&from, &root.join(path))?;
        }
        let changed = || format!("{shown} has changed since: it was read, but is no artifact");
        Ok((digest_file(&from)? != digest).then(changed))
    }

    /// Writes the code that is kept, as it was.
    fn write_code(&self, root: &Path) -> Result<Option<String>> {
        let Some(script) = &self.note.script else { return Ok(None) };
        let code = self.transform.text("source_code").ok_or_else(|| {
            Error::value(format!("Transform('{}') holds no source code", self.transform.uid()))
        })?;
        let changed = self.transform.text("hash") != Some(source_hash(code).as_str());
        let warning = changed.then(|| format!("secrets in {} are blanked out", script.display()));
        if script.is_absolute() {
            let text = "lies outside of the project: it runs as it is there, not as it was";
            return Ok(Some(format!("{} {text}", script.display())));
        }
        let path = root.join(script);
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            fs::write(&path, code)?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
            }
            Ok(())
        };
        write().map_err(|error| Error::io(&path, error))?;
        Ok(warning)
    }
}

/// Returns a word of the command line that may name places below one folder, with those below another.
fn moved(word: &str, from: &Path, to: &Path) -> String {
    let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
    if word == from { to.into_owned() } else { word.replace(&format!("{from}/"), &format!("{to}/")) }
}

/// Copies a file or folder, with the folders above.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in WalkDir::new(from).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::io(from, error.into()))?;
        let rest = entry.path().strip_prefix(from).unwrap_or(Path::new(""));
        let target = if rest == Path::new("") { to.to_owned() } else { to.join(rest) };
        let copied = match entry.file_type().is_dir() {
            true => fs::create_dir_all(&target),
            false => fs::create_dir_all(target.parent().unwrap_or(to))
                .and_then(|()| fs::copy(entry.path(), &target).map(|_| ())),
        };
        copied.map_err(|error| Error::io(&target, error))?;
    }
    Ok(())
}
