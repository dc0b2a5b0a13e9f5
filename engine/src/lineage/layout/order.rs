//! The order of the nodes within their layers: few crossings, by barycentres in sweeps to and fro.

use super::{LONG, Layers};

/// Sweeps at most; large graphs get fewer.
const SWEEPS: usize = 16;
/// Vertices from which on a graph is large.
const LARGE: usize = 4_000;

/// Vertices in layers: nodes first, then a lane for each layer that an edge passes through.
pub(super) struct Levels {
    /// Vertices of every layer, from top to bottom.
    pub(super) rows: Vec<Vec<usize>>,
    /// Edges between each layer and the next, as vertices.
    pub(super) after: Vec<Vec<(usize, usize)>>,
    /// Lanes of every edge.
    pub(super) chains: Vec<Vec<usize>>,
    /// Number of real nodes.
    pub(super) nodes: usize,
    /// Neighbours in the layer before.
    pub(super) left: Vec<Vec<usize>>,
    /// Neighbours in the layer after.
    pub(super) right: Vec<Vec<usize>>,
    layer: Vec<usize>,
    position: Vec<usize>,
}

impl Levels {
    /// Returns the layers of a graph whose edges lead from a lower to a higher layer.
    pub(super) fn new(n: usize, edges: &[(usize, usize)], layers: &Layers) -> Levels {
        let mut levels = Levels {
            rows: vec![Vec::new(); layers.count],
            after: vec![Vec::new(); layers.count],
            chains: Vec::with_capacity(edges.len()),
            nodes: n,
            left: vec![Vec::new(); n],
            right: vec![Vec::new(); n],
            layer: layers.of.clone(),
            position: Vec::new(),
        };
        for (at, layer) in layers.of.iter().enumerate() {
            levels.rows[*layer].push(at);
        }
        for &(from, to) in edges {
            let (first, last) = (layers.of[from], layers.of[to]);
            let mut chain = Vec::new();
            let mut before = from;
            for layer in first + 1..last {
                // The middle of a very long edge is a straight line anyway.
                if last - first > LONG && layer > first + 1 && layer + 1 < last {
                    continue;
                }
                let lane = levels.layer.len();
                levels.layer.push(layer);
                levels.left.push(Vec::new());
                levels.right.push(Vec::new());
                levels.rows[layer].push(lane);
                levels.join(before, lane);
                chain.push(lane);
                before = lane;
            }
            if first != last {
                levels.join(before, to);
            }
            levels.chains.push(chain);
        }
        levels.position = vec![0; levels.layer.len()];
        levels.number();
        levels
    }

    pub(super) fn layer_of(&self, vertex: usize) -> usize {
        self.layer[vertex]
    }

    fn join(&mut self, from: usize, to: usize) {
        self.right[from].push(to);
        self.left[to].push(from);
        if self.layer[from] + 1 == self.layer[to] {
            self.after[self.layer[from]].push((from, to));
        }
    }

    fn number(&mut self) {
        for row in &self.rows {
            for (at, vertex) in row.iter().enumerate() {
                self.position[*vertex] = at;
            }
        }
    }

    /// Orders the layers so that few edges cross.
    pub(super) fn uncross(&mut self) {
        let sweeps = if self.layer.len() > LARGE { SWEEPS / 4 } else { SWEEPS };
        let (mut best, mut fewest) = (self.rows.clone(), self.crossings());
        let mut idle = 0;
        for sweep in 0..sweeps {
            if fewest == 0 || idle == 4 {
                break;
            }
            let forwards = sweep % 2 == 0;
            for i in 1..self.rows.len() {
                let layer = if forwards { i } else { self.rows.len() - 1 - i };
                self.sort(layer, forwards);
            }
            let crossings = self.crossings();
            idle += 1;
            if crossings < fewest {
                (best, fewest, idle) = (self.rows.clone(), crossings, 0);
            }
        }
        self.rows = best;
        self.number();
    }

    /// Sorts a layer by the middle of each vertex's neighbours on one side; those without keep their place.
    fn sort(&mut self, layer: usize, by_left: bool) {
        let neighbours = if by_left { &self.left } else { &self.right };
        let row = &self.rows[layer];
        let mut keyed: Vec<(f64, usize)> = row
            .iter()
            .enumerate()
            .map(|(at, vertex)| {
                let near = &neighbours[*vertex];
                // Positions are compared across layers of different length.
                let scale = |vertex: usize| {
                    let length = self.rows[self.layer[vertex]].len();
                    (self.position[vertex] as f64 + 0.5) / length as f64
                };
                let own = (at as f64 + 0.5) / row.len() as f64;
                let sum: f64 = near.iter().map(|other| scale(*other)).sum();
                (if near.is_empty() { own } else { sum / near.len() as f64 }, *vertex)
            })
            .collect();
        // Stable, so that equals keep the order of the sweep before.
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.rows[layer] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
        for (at, vertex) in self.rows[layer].iter().enumerate() {
            self.position[*vertex] = at;
        }
    }

    /// Returns how many pairs of edges between neighbouring layers cross.
    pub(super) fn crossings(&self) -> u64 {
        (0..self.rows.len().saturating_sub(1)).map(|layer| self.crossings_after(layer)).sum()
    }

    fn crossings_after(&self, layer: usize) -> u64 {
        let mut ends: Vec<(usize, usize)> =
            self.after[layer].iter().map(|(from, to)| (self.position[*from], self.position[*to])).collect();
        ends.sort_unstable();
        // How many earlier edges end further down: a Fenwick tree over the positions.
        let mut tree = vec![0u64; self.rows[layer + 1].len() + 1];
        let mut crossings = 0;
        for (seen, (_, end)) in ends.into_iter().enumerate() {
            let mut above = 0;
            let mut at = end + 1;
            while at > 0 {
                above += tree[at];
                at &= at - 1;
            }
            crossings += seen as u64 - above;
            at = end + 1;
            while at < tree.len() {
                tree[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
        crossings
    }
}
