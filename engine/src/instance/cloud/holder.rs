//! Who has the lock of a cloud database, and the note by which clients of this engine tell each other apart.

use serde_json::{Value as Json, json};

use crate::error::{Error, ErrorKind};
use crate::value::Timestamp;

/// How long a lock counts without a sign of life, in microseconds.
pub(super) const WEEK: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// Somebody who has the lock of an instance, or was about to take it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Uid of the user.
    pub uid: String,
    /// Handle of the user, where anything tells it.
    pub handle: Option<String>,
    /// Name of the user, where anything tells it.
    pub name: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The working copy, as its client names it; nothing for other programs.
    pub copy: Option<String>,
    /// Whether it is the working copy of this machine.
    pub here: bool,
}

impl Holder {
    /// Returns the user as messages name one.
    pub fn who(&self) -> String {
        let uid = &self.uid;
        match (&self.handle, &self.name) {
            (Some(handle), Some(name)) => format!("'{handle}' (uid: '{uid}', name: '{name}')"),
            (Some(handle), None) => format!("'{handle}' (uid: '{uid}')"),
            (None, _) => format!("uid: '{uid}'"),
        }
    }

    /// Returns the error for whoever finds the instance of this name locked.
    pub(super) fn refusal(&self, slug: &str) -> Error {
        let since = self.since.map(|since| format!(" since {}", since.to_display())).unwrap_or_default();
        let copy =
            self.copy.as_ref().map(|copy| format!(" with the working copy {copy}")).unwrap_or_default();
        Error::new(
            ErrorKind::InstanceLocked,
            format!(
                "Cannot load the instance, it is locked by {}. The instance will be automatically unlocked after 7d of no \
                 activity. Locked{since}{copy}: connect with --wait 60 to wait for them, or if they are gone, run: \
                 lamin unlock {slug}",
                self.who()
            ),
        )
    }
}

/// What the client that has the lock says of itself. The format's own objects know users only, and one user may work in
/// two places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// Names the working copy.
    pub(super) client: String,
    pub(super) uid: String,
    pub(super) handle: String,
    pub(super) name: Option<String>,
    /// Path of the working copy on its machine.
    pub(super) copy: String,
    /// Whether it has the lock, and is not just about to take it.
    pub(super) has: bool,
}

impl Note {
    pub(super) fn parse(bytes: &[u8]) -> Option<Note> {
        let json: Json = serde_json::from_slice(bytes).ok()?;
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        Some(Note {
            client: text("client")?,
            uid: text("uid")?,
            handle: text("handle")?,
            name: text("name"),
            copy: text("copy")?,
            has: json.get("has").and_then(Json::as_bool)?,
        })
    }

    /// Returns the bytes of the note; `salt` makes those of each lock different.
    pub(super) fn to_bytes(&self, salt: &str) -> Vec<u8> {
        let note = json!({
            "client": self.client,
            "uid": self.uid,
            "handle": self.handle,
            "name": self.name,
            "copy": self.copy,
            "has": self.has,
            "salt": salt,
        });
        format!("{note:#}\n").into_bytes()
    }
}
