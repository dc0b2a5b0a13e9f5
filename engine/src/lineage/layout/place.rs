//! The height of every vertex: near its neighbours, and none on top of another.

use super::GAP;
use super::order::Levels;

/// Passes over all layers; large graphs get fewer.
const PASSES: usize = 12;
/// Vertices from which on a graph is large.
const LARGE: usize = 4_000;
/// How much straighter an edge's own lanes are than the edges between nodes.
const STRAIGHT: f64 = 6.0;

/// Returns the middle of every vertex.
pub(super) fn middles(levels: &Levels, height: impl Fn(usize) -> f64) -> Vec<f64> {
    let n = levels.left.len();
    let heights: Vec<f64> = (0..n).map(height).collect();
    let mut middles = vec![0.0; n];
    for row in &levels.rows {
        let mut y = 0.0;
        for &vertex in row {
            middles[vertex] = y + heights[vertex] / 2.0;
            y += heights[vertex] + GAP;
        }
        let shift = y / 2.0;
        row.iter().for_each(|vertex| middles[*vertex] -= shift);
    }
    let passes = if n > LARGE { PASSES / 3 } else { PASSES };
    for pass in 0..passes {
        let forwards = pass % 2 == 0;
        // The last passes look both ways.
        let both = pass + 4 >= passes;
        for i in 0..levels.rows.len() {
            let layer = if forwards { i } else { levels.rows.len() - 1 - i };
            let row = &levels.rows[layer];
            let wanted: Vec<(f64, f64)> = row
                .iter()
                .map(|&vertex| {
                    let (left, right) = (&levels.left[vertex], &levels.right[vertex]);
                    let near: [&[usize]; 2] = match (both, forwards) {
                        (true, _) => [left, right],
                        (false, true) => [left, &[]],
                        (false, false) => [right, &[]],
                    };
                    pull(levels, vertex, near, &middles)
                })
                .collect();
            settle(row, &wanted, &heights, &mut middles);
        }
    }
    middles
}

/// Returns where the neighbours want a vertex, and how much.
fn pull(levels: &Levels, vertex: usize, near: [&[usize]; 2], middles: &[f64]) -> (f64, f64) {
    let lane = vertex >= levels.nodes;
    let (mut sum, mut weight) = (0.0, 0.0);
    for other in near.into_iter().flatten() {
        let own = if lane && *other >= levels.nodes { STRAIGHT } else { 1.0 };
        sum += own * middles[*other];
        weight += own;
    }
    if weight == 0.0 { (middles[vertex], 0.2) } else { (sum / weight, weight.sqrt()) }
}

/// Places a layer so that the squared distances from where its vertices want to be are least and none overlap: what
/// would is pooled with its neighbours.
fn settle(row: &[usize], wanted: &[(f64, f64)], heights: &[f64], middles: &mut [f64]) {
    struct Pool {
        mean: f64,
        weight: f64,
        len: usize,
    }
    let mut offsets = Vec::with_capacity(row.len());
    let mut pools: Vec<Pool> = Vec::with_capacity(row.len());
    let mut offset = 0.0;
    for (at, &vertex) in row.iter().enumerate() {
        if at > 0 {
            offset += (heights[row[at - 1]] + heights[vertex]) / 2.0 + GAP;
        }
        offsets.push(offset);
        let (mean, weight) = wanted[at];
        let mut pool = Pool { mean: mean - offset, weight, len: 1 };
        while let Some(before) = pools.pop_if(|before| before.mean > pool.mean) {
            let weight = before.weight + pool.weight;
            let mean = (before.mean * before.weight + pool.mean * pool.weight) / weight;
            pool = Pool { mean, weight, len: before.len + pool.len };
        }
        pools.push(pool);
    }
    let means = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.mean, pool.len));
    for ((vertex, mean), offset) in row.iter().zip(means).zip(offsets) {
        middles[*vertex] = mean + offset;
    }
}
