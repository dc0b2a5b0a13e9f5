//! What runs that are gone have left: their environments, reports and logs, and what surrounded them.

use std::collections::BTreeSet;

use super::collect::Outgoing;
use crate::db::{Sql, Tx};
use crate::error::{ErrorKind, Result};
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::surroundings::Document;
use crate::track::HIDDEN;
use crate::value::Timestamp;

impl Instance {
    /// Returns the hidden artifacts that nobody has touched since a moment and no row names, sorted by id.
    ///
    /// A family of versions goes as a whole: earlier reports are the history of the run that names the last one.
    pub(super) fn plan_unnamed(&self, before: Timestamp) -> Result<Vec<Outgoing>> {
        let registry = model::require("Artifact")?;
        let hidden = self.query(registry).filter(Q::is("kind", HIDDEN))?.order_by(["id"])?.all()?;
        let ids: Vec<i64> = hidden.iter().filter_map(Record::id).collect();
        let free: BTreeSet<i64> = self.unreferenced(registry, &ids)?.into_iter().collect();
        let goes = |record: &Record| {
            // What is in the trash leaves it by the rules of the trash.
            !record.is_trashed()
                && record.id().is_some_and(|id| free.contains(&id))
                && record.moment("updated_at").is_some_and(|touched| touched <= before)
        };
        let kept: BTreeSet<&str> =
            hidden.iter().filter(|record| !goes(record)).map(Record::stem_uid).collect();
        let mut found = Vec::new();
        for artifact in hidden.iter().filter(|record| !kept.contains(record.stem_uid())) {
            let deletion = match self.plan_artifact_delete(artifact, None) {
                Ok(deletion) => deletion.while_unused(),
                // Another instance manages the location.
                Err(error) if matches!(error.kind(), ErrorKind::Protected | ErrorKind::Integrity) => continue,
                Err(error) => return Err(error),
            };
            found.push(Outgoing::of(artifact, deletion));
        }
        Ok(found)
    }

    /// Deletes those of the documents that still no run names; returns how many went.
    pub(super) fn delete_documents(&self, documents: &[Document]) -> Result<usize> {
        if documents.is_empty() {
            return Ok(0);
        }
        self.db().write(|tx| {
            // Nobody else writes meanwhile: what is read here is how it is.
            let now = self.unnamed_documents()?;
            let going = documents.iter().filter(|document| now.contains(document));
            going.map(|document| delete(tx, &document.digest)).sum()
        })
    }
}

fn delete(tx: &Tx<'_>, digest: &str) -> Result<usize> {
    let mut sql = Sql::new("DELETE FROM \"holotype_document\" WHERE \"digest\" = ");
    sql.bind(digest);
    tx.execute(&sql)
}
