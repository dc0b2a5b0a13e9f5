//! The marker of a storage location, `.lamindb/storage_uid.txt`, and the layouts that came before it.

use std::fs;
use std::path::{Path, PathBuf};

use super::name::Slug;
use super::root::{DATABASE_KEY, INTERNAL_FOLDER, MARKER_KEY};
use super::settings::files::{self, Access};
use crate::db;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::store::Store;
use crate::uid;

/// The marker of older versions, which holds the uid alone.
pub const LEGACY_MARKER_KEY: &str = ".lamindb/_is_initialized";

/// What a marker says: which storage location this is, and who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Uid of the storage location.
    pub storage_uid: String,
    /// `owner/name` of the instance that made it.
    pub instance_slug: Option<String>,
    /// Id of that instance: 32 hex digits.
    pub instance_id: Option<String>,
    /// Uid of that instance.
    pub instance_uid: Option<String>,
}

impl Marker {
    /// Returns the marker of a location that the instance of this name and id makes.
    pub fn new(storage_uid: &str, slug: &Slug, instance_id: &str) -> Self {
        Marker {
            storage_uid: storage_uid.to_owned(),
            instance_slug: Some(slug.to_string()),
            instance_id: Some(instance_id.to_owned()),
            instance_uid: Some(uid::instance_uid(instance_id)),
        }
    }

    /// Parses the text of a marker; nothing when its first line is empty. What can't be read after it is passed over.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let storage_uid = lines.next().filter(|uid| !uid.is_empty())?.to_owned();
        let rest: Vec<&str> = lines.collect();
        let field = |name: &str| rest.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let text = |name: &str| field(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let instance_id = field("instance_id").and_then(|id| uid::parse_instance_id(id).ok());
        Some(Marker {
            storage_uid,
            instance_slug: text("instance_slug"),
            instance_uid: text("instance_uid").or_else(|| instance_id.as_deref().map(uid::instance_uid)),
            instance_id,
        })
    }

    /// Returns the text of the marker: lines without a final line break.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\ncreation info:", self.storage_uid);
        for (name, value) in [
            ("instance_slug", &self.instance_slug),
            ("instance_id", &self.instance_id),
            ("instance_uid", &self.instance_uid),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("\n{name}={value}"));
            }
        }
        text
    }
}

/// What came of [`write()`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marking {
    /// The marker was written.
    Written,
    /// A marker of this uid was there.
    Same(Marker),
    /// A marker of another uid is there: the location belongs to somebody else.
    Other(Marker),
}

/// Returns the marker of a local storage location; an empty one counts as none.
///
/// # Errors
/// Failures of the file system.
pub fn read(root: &Path) -> Result<Option<Marker>> {
    let bytes = files::read_bytes(&root.join(MARKER_KEY))?;
    Ok(bytes.and_then(|bytes| Marker::parse(&String::from_utf8_lossy(&bytes))))
}

/// Marks a local storage location unless it is marked; of several writers exactly one does.
///
/// # Errors
/// [`ErrorKind::Value`] for a uid with other characters than letters and digits; failures of the file system.
pub fn write(env: &Env, root: &Path, marker: &Marker) -> Result<Marking> {
    if marker.storage_uid.is_empty() || !uid::is_base62(&marker.storage_uid) {
        return Err(Error::value(format!("'{}' is no uid of a storage location", marker.storage_uid)));
    }
    let path = root.join(MARKER_KEY);
    if files::create(env, &path, &marker.to_text())? {
        return Ok(Marking::Written);
    }
    match read(root)? {
        Some(found) => Ok(compare(found, marker)),
        None => {
            files::write(env, &path, &marker.to_text(), Access::Shared)?;
            // Somebody else may have filled the same empty file: what is there now decides.
            match read(root)? {
                Some(found) if found == *marker => Ok(Marking::Written),
                Some(found) => Ok(compare(found, marker)),
                None => Err(Error::new(ErrorKind::Io, format!("{} was not written", path.display()))),
            }
        }
    }
}

/// Returns the marker of a bucket; an empty one counts as none.
pub(crate) fn read_in(bucket: &Store) -> Result<Option<Marker>> {
    let found = bucket.read_version(MARKER_KEY)?;
    Ok(found.and_then(|(bytes, _)| Marker::parse(&String::from_utf8_lossy(&bytes))))
}

/// Marks a bucket unless it is marked; of several writers exactly one does.
pub(crate) fn write_in(bucket: &Store, marker: &Marker) -> Result<Marking> {
    if bucket.create(MARKER_KEY, marker.to_text().as_bytes())? {
        return Ok(Marking::Written);
    }
    match read_in(bucket)? {
        Some(found) => Ok(compare(found, marker)),
        None => bucket.write(MARKER_KEY, marker.to_text().as_bytes(), true).map(|()| Marking::Written),
    }
}

fn compare(found: Marker, wanted: &Marker) -> Marking {
    if found.storage_uid == wanted.storage_uid { Marking::Same(found) } else { Marking::Other(found) }
}

/// Removes the marker of a local storage location and returns whether it was there.
///
/// # Errors
/// Failures of the file system.
pub fn remove(root: &Path) -> Result<bool> {
    files::remove(&root.join(MARKER_KEY))
}

/// A file of an older layout and the name that it has today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// What it is.
    pub what: Legacy,
    /// Old path.
    pub from: PathBuf,
    /// New path.
    pub to: PathBuf,
}

/// What older layouts had elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legacy {
    /// The database, `<instance id>.lndb`.
    Database,
    /// A journal beside that database.
    Journal,
    /// The marker, `.lamindb/_is_initialized`.
    Marker,
}

/// Returns what has to be renamed in a local storage location for today's layout; nothing that exists is overwritten.
///
/// # Errors
/// Failures of the file system.
pub fn plan_renames(root: &Path, instance_id: &str) -> Result<Vec<Rename>> {
    let mut renames = Vec::new();
    let (database, old) = (root.join(DATABASE_KEY), root.join(format!("{instance_id}.lndb")));
    if is_file(&old)? && !exists(&database)? {
        // Journals go first: a kill in between leaves them to be found beside the new name.
        for suffix in ["-journal", "-wal"] {
            let from = db::beside(&old, suffix);
            let to = db::beside(&database, suffix);
            if is_file(&from)? && !exists(&to)? {
                renames.push(Rename { what: Legacy::Journal, from, to });
            }
        }
        renames.push(Rename { what: Legacy::Database, from: old, to: database });
    }
    let (marker, old) = (root.join(MARKER_KEY), root.join(LEGACY_MARKER_KEY));
    if is_file(&old)? && read(root)?.is_none() {
        renames.push(Rename { what: Legacy::Marker, from: old, to: marker });
    }
    Ok(renames)
}

impl Rename {
    /// Renames the file and tells so; a file that is gone was renamed by somebody else.
    ///
    /// # Errors
    /// Failures of the file system.
    pub fn apply(&self, env: &Env) -> Result<()> {
        if let Some(folder) = self.to.parent().filter(|folder| folder.ends_with(INTERNAL_FOLDER)) {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        match fs::rename(&self.from, &self.to) {
            Ok(()) => {}
            Err(error) if files::is_absent(&error) && exists(&self.to)? => return Ok(()),
            Err(error) => return Err(Error::io(&self.from, error)),
        }
        let what = match self.what {
            Legacy::Database => "SQLite file",
            Legacy::Marker => "legacy marker file",
            Legacy::Journal => return Ok(()),
        };
        let (from, to) = (self.from.display().to_string(), self.to.display().to_string());
        env.emit(Event::Renamed { what, from, to });
        Ok(())
    }
}

fn exists(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|error| Error::io(path, error))
}

fn is_file(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if files::is_absent(&error) => Ok(false),
        Err(error) => Err(Error::io(path, error)),
    }
}
