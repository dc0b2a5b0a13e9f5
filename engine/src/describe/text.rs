//! Trees as plain text, without colours.

use super::{Body, Item, Row, Section, Tree};

/// Returns a size for people, in steps of 1024: `7 B`, `2.0 KB`.
pub fn format_size(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes.unsigned_abs() < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    while size.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

impl Tree {
    /// Returns the tree as text, every line without trailing blanks.
    pub fn to_text(&self) -> String {
        let mut lines = vec![self.title()];
        for note in &self.notes {
            lines.extend(note.line().lines().map(|line| format!("|   {line}")));
        }
        let names = name_width(&self.sections);
        let mut blocks = Vec::new();
        if !self.items.is_empty() {
            blocks.push(pairs(&self.items));
        }
        blocks.extend(self.sections.iter().map(|section| section.lines(names)));
        hang(blocks, &mut lines);
        finish(lines)
    }
}

impl Section {
    /// Returns the branch as a tree of its own.
    pub fn to_text(&self) -> String {
        finish(self.lines(name_width(std::slice::from_ref(self))))
    }

    fn lines(&self, names: usize) -> Vec<String> {
        let title = match &self.value {
            Some(value) => format!("{}: {value}", self.title),
            None => self.title.clone(),
        };
        let mut lines = vec![title];
        match &self.body {
            Body::Empty => {}
            Body::Values(rows) => hang(vec![values(rows, names)], &mut lines),
            Body::Groups(groups) => {
                let block = |(title, rows): &(String, Vec<[String; 3]>)| {
                    std::iter::once(title.clone()).chain(values(rows, names)).collect()
                };
                hang(groups.iter().map(block).collect(), &mut lines);
            }
            Body::Grid(rows) => hang(vec![grid(rows)], &mut lines),
            Body::List(items) => hang(items.iter().map(|item| vec![item.line()]).collect(), &mut lines),
            Body::Text(text) => lines.extend(text.iter().map(|line| format!("│ {line}"))),
        }
        lines
    }
}

impl Item {
    fn line(&self) -> String {
        if self.label.is_empty() { String::new() } else { format!("{}: {}", self.label, self.value) }
    }
}

/// Hangs blocks of lines below what is there, each with a glyph at its first line.
fn hang(blocks: Vec<Vec<String>>, lines: &mut Vec<String>) {
    let n = blocks.len();
    for (i, block) in blocks.into_iter().enumerate() {
        let (first, other) = if i + 1 == n { ("└── ", "    ") } else { ("├── ", "│   ") };
        lines.extend(
            block
                .into_iter()
                .enumerate()
                .map(|(j, line)| format!("{}{line}", if j == 0 { first } else { other })),
        );
    }
}

/// Returns facts in two columns, the left one as wide as it needs.
fn pairs(rows: &[Row]) -> Vec<String> {
    let widest = rows.iter().filter(|row| row.right.is_some()).map(|row| width(&row.left.line())).max();
    let line = |row: &Row| match &row.right {
        Some(right) => pad(&row.left.line(), widest.unwrap_or_default() + 2) + &right.line(),
        None => row.left.line(),
    };
    rows.iter().map(line).collect()
}

/// Returns how wide names are, the same in all tables of a tree so that their types stand below each other.
fn name_width(sections: &[Section]) -> usize {
    let rows = sections.iter().flat_map(|section| match &section.body {
        Body::Values(rows) => rows.iter().collect::<Vec<_>>(),
        Body::Groups(groups) => groups.iter().flat_map(|(_, rows)| rows).collect(),
        _ => Vec::new(),
    });
    rows.map(|row| width(&row[0])).max().unwrap_or_default() + 2
}

fn values(rows: &[[String; 3]], names: usize) -> Vec<String> {
    let types = rows.iter().map(|row| width(&row[1])).max().unwrap_or_default() + 3;
    rows.iter().map(|[name, dtype, value]| pad(name, names) + &pad(dtype, types) + value).collect()
}

fn grid(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            rows.iter().filter_map(|row| row.get(i)).map(|cell| width(cell)).max().unwrap_or_default() + 2
        })
        .collect();
    rows.iter().map(|row| row.iter().zip(&widths).map(|(cell, width)| pad(cell, *width)).collect()).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

fn finish(lines: Vec<String>) -> String {
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_step_by_1024() {
        let cases = [
            (0, "0 B"),
            (7, "7 B"),
            (1023, "1023 B"),
            (1024, "1.0 KB"),
            (2001, "2.0 KB"),
            (1024 * 1024 - 10, "1024.0 KB"),
            (1024 * 1024, "1.0 MB"),
            (3 << 30, "3.0 GB"),
            (5 << 40, "5.0 TB"),
            (5 << 50, "5120.0 TB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(format_size(bytes), text);
        }
    }

    #[test]
    fn a_tree_hangs_its_branches_and_aligns_its_tables() {
        let row = |left: (&str, &str), right: Option<(&str, &str)>| Row {
            left: Item::new(left.0, left.1),
            right: right.map(|(label, value)| Item::new(label, value)),
        };
        let values = |rows: &[[&str; 3]]| rows.iter().map(|row| row.map(str::to_owned)).collect::<Vec<_>>();
        let tree = Tree {
            registry: "Artifact",
            name: "d/a.parquet".into(),
            detail: Some("0000".into()),
            warnings: Vec::new(),
            notes: vec![Item::new("description", "two\nlines")],
            items: vec![row(("uid", "x"), Some(("hash", "y"))), row(("a long label", "z"), None)],
            sections: vec![
                Section { value: Some("/p".into()), ..Section::new("storage/path", Body::Empty) },
                Section::new(
                    "Dataset features",
                    Body::Groups(vec![(
                        "columns (2)".into(),
                        values(&[["n_cells", "int", ""], ["ul", "ULabel", "A, B"]]),
                    )]),
                ),
                Section::new(
                    "External features",
                    Body::Values(values(&[["tags", "list[str]", "['p', 'q']"]])),
                ),
                Section::new("Params", Body::List(vec![Item::new("a", 1), Item::new("b", 2)])),
                Section::new("source_code:", Body::Text(vec!["line".into(), String::new()])),
                Section::new("Entities", Body::Values(values(&[[".ulabels", "ULabel", "B, A"]]))),
            ],
        };
        let expected = "\
Artifact: d/a.parquet (0000)
|   description: two
|   lines
├── uid: x  hash: y
│   a long label: z
├── storage/path: /p
├── Dataset features
│   └── columns (2)
│       n_cells   int
│       ul        ULabel   A, B
├── External features
│   └── tags      list[str]   ['p', 'q']
├── Params
│   ├── a: 1
│   └── b: 2
├── source_code:
│   │ line
│   │
└── Entities
    └── .ulabels  ULabel   B, A";
        assert_eq!(tree.to_text(), expected);
    }
}
