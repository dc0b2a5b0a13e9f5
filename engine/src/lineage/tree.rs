//! The graph as a tree for terminals: upstream first, then downstream.

use std::collections::HashSet;

use super::draw::detail;
use super::{Edge, Lineage, Link, Noun};

/// Branches shown of one node.
const BRANCHES: usize = 12;
/// Levels shown.
const LEVELS: usize = 30;
/// Lines shown of each direction.
const LINES: usize = 400;

impl Lineage {
    /// Returns the graph as text. What was shown once is not unfolded again.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for at in self.focus() {
            out.push_str(&self.line(at, None));
            out.push('\n');
            let sides = [("upstream", true), ("downstream", false)];
            let found: Vec<_> = sides
                .into_iter()
                .map(|(title, before)| (title, self.branches(before), before))
                .filter(|(_, near, _)| !near[at].is_empty())
                .collect();
            for (i, (title, near, before)) in found.iter().enumerate() {
                let last = i + 1 == found.len();
                out.push_str(&format!("{} {title}\n", if last { "└──" } else { "├──" }));
                let mut branch =
                    Branch { lineage: self, near, before: *before, seen: HashSet::new(), lines: 0 };
                branch.seen.insert(at);
                branch.write(at, if last { "    " } else { "│   " }, 0, &mut out);
            }
            if found.is_empty() {
                out.push_str("└── nothing is known of where it comes from or what came of it\n");
            }
        }
        if self.cut {
            out.push_str("… the graph is larger than this\n");
        }
        out
    }

    /// Returns for every node the edges on one side: along which data flowed first, then by what people call the ends.
    fn branches(&self, before: bool) -> Vec<Vec<Edge>> {
        let mut near = self.neighbours(before);
        for edges in &mut near {
            edges.sort_by_key(|edge| {
                let node = &self.nodes[if before { edge.from } else { edge.to }];
                (edge.link.faint(), &node.label, node.at, node.id)
            });
        }
        near
    }

    fn line(&self, at: usize, link: Option<Link>) -> String {
        let node = &self.nodes[at];
        let label: String = node.label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut facts = vec![node.noun.word().to_owned(), node.uid.get(..8).unwrap_or(&node.uid).to_owned()];
        facts.extend(Some(detail(node)).filter(|detail| !detail.is_empty()));
        if node.trashed {
            facts.push("in the trash".to_owned());
        }
        let how = match link {
            Some(link @ (Link::Recreated | Link::Started | Link::Version | Link::Successor)) => {
                format!("({}) ", link.word())
            }
            _ => String::new(),
        };
        let sign = if matches!(node.noun, Noun::Run | Noun::Transform) { "▶ " } else { "" };
        format!("{how}{sign}{label}  [{}]", facts.join(" · "))
    }
}

/// One direction of the tree.
struct Branch<'a> {
    lineage: &'a Lineage,
    near: &'a [Vec<Edge>],
    before: bool,
    seen: HashSet<usize>,
    lines: usize,
}

impl Branch<'_> {
    fn write(&mut self, at: usize, indent: &str, level: usize, out: &mut String) {
        let near = self.near;
        let edges = &near[at];
        for (i, edge) in edges.iter().enumerate() {
            let last = i + 1 == edges.len();
            let rest = edges.len() - i;
            if (i >= BRANCHES && rest > 1) || level >= LEVELS || self.lines >= LINES {
                out.push_str(&format!("{indent}└── … {rest} more\n"));
                return;
            }
            let other = if self.before { edge.from } else { edge.to };
            let new = self.seen.insert(other);
            let again = if new || self.near[other].is_empty() { "" } else { "  ↑" };
            let line = self.lineage.line(other, Some(edge.link));
            out.push_str(&format!("{indent}{} {line}{again}\n", if last { "└──" } else { "├──" }));
            self.lines += 1;
            if new {
                self.write(other, &format!("{indent}{}", if last { "    " } else { "│   " }), level + 1, out);
            }
        }
    }
}
