//! Content that no row will use once the database was sent: it stays until then, so that nobody sees a row without it.
//!
//! Beside the working copy lies a list of it. What is listed goes after a send that tells others of it; whoever is killed
//! before leaves it to the next one of this machine. Only places that the registry itself gives out are listed: nothing
//! else ever comes to lie there.

use std::fs::File;
use std::io::Write as _;

use serde_json::{Value as Json, json};

use super::Cloud;
use crate::db::{Db, Sql};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::faults;
use crate::instance::Instance;
use crate::instance::root::INTERNAL_FOLDER;
use crate::instance::settings::files::{self, Access};
use crate::store::{Publish, Store};
use crate::value::{Kind, Value};

/// What the name of the list ends with.
pub(super) const LIST: &str = ".leaving";

/// Characters of a uid that all versions share; those of one version are more.
const STEM: usize = 16;

/// Content in a bucket that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Id of the storage location.
    pub(crate) storage: i64,
    /// Its root.
    pub(crate) root: String,
    /// Path below it.
    pub(crate) place: String,
    /// Where it moves to instead of being removed, below the root.
    pub(crate) into: Option<String>,
}

impl Left {
    fn parse(line: &str) -> Option<Left> {
        let json: Json = serde_json::from_str(line).ok()?;
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        let storage = json.get("storage")?.as_i64()?;
        Some(Left { storage, root: text("root")?, place: text("place")?, into: text("into") })
    }

    fn to_line(&self) -> String {
        let Left { storage, root, place, into } = self;
        format!("{}\n", json!({"storage": storage, "root": root, "place": place, "into": into}))
    }

    /// Returns the uid, or its stem where versions share a place, that the registry made the place of.
    fn name(&self) -> Option<&str> {
        let name = self.place.strip_prefix(INTERNAL_FOLDER)?.strip_prefix('/')?.split('.').next()?;
        (name.len() >= STEM).then_some(name)
    }

    /// Returns true while a row has its content there.
    fn is_used(&self, db: &Db) -> Result<bool> {
        let Some(name) = self.name() else { return Ok(true) };
        let mut sql = Sql::new(
            "SELECT COUNT(*) FROM \"lamindb_artifact\" WHERE \"_key_is_virtual\" AND \"_real_key\" IS NULL",
        );
        sql.push(" AND \"storage_id\" = ").bind(self.storage).push(" AND ").family(name);
        Ok(db.scalar(&sql, Kind::Int)?.and_then(|n| Value::as_int(&n)).is_some_and(|n| n > 0))
    }

    fn destroy(&self, cloud: &Cloud) -> Result<()> {
        let store = Store::open(&self.root, &cloud.env)?;
        match &self.into {
            Some(into) if store.exists(&self.place)? => store.rename(&self.place, into, &Publish::default()),
            Some(_) => Ok(()),
            None => store.remove(&self.place).map(drop),
        }
    }
}

impl Cloud {
    /// Returns what is listed; whoever changes it has the turn.
    fn left(&self) -> Result<Vec<Left>> {
        let bytes = files::read_bytes(&self.copy.beside(LIST))?.unwrap_or_default();
        // A line that was cut off costs space in the bucket, nothing else.
        Ok(String::from_utf8_lossy(&bytes).lines().filter_map(Left::parse).collect())
    }

    /// Replaces the list.
    fn list(&self, left: &[Left]) -> Result<()> {
        let path = self.copy.beside(LIST);
        match left {
            [] => files::remove(&path).map(drop),
            left => {
                let lines: String = left.iter().map(Left::to_line).collect();
                files::write(&self.env, &path, &lines, Access::Shared)
            }
        }
    }

    /// Returns the listed content that the copy has no row for at this moment.
    pub(super) fn leaving(&self, db: &Db) -> Result<Vec<Left>> {
        let mut leaving = Vec::new();
        for left in self.left()? {
            if !left.is_used(db)? {
                leaving.push(left);
            }
        }
        Ok(leaving)
    }

    /// Sends the database if content waits for that, so that the bucket holds what the registry says.
    pub(crate) fn settle(&self) -> Result<()> {
        if self.left()?.is_empty() { Ok(()) } else { self.release() }
    }

    /// Takes off the list what rows use, since the deletion of these rows was set aside.
    pub(super) fn forget_used(&self, db: &Db) -> Result<()> {
        let (listed, leaving) = (self.left()?, self.leaving(db)?);
        if leaving.len() < listed.len() { self.list(&leaving) } else { Ok(()) }
    }

    /// Destroys content that no row in the cloud uses any more; what fails is tried again after the next send.
    pub(super) fn see_off(&self, leaving: &[Left]) -> Result<()> {
        if leaving.is_empty() {
            return Ok(());
        }
        faults::hit("cloud.leaving");
        let mut stays = Vec::new();
        for left in leaving {
            if let Err(error) = left.destroy(self) {
                self.env.emit(Event::Warning(format!(
                    "{} in {} is not removed yet, which is tried again when the database is sent next: {}",
                    left.place,
                    left.root,
                    error.message()
                )));
                stays.push(left);
            }
        }
        let gone = |left: &Left| leaving.contains(left) && !stays.contains(&left);
        let listed: Vec<Left> = self.left()?.into_iter().filter(|left| !gone(left)).collect();
        self.list(&listed)
    }
}

impl Instance {
    /// Returns true when others have copies of the database that do not know yet what is done here.
    pub(crate) fn has_database_in_bucket(&self) -> bool {
        self.cloud.is_some()
    }

    /// Sends what was written so far if others may look at what lies in this store: the rows that they have promise content
    /// that is about to go, or went already.
    ///
    /// # Errors
    /// As [`Instance::send`].
    pub(crate) fn tell_others(&self, store: &Store) -> Result<()> {
        if store.is_remote() { self.send() } else { Ok(()) }
    }

    /// Leaves content that is about to lose its row where it is until the database was sent. Returns false where that cannot
    /// be, or need not: it is destroyed by the caller then.
    ///
    /// # Errors
    /// What the file system reports.
    pub(crate) fn leave_behind(&self, left: &Left) -> Result<bool> {
        let Some(cloud) = self.cloud.as_ref().filter(|_| left.root.contains("://")) else { return Ok(false) };
        if left.name().is_none() {
            return Ok(false);
        }
        let _turn = cloud.copy.turn()?;
        let path = cloud.copy.beside(LIST);
        let opened = File::options().append(true).create(true).open(&path);
        let written = opened.and_then(|mut file| file.write_all(left.to_line().as_bytes()));
        written.map(|()| true).map_err(|error| Error::io(&path, error))
    }

    /// Takes content off the list: its row stays, or the content shall outlast it.
    ///
    /// # Errors
    /// What the file system reports.
    pub(crate) fn keep_after_all(&self, left: &Left) -> Result<()> {
        let Some(cloud) = &self.cloud else { return Ok(()) };
        let _turn = cloud.copy.turn()?;
        let listed = cloud.left()?;
        let others = |other: &&Left| (&other.root, &other.place) != (&left.root, &left.place);
        let stays: Vec<Left> = listed.iter().filter(others).cloned().collect();
        if stays.len() < listed.len() { cloud.list(&stays) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_as_it_went() {
        let left = Left {
            storage: 3,
            root: "s3://bucket/\"odd\"".to_owned(),
            place: ".lamindb/hrKjgpEM9vB8U8XR0000.csv".to_owned(),
            into: Some("aside".to_owned()),
        };
        assert_eq!(Left::parse(&left.to_line()), Some(left.clone()));
        assert_eq!(left.name(), Some("hrKjgpEM9vB8U8XR0000"));
        let shared = Left { place: ".lamindb/hrKjgpEM9vB8U8XR".to_owned(), into: None, ..left.clone() };
        assert_eq!(Left::parse(&shared.to_line()), Some(shared.clone()));
        assert_eq!(shared.name(), Some("hrKjgpEM9vB8U8XR"));
        assert_eq!(Left { place: "raw/x.csv".to_owned(), ..left }.name(), None);
        assert_eq!(Left::parse("{\"storage\": 3, \"root\""), None);
    }
}
