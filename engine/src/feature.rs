//! Features: constructing them, and the values that artifacts, runs and records hold of them.
//!
//! A value that names no record lies in a row that all artifacts and runs with that value share, or in a row of a
//! record's own; one that names a record is a link to it that names the feature as well.
//!
//! ```
//! use holotype::feature::{Given, How};
//!
//! let scratch = holotype::testing::Scratch::new()?;
//! let instance = scratch.instance();
//! let mut temperature = instance.feature(&[("name", "temperature".into()), ("dtype", "float".into())], true)?;
//! instance.save(&mut temperature)?;
//! let mut record = instance.construct(holotype::model::require("Record")?, &[("name", "s1".into())])?.record;
//! instance.save(&mut record)?;
//!
//! let values = [("temperature".to_owned(), Given::Plain(36.6.into()))];
//! instance.annotate(&record, &values, How::Set)?;
//! let held = instance.features_of(record.registry(), &[record.id().unwrap()])?;
//! assert_eq!(held[0].plain, [36.6]);
//! # Ok::<(), holotype::Error>(())
//! ```

mod check;
mod construct;
mod infer;
mod labels;
mod read;
mod remove;
mod report;
mod write;

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value as Json;

pub use infer::inferred;
pub use read::Held;

use crate::dtype::{Dtype, Item};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::query::{self, Q};
use crate::record::{Record, python_literal};
use crate::value::{Timestamp, Value};
use check::Wrong;
use labels::Labels;

/// What a feature is given.
#[derive(Clone, Debug)]
pub enum Given {
    /// Text, number, flag, object, or nothing.
    Plain(Json),
    /// Day.
    Day(chrono::NaiveDate),
    /// Moment.
    Moment(Timestamp),
    /// Record.
    Label(Box<Record>),
    /// Several of these.
    Many(Vec<Given>),
}

/// What becomes of the values that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// They stay.
    Add,
    /// Those of all features go, except for those found in the content.
    Set,
    /// Those of the given features go; who is given nothing has none afterwards.
    Update,
}

/// A feature with what it is given, checked.
pub(crate) struct Checked {
    feature: Record,
    dtype: Dtype,
    /// Values that name no record.
    plain: Vec<Json>,
    /// Values that do.
    labels: Labels,
}

/// Checked values, ready to be written.
pub(crate) struct Values(Vec<Checked>);

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        match value {
            Value::Date(day) => Given::Day(day),
            Value::DateTime(moment) => Given::Moment(moment),
            other => Given::Plain(other.into_json()),
        }
    }
}

impl FromStr for How {
    type Err = Error;

    fn from_str(text: &str) -> Result<How> {
        match text {
            "add" => Ok(How::Add),
            "set" => Ok(How::Set),
            "update" => Ok(How::Update),
            other => Err(Error::value(format!("'{other}' is no way to give values: add, set or update"))),
        }
    }
}

impl Given {
    /// Returns true where there is nothing to hold.
    fn is_nothing(&self) -> bool {
        match self {
            Given::Plain(Json::Null) => true,
            Given::Plain(Json::Array(items)) => items.is_empty(),
            Given::Many(items) => items.iter().all(Given::is_nothing),
            _ => false,
        }
    }

    /// Returns the items of what is several; `None` for a single value.
    fn items(&self) -> Option<Vec<Given>> {
        match self {
            Given::Many(items) => Some(items.clone()),
            Given::Plain(Json::Array(items)) => Some(items.iter().cloned().map(Given::Plain).collect()),
            _ => None,
        }
    }

    /// Returns the value as messages show it.
    pub fn shown(&self) -> String {
        match self {
            Given::Plain(json) => python_literal(json),
            Given::Day(day) => format!("datetime.date({})", day.format("%Y, %-m, %-d")),
            Given::Moment(moment) => format!("'{}'", moment.to_python_iso(false)),
            Given::Label(record) => record.repr(),
            Given::Many(items) => {
                format!("[{}]", items.iter().map(Given::shown).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Returns the value as one line names it: records by their name.
    pub(crate) fn called(&self) -> String {
        match self {
            Given::Label(record) => format!("'{}'", crate::describe::called(record)),
            Given::Many(items) => {
                format!("[{}]", items.iter().map(Given::called).collect::<Vec<_>>().join(", "))
            }
            other => other.shown(),
        }
    }
}

impl Instance {
    /// Gives a saved artifact, run or record values of features, by their names or uids; `None` and empty lists give
    /// nothing. All is written or nothing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Validation`] for unknown features, values of another type and labels that do not exist,
    /// [`crate::ErrorKind::Value`] for a host that is not saved and for features that come from the content.
    pub fn annotate(&self, host: &Record, values: &[(String, Given)], how: How) -> Result<()> {
        let (id, own) = self.changeable(host, "add")?;
        let verb = if how == How::Add { "add" } else { "set" };
        let features = self.features_named(values)?;
        let checked = self.checked(host, values, &features, verb)?;
        if how == How::Add && host.registry().name == "Record" {
            check::only_lists(&checked.0)?;
        }
        let gone: Vec<i64> = match how {
            How::Add => Vec::new(),
            How::Set => {
                let held = self.features_of(host.registry(), &[id])?;
                held.iter().filter_map(|held| held.feature.id()).filter(|id| !own.ids.contains(id)).collect()
            }
            How::Update => features.values().filter_map(Record::id).collect(),
        };
        self.db().write(|tx| {
            write::remove(tx, host.registry(), id, &gone, None)?;
            write::insert(self, tx, host, &checked)
        })
    }

    /// Returns what features are given, checked against their types; labels are found.
    fn checked(
        &self,
        host: &Record,
        values: &[(String, Given)],
        features: &BTreeMap<String, Record>,
        verb: &str,
    ) -> Result<Values> {
        let unknown: Vec<_> = values.iter().filter(|(name, _)| !features.contains_key(name)).collect();
        if !unknown.is_empty() {
            return Err(report::unknown(&unknown));
        }
        let (mut checked, mut wrong) = (Vec::new(), Vec::new());
        for (name, given) in values.iter().filter(|(_, given)| !given.is_nothing()) {
            let Some(feature) = features.get(name) else { continue };
            let dtype: Dtype = feature.text("_dtype_str").unwrap_or("object").parse()?;
            match check::check(feature, &dtype, given) {
                Ok((plain, labels)) => {
                    checked.push(Checked { feature: feature.clone(), dtype, plain, labels });
                }
                Err(found) => wrong.push(found),
            }
        }
        let prefix = || report::prefix(host, verb, values, features);
        if !wrong.is_empty() {
            return Err(Error::validation(format!("{}{}", prefix(), Wrong::report(&wrong))));
        }
        for one in &mut checked {
            if let Item::Label(targets) = &one.dtype.item {
                self.find_labels(host.registry(), &one.feature, targets, &mut one.labels)
                    .map_err(|error| Error::new(error.kind(), format!("{}{}", prefix(), error.message())))?;
            }
        }
        Ok(Values(checked))
    }

    /// Returns what features of a record that is not there yet are given, checked.
    pub(crate) fn checked_for(&self, host: &Record, values: &[(String, Given)]) -> Result<Values> {
        self.checked(host, values, &self.features_named(values)?, "add")
    }

    /// Writes checked values of a host in a transaction that goes on.
    pub(crate) fn annotate_in(&self, tx: &crate::db::Tx<'_>, host: &Record, values: &Values) -> Result<()> {
        write::insert(self, tx, host, values)
    }

    fn features_named(&self, values: &[(String, Given)]) -> Result<BTreeMap<String, Record>> {
        let names: Vec<String> = values.iter().map(|(name, _)| name.clone()).collect();
        query::features_called(self, &names)
    }

    /// Returns the id of a record whose values may be changed, and the features that its content brings along.
    fn changeable(&self, host: &Record, verb: &str) -> Result<(i64, ContentFeatures)> {
        let Some(id) = host.id() else {
            return Err(Error::value(format!(
                "{} is not saved yet: save it before its features",
                host.repr()
            )));
        };
        let own = self.content_features(host)?;
        if own.validated_outside {
            return Err(Error::value(format!("Cannot {verb} values if artifact has external schema.")));
        }
        Ok((id, own))
    }

    /// Returns the features that were found in the content of an artifact.
    fn content_features(&self, host: &Record) -> Result<ContentFeatures> {
        let mut own = ContentFeatures::default();
        if host.registry().name != "Artifact" {
            return Ok(own);
        }
        let slots = self.registry("ArtifactSchema")?.filter(Q::is("artifact_id", host.id()))?.all()?;
        own.validated_outside = slots.iter().any(|slot| slot.text("slot") == Some("__external__"));
        let schemas: Vec<i64> = slots.iter().filter_map(|slot| slot.int("schema_id")).collect();
        if !schemas.is_empty() {
            let members = self.registry("SchemaFeature")?.filter(Q::is("schema_id__in", schemas))?;
            own.ids = members.all()?.iter().filter_map(|member| member.int("feature_id")).collect();
        }
        Ok(own)
    }

    fn warn(&self, text: String) {
        self.env().emit(Event::Warning(text));
    }
}

/// What the content of an artifact brings along.
#[derive(Default)]
struct ContentFeatures {
    ids: Vec<i64>,
    /// Whether a schema says which features are added to the content.
    validated_outside: bool,
}
