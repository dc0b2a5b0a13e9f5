//! Words of errors about features.

use std::collections::BTreeMap;

use super::{Given, inferred};
use crate::error::Error;
use crate::record::Record;

/// Returns the error for keys that are no features, with how to make them.
pub(super) fn unknown(values: &[&(String, Given)]) -> Error {
    let names: Vec<String> = values.iter().map(|(name, _)| format!("'{name}'")).collect();
    let hints: Vec<String> = values
        .iter()
        .map(|(name, given)| {
            let dtype = inferred(given).unwrap_or_else(|| "?".to_owned());
            // A text may as well be the name of a label.
            let dtype = match dtype.as_str() {
                "str" => "cat ? str",
                "list[str]" => "list[cat ? str]",
                other => other,
            };
            format!("  ln.Feature(name='{name}', dtype='{dtype}').save()")
        })
        .collect();
    Error::validation(format!(
        "These keys could not be validated: [{}]\nHere is how to create a feature:\n\n{}",
        names.join(", "),
        hints.join("\n")
    ))
}

/// Returns how errors about values begin.
pub(super) fn prefix(
    host: &Record,
    verb: &str,
    values: &[(String, Given)],
    features: &BTreeMap<String, Record>,
) -> String {
    let registry = host.registry().name;
    let host = match host.text("name").filter(|_| registry == "Record") {
        Some(name) => format!("{registry} '{name}' (uid={})", host.uid()),
        None => format!("{registry} (uid={})", host.uid()),
    };
    let given: Vec<String> = values
        .iter()
        .filter_map(|(name, given)| {
            let feature = features.get(name)?;
            let dtype = feature.text("_dtype_str").unwrap_or_default();
            let name = feature.text("name").unwrap_or_default();
            Some(format!("'{name}' ({dtype})={}", given.shown()))
        })
        .collect();
    format!("Failed to {verb} features on {host}: {}. ", given.join(", "))
}
