//! Tables in text files.

use super::table::{Column, Sheet};

/// Returns the table in a text; nothing when its lines do not have the same number of cells.
pub(super) fn parse(text: &str, separator: u8) -> Option<Sheet> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ::csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
    let head = reader.headers().ok()?;
    let column = |name: &str| Column { name: name.to_owned(), dtype: String::new(), cells: Vec::new() };
    let mut columns: Vec<Column> = head.iter().map(column).collect();
    if columns.is_empty() {
        return None;
    }
    for row in reader.records() {
        for (column, cell) in columns.iter_mut().zip(row.ok()?.iter()) {
            column.cells.push((!cell.is_empty()).then(|| cell.to_owned()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_separators_and_line_ends() {
        let sheet = parse("a,\"b,\"\"c\"\"\nd\",e\r\n\n1,,\"\"\n", b',');
        let columns: Vec<_> = sheet.into_iter().flat_map(|sheet| sheet.columns).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["a", "b,\"c\"\nd", "e"]);
        let cells: Vec<_> = columns.iter().map(|column| column.cells.clone()).collect();
        assert_eq!(cells, [vec![Some("1".to_owned())], vec![None], vec![None]]);
    }

    #[test]
    fn a_ragged_text_is_no_table() {
        assert!(parse("a,b\n1\n", b',').is_none());
        let sheet = parse("\u{feff}a\tb\tc\n1\t2.5\tx\n3\t\ty", b'\t');
        let dtypes: Vec<String> = sheet.into_iter().flat_map(|s| s.columns).map(|c| c.dtype).collect();
        assert_eq!(dtypes, ["int", "float", "str"]);
    }
}
