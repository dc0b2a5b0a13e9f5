//! The nearest name, for messages that guess what was meant.

/// Returns the candidate that is closest to `name`, if it is close enough to be a slip.
///
/// Upper and lower case count as equal; a slip touches at most a third of the characters, or two.
///
/// ```
/// use holotype::model::nearest;
/// assert_eq!(nearest("descripton", ["description", "key"]), Some("description"));
/// assert_eq!(nearest("zebra", ["description", "key"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let limit = (name.len() / 3).max(2).min(name.len().saturating_sub(1));
    candidates
        .into_iter()
        .map(|candidate| (distance(&name, &candidate.to_lowercase().chars().collect::<Vec<_>>()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns the number of insertions, deletions, replacements and swaps of neighbours between two texts.
fn distance(a: &[char], b: &[char]) -> usize {
    let (mut before, mut last) = (vec![0; b.len() + 1], (0..=b.len()).collect::<Vec<_>>());
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_refuses_strangers() {
        let names = ["Artifact", "Collection", "Record", "Run", "ULabel", "User"];
        assert_eq!(nearest("Artefact", names), Some("Artifact"));
        assert_eq!(nearest("ulabel", names), Some("ULabel"));
        assert_eq!(nearest("Recrod", names), Some("Record"));
        assert_eq!(nearest("Ru", names), Some("Run"));
        assert_eq!(nearest("Molecule", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("x", names), None);
    }

    #[test]
    fn counts_a_swap_once() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("key"), &chars("kye")), 1);
        assert_eq!(distance(&chars("kitten"), &chars("sitting")), 3);
        assert_eq!(distance(&chars(""), &chars("abc")), 3);
    }
}
