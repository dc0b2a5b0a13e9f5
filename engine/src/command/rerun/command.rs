//! The run of a command, done again: what it read is known from the traces.

use std::fs;
use std::path::{Path, PathBuf};

use super::files::{copy, empty_folder, moved, write_program};
use super::{Compared, Prepared, Verdict};
use crate::command::note::{Note, Place};
use crate::content::Content;
use crate::error::{Error, Result};
use crate::hash::{Digest, digest_file, source_hash};
use crate::instance::Instance;
use crate::model;
use crate::record::Record;

/// What a run keeps of its command.
#[derive(Clone, Debug)]
pub(super) struct Command {
    note: Note,
}

impl Command {
    /// Returns what is kept of the command of a run.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for one that wrote outside of its project.
    pub(super) fn of(uid: &str, note: Note) -> Result<Command> {
        match note.outputs.iter().find(|place| place.path.is_absolute()) {
            None => Ok(Command { note }),
            Some(outside) => Err(Error::value(format!(
                "Run('{uid}') wrote {} outside of its project: doing it again would overwrite that file",
                outside.path.display()
            ))),
        }
    }

    /// Returns the program as it was found.
    pub(super) fn program(&self) -> &Path {
        &self.note.program
    }

    /// Fills an empty folder with code and inputs.
    pub(super) fn prepare(&self, instance: &Instance, transform: &Record, root: &Path) -> Result<Prepared> {
        let root = empty_folder(root)?;
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
        warnings.extend(self.write_code(transform, &root)?);
        let words = self.note.words.iter().map(|word| moved(word, &self.note.project, &root)).collect();
        Ok(Prepared { words, folder, variables: Vec::new(), warnings })
    }

    /// Returns how each output came out, sorted by path.
    pub(super) fn compare(&self, instance: &Instance, root: &Path) -> Result<Vec<Compared>> {
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
    fn write_code(&self, transform: &Record, root: &Path) -> Result<Option<String>> {
        let Some(script) = &self.note.script else { return Ok(None) };
        let code = transform
            .text("source_code")
            .ok_or_else(|| Error::value(format!("Transform('{}') holds no source code", transform.uid())))?;
        let changed = transform.text("hash") != Some(source_hash(code).as_str());
        let warning = changed.then(|| format!("secrets in {} are blanked out", script.display()));
        if script.is_absolute() {
            let text = "lies outside of the project: it runs as it is there, not as it was";
            return Ok(Some(format!("{} {text}", script.display())));
        }
        write_program(&root.join(script), code)?;
        Ok(warning)
    }
}
