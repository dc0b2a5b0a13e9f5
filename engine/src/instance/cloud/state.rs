//! What is known of a working copy: whose it is, of which version in the cloud, and whether it holds more than that.

use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value as Json, json};

use crate::error::{Error, ErrorKind, Result};
use crate::instance::settings::files;
use crate::store::Version;

/// The note beside a working copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Names this working copy among all those of an instance.
    pub(super) client: String,
    /// Whether the lock stays when a process ends, until `disconnect`.
    pub(super) held: bool,
    /// The version in the cloud that the copy was made of, or became; none before the first push.
    pub(super) version: Option<Version>,
    /// The digest of the copy while it held nothing but that version; none right after it was brought here.
    pub(super) digest: Option<String>,
    /// How the file looked then.
    pub(super) stamp: Option<Stamp>,
    /// The digest of what was last sent without an answer so far.
    pub(super) sending: Option<String>,
    /// Whether another version was just being put into the place of this one.
    pub(super) replacing: bool,
}

/// Size and time of a file, which tell that nobody wrote to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    nanoseconds: u64,
}

impl Stamp {
    /// Returns the stamp of a database file; nothing while a log holds more than the file.
    pub(super) fn of(path: &Path, log: &Path) -> Option<Stamp> {
        if std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0) {
            return None;
        }
        let metadata = std::fs::metadata(path).ok()?;
        let since = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Stamp { size: metadata.len(), nanoseconds: u64::try_from(since.as_nanos()).ok()? })
    }
}

impl State {
    /// Returns what a note says; nothing when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::SettingsOutdated`] for a note that cannot be understood: guessing could cost somebody's work.
    pub(super) fn read(path: &Path) -> Result<Option<State>> {
        let Some(bytes) = files::read_bytes(path)? else { return Ok(None) };
        let parsed = serde_json::from_slice::<Json>(&bytes).ok().and_then(|json| State::parse(&json));
        parsed.map(Some).ok_or_else(|| {
            Error::new(
                ErrorKind::SettingsOutdated,
                format!(
                    "{} is damaged, so that nobody can tell whether the database beside it holds work that is not in the \
                     cloud: move both files away and connect again",
                    path.display()
                ),
            )
        })
    }

    fn parse(json: &Json) -> Option<State> {
        let text = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        let number = |json: &Json, name: &str| json.get(name).and_then(Json::as_u64);
        let flag = |name: &str| json.get(name).and_then(Json::as_bool).unwrap_or_default();
        let part = |name: &str| json.get(name).filter(|part| part.is_object());
        Some(State {
            client: text(json, "client").filter(|client| !client.is_empty())?,
            held: flag("held"),
            version: part("version")
                .map(|part| Version { tag: text(part, "tag"), number: text(part, "number") }),
            digest: text(json, "digest"),
            stamp: part("stamp").and_then(|part| {
                Some(Stamp { size: number(part, "size")?, nanoseconds: number(part, "nanoseconds")? })
            }),
            sending: text(json, "sending"),
            replacing: flag("replacing"),
        })
    }

    /// Returns the text of the note.
    pub(super) fn to_text(&self) -> String {
        let version =
            self.version.as_ref().map(|version| json!({"tag": version.tag, "number": version.number}));
        let stamp = self.stamp.map(|stamp| json!({"size": stamp.size, "nanoseconds": stamp.nanoseconds}));
        let note = json!({
            "client": self.client,
            "held": self.held,
            "version": version,
            "digest": self.digest,
            "stamp": stamp,
            "sending": self.sending,
            "replacing": self.replacing,
        });
        format!("{note:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_as_it_went() {
        let full = State {
            client: "abc".to_owned(),
            held: true,
            version: Some(Version { tag: Some("\"1\"".to_owned()), number: None }),
            digest: Some("d".to_owned()),
            stamp: Some(Stamp { size: 7, nanoseconds: 1_767_323_045_123_456_789 }),
            sending: Some("s".to_owned()),
            replacing: true,
        };
        let bare = State { client: "abc".to_owned(), ..State::default() };
        for state in [full, bare] {
            let json: Json = serde_json::from_str(&state.to_text()).unwrap();
            assert_eq!(State::parse(&json), Some(state));
        }
        assert_eq!(State::parse(&json!({"held": true})), None, "a copy has a name");
    }
}
