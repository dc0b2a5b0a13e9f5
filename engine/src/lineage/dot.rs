//! The language of Graphviz, with the names and looks that LaminDB's users know.

use std::fmt::Write;

use super::{Lineage, Noun};

impl Lineage {
    /// Returns the graph in the language of Graphviz.
    pub fn dot(&self) -> String {
        let name = self.focus().next().map_or_else(|| "lineage".to_owned(), |at| self.nodes[at].name());
        let mut out = format!(
            "digraph {} {{\n\trankdir=LR\n\tnode [color=darkgrey fillcolor=white fontname=Helvetica fontsize=10]\n\
             \tedge [arrowsize=0.5]\n",
            quoted(&name)
        );
        for node in &self.nodes {
            let label = match node.noun {
                Noun::Run => {
                    format!(
                        "{}\nrun at {}",
                        node.label,
                        node.at.map(|at| at.to_display()).unwrap_or_default()
                    )
                }
                _ => node.label.clone(),
            };
            let fill = match node.noun {
                Noun::Run | Noun::Transform => "#eff2ff",
                _ => "white",
            };
            let width = if node.focus { " penwidth=2" } else { "" };
            let _ = writeln!(
                out,
                "\t{} [label={} fillcolor=\"{fill}\" shape=box style=\"rounded,filled\"{width}]",
                quoted(&node.name()),
                quoted(&label),
            );
        }
        for edge in &self.edges {
            let (from, to) = (self.nodes[edge.from].name(), self.nodes[edge.to].name());
            let style = if edge.link.faint() { " style=dashed" } else { "" };
            let _ = writeln!(out, "\t{} -> {} [color=dimgrey{style}]", quoted(&from), quoted(&to));
        }
        out.push_str("}\n");
        out
    }
}

/// Returns a name as it is where the language allows, else in quotes.
fn quoted(text: &str) -> String {
    if !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !["graph", "node", "edge", "digraph", "subgraph", "strict"].contains(&text.to_lowercase().as_str())
    {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', " "))
}
