//! What tells that a file changed while it was read.

use std::fs::{self, File, Metadata};
use std::path::Path;
use std::time::SystemTime;

use crate::error::{Error, ErrorKind, Result};

/// Size, modification time and identity of a file at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    modified: Option<SystemTime>,
    inode: (u64, u64),
}

impl Stamp {
    /// Returns the stamp of what lies at `path` now, links followed.
    ///
    /// # Errors
    /// What the file system reports, above all [`ErrorKind::FileNotFound`].
    pub fn of(path: &Path) -> Result<Stamp> {
        Ok(Stamp::from(&fs::metadata(path).map_err(|error| Error::io(path, error))?))
    }

    /// Returns the stamp in writing, for comparing it with a later one; devices get other numbers when the system starts.
    pub(crate) fn text(&self) -> String {
        let since = self.modified.and_then(|modified| modified.duration_since(SystemTime::UNIX_EPOCH).ok());
        let nanos = since.map_or(0, |since| since.as_nanos());
        format!("{} {nanos} {}", self.size, self.inode.1)
    }

    /// Fails unless the file at `path` still bears this stamp.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] that tells to save again once the file is complete.
    pub fn check(&self, path: &Path) -> Result<()> {
        match Stamp::of(path) {
            Ok(now) if now == *self => Ok(()),
            Err(error) if error.kind() != ErrorKind::FileNotFound => Err(error),
            _ => Err(changed(path)),
        }
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let inode = (0, 0);
        Stamp { size: metadata.len(), modified: metadata.modified().ok(), inode }
    }
}

/// Returns the error for content that did not hold still.
pub(crate) fn changed(path: &Path) -> Error {
    let path = path.display();
    Error::new(ErrorKind::Io, format!("{path} changed while it was read; save it again once it is complete"))
}

/// Opens a regular file for reading, and returns what it is; anything else is refused before it can block.
pub(crate) fn open_file(path: &Path) -> Result<(File, Metadata)> {
    let fail = |error| Error::io(path, error);
    let metadata = fs::metadata(path).map_err(fail)?;
    if metadata.is_dir() {
        return Err(Error::invalid(format!("{} is a folder where a file is expected", path.display())));
    }
    if !metadata.is_file() {
        return Err(Error::invalid(format!("{} is neither a file nor a folder", path.display())));
    }
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    Ok((file, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_notices_writing_replacing_and_removing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "one").unwrap();
        let stamp = Stamp::from(&open_file(&path).unwrap().1);
        stamp.check(&path).unwrap();

        fs::write(&path, "three").unwrap();
        let error = stamp.check(&path).unwrap_err();
        let expected =
            format!("{} changed while it was read; save it again once it is complete", path.display());
        assert_eq!(error.message(), expected);

        let stamp = Stamp::of(&path).unwrap();
        let twin = dir.path().join("y");
        fs::write(&twin, "three").unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        File::options().write(true).open(&twin).unwrap().set_modified(modified).unwrap();
        fs::rename(&twin, &path).unwrap();
        assert!(stamp.check(&path).is_err());

        let stamp = Stamp::of(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(stamp.check(&path).unwrap_err().message().contains("changed while"));
    }

    #[test]
    fn only_regular_files_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(open_file(dir.path()).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(open_file(&dir.path().join("none")).unwrap_err().kind(), ErrorKind::FileNotFound);
    }
}
