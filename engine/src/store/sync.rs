//! Getting bytes and names onto the device.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, Result};

/// Files from which on flushing the whole file system once is cheaper than flushing each of them.
pub(super) const MANY: usize = 8;

/// Flushes the content of a file.
pub(crate) fn file(file: &File, path: &Path) -> Result<()> {
    file.sync_data().map_err(|error| Error::io(path, error))
}

/// Lets the device begin with bytes that were just written, so that a flush later has less to wait for.
pub(super) fn begin(file: &File, range: std::ops::Range<u64>) {
    // "Not needed" makes Linux write what is dirty without waiting; only what is on the device already leaves the cache.
    #[cfg(target_os = "linux")]
    if let Some(length) = std::num::NonZeroU64::new(range.end - range.start) {
        // Advice: where it is not taken, the flush does it all.
        rustix::fs::fadvise(file, range.start, Some(length), rustix::fs::Advice::DontNeed).ok();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, range);
}

/// Flushes the names in a folder.
pub(crate) fn folder(path: &Path) -> Result<()> {
    // Elsewhere a folder cannot be opened, and the system keeps names safe by itself.
    #[cfg(unix)]
    {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| Error::io(path, error))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Flushes the content of a file that has just got its name where there was none, and the name with it.
pub(crate) fn file_and_name(file: &File, path: &Path) -> Result<()> {
    // All metadata: the plain content would leave out the change that gave the file its name.
    file.sync_all().map_err(|error| Error::io(path, error))?;
    match path.parent() {
        Some(parent) if !names_its_files(file) => folder(parent),
        _ => Ok(()),
    }
}

/// Returns true on file systems where flushing a file makes durable the name that it has just got.
///
/// ext4 and XFS write their journals in order, up to the last change of the file that is flushed, which is that of its
/// name; ext4 without a journal writes the folders of new names out with the file; Btrfs logs names with their file.
/// Others promise nothing of the kind, and their folders are flushed.
fn names_its_files(file: &File) -> bool {
    #[cfg(target_os = "linux")]
    {
        const EXT: u32 = 0xEF53;
        const XFS: u32 = 0x5846_5342;
        const BTRFS: u32 = 0x9123_683E;
        // ext2, which does not, shares the number of ext4, but none of its files has extents.
        const EXTENTS: u32 = 0x0008_0000;
        match rustix::fs::fstatfs(file).map(|info| info.f_type as u32) {
            Ok(XFS | BTRFS) => true,
            Ok(EXT) => rustix::fs::ioctl_getflags(file).is_ok_and(|flags| flags.bits() & EXTENTS != 0),
            _ => false,
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        false
    }
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
