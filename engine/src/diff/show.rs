//! Differences as text and as data.

use serde_json::{Value as Json, json};

use super::{Content, Diff, Folders, Lines, Tables};
use crate::describe::format_size;

/// Characters of a value shown.
const VALUE: usize = 80;

impl Diff {
    /// Returns true when neither fields nor content differ.
    pub fn is_same(&self) -> bool {
        self.fields.is_empty() && matches!(self.content, Content::None | Content::Same)
    }

    /// Returns the difference as text.
    pub fn to_text(&self) -> String {
        let mut out = format!("--- {}\n+++ {}\n", self.names[0], self.names[1]);
        let widest = self.fields.iter().map(|[name, ..]| name.chars().count()).max().unwrap_or(0);
        for [name, a, b] in &self.fields {
            out.push_str(&format!("{name:<widest$}  {} → {}\n", short(a), short(b)));
        }
        out.push_str(&match &self.content {
            Content::None => String::new(),
            Content::Same => "content: the same\n".to_owned(),
            Content::Differs(why) => format!("content: {why}\n"),
            Content::Text(lines) => lines.to_text(),
            Content::Folder(folders) => folders.to_text(),
            Content::Table(tables) => tables.to_text(),
        });
        out
    }

    /// Returns the difference as data for programs.
    pub fn json(&self) -> Json {
        let fields: serde_json::Map<String, Json> =
            self.fields.iter().map(|[name, a, b]| (name.clone(), json!([a, b]))).collect();
        json!({
            "registry": self.registry,
            "names": self.names,
            "same": self.is_same(),
            "fields": fields,
            "content": self.content.json(),
        })
    }
}

impl Content {
    fn json(&self) -> Json {
        match self {
            Content::None => Json::Null,
            Content::Same => json!({"kind": "same"}),
            Content::Differs(why) => json!({"kind": "differs", "why": why}),
            Content::Text(lines) => json!({
                "kind": "text", "added": lines.added, "removed": lines.removed,
                "unified": lines.unified, "left_out": lines.left_out,
            }),
            Content::Folder(folders) => json!({
                "kind": "folder", "added": folders.added, "removed": folders.removed, "renamed": folders.renamed,
                "changed": folders.changed, "same": folders.same, "left_out": folders.left_out,
            }),
            Content::Table(tables) => tables.json(),
        }
    }
}

impl Lines {
    fn to_text(&self) -> String {
        let mut out = format!("content: {} lines added, {} removed\n", self.added, self.removed);
        for line in &self.unified {
            out.push_str(line);
            out.push('\n');
        }
        out.push_str(&rest(self.left_out, "lines"));
        out
    }
}

impl Folders {
    fn to_text(&self) -> String {
        let mut out = format!("content: {} files are the same\n", self.same);
        let mut add = |sign: &str, text: String| out.push_str(&format!("{sign} {text}\n"));
        self.added.iter().for_each(|path| add("+", path.clone()));
        self.removed.iter().for_each(|path| add("-", path.clone()));
        self.renamed.iter().for_each(|(before, after)| add("→", format!("{before} → {after}")));
        for (path, before, after) in &self.changed {
            let size = |size: u64| format_size(i64::try_from(size).unwrap_or(i64::MAX));
            add("~", format!("{path} ({} → {})", size(*before), size(*after)));
        }
        out.push_str(&rest(self.left_out, "files"));
        out
    }
}

impl Tables {
    /// Returns the difference as text.
    pub fn to_text(&self) -> String {
        let [added, removed, changed, same] = self.counts;
        let mut out = String::from("content: ");
        if self.rows[0] == self.rows[1] {
            out.push_str(&format!("{} rows each", self.rows[0]));
        } else {
            out.push_str(&format!("{} → {} rows", self.rows[0], self.rows[1]));
        }
        let by = if self.key.is_empty() { "number".to_owned() } else { self.key.join(", ") };
        out.push_str(&format!(
            "; by {by}: {changed} changed, {added} added, {removed} removed, {same} same\n"
        ));
        let typed = |(name, dtype): &(String, String)| match dtype.is_empty() {
            true => name.clone(),
            false => format!("{name} ({dtype})"),
        };
        self.columns_added.iter().for_each(|column| out.push_str(&format!("+ column {}\n", typed(column))));
        self.columns_removed.iter().for_each(|column| out.push_str(&format!("- column {}\n", typed(column))));
        for [name, before, after] in &self.columns_changed {
            out.push_str(&format!("~ column {name}: {before} → {after}\n"));
        }
        for row in &self.changed {
            let cells = row.cells.iter().map(|[name, a, b]| format!("{name} {} → {}", short(a), short(b)));
            out.push_str(&format!("~ {}: {}\n", short(&row.key), cells.collect::<Vec<_>>().join(", ")));
        }
        self.added.iter().for_each(|key| out.push_str(&format!("+ {}\n", short(key))));
        self.removed.iter().for_each(|key| out.push_str(&format!("- {}\n", short(key))));
        let told = self.changed.len() + self.added.len() + self.removed.len();
        out.push_str(&rest((changed + added + removed).saturating_sub(told), "rows"));
        out
    }

    /// Returns the difference as data for programs.
    pub fn json(&self) -> Json {
        let [added, removed, changed, same] = self.counts;
        let rows: Vec<Json> =
            self.changed.iter().map(|row| json!({"key": row.key, "cells": row.cells})).collect();
        json!({
            "kind": "table",
            "rows": self.rows,
            "key": self.key,
            "columns": {
                "added": self.columns_added, "removed": self.columns_removed, "changed": self.columns_changed,
            },
            "counts": {"added": added, "removed": removed, "changed": changed, "same": same},
            "added": self.added,
            "removed": self.removed,
            "changed": rows,
        })
    }
}

fn rest(left_out: usize, what: &str) -> String {
    if left_out == 0 { String::new() } else { format!("… {left_out} more {what}\n") }
}

/// Returns a value on one line, cut to what can be read.
fn short(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(VALUE).collect();
    if text.chars().nth(VALUE).is_some() {
        line.push('…');
    }
    line
}
