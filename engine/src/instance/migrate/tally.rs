//! What all rows of a table come to, by which two copies of it are compared.

use serde_json::Value as Json;

use super::inventory::Table;
use crate::value::{Value, sorted_json};

/// Rows seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    hasher: blake3::Hasher,
}

impl Tally {
    /// Adds the next row.
    pub(super) fn add(&mut self, table: &Table, values: &[Value]) {
        self.rows += 1;
        for (i, value) in values.iter().enumerate() {
            match value {
                Value::Null => drop(self.hasher.update(b"n")),
                Value::Bool(flag) => self.word(b'b', &[u8::from(*flag)]),
                Value::Int(int) => self.word(b'i', &int.to_le_bytes()),
                Value::DateTime(moment) => self.word(b'm', &moment.0.to_le_bytes()),
                Value::Bytes(bytes) => self.word(b'x', bytes),
                Value::Text(text) if table.is_document(i) => self.word(b'j', meaning(text).as_bytes()),
                other => self.word(b't', other.to_string().as_bytes()),
            }
        }
    }

    /// Adds what can be told from what comes before and after it.
    fn word(&mut self, kind: u8, bytes: &[u8]) {
        self.hasher.update(&[kind]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }

    /// Returns true when both have seen the same rows in the same order.
    pub(super) fn equals(&self, other: &Tally) -> bool {
        self.rows == other.rows && self.hasher.finalize() == other.hasher.finalize()
    }
}

/// Returns a JSON document in the one form that all texts of the same meaning share.
fn meaning(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(mut json) => {
            plain(&mut json);
            sorted_json(&json)
        }
        Err(_) => text.to_owned(),
    }
}

/// Writes whole numbers without a point, as PostgreSQL may have written them out.
fn plain(json: &mut Json) {
    match json {
        Json::Number(number) => {
            if let Some(real) = number.as_f64().filter(|real| real.fract() == 0.0 && real.abs() < 9e15) {
                *json = Json::from(real as i64);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(plain),
        Json::Object(map) => map.values_mut().for_each(plain),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::meaning;

    #[test]
    fn documents_of_one_meaning_have_one_form() {
        assert_eq!(meaning(r#"{"b": 1.0, "a": [1e3, "é"]}"#), meaning(r#"{"a":[1000,"\u00e9"],"b":1}"#));
        assert_ne!(meaning(r#"{"a": 1}"#), meaning(r#"{"a": "1"}"#));
        assert_ne!(meaning("1.5"), meaning("1"));
    }
}
