//! A run that does another one again, as [`crate::command::Rerun`] prepares it.

use serde_json::{Map, Value as Json};

use super::SourceFile;
use crate::error::Result;
use crate::hash::source_hash;
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::value::Value;

/// Variable that names the run to do again and the uid of the new one, with a colon between them.
pub const AGAIN: &str = "HOLOTYPE_RERUN";

/// A run that is done again.
pub(super) struct Again {
    /// The transform, whatever the code is called at its new place.
    pub(super) transform: Record,
    /// Uid of the new run.
    pub(super) uid: String,
}

impl Instance {
    /// Returns which run this one does again, for the first that the process tracks, while its code is the same.
    pub(super) fn doing_again(&self, source: Option<&SourceFile>) -> Result<Option<Again>> {
        let (Some(source), Some((first, uid))) = (source, self.first_and_again()?) else { return Ok(None) };
        if first.text("entrypoint").is_some() || self.is_taken(uid)? {
            return Ok(None);
        }
        let transform = self.transform_of_same(&first, source)?;
        Ok(transform.map(|transform| Again { transform, uid: uid.to_owned() }))
    }

    /// Returns the uid of the new run when a call is the one to do again: it was marked so, or is the first that is alike.
    pub(super) fn calling_again(
        &self,
        entrypoint: &str,
        params: Option<&Map<String, Json>>,
        marked: bool,
    ) -> Result<Option<String>> {
        let Some((first, uid)) = self.first_and_again()? else { return Ok(None) };
        let alike = || first.get("params").and_then(Value::as_json).and_then(Json::as_object) == params;
        let same = first.text("entrypoint") == Some(entrypoint) && (marked || alike());
        Ok((same && !self.is_taken(uid)?).then(|| uid.to_owned()))
    }

    /// Returns the transform of the run to do again when a file holds its code, whatever the file is called now.
    pub(super) fn transform_again(&self, source: &SourceFile) -> Result<Option<Record>> {
        match self.first_and_again()? {
            Some((first, _)) => self.transform_of_same(&first, source),
            None => Ok(None),
        }
    }

    /// Returns the run to do again, and the uid of the new one.
    fn first_and_again(&self) -> Result<Option<(Record, &str)>> {
        let Some((first, uid)) = self.env().var(AGAIN).and_then(|value| value.split_once(':')) else {
            return Ok(None);
        };
        let first = self.registry("Run")?.filter(Q::is("uid", first))?.first()?;
        Ok(first.map(|first| (first, uid)))
    }

    fn is_taken(&self, uid: &str) -> Result<bool> {
        self.registry("Run")?.filter(Q::is("uid", uid))?.exists()
    }

    /// Returns the transform of a run while a file holds the same code.
    fn transform_of_same(&self, run: &Record, source: &SourceFile) -> Result<Option<Record>> {
        let id = run.int("transform_id").unwrap_or_default();
        let transform = self.by_id(model::require("Transform")?, id)?;
        // Secrets in it were blanked out: then the text that was kept is what runs.
        let kept = transform.text("source_code").map(source_hash);
        let same = [transform.text("hash"), kept.as_deref()].contains(&Some(source.hash.as_str()));
        Ok(same.then_some(transform))
    }
}
