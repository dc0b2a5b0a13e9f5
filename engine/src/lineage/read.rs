//! The rows behind what a walk came to: nodes with what is told of them, and the edges between.

use std::collections::HashMap;

use super::table::{ints, texts};
use super::walk::Reached;
use super::{Edge, Index, Lineage, Link, Node, Noun};
use crate::error::Result;
use crate::instance::Instance;
use crate::model::{self, Via};
use crate::query::Q;
use crate::record::TRASH;
use crate::value::Timestamp;

/// Returns the graph of what was reached.
pub(super) fn graph(instance: &Instance, reached: &Reached, start: (Noun, i64)) -> Result<Lineage> {
    let mut lineage = Lineage { cut: reached.cut, ..Lineage::default() };
    let mut rows = HashMap::new();
    for noun in [Noun::Artifact, Noun::Run, Noun::Collection, Noun::Record] {
        let ids: Vec<i64> =
            reached.places.iter().filter(|place| place.0 == noun).map(|place| place.1).collect();
        for node in nodes(instance, noun, ids)? {
            rows.insert((noun, node.id), node);
        }
    }
    let mut index = Index::new();
    for place in &reached.places {
        if let Some(mut node) = rows.remove(place) {
            node.focus = *place == start;
            index.insert(*place, lineage.nodes.len());
            lineage.nodes.push(node);
        }
    }
    let mut edges = Vec::new();
    for (at, node) in lineage.nodes.iter().enumerate() {
        let link = if node.noun == Noun::Run { Link::Started } else { Link::Output };
        if let Some(&from) = node.origin.and_then(|run| index.get(&(Noun::Run, run))) {
            edges.push(Edge { from, to: at, link });
        }
    }
    for (noun, relation, other, link) in [
        (Noun::Artifact, "input_of_runs", Noun::Run, Link::Input),
        (Noun::Collection, "input_of_runs", Noun::Run, Link::Input),
        (Noun::Record, "input_of_runs", Noun::Run, Link::Input),
        (Noun::Artifact, "recreating_runs", Noun::Run, Link::Recreated),
        (Noun::Collection, "recreating_runs", Noun::Run, Link::Recreated),
        (Noun::Collection, "artifacts", Noun::Artifact, Link::Member),
    ] {
        for (near, far) in pairs(instance, &lineage.nodes, noun, relation, other)? {
            let (Some(&near), Some(&far)) = (index.get(&(noun, near)), index.get(&(other, far))) else {
                continue;
            };
            let (from, to) = if link == Link::Input { (near, far) } else { (far, near) };
            edges.push(Edge { from, to, link });
        }
    }
    edges.extend(versions(&lineage.nodes));
    lineage.edges = edges;
    Ok(lineage)
}

/// Returns the ids at both ends of the links of a relation; the links of whatever end has fewer nodes are read.
fn pairs(
    instance: &Instance,
    nodes: &[Node],
    noun: Noun,
    relation: &str,
    other: Noun,
) -> Result<Vec<(i64, i64)>> {
    let ids = |noun| nodes.iter().filter(|node| node.noun == noun).map(|node| node.id).collect::<Vec<i64>>();
    let (ours, theirs) = (ids(noun), ids(other));
    let via = model::require(noun.registry())?.relation(relation).map(|relation| relation.via);
    let Some(Via::Link { registry, near, far }) = via else { return Ok(Vec::new()) };
    if ours.is_empty() || theirs.is_empty() {
        return Ok(Vec::new());
    }
    let condition = if ours.len() <= theirs.len() {
        Q::is(format!("{near}__in"), ours)
    } else {
        Q::is(format!("{far}__in"), theirs)
    };
    let mut table = instance.registry(registry)?.filter(condition)?.table([near, far])?;
    let far = ints(&mut table, 1);
    Ok(ints(&mut table, 0).into_iter().zip(far).filter_map(|(near, far)| Some((near?, far?))).collect())
}

/// Returns the edges between neighbouring versions.
fn versions(nodes: &[Node]) -> Vec<Edge> {
    let mut families: HashMap<(Noun, &str), Vec<usize>> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        if let (Noun::Artifact | Noun::Collection, Some(stem)) =
            (node.noun, node.uid.get(..node.uid.len().saturating_sub(4)))
        {
            families.entry((node.noun, stem)).or_default().push(at);
        }
    }
    let mut edges = Vec::new();
    for mut family in families.into_values() {
        family.sort_unstable_by_key(|at| &nodes[*at].uid);
        edges.extend(family.windows(2).map(|pair| Edge { from: pair[0], to: pair[1], link: Link::Version }));
    }
    edges
}

/// Returns the nodes for ids of a registry, in no order.
pub(super) fn nodes(instance: &Instance, noun: Noun, ids: Vec<i64>) -> Result<Vec<Node>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (label, kind, size, at, origin): (&[&str], _, _, _, _) = match noun {
        Noun::Artifact => (&["key", "description", "suffix"], "kind", "size", "created_at", "run_id"),
        Noun::Run => (
            &["transform__key", "name", "entrypoint"],
            "_status_code",
            "id",
            "started_at",
            "initiated_by_run_id",
        ),
        Noun::Collection => (&["key", "description", "uid"], "hash", "id", "created_at", "run_id"),
        Noun::Record => (&["name", "description", "uid"], "type__name", "id", "created_at", "run_id"),
        Noun::Transform => (&["key", "description", "uid"], "kind", "id", "created_at", "run_id"),
    };
    let mut paths = vec!["id", "uid", "branch_id", "created_by__handle", kind, size, at, origin];
    paths.extend(label);
    let mut table = instance.registry(noun.registry())?.filter(Q::is("id__in", ids))?.table(paths)?;
    let mut labels: Vec<_> = (8..11).map(|at| texts(&mut table, at)).collect();
    let (mut uids, mut handles) = (texts(&mut table, 1), texts(&mut table, 3));
    let states = if noun == Noun::Run { ints(&mut table, 4) } else { vec![None; table.rows] };
    let mut kinds = if noun == Noun::Run { vec![None; table.rows] } else { texts(&mut table, 4) };
    let (ids, branches, sizes) = (ints(&mut table, 0), ints(&mut table, 2), ints(&mut table, 5));
    let (moments, origins) = (ints(&mut table, 6), ints(&mut table, 7));
    let runs = model::require("Run")?;
    let mut nodes = Vec::with_capacity(table.rows);
    for row in 0..table.rows {
        let mut parts = labels.iter_mut().map(|column| column[row].take().filter(|text| !text.is_empty()));
        let (first, second, third) = (parts.next().flatten(), parts.next().flatten(), parts.next().flatten());
        let uid = uids[row].take().unwrap_or_default();
        let label = match (noun, first, second, third) {
            (Noun::Run, key, name, entrypoint) => {
                let key = name.or(key).unwrap_or_else(|| uid.clone());
                entrypoint.map_or_else(|| key.clone(), |entrypoint| format!("{key} · {entrypoint}"))
            }
            (Noun::Artifact, key, description, suffix) => {
                key.or(description).unwrap_or_else(|| format!("{uid}{}", suffix.unwrap_or_default()))
            }
            (_, first, second, third) => first.or(second).or(third).unwrap_or_default(),
        };
        let state = states[row].and_then(|code| runs.status_word(code)).map(str::to_owned);
        let kind = if noun == Noun::Collection { None } else { kinds[row].take() };
        nodes.push(Node {
            noun,
            id: ids[row].unwrap_or_default(),
            uid,
            label,
            kind: state.or(kind).unwrap_or_default(),
            size: sizes[row].filter(|_| noun == Noun::Artifact),
            at: moments[row].map(Timestamp),
            by: handles[row].take().unwrap_or_default(),
            origin: origins[row],
            trashed: branches[row] == Some(TRASH),
            focus: false,
            more: 0,
        });
    }
    Ok(nodes)
}
