//! The kinds of things that commands take: registries in every spelling, and instances.

use holotype::model::{self, Registry};

use crate::error::{Failure, Result};

/// Registries that messages list when a word names none, most used first.
const COMMON: [&str; 8] =
    ["artifact", "branch", "collection", "project", "record", "run", "transform", "ulabel"];

/// Returns the registry that a word names: `artifact`, `artifacts`, `ULabel`, `cell-type`, `bionty.CellType`.
pub(crate) fn find(word: &str) -> Option<&'static Registry> {
    let word = plain(word);
    singulars(&word).find_map(|word| {
        let mut registries = model::all().iter().filter(|registry| !registry.traits.link);
        registries.find(|registry| word == plain(registry.name) || word == plain(&registry.qualified_name()))
    })
}

/// Returns the registry that a word names.
///
/// # Errors
/// A message with the words that are understood.
pub(crate) fn require(word: &str) -> Result<&'static Registry> {
    find(word).ok_or_else(|| {
        let names = model::all().iter().filter(|registry| !registry.traits.link).map(|registry| registry.name);
        let meant = model::nearest(word, names).map(|name| format!(" Did you mean {}?", name.to_lowercase()));
        Failure::Told(format!(
            "Entity must be a URL of a record or one of: {}, or any other registry, but you passed '{word}'.{}",
            COMMON.join(", "),
            meant.unwrap_or_default()
        ))
    })
}

/// Returns the word for a registry in messages: `artifact`, `ulabel`, `celltype`.
pub(crate) fn noun(registry: &Registry) -> String {
    crate::voice::noun(registry.name)
}

/// Returns a word without the signs in which spellings differ.
fn plain(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Returns the word itself and what it may be the plural of.
fn singulars(word: &str) -> impl Iterator<Item = String> {
    let cut = |end: &str, to: &str| word.strip_suffix(end).map(|stem| format!("{stem}{to}"));
    [Some(word.to_owned()), cut("ies", "y"), cut("s", ""), cut("es", "")].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_answer_to_every_spelling() {
        for (word, name) in [
            ("artifact", "Artifact"),
            ("Artifacts", "Artifact"),
            ("branches", "Branch"),
            ("spaces", "Space"),
            ("ULabel", "ULabel"),
            ("ulabels", "ULabel"),
            ("cell-type", "CellType"),
            ("cell_types", "CellType"),
            ("bionty.CellType", "CellType"),
            ("ethnicities", "Ethnicity"),
            ("diseases", "Disease"),
        ] {
            assert!(find(word).is_some_and(|found| found.name.ends_with(name)), "{word}");
        }
        assert!(find("instance").is_none());
    }

    #[test]
    fn an_unknown_word_gets_a_guess() {
        let failure = require("artefact").map(|_| ()).unwrap_err();
        assert!(failure.to_string().contains("Did you mean artifact?"), "{failure}");
    }
}
