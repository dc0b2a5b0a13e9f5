//! What a user points at: a path that exists, its suffix, and the type that it suggests.

use std::path::{Path, PathBuf};

use super::NewArtifact;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::suffix::Suffix;

/// Returns the absolute path of a source that exists, with symbolic links of its folders resolved.
pub(super) fn local_source(instance: &Instance, source: &str) -> Result<PathBuf> {
    if source.is_empty() {
        return Err(Error::value("The path is empty: pass a file or folder"));
    }
    if source.contains('\0') {
        return Err(Error::value("The path contains a NUL character"));
    }
    let path = instance.env().absolute(
        ["file://", "local://"].iter().find_map(|scheme| source.strip_prefix(scheme)).unwrap_or(source),
    );
    let metadata = std::fs::metadata(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(ErrorKind::FileNotFound, path.display().to_string()),
        _ => Error::io(&path, error),
    })?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(Error::invalid(format!("{} is neither a file nor a folder", path.display())));
    }
    std::fs::canonicalize(&path).map_err(|error| Error::io(&path, error))
}

/// Returns the suffix to store and refuses a key with another one.
pub(super) fn check_suffix(instance: &Instance, source: &Path, new: &NewArtifact) -> Result<String> {
    let formats = instance.env().formats();
    let name = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stored = Suffix::stored(&name, &formats);
    if stored.reduced && !new.temporary {
        instance.env().emit(Event::LastSuffixOnly { suffix: stored.suffix.clone(), what: "file" });
    }
    if let Some(suffix) = stored.dropped {
        instance.env().emit(Event::SuffixDropped { suffix });
    }
    if let Some(key) = &new.key {
        let (of_path, of_key) = (Suffix::of_name(&name, &formats).raw, Suffix::of_name(key, &formats).raw);
        if of_path != of_key {
            return Err(Error::invalid(match new.temporary {
                true => format!(
                    "The passed key's suffix '{of_key}' must match the passed path's suffix '{of_path}'."
                ),
                false => format!(
                    "The passed path's suffix '{of_path}' must match the passed key's suffix '{of_key}'."
                ),
            }));
        }
    }
    Ok(stored.suffix)
}

/// Returns the object type: what was given, else what the suffix of a table says.
pub(super) fn otype(source: &Path, new: &NewArtifact) -> Option<String> {
    if new.otype.is_some() || new.temporary {
        return new.otype.clone();
    }
    table(source).map(str::to_owned)
}

/// Returns the object type of a file that is a table by its suffix.
pub(super) fn table(source: &Path) -> Option<&'static str> {
    (is_table_name(source) && source.is_file()).then_some("DataFrame")
}

/// Returns true for the names of tables.
pub(super) fn is_table_name(source: &Path) -> bool {
    source
        .extension()
        .is_some_and(|extension| extension == "parquet" || extension == "csv" || extension == "ipc")
}
