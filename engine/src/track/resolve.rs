//! Which transform a source file stands for: by uid, by content, by place; an old version, a new one, or a new family.

use super::file::{SourceFile, SourceKind};
use super::options::{Rename, RenameQuestion};
use super::{redact, rows, update};
use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::model::{self, Registry};
use crate::record::Record;
use crate::uid;
use crate::value::Value;
use crate::version;
use crate::write::{self, demote_head, next_uid};

/// What is known of the source that looks for its transform.
pub(super) struct Wanted<'a> {
    pub(super) source: &'a SourceFile,
    pub(super) key: &'a str,
    /// 12 characters for a family, 16 for one version.
    pub(super) uid: Option<&'a str>,
    pub(super) version_tag: Option<&'a str>,
    pub(super) description: Option<String>,
    /// Nobody wrote the description: it only says how the script was called.
    pub(super) generic_description: bool,
    pub(super) branch: i64,
    pub(super) space: i64,
    pub(super) rename: Option<Rename>,
    /// Whether the source is kept now; that of a notebook which still runs is kept when it is finished.
    pub(super) keep: bool,
}

/// The outcome.
pub(super) enum Resolved {
    /// A row that exists now; `complete` says that it held its source before.
    Found { transform: Record, created: bool, complete: bool },
    /// Nothing was written.
    Ask(RenameQuestion),
}

/// Where the search for a transform without a uid ended.
enum Candidate {
    Row(Box<Record>),
    None,
    Ask(RenameQuestion),
}

/// Finds or makes the transform inside the write transaction, so that all who look at once find the same one.
pub(super) fn resolve(
    instance: &Instance,
    tx: &Tx<'_>,
    wanted: &Wanted<'_>,
    events: &mut Vec<Event>,
) -> Result<Resolved> {
    let registry = model::require("Transform")?;
    let search = Search { instance, tx, registry, wanted };
    let candidate = match wanted.uid {
        Some(given) if given.len() > registry.stem_len => return search.exact(given, events),
        Some(stem) => {
            rows::newest(tx, registry, stem)?.map_or(Candidate::None, |row| Candidate::Row(Box::new(row)))
        }
        None => match search.by_content()? {
            Candidate::None => search.by_place(events)?,
            found => found,
        },
    };
    match candidate {
        Candidate::Ask(question) => Ok(Resolved::Ask(question)),
        Candidate::Row(row) => search.reuse_or_follow(*row, events),
        Candidate::None => {
            let stem =
                wanted.uid.map_or_else(|| uid::random(instance.env(), registry.stem_len), str::to_owned);
            search.insert(&format!("{stem}{}", version::FIRST), wanted.key, events)
        }
    }
}

/// Returns true when `path` is `tail` or ends with it as whole parts.
fn ends_with(path: &str, tail: &str) -> bool {
    path.strip_suffix(tail).is_some_and(|head| head.is_empty() || head.ends_with('/'))
}

struct Search<'a> {
    instance: &'a Instance,
    tx: &'a Tx<'a>,
    registry: &'static Registry,
    wanted: &'a Wanted<'a>,
}

impl Search<'_> {
    fn visible(&self, row: &Record) -> bool {
        matches!(row.int("branch_id"), Some(branch) if branch == self.wanted.branch || branch == 1)
    }

    /// Looks for a transform with the same source: of the same key, then of a key that ends alike, else it asks.
    fn by_content(&self) -> Result<Candidate> {
        let wanted = self.wanted;
        let mut rest = Sql::new("WHERE \"hash\" = ");
        rest.bind(wanted.source.hash.as_str());
        rest.push(" ORDER BY \"is_latest\" DESC, \"created_at\" DESC, \"id\" DESC");
        let rows = rows::select(self.tx, self.registry, rest)?;
        let key = |row: &Record| row.text("key").unwrap_or_default().to_owned();
        // No two rows share key and source, whatever branch or trash they are in.
        if let Some(same) = rows.iter().find(|row| key(row) == wanted.key) {
            return Ok(Candidate::Row(Box::new(same.clone())));
        }
        let seen: Vec<&Record> = rows.iter().filter(|row| self.visible(row)).collect();
        if let Some(alike) = seen.iter().find(|row| ends_with(&key(row), wanted.key)) {
            return Ok(Candidate::Row(Box::new((*alike).clone())));
        }
        let Some(other) = seen.first() else { return Ok(Candidate::None) };
        Ok(match wanted.rename {
            Some(Rename::Renamed) => Candidate::Row(Box::new((*other).clone())),
            Some(Rename::Copied) => Candidate::None,
            None => Candidate::Ask(RenameQuestion {
                existing: key(other),
                kind: wanted.source.kind.as_str(),
                key: wanted.key.to_owned(),
            }),
        })
    }

    /// Looks for the latest transform whose key fits the path of the file, the deepest key first.
    fn by_place(&self, events: &mut Vec<Event>) -> Result<Candidate> {
        let wanted = self.wanted;
        let escaped = wanted.key.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let mut rest = Sql::new("WHERE \"is_latest\" = ");
        rest.bind(true).push(" AND \"branch_id\" IN (").binds([wanted.branch.into(), Value::Int(1)]);
        rest.push(") AND (\"key\" = ")
            .bind(wanted.key)
            .push(" OR \"key\" LIKE ")
            .bind(format!("%/{escaped}"));
        rest.push(" ESCAPE '\\') ORDER BY \"created_at\" DESC, \"id\" DESC");
        let mut rows = rows::select(self.tx, self.registry, rest)?;
        // The database may ignore case.
        rows.retain(|row| row.text("key").is_some_and(|key| ends_with(key, wanted.key)));
        rows.sort_by_key(|row| std::cmp::Reverse(row.text("key").map_or(0, |key| key.matches('/').count())));
        let path = wanted.source.path.to_string_lossy().replace('\\', "/");
        let fits =
            |row: &&Record| row.text("key").is_some_and(|key| key == wanted.key || ends_with(&path, key));
        if let Some(found) = rows.iter().find(fits) {
            return Ok(Candidate::Row(Box::new(found.clone())));
        }
        if !rows.is_empty() {
            let others =
                rows.iter().map(|row| (row.uid().to_owned(), row.text("key").unwrap_or_default().to_owned()));
            events.push(Event::IgnoringTransforms { others: others.collect() });
        }
        Ok(Candidate::None)
    }

    /// Takes the row with exactly this uid, or makes it.
    fn exact(&self, given: &str, events: &mut Vec<Event>) -> Result<Resolved> {
        let (stem, _) = version::split_uid(given, self.registry.stem_len);
        let mut uid = Sql::new("WHERE \"uid\" = ");
        uid.bind(given);
        let Some(row) = rows::select(self.tx, self.registry, uid)?.into_iter().next() else {
            return self.insert(given, self.wanted.key, events);
        };
        let source = self.wanted.source;
        let saved = row.text("source_code").is_some();
        let same = row.text("hash") == Some(source.hash.as_str());
        let complaint = match source.kind {
            SourceKind::Notebook if saved && (source.interactive || !same) => {
                "re-running notebook with already-saved source code"
            }
            SourceKind::Script if saved && !same => "source code changed",
            _ => return self.reuse(row, events),
        };
        let next = next_uid(self.tx, self.registry, stem)?;
        Err(Error::new(
            ErrorKind::UpdateContext,
            format!("✗ {complaint}, please update the `uid` argument in `track()` to \"{next}\""),
        ))
    }

    fn reuse_or_follow(&self, row: Record, events: &mut Vec<Event>) -> Result<Resolved> {
        let source = self.wanted.source;
        let own = row.int("created_by_id") == Some(self.instance.context().user);
        let draft = row.text("source_code").is_none();
        let same = row.text("hash") == Some(source.hash.as_str());
        if (draft && own) || (same && !source.interactive) {
            return self.reuse(row, events);
        }
        let note = if draft {
            let user =
                self.instance.by_id(model::require("User")?, row.int("created_by_id").unwrap_or_default())?;
            format!(" -- {} already works on this draft", user.text("handle").unwrap_or_default())
        } else if same {
            " -- anticipating changes".to_owned()
        } else {
            String::new()
        };
        events.push(Event::NewTransformVersion {
            kind: source.kind.as_str().to_owned(),
            key: self.wanted.key.to_owned(),
            note,
        });
        let next = next_uid(self.tx, self.registry, row.stem_uid())?;
        self.insert(&next, self.wanted.key, events)
    }

    /// Brings an existing row up to date with the file.
    fn reuse(&self, mut row: Record, events: &mut Vec<Event>) -> Result<Resolved> {
        let wanted = self.wanted;
        let former = row.text("key").unwrap_or_default().to_owned();
        let complete = row.text("source_code").is_some();
        if former != wanted.key {
            self.refuse_twin(wanted.key, row.text("hash"), row.id())?;
            row.set("key", wanted.key)?;
            events.push(Event::RenamingTransform { from: former, to: wanted.key.to_owned() });
        }
        // That a script was called with arguments must not take the place of what somebody wrote.
        let generic = wanted.source.kind == SourceKind::Script && wanted.generic_description;
        if let Some(description) = &wanted.description
            && row.text("description") != Some(description)
            && (!generic || row.text("description").is_none())
        {
            row.set("description", description.as_str())?;
            events.push(Event::Note("updated transform description".to_owned()));
        }
        if let Some(tag) = wanted.version_tag.filter(|tag| row.text("version_tag") != Some(tag)) {
            self.refuse_taken(tag, row.stem_uid(), row.id())?;
            row.set("version_tag", tag)?;
        }
        if wanted.keep && !complete {
            self.refuse_twin(wanted.key, Some(&wanted.source.hash), row.id())?;
            keep_source(&mut row, wanted.source, events)?;
        }
        if row.is_trashed() {
            row.set("branch_id", wanted.branch)?;
            events.push(Event::ReturnedSameHashAndKey {
                registry: "Transform",
                repr: row.repr(),
                from_trash: true,
            });
        }
        update(self.instance, self.tx, &mut row)?;
        Ok(Resolved::Found { transform: row, created: false, complete })
    }

    /// Makes a new row: the head of its family on its branch.
    fn insert(&self, uid: &str, key: &str, events: &mut Vec<Event>) -> Result<Resolved> {
        let wanted = self.wanted;
        crate::key::check(key, crate::key::KeyKind::Virtual)?;
        let mut row = Record::empty(self.registry);
        row.set("uid", uid)?;
        row.set("key", key)?;
        row.set("kind", wanted.source.kind.as_str())?;
        row.set("description", wanted.description.clone())?;
        row.set("version_tag", wanted.version_tag)?;
        row.set("is_latest", true)?;
        row.set("branch_id", wanted.branch)?;
        row.set("created_on_id", wanted.branch)?;
        row.set("space_id", wanted.space)?;
        if wanted.keep {
            self.refuse_twin(key, Some(&wanted.source.hash), None)?;
            keep_source(&mut row, wanted.source, events)?;
        }
        let stem = row.stem_uid().to_owned();
        if let Some(tag) = wanted.version_tag {
            self.refuse_taken(tag, &stem, None)?;
        }
        write::fill(self.instance, &mut row)?;
        // The code was there before the run that is being tracked now, if one is.
        row.set("run_id", Value::Null)?;
        write::check(&row)?;
        demote_head(self.tx, self.registry, &stem, wanted.branch)?;
        let id = write::insert(self.tx, &row)?;
        row.put_id(id);
        Ok(Resolved::Found { transform: row, created: true, complete: false })
    }

    /// Refuses a row that would share key and source with another one.
    fn refuse_twin(&self, key: &str, hash: Option<&str>, own: Option<i64>) -> Result<()> {
        let Some(hash) = hash else { return Ok(()) };
        let mut rest = Sql::new("WHERE \"key\" = ");
        rest.bind(key).push(" AND \"hash\" = ").bind(hash).push(" AND \"id\" <> ").bind(own.unwrap_or(0));
        match rows::select(self.tx, self.registry, rest)?.first() {
            None => Ok(()),
            Some(twin) => Err(Error::integrity(format!(
                "Transform('{}') has the key '{key}' and the same source code: track it by its uid, \
                 ln.track(\"{}\"), or change the source",
                twin.uid(),
                twin.stem_uid()
            ))),
        }
    }

    /// Refuses a version that another row of the family carries.
    fn refuse_taken(&self, tag: &str, stem: &str, own: Option<i64>) -> Result<()> {
        match rows::holder(self.tx, self.registry, stem, tag, own)? {
            None => Ok(()),
            Some(other) => Err(Error::new(
                ErrorKind::UpdateContext,
                format!(
                    "✗ version '{tag}' is already taken by Transform('{other}'); please set another version, e.g., \
                     ln.context.version = '{}'",
                    next_tag(tag)
                ),
            )),
        }
    }
}

/// Puts source code and hash into a row, without secrets.
pub(super) fn keep_source(row: &mut Record, source: &SourceFile, events: &mut Vec<Event>) -> Result<()> {
    let (text, n) = redact::source(&source.source_code);
    if n > 0 {
        events.push(Event::RedactedSource { n, place: "transform source code" });
    }
    // Text in the database cannot hold this character.
    row.set("source_code", text.replace('\0', "\u{fffd}"))?;
    row.set("hash", source.hash.as_str())
}

/// Returns a version that may follow: `1.1` after `1`, `1.3` after `1.2`.
fn next_tag(tag: &str) -> String {
    match tag.rsplit_once('.').map(|(head, last)| (head, last.parse::<u64>())) {
        Some((head, Ok(last))) => format!("{head}.{}", last.saturating_add(1)),
        _ => format!("{tag}.1"),
    }
}
