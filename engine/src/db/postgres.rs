//! PostgreSQL: a few pooled connections, one writer at a time by an advisory lock, lost connections replaced.

mod binding;
mod cancel;
mod cells;
mod connection;
mod copy;
mod error;
mod pace;
mod passfile;
mod prepared;
mod rights;
mod tls;
mod url;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

pub(super) use connection::Connection;
pub(super) use error::lost_race;
pub use url::masked;
pub(crate) use url::without_password;

use super::{Cell, Durability, Sql};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::threads::entered;
use crate::value::{Kind, Value};
use connection::Refusal;
use tls::Tls;
use url::Target;

/// The advisory lock of all who write: the bytes of "holotype".
const WRITERS: i64 = i64::from_be_bytes(*b"holotype");

/// Connections kept for the next question.
const KEPT: usize = 8;

/// Time to wait for a server that restarts.
const RESTART: Duration = Duration::from_secs(20);

/// Time to wait for other writers, in milliseconds.
const PATIENCE_MS: u64 = 30_000;

pub(super) struct Postgres {
    target: Target,
    tls: Tls,
    idle: Mutex<Vec<Connection>>,
    /// The process that the idle connections belong to: a child of it must not speak on them.
    process: Mutex<u32>,
    writer: Mutex<()>,
    deferred: AtomicBool,
    /// Why nothing can be written, where that is so.
    read_only: OnceLock<String>,
}

impl Postgres {
    /// Connects to a database.
    pub(super) fn open(env: &Env, url: &str) -> Result<Self> {
        let target = Target::parse(env, url)?;
        let tls = Tls::new(&target.trust)?;
        let postgres = Postgres {
            target,
            tls,
            idle: Mutex::default(),
            process: Mutex::new(std::process::id()),
            writer: Mutex::new(()),
            deferred: AtomicBool::new(false),
            read_only: OnceLock::new(),
        };
        let connection = postgres.connect(Duration::ZERO)?;
        if let Some(why) = rights::why_read_only(&connection, postgres.shown())? {
            postgres.forbid_writing(why);
        }
        postgres.keep(connection);
        Ok(postgres)
    }

    /// Returns why nothing can be written, where that is so.
    pub(super) fn read_only(&self) -> Option<&str> {
        self.read_only.get().map(String::as_str)
    }

    /// Refuses all writes from now on, for the reason given.
    pub(super) fn forbid_writing(&self, why: String) {
        // The first reason is as good as any other.
        self.read_only.set(why).ok();
    }

    pub(super) fn shown(&self) -> &str {
        &self.target.shown
    }

    /// Makes a connection, trying again for so long while the server is about to come back.
    fn connect(&self, patience: Duration) -> Result<Connection> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            match Connection::open(&self.target, &self.tls) {
                Ok(connection) => return Ok(connection),
                Err(Refusal { passing: true, .. }) if start.elapsed() < patience => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(500));
                }
                Err(Refusal { error, .. }) => return Err(error),
            }
        }
    }

    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
        // A panic in the middle leaves connections that are checked before they are used again.
        entered(mutex.lock())
    }

    fn take(&self) -> Result<Connection> {
        let process = std::process::id();
        let mut owner = self.lock(&self.process);
        if *owner != process {
            // Closing them would close those of the parent.
            self.lock(&self.idle).drain(..).for_each(std::mem::forget);
            *owner = process;
        }
        drop(owner);
        let start = Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            while let Some(connection) = self.lock(&self.idle).pop() {
                if !connection.is_lost() {
                    return Ok(connection);
                }
            }
            match self.connect(Duration::ZERO) {
                // The server takes no more of them: other threads give theirs back, and other programs end.
                Err(error) if error.kind() == ErrorKind::Busy && start.elapsed() < RESTART => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(200));
                }
                done => return done,
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.lock(&self.idle);
        if !connection.is_lost() && idle.len() < KEPT {
            idle.push(connection);
        }
    }

    /// Runs `work` on a connection, and once more on a new one when that was lost; `work` may say that it must not.
    fn read<T>(&self, mut work: impl FnMut(&Connection) -> Result<T>, again: impl Fn() -> bool) -> Result<T> {
        let connection = self.take()?;
        let mut result = work(&connection);
        if result.is_err() && connection.is_lost() && again() {
            // The others went down with it.
            self.lock(&self.idle).clear();
            let connection = self.connect(RESTART)?;
            result = work(&connection);
            self.keep(connection);
            return result;
        }
        if result.as_ref().is_err_and(error::was_stale) && again() {
            result = work(&connection);
        }
        self.keep(connection);
        result
    }

    pub(super) fn each(&self, sql: &Sql, visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
        let begun = std::cell::Cell::new(false);
        self.read(
            |connection| {
                connection.each(sql, &mut |cells| {
                    begun.set(true);
                    visit(cells)
                })
            },
            || !begun.get(),
        )
    }

    pub(super) fn rows(&self, sql: &Sql, kinds: &[Kind]) -> Result<Vec<Vec<Value>>> {
        self.read(|connection| connection.rows(sql, kinds), || true)
    }

    /// Runs `work` in a transaction that holds the lock of the writers.
    pub(super) fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        if let Some(why) = self.read_only() {
            return Err(Error::new(ErrorKind::PermissionDenied, why));
        }
        let _writer = self.lock(&self.writer);
        let begin = self.begin();
        // Nothing has happened yet when the transaction cannot begin, so that another connection may begin it.
        let (connection, ticket) = self
            .read_keeping(|connection| connection.ask(&begin))
            .map_err(|error| error::waiting_in_vain(self.shown(), error))?;
        connection.mend();
        let result = work(&connection).and_then(|value| {
            faults::hit("db.commit");
            connection.check_whole()?;
            match connection.script("COMMIT") {
                Err(_) if connection.is_lost() => self.settle(ticket.as_deref())?,
                done => done?,
            }
            faults::hit("db.committed");
            Ok(value)
        });
        if result.is_err() && !connection.is_lost() {
            connection.script("ROLLBACK")?;
        }
        self.keep(connection);
        result
    }

    /// Returns what begins a transaction and takes the lock; its answer is the number of the transaction, and since when
    /// the server runs.
    fn begin(&self) -> String {
        let commit = if self.deferred.load(Ordering::Relaxed) { "off" } else { "on" };
        // Not a snapshot for the whole transaction: it would be older than the lock.
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
             SET LOCAL lock_timeout = {PATIENCE_MS}; \
             SET LOCAL synchronous_commit = {commit}; \
             SELECT txid_current() || ' ' || extract(epoch FROM pg_postmaster_start_time()) \
             FROM pg_advisory_xact_lock({WRITERS})"
        )
    }

    fn read_keeping<T>(&self, work: impl Fn(&Connection) -> Result<T>) -> Result<(Connection, T)> {
        let connection = self.take()?;
        match work(&connection) {
            Ok(value) => Ok((connection, value)),
            Err(_) if connection.is_lost() => {
                self.lock(&self.idle).clear();
                let connection = self.connect(RESTART)?;
                let value = work(&connection)?;
                Ok((connection, value))
            }
            Err(error) => {
                connection.script("ROLLBACK").ok();
                self.keep(connection);
                Err(error)
            }
        }
    }

    /// Finds out what became of a transaction whose connection was lost during its commit.
    fn settle(&self, ticket: Option<&str>) -> Result<()> {
        self.lock(&self.idle).clear();
        let (number, start) = ticket.and_then(|ticket| ticket.split_once(' ')).unwrap_or(("0", ""));
        let number = number.parse::<u64>().unwrap_or(0);
        let place = self.shown();
        let unknown = || {
            Error::new(
                ErrorKind::Database,
                format!(
                    "The connection to {place} was lost while the change was being stored, and whether it was is unknown: \
                     look, then try again"
                ),
            )
        };
        let connection = self.connect(RESTART).map_err(|error| unknown().because(error))?;
        // A server that crashed may have given the number to another transaction since: then a commit proves nothing.
        let status = connection.ask(&format!(
            "SELECT COALESCE(txid_status({number}), 'aborted') || \
             CASE WHEN extract(epoch FROM pg_postmaster_start_time())::text = '{}' THEN '' ELSE ' elsewhere' END",
            start.replace('\'', "")
        ));
        let status = match status {
            // A number of the future: the transaction was never written down.
            Err(error) if error.kind() == ErrorKind::Value => "aborted".to_owned(),
            status => status.map_err(|error| unknown().because(error))?.unwrap_or_default(),
        };
        match status.split(' ').next() {
            Some("committed") if status == "committed" => Ok(()),
            Some("aborted") => Err(Error::new(
                ErrorKind::Database,
                format!(
                    "The connection to {place} was lost before the change was stored: nothing was written, try again"
                ),
            )),
            _ => Err(unknown()),
        }
    }

    /// Sets whether commits wait for the server's disk.
    pub(super) fn set_durability(&self, durability: Durability) {
        self.deferred.store(durability == Durability::Deferred, Ordering::Relaxed);
    }
}

impl Connection {
    /// Runs an insert and returns the id of the new row.
    pub(super) fn insert(&self, sql: &Sql) -> Result<i64> {
        let mut sql = sql.clone();
        sql.push(" RETURNING \"id\"");
        let rows = self.rows(&sql, &[Kind::BigInt])?;
        rows.first()
            .and_then(|row| row.first())
            .and_then(Value::as_int)
            .ok_or_else(|| Error::new(ErrorKind::Database, "The server did not say which id the new row got"))
    }
}
