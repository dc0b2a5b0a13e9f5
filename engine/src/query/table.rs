//! Results as columns.

use crate::db::Cell;
use crate::value::{Kind, Timestamp};

/// The values of one column, `None` where the database holds null.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Flags.
    Bool(Vec<Option<bool>>),
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Numbers with a fraction.
    Float(Vec<Option<f64>>),
    /// Texts.
    Text(Vec<Option<String>>),
    /// Moments, in microseconds since 1970 UTC.
    Moment(Vec<Option<i64>>),
    /// Days as ISO text.
    Day(Vec<Option<String>>),
    /// JSON documents as text.
    Json(Vec<Option<String>>),
}

/// A column with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct TableColumn {
    /// The look-up that was asked for.
    pub name: String,
    /// The values.
    pub data: ColumnData,
}

/// Rows of a query, column by column.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    /// Number of rows.
    pub rows: usize,
    /// Columns in the order asked for.
    pub columns: Vec<TableColumn>,
}

impl ColumnData {
    /// Returns an empty column; no kind stands for numbers with a fraction.
    pub(super) fn new(kind: Option<Kind>) -> Self {
        let Some(kind) = kind else { return ColumnData::Float(Vec::new()) };
        match kind {
            Kind::Bool => ColumnData::Bool(Vec::new()),
            Kind::SmallInt | Kind::Int | Kind::BigInt => ColumnData::Int(Vec::new()),
            Kind::Char(_) | Kind::Text => ColumnData::Text(Vec::new()),
            Kind::DateTime => ColumnData::Moment(Vec::new()),
            Kind::Date => ColumnData::Day(Vec::new()),
            Kind::Json => ColumnData::Json(Vec::new()),
        }
    }

    pub(super) fn push(&mut self, cell: Cell<'_>) {
        let text = |cell: Cell<'_>| match cell {
            Cell::Null => None,
            Cell::Text(text) => Some(text.to_owned()),
            Cell::Moment(moment) => Some(moment.to_sql()),
            Cell::Day(day) => Some(day.to_string()),
            Cell::Int(int) => Some(int.to_string()),
            Cell::Real(real) => Some(real.to_string()),
            Cell::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        };
        match self {
            ColumnData::Bool(values) => values.push(match cell {
                Cell::Int(int) => Some(int != 0),
                _ => None,
            }),
            ColumnData::Int(values) => values.push(match cell {
                Cell::Int(int) => Some(int),
                Cell::Real(real) => Some(real as i64),
                Cell::Text(text) => text.parse().ok(),
                _ => None,
            }),
            ColumnData::Float(values) => values.push(match cell {
                Cell::Real(real) => Some(real),
                Cell::Int(int) => Some(int as f64),
                _ => None,
            }),
            ColumnData::Moment(values) => values.push(match cell {
                Cell::Text(text) => Timestamp::parse_sql(text).map(|moment| moment.0),
                Cell::Moment(moment) => Some(moment.0),
                Cell::Int(micros) => Some(micros),
                _ => None,
            }),
            ColumnData::Text(values) | ColumnData::Day(values) => values.push(text(cell)),
            ColumnData::Json(values) => values.push(text(cell).filter(|text| text != "null")),
        }
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        match self {
            ColumnData::Bool(values) => values.len(),
            ColumnData::Int(values) | ColumnData::Moment(values) => values.len(),
            ColumnData::Float(values) => values.len(),
            ColumnData::Text(values) | ColumnData::Day(values) | ColumnData::Json(values) => values.len(),
        }
    }

    /// Returns true when there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn permute(&mut self, order: &[usize]) {
        fn pick<T: Clone>(values: &mut Vec<T>, order: &[usize]) {
            *values = order.iter().map(|i| values[*i].clone()).collect();
        }
        match self {
            ColumnData::Bool(values) => pick(values, order),
            ColumnData::Int(values) | ColumnData::Moment(values) => pick(values, order),
            ColumnData::Float(values) => pick(values, order),
            ColumnData::Text(values) | ColumnData::Day(values) | ColumnData::Json(values) => {
                pick(values, order)
            }
        }
    }
}
