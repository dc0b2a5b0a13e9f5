//! Values on their way to the server and back.

use std::error::Error as StdError;

use bytes::BytesMut;
use chrono::{Days, NaiveDate};
use tokio_postgres::Row;

use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type};

use crate::db::Cell;
use crate::value::{Timestamp, Value};

type Failure = Box<dyn StdError + Sync + Send>;

/// Microseconds from 1970 to 2000, where PostgreSQL starts to count.
const EPOCH: i64 = 946_684_800_000_000;

/// A parameter; texts are sent as literals are, so that the server reads them as what the place wants.
#[derive(Debug)]
pub(super) struct Param<'a>(pub(super) &'a Value);

impl Param<'_> {
    /// Returns the type that the statement is told; `UNKNOWN` lets the server find out.
    pub(super) fn type_(&self) -> Type {
        match self.0 {
            Value::Bool(_) => Type::BOOL,
            Value::Int(_) => Type::INT8,
            Value::Float(_) => Type::FLOAT8,
            Value::Date(_) => Type::DATE,
            Value::DateTime(_) => Type::TIMESTAMPTZ,
            Value::Json(_) => Type::JSONB,
            Value::Bytes(_) => Type::BYTEA,
            Value::Null | Value::Text(_) => Type::UNKNOWN,
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Json(json) if json.is_null() => return Ok(IsNull::Yes),
            Value::Bool(flag) => out.extend_from_slice(&[u8::from(*flag)]),
            Value::Int(int) => out.extend_from_slice(&int.to_be_bytes()),
            Value::Float(real) => out.extend_from_slice(&real.to_be_bytes()),
            // No text of the server holds NUL, and none is ever written with it: a sign that is no character equals none.
            Value::Text(text) if text.contains('\0') => {
                out.extend_from_slice(text.replace('\0', "\u{FFFF}").as_bytes());
            }
            Value::Text(text) => out.extend_from_slice(text.as_bytes()),
            Value::Date(day) => out.extend_from_slice(day.to_string().as_bytes()),
            Value::DateTime(moment) => out.extend_from_slice(moment.to_iso().as_bytes()),
            Value::Json(json) => out.extend_from_slice(json.to_string().as_bytes()),
            Value::Bytes(bytes) => out.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, type_: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        self.to_sql(type_, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self.0 {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Bytes(_) => Format::Binary,
            _ => Format::Text,
        }
    }
}

/// The bytes of a cell as they came.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Puts the cells of a row into `cells`.
pub(super) fn read<'a>(row: &'a Row, cells: &mut Vec<Cell<'a>>) -> Result<(), tokio_postgres::Error> {
    for (i, column) in row.columns().iter().enumerate() {
        let raw: Option<Raw<'a>> = row.try_get(i)?;
        cells.push(raw.map_or(Cell::Null, |raw| cell(column.type_(), raw.0)));
    }
    Ok(())
}

fn cell<'a>(type_: &Type, raw: &'a [u8]) -> Cell<'a> {
    let known = match *type_ {
        Type::BOOL => raw.first().map(|byte| Cell::Int(i64::from(*byte))),
        Type::INT2 => raw.try_into().ok().map(|bytes| Cell::Int(i16::from_be_bytes(bytes).into())),
        Type::INT4 => raw.try_into().ok().map(|bytes| Cell::Int(i32::from_be_bytes(bytes).into())),
        Type::INT8 => raw.try_into().ok().map(|bytes| Cell::Int(i64::from_be_bytes(bytes))),
        Type::FLOAT4 => raw.try_into().ok().map(|bytes| Cell::Real(f32::from_be_bytes(bytes).into())),
        Type::FLOAT8 => raw.try_into().ok().map(|bytes| Cell::Real(f64::from_be_bytes(bytes))),
        Type::NUMERIC => numeric(raw),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => raw.try_into().ok().map(|bytes| {
            // The far ends mean "infinity".
            Cell::Moment(Timestamp(i64::from_be_bytes(bytes).saturating_add(EPOCH)))
        }),
        Type::DATE => raw.try_into().ok().and_then(|bytes| day(i32::from_be_bytes(bytes))).map(Cell::Day),
        // The first byte is the version of the form.
        Type::JSONB => raw.get(1..).and_then(|raw| std::str::from_utf8(raw).ok()).map(Cell::Text),
        Type::BYTEA => None,
        _ => std::str::from_utf8(raw).ok().map(Cell::Text),
    };
    known.unwrap_or(Cell::Bytes(raw))
}

fn day(since_2000: i32) -> Option<NaiveDate> {
    let start = NaiveDate::from_ymd_opt(2000, 1, 1)?;
    let days = Days::new(u64::from(since_2000.unsigned_abs()));
    if since_2000 < 0 { start.checked_sub_days(days) } else { start.checked_add_days(days) }
}

/// Returns the sum or average that the server computed: digits to the base of 10,000.
fn numeric(raw: &[u8]) -> Option<Cell<'static>> {
    let word = |i: usize| Some(i16::from_be_bytes(raw.get(2 * i..2 * i + 2)?.try_into().ok()?));
    let (digits, weight, sign) = (usize::try_from(word(0)?).ok()?, i32::from(word(1)?), word(2)? as u16);
    let (mut whole, mut real) = (Some(0i128), 0f64);
    for i in 0..digits {
        let digit = word(4 + i)?;
        real += f64::from(digit) * 10_000f64.powi(weight - i32::try_from(i).ok()?);
        whole = whole.and_then(|whole| whole.checked_mul(10_000)?.checked_add(digit.into()));
    }
    let trailing = weight + 1 - i32::try_from(digits).ok()?;
    let whole = match u32::try_from(trailing) {
        Ok(zeros) => whole.and_then(|whole| whole.checked_mul(10_000i128.checked_pow(zeros)?)),
        Err(_) => None,
    };
    let minus = match sign {
        0 => false,
        0x4000 => true,
        _ => return Some(Cell::Real(f64::NAN)),
    };
    let scale = word(3)?;
    match whole.and_then(|whole| i64::try_from(if minus { -whole } else { whole }).ok()) {
        Some(int) if scale == 0 => Some(Cell::Int(int)),
        _ => Some(Cell::Real(if minus { -real } else { real })),
    }
}
