//! Transforms and runs that a user makes by hand.

use super::{redact, rows, run, update};
use crate::db::{Sql, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::hash::source_hash;
use crate::instance::Instance;
use crate::key::{self, KeyKind};
use crate::model::{self, Registry};
use crate::query::Q;
use crate::record::{Record, quoted};
use crate::uid;
use crate::value::Value;
use crate::version;
use crate::write::{self, Constructed, Given, demote_head, next_uid};

/// Kinds of transforms, as errors list them.
const KINDS: [&str; 4] = ["function", "notebook", "pipeline", "script"];

/// What the constructors take beside what their errors list.
const TRANSFORM_KEYWORDS: &str = "key, description, version, kind, type, revises, reference, reference_type";
const TRANSFORM_MORE: [&str; 7] =
    ["version_tag", "source_code", "uid", "branch", "branch_id", "space", "space_id"];
const RUN_KEYWORDS: &str =
    "transform, name, description, params, reference, reference_type, initiated_by_run, plan, status";
const RUN_MORE: [&str; 7] =
    ["entrypoint", "initiated_by_run_id", "plan_id", "branch", "branch_id", "space", "space_id"];

/// Whether equal source code makes an equal transform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashLookup {
    /// A transform with the same source is returned in place of a new one.
    #[default]
    Look,
    /// A new transform is made whatever there is.
    Skip,
}

impl Instance {
    /// Returns a new transform, the next version of the one with that key, or the one with the same source.
    ///
    /// Save what is new with [`Instance::save_transform`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::FieldValidation`] without a key or with an unknown kind, [`crate::ErrorKind::Value`] for
    /// unknown keywords and for a version that is taken.
    pub fn transform(
        &self,
        given: &[Given<'_>],
        revises: Option<&Record>,
        hashes: HashLookup,
    ) -> Result<Constructed> {
        let registry = model::require("Transform")?;
        check_keywords(given, TRANSFORM_KEYWORDS, &TRANSFORM_MORE)?;
        let mut record = Record::empty(registry);
        for (name, value) in given {
            match *name {
                "type" | "kind" if value.is_null() => {}
                "type" => record.set("kind", value.clone())?,
                "version" | "version_tag" if !matches!(value, Value::Null | Value::Text(_)) => {
                    return Err(Error::value(
                        "`version` parameter must be `None` or `str`, e.g., '0.1', '1', '2', etc.",
                    ));
                }
                "version" if value.is_null() => {}
                "version" => record.set("version_tag", value.clone())?,
                "uid" => {
                    check_uid(registry, value)?;
                    record.set("uid", value.clone())?;
                }
                name => record.set(name, value.clone())?,
            }
        }
        check_kind(&record)?;
        let passed = match record.text("key").or_else(|| revises.and_then(|old| old.text("key"))) {
            Some(key) => key.to_owned(),
            None => return Err(Error::field_validation("['key'] are required.")),
        };
        key::check(&passed, KeyKind::Virtual)?;
        record.set("key", passed.as_str())?;
        if record.get("kind").is_none_or(Value::is_null) {
            record.set("kind", "pipeline")?;
        }
        if let Some(code) = record.text("source_code").map(str::to_owned) {
            let (text, n) = redact::source(&code);
            if n > 0 {
                self.env().emit(Event::RedactedSource { n, place: "transform source code" });
            }
            record.set("hash", source_hash(&code))?;
            record.set("source_code", text)?;
        }
        if hashes == HashLookup::Look
            && let Some(existing) = self.same_source(&record)?
        {
            return Ok(Constructed { record: existing, existing: true });
        }
        let base = match revises {
            Some(old) => Some(self.head_of_transform(old)?),
            None => self.head_with_key(&passed)?,
        };
        record.set("is_latest", true)?;
        let Some(base) = base else {
            if record.uid().is_empty() {
                record.set("uid", version::first_uid(self.env(), registry.stem_len))?;
            }
            record.settle();
            return Ok(Constructed { record, existing: false });
        };
        if revises.is_none() && base.text("source_code").is_none() {
            self.env().emit(Event::Note(
                "no source code was yet saved, returning existing transform with same key".to_owned(),
            ));
            return Ok(Constructed { record: adopt(base, &record)?, existing: true });
        }
        if let Some(tag) = record.text("version_tag").filter(|tag| base.text("version_tag") == Some(tag)) {
            return Err(Error::value(format!(
                "Please change the version tag or leave it `None`, '{tag}' is already taken"
            )));
        }
        if let Some(former) = base.text("key").filter(|former| *former != passed) {
            self.env().emit(Event::RenamingTransform { from: former.to_owned(), to: passed.clone() });
        }
        if let Some(description) = revises.and_then(|old| old.text("description"))
            && record.get("description").is_none_or(Value::is_null)
        {
            record.set("description", description)?;
        }
        match record.uid() {
            "" => {
                // The save decides; until then this is what it is going to be.
                let stem = base.stem_uid();
                let taken = self.query(registry).filter(Q::is("uid__startswith", stem))?.all()?;
                let suffix =
                    version::next_suffix(taken.iter().filter_map(|other| other.uid().strip_prefix(stem)))?;
                record.set("uid", format!("{stem}{suffix}"))?;
            }
            given if !given.starts_with(base.stem_uid()) => {
                return Err(Error::invalid(format!(
                    "The key '{passed}' belongs to Transform('{}'): leave out the uid or pass another key",
                    base.uid()
                )));
            }
            _ => {}
        }
        write::prefill(self, &mut record)?;
        record.settle();
        Ok(Constructed { record, existing: false })
    }

    /// Saves a transform; a new one takes its final version, and headship, in the same transaction.
    ///
    /// Where somebody saved a transform with the same key and source meanwhile, the record becomes that one.
    ///
    /// # Errors
    /// As [`crate::Session::save`].
    pub fn save_transform(&self, record: &mut Record) -> Result<()> {
        if record.id().is_some() {
            return self.save(record);
        }
        write::fill(self, record)?;
        write::check(record)?;
        let (found, existing) = self.db().write_contended(|tx| self.insert_transform(tx, record.clone()))?;
        if existing {
            self.env().emit(Event::ReturnedSameHashAndKey {
                registry: "Transform",
                repr: found.repr(),
                from_trash: found.is_trashed(),
            });
        }
        *record = found;
        if record.is_trashed() {
            return self.restore(record);
        }
        Ok(())
    }

    fn insert_transform(&self, tx: &Tx<'_>, mut record: Record) -> Result<(Record, bool)> {
        let registry = record.registry();
        let branch = record.int("branch_id").unwrap_or(1);
        if let Some(hash) = record.text("hash") {
            let mut same = Sql::new("WHERE \"key\" = ");
            same.bind(record.text("key")).push(" AND \"hash\" = ").bind(hash);
            if let Some(found) = rows::select(tx, registry, same)?.into_iter().next() {
                return Ok((found, true));
            }
        }
        let base = match rows::newest(tx, registry, record.stem_uid())? {
            Some(base) => Some(base),
            None => head_in(tx, registry, record.text("key").unwrap_or_default(), branch)?,
        };
        if let Some(base) = base {
            if base.text("source_code").is_none() && base.text("key") == record.text("key") {
                let mut base = adopt(base, &record)?;
                update(self, tx, &mut base)?;
                return Ok((base, true));
            }
            record.set("uid", next_uid(tx, registry, base.stem_uid())?)?;
            demote_head(tx, registry, base.stem_uid(), branch)?;
        }
        let id = write::insert(tx, &record)?;
        record.put_id(id);
        record.settle();
        Ok((record, false))
    }

    /// Returns a new run of a transform, not saved yet.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Type`] without a transform, [`crate::ErrorKind::Value`] for one that is not saved, for unknown
    /// keywords, and for a status other than `scheduled` and `started`.
    pub fn run(&self, transform: Option<&Record>, given: &[Given<'_>]) -> Result<Record> {
        check_keywords(given, RUN_KEYWORDS, &RUN_MORE)?;
        let transform = transform.ok_or_else(|| Error::type_("Pass transform parameter"))?;
        if transform.registry().name != "Transform" {
            return Err(Error::type_(format!("Pass a Transform, not a {}", transform.registry().name)));
        }
        let id = transform
            .id()
            .ok_or_else(|| Error::value("Please save transform record before creating a run"))?;
        let mut record = Record::empty(model::require("Run")?);
        record.set("uid", uid::random(self.env(), 16))?;
        record.set("transform_id", id)?;
        record.set("_status_code", run::SCHEDULED)?;
        for (name, value) in given {
            match (*name, value) {
                ("status", Value::Text(status)) if status == "scheduled" => {
                    record.set("_status_code", run::SCHEDULED)?
                }
                ("status", Value::Text(status)) if status == "started" => {
                    record.set("_status_code", run::STARTED)?
                }
                ("status", other) => {
                    return Err(Error::value(format!(
                        "status must be 'scheduled' or 'started', but you passed: {}.",
                        quoted(other)
                    )));
                }
                ("params", Value::Json(params)) if params.is_object() => {
                    let blank = params.as_object().map(redact::blank).unwrap_or_default();
                    record.set("params", serde_json::Value::Object(blank))?;
                }
                (name, value) => record.set(name, value.clone())?,
            }
        }
        write::prefill(self, &mut record)?;
        record.settle();
        Ok(record)
    }

    /// Returns the transform with the same source: of the same key before any other.
    fn same_source(&self, record: &Record) -> Result<Option<Record>> {
        let Some(hash) = record.text("hash") else { return Ok(None) };
        let same = self.registry("Transform")?.filter(Q::is("hash", hash))?.filter(Q::untrashed())?;
        let mut found = same.order_by(["-is_latest", "-id"])?.all()?;
        let key = record.text("key");
        found.sort_by_key(|other| other.text("key") != key);
        let Some(found) = found.into_iter().next() else { return Ok(None) };
        self.env().emit(Event::ReturnedSameHash { registry: "Transform", repr: found.repr() });
        if let (Some(existing), Some(passed)) = (found.text("key"), key)
            && existing != passed
        {
            self.env().emit(Event::KeptKey {
                registry: "Transform",
                existing: existing.to_owned(),
                passed: passed.to_owned(),
            });
        }
        Ok(Some(found))
    }

    /// Returns the head of the family of a version.
    fn head_of_transform(&self, version: &Record) -> Result<Record> {
        if version.registry().name != "Transform" {
            return Err(Error::type_("`revises` has to be of type `Transform`"));
        }
        if version.id().is_none() {
            return Err(Error::value("Save the version passed as `revises` first"));
        }
        let head = self
            .registry("Transform")?
            .filter(Q::is("uid__startswith", version.stem_uid()))?
            .filter(Q::is("is_latest", true))?
            .filter(Q::is("branch_id", version.int("branch_id").unwrap_or(1)))?
            .first()?;
        match head {
            Some(head) if head.id() != version.id() => {
                self.env().emit(Event::RevisesNotLatest { repr: head.repr() });
                Ok(head)
            }
            Some(head) => Ok(head),
            None => Ok(version.clone()),
        }
    }

    fn head_with_key(&self, key: &str) -> Result<Option<Record>> {
        let heads =
            self.registry("Transform")?.filter(Q::is("key", key))?.filter(Q::is("is_latest", true))?;
        heads.visible()?.order_by(["-created_at", "-id"])?.first()
    }
}

/// Returns the head with this key on the branch or on `main`.
fn head_in(tx: &Tx<'_>, registry: &'static Registry, key: &str, branch: i64) -> Result<Option<Record>> {
    let mut rest = Sql::new("WHERE \"key\" = ");
    rest.bind(key).push(" AND \"is_latest\" = ").bind(true);
    rest.push(" AND \"branch_id\" IN (").binds([branch.into(), Value::Int(1)]);
    rest.push(") ORDER BY \"created_at\" DESC, \"id\" DESC LIMIT 1");
    Ok(rows::select(tx, registry, rest)?.into_iter().next())
}

/// Gives a transform that waits for its source what the new one brings along.
fn adopt(mut existing: Record, new: &Record) -> Result<Record> {
    for field in ["source_code", "hash", "description", "version_tag", "reference", "reference_type"] {
        if let Some(value) = new.get(field).filter(|value| !value.is_null()) {
            existing.set(field, value.clone())?;
        }
    }
    Ok(existing)
}

fn check_keywords(given: &[Given<'_>], listed: &str, more: &[&str]) -> Result<()> {
    let unknown = given
        .iter()
        .find(|(name, _)| !listed.split(", ").any(|known| known == *name) && !more.contains(name));
    match unknown {
        None => Ok(()),
        Some((name, value)) => Err(Error::value(format!(
            "Only {listed} can be passed, but you passed: {{'{name}': {}}}",
            quoted(value)
        ))),
    }
}

fn check_kind(record: &Record) -> Result<()> {
    match record.text("kind") {
        Some(kind) if !KINDS.contains(&kind) => Err(Error::field_validation(format!(
            "kind: {kind} is not a valid value\n    → Valid values are: {}",
            KINDS.join(", ")
        ))),
        _ => Ok(()),
    }
}

fn check_uid(registry: &'static Registry, value: &Value) -> Result<()> {
    let length = value.as_str().map_or(0, |uid| uid.chars().count());
    let wanted = registry.stem_len + version::SUFFIX_LEN;
    let sound = value.as_str().is_some_and(uid::is_base62);
    match (length == wanted, sound) {
        (true, true) => Ok(()),
        (true, false) => Err(Error::validation("`uid` must consist of the characters 0-9, A-Z and a-z")),
        (false, _) => {
            Err(Error::validation(format!("`uid` must be exactly {wanted} characters long, got {length}.")))
        }
    }
}
