//! The readme of a record and the comments on it.

use super::{Body, Section};
use crate::error::Result;
use crate::instance::Instance;
use crate::model::Via;
use crate::query::Q;
use crate::record::Record;

impl Instance {
    /// Returns the latest readme as `Notes:` and every comment with its author, the oldest first.
    pub(super) fn describe_notes(&self, record: &Record) -> Result<Vec<Section>> {
        let (Some(relation), Some(id)) = (record.registry().relation("ablocks"), record.id()) else {
            return Ok(Vec::new());
        };
        let Via::Foreign { column } = relation.via else { return Ok(Vec::new()) };
        let blocks =
            self.registry(relation.target)?.filter(Q::is(column, id).and(Q::is("branch_id__gt", 0i64)))?;
        let body = |block: &Record| {
            Body::Text(block.text("content").unwrap_or_default().lines().map(str::to_owned).collect())
        };
        let readme = blocks
            .filter(Q::is("kind", "readme"))?
            .order_by(["-is_latest", "-created_at", "-id"])?
            .first()?;
        let mut sections: Vec<Section> =
            readme.iter().map(|readme| Section::new("Notes:", body(readme))).collect();
        for comment in blocks.filter(Q::is("kind", "comment"))?.order_by(["created_at", "id"])?.all()? {
            let author = self.name_of(&comment, "created_by")?.unwrap_or_default();
            let at = comment.moment("created_at").map_or_else(String::new, |moment| moment.to_display());
            sections.push(Section::new(format!("comment by {author} at {at}:"), body(&comment)));
        }
        Ok(sections)
    }
}
