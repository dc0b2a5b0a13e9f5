//! Where records hold values of features: links that name a feature, and values that name no record.

use super::{Module, Registry, Relation, Via, find};
use crate::error::Result;

/// A way from a record to the records that annotate it.
pub struct Annotation {
    /// The relation, such as `ulabels`.
    pub relation: &'static Relation,
    /// The link table, which names features.
    pub link: &'static Registry,
    /// The registry of what annotates.
    pub target: &'static Registry,
    /// Column of the link that holds the annotated record.
    pub near: &'static str,
    /// Column of the link that holds what annotates it.
    pub far: &'static str,
}

/// Where a registry keeps values that name no record.
pub enum PlainValues {
    /// In rows that records share: the link, its column for the record, and the one for the row.
    Shared(&'static Registry, &'static str, &'static str),
    /// In rows of their own: the registry and its column for the record.
    Own(&'static Registry, &'static str),
}

/// Returns the relations by which records of a registry carry labels and other entities.
pub fn annotations(registry: &'static Registry) -> impl Iterator<Item = Annotation> {
    registry.relations.iter().filter(|relation| !relation.private).filter_map(move |relation| {
        let Via::Link { registry: link, near, far } = relation.via else { return None };
        // A record that is a value of another one's feature is linked by the same kind of table, seen from behind.
        let own = link.starts_with(registry.name) && near == format!("{}_id", registry.name.to_lowercase());
        let link = find(link).filter(|link| own && link.column("feature_id").is_some())?;
        Some(Annotation { relation, link, target: find(relation.target)?, near, far })
    })
}

/// Returns those of the annotations whose links are kept in tables of modules that a database holds.
///
/// # Errors
/// Those of `holds`.
pub fn annotations_held(
    registry: &'static Registry,
    holds: impl Fn(Module) -> Result<bool>,
) -> Result<Vec<Annotation>> {
    let mut ways: Vec<Annotation> = annotations(registry).collect();
    let optional = |way: &Annotation| way.link.module == Module::Bionty;
    if ways.iter().any(optional) && !holds(Module::Bionty)? {
        ways.retain(|way| !optional(way));
    }
    Ok(ways)
}

/// Returns where a registry keeps values that name no record; `None` where its records have no features.
pub fn plain_values(registry: &'static Registry) -> Option<PlainValues> {
    if registry.name == "Record" {
        return Some(PlainValues::Own(find("RecordJson")?, "record_id"));
    }
    match registry.relation("json_values")?.via {
        Via::Link { registry: link, near, far } => Some(PlainValues::Shared(find(link)?, near, far)),
        Via::Foreign { .. } => None,
    }
}
