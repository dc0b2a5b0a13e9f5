//! Copying and hashing in one pass.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::{Publish, sync};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{Both, Identity, Stamp, changed, fill};

/// Bytes copied at once: they are hashed by the second thread while still in cache.
const BLOCK: usize = 256 * 1024;

/// Bytes from which on hashing gets a thread of its own.
const PIPELINE: u64 = 1024 * 1024;

/// Bytes after which the device is given what was written, if it will be waited for.
const STRIDE: u64 = 16 * 1024 * 1024;

/// Blocks under way between the two threads.
const DEPTH: usize = 4;

/// A source under its name and stamp, and the name of the target for messages.
pub(super) struct Transfer<'a> {
    pub(super) source: &'a Path,
    pub(super) stamp: Stamp,
    pub(super) target: &'a Path,
}

impl Transfer<'_> {
    /// Copies all bytes and returns both hashes of exactly what was written.
    pub(super) fn run(&self, from: &mut File, to: &mut File, how: &Publish<'_>) -> Result<Identity> {
        let mut both = Both::new(self.stamp.size);
        if self.stamp.size >= PIPELINE {
            both = self.pipelined(both, from, to, how)?;
        } else {
            let mut buffer = vec![0; (self.stamp.size as usize + 1).min(BLOCK)];
            let mut copied = 0;
            while let read @ 1.. = self.block(from, to, &mut buffer, &mut copied, how)? {
                both.update_here(&buffer[..read]);
            }
        }
        let identity = both.finish().ok_or_else(|| changed(self.source))?;
        self.stamp.check(self.source)?;
        Ok(identity)
    }

    /// Copies on this thread while another one hashes what has been written.
    fn pipelined(&self, both: Both, from: &mut File, to: &mut File, how: &Publish<'_>) -> Result<Both> {
        let (full, to_hash) = sync_channel::<(Vec<u8>, usize)>(DEPTH);
        let (empty, to_fill) = sync_channel::<Vec<u8>>(DEPTH);
        for _ in 0..DEPTH {
            // The channel holds as many as are sent, and its other end is alive.
            let _ = empty.send(vec![0; BLOCK]);
        }
        thread::scope(|scope| {
            let hasher = thread::Builder::new()
                .name("holotype-hash".to_owned())
                .spawn_scoped(scope, move || hash_blocks(both, &to_hash, &empty))
                .map_err(|error| Error::io(self.target, error))?;
            let copied = self.copy_blocks(from, to, how, &to_fill, full);
            let both = hasher.join().map_err(|_| stopped(self.target))?;
            copied.map(|()| both)
        })
    }

    fn copy_blocks(
        &self,
        from: &mut File,
        to: &mut File,
        how: &Publish<'_>,
        to_fill: &Receiver<Vec<u8>>,
        full: SyncSender<(Vec<u8>, usize)>,
    ) -> Result<()> {
        let mut copied = 0;
        loop {
            let mut buffer = to_fill.recv().map_err(|_| stopped(self.target))?;
            match self.block(from, to, &mut buffer, &mut copied, how)? {
                0 => return Ok(()),
                read => full.send((buffer, read)).map_err(|_| stopped(self.target))?,
            }
        }
    }

    /// Copies the next block and returns its length, 0 at the end.
    fn block(
        &self,
        from: &mut File,
        to: &mut File,
        buffer: &mut [u8],
        copied: &mut u64,
        how: &Publish<'_>,
    ) -> Result<usize> {
        let read = fill(from, buffer).map_err(|error| Error::io(self.source, error))?;
        *copied += read as u64;
        // A file that grows as fast as it is read would otherwise never end.
        if *copied > self.stamp.size {
            return Err(changed(self.source));
        }
        if read > 0 {
            to.write_all(&buffer[..read]).map_err(|error| Error::io(self.target, error))?;
            let stride = *copied / STRIDE * STRIDE;
            if how.durable && stride > *copied - read as u64 {
                sync::begin(to, stride - STRIDE..stride);
            }
            (how.progress)(read as u64)?;
        }
        Ok(read)
    }
}

fn hash_blocks(mut both: Both, full: &Receiver<(Vec<u8>, usize)>, empty: &SyncSender<Vec<u8>>) -> Both {
    for (buffer, read) in full {
        both.update_here(&buffer[..read]);
        // Nobody waits for the buffers after the last block.
        let _ = empty.try_send(buffer);
    }
    both
}

fn stopped(target: &Path) -> Error {
    Error::new(ErrorKind::Io, format!("Hashing stopped while {} was written; try again", target.display()))
}
