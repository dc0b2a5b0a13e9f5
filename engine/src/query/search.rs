//! Search with the ranks of the format.
//!
//! Every searched field adds: 200 when it equals the query, 200 when one of its `|`-separated items does, 10 for a
//! whole sub-phrase, 8 when an item starts with the query and goes on without a blank, 2 when the hit follows the
//! start, a blank or `|`, 2 when it is followed by the end or a separator, 1 for containing it.

use super::{Case, Operand, Q, QuerySet, lookup, select};
use crate::db::{Cell, Sql, text_index};
use crate::error::{Error, Result};

pub(super) fn search(
    query: &QuerySet,
    text: &str,
    fields: &[&str],
    limit: Option<usize>,
    case: Case,
) -> Result<QuerySet> {
    let wanted = text.trim();
    let mut names: Vec<&str> = Vec::new();
    for field in fields {
        let registry = query.registry();
        let column = registry
            .column(&lookup::unalias(registry, field))
            .filter(|column| column.kind.is_text())
            .ok_or_else(|| Error::type_("Please pass a SQLRecord string field, e.g., `CellType.name`!"))?;
        names.push(column.column);
    }
    if names.is_empty() {
        names = text_index::searched(query.registry());
    }
    let op = if case == Case::Sensitive { "contains" } else { "icontains" };
    let hits = query.filter(Q::Or(
        names.iter().map(|name| Q::Is(format!("{name}__{op}"), Operand::One(wanted.into()))).collect(),
    ))?;
    let db = query.session().db();
    let among = text_index::candidates(db, query.registry(), &names, wanted);
    let indexed = among.is_some();
    let ranked = match rank(&hits, &names, wanted, case, among) {
        // A damaged index is no reason to find nothing.
        Err(_) if indexed => rank(&hits, &names, wanted, case, None)?,
        ranked => ranked?,
    };
    let best = ranked.into_iter().take(limit.unwrap_or(usize::MAX));
    query.ranked(best.map(|(_, id)| id).collect())
}

/// Returns the ranks and ids of the hits, best first; `among` holds for all of them.
fn rank(
    hits: &QuerySet,
    names: &[&str],
    wanted: &str,
    case: Case,
    among: Option<Sql>,
) -> Result<Vec<(u32, i64)>> {
    let needle = fold(wanted, case);
    let mut ranked: Vec<(u32, i64)> = Vec::new();
    let mut columns = vec!["id"];
    columns.extend(names);
    let sql = select::select_among(hits, select::columns(&columns), among)?;
    hits.session().db().each(&sql, &mut |cells| {
        let mut rank = 0;
        for cell in &cells[1..] {
            if let Cell::Text(field) = cell {
                rank += weight(&fold(field, case), &needle);
            }
        }
        if let (Cell::Int(id), true) = (cells[0], rank > 0) {
            ranked.push((rank, id));
        }
        Ok(())
    })?;
    if !hits.ordered() {
        // The order of the database depends on the index it takes.
        ranked.sort_by_key(|(_, id)| *id);
    }
    ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    Ok(ranked)
}

fn fold(text: &str, case: Case) -> String {
    match case {
        Case::Ignored => text.to_lowercase(),
        Case::Sensitive => text.to_owned(),
    }
}

/// Returns the rank that one field adds.
pub(super) fn weight(field: &str, needle: &str) -> u32 {
    if needle.is_empty() {
        return u32::from(field.is_empty()) * 200 + 1;
    }
    if !field.contains(needle) {
        return 0;
    }
    let separator = |c: char| matches!(c, ' ' | '|' | '.' | ',' | ';' | ':');
    let mut rank = 1;
    rank += if field == needle { 200 } else { 0 };
    rank += if field.split('|').any(|item| item == needle) { 200 } else { 0 };
    let (mut phrase, mut after_start, mut before_end, mut item_start) = (false, false, false, false);
    for (at, _) in field.match_indices(needle) {
        let before = field[..at].chars().next_back();
        let after = field[at + needle.len()..].chars().next();
        let left = before.is_none_or(|c| c == ' ' || c == '|');
        let right = after.is_none_or(separator);
        after_start |= left;
        before_end |= right;
        phrase |= before.is_none_or(separator) && right;
        let rest = field[at + needle.len()..].split('|').next().unwrap_or_default();
        item_start |= before.is_none_or(|c| c == '|') && !rest.contains(' ');
    }
    rank += if phrase { 10 } else { 0 };
    rank += if item_start { 8 } else { 0 };
    rank += if after_start { 2 } else { 0 };
    rank += if before_end { 2 } else { 0 };
    rank
}

#[cfg(test)]
mod tests {
    use super::weight;

    #[test]
    fn ranks_add_up_as_the_format_says() {
        assert_eq!(
            weight("t cell", "t cell"),
            200 + 200 + 10 + 8 + 2 + 2 + 1,
            "an equal field gets every part"
        );
        assert_eq!(weight("cd4 t cell", "t cell"), 10 + 2 + 2 + 1, "a whole phrase inside");
        assert_eq!(weight("a|t cell|b", "t cell"), 200 + 10 + 8 + 2 + 2 + 1, "an equal synonym");
        assert_eq!(weight("xyz", "y"), 1, "only inside");
        assert_eq!(weight("xyz", "q"), 0, "nowhere");
    }
}
