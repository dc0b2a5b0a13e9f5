//! Graphs in which transforms stand in the place of their runs.

use std::collections::{BTreeSet, HashMap};

use super::read;
use super::table::ints;
use super::{Direction, Edge, Index, Lineage, Link, Noun, Walk};
use crate::error::Result;
use crate::instance::Instance;
use crate::model::{self, Via};
use crate::query::Q;

/// Returns the graph with the transforms of the runs, around the transform with this id, and with the transforms that
/// are meant to run before and after it.
pub(super) fn in_place_of_runs(
    instance: &Instance,
    lineage: &Lineage,
    id: i64,
    walk: &Walk,
) -> Result<Lineage> {
    let runs: Vec<i64> =
        lineage.nodes.iter().filter(|node| node.noun == Noun::Run).map(|node| node.id).collect();
    let mut table = instance.registry("Run")?.filter(Q::is("id__in", runs))?.table(["id", "transform_id"])?;
    let transforms = ints(&mut table, 1);
    let transform_of: HashMap<i64, i64> =
        ints(&mut table, 0).into_iter().zip(transforms).filter_map(|(run, of)| Some((run?, of?))).collect();
    let order = manual(instance, id, walk)?;
    let ids: BTreeSet<i64> = [id]
        .into_iter()
        .chain(transform_of.values().copied())
        .chain(order.iter().flat_map(|(before, after)| [*before, *after]))
        .collect();
    let mut found = Lineage { cut: lineage.cut, ..Lineage::default() };
    let mut index = Index::new();
    for mut node in read::nodes(instance, Noun::Transform, ids.into_iter().collect())? {
        node.focus = node.id == id;
        index.insert((Noun::Transform, node.id), found.nodes.len());
        found.nodes.push(node);
    }
    let mut place = Vec::with_capacity(lineage.nodes.len());
    for node in &lineage.nodes {
        let of = (node.noun == Noun::Run).then(|| transform_of.get(&node.id)).flatten();
        let at = of.and_then(|of| index.get(&(Noun::Transform, *of))).copied();
        place.push(at.unwrap_or_else(|| {
            found.nodes.push(node.clone());
            found.nodes.len() - 1
        }));
    }
    let ends = |edge: &Edge| Edge { from: place[edge.from], to: place[edge.to], link: edge.link };
    found.edges = lineage.edges.iter().map(ends).filter(|edge| edge.from != edge.to).collect();
    for (before, after) in order {
        if let (Some(&from), Some(&to)) =
            (index.get(&(Noun::Transform, before)), index.get(&(Noun::Transform, after)))
        {
            found.edges.push(Edge { from, to, link: Link::Successor });
        }
    }
    Ok(found)
}

/// Returns the pairs of transforms of which users said that one runs before the other.
fn manual(instance: &Instance, id: i64, walk: &Walk) -> Result<Vec<(i64, i64)>> {
    let registry = model::require("Transform")?;
    let mut near = BTreeSet::from([id]);
    for (direction, relation) in
        [(Direction::Upstream, "predecessors"), (Direction::Downstream, "successors")]
    {
        if walk.goes(direction) {
            near.extend(instance.reachable(registry, id, relation, walk.depth)?);
        }
    }
    let Some(Via::Link { registry: link, near: later, far: earlier }) =
        registry.relation("predecessors").map(|relation| relation.via)
    else {
        return Ok(Vec::new());
    };
    let known: Vec<i64> = near.iter().copied().collect();
    let between = Q::is(format!("{later}__in"), known.clone()).and(Q::is(format!("{earlier}__in"), known));
    let mut table = instance.registry(link)?.filter(between)?.table([earlier, later])?;
    let after = ints(&mut table, 1);
    Ok(ints(&mut table, 0)
        .into_iter()
        .zip(after)
        .filter_map(|(before, after)| Some((before?, after?)))
        .collect())
}
