//! The language of Mermaid, which many wikis and code hosts draw.

use std::fmt::Write;

use super::draw::detail;
use super::{Lineage, Noun};

impl Lineage {
    /// Returns the graph in the language of Mermaid.
    pub fn mermaid(&self) -> String {
        let mut out = String::from("flowchart LR\n");
        for node in &self.nodes {
            let (open, close) = match node.noun {
                Noun::Artifact => ("[", "]"),
                Noun::Run | Noun::Transform => ("([", "])"),
                Noun::Collection => ("[[", "]]"),
                Noun::Record => ("(", ")"),
            };
            let detail = detail(node);
            let below = if detail.is_empty() { String::new() } else { format!("<br/>{}", escaped(&detail)) };
            let _ = writeln!(
                out,
                "  {}{open}\"{}{below}\"{close}:::{}",
                node.name(),
                escaped(&node.label),
                if node.focus { "focus" } else { node.noun.word() },
            );
        }
        for edge in &self.edges {
            let (from, to) = (self.nodes[edge.from].name(), self.nodes[edge.to].name());
            let arrow =
                if edge.link.faint() { format!("-. {} .->", edge.link.word()) } else { "-->".to_owned() };
            let _ = writeln!(out, "  {from} {arrow} {to}");
        }
        out.push_str(
            "  classDef artifact fill:#ffffff,stroke:#3b82c4,color:#1f2933\n\
             \u{20} classDef run fill:#f3f0fd,stroke:#7c5cd6,color:#1f2933\n\
             \u{20} classDef transform fill:#f3f0fd,stroke:#7c5cd6,color:#1f2933\n\
             \u{20} classDef collection fill:#e8f6f4,stroke:#0f9488,color:#1f2933\n\
             \u{20} classDef record fill:#fdf3e1,stroke:#c77d0a,color:#1f2933\n\
             \u{20} classDef focus fill:#ffffff,stroke:#e08a00,stroke-width:3px,color:#1f2933\n",
        );
        out
    }
}

/// Returns text in which no sign means anything: entities with numbers, as the language spells them.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '<' | '>' | '&' | '#' | ';' | '`' | '\\' | '[' | ']' | '{' | '}' | '(' | ')' | '|' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
