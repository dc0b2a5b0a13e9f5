//! Drawings: how large boxes are, what they say, and where they go.

use super::collapse::{self, Limits};
use super::layout::{self, Layout};
use super::{Lineage, Node, Noun};
use crate::describe::format_size;

/// Characters of a label shown.
const LABEL: usize = 30;
/// Characters of the line below it.
const DETAIL: usize = 40;
/// Height of a box.
pub(super) const HEIGHT: f64 = 44.0;
/// Room on the left for the sign of the kind, and on the right.
const SIDES: f64 = 44.0;

/// A graph as it is drawn.
pub(super) struct Drawing {
    pub(super) lineage: Lineage,
    pub(super) layout: Layout,
    pub(super) sizes: Vec<(f64, f64)>,
}

impl Lineage {
    /// Returns the graph as an SVG image that is legible on light and dark ground.
    pub fn draw(&self, limits: &Limits) -> String {
        super::svg::image(&self.drawing(limits))
    }

    pub(super) fn drawing(&self, limits: &Limits) -> Drawing {
        let (lineage, layers) = collapse::collapse(self, limits);
        let sizes: Vec<(f64, f64)> = lineage.nodes.iter().map(|node| (width(node), HEIGHT)).collect();
        let edges: Vec<(usize, usize)> = lineage.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let layout = layout::lay_out(&sizes, &edges, &layers);
        Drawing { lineage, layout, sizes }
    }
}

fn width(node: &Node) -> f64 {
    let label = measure(&label(node), 7.3);
    let detail = measure(&detail(node), 5.9);
    (label.max(detail) + SIDES).clamp(96.0, 290.0)
}

/// Returns about how wide a text is when its letters are `letter` wide on average.
fn measure(text: &str, letter: f64) -> f64 {
    text.chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | 't' | 'f' | '.' | ',' | ':' | '/' | '|' | ' ' | '\'' => letter * 0.6,
            'm' | 'w' | 'M' | 'W' => letter * 1.4,
            c if c.is_uppercase() => letter * 1.2,
            // Letters of East Asia fill a square.
            c if u32::from(c) >= 0x1100 => letter * 1.8,
            _ => letter,
        })
        .sum()
}

/// Returns the first line of a box; of long keys the end says more than the beginning.
pub(super) fn label(node: &Node) -> String {
    let text: String = node.label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let n = text.chars().count();
    if n <= LABEL {
        return text;
    }
    if node.noun == Noun::Record {
        return text.chars().take(LABEL - 1).chain(['…']).collect();
    }
    let end: String = text.chars().skip(n - (LABEL - 1)).collect();
    // Whole parts of the path are easier to read.
    match end.split_once('/').filter(|(_, rest)| rest.chars().count() >= LABEL / 2) {
        Some((_, rest)) => format!("…/{rest}"),
        None => format!("…{end}"),
    }
}

/// Returns the second line of a box.
pub(super) fn detail(node: &Node) -> String {
    let size = node.size.map(format_size);
    let at = node.at.map(|at| {
        let shown = at.to_display();
        let end = if node.noun == Noun::Run { 16 } else { 10 };
        shown.get(..end).unwrap_or(&shown).to_owned()
    });
    let kind = Some(node.kind.clone()).filter(|kind| !kind.is_empty());
    let parts: Vec<String> = match node.noun {
        Noun::Run => [at, kind.filter(|kind| kind != "completed")].into_iter().flatten().collect(),
        _ => [kind, size, at].into_iter().flatten().collect(),
    };
    parts.join(" · ").chars().take(DETAIL).collect()
}

/// Returns all that is known of a node, for tooltips.
pub(super) fn tooltip(node: &Node) -> String {
    if node.more > 0 {
        return node.label.clone();
    }
    let mut lines = vec![node.label.clone(), format!("{} {}", node.noun.word(), node.uid)];
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{name}: {value}"));
        }
    };
    add(if node.noun == Noun::Run { "status" } else { "kind" }, node.kind.clone());
    add("size", node.size.map(format_size).unwrap_or_default());
    add(
        if node.noun == Noun::Run { "started" } else { "made" },
        node.at.map(|at| at.to_display()).unwrap_or_default(),
    );
    add("by", node.by.clone());
    if node.trashed {
        lines.push("in the trash".to_owned());
    }
    lines.join("\n")
}
