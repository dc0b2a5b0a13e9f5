//! A run that does another one again, as [`crate::command::Rerun`] prepares it.

use super::SourceFile;
use crate::error::Result;
use crate::hash::source_hash;
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;

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
        let (Some(source), Some((first, uid))) =
            (source, self.env().var(AGAIN).and_then(|value| value.split_once(':')))
        else {
            return Ok(None);
        };
        let runs = self.registry("Run")?;
        if runs.filter(Q::is("uid", uid))?.exists()? {
            return Ok(None);
        }
        let Some(first) = runs.filter(Q::is("uid", first))?.first()? else { return Ok(None) };
        let transform =
            self.by_id(model::require("Transform")?, first.int("transform_id").unwrap_or_default())?;
        // Secrets in it were blanked out: then the text that was kept is what runs.
        let kept = transform.text("source_code").map(source_hash);
        let same = [transform.text("hash"), kept.as_deref()].contains(&Some(source.hash.as_str()));
        Ok(same.then(|| Again { transform, uid: uid.to_owned() }))
    }
}
