//! Tables that fit the terminal.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Row, Table, TableStyle};

/// The header stands over a line; nothing else is drawn, so that rows can be copied.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Long texts take no more room than this where there is not enough for all columns.
const COLUMN: usize = 32;

/// Columns of text under a header.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    columns: Vec<SheetColumn>,
}

/// One column.
#[derive(Clone, Debug)]
pub struct SheetColumn {
    /// Header.
    pub name: String,
    /// Cells, one per row.
    pub cells: Vec<String>,
    /// True for numbers, which stand to the right.
    pub number: bool,
}

impl SheetColumn {
    /// Returns how many characters the column takes where it may be as wide as its content.
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.chars().count());
        cells.chain([self.name.chars().count()]).max().unwrap_or_default()
    }
}

impl Sheet {
    /// Returns a table with these columns.
    pub fn new(columns: Vec<SheetColumn>) -> Self {
        Sheet { columns }
    }

    /// Returns the table as text of at most `width` characters a line, and the names of the columns left out for it.
    ///
    /// Columns are left out from the right, never the first two; without a width nothing is left out or cut.
    pub fn fit(&self, width: Option<u16>) -> (String, Vec<&str>) {
        let shown = match width {
            Some(width) => self.room_for(usize::from(width)),
            None => self.columns.len(),
        };
        let (kept, left) = self.columns.split_at(shown);
        let mut table = Table::new();
        table.load_style(STYLE).set_content_arrangement(match width {
            Some(_) => ContentArrangement::Dynamic,
            None => ContentArrangement::Disabled,
        });
        if let Some(width) = width {
            table.set_width(width);
        }
        table.set_header(kept.iter().map(|column| column.name.as_str()).collect::<Vec<_>>());
        for row in 0..self.rows() {
            let cells = kept.iter().map(|column| column.cells.get(row).map_or("", String::as_str));
            let mut row = Row::from(cells.map(one_line).collect::<Vec<_>>());
            row.max_height(1);
            table.add_row(row);
        }
        for (i, _) in kept.iter().enumerate().filter(|(_, column)| column.number) {
            if let Some(column) = table.column_mut(i) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let text = table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
        (text, left.iter().map(|column| column.name.as_str()).collect())
    }

    fn rows(&self) -> usize {
        self.columns.iter().map(|column| column.cells.len()).max().unwrap_or_default()
    }

    /// Returns how many columns fit, each with a blank on either side.
    fn room_for(&self, width: usize) -> usize {
        let mut taken = 0;
        let fitting = self.columns.iter().take_while(|column| {
            taken += column.width().min(COLUMN) + 2;
            taken <= width
        });
        fitting.count().max(2).min(self.columns.len())
    }
}

/// Returns a cell without line breaks and other control characters, which would break the table.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, cells: &[&str]) -> SheetColumn {
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        SheetColumn { name: name.to_owned(), cells, number: false }
    }

    #[test]
    fn everything_is_shown_where_there_is_no_terminal() {
        let long = "x".repeat(200);
        let sheet = Sheet::new(vec![column("uid", &["a", "b"]), column("key", &[&long, "k\nl"])]);
        let (text, left) = sheet.fit(None);
        assert!(text.contains(&long) && text.contains("k l") && left.is_empty(), "{text}");
        assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn lines_never_exceed_the_terminal() {
        let long = "x".repeat(200);
        let names: Vec<String> = (0..12).map(|i| format!("column{i}")).collect();
        let sheet = Sheet::new(names.iter().map(|name| column(name, &[&long, "short"])).collect());
        for width in [40u16, 80, 120] {
            let (text, left) = sheet.fit(Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}\n{text}");
            assert!(!left.is_empty());
            assert_eq!(text.lines().count(), 4, "one line per row\n{text}");
        }
    }
}
