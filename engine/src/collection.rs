//! Collections: ordered sets of artifacts with a hash and versions of their own.
//!
//! The constructor ([`Instance::collection`]) looks and decides; [`Instance::save_collection`] writes the row and its
//! links in one transaction, in which version number and head are chosen.

mod read;
mod save;

use crate::error::{Error, Result};
use crate::event::Event;
use crate::hash::collection_hash;
use crate::ingest::{self, RunChoice};
use crate::instance::Instance;
use crate::key::{self, KeyKind};
use crate::model;
use crate::query::Q;
use crate::record::{Record, quoted};
use crate::value::Value;
use crate::version;
use crate::write;

pub use read::Use;

/// What a user gives to make a collection.
#[derive(Clone, Debug, Default)]
pub struct NewCollection {
    /// Artifacts in their order.
    pub artifacts: Vec<Record>,
    /// Key.
    pub key: Option<String>,
    /// Older word for the key.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Artifact that holds metadata about the collection.
    pub meta_artifact: Option<Record>,
    /// Id or URL in another system.
    pub reference: Option<String>,
    /// What the reference is, such as `url`.
    pub reference_type: Option<String>,
    /// The version that this one follows.
    pub revises: Option<Record>,
    /// Version tag.
    pub version_tag: Option<String>,
    /// Run.
    pub run: RunChoice,
    /// Never look for a collection of the same artifacts.
    pub skip_hash_lookup: bool,
    /// Id of the branch.
    pub branch: Option<i64>,
    /// Id of the space.
    pub space: Option<i64>,
    /// Id of the schema that all artifacts were validated with.
    pub schema: Option<i64>,
}

impl NewCollection {
    /// Returns the request to collect `artifacts` under a key, with everything else left open.
    pub fn new(artifacts: Vec<Record>, key: impl Into<String>) -> Self {
        NewCollection { artifacts, key: Some(key.into()), ..Self::default() }
    }

    /// Returns the one key, whichever word it was passed by.
    fn key(&self) -> Result<Option<&str>> {
        match (self.key.as_deref(), self.name.as_deref()) {
            (Some(key), Some(name)) if key != name => Err(Error::invalid(format!(
                "`name` is another word for `key` of a collection, but they differ: key='{key}', name='{name}'. \
                 Pass one of them."
            ))),
            (key, name) => Ok(key.or(name).filter(|key| !key.is_empty())),
        }
    }
}

/// A record of the collection registry and what saving it still has to do.
#[derive(Clone, Debug)]
pub struct Collection {
    /// The row.
    pub record: Record,
    pending: Option<Pending>,
}

#[derive(Clone, Debug)]
enum Pending {
    /// The row and its links are to be written.
    Insert { artifacts: Vec<i64>, family: Family, repeated: Vec<String> },
    /// An older version becomes the latest again.
    Revive,
}

/// How a new row finds its family.
#[derive(Clone, Debug, PartialEq)]
enum Family {
    /// The family that holds the key when the row is written, if any.
    ByKey,
    /// The family of the version that the user named.
    Revises { id: i64, was_head: bool },
}

impl Collection {
    /// Returns a saved record as a collection.
    pub fn from_record(record: Record) -> Self {
        Collection { record, pending: None }
    }

    /// Returns true while the row, its links or its place as the latest wait to be written.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }
}

impl Instance {
    /// Returns a new collection of saved artifacts, or the registered one of the same artifacts.
    ///
    /// # Errors
    /// [`crate::ErrorKind::FieldValidation`] without a key, [`crate::ErrorKind::Value`] for artifacts that are none or
    /// not saved and for keys and version tags that cannot be, [`crate::ErrorKind::Validation`] when artifacts were
    /// validated with another schema, [`crate::ErrorKind::Integrity`] when no version of the key's family is the latest.
    pub fn collection(&self, new: NewCollection) -> Result<Collection> {
        let passed = new.key()?.map(str::to_owned);
        check_arguments(&new, passed.as_deref())?;
        let registry = model::require("Collection")?;
        let mut record = Record::empty(registry);
        let run = ingest::link_run(self, &mut record, new.run)?;
        let hashes: Vec<&str> = new.artifacts.iter().filter_map(|artifact| artifact.text("hash")).collect();
        let repeated = repeated(&hashes);
        if !repeated.is_empty() {
            self.env().emit(Event::NonUniqueHashes { hashes: repeated.clone() });
        }
        let hash = collection_hash(hashes);
        let ids = unique_ids(&new.artifacts);
        if !new.skip_hash_lookup
            && let Some(found) = self.same_artifacts(&hash, passed.as_deref(), &new)?
        {
            self.note_inputs(run, new.run, "input_artifacts", &ids)?;
            return self.reuse_collection(found, passed.as_deref(), &new);
        }
        let base = match &new.revises {
            Some(revises) => Some(self.head_for(revises)?),
            None => self.head_of_key(passed.as_deref().unwrap_or_default())?,
        };
        let key = match (&passed, &base) {
            (Some(key), _) => key.as_str(),
            (None, Some(base)) => base.text("key").unwrap_or_default(),
            (None, None) => "",
        };
        record.set("key", key)?;
        record.set("hash", hash)?;
        let inherited =
            |field: &str| base.as_ref().and_then(|base| base.get(field).cloned()).unwrap_or(Value::Null);
        record.set(
            "description",
            new.description.clone().map_or_else(|| inherited("description"), Value::from),
        )?;
        record.set("schema", new.schema.map_or_else(|| inherited("schema"), Value::from))?;
        record.set("reference", new.reference.clone())?;
        record.set("reference_type", new.reference_type.clone())?;
        record.set("meta_artifact", new.meta_artifact.as_ref().and_then(Record::id))?;
        record.set("version_tag", new.version_tag.clone())?;
        record.set("is_latest", true)?;
        if let Some(branch) = new.branch {
            record.set("branch", branch)?;
            record.set("created_on", branch)?;
        }
        if let Some(space) = new.space {
            record.set("space", space)?;
        }
        let family = self.collection_family(&mut record, base.as_ref(), &new)?;
        write::check(&record)?;
        if let Some(schema) = record.int("schema_id") {
            check_schema(
                schema,
                record.uid(),
                new.artifacts.iter().map(|artifact| artifact.int("schema_id")),
            )?;
        }
        self.note_inputs(run, new.run, "input_artifacts", &ids)?;
        if let Some(base) = &base {
            self.note_inputs(run, new.run, "input_collections", base.id().as_slice())?;
        }
        write::prefill(self, &mut record)?;
        record.settle();
        Ok(Collection { record, pending: Some(Pending::Insert { artifacts: ids, family, repeated }) })
    }

    /// Returns a new version with the artifacts of `collection`, in their order, and one more.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] when one of them is not saved, and those of [`Instance::collection`].
    pub fn append(&self, collection: &Record, artifact: &Record, run: RunChoice) -> Result<Collection> {
        let mut artifacts = self.ordered_artifacts(collection)?.all()?;
        artifacts.push(artifact.clone());
        self.collection(NewCollection {
            artifacts,
            revises: Some(collection.clone()),
            run,
            ..NewCollection::default()
        })
    }

    /// Returns the collection of the same artifacts: of the revised family or the key before any other, then a latest
    /// version, then the newest.
    fn same_artifacts(&self, hash: &str, key: Option<&str>, new: &NewCollection) -> Result<Option<Record>> {
        let mut found = self
            .registry("Collection")?
            .filter(Q::is("hash", hash))?
            .filter(Q::untrashed())?
            .order_by(["id"])?
            .all()?;
        let stem = new.revises.as_ref().map(Record::stem_uid);
        found.sort_by_key(|record| {
            let family = stem == Some(record.stem_uid());
            (family, key.is_some() && record.text("key") == key, record.flag("is_latest"))
        });
        Ok(found.pop())
    }

    /// Returns the existing record with what the user passed taken over as far as it may be.
    fn reuse_collection(
        &self,
        mut record: Record,
        key: Option<&str>,
        new: &NewCollection,
    ) -> Result<Collection> {
        self.env().emit(Event::ReturnedSameHash { registry: "Collection", repr: record.repr() });
        let existing = record.text("key").unwrap_or_default().to_owned();
        let mut same_family =
            new.revises.as_ref().is_some_and(|revises| revises.stem_uid() == record.stem_uid());
        match key {
            Some(key) if key == existing => same_family = true,
            Some(key) if self.may_rename(&record, key)? => {
                self.take_over(&mut record, "key", key)?;
            }
            Some(key) => {
                self.env().emit(Event::KeptKey { registry: "Collection", existing, passed: key.to_owned() })
            }
            None => {}
        }
        if let Some(description) =
            new.description.as_deref().filter(|text| record.text("description") != Some(*text))
        {
            self.take_over(&mut record, "description", description)?;
        }
        let revive = same_family && !record.flag("is_latest");
        Ok(Collection { record, pending: revive.then_some(Pending::Revive) })
    }

    /// Returns true when a key may be changed without tearing a family apart or running two together.
    fn may_rename(&self, record: &Record, key: &str) -> Result<bool> {
        let others = self.query(record.registry()).exclude(Q::is("id", record.id()))?;
        let family =
            Q::is("uid__gte", record.stem_uid()).and(Q::is("uid__lt", format!("{}{{", record.stem_uid())));
        Ok(!others.filter(family.or(Q::is("key", key)))?.exists()?)
    }

    fn take_over(&self, record: &mut Record, field: &str, value: &str) -> Result<()> {
        let from = record.get(field).map_or_else(String::new, Value::to_string);
        self.env().emit(Event::UpdatedField { field: field.to_owned(), from, to: value.to_owned() });
        record.set(field, value)
    }

    /// Returns the version to follow for a key that is in use.
    fn head_of_key(&self, key: &str) -> Result<Option<Record>> {
        let same = self
            .registry("Collection")?
            .filter(Q::is("key", key))?
            .filter(Q::is("branch_id__in", vec![self.branch_id(), 1]))?;
        let head = || -> Result<Option<Record>> {
            let mut heads = same.filter(Q::is("is_latest", true))?.order_by(["created_at", "id"])?.all()?;
            heads.sort_by_key(|head| head.int("branch_id") == Some(self.branch_id()));
            Ok(heads.pop())
        };
        if let Some(head) = head()? {
            return Ok(Some(head));
        }
        if same.exists()? {
            // The first version may have come between the two questions.
            if let Some(head) = head()? {
                return Ok(Some(head));
            }
            return Err(Error::integrity(format!(
                "Cannot create a new collection version: matching non-trashed collections exist for key '{key}', but \
                 none is the latest; pass revises= to say which one to follow"
            )));
        }
        Ok(None)
    }

    /// Decides which family the record joins and gives it a uid, which saving may still raise to the next free one.
    fn collection_family(
        &self,
        record: &mut Record,
        base: Option<&Record>,
        new: &NewCollection,
    ) -> Result<Family> {
        let registry = record.registry();
        let Some(base) = base else {
            record.set("uid", version::first_uid(self.env(), registry.stem_len))?;
            if self.creation().search_names
                && let Some(key) = record.text("key").map(str::to_owned)
            {
                self.hint_similar(&self.query(registry).visible()?, "key", &key)?;
            }
            return Ok(Family::ByKey);
        };
        if let (Some(old), Some(tag)) = (base.text("version_tag"), new.version_tag.as_deref())
            && old == tag
        {
            return Err(Error::value(format!(
                "Please change the version tag or leave it `None`, '{tag}' is already taken"
            )));
        }
        let stem = base.stem_uid();
        let family = self.family_of(registry, stem)?.all()?;
        let suffix = version::next_suffix(family.iter().filter_map(|other| other.uid().strip_prefix(stem)))?;
        record.set("uid", format!("{stem}{suffix}"))?;
        match new.revises {
            Some(_) => {
                Ok(Family::Revises { id: base.id().unwrap_or_default(), was_head: base.flag("is_latest") })
            }
            None => Ok(Family::ByKey),
        }
    }

    /// Links what went into a collection to the run, or says that it could not be.
    ///
    /// What the run itself made is no input of it.
    fn note_inputs(&self, run: Option<i64>, choice: RunChoice, relation: &str, ids: &[i64]) -> Result<()> {
        let Some(run) = run else {
            if choice != RunChoice::None {
                self.env().emit(Event::InputNotTracked);
            }
            return Ok(());
        };
        let run = self.by_id(model::require("Run")?, run)?;
        let own = ["output", "recreated"].map(|word| relation.replace("input", word));
        let mut inputs = ids.to_vec();
        for relation in own {
            let made = self.related(&run, &relation)?.all_ids()?;
            inputs.retain(|id| !made.contains(id));
        }
        self.link(&run, relation, &inputs)
    }
}

fn check_arguments(new: &NewCollection, key: Option<&str>) -> Result<()> {
    if new.revises.as_ref().is_some_and(|revises| revises.registry().name != "Collection") {
        return Err(Error::type_("`revises` has to be of type `Collection`"));
    }
    if key.is_none() && new.revises.is_none() {
        return Err(Error::field_validation("['key'] are required."));
    }
    if new.artifacts.is_empty() || new.artifacts.iter().any(|artifact| artifact.registry().name != "Artifact")
    {
        return Err(Error::value("Artifact or list[Artifact] is allowed."));
    }
    if new.artifacts.iter().any(|artifact| artifact.id().is_none()) {
        return Err(Error::value("Not all artifacts are yet saved, please save them"));
    }
    if let Some(meta) = &new.meta_artifact {
        if meta.registry().name != "Artifact" {
            return Err(Error::type_("`meta_artifact` has to be of type `Artifact`"));
        }
        if meta.id().is_none() {
            return Err(Error::value("Save meta_artifact artifact before creating collection!"));
        }
    }
    key.map_or(Ok(()), |key| key::check(key, KeyKind::Virtual))
}

/// Refuses artifacts that were validated with another schema, or with none.
fn check_schema(schema: i64, uid: &str, found: impl Iterator<Item = Option<i64>>) -> Result<()> {
    let found: std::collections::BTreeSet<Option<i64>> = found.collect();
    if found.iter().all(|id| *id == Some(schema)) {
        return Ok(());
    }
    let found: Vec<String> = found.into_iter().map(|id| quoted(&id.into())).collect();
    Err(Error::validation(format!(
        "Artifact schemas do not match the collection schema in collection {uid}. Expected schema_id={schema}, got: \
         {{{}}}",
        found.join(", ")
    )))
}

/// Returns the hashes that occur more than once, each once, in the order in which they repeat.
fn repeated(hashes: &[&str]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut repeated: Vec<String> = Vec::new();
    for hash in hashes {
        if !seen.insert(*hash) && !repeated.iter().any(|known| known == hash) {
            repeated.push((*hash).to_owned());
        }
    }
    repeated
}

/// Returns the ids in their order, each once.
fn unique_ids(artifacts: &[Record]) -> Vec<i64> {
    let mut seen = std::collections::HashSet::new();
    artifacts.iter().filter_map(Record::id).filter(|id| seen.insert(*id)).collect()
}
