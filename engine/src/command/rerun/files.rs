//! Files that go into the folder of a run that is done again.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::error::{Error, ErrorKind, Result};

/// Returns a folder that holds nothing, made if it is not there, as a real path.
///
/// # Errors
/// [`ErrorKind::FileExists`] for a folder that holds something.
pub(super) fn empty_folder(root: &Path) -> Result<PathBuf> {
    fs::create_dir_all(root).map_err(|error| Error::io(root, error))?;
    let root = fs::canonicalize(root).map_err(|error| Error::io(root, error))?;
    let mut entries = fs::read_dir(&root).map_err(|error| Error::io(&root, error))?;
    match entries.next() {
        None => Ok(root),
        Some(_) => {
            let text = format!("{} is not empty: name a new folder", root.display());
            Err(Error::new(ErrorKind::FileExists, text))
        }
    }
}

/// Writes a program, with the folders above.
pub(super) fn write_program(path: &Path, code: &str) -> Result<()> {
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        fs::write(path, code)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    };
    write().map_err(|error| Error::io(path, error))
}

/// Returns a word of the command line that may name places below one folder, with those below another.
pub(super) fn moved(word: &str, from: &Path, to: &Path) -> String {
    let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
    if word == from { to.into_owned() } else { word.replace(&format!("{from}/"), &format!("{to}/")) }
}

/// Copies a file or folder, with the folders above.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
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
