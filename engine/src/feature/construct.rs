//! New features: the type checked, and compared with that of a feature of the same name.

use serde_json::Value as Json;

use crate::dtype::{self, Dtype};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::model;
use crate::record::{Record, python_literal};
use crate::value::Value;
use crate::write::Given;

impl Instance {
    /// Returns a new feature, or the existing one of the same name; beside the keywords of its fields there are `dtype` as
    /// text, and `cat_filters`, an object of look-ups that its labels match.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Validation`] without a type, for a registry that does not exist and where the feature of this
    /// name has another type, [`crate::ErrorKind::Value`] for what is no type, [`crate::ErrorKind::DoesNotExist`] for a
    /// type of records that does not exist, and those of [`crate::Session::construct`].
    pub fn feature(&self, given: &[Given<'_>], search_names: bool) -> Result<Record> {
        let (of_type, given): (Vec<Given<'_>>, Vec<Given<'_>>) =
            given.iter().cloned().partition(|(name, _)| matches!(*name, "dtype" | "cat_filters"));
        let passed = |name: &str| of_type.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let dtype = passed("dtype").and_then(Value::as_str);
        let filters: Vec<(String, Option<String>)> = match passed("cat_filters").and_then(Value::as_json) {
            Some(Json::Object(filters)) => filters.iter().map(filter).collect(),
            _ => Vec::new(),
        };
        let is_type = given.iter().any(|(name, value)| *name == "is_type" && value.as_bool() == Some(true));
        let text = match dtype {
            Some(text) => {
                let dtype: Dtype = text.parse()?;
                for target in dtype.targets() {
                    if let Some(within) = &target.within {
                        self.type_of(target.registry, within)?;
                    }
                }
                Some(dtype.with_filters(&filters)?.to_string())
            }
            None if is_type => None,
            None => return Err(dtype::missing()),
        };
        let mut made = self.construct_with(model::require("Feature")?, &given, search_names)?;
        let feature = &mut made.record;
        if made.existing {
            let known = feature.text("_dtype_str");
            if text.as_deref().is_some_and(|text| known != Some(text)) {
                return Err(Error::validation(format!(
                    "Feature {} already exists with dtype {}, you passed {}",
                    feature.text("name").unwrap_or_default(),
                    known.unwrap_or("None"),
                    text.unwrap_or_default()
                )));
            }
            return Ok(made.record);
        }
        feature.set("_dtype_str", text)?;
        if !is_type && !given.iter().any(|(name, _)| *name == "nullable") {
            feature.set("nullable", true)?;
        }
        Ok(made.record)
    }
}

/// Returns a look-up with the text that it is compared with, as types hold it.
fn filter((path, value): (&String, &Json)) -> (String, Option<String>) {
    let text = match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(python_literal(other)),
    };
    (path.clone(), text)
}
