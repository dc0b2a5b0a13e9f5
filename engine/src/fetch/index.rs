//! What the cache knows of its files: which content each of them is, and when it was used last.
//!
//! For every path in the cache that was checked there is a small file in `.holotype` beside them. It holds the state in
//! which the path was when it was checked, and what it was checked to be: a path in another state is checked again.
//!
//! Small files are not flushed to the device one by one. Their notes name the time since the system was started, in which
//! they count: should the machine have failed before it wrote the content, the file is checked again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::instance::settings::cache_dir;
use crate::uid;

/// The folder of the index, below the cache directory.
const FOLDER: &str = ".holotype";

const HEADER: &str = "holotype cache 1";

/// What was used so recently stays, however full the cache is: its reader may just open it.
const GRACE: Duration = Duration::from_secs(60);

/// The index of a cache directory.
pub(super) struct Index<'a> {
    env: &'a Env,
    cache: PathBuf,
}

/// What is noted of a path.
struct Note {
    relative: String,
    state: String,
    content: String,
    /// The time since a start of the system in which the note counts; any, where there is none.
    boot: Option<String>,
}

/// One path of the index.
struct Entry {
    note: PathBuf,
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

impl<'a> Index<'a> {
    pub(super) fn of(env: &'a Env) -> Result<Index<'a>> {
        Ok(Index { env, cache: cache_dir(env)? })
    }

    pub(super) fn cache(&self) -> &Path {
        &self.cache
    }

    /// Returns true when `path` is in the state in which it was found to be `content`, and notes that it was used.
    pub(super) fn knows(&self, path: &Path, content: &str) -> bool {
        let note = self.note(path);
        let Some(found) = self.read(&note) else { return false };
        let counts = found.boot.is_none() || found.boot == self.env.boot();
        let same =
            counts && found.content == content && state_of(path).is_some_and(|now| now.0 == found.state);
        if same {
            // A cache that cannot be written is still read; it only forgets what was used last.
            let _ = File::options().write(true).open(&note).and_then(|file| file.set_modified(self.now()));
        }
        same
    }

    /// Returns true when the content of `path` is on the device for certain: it has not changed since before the system
    /// started.
    pub(super) fn outlived(&self, path: &Path) -> bool {
        self.read(&self.note(path)).is_some_and(|found| {
            found.boot != self.env.boot() && state_of(path).is_some_and(|now| now.0 == found.state)
        })
    }

    /// Notes that `path` was found to be `content`; `flushed` that this is true of the device as well.
    pub(super) fn note_content(&self, path: &Path, content: &str, flushed: bool) -> Result<()> {
        let Some((state, _)) = state_of(path) else { return Ok(()) };
        let note = self.note(path);
        let folder = self.cache.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        let relative = path.strip_prefix(&self.cache).unwrap_or(path).to_string_lossy();
        let boot = self.env.boot().filter(|_| !flushed).map_or_else(String::new, |boot| format!("{boot}\n"));
        let text = format!("{HEADER}\n{relative}\n{state}\n{content}\n{boot}");
        // Written aside, so that nobody reads half of it.
        let aside = folder.join(format!(".{}.holotype-tmp", uid::random(self.env, 8)));
        fs::write(&aside, text)
            .and_then(|()| File::options().write(true).open(&aside)?.set_modified(self.now()))
            .and_then(|()| fs::rename(&aside, &note))
            .map_err(|error| Error::io(&note, error))
    }

    /// Removes what was used longest ago until the cache holds no more than `limit` bytes; `kept` stays in any case.
    pub(super) fn shrink(&self, limit: u64, kept: &Path) -> Result<()> {
        let mut entries = self.entries();
        let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
        entries.sort_by_key(|entry| entry.used);
        for entry in entries {
            if total <= limit {
                return Ok(());
            }
            let recent = self.now().duration_since(entry.used).is_ok_and(|since| since < GRACE);
            if entry.path == kept || recent {
                continue;
            }
            // The note goes first: without one the path is nobody's promise. A second process may be at it as well.
            let _ = fs::remove_file(&entry.note);
            let _ = match entry.path.is_dir() {
                true => fs::remove_dir_all(&entry.path),
                false => fs::remove_file(&entry.path),
            };
            total = total.saturating_sub(entry.size);
        }
        Ok(())
    }

    fn entries(&self) -> Vec<Entry> {
        let notes = fs::read_dir(self.cache.join(FOLDER)).into_iter().flatten().flatten();
        let entry = |note: PathBuf| {
            let path = self.cache.join(self.read(&note)?.relative);
            let (_, size) = state_of(&path)?;
            let used = fs::metadata(&note).ok()?.modified().ok()?;
            Some(Entry { note, path, size, used })
        };
        notes.filter_map(|note| entry(note.path())).collect()
    }

    fn read(&self, note: &Path) -> Option<Note> {
        parse(&fs::read_to_string(note).ok()?)
    }

    fn note(&self, path: &Path) -> PathBuf {
        let relative = path.strip_prefix(&self.cache).unwrap_or(path).to_string_lossy();
        self.cache.join(FOLDER).join(uid::from_text(&relative, 20))
    }

    fn now(&self) -> SystemTime {
        let micros = u64::try_from(self.env.now().0).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
    }
}

fn parse(text: &str) -> Option<Note> {
    let mut lines = text.lines().map(str::to_owned);
    if lines.next()? != HEADER {
        return None;
    }
    let (relative, state, content) = (lines.next()?, lines.next()?, lines.next()?);
    Some(Note { relative, state, content, boot: lines.next() })
}

/// Returns what changes when a file, or any file of a folder, is written to, and the bytes in all.
fn state_of(path: &Path) -> Option<(String, u64)> {
    let of_file = |path: &Path| {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        // Programs set the time of the last change back; the system notes when they did.
        #[cfg(unix)]
        let noted = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let noted = (0, 0);
        let state = format!("{} {} {} {}", metadata.len(), modified.as_nanos(), noted.0, noted.1);
        Some((state, metadata.len()))
    };
    if !path.is_dir() {
        return of_file(path);
    }
    let (mut text, mut total) = (String::new(), 0);
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry.ok()?;
        if entry.file_type().is_file() {
            let (state, size) = of_file(entry.path())?;
            text.push_str(&format!("{}\n{state}\n", entry.path().strip_prefix(path).ok()?.display()));
            total += size;
        }
    }
    Some((format!("folder {}", uid::from_text(&text, 20)), total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Timestamp;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        let clock = Arc::new(AtomicI64::new(1_000_000_000));
        let time = clock.clone();
        let vars = [("LAMIN_CACHE_DIR".to_owned(), cache.to_str().unwrap().to_owned())];
        let mut n = 0u8;
        let random = move |bytes: &mut [u8]| {
            n = n.wrapping_add(1);
            bytes.fill(n);
        };
        let env = Env::new(
            move || Timestamp(time.load(Ordering::SeqCst) * 1_000_000),
            random,
            dir.path(),
            dir.path(),
        )
        .with_vars(vars);
        let index = Index::of(&env).unwrap();
        let file = |name: &str| {
            let path = cache.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, vec![b'x'; 100]).unwrap();
            path
        };
        let (a, b, c) = (file("b/a"), file("b/b"), file("d/x"));
        for path in [&a, &b, &cache.join("d")] {
            index.note_content(path, "md5 x 100", true).unwrap();
            clock.fetch_add(100, Ordering::SeqCst);
        }
        assert!(index.knows(&a, "md5 x 100") && !index.knows(&a, "md5 y 100"));
        clock.fetch_add(100, Ordering::SeqCst);
        index.shrink(300, &a).unwrap();
        assert!(a.exists() && b.exists() && c.exists());
        index.shrink(200, &c).unwrap();
        assert!(a.exists() && !b.exists() && c.exists(), "a was used after b");
        index.shrink(0, &a).unwrap();
        assert!(a.exists() && !cache.join("d").exists());

        fs::write(&a, vec![b'y'; 100]).unwrap();
        File::options().write(true).open(&a).unwrap().set_modified(index.now()).unwrap();
        assert!(!index.knows(&a, "md5 x 100"), "a file that was written to is checked again");
        assert!(!index.knows(&b, "md5 x 100"));
    }
}
