//! Layered layout from left to right: layers, order within them, places, and the lines between.

mod layers;
mod order;
mod place;

pub(super) use layers::Layers;

use order::Levels;

/// Distance between the boxes of a layer.
const GAP: f64 = 14.0;
/// Least distance between two layers.
const ALLEY: f64 = 56.0;
/// What an edge that passes through a layer takes of its height.
const LANE: f64 = 4.0;
/// Boxes that stand this much behind the border of their column get a straight piece of line first.
const INSET: f64 = 8.0;
/// Edges across more layers than this bend only near their ends.
const LONG: usize = 24;

/// A laid out graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// Middle of the left side of every box.
    pub(super) boxes: Vec<(f64, f64)>,
    /// Line of every edge, from its beginning to its end, as points to pass through horizontally.
    pub(super) lines: Vec<Vec<(f64, f64)>>,
    /// Width of the whole.
    pub(super) width: f64,
    /// Height of the whole.
    pub(super) height: f64,
}

/// Returns where boxes of these sizes go and how edges lead from one to the other.
pub(super) fn lay_out(sizes: &[(f64, f64)], edges: &[(usize, usize)], layers: &Layers) -> Layout {
    let turned: Vec<(usize, usize)> = edges
        .iter()
        .map(|&(from, to)| if layers.of[from] <= layers.of[to] { (from, to) } else { (to, from) })
        .collect();
    let mut levels = Levels::new(sizes.len(), &turned, layers);
    levels.uncross();
    let middles = place::middles(&levels, |vertex| sizes.get(vertex).map_or(LANE, |size| size.1));
    let mut columns = Vec::with_capacity(levels.rows.len());
    let mut x = 0.0;
    for (layer, row) in levels.rows.iter().enumerate() {
        let width =
            row.iter().filter_map(|vertex| sizes.get(*vertex)).fold(0.0, |most: f64, size| most.max(size.0));
        columns.push((x, width));
        // Many lines need room to part from each other.
        let busy = levels.after[layer..=layer].iter().map(Vec::len).sum::<usize>();
        x += width + ALLEY + (busy as f64).sqrt().min(12.0) * 5.0;
    }
    let top = (0..sizes.len()).map(|at| middles[at] - sizes[at].1 / 2.0).fold(f64::INFINITY, f64::min);
    let top =
        if top.is_finite() { top.min(middles.iter().copied().fold(f64::INFINITY, f64::min)) } else { 0.0 };
    let place = |at: usize| {
        let (x, width) = columns[levels.layer_of(at)];
        // Narrow boxes stand in the middle of their column.
        let own = sizes.get(at).map_or(width, |size| size.0);
        (x + (width - own) / 2.0, middles[at] - top)
    };
    let lines = turned
        .iter()
        .zip(&levels.chains)
        .zip(edges)
        .map(|((&(from, to), chain), &(given, _))| {
            let (start, end) = (place(from), place(to));
            let mut line = vec![(start.0 + sizes[from].0, start.1)];
            // Bends lie between the columns: within one, a line would cross wider boxes than its own.
            let (x, width) = columns[levels.layer_of(from)];
            line.extend(Some((x + width, start.1)).filter(|(edge, _)| edge - line[0].0 > INSET));
            for &lane in chain {
                let (x, y) = place(lane);
                let width = columns[levels.layer_of(lane)].1;
                line.extend([(x, y), (x + width, y)]);
            }
            let (x, _) = columns[levels.layer_of(to)];
            line.extend(Some((x, end.1)).filter(|(edge, _)| end.0 - edge > INSET));
            line.push(end);
            if given != from {
                line.reverse();
            }
            line
        })
        .collect();
    let bottom = (0..sizes.len()).map(|at| middles[at] + sizes[at].1 / 2.0).chain(middles.iter().copied());
    let width = columns.last().map_or(0.0, |(x, width)| x + width);
    Layout {
        boxes: (0..sizes.len()).map(place).collect(),
        lines,
        width,
        height: bottom.fold(0.0, f64::max) - top,
    }
}
