//! One connection: statements out, rows in, each within its time.

use std::cell::Cell as Flag;
use std::pin::pin;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use tokio::runtime::Runtime;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Row, SimpleQueryMessage};

use super::cancel::cancel;
use super::cells::{self, Param};
use super::error::{self, Damage};
use super::prepared::Prepared;
use super::tls::Tls;
use super::url::Target;
use crate::db::{Cell, Sql, collect};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Kind, Value};

/// Rows taken from the connection at a time.
const CHUNK: usize = 256;

/// One connection with the small runtime that drives it; nothing else runs in the background.
pub(in crate::db) struct Connection {
    // Dropped first: it tells the driver that nobody will ask again.
    pub(super) client: Client,
    runtime: Option<Runtime>,
    config: Config,
    tls: Tls,
    place: String,
    patience: Duration,
    lost: Flag<bool>,
    /// A statement failed: until the transaction or a savepoint is rolled back, the server refuses all others.
    failed: Flag<bool>,
    prepared: Prepared,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A runtime cannot be taken down any more while a thread's own variables are: the process closes the socket.
        if thread_ends() {
            std::mem::forget(self.runtime.take());
        }
    }
}

/// Returns true when the variables of this thread are being taken down.
fn thread_ends() -> bool {
    tokio::runtime::Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed())
}

/// Why no connection was made.
pub(super) struct Refusal {
    pub(super) error: Error,
    /// Trying again soon may help.
    pub(super) passing: bool,
}

impl Connection {
    pub(super) fn open(target: &Target, tls: &Tls) -> std::result::Result<Connection, Refusal> {
        let undriven =
            || Error::new(ErrorKind::Io, format!("No connection to {} can be driven", target.shown));
        if thread_ends() {
            return Err(Refusal { error: undriven(), passing: false });
        }
        let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = built.map_err(|error| Refusal { error: undriven().because(error), passing: false })?;
        let (client, driver) = runtime.block_on(target.config.connect(tls.clone())).map_err(|error| {
            Refusal { passing: error::is_passing(&error), error: error::unreachable(&target.shown, error) }
        })?;
        // What goes wrong with the connection is told to whoever asks something of it.
        runtime.spawn(driver.map(|_| ()));
        Ok(Connection {
            client,
            runtime: Some(runtime),
            config: target.config.clone(),
            tls: tls.clone(),
            place: target.shown.clone(),
            patience: target.patience,
            lost: Flag::new(false),
            failed: Flag::new(false),
            prepared: Prepared::default(),
        })
    }

    /// Returns true when nothing more can be asked.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get() || self.client.is_closed()
    }

    /// Forgets that a statement failed: what it was part of begins or is rolled back.
    pub(in crate::db) fn mend(&self) {
        self.failed.set(false);
    }

    /// Refuses to commit after a failed statement: the server would roll back and call it a success.
    pub(super) fn check_whole(&self) -> Result<()> {
        if !self.failed.get() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Database,
            format!("A statement on {} failed and nothing was written: try again", self.place),
        ))
    }

    fn fail(&self, error: tokio_postgres::Error) -> Error {
        self.failed.set(true);
        self.prepared.learn(&error);
        if error::damage(&error) == Damage::Lost {
            self.lost.set(true);
        }
        error::translate(&self.place, error)
    }

    /// Waits for the server, at most as long as a statement may take.
    pub(super) fn wait<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let Some(runtime) = self.runtime.as_ref().filter(|_| !thread_ends()) else {
            return Err(Error::new(
                ErrorKind::Database,
                format!("{} is closed: the thread ends", self.place),
            ));
        };
        let mut work = pin!(work);
        runtime.block_on(async {
            if let Ok(done) = tokio::time::timeout(self.patience, work.as_mut()).await {
                return done.map_err(|error| self.fail(error));
            }
            // Told to stop, the server answers that it has; one that is out of reach cannot.
            let grace = Duration::from_secs(5);
            let stop = self.client.cancel_token();
            let stopped = tokio::time::timeout(grace, cancel(&stop, &self.config, &self.tls)).await == Ok(true);
            let answered = stopped && tokio::time::timeout(grace, work.as_mut()).await.is_ok();
            self.lost.set(!answered);
            Err(Error::new(
                ErrorKind::Busy,
                format!(
                    "{} did not answer within {} s: ask for less, or give it more time in HOLOTYPE_STATEMENT_TIMEOUT",
                    self.place,
                    self.patience.as_secs()
                ),
            ))
        })
    }

    /// Runs statements without parameters, all in one message.
    pub(in crate::db) fn script(&self, text: &str) -> Result<()> {
        self.wait(self.client.batch_execute(text))
    }

    /// Runs statements without parameters and returns the first cell of the last row that comes back.
    pub(super) fn ask(&self, text: &str) -> Result<Option<String>> {
        let messages = self.wait(self.client.simple_query(text))?;
        Ok(messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }

    /// Calls `visit` for every row and returns how many rows the statement changed.
    fn run(&self, sql: &Sql, visit: &mut dyn FnMut(&Row) -> Result<()>) -> Result<usize> {
        let (text, params) = sql.to_postgres();
        let types: Vec<Type> = params.iter().map(|value| Param(value).type_()).collect();
        let params = params.into_iter().map(Param);
        let stream = match self.wait(self.prepared.get(&self.client, &self.config, &text, &types))? {
            Some((statement, pace)) => self.wait(pace.wait(self.client.query_raw(&statement, params)))?,
            None => {
                let params = params.zip(types.iter().cloned());
                self.wait(self.client.query_typed_raw(&text, params))?
            }
        };
        let mut stream = pin!(stream.ready_chunks(CHUNK));
        while let Some(chunk) = self.wait(stream.next().map(Ok))? {
            for row in chunk {
                visit(&row.map_err(|error| self.fail(error))?)?;
            }
        }
        let changed = stream.get_ref().rows_affected().unwrap_or(0);
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(in crate::db) fn each(
        &self,
        sql: &Sql,
        visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>,
    ) -> Result<()> {
        self.run(sql, &mut |row| {
            let mut cells = Vec::with_capacity(row.len());
            cells::read(row, &mut cells).map_err(|error| self.fail(error))?;
            visit(&cells)
        })
        .map(|_| ())
    }

    pub(in crate::db) fn rows(&self, sql: &Sql, kinds: &[Kind]) -> Result<Vec<Vec<Value>>> {
        collect(kinds, |visit| self.each(sql, visit))
    }

    pub(in crate::db) fn execute(&self, sql: &Sql) -> Result<usize> {
        self.run(sql, &mut |_| Ok(()))
    }
}
