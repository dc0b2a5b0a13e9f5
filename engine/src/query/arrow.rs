//! Tables as Arrow record batches (feature `arrow`).

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, RecordBatchOptions,
    StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{Field, Schema};
use chrono::NaiveDate;

use super::table::{ColumnData, Table};
use crate::error::{Error, Result};

impl Table {
    /// Returns the rows as one record batch: a column per look-up, in the order asked for, each nullable.
    ///
    /// Moments are microseconds in UTC, days `Date32`, JSON documents text.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] when Arrow refuses the columns.
    pub fn to_arrow(&self) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> = self.columns.iter().map(|column| array(&column.data)).collect();
        let fields = self.columns.iter().zip(&arrays);
        let fields = fields.map(|(column, array)| Field::new(&column.name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        // Without columns, the number of rows is known from nothing else.
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(schema, arrays, &options)
            .map_err(|failure| Error::value(format!("Arrow refused the table: {failure}")))
    }
}

fn array(data: &ColumnData) -> ArrayRef {
    match data {
        ColumnData::Bool(values) => Arc::new(BooleanArray::from(values.clone())),
        ColumnData::Int(values) => Arc::new(Int64Array::from(values.clone())),
        ColumnData::Float(values) => Arc::new(Float64Array::from(values.clone())),
        ColumnData::Text(values) | ColumnData::Json(values) => Arc::new(StringArray::from_iter(values)),
        ColumnData::Moment(values) => {
            Arc::new(TimestampMicrosecondArray::from(values.clone()).with_timezone("UTC"))
        }
        ColumnData::Day(values) => {
            let day = |text: &String| text.parse().ok().map(|day: NaiveDate| days_since_1970(day));
            Arc::new(values.iter().map(|text| text.as_ref().and_then(day)).collect::<Date32Array>())
        }
    }
}

fn days_since_1970(day: NaiveDate) -> i32 {
    i32::try_from((day - NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}
