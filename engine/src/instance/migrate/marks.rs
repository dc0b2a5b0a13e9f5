//! What the two databases of a migration note of it, so that a broken one can be told from a finished one.
//!
//! The copy bears `arriving` until the old database bears `departed`, which is the moment from which the copy is the
//! instance; then `arriving` becomes `arrived`. All three hold the token of the one migration.

use serde_json::{Value as Json, json};

use crate::db::{Db, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::value::Timestamp;

const ARRIVING: &str = "migration:arriving";
const ARRIVED: &str = "migration:arrived";
const DEPARTED: &str = "migration:departed";

/// The notes, which belong to a database and not to the instance in it.
pub(super) const NOTES: [&str; 3] = [ARRIVING, ARRIVED, DEPARTED];

/// Where an instance went.
pub(super) struct Departure {
    pub(super) token: String,
    pub(super) to: String,
    at: String,
}

/// Marks the copy as one that is not yet the instance.
pub(super) fn arrive(tx: &Tx<'_>, token: &str) -> Result<()> {
    tx.set_meta(ARRIVING, token.to_owned())
}

/// Returns true when the database is a copy that was never taken into use.
pub(super) fn is_arriving(db: &Db) -> Result<bool> {
    Ok(db.meta(ARRIVING)?.is_some())
}

pub(super) fn is_arriving_within(tx: &Tx<'_>) -> Result<bool> {
    Ok(tx.meta(ARRIVING)?.is_some())
}

/// Returns true when the database was made by this migration.
pub(super) fn came_by(db: &Db, token: &str) -> Result<bool> {
    let notes = db.metas([ARRIVING, ARRIVED])?;
    Ok(notes.iter().flatten().any(|note| note == token))
}

/// Marks the copy as the instance.
pub(super) fn settle(db: &Db) -> Result<()> {
    db.write(|tx| match tx.meta(ARRIVING)? {
        Some(token) => {
            tx.set_meta(ARRIVED, token)?;
            tx.forget_meta(ARRIVING)
        }
        None => Ok(()),
    })
}

/// Marks the old database as one that is no longer the instance.
pub(super) fn depart(tx: &Tx<'_>, token: &str, to: &str, now: Timestamp) -> Result<()> {
    tx.set_meta(DEPARTED, json!({"token": token, "to": to, "at": now.to_display()}).to_string())
}

/// Returns where the instance went, if it did.
pub(super) fn departure(note: Option<String>) -> Option<Departure> {
    let json: Json = serde_json::from_str(&note?).ok()?;
    let field = |name: &str| json.get(name)?.as_str().map(str::to_owned);
    Some(Departure { token: field("token")?, to: field("to")?, at: field("at").unwrap_or_default() })
}

pub(super) fn departure_of(db: &Db) -> Result<Option<Departure>> {
    Ok(departure(db.meta(DEPARTED)?))
}

pub(super) fn departure_within(tx: &Tx<'_>) -> Result<Option<Departure>> {
    Ok(departure(tx.meta(DEPARTED)?))
}

/// Refuses the old database of an instance that was migrated: what is written there would be lost.
///
/// # Errors
/// [`ErrorKind::UnknownDatabase`] naming where the instance is.
pub(in crate::instance) fn refuse_departed(db: &Db, place: impl FnOnce() -> Result<String>) -> Result<()> {
    match departure_of(db)? {
        None => Ok(()),
        Some(departure) => Err(departed(&place()?, &departure)),
    }
}

/// Refuses a database that is not the instance: the old one after a migration, as [`refuse_departed`], and a copy that no
/// migration has taken into use, because the next one would throw away what is written there.
///
/// # Errors
/// [`ErrorKind::UnknownDatabase`] saying how to go on.
pub(in crate::instance) fn refuse_unused(db: &Db, place: impl FnOnce() -> Result<String>) -> Result<()> {
    let [gone, arriving] = db.metas([DEPARTED, ARRIVING])?;
    if let Some(departure) = departure(gone) {
        return Err(departed(&place()?, &departure));
    }
    if arriving.is_none() {
        return Ok(());
    }
    let text = format!(
        "The database in {} is not in use yet, because a migration to it goes on or was broken off: run `holotype migrate` \
         again where the instance was connected before",
        place()?
    );
    Err(Error::new(ErrorKind::UnknownDatabase, text))
}

pub(super) fn departed(place: &str, departure: &Departure) -> Error {
    let how = match departure.to.split_once(':') {
        Some(("postgresql" | "postgres", _)) => "to-postgres` with that place",
        Some(("sqlite", _)) => "to-sqlite` with that place",
        _ => "to-sqlite`",
    };
    Error::new(
        ErrorKind::UnknownDatabase,
        format!(
            "The instance in {place} moved to {} on {}, and this database is only kept: to work there, run `holotype migrate \
             {how}",
            departure.to, departure.at
        ),
    )
}
