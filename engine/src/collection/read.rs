//! Reading a collection: its artifacts, in their order, and their content.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::model;
use crate::query::{Q, QuerySet};
use crate::record::Record;

/// What the content of a collection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// All of it in memory.
    Load,
    /// A data set over all files.
    Open,
}

impl Instance {
    /// Returns the artifacts of a collection, in no order of their own.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for a collection that is not saved.
    pub fn collection_artifacts(&self, collection: &Record) -> Result<QuerySet> {
        self.related(collection, "artifacts")
    }

    /// Returns the artifacts of a collection in the order in which they were given.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for a collection that is not saved.
    pub fn ordered_artifacts(&self, collection: &Record) -> Result<QuerySet> {
        let id = collection.id().ok_or_else(|| {
            Error::value(format!(
                "{} is not saved yet: save it before using its artifacts",
                collection.repr()
            ))
        })?;
        let links =
            self.registry("CollectionArtifact")?.filter(Q::is("collection_id", id))?.order_by(["id"])?;
        let ids = links.ints("artifact_id")?;
        self.query(model::require("Artifact")?).ranked(ids)
    }

    /// Returns a readable local path for every artifact of a collection, in order.
    ///
    /// # Errors
    /// Those of [`Instance::cache_all`], for the first artifact that cannot be read.
    pub fn cache_collection(&self, collection: &Record) -> Result<Vec<PathBuf>> {
        self.cache_all(&self.ordered_artifacts(collection)?.all()?)
    }

    /// Returns the one suffix of all artifacts, by which a face chooses how to read them together.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] when they have different ones.
    pub fn collection_suffix(&self, collection: &Record, wanted: Use) -> Result<String> {
        let artifacts = self.ordered_artifacts(collection)?.all()?;
        let mut suffixes: BTreeSet<&str> =
            artifacts.iter().filter_map(|artifact| artifact.text("suffix")).collect();
        match (suffixes.pop_first(), suffixes.is_empty(), wanted) {
            (None, ..) => Err(Error::value(format!("{} has no artifacts to read", collection.repr()))),
            (Some(suffix), true, _) => Ok(suffix.to_owned()),
            (Some(_), false, Use::Load) => {
                Err(Error::value("Can only load collections where all artifacts have the same suffix"))
            }
            (Some(first), false, Use::Open) => {
                let all: Vec<&str> = std::iter::once(first).chain(suffixes).collect();
                Err(Error::value(format!(
                    "The artifacts in the collection have different file formats: {}. It is not possible to open such \
                     stores with pyarrow or polars.",
                    all.join(", ")
                )))
            }
        }
    }
}
