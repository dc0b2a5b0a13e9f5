//! Values of fields, and the one table between kinds, SQL and text.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::Value as Json;

use crate::error::{Error, Result};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// True or false.
    Bool,
    /// Whole number of 16 bits.
    SmallInt,
    /// Whole number of 32 bits.
    Int,
    /// Whole number of 64 bits.
    BigInt,
    /// Text of at most so many characters.
    Char(u16),
    /// Text of any length.
    Text,
    /// Day without time.
    Date,
    /// Moment in UTC, to the microsecond.
    DateTime,
    /// JSON document.
    Json,
}

impl Kind {
    /// Returns true for kinds whose values are text.
    pub fn is_text(self) -> bool {
        matches!(self, Kind::Char(_) | Kind::Text)
    }

    /// Returns true for whole numbers.
    pub fn is_int(self) -> bool {
        matches!(self, Kind::SmallInt | Kind::Int | Kind::BigInt)
    }

    /// Returns the name that error messages and `describe()` use, as users of the format know it.
    pub fn field_class(self) -> &'static str {
        match self {
            Kind::Bool => "BooleanField",
            Kind::SmallInt => "SmallIntegerField",
            Kind::Int => "IntegerField",
            Kind::BigInt => "BigIntegerField",
            Kind::Char(_) => "CharField",
            Kind::Text => "TextField",
            Kind::Date => "DateField",
            Kind::DateTime => "DateTimeField",
            Kind::Json => "JSONField",
        }
    }
}

/// A moment in UTC, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    fn naive(self) -> NaiveDateTime {
        DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH).naive_utc()
    }

    /// Returns the text that the format stores in SQLite: `YYYY-MM-DD HH:MM:SS.ffffff`, UTC without zone.
    pub fn to_sql(self) -> String {
        self.naive().format("%Y-%m-%d %H:%M:%S%.6f").to_string()
    }

    /// Returns the text shown to users: `YYYY-MM-DD HH:MM:SS UTC`.
    pub fn to_display(self) -> String {
        self.naive().format("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// Returns ISO 8601 with offset, as JSON output carries it.
    pub fn to_iso(self) -> String {
        self.naive().format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
    }

    /// Returns ISO 8601 as Python writes it: decimals only where there are any, and the zone on request.
    pub fn to_python_iso(self, zone: bool) -> String {
        let decimals = if self.0 % 1_000_000 == 0 { "" } else { "%.6f" };
        let zone = if zone { "+00:00" } else { "" };
        self.naive().format(&format!("%Y-%m-%dT%H:%M:%S{decimals}{zone}")).to_string()
    }

    /// Parses the text that SQLite databases of the format hold, without the cost of trying other forms.
    pub fn parse_sql(text: &str) -> Option<Timestamp> {
        let bytes = text.as_bytes();
        let number = |range: std::ops::Range<usize>| -> Option<i64> {
            bytes
                .get(range)?
                .iter()
                .try_fold(0i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
        };
        let plain = bytes.len() >= 19 && bytes[4] == b'-' && bytes[10] == b' ' && bytes[13] == b':';
        let decimals = bytes.len().saturating_sub(20);
        if !plain || decimals > 6 || (bytes.len() > 19 && bytes[19] != b'.') {
            return Timestamp::parse(text);
        }
        let day = NaiveDate::from_ymd_opt(
            i32::try_from(number(0..4)?).ok()?,
            u32::try_from(number(5..7)?).ok()?,
            u32::try_from(number(8..10)?).ok()?,
        )?;
        let days = i64::from(day.to_epoch_days());
        let seconds = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
        let fraction =
            if decimals == 0 { 0 } else { number(20..bytes.len())? * 10i64.pow(6 - decimals as u32) };
        Some(Timestamp((days * 86_400 + seconds) * 1_000_000 + fraction))
    }

    /// Parses the forms found in databases and given by users: `T` or blank, 0 to 6 decimals, optional zone.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let text = text.trim();
        if let Ok(moment) = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
            return Some(Timestamp(moment.timestamp_micros()));
        }
        let plain = text.replacen('T', " ", 1);
        for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
            if let Ok(moment) = NaiveDateTime::parse_from_str(&plain, format) {
                return Some(Timestamp(moment.and_utc().timestamp_micros()));
            }
        }
        NaiveDate::parse_from_str(&plain, "%Y-%m-%d")
            .ok()
            .and_then(|day| day.and_hms_opt(0, 0, 0))
            .map(|moment| Timestamp(moment.and_utc().timestamp_micros()))
    }
}

/// One value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Real number (only in JSON look-ups and aggregates; no field of the format holds one).
    Float(f64),
    /// Text.
    Text(String),
    /// Day.
    Date(NaiveDate),
    /// Moment.
    DateTime(Timestamp),
    /// JSON document, in a box: few values are documents, and every value has room for the largest kind.
    Json(Box<Json>),
    /// Bytes (no field of the format holds any; this engine's own tables do).
    Bytes(Box<[u8]>),
}

// A record holds one value per column, of which there are dozens, and many records are in memory at a time.
const _: () = assert!(size_of::<Value>() <= 24);

impl Value {
    /// Returns true for [`Value::Null`] and for the JSON literal null, which the format treats alike.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null) || self.as_json().is_some_and(Json::is_null)
    }

    /// Returns the JSON document, if it is one.
    pub fn as_json(&self) -> Option<&Json> {
        match self {
            Value::Json(json) => Some(json),
            _ => None,
        }
    }

    /// Returns the whole number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(*int),
            Value::Bool(flag) => Some(i64::from(*flag)),
            _ => None,
        }
    }

    /// Returns the text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the flag, if it is one (databases without booleans store 0 and 1).
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            Value::Int(int) => Some(*int != 0),
            _ => None,
        }
    }

    /// Returns the moment, if it is one.
    pub fn as_timestamp(&self) -> Option<Timestamp> {
        match self {
            Value::DateTime(moment) => Some(*moment),
            _ => None,
        }
    }

    /// Returns the value turned into `kind`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] when the value has no reading of that kind.
    pub fn cast(self, kind: Kind) -> Result<Value> {
        let refuse = |value: &Value| Err(Error::value(format!("{value} is no {}", kind.field_class())));
        match (kind, self) {
            (_, Value::Null) => Ok(Value::Null),
            (Kind::Bool, Value::Bool(flag)) => Ok(Value::Bool(flag)),
            (Kind::Bool, Value::Int(int @ (0 | 1))) => Ok(Value::Bool(int == 1)),
            (Kind::Bool, Value::Text(text)) if text == "True" || text == "true" => Ok(Value::Bool(true)),
            (Kind::Bool, Value::Text(text)) if text == "False" || text == "false" => Ok(Value::Bool(false)),
            (Kind::SmallInt | Kind::Int | Kind::BigInt, value) => match value {
                Value::Int(_) => Ok(value),
                Value::Bool(flag) => Ok(Value::Int(i64::from(flag))),
                Value::Float(real) if real.fract() == 0.0 && real.abs() < 9e15 => Ok(Value::Int(real as i64)),
                Value::Text(ref text) => match text.trim().parse() {
                    Ok(int) => Ok(Value::Int(int)),
                    Err(_) => refuse(&value),
                },
                other => refuse(&other),
            },
            (Kind::Char(_) | Kind::Text, value) => match value {
                Value::Text(_) => Ok(value),
                Value::Json(json) => Ok(Value::Text(python_json(&json))),
                other => Ok(Value::Text(other.to_string())),
            },
            (Kind::DateTime, Value::DateTime(moment)) => Ok(Value::DateTime(moment)),
            (Kind::DateTime, Value::Date(day)) => match day.and_hms_opt(0, 0, 0) {
                Some(moment) => Ok(Value::DateTime(Timestamp(moment.and_utc().timestamp_micros()))),
                None => refuse(&Value::Date(day)),
            },
            (Kind::DateTime, Value::Text(text)) => match Timestamp::parse(&text) {
                Some(moment) => Ok(Value::DateTime(moment)),
                None => refuse(&Value::Text(text)),
            },
            (Kind::Date, Value::Date(day)) => Ok(Value::Date(day)),
            (Kind::Date, Value::DateTime(moment)) => Ok(Value::Date(moment.naive().date())),
            (Kind::Date, Value::Text(text)) => match NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
                Ok(day) => Ok(Value::Date(day)),
                Err(_) => refuse(&Value::Text(text)),
            },
            (Kind::Json, value) => Ok(value.into_json().into()),
            (_, other) => refuse(&other),
        }
    }

    /// Returns the value as JSON, moments and days as ISO text.
    pub fn into_json(self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(flag),
            Value::Int(int) => Json::from(int),
            Value::Float(real) => Json::from(real),
            Value::Text(text) => Json::String(text),
            Value::Date(day) => Json::String(day.to_string()),
            Value::DateTime(moment) => Json::String(moment.to_iso()),
            Value::Json(json) => *json,
            Value::Bytes(bytes) => Json::String(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

impl fmt::Display for Value {
    /// Writes the value as messages and trees show it: texts bare, `None` for nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("None"),
            Value::Bool(true) => f.write_str("True"),
            Value::Bool(false) => f.write_str("False"),
            Value::Int(int) => write!(f, "{int}"),
            Value::Float(real) => write!(f, "{real}"),
            Value::Text(text) => f.write_str(text),
            Value::Date(day) => write!(f, "{day}"),
            Value::DateTime(moment) => f.write_str(&moment.to_display()),
            Value::Json(json) => f.write_str(&python_json(json)),
            Value::Bytes(bytes) => write!(f, "<{} bytes>", bytes.len()),
        }
    }
}

/// Returns JSON text with the separators that the format's writers use: `", "` and `": "`.
pub fn python_json(json: &Json) -> String {
    let mut text = String::new();
    write_python_json(json, false, &mut text);
    text
}

/// Returns [`python_json`] with the keys of every object sorted, the text that JSON hashes cover.
pub fn sorted_json(json: &Json) -> String {
    let mut text = String::new();
    write_python_json(json, true, &mut text);
    text
}

fn write_python_json(json: &Json, sorted: bool, out: &mut String) {
    match json {
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_python_json(item, sorted, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            if sorted {
                entries.sort_by(|a, b| a.0.cmp(b.0));
            }
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_json_text(key, out);
                out.push_str(": ");
                write_python_json(value, sorted, out);
            }
            out.push('}');
        }
        Json::String(text) => write_json_text(text, out),
        Json::Number(number) => out.push_str(&python_number(number)),
        other => out.push_str(&other.to_string()),
    }
}

/// Returns a number as Python writes it: `1e+20`, `1e-07`.
pub fn python_number(number: &serde_json::Number) -> String {
    let text = number.to_string();
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent.trim_start_matches('+')),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// Writes a JSON string the way the format's writers do: everything beyond ASCII is escaped.
fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

macro_rules! from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value { fn from(value: $from) -> Self { Value::$variant(value.into()) } })*
    };
}
from!(bool => Bool, i64 => Int, i32 => Int, u32 => Int, f64 => Float, String => Text, &str => Text, &String => Text,
      Timestamp => DateTime, Json => Json, NaiveDate => Date);

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
