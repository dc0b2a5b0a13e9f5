//! The attribute names under which values are offered for completion.

use std::collections::HashSet;

use crate::model::Registry;

/// What stands before a value that does not start with a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupPrefix {
    /// `ln_`, for records.
    Record,
    /// `bt_`, for terms of public ontologies.
    Public,
}

/// Words of Python that cannot be the name of an attribute; capital letters never occur.
const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not",
    "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Returns the field whose values are offered when none is named: the name, else the first text that is no id.
pub fn lookup_field(registry: &'static Registry) -> Option<&'static str> {
    let text = |name: &&'static str| registry.column(name).is_some_and(|column| column.kind.is_text());
    let other = || {
        let mut columns = registry.columns.iter().filter(|column| column.kind.is_text() && !column.private());
        columns.find(|column| !column.name.contains("id")).map(|column| column.name)
    };
    registry.name_field.filter(text).or_else(other)
}

/// Returns the attribute name of every distinct value that is not empty, with the value, in the order of the values.
///
/// Different values may share an attribute name: the caller decides which one it stands for.
pub fn lookup_keys<'a>(
    values: impl IntoIterator<Item = &'a str>,
    prefix: LookupPrefix,
) -> Vec<(String, &'a str)> {
    let mut seen = HashSet::new();
    values
        .into_iter()
        .filter(|value| !value.is_empty() && seen.insert(*value))
        .map(|value| (identifier(value, prefix), value))
        .collect()
}

fn identifier(value: &str, prefix: LookupPrefix) -> String {
    let mut name = String::with_capacity(value.len() + 4);
    let mut gap = false;
    for c in value.chars() {
        let kept = c.is_ascii_alphanumeric() || c == '_';
        if kept {
            name.push(c.to_ascii_lowercase());
        } else if !gap {
            name.push('_');
        }
        gap = !kept;
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let prefix = if prefix == LookupPrefix::Record { "ln_" } else { "bt_" };
        name.insert_str(0, prefix);
    }
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;
    use proptest::prelude::*;

    #[test]
    fn values_become_attribute_names() {
        for (value, name) in [
            ("T cell", "t_cell"),
            ("CD8-positive, alpha-beta T cell", "cd8_positive_alpha_beta_t_cell"),
            ("3' gene", "ln_3_gene"),
            ("_x", "ln__x"),
            ("a_ b", "a__b"),
            ("class", "class_"),
            ("None", "none"),
            ("Zellgröße", "zellgr_e"),
            ("日本", "ln__"),
            ("data.", "data_"),
        ] {
            assert_eq!(identifier(value, LookupPrefix::Record), name, "{value}");
        }
        assert_eq!(identifier("4-cell", LookupPrefix::Public), "bt_4_cell");
    }

    #[test]
    fn empty_and_repeated_values_are_left_out() {
        let keys = lookup_keys(["b", "", "A", "b", "a"], LookupPrefix::Record);
        assert_eq!(keys, [("b".into(), "b"), ("a".into(), "A"), ("a".into(), "a")]);
    }

    #[test]
    fn the_default_field_names_the_record() {
        let field = |name| lookup_field(model::require(name).unwrap());
        assert_eq!(field("ULabel"), Some("name"));
        assert_eq!(field("Artifact"), Some("key"));
        assert_eq!(field("User"), Some("handle"));
        assert_eq!(field("Gene"), Some("symbol"));
        assert_eq!(field("Run"), Some("name"), "a moment names nothing");
        assert_eq!(field("Storage"), Some("root"));
    }

    proptest! {
        #[test]
        fn every_name_is_an_identifier(value in ".+") {
            let name = identifier(&value, LookupPrefix::Record);
            prop_assert!(name.starts_with(|c: char| c.is_ascii_alphabetic()));
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            prop_assert!(!KEYWORDS.contains(&name.as_str()));
        }
    }
}
