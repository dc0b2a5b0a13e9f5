//! The graph as data for programs.

use serde_json::{Value as Json, json};

use super::Lineage;

impl Lineage {
    /// Returns nodes and edges; edges name their ends by the nodes' names.
    pub fn json(&self) -> Json {
        let nodes: Vec<Json> = self
            .nodes
            .iter()
            .map(|node| {
                let mut data = json!({
                    "name": node.name(),
                    "type": node.noun.word(),
                    "id": node.id,
                    "uid": node.uid,
                    "label": node.label,
                    "size": node.size,
                    "at": node.at.map(|at| at.to_display()),
                    "by": node.by,
                    "focus": node.focus,
                    "trashed": node.trashed,
                });
                let word = if node.noun == super::Noun::Run { "status" } else { "kind" };
                data[word] = if node.kind.is_empty() { Json::Null } else { node.kind.as_str().into() };
                data
            })
            .collect();
        let edges: Vec<Json> = self
            .edges
            .iter()
            .map(|edge| {
                json!({
                    "from": self.nodes[edge.from].name(),
                    "to": self.nodes[edge.to].name(),
                    "type": edge.link.word(),
                })
            })
            .collect();
        json!({"nodes": nodes, "edges": edges, "cut": self.cut})
    }
}
