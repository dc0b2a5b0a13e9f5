//! The type that fits a value, and the value that fits a type.

use serde_json::Value as Json;

use super::Given;
use crate::dtype::Dtype;
use crate::error::Result;
use crate::instance::Instance;
use crate::model::Module;
use crate::query::features_called;
use crate::value::Timestamp;

/// Returns the text of the type that fits a value; `None` where nothing does.
pub fn inferred(given: &Given) -> Option<String> {
    let Some(items) = given.items() else { return item(given) };
    let mut types = items.iter().map(item);
    let first = types.next()??;
    types.all(|other| other.as_ref() == Some(&first)).then(|| format!("list[{first}]"))
}

fn item(given: &Given) -> Option<String> {
    let name = match given {
        Given::Plain(Json::Bool(_)) => "bool",
        Given::Plain(Json::Number(number)) if number.is_f64() => "float",
        Given::Plain(Json::Number(_)) => "int",
        Given::Plain(Json::String(text)) => match text.parse::<chrono::NaiveDate>() {
            Ok(_) => "date",
            Err(_) if text.len() > 10 && Timestamp::parse(text).is_some() => "datetime",
            Err(_) => "str",
        },
        Given::Plain(Json::Object(_)) => "dict",
        Given::Day(_) => "date",
        Given::Moment(_) => "datetime",
        Given::Label(record) => {
            let registry = record.registry();
            return Some(match registry.module {
                Module::Lamindb => format!("cat[{}]", registry.name),
                Module::Bionty => format!("cat[{}]", registry.qualified_name()),
            });
        }
        Given::Plain(_) | Given::Many(_) => return None,
    };
    Some(name.to_owned())
}

impl Instance {
    /// Returns the values that texts stand for, by the types of their features: where only texts can be given, as on a
    /// command line. Texts that no value of the type has stay texts, and are refused where they are written.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Validation`] for a name that several features have.
    pub fn read_features(&self, texts: &[(String, String)]) -> Result<Vec<(String, Given)>> {
        let names: Vec<String> = texts.iter().map(|(name, _)| name.clone()).collect();
        let features = features_called(self, &names)?;
        let dtype = |name| features.get(name)?.text("_dtype_str")?.parse::<Dtype>().ok();
        Ok(texts
            .iter()
            .map(|(name, text)| {
                let value = dtype(name).map_or_else(|| plain(text), |dtype| read(text, &dtype));
                (name.clone(), value)
            })
            .collect())
    }
}

fn plain(text: &str) -> Given {
    Given::Plain(Json::String(text.to_owned()))
}

fn read(text: &str, dtype: &Dtype) -> Given {
    use crate::dtype::Simple::{Bool, Date, DateTime, Dict, Float, Int, Num, UtcDateTime};
    if dtype.list {
        let one = Dtype { list: false, item: dtype.item.clone() };
        return Given::Many(text.split(',').map(|item| read(item.trim(), &one)).collect());
    }
    let value = match dtype.simple() {
        Some(Int) => text.parse::<i64>().ok().map(|int| Given::Plain(int.into())),
        Some(Float) => text.parse::<f64>().ok().map(|real| Given::Plain(real.into())),
        Some(Num) => serde_json::from_str(text).ok().filter(Json::is_number).map(Given::Plain),
        Some(Bool) => match text {
            "true" | "True" => Some(Given::Plain(true.into())),
            "false" | "False" => Some(Given::Plain(false.into())),
            _ => None,
        },
        Some(Dict) => serde_json::from_str(text).ok().map(Given::Plain),
        Some(Date) => text.parse().ok().map(Given::Day),
        Some(DateTime | UtcDateTime) => Timestamp::parse(text).map(Given::Moment),
        _ => None,
    };
    value.unwrap_or_else(|| plain(text))
}
