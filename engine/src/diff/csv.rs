//! Tables in text files.

use super::table::{Column, Sheet};

/// Returns the table in a text; nothing when its lines do not have the same number of cells.
pub(super) fn parse(text: &str, separator: char) -> Option<Sheet> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = rows(text, separator);
    if rows.is_empty() {
        return None;
    }
    let head = rows.remove(0);
    if rows.iter().any(|row| row.len() != head.len()) {
        return None;
    }
    let mut columns: Vec<Column> =
        head.into_iter().map(|name| Column { name, dtype: String::new(), cells: Vec::new() }).collect();
    for row in rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            column.cells.push((!cell.is_empty()).then_some(cell));
        }
    }
    for column in &mut columns {
        column.dtype = dtype(column).to_owned();
    }
    Some(Sheet { columns })
}

/// Returns what all cells of a column can be read as.
fn dtype(column: &Column) -> &'static str {
    let all = |holds: fn(&str) -> bool| column.cells.iter().flatten().all(|cell| holds(cell));
    if column.cells.iter().all(Option::is_none) {
        "empty"
    } else if all(|cell| cell.parse::<i64>().is_ok()) {
        "int"
    } else if all(|cell| cell.parse::<f64>().is_ok()) {
        "float"
    } else {
        "str"
    }
}

/// Returns the cells of every row; quoted ones may hold the separator, line ends and doubled quotes.
fn rows(text: &str, separator: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c if c == separator && !quoted => row.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    // Empty lines are no rows.
    rows.retain(|row| row.len() > 1 || row.first().is_some_and(|cell| !cell.is_empty()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_separators_and_line_ends() {
        let rows = rows("a,\"b,\"\"c\"\"\nd\",e\r\n\n1,,\"\"\n", ',');
        assert_eq!(rows, [vec!["a", "b,\"c\"\nd", "e"], vec!["1", "", ""]]);
    }

    #[test]
    fn a_ragged_text_is_no_table() {
        assert!(parse("a,b\n1\n", ',').is_none());
        let sheet = parse("\u{feff}a\tb\tc\n1\t2.5\tx\n3\t\ty", '\t');
        let dtypes: Vec<String> = sheet.into_iter().flat_map(|s| s.columns).map(|c| c.dtype).collect();
        assert_eq!(dtypes, ["int", "float", "str"]);
    }
}
