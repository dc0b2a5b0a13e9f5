//! Where content goes: in place, to its automatic key, or to a real key.

use std::path::Path;

use super::NewArtifact;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::key;
use crate::record::Record;
use crate::storage::location_among;

/// The place of content and the key it goes by.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) storage: Record,
    pub(super) in_place: bool,
    pub(super) key: Option<String>,
    pub(super) real_key: Option<String>,
    pub(super) key_is_virtual: bool,
}

impl Place {
    pub(super) fn root(&self) -> String {
        self.storage.text("root").unwrap_or_default().to_owned()
    }
}

/// Returns where the content of `source` goes.
///
/// # Errors
/// [`crate::ErrorKind::Value`] when the key contradicts the place, or the location is not ours to write to.
pub(super) fn resolve(instance: &Instance, source: &Path, new: &NewArtifact) -> Result<Place> {
    let locations = instance.locations()?;
    if !new.temporary
        && let Some((storage, relative)) = location_among(&locations, source)?
    {
        return in_place(storage, relative, new);
    }
    let storage = instance.chosen_among(&locations, new.storage)?;
    let key_is_virtual =
        new.key.is_none() || new.key_is_virtual.unwrap_or_else(|| instance.creation().use_virtual_keys);
    Ok(Place { storage, in_place: false, key: new.key.clone(), real_key: None, key_is_virtual })
}

pub(super) fn in_place(storage: Record, relative: String, new: &NewArtifact) -> Result<Place> {
    let same = new.key.as_deref().is_none_or(|key| key == relative);
    match (same, new.key_is_virtual) {
        (true, Some(true)) => Err(Error::value(
            "Passing a path in an existing storage without a virtual key and key_is_virtual=True is incompatible.",
        )),
        (false, Some(false)) => Err(Error::value(
            "Passing a path in an existing storage with a virtual key and key_is_virtual=False is incompatible.",
        )),
        (true, _) => {
            Ok(Place { storage, in_place: true, key: Some(relative), real_key: None, key_is_virtual: false })
        }
        (false, _) => Ok(Place {
            storage,
            in_place: true,
            key: new.key.clone(),
            real_key: Some(relative),
            key_is_virtual: true,
        }),
    }
}

/// Returns the path of an artifact's content below its storage root.
pub(crate) fn storage_key(record: &Record) -> String {
    if let Some(real) = record.text("_real_key") {
        return real.to_owned();
    }
    match record.text("key").filter(|_| !record.flag("_key_is_virtual")) {
        // The key was checked when it was given; a row of another program may hold anything.
        Some(real) => key::real_key_path(real).unwrap_or(real).to_owned(),
        None => automatic_key(record),
    }
}

/// Returns the place that the registry itself gives to content: by family where versions share one store.
pub(crate) fn automatic_key(record: &Record) -> String {
    let name = if record.flag("_overwrite_versions") { record.stem_uid() } else { record.uid() };
    key::auto_key(name, record.text("suffix").unwrap_or_default())
}

/// Returns where content waits until a transaction gives it its place.
pub(super) fn part_key(name: &str, suffix: &str) -> String {
    key::auto_key(name, &format!("{suffix}.part"))
}
