//! The way back: stored scripts in percent format become notebook files again.

use serde_json::{Map, Value as Json, json};

use super::magic;
use super::notebook::Notebook;

/// Returns the text of an `.ipynb` file whose script form is `script`; what the script does not hold is absent from it:
/// outputs, execution counts, and the title unless it is given.
///
/// ```
/// use holotype::track::{Notebook, notebook_text};
///
/// let script = "# %% [markdown]\n#\n\n# %%\n# %time\nprint(1)\n";
/// let text = notebook_text(script, Some("My title"));
/// let notebook = Notebook::parse(&text)?;
/// assert_eq!(notebook.title().as_deref(), Some("My title"));
/// assert_eq!(notebook.to_script(), script);
/// # Ok::<(), holotype::Error>(())
/// ```
pub fn notebook_text(script: &str, title: Option<&str>) -> String {
    let mut cells = split(script);
    if let Some(title) = title {
        restore_title(&mut cells, title);
    }
    let plain = text(&cells, false);
    // Blank lines between cells belong to the script but to no cell: only where the usual number of them would not
    // give the script again are they written down.
    match Notebook::parse(&plain) {
        Ok(notebook) if notebook.to_script() == script => plain,
        _ => text(&cells, true),
    }
}

/// A cell as the script holds it.
struct Block {
    /// What stands after `# %%`.
    header: String,
    lines: Vec<String>,
    /// Blank lines up to the next cell.
    blank: usize,
}

/// Splits a script at its headers; code before the first one is a cell too.
fn split(script: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in script.lines() {
        // Two blanks never come from a header: such a line is a comment that looks like one.
        let header = line.trim_start().strip_prefix("# %%");
        match header.filter(|text| text.is_empty() || (text.starts_with(' ') && !text.starts_with("  "))) {
            Some(header) => {
                blocks.push(Block { header: header.trim().to_owned(), lines: Vec::new(), blank: 0 });
            }
            _ => match blocks.last_mut() {
                Some(block) => block.lines.push(line.to_owned()),
                None if line.trim().is_empty() => {}
                None => blocks.push(Block { header: String::new(), lines: vec![line.to_owned()], blank: 0 }),
            },
        }
    }
    for block in &mut blocks {
        let end = block.lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        block.blank = block.lines.len() - end;
        block.lines.truncate(end);
    }
    blocks
}

/// Puts the title where the script has the empty heading that stands for it.
fn restore_title(blocks: &mut [Block], title: &str) {
    let markdown = blocks.iter_mut().filter(|block| Header::parse(&block.header).kind == "markdown");
    if let Some(line) = markdown.flat_map(|block| &mut block.lines).find(|line| *line == "#") {
        *line = format!("# # {title}");
    }
}

/// Returns the notebook as Jupyter writes it.
fn text(blocks: &[Block], with_blanks: bool) -> String {
    let last = blocks.len().saturating_sub(1);
    let cells: Vec<Json> = blocks
        .iter()
        .enumerate()
        .map(|(i, block)| cell(block, (with_blanks && i < last).then_some(block.blank)))
        .collect();
    let notebook = json!({
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 4,
    });
    format!("{notebook:#}\n")
}

fn cell(block: &Block, blank: Option<usize>) -> Json {
    let Header { kind, mut metadata } = Header::parse(&block.header);
    let language = metadata.remove("language");
    let arguments = metadata.remove("magic_args");
    let language = language.as_ref().and_then(Json::as_str);
    let mut lines = match (kind, language) {
        ("code", None) => magic::uncomment(&block.lines),
        _ => block.lines.iter().map(|line| uncommented(line).to_owned()).collect(),
    };
    if let Some(language) = language {
        let arguments = arguments.as_ref().and_then(Json::as_str).map(|text| format!(" {text}"));
        lines.insert(0, format!("%%{language}{}", arguments.unwrap_or_default()));
    }
    if let Some(blank) = blank {
        metadata.insert("lines_to_next_cell".to_owned(), blank.into());
    }
    let mut source: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    if let Some(last) = source.last_mut() {
        last.pop();
    }
    let mut cell = json!({"cell_type": kind, "metadata": metadata, "source": source});
    if let (Json::Object(cell), "code") = (&mut cell, kind) {
        cell.insert("execution_count".to_owned(), Json::Null);
        cell.insert("outputs".to_owned(), json!([]));
    }
    cell
}

fn uncommented(line: &str) -> &str {
    let bare = line.trim_start().strip_prefix('#').unwrap_or(line);
    bare.strip_prefix(' ').unwrap_or(bare)
}

/// What the header of a cell says.
struct Header {
    kind: &'static str,
    metadata: Map<String, Json>,
}

impl Header {
    /// Reads `title [markdown] key=value …`, where the values are JSON.
    fn parse(header: &str) -> Header {
        let mut metadata = Map::new();
        let mut kind = "code";
        let mut title = Vec::new();
        let mut rest = header;
        while !rest.is_empty() {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            let pair = rest.split_once('=').filter(|(key, _)| is_name(key));
            match (word, pair) {
                ("[markdown]" | "[md]", _) => kind = "markdown",
                ("[raw]", _) => kind = "raw",
                (_, Some((key, value))) => {
                    let mut values = serde_json::Deserializer::from_str(value).into_iter::<Json>();
                    if let Some(Ok(json)) = values.next() {
                        metadata.insert(key.to_owned(), json);
                        rest = value[values.byte_offset()..].trim_start();
                        continue;
                    }
                    title.push(word);
                }
                // A bare word after the kind is a key without a value.
                (word, None) if kind != "code" && is_name(word) => {
                    metadata.insert(word.to_owned(), Json::Null);
                }
                (word, None) => title.push(word),
            }
            rest = after.trim_start();
        }
        if !title.is_empty() {
            metadata.insert("title".to_owned(), title.join(" ").into());
        }
        Header { kind, metadata }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}
