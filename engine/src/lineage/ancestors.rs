//! Graphs of records with parents: terms of an ontology, types of samples.

use super::table::{ints, texts};
use super::{Direction, Edge, Index, Lineage, Link, Node, Noun, Walk};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::model::{self, Via};
use crate::query::Q;
use crate::record::{Record, TRASH};

impl Instance {
    /// Returns the graph of what stands above and below a record, labelled by a field, or by the name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Type`] on a registry without parents, [`crate::ErrorKind::Field`] for an unknown field,
    /// [`crate::ErrorKind::Value`] for an unsaved record.
    pub fn family_tree(&self, record: &Record, field: Option<&str>, walk: &Walk) -> Result<Lineage> {
        let registry = record.registry();
        let Some(Via::Link { registry: link, near: child, far: parent }) =
            registry.relation("parents").map(|relation| relation.via)
        else {
            return Err(Error::type_(format!("{} has no parents", registry.name)));
        };
        let id = record.id().ok_or_else(|| {
            Error::value(format!("{} is not saved yet: save it to see its parents", record.repr()))
        })?;
        let mut ids = vec![id];
        for (direction, relation) in [(Direction::Upstream, "parents"), (Direction::Downstream, "children")] {
            if walk.goes(direction) {
                ids.extend(self.reachable(registry, id, relation, walk.depth)?);
            }
        }
        let cut = ids.len() > walk.limit.saturating_add(1);
        ids.truncate(walk.limit.saturating_add(1));
        let label = field.or(registry.name_field).unwrap_or("uid");
        let extra = if registry.column("ontology_id").is_some() { "ontology_id" } else { "uid" };
        let paths = ["id", "uid", label, extra, "created_by__handle", "branch_id"];
        let mut table = self.query(registry).filter(Q::is("id__in", ids.clone()))?.table(paths)?;
        let (mut uids, mut labels) = (texts(&mut table, 1), texts(&mut table, 2));
        let (mut kinds, mut handles) = (texts(&mut table, 3), texts(&mut table, 4));
        let (found, branches) = (ints(&mut table, 0), ints(&mut table, 5));
        let mut lineage = Lineage { cut, ..Lineage::default() };
        let mut index = Index::new();
        for row in 0..table.rows {
            let at = found[row].unwrap_or_default();
            let uid = uids[row].take().unwrap_or_default();
            index.insert((Noun::Record, at), row);
            lineage.nodes.push(Node {
                noun: Noun::Record,
                id: at,
                label: labels[row].take().unwrap_or_else(|| uid.clone()),
                kind: kinds[row].take().filter(|_| extra != "uid").unwrap_or_default(),
                uid,
                size: None,
                at: None,
                by: handles[row].take().unwrap_or_default(),
                origin: None,
                trashed: branches[row] == Some(TRASH),
                focus: at == id,
                more: 0,
            });
        }
        let between = Q::is(format!("{child}__in"), ids.clone()).and(Q::is(format!("{parent}__in"), ids));
        let mut table = self.query(model::require(link)?).filter(between)?.table([parent, child])?;
        let below = ints(&mut table, 1);
        for (above, below) in ints(&mut table, 0).into_iter().zip(below) {
            let place = |id: Option<i64>| id.and_then(|id| index.get(&(Noun::Record, id))).copied();
            if let (Some(from), Some(to)) = (place(above), place(below)) {
                lineage.edges.push(Edge { from, to, link: Link::Parent });
            }
        }
        lineage.edges.sort_unstable();
        Ok(lineage)
    }
}
