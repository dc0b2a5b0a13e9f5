//! What the server or the way to it reports, in the engine's words.

use tokio_postgres::error::{DbError, SqlState};

use crate::error::{Error, ErrorKind};

/// What a failure means for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// None: the server has refused one statement.
    None,
    /// The connection is of no more use; another one may be.
    Lost,
}

/// Returns what has become of the connection.
pub(super) fn damage(error: &tokio_postgres::Error) -> Damage {
    let Some(code) = error.code() else { return Damage::Lost };
    let shutdown = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_SESSION_TIMEOUT,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    // Class 08 is that of broken connections.
    match shutdown.contains(code) || code.code().starts_with("08") {
        true => Damage::Lost,
        false => Damage::None,
    }
}

/// Returns true when the server is there but not ready, or about to be: trying again soon may help.
pub(super) fn is_passing(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => [SqlState::CANNOT_CONNECT_NOW, SqlState::TOO_MANY_CONNECTIONS].contains(code),
        None => !error.is_closed() || damage(error) == Damage::Lost,
    }
}

/// Returns true when another transaction was faster: a value that may exist once is taken, or both waited for each other.
pub(in crate::db) fn lost_race(error: &Error) -> bool {
    said(error).is_some_and(|error| ["23505", "40001", "40P01"].contains(&error.code().code()))
}

/// Returns true when a statement failed only because it had been prepared: asked again it will not.
pub(super) fn was_stale(error: &Error) -> bool {
    said(error).is_some_and(is_stale)
}

/// Returns what the server said, where that is the cause of an error.
fn said(error: &Error) -> Option<&DbError> {
    std::error::Error::source(error)?.downcast_ref::<tokio_postgres::Error>()?.as_db_error()
}

/// Returns the engine's error for one of a statement.
pub(super) fn translate(place: &str, error: tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        let text = deepest(&error);
        return Error::new(
            ErrorKind::Database,
            format!(
                "The connection to {place} was lost ({text}): check that the server runs, then try again"
            ),
        )
        .because(error);
    };
    let (kind, message) = spoken(place, db);
    Error::new(kind, message).because(error)
}

fn spoken(place: &str, db: &DbError) -> (ErrorKind, String) {
    let text = db.message();
    // Of many rows in one stream, the context tells which one it was.
    let row = db.where_().filter(|context| context.starts_with("COPY "));
    let details: Vec<&str> =
        db.detail().into_iter().chain(row).map(|part| part.trim_end_matches('.')).collect();
    let detail = if details.is_empty() { String::new() } else { format!(" ({})", details.join("; ")) };
    let code = db.code();
    match code.code() {
        "23505" | "23P01" | "23503" | "23502" | "23514" | "23000" | "23001" => {
            (ErrorKind::Integrity, format!("{text}{detail}"))
        }
        "40001" | "40P01" => {
            (ErrorKind::Busy, format!("{place}: another program changed the same rows ({text}): try again"))
        }
        "0A000" | "26000" if is_stale(db) => (
            ErrorKind::Busy,
            format!("{place}: another program changed the tables meanwhile ({text}): try again"),
        ),
        "55P03" => (ErrorKind::Busy, locked(place)),
        "53300" => (ErrorKind::Busy, format!("{place} takes no more connections ({text}): try again later")),
        "57014" if text.contains("statement timeout") => (
            ErrorKind::Busy,
            format!(
                "{place} gave the statement up ({text}): ask for less, or have statement_timeout raised for your login"
            ),
        ),
        "57014" => (ErrorKind::Busy, format!("{place} gave the statement up ({text}): try again")),
        "57P01" | "57P02" | "57P05" | "25P03" => {
            (ErrorKind::Database, format!("{place} ended the connection ({text}): try again"))
        }
        "42501" if text.contains("row-level security") => (
            ErrorKind::NoWriteAccess,
            format!("{text}: contact administrators of the space if you need write access"),
        ),
        "42501" => (
            ErrorKind::PermissionDenied,
            format!("{place} refuses: {text}; ask its owner to GRANT what is missing"),
        ),
        "25006" => (ErrorKind::PermissionDenied, format!("{place} is read-only: {text}")),
        "28P01" | "28000" => (
            ErrorKind::PermissionDenied,
            format!("{place} refuses the login ({text}): check user and password"),
        ),
        "3D000" => (
            ErrorKind::UnknownDatabase,
            format!("{text}: create it on the server first, for example with createdb"),
        ),
        "42P01" => (
            ErrorKind::Database,
            format!(
                "{place}: {text}: the database was made without the module it belongs to, or is not of this format"
            ),
        ),
        "3F000" => (
            ErrorKind::UnknownDatabase,
            format!("{place}: {text}: create the schema that search_path names first, with CREATE SCHEMA"),
        ),
        "P0001" => (ErrorKind::Validation, text.to_owned()),
        "22P05" | "22021" => (
            ErrorKind::FieldValidation,
            format!(
                "A text holds a character that the server cannot keep, such as NUL ({text}{detail}): remove it"
            ),
        ),
        "2201B" => (ErrorKind::Value, format!("The server cannot search for this pattern: {text}")),
        "22001" => (ErrorKind::FieldValidation, format!("{text}{detail}")),
        "53100" => (ErrorKind::Io, format!("No space left on the device of {place}")),
        "54001" | "54000" | "54023" => {
            (ErrorKind::Value, format!("The condition is too large for the database ({text}): split it"))
        }
        class if class.starts_with("22") => (ErrorKind::Value, format!("{text}{detail}")),
        code => (ErrorKind::Database, format!("{place}: {text}{detail} [{code}]")),
    }
}

fn locked(place: &str) -> String {
    format!("{place} stayed locked by other writers: try again")
}

/// Returns the error for a transaction that could not begin: where the server limits every statement, it ends the wait for other
/// writers as one of too long.
pub(super) fn waiting_in_vain(place: &str, error: Error) -> Error {
    match said(&error).is_some_and(|said| *said.code() == SqlState::QUERY_CANCELED) {
        true => Error::new(ErrorKind::Busy, locked(place)).because(error),
        false => error,
    }
}

/// Returns true for what fails only because it was prepared: the statement is gone, or its tables have other columns now.
pub(super) fn is_stale(error: &DbError) -> bool {
    match error.code().code() {
        "26000" => true,
        "0A000" => error.routine() == Some("RevalidateCachedQuery"),
        _ => false,
    }
}

/// Returns the engine's error for a connection that could not be made.
pub(super) fn unreachable(place: &str, error: tokio_postgres::Error) -> Error {
    if error.as_db_error().is_some() {
        return translate(place, error);
    }
    let text = deepest(&error);
    // Of its kinds of failure the library tells by their words alone.
    let (kind, message) = match &*text {
        "password missing" => (
            ErrorKind::PermissionDenied,
            format!("{place} asks for a password: put it into the URL, PGPASSWORD or ~/.pgpass"),
        ),
        _ if error.to_string().contains("TLS handshake") => (
            ErrorKind::Database,
            format!(
                "{place} is not whom the URL trusts ({text}): name the certificate of its authority in sslrootcert, or ask for \
                 less with sslmode"
            ),
        ),
        _ => (
            ErrorKind::Database,
            format!("{place} cannot be reached ({text}): check host, port, network and that the server runs"),
        ),
    };
    Error::new(kind, message).because(error)
}

/// Returns the words of the innermost cause, which say most.
fn deepest(error: &tokio_postgres::Error) -> String {
    let mut here: &dyn std::error::Error = error;
    while let Some(source) = here.source() {
        here = source;
    }
    here.to_string()
}
