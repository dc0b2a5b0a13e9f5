//! A page of its own around the image.

use super::svg::escape;
use super::{Limits, Lineage};

impl Lineage {
    /// Returns the graph as a page that needs nothing else.
    pub fn page(&self, limits: &Limits) -> String {
        let title = self.focus().next().map_or("Lineage", |at| self.nodes[at].label.as_str());
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
             <title>{title}</title><style>body{{margin:0;font:14px system-ui,sans-serif}}h1{{font-size:16px;margin:16px}}\
             main{{overflow:auto;padding:0 0 16px}}</style></head>\n<body><h1>{title}</h1><main>{}</main></body></html>\n",
            self.draw(limits),
            title = escape(title),
        )
    }
}
