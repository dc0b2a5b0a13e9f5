//! Small files that are written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever the user's defaults admit.
    Shared,
    /// The user alone: the file may hold secrets.
    Private,
}

/// Returns an error for a settings file that can't be used; `remedy` says what to do once it is deleted.
pub(crate) fn outdated(path: &Path, fault: &str, remedy: &str) -> Error {
    Error::new(
        ErrorKind::SettingsOutdated,
        format!(
            "The settings file {} {fault}: it is damaged or of another version. Delete it & {remedy}.",
            path.display()
        ),
    )
}

/// Returns the bytes of a file, or nothing if there is no such file.
pub(crate) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io(path, error)),
    }
}

/// Returns the text of a file, or nothing if there is no such file.
///
/// # Errors
/// [`ErrorKind::SettingsOutdated`] if the file is not text.
pub(crate) fn read(path: &Path, remedy: &str) -> Result<Option<String>> {
    let Some(bytes) = read_bytes(path)? else { return Ok(None) };
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(Some(text)),
        _ => Err(outdated(path, "is not text", remedy)),
    }
}

/// Removes a file and returns whether it was there.
pub(crate) fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(Error::io(path, error)),
    }
}

/// Returns true when the error says that nothing is at the path.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Replaces the content of `path`, whose folder is made if need be.
///
/// A reader, and whoever looks after a kill at any moment, sees the old content or the new one.
pub(crate) fn write(env: &Env, path: &Path, content: &str, access: Access) -> Result<()> {
    // Settings kept elsewhere through a link stay there.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let temp = write_temp(env, &target, content, access)?;
    let done = match target.metadata() {
        Ok(old) if access == Access::Shared => fs::set_permissions(&temp, old.permissions()),
        _ => Ok(()),
    };
    done.and_then(|()| fs::rename(&temp, &target)).map_err(|error| {
        let _ = fs::remove_file(&temp);
        Error::io(&target, error)
    })
}

/// Writes a file unless there is one, and returns whether it did; of several writers exactly one does.
pub(crate) fn create(env: &Env, path: &Path, content: &str) -> Result<bool> {
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let temp = write_temp(env, path, content, Access::Shared)?;
    let linked = fs::hard_link(&temp, path);
    let _ = fs::remove_file(&temp);
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // File systems without links: exclusive creation still lets only one writer through.
        Err(_) => match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(mut file) => match file.write_all(content.as_bytes()).and_then(|()| file.sync_all()) {
                Ok(()) => Ok(true),
                Err(error) => {
                    let _ = fs::remove_file(path);
                    Err(Error::io(path, error))
                }
            },
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::io(path, error)),
        },
    }
}

/// Writes `content` to a new file beside `target` and returns its path.
fn write_temp(env: &Env, target: &Path, content: &str, access: Access) -> Result<PathBuf> {
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    for _ in 0..100 {
        let mut salt = [0; 8];
        env.fill_random(&mut salt);
        let temp = folder.join(format!(".{name}.{:016x}.tmp", u64::from_le_bytes(salt)));
        let mut file = match open_new(&temp, access) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(Error::io(target, error)),
        };
        return match file.write_all(content.as_bytes()).and_then(|()| file.sync_all()) {
            Ok(()) => Ok(temp),
            Err(error) => {
                let _ = fs::remove_file(&temp);
                Err(Error::io(target, error))
            }
        };
    }
    Err(Error::new(ErrorKind::Io, format!("{} is full of temporary files: remove them", folder.display())))
}

fn open_new(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = access;
    options.open(path)
}
