//! Pieces of the words about names and values: similar names, validation, inspection.

use super::{noun, quoted_list};

/// So many values are listed before the rest is cut off.
const MOST: usize = 10;

/// Returns the message about values whose records were found where others were not.
pub(super) fn loaded(registry: &str, field: &str, values: &[String]) -> String {
    let (n, s) = (values.len(), plural(values.len()));
    let registry = registry.rsplit('.').next().unwrap_or(registry);
    format!("loaded {n} {registry} record{s} matching {field}: {}", quoted_list(values, MOST))
}

/// Returns the message about values for which no record was made.
pub(super) fn not_created(registry: &str, field: &str, values: &[String]) -> String {
    let (n, s) = (values.len(), plural(values.len()));
    let registry = registry.rsplit('.').next().unwrap_or(registry);
    let values = quoted_list(values, MOST);
    format!("did not create {registry} record{s} for {n} non-validated {field}{s}: {values}")
}

/// Returns the message about empty and repeated values.
pub(super) fn received(unique: usize, ignored: usize) -> String {
    let are = if ignored == 1 { "term is" } else { "terms are" };
    format!("received {unique} unique term{}, {ignored} empty/duplicated {are} ignored", plural(unique))
}

/// Returns the message about values that are not in the registry.
pub(super) fn not_validated(values: &[String], unique: usize, field: &str) -> String {
    format!("{} validated for {field}: {}", share(values.len(), unique, " not"), quoted_list(values, MOST))
}

/// Returns the warning that a name resembles others.
pub(super) fn similar(registry: &str, field: &str, name: &str, similar: &[String]) -> String {
    let (found, them) = match similar.len() {
        1 => ("a record with similar name exists", "it"),
        _ => ("records with similar names exist", "one of them"),
    };
    format!(
        "you are trying to create a {} with {field}='{name}' but {found}: {}. Did you mean to load {them}?",
        noun(registry),
        quoted_list(similar, MOST)
    )
}

/// Returns `1 unique term (33.30%) is`: the share is rounded to one decimal and written with two.
pub(super) fn share(n: usize, unique: usize, not: &str) -> String {
    let percent = if unique == 0 { 0.0 } else { n as f64 * 100.0 / unique as f64 };
    let is = if n == 1 { "is" } else { "are" };
    format!("{n} unique term{} ({percent:.1}0%) {is}{not}", plural(n))
}

/// Returns the lines that an inspection adds for values that are not valid.
pub(super) fn inspected(registry: &str, synonyms: &[String], unknown: &[String]) -> String {
    let mut lines = Vec::new();
    if !synonyms.is_empty() {
        let list: Vec<&str> = synonyms.iter().take(MOST).map(String::as_str).collect();
        let more = if synonyms.len() > MOST { ", ..." } else { "" };
        lines.push(format!(
            "   detected {} unique terms with synonym: {}{more}",
            synonyms.len(),
            list.join(", ")
        ));
        lines.push("→  standardize terms via .standardize()".to_owned());
    }
    if !unknown.is_empty() {
        let (n, s) = (unknown.len(), plural(unknown.len()));
        let registry = registry.rsplit('.').next().unwrap_or(registry);
        lines.push(format!("   couldn't validate {n} term{s}: {}", quoted_list(unknown, MOST)));
        lines.push(format!(
            "→  if you are sure, create new record{s} via {registry}() and save to your registry"
        ));
    }
    lines.join("\n")
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
