//! Getting bytes and names onto the device.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, Result};

/// Files from which on flushing the whole file system once is cheaper than flushing each of them.
pub(super) const MANY: usize = 8;

/// Flushes the content of a file.
pub(super) fn file(file: &File, path: &Path) -> Result<()> {
    file.sync_data().map_err(|error| Error::io(path, error))
}

/// Flushes the names in a folder.
pub(super) fn folder(path: &Path) -> Result<()> {
    // Elsewhere a folder cannot be opened, and the system keeps names safe by itself.
    #[cfg(unix)]
    {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| Error::io(path, error))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Flushes all content and names of the file system that `folder` lies on; returns false where that cannot be asked for.
pub(super) fn filesystem(folder: &File, path: &Path) -> Result<bool> {
    #[cfg(target_os = "linux")]
    {
        rustix::fs::syncfs(folder).map_err(|error| Error::io(path, error.into()))?;
        Ok(true)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (folder, path);
        Ok(false)
    }
}
