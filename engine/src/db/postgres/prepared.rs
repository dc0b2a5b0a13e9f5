//! Statements that a connection asks again and again: the server reads and plans them once.
//!
//! A prepared statement lives in one process of the server. A pooler between transactions may hand every transaction to
//! another, so that nothing is prepared unless the connection leads to its process directly.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Error, SimpleQueryMessage, Statement};

use super::cancel::Lasting;
use super::error;
use super::pace::Pace;

/// Uses after which a statement is worth the question to prepare it.
const WORTH: u32 = 3;

/// Statements kept; those used least lately make room.
const KEPT: usize = 64;

/// Texts longer than this are those of many rows at once, which hardly ever come again.
const LONGEST: usize = 8192;

/// The statements of one connection.
#[derive(Default)]
pub(super) struct Prepared {
    known: RefCell<HashMap<(String, Vec<Type>), Known>>,
    clock: Cell<u64>,
    /// Whether the process that answers is the one that the connection was made to; unknown before somebody asks.
    direct: Cell<Option<bool>>,
}

struct Known {
    uses: u32,
    last: u64,
    statement: Option<Statement>,
    pace: Pace,
}

/// How a statement is asked this time.
enum Way {
    Unprepared,
    Prepared(Statement, Pace),
    ToPrepare,
}

impl Prepared {
    /// Returns a statement for a text that was asked often enough with parameters of these types, and how fast it is
    /// answered.
    pub(super) async fn get(
        &self,
        client: &Client,
        config: &Config,
        text: &str,
        types: &[Type],
    ) -> Result<Option<(Statement, Pace)>, Error> {
        if text.len() > LONGEST || joins(text) || self.direct.get() == Some(false) {
            return Ok(None);
        }
        let key = (text.to_owned(), types.to_vec());
        match self.count(&key) {
            Way::Unprepared => return Ok(None),
            Way::Prepared(statement, pace) => return Ok(Some((statement, pace))),
            Way::ToPrepare => {}
        }
        if self.direct.get().is_none() {
            self.direct.set(Some(is_direct(client, config).await?));
        }
        if self.direct.get() != Some(true) {
            self.known.take();
            return Ok(None);
        }
        let statement = client.prepare_typed(text, types).await?;
        if let Some(known) = self.known.borrow_mut().get_mut(&key) {
            known.statement = Some(statement.clone());
        }
        Ok(Some((statement, Pace::default())))
    }

    /// Counts a use of a statement.
    fn count(&self, key: &(String, Vec<Type>)) -> Way {
        let now = self.clock.get() + 1;
        self.clock.set(now);
        let mut known = self.known.borrow_mut();
        if let Some(here) = known.get_mut(key) {
            here.uses = here.uses.saturating_add(1);
            here.last = now;
            return match &here.statement {
                Some(statement) => Way::Prepared(statement.clone(), here.pace.clone()),
                None if here.uses < WORTH => Way::Unprepared,
                None => Way::ToPrepare,
            };
        }
        if known.len() >= KEPT {
            let oldest = known.iter().min_by_key(|(_, known)| known.last).map(|(key, _)| key.clone());
            oldest.map(|key| known.remove(&key));
        }
        known.insert(key.clone(), Known { uses: 1, last: now, statement: None, pace: Pace::default() });
        Way::Unprepared
    }

    /// Lets nothing count as prepared any more when a statement failed only because it was.
    pub(super) fn learn(&self, error: &Error) {
        let Some(error) = error.as_db_error().filter(|error| error::is_stale(error)) else { return };
        if *error.code() == SqlState::INVALID_SQL_STATEMENT_NAME {
            self.direct.set(Some(false));
        }
        self.known.take();
    }
}

/// Returns true for a statement with a query in it: how it is best answered depends on the values, such as how frequent a
/// label is, so that it is planned for them each time.
fn joins(text: &str) -> bool {
    text.match_indices("SELECT ").any(|(at, _)| at > 0)
}

/// Returns true when the process that answers is the one whose number the connection was told at its start: poolers tell
/// numbers of their own.
async fn is_direct(client: &Client, config: &Config) -> Result<bool, Error> {
    let answer = client.simple_query("SELECT pg_backend_pid()").await?;
    let process = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse::<i32>().ok(),
        _ => None,
    });
    Ok(process.is_some() && process == told(client, config).await)
}

/// Returns the number of the process that the connection was told, which stands in requests to cancel alone.
async fn told(client: &Client, config: &Config) -> Option<i32> {
    let (near, mut far) = tokio::io::duplex(64);
    let answer: &[u8] = if config.get_ssl_mode() == SslMode::Require { b"S" } else { b"N" };
    far.write_all(answer).await.ok()?;
    far.shutdown().await.ok()?;
    client.cancel_token().cancel_query_raw(Lasting(near), Plain).await.ok()?;
    let mut said = Vec::new();
    far.read_to_end(&mut said).await.ok()?;
    // Length, code, process and key of four bytes each.
    let request = said.get(said.len().checked_sub(16)?..)?;
    Some(i32::from_be_bytes(request[8..12].try_into().ok()?))
}

/// Encrypts nothing: what is said to ourselves does not leave the process.
struct Plain;

impl TlsConnect<Lasting<DuplexStream>> for Plain {
    type Stream = Lasting<DuplexStream>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Self::Stream>>;

    fn connect(self, stream: Lasting<DuplexStream>) -> Self::Future {
        std::future::ready(Ok(stream))
    }
}

impl TlsStream for Lasting<DuplexStream> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
