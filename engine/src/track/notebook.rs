//! Notebooks: their title, the order in which their cells ran, and their text as a script in percent format.

use std::collections::VecDeque;

use serde_json::{Map, Value as Json};

use super::magic::{Quotes, comment_out};
use crate::error::{Error, Result};
use crate::value::python_json;

/// Languages that a `%%name` line at the top of a cell switches to.
const LANGUAGES: &str = " R bash clojure coconut cs csharp cython fsharp gnuplot go groovy haskell html idl java javascript \
    js julia latex logtalk lua markdown matlab maxima ocaml octave perl powershell pypy python python2 python3 q \
    robotframework ruby rust sage sas scala scheme script sh spark sql stata svg tcl typescript xonsh ";

/// Metadata that says nothing about the cell's text.
const PASSING: [&str; 9] = [
    "ExecuteTime",
    "autoscroll",
    "cell_marker",
    "collapsed",
    "execution",
    "lines_to_next_cell",
    "scrolled",
    "title",
    "trusted",
];

/// A notebook of format 4, as its file holds it.
#[derive(Clone, Debug)]
pub struct Notebook {
    cells: Vec<Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    kind: CellKind,
    source: String,
    metadata: Map<String, Json>,
    count: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellKind {
    Code,
    Markdown,
    Raw,
}

impl Notebook {
    /// Returns the notebook that the text of an `.ipynb` file holds.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] when the text is no notebook of format 4.
    pub fn parse(text: &str) -> Result<Notebook> {
        let refuse =
            || Error::value("The file is no notebook of format 4: open it in Jupyter and save it again");
        let json: Json = serde_json::from_str(text).map_err(|error| refuse().because(error))?;
        let cells = json.get("cells").and_then(Json::as_array).ok_or_else(refuse)?;
        let cells = cells.iter().map(|cell| Cell::parse(cell).ok_or_else(refuse)).collect::<Result<_>>()?;
        Ok(Notebook { cells })
    }

    /// Returns the first heading: the first line of a markdown cell that starts with `# `.
    pub fn title(&self) -> Option<String> {
        let mut lines =
            self.cells.iter().filter(|cell| cell.kind == CellKind::Markdown).flat_map(Cell::lines);
        lines.find_map(|line| line.strip_prefix("# ").map(|title| title.trim().to_owned()))
    }

    /// Returns the neighbours that did not run one after the other, as pairs of execution counts.
    ///
    /// The first cell has to be the first that ran. Empty cells, the cell that finishes the run, and a last cell that
    /// has not run yet do not count.
    pub fn gaps(&self) -> Vec<(Option<i64>, Option<i64>)> {
        let counts = |cell: &&Cell| {
            cell.kind == CellKind::Code && !cell.source.trim().is_empty() && !cell.source.contains(".finish(")
        };
        let mut counts: Vec<Option<i64>> = self.cells.iter().filter(counts).map(|cell| cell.count).collect();
        counts.pop_if(|last| last.is_none());
        let before = std::iter::once(Some(0)).chain(counts.iter().copied());
        let next = |before: Option<i64>| before.map(|count| count + 1);
        before
            .zip(counts.iter().copied())
            .filter(|(before, after)| after.is_none() || next(*before) != *after)
            .collect()
    }

    /// Returns the notebook as a script: cells behind `# %%`, markdown as comments, magics commented out, the title
    /// itself left out.
    pub fn to_script(&self) -> String {
        let mut blocks: Vec<Vec<String>> = self.cells.iter().map(Cell::to_block).collect();
        self.blank_title(&mut blocks);
        // From the end, since the blank lines after a cell depend on all the text that follows.
        let mut rest: VecDeque<String> = VecDeque::new();
        for (cell, block) in self.cells.iter().zip(blocks).rev() {
            if !rest.is_empty() {
                let asked = cell.metadata.get("lines_to_next_cell").and_then(Json::as_u64);
                let blank = asked.map_or_else(|| blank_lines(&block[1..], &rest), |n| n.min(9) as usize);
                (0..blank).for_each(|_| rest.push_front(String::new()));
            }
            block.into_iter().rev().for_each(|line| rest.push_front(line));
        }
        rest.into_iter().map(|line| line + "\n").collect()
    }

    /// The title is kept as the description of the transform: renaming a notebook makes no new version.
    fn blank_title(&self, blocks: &mut [Vec<String>]) {
        let markdown = self.cells.iter().zip(blocks).filter(|(cell, _)| cell.kind == CellKind::Markdown);
        if let Some(line) = markdown.flat_map(|(_, block)| block).find(|line| line.starts_with("# # ")) {
            "#".clone_into(line);
        }
    }
}

impl Cell {
    fn parse(json: &Json) -> Option<Cell> {
        let kind = match json.get("cell_type")?.as_str()? {
            "code" => CellKind::Code,
            "markdown" => CellKind::Markdown,
            _ => CellKind::Raw,
        };
        let source = match json.get("source") {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Array(parts)) => parts.iter().filter_map(Json::as_str).collect(),
            _ => return None,
        };
        let metadata = json.get("metadata").and_then(Json::as_object).cloned().unwrap_or_default();
        let count = json.get("execution_count").and_then(Json::as_i64);
        Some(Cell { kind, source, metadata, count })
    }

    fn lines(&self) -> Vec<String> {
        lines(&self.source)
    }

    /// Returns the header and the lines of the cell.
    fn to_block(&self) -> Vec<String> {
        let mut lines = self.lines();
        let mut options = self.metadata.clone();
        if let Some((language, arguments)) = self.language() {
            lines.remove(0);
            if !arguments.is_empty() {
                options.insert("magic_args".to_owned(), arguments.into());
            }
            options.insert("language".to_owned(), language.into());
        }
        let foreign =
            options.get("language").and_then(Json::as_str).is_some_and(|language| language != "python");
        let body = match self.kind {
            CellKind::Code if self.source.is_empty() => Vec::new(),
            CellKind::Code if !foreign && self.runs_as_script() => comment_out(&lines),
            _ => lines.iter().map(|line| comment(line)).collect(),
        };
        let kind = match self.kind {
            CellKind::Code => "",
            CellKind::Markdown => " [markdown]",
            CellKind::Raw => " [raw]",
        };
        let title = self
            .metadata
            .get("title")
            .and_then(Json::as_str)
            .map_or_else(String::new, |title| format!(" {title}"));
        // An indented cell has an indented header.
        let first = body.first().filter(|line| self.kind == CellKind::Code && !line.trim().is_empty());
        let first = first.map_or("", String::as_str);
        let indent = &first[..first.len() - first.trim_start().len()];
        let header = format!("{indent}# %%{title}{kind}{}", describe(&options));
        std::iter::once(header).chain(body).collect()
    }

    /// Returns the language and the arguments of a `%%name` line at the top.
    fn language(&self) -> Option<(String, String)> {
        let line = self.source.strip_prefix("%%").filter(|_| self.kind == CellKind::Code)?.lines().next()?;
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let known = !name.is_empty() && LANGUAGES.contains(&format!(" {name} "));
        known.then(|| (name.to_owned(), arguments.trim().to_owned()))
    }

    /// Returns false for cells that are marked to run in the notebook only.
    fn runs_as_script(&self) -> bool {
        let tags =
            self.metadata.get("tags").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let by_tag =
            tags.filter_map(|tag| tag.strip_prefix("active-")).map(|formats| formats.replace('-', ","));
        let by_key = self.metadata.get("active").and_then(Json::as_str).map(str::to_owned);
        by_key.into_iter().chain(by_tag).all(|formats| formats.split(',').any(|format| format.trim() == "py"))
    }
}

fn comment(line: &str) -> String {
    if line.is_empty() { "#".to_owned() } else { format!("# {line}") }
}

/// Returns the metadata as the header of a cell carries it.
fn describe(metadata: &Map<String, Json>) -> String {
    let mut text = String::new();
    for (key, value) in metadata {
        let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        let empty = key == "tags" && value.as_array().is_some_and(Vec::is_empty);
        if !plain || empty || PASSING.contains(&key.as_str()) {
            continue;
        }
        text.push(' ');
        text.push_str(key);
        if !value.is_null() {
            text.push('=');
            text.push_str(&python_json(value));
        }
    }
    text
}

/// Splits text at every kind of line end that Python knows; a final line end opens an empty line.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    text.split(ends).map(str::to_owned).collect()
}

/// Returns how many blank lines follow a cell: two around functions and classes, as Python's style guide asks.
fn blank_lines(cell: &[String], rest: &VecDeque<String>) -> usize {
    let around = if ends_in_definition(cell) {
        first_line(rest, &['#']).is_some()
    } else {
        ends_in_code(cell) && first_line(unquoted(rest), &['#', '@', ' ', ')']).is_some_and(opens_definition)
    };
    if around { 2 } else { 1 }
}

/// Returns the first line that starts with none of `passed`, unless two blank lines come first.
fn first_line<'a>(lines: impl IntoIterator<Item = &'a String>, passed: &[char]) -> Option<&'a str> {
    let mut blank = false;
    for line in lines {
        match (line.trim().is_empty(), blank) {
            (true, true) => return None,
            (true, false) => blank = true,
            (false, _) if line.starts_with(passed) => blank = false,
            (false, _) => return Some(line),
        }
    }
    None
}

/// Returns the lines that do not start inside a string.
fn unquoted<'a>(lines: impl IntoIterator<Item = &'a String>) -> impl Iterator<Item = &'a String> {
    let mut quotes = Quotes::default();
    lines.into_iter().filter(move |line| {
        let bare = !quotes.open();
        quotes.read(line);
        bare
    })
}

/// Returns true when the last statement at the margin opens a function or class.
fn ends_in_definition(lines: &[String]) -> bool {
    let bare: Vec<&String> = unquoted(lines).collect();
    first_line(bare.into_iter().rev(), &['#', ' ', ')']).is_some_and(opens_definition)
}

fn ends_in_code(lines: &[String]) -> bool {
    lines.last().is_some_and(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

fn opens_definition(line: &str) -> bool {
    ["def ", "class ", "async "].iter().any(|word| line.starts_with(word))
}
