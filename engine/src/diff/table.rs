//! Tables: columns, numbers of rows, and rows told apart by a key.

use std::collections::{HashMap, HashSet};

use super::Options;
use crate::error::{Error, Result};

/// A cell as text; null is nothing.
pub type Cell = Option<String>;

/// A column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type of the values.
    pub dtype: String,
    /// Values, row by row.
    pub cells: Vec<Cell>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// Columns of the same length.
    pub columns: Vec<Column>,
}

/// A row that both tables have, with other values.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    /// Values of the key.
    pub key: String,
    /// Column, value in the first table, value in the second.
    pub cells: Vec<[String; 3]>,
}

/// The difference of two tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tables {
    /// Columns with their types that only the second has.
    pub columns_added: Vec<(String, String)>,
    /// Columns with their types that only the first has.
    pub columns_removed: Vec<(String, String)>,
    /// Columns whose type differs: name, type in the first, type in the second.
    pub columns_changed: Vec<[String; 3]>,
    /// Numbers of rows.
    pub rows: [usize; 2],
    /// Columns that tell rows apart; none when rows are told apart by their number.
    pub key: Vec<String>,
    /// Keys of rows that only the second has, as many as were asked for.
    pub added: Vec<String>,
    /// Keys of rows that only the first has, as many as were asked for.
    pub removed: Vec<String>,
    /// Rows with other values, as many as were asked for.
    pub changed: Vec<RowChange>,
    /// How many rows were added, removed, changed, and are the same.
    pub counts: [usize; 4],
}

impl Sheet {
    fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the key of every row; nothing when two rows share one.
    fn keys(&self, names: &[String]) -> Option<Vec<String>> {
        let columns: Vec<&Column> = names.iter().filter_map(|name| self.column(name)).collect();
        let key = |row: usize| {
            let cells = columns.iter().map(|column| shown(&column.cells[row]));
            cells.collect::<Vec<_>>().join(", ")
        };
        let keys: Vec<String> = (0..self.rows()).map(key).collect();
        let mut seen = HashSet::with_capacity(keys.len());
        keys.iter().all(|key| seen.insert(key.as_str())).then_some(keys)
    }
}

fn shown(cell: &Cell) -> String {
    cell.clone().unwrap_or_else(|| "—".to_owned())
}

/// Returns how two tables differ.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a key that is not a column of both or does not tell rows apart.
pub fn tables(a: &Sheet, b: &Sheet, options: &Options) -> Result<Tables> {
    let mut found = Tables { rows: [a.rows(), b.rows()], ..Tables::default() };
    let only = |of: &Sheet, other: &Sheet| -> Vec<(String, String)> {
        let missing = of.columns.iter().filter(|column| other.column(&column.name).is_none());
        missing.map(|column| (column.name.clone(), column.dtype.clone())).collect()
    };
    (found.columns_added, found.columns_removed) = (only(b, a), only(a, b));
    let shared: Vec<(&Column, &Column)> =
        a.columns.iter().filter_map(|column| Some((column, b.column(&column.name)?))).collect();
    found.columns_changed = shared
        .iter()
        .filter(|(a, b)| a.dtype != b.dtype)
        .map(|(a, b)| [a.name.clone(), a.dtype.clone(), b.dtype.clone()])
        .collect();
    let (keys_a, keys_b) = keys(a, b, &shared, options, &mut found.key)?;
    let rows_of_b: HashMap<&str, usize> =
        keys_b.iter().enumerate().map(|(row, key)| (key.as_str(), row)).collect();
    let compared: Vec<&(&Column, &Column)> =
        shared.iter().filter(|(a, _)| !found.key.contains(&a.name)).collect();
    let mut kept = HashSet::with_capacity(keys_a.len());
    for (row, key) in keys_a.iter().enumerate() {
        let Some(&other) = rows_of_b.get(key.as_str()) else {
            found.counts[1] += 1;
            if found.removed.len() < options.most {
                found.removed.push(key.clone());
            }
            continue;
        };
        kept.insert(key.as_str());
        let differ = compared.iter().filter(|(a, b)| a.cells[row] != b.cells[other]);
        let cells: Vec<[String; 3]> =
            differ.map(|(a, b)| [a.name.clone(), shown(&a.cells[row]), shown(&b.cells[other])]).collect();
        if cells.is_empty() {
            found.counts[3] += 1;
            continue;
        }
        found.counts[2] += 1;
        if found.changed.len() < options.most {
            found.changed.push(RowChange { key: key.clone(), cells });
        }
    }
    for key in keys_b.iter().filter(|key| !kept.contains(key.as_str())) {
        found.counts[0] += 1;
        if found.added.len() < options.most {
            found.added.push(key.clone());
        }
    }
    Ok(found)
}

/// Returns the keys of all rows of both: by the columns asked for, else by the first column that tells the rows of both
/// apart and is no fraction, else by number.
fn keys(
    a: &Sheet,
    b: &Sheet,
    shared: &[(&Column, &Column)],
    options: &Options,
    chosen: &mut Vec<String>,
) -> Result<(Vec<String>, Vec<String>)> {
    if !options.key.is_empty() {
        for name in &options.key {
            if !shared.iter().any(|(column, _)| column.name == *name) {
                return Err(Error::value(format!(
                    "'{name}' is not a column of both tables: choose another key"
                )));
            }
        }
        let (Some(of_a), Some(of_b)) = (a.keys(&options.key), b.keys(&options.key)) else {
            return Err(Error::value(format!(
                "{} does not tell rows apart: add columns to the key",
                options.key.join(", ")
            )));
        };
        *chosen = options.key.clone();
        return Ok((of_a, of_b));
    }
    for (column, _) in shared.iter().filter(|(a, b)| ![a, b].iter().any(|c| c.dtype.contains("float"))) {
        let name = [column.name.clone()];
        if column.cells.iter().all(Option::is_some)
            && let (Some(of_a), Some(of_b)) = (a.keys(&name), b.keys(&name))
        {
            *chosen = name.to_vec();
            return Ok((of_a, of_b));
        }
    }
    let numbered = |sheet: &Sheet| (1..=sheet.rows()).map(|row| row.to_string()).collect();
    Ok((numbered(a), numbered(b)))
}
