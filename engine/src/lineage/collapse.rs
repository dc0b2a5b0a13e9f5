//! What a drawing leaves out: what looks alike, what overcrowds a layer, and what is far away.

use std::collections::{BTreeMap, HashMap};

use super::layout::Layers;
use super::{Edge, Lineage, Link, Node, Noun};

/// How much a drawing shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes of one kind with the same neighbours.
    pub alike: usize,
    /// Nodes in a layer.
    pub wide: usize,
    /// Layers on either side of what was asked about.
    pub far: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { alike: 6, wide: 24, far: 40 }
    }
}

impl Limits {
    /// Everything is shown.
    pub const NONE: Limits = Limits { alike: usize::MAX, wide: usize::MAX, far: usize::MAX };
}

/// Returns a smaller graph with its layers; nodes that stand for others say how many these are.
pub(super) fn collapse(lineage: &Lineage, limits: &Limits) -> (Lineage, Layers) {
    let ends = |lineage: &Lineage| lineage.edges.iter().map(|edge| (edge.from, edge.to)).collect::<Vec<_>>();
    let layers = Layers::new(lineage.nodes.len(), &ends(lineage));
    if *limits == Limits::NONE {
        return (lineage.clone(), layers);
    }
    let (near, layers) = merged(lineage, &layers, &far(lineage, &layers, limits.far));
    let (distinct, layers) = merged(&near, &layers, &alike(&near, &layers, limits.alike));
    let (narrow, layers) = merged(&distinct, &layers, &wide(&distinct, &layers, limits.wide));
    (narrow, layers)
}

/// Which group each node goes into, and the layer of every group.
struct Groups {
    of: Vec<Option<usize>>,
    layers: Vec<usize>,
}

impl Groups {
    fn none(n: usize) -> Groups {
        Groups { of: vec![None; n], layers: Vec::new() }
    }

    fn add(&mut self, members: &[usize], layer: usize) {
        members.iter().for_each(|at| self.of[*at] = Some(self.layers.len()));
        self.layers.push(layer);
    }
}

/// Groups what lies further from what was asked about than `most` layers.
fn far(lineage: &Lineage, layers: &Layers, most: usize) -> Groups {
    let mut groups = Groups::none(lineage.nodes.len());
    let focus: Vec<usize> = lineage.focus().map(|at| layers.of[at]).collect();
    let (Some(&first), Some(&last)) = (focus.iter().min(), focus.iter().max()) else { return groups };
    for (least, end) in [(first.checked_sub(most), true), (last.checked_add(most), false)] {
        let Some(edge) = least else { continue };
        let beyond = |layer: usize| if end { layer < edge } else { layer > edge };
        for noun in nouns() {
            let members: Vec<usize> = (0..lineage.nodes.len())
                .filter(|at| beyond(layers.of[*at]) && lineage.nodes[*at].noun == noun)
                .collect();
            if members.len() > 1 {
                // Runs and data beyond the edge follow one another: both stand in one layer, without edges between.
                groups.add(&members, if end { edge - 1 } else { edge + 1 });
            }
        }
    }
    groups
}

/// Groups the nodes of a layer that have the same kind and neighbours, but for the first ones.
fn alike(lineage: &Lineage, layers: &Layers, most: usize) -> Groups {
    let (before, after) = (lineage.neighbours(true), lineage.neighbours(false));
    type Sign = (usize, Noun, Vec<(usize, Link)>, Vec<(usize, Link)>);
    let mut signs: BTreeMap<Sign, Vec<usize>> = BTreeMap::new();
    for (at, node) in lineage.nodes.iter().enumerate().filter(|(_, node)| !node.focus && node.more == 0) {
        let mut from: Vec<_> = before[at].iter().map(|edge| (edge.from, edge.link)).collect();
        let mut to: Vec<_> = after[at].iter().map(|edge| (edge.to, edge.link)).collect();
        from.sort_unstable();
        to.sort_unstable();
        signs.entry((layers.of[at], node.noun, from, to)).or_default().push(at);
    }
    let mut groups = Groups::none(lineage.nodes.len());
    for (sign, members) in signs {
        if members.len() > most.saturating_add(1) {
            groups.add(&members[most..], sign.0);
        }
    }
    groups
}

/// Groups what a layer has too much of; what is closely connected stays.
fn wide(lineage: &Lineage, layers: &Layers, most: usize) -> Groups {
    let mut degrees = vec![0usize; lineage.nodes.len()];
    for edge in &lineage.edges {
        degrees[edge.from] += 1;
        degrees[edge.to] += 1;
    }
    let mut rows = vec![Vec::new(); layers.count];
    for (at, layer) in layers.of.iter().enumerate() {
        rows[*layer].push(at);
    }
    let mut groups = Groups::none(lineage.nodes.len());
    for (layer, mut row) in rows.into_iter().enumerate() {
        if row.len() <= most {
            continue;
        }
        row.sort_by_key(|at| {
            let node = &lineage.nodes[*at];
            (!node.focus, node.more == 0, std::cmp::Reverse(degrees[*at]), *at)
        });
        for noun in nouns() {
            let members: Vec<usize> =
                row[most..].iter().copied().filter(|at| lineage.nodes[*at].noun == noun).collect();
            if members.len() > 1 {
                groups.add(&members, layer);
            }
        }
    }
    groups
}

/// Returns the graph with one node for each group.
fn merged(lineage: &Lineage, layers: &Layers, groups: &Groups) -> (Lineage, Layers) {
    if groups.layers.is_empty() {
        return (lineage.clone(), layers.clone());
    }
    let mut made = Lineage { cut: lineage.cut, ..Lineage::default() };
    let mut of = Vec::new();
    let mut place = Vec::with_capacity(lineage.nodes.len());
    let mut heads: HashMap<usize, usize> = HashMap::new();
    for (at, node) in lineage.nodes.iter().enumerate() {
        let (layer, head) = match groups.of[at] {
            None => (layers.of[at], None),
            Some(group) => (groups.layers[group], Some(group)),
        };
        let known = head.and_then(|group| heads.get(&group)).copied();
        if let Some(known) = known {
            made.nodes[known].more += node.more.max(1);
            made.nodes[known].focus |= node.focus;
            place.push(known);
            continue;
        }
        place.push(made.nodes.len());
        of.push(layer);
        if let Some(group) = head {
            heads.insert(group, made.nodes.len());
        }
        let more = node.more.max(usize::from(head.is_some()));
        made.nodes.push(Node { more, ..node.clone() });
    }
    for node in made.nodes.iter_mut().filter(|node| node.more > 0) {
        node.label = format!("… {} more {}s", node.more, node.noun.word());
        (node.kind, node.by, node.size, node.at) = (String::new(), String::new(), None, None);
    }
    let moved = lineage.edges.iter().map(|edge| Edge { from: place[edge.from], to: place[edge.to], ..*edge });
    made.edges = moved.filter(|edge| of[edge.from] != of[edge.to]).collect();
    made.edges.sort_unstable();
    made.edges.dedup();
    (made, Layers::packed(of))
}

fn nouns() -> [Noun; 5] {
    [Noun::Artifact, Noun::Run, Noun::Collection, Noun::Record, Noun::Transform]
}
