//! Runs whose process ended without a word: killed, out of memory, power cut. The next start closes them.
//!
//! While a run goes on its process holds a small file in the cache locked, named by the uid of the run and holding the
//! name of the instance. The system takes locks off, however a process ends.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::finish::{FinishOptions, Outcome, Report};
use crate::error::Result;
use crate::event::Event;
use crate::instance::Instance;
use crate::instance::settings::cache_dir;
use crate::query::Q;
use crate::record::Record;
use crate::threads;
use crate::value::Timestamp;

/// The sign that a run goes on in this process; once it is dropped without [`Going::ended`] the run counts as killed.
#[derive(Debug)]
pub struct Going {
    path: PathBuf,
    process: u32,
    _lock: File,
}

impl Going {
    /// Takes the sign away: the run is finished. In a forked process, which has a copy, the sign stays.
    pub fn ended(self) {
        if self.process == std::process::id() {
            // One that stays is taken away by the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Instance {
    /// Notes that a run goes on in this process; `None` where the cache cannot hold the note.
    ///
    /// # Errors
    /// Those of the settings that say where the cache is.
    pub fn mark_going(&self, uid: &str) -> Result<Option<Going>> {
        let folder = going_dir(self)?;
        let path = folder.join(uid);
        let mark = || {
            fs::create_dir_all(&folder)?;
            let mut file = File::create(&path)?;
            file.try_lock()?;
            file.write_all(self.settings().slug().to_string().as_bytes())?;
            Ok::<File, std::io::Error>(file)
        };
        Ok(mark().ok().map(|file| Going { path, process: std::process::id(), _lock: file }))
    }

    /// Returns where what a run prints is written until it is finished.
    ///
    /// # Errors
    /// Those of the settings that say where the cache is.
    pub fn run_log(&self, uid: &str) -> Result<PathBuf> {
        Ok(cache_dir(self.env())?.join(format!("run_logs_{uid}.txt")))
    }

    /// Marks the runs of processes that were killed as aborted, with what they printed as their report; returns their uids.
    ///
    /// # Errors
    /// Failures of the database and the store.
    pub fn close_killed(&self) -> Result<Vec<String>> {
        let mut closed = Vec::new();
        if self.db().read_only() {
            return Ok(closed);
        }
        let slug = self.settings().slug().to_string();
        for entry in fs::read_dir(going_dir(self)?).into_iter().flatten().flatten() {
            let Some((uid, seen)) = abandoned(&entry.path(), &slug) else { continue };
            if self.close_run(&uid, seen)? {
                self.env().emit(Event::Warning(format!("run {uid} was killed: it is marked as aborted now")));
                closed.push(uid);
            }
            let _ = fs::remove_file(entry.path());
        }
        Ok(closed)
    }

    /// Marks a run, and the runs that it started, as aborted at the moment of which something is known last.
    fn close_run(&self, uid: &str, seen: SystemTime) -> Result<bool> {
        let log = self.run_log(uid)?;
        let at = fs::metadata(&log).and_then(|found| found.modified()).unwrap_or(seen);
        let mut pending = self.registry("Run")?.filter(Q::is("uid", uid))?.all()?;
        let mut any = false;
        while let Some(run) = pending.pop() {
            if is_going(&going_dir(self)?.join(run.uid())) {
                continue;
            }
            pending.extend(self.registry("Run")?.filter(Q::is("initiated_by_run_id", run.id()))?.all()?);
            if !is_open(&run) {
                continue;
            }
            let own = run.uid() == uid && log.is_file();
            self.finish(&FinishOptions {
                run: run.id(),
                report: own.then(|| Report { path: log.clone(), temporary: true }),
                outcome: Outcome::Aborted,
                ended_at: Some(moment(at)),
                ..FinishOptions::default()
            })?;
            any = true;
        }
        Ok(any)
    }
}

fn going_dir(instance: &Instance) -> Result<PathBuf> {
    Ok(cache_dir(instance.env())?.join("runs"))
}

/// Returns the run whose process is gone, and when it was last heard of.
fn abandoned(path: &Path, slug: &str) -> Option<(String, SystemTime)> {
    let mut file = File::options().read(true).write(true).open(path).ok()?;
    file.try_lock().ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    // An empty one is just being made; that of another instance is for its own next start.
    let seen = file.metadata().and_then(|found| found.modified()).ok()?;
    let uid = path.file_name()?.to_str()?.to_owned();
    (text == slug).then_some((uid, seen))
}

/// Returns true while a living process holds the sign of a run.
fn is_going(path: &Path) -> bool {
    File::options().read(true).write(true).open(path).is_ok_and(|file| threads::is_held(&file))
}

fn is_open(run: &Record) -> bool {
    matches!(run.int("_status_code"), Some(-1 | -2)) && run.moment("finished_at").is_none()
}

fn moment(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
}
