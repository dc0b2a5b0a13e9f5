//! Saving a source file as a transform without running it.

use std::path::Path;

use super::options::{Named, Rename, Setting, TrackOptions};
use super::resolve::{self, Resolved, Wanted};
use super::rows;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::model;
use crate::record::Record;
use crate::uid;

/// How to save a source file.
#[derive(Clone, Debug, Default)]
pub struct SaveTransform {
    /// Key instead of the one that the path gives.
    pub key: Option<String>,
    /// Uid: 12 characters for a family of versions, 16 for one version; by default the one in the file's own call of
    /// `track`.
    pub uid: Option<String>,
    /// Description instead of the title of the notebook.
    pub description: Option<String>,
    /// Label of the version.
    pub version_tag: Option<String>,
    /// Project that the transform belongs to.
    pub project: Option<Named>,
    /// Space.
    pub space: Option<Named>,
    /// Branch.
    pub branch: Option<Named>,
}

/// A transform whose source is saved.
#[derive(Clone, Debug)]
pub struct SavedTransform {
    /// Transform.
    pub transform: Record,
    /// True when the transform is a new row.
    pub created: bool,
}

impl Instance {
    /// Saves a script or notebook as a transform; a file that was saved before keeps its transform.
    ///
    /// # Errors
    /// As [`Instance::track`] and [`Instance::source_file`]; [`crate::ErrorKind::DoesNotExist`] for the uid of a family
    /// that does not exist.
    pub fn save_transform_file(&self, path: &Path, save: &SaveTransform) -> Result<SavedTransform> {
        let source = self.source_file(path, false)?;
        let named = written_uid(&source.source_code).filter(|_| save.uid.is_none());
        let options = TrackOptions {
            uid: save.uid.clone().or_else(|| named.clone()),
            project: save.project.clone(),
            space: save.space.clone(),
            branch: save.branch.clone(),
            ..TrackOptions::default()
        };
        let setting = Setting::of(self, &options)?;
        if let Some(uid) = &named {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            self.env().emit(Event::Note(format!("mapped '{name}' on uid '{uid}'")));
        }
        let registry = model::require("Transform")?;
        let key = save.key.clone().unwrap_or_else(|| source.key.clone());
        let mut events = Vec::new();
        let (transform, created, complete) = self.db().write_contended(|tx| {
            events.clear();
            if let Some(stem) = setting.uid.as_deref().filter(|uid| uid.len() == registry.stem_len)
                && rows::newest(tx, registry, stem)?.is_none()
            {
                return Err(Error::does_not_exist(format!(
                    "The stem uid is not found: no Transform has the uid '{stem}'"
                )));
            }
            let wanted = Wanted {
                source: &source,
                key: &key,
                uid: setting.uid.as_deref(),
                version_tag: save.version_tag.as_deref(),
                description: save.description.clone().or_else(|| source.title.clone()),
                generic_description: false,
                branch: setting.branch,
                space: setting.space,
                rename: Some(Rename::Renamed),
                keep: true,
            };
            match resolve::resolve(self, tx, &wanted, &mut events)? {
                Resolved::Found { transform, created, complete } => {
                    if let Some(project) = setting.project {
                        self.link_in(tx, &transform, "projects", &[project])?;
                    }
                    Ok((transform, created, complete))
                }
                // An answer was given in advance, so nothing is asked.
                Resolved::Ask(question) => Err(Error::invalid(question.text())),
            }
        })?;
        let mut transform = transform;
        transform.settle();
        let (uid, key) = (transform.uid(), transform.text("key").unwrap_or_default());
        self.env().emit(Event::Note(match (created, complete) {
            (true, _) => format!("created Transform('{uid}', key='{key}')"),
            (false, true) => format!("transform already saved: {}", transform.repr()),
            (false, false) => format!("saved source code of Transform('{uid}', key='{key}')"),
        }));
        for event in events {
            match event {
                Event::NewTransformVersion { .. } => {}
                Event::RenamingTransform { to, .. } => {
                    self.env().emit(Event::Note(format!("updated key to '{to}'")))
                }
                other => self.env().emit(other),
            }
        }
        Ok(SavedTransform { transform, created })
    }
}

/// Returns the uid that the file itself passes to `track`.
fn written_uid(code: &str) -> Option<String> {
    code.split("track(").skip(1).find_map(|rest| {
        let rest = rest.trim_start();
        let rest = ["transform", "uid"].iter().find_map(|name| rest.strip_prefix(name)).unwrap_or(rest);
        let rest = rest.trim_start().trim_start_matches('=').trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (given, _) = rest[1..].split_once(quote)?;
        (matches!(given.len(), 12 | 16) && uid::is_base62(given)).then(|| given.to_owned())
    })
}
