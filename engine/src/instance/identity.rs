//! Which instance a database holds. The format leaves that to the mark of a storage location, which others may not reach.

use serde_json::{Value as Json, json};

use super::ground::Ground;
use super::name::Slug;
use super::root::StorageRoot;
use super::settings::InstanceSettings;
use crate::db::{Db, Sql};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::value::Kind;

/// The note of our own in which the database says it.
const NOTE: &str = "instance";

/// What leads from a database to its instance.
pub(super) struct Identity {
    pub(super) slug: Slug,
    pub(super) id: String,
    pub(super) root: StorageRoot,
}

/// Writes down which instance a database holds, unless it says so already.
pub(super) fn keep(db: &Db, settings: &InstanceSettings) -> Result<()> {
    if !db.writes_in_passing() || db.meta(NOTE)?.is_some() {
        return Ok(());
    }
    let note = json!({"slug": settings.slug().to_string(), "id": settings.id, "root": settings.storage_root});
    db.write(|tx| tx.set_meta(NOTE, note.to_string()))
}

/// Returns which instance a database holds, as its note or a storage location within reach says.
///
/// # Errors
/// [`ErrorKind::InstanceNotFound`] when neither does.
pub(super) fn of(env: &Env, db: &Db, shown: &str) -> Result<Identity> {
    if let Some(identity) = db.meta(NOTE)?.and_then(|note| noted(&note)) {
        return Ok(identity);
    }
    let sql = Sql::new(
        "SELECT \"root\", \"instance_uid\" FROM \"lamindb_storage\" WHERE \"instance_uid\" IS NOT NULL ORDER BY \"id\"",
    );
    let rows = db.rows(&sql, &[Kind::Text, Kind::Text])?;
    let locations: Vec<(&str, &str)> =
        rows.iter().filter_map(|row| Some((row[0].as_str()?, row[1].as_str()?))).collect();
    let mut unreached = Vec::new();
    if let Some((first, uid)) = locations.first() {
        for (root, _) in locations.iter().filter(|(_, other)| other == uid) {
            match marked(env, root, uid) {
                Ok(Some((slug, id))) => return Ok(Identity { slug, id, root: StorageRoot::stored(first)? }),
                Ok(None) => unreached.push(format!("{root} bears no mark of it")),
                Err(error) => unreached.push(error.message().to_owned()),
            }
        }
    }
    let why = if unreached.is_empty() { String::new() } else { format!(" ({})", unreached.join("; ")) };
    Err(Error::new(
        ErrorKind::InstanceNotFound,
        format!(
            "{shown} does not say which instance it holds, nor does a storage location within reach{why}: connect with \
             Holotype once where the instance is known, then again here"
        ),
    ))
}

fn noted(note: &str) -> Option<Identity> {
    let json: Json = serde_json::from_str(note).ok()?;
    let field = |name: &str| json.get(name).and_then(Json::as_str);
    Some(Identity {
        slug: Slug::parse(field("slug")?, "").ok()?,
        id: field("id")?.to_owned(),
        root: StorageRoot::stored(field("root")?).ok()?,
    })
}

/// Returns what the mark of a location says of the instance with this uid.
fn marked(env: &Env, root: &str, uid: &str) -> Result<Option<(Slug, String)>> {
    let marker = Ground::of(env, &StorageRoot::stored(root)?)?.marker()?;
    let Some(marker) = marker.filter(|marker| marker.instance_uid.as_deref() == Some(uid)) else {
        return Ok(None);
    };
    match (marker.instance_slug, marker.instance_id) {
        (Some(slug), Some(id)) => Ok(Some((Slug::parse(&slug, "")?, id))),
        _ => Ok(None),
    }
}
