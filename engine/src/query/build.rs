//! Conditions turned into SQL: every relation becomes a semi-join, so that no record is returned twice.

use super::annotate::{self, Annotation};
use super::condition::{Operand, Q};
use super::lookup::{self, End, Hop, Lookup, Op};
use super::{json, moment, steer};
use crate::db::{Letters, Sql};
use crate::error::{Error, Result};
use crate::model::{Registry, Via};
use crate::value::{Kind, Value};

/// Parts joined in one row; more become a tree.
const FEW: usize = 8;

/// Levels of and, or, not that a condition may have.
const DEEPEST: usize = 250;

/// Bytes of a text that SQLite takes as part of a LIKE pattern.
const LONGEST: usize = 49_000;

/// What the parts of one statement share: the numbers of its table aliases, and the query's annotations.
#[derive(Default)]
pub(super) struct Aliases<'a> {
    last: usize,
    annotations: &'a [Annotation],
}

impl<'a> Aliases<'a> {
    /// Returns the aliases of a statement whose conditions may name annotations.
    pub(super) fn with(annotations: &'a [Annotation]) -> Self {
        Aliases { last: 0, annotations }
    }

    pub(super) fn next(&mut self) -> String {
        self.last += 1;
        format!("t{}", self.last)
    }
}

struct Term {
    lookup: Lookup,
    operand: Operand,
}

/// Returns the SQL condition for `q` on the rows of `registry` known as `alias`.
pub(super) fn condition(
    registry: &'static Registry,
    alias: &str,
    q: &Q,
    aliases: &mut Aliases<'_>,
) -> Result<Sql> {
    match q {
        Q::And(_) | Q::Is(..) => {
            let mut terms = Vec::new();
            let mut parts = Vec::new();
            flatten(registry, alias, q, aliases, &mut terms, &mut parts)?;
            parts.extend(conjunction(registry, alias, terms, aliases)?);
            Ok(all(parts))
        }
        Q::Or(alternatives) if alternatives.is_empty() => Ok(Sql::new("1 = 0")),
        Q::Or(alternatives) => {
            let mut parts = Vec::new();
            for alternative in alternatives {
                parts.push(condition(registry, alias, alternative, aliases)?);
            }
            Ok(balanced(" OR ", parts))
        }
        Q::Not(inner) => Ok(not(condition(registry, alias, inner, aliases)?)),
    }
}

/// Collects the look-ups that must hold together: those along one relation must hold for one and the same record.
fn flatten(
    registry: &'static Registry,
    alias: &str,
    q: &Q,
    aliases: &mut Aliases<'_>,
    terms: &mut Vec<Term>,
    parts: &mut Vec<Sql>,
) -> Result<()> {
    match q {
        Q::And(inner) => {
            for part in inner {
                flatten(registry, alias, part, aliases, terms, parts)?;
            }
        }
        Q::Is(path, operand) => {
            if let Some((annotation, op)) = annotate::find(aliases.annotations, path)? {
                parts.push(annotation.condition(registry, alias, (op, operand.clone()), aliases)?);
                return Ok(());
            }
            let lookup = lookup::parse(registry, path)?;
            let operand = cast(registry, &lookup, operand.clone())?;
            terms.push(Term { lookup, operand });
        }
        other => parts.push(condition(registry, alias, other, aliases)?),
    }
    Ok(())
}

fn cast(registry: &'static Registry, lookup: &Lookup, operand: Operand) -> Result<Operand> {
    let flag = |value: &Value| value.as_bool().is_some();
    Ok(match (lookup.op, operand) {
        (Op::IsNull, Operand::One(value)) if flag(&value) => Operand::One(value),
        (Op::IsNull, _) => {
            return Err(Error::value(format!("'{}__isnull' takes True or False", lookup.end.column.name)));
        }
        (Op::HasKey, Operand::One(value)) => Operand::One(Value::Text(value.to_string())),
        (Op::Range, Operand::Many(values)) if values.len() != 2 => {
            return Err(Error::value(format!("'{}__range' takes two values", lookup.end.column.name)));
        }
        (Op::In | Op::Range | Op::HasKeys | Op::HasAnyKeys, Operand::Many(values)) => Operand::Many(
            values.into_iter().map(|value| lookup::cast(registry, lookup, value)).collect::<Result<_>>()?,
        ),
        (Op::In, Operand::Query(query, field)) => Operand::Query(query, field),
        (Op::In | Op::Range | Op::HasKeys | Op::HasAnyKeys, _) => {
            return Err(Error::type_(format!("'{}' is compared with a list here", lookup.end.column.name)));
        }
        (_, Operand::One(value)) if is_text_op(lookup.op) => Operand::One(Value::Text(value.to_string())),
        (Op::Exact, Operand::One(value)) => Operand::One(lookup::cast(registry, lookup, value)?),
        (_, Operand::One(value)) => {
            if value.is_null() {
                return Err(Error::value(format!(
                    "Cannot compare '{}' with None: use {}__isnull=True",
                    lookup.end.column.name, lookup.end.column.name
                )));
            }
            Operand::One(lookup::cast(registry, lookup, value)?)
        }
        (_, Operand::Many(values)) if lookup.end.column.kind == Kind::Json => {
            Operand::One(values.into_iter().map(Value::into_json).collect::<serde_json::Value>().into())
        }
        (_, _) => {
            return Err(Error::type_(format!(
                "'{}' is compared with one value here: use {}__in for several",
                lookup.end.column.name, lookup.end.column.name
            )));
        }
    })
}

fn is_text_op(op: Op) -> bool {
    use Op::{Contains, EndsWith, IContains, IEndsWith, IExact, IRegex, IStartsWith, Regex, StartsWith};
    matches!(
        op,
        IExact | Contains | IContains | StartsWith | IStartsWith | EndsWith | IEndsWith | Regex | IRegex
    )
}

/// Returns one condition per group of look-ups that share their first relation.
fn conjunction(
    registry: &'static Registry,
    alias: &str,
    terms: Vec<Term>,
    aliases: &mut Aliases<'_>,
) -> Result<Vec<Sql>> {
    let mut parts = Vec::new();
    let mut groups: Vec<(Hop, Vec<Term>)> = Vec::new();
    for mut term in terms {
        if term.lookup.hops.is_empty() {
            parts.push(predicate(alias, &term.lookup.end, term.lookup.op, term.operand)?);
            continue;
        }
        // Nothing lies at the end of a path where it breaks off, or where the end itself is null.
        let absent = term.lookup.op == Op::IsNull && truth(&term.operand);
        if absent || (term.lookup.op == Op::Exact && is_null(&term.operand)) {
            term.lookup.op = Op::IsNull;
            term.operand = Operand::One(Value::Bool(true));
            let hop = term.lookup.hops.remove(0);
            let breaks_off = match &hop {
                Hop::One(column, _) => {
                    let mut sql = Sql::default();
                    sql.column(alias, column.column).push(" IS NULL");
                    sql
                }
                Hop::Many(..) => not(semi_join(registry, alias, hop, Vec::new(), aliases)?),
            };
            let mut ways = vec![breaks_off];
            if !term.lookup.hops.is_empty() || term.lookup.end.column.null || !term.lookup.end.json.is_empty()
            {
                ways.push(semi_join(registry, alias, hop, vec![term], aliases)?);
            }
            parts.push(balanced(" OR ", ways));
            continue;
        }
        let hop = term.lookup.hops.remove(0);
        match groups.iter_mut().find(|(known, _)| known.name() == hop.name()) {
            Some((_, group)) => group.push(term),
            None => groups.push((hop, vec![term])),
        }
    }
    for (hop, group) in groups {
        parts.push(semi_join(registry, alias, hop, group, aliases)?);
    }
    Ok(parts)
}

fn truth(operand: &Operand) -> bool {
    matches!(operand, Operand::One(value) if value.as_bool() == Some(true))
}

fn is_null(operand: &Operand) -> bool {
    matches!(operand, Operand::One(value) if value.is_null())
}

fn semi_join(
    _registry: &'static Registry,
    alias: &str,
    hop: Hop,
    terms: Vec<Term>,
    aliases: &mut Aliases<'_>,
) -> Result<Sql> {
    let target = hop.target();
    let mut sql = Sql::default();
    match hop {
        Hop::One(column, _) => {
            let inner = aliases.next();
            sql.column(alias, column.column).push(" IN (SELECT ").column(&inner, "id");
            sql.push(" FROM ").ident(target.table).push(&format!(" AS {inner} WHERE "));
            sql.append(all(conjunction(target, &inner, terms, aliases)?)).push(")");
        }
        Hop::Many(relation, _) => match relation.via {
            Via::Foreign { column } => {
                let inner = aliases.next();
                sql.column(alias, "id").push(" IN (SELECT ").column(&inner, column);
                sql.push(" FROM ").ident(target.table).push(&format!(" AS {inner} WHERE "));
                sql.column(&inner, column).push(" IS NOT NULL AND ");
                sql.append(all(conjunction(target, &inner, terms, aliases)?)).push(")");
            }
            Via::Link { registry: link, near, far } => {
                let link_table = crate::model::require(link)?.table;
                let outer = aliases.next();
                sql.column(alias, "id").push(" IN (SELECT ").column(&outer, near);
                sql.push(" FROM ").ident(link_table).push(&format!(" AS {outer} WHERE "));
                // Ids of the target stand in the link row itself: no need to visit the target's table.
                let (direct, rest): (Vec<Term>, Vec<Term>) = terms
                    .into_iter()
                    .partition(|term| term.lookup.hops.is_empty() && term.lookup.end.column.name == "id");
                let mut parts = Vec::new();
                for term in direct {
                    let mut id = Sql::default();
                    id.column(&outer, far);
                    parts.push(compare(id, Kind::BigInt, term.lookup.op, term.operand)?);
                }
                if !rest.is_empty() {
                    let inner = aliases.next();
                    let mut part = Sql::default();
                    part.column(&outer, far).push(" IN (SELECT ").column(&inner, "id");
                    part.push(" FROM ").ident(target.table).push(&format!(" AS {inner} WHERE "));
                    part.append(all(conjunction(target, &inner, rest, aliases)?)).push(")");
                    parts.push(part);
                }
                sql.append(all(parts)).push(")");
            }
        },
    }
    Ok(sql)
}

/// Returns the condition that all parts hold.
pub(super) fn all(parts: Vec<Sql>) -> Sql {
    if parts.is_empty() {
        return Sql::new("1 = 1");
    }
    balanced(" AND ", parts)
}

/// Joins parts as a balanced tree: databases limit how deep conditions nest, and `a OR b OR c` nests with every part.
pub(super) fn balanced(operator: &str, mut parts: Vec<Sql>) -> Sql {
    if parts.len() <= FEW {
        let mut sql = Sql::default();
        if parts.is_empty() {
            sql.push("1 = 0");
        } else {
            sql.push("(").join(operator, parts).push(")");
        }
        return sql;
    }
    let rest = parts.split_off(parts.len() / 2);
    let mut sql = Sql::new("(");
    sql.join(operator, [balanced(operator, parts), balanced(operator, rest)]).push(")");
    sql
}

/// Fails when a condition nests deeper than databases can follow; nothing is recursed into before.
pub(super) fn check_depth(q: &Q) -> Result<()> {
    let mut left = vec![(q, 0)];
    while let Some((q, depth)) = left.pop() {
        if depth > DEEPEST {
            return Err(Error::value(format!(
                "The condition nests more than {DEEPEST} levels deep: say it in a flatter way"
            )));
        }
        match q {
            Q::And(parts) | Q::Or(parts) => left.extend(parts.iter().map(|part| (part, depth + 1))),
            Q::Not(part) => left.push((part, depth + 1)),
            Q::Is(..) => {}
        }
    }
    Ok(())
}

pub(super) fn not(inner: Sql) -> Sql {
    let mut sql = Sql::new("(");
    sql.append(inner).push(") IS NOT TRUE");
    sql
}

/// Returns the SQL expression of the compared value.
pub(super) fn expression(alias: &str, end: &End) -> Sql {
    let mut column = Sql::default();
    column.column(alias, end.column.column);
    match end.part {
        Some(part) => moment::part(column, end.column.kind, part),
        None => json::place(column, &end.json),
    }
}

fn predicate(alias: &str, end: &End, op: Op, operand: Operand) -> Result<Sql> {
    if end.column.kind == Kind::Json && end.part.is_none() {
        return json::predicate(expression(alias, end), end, op, operand);
    }
    if let (true, Operand::One(text)) = (steer::by_text(end, op), &operand) {
        let bounds = steer::bounds(expression(alias, end), op, text);
        let whole = compare(expression(alias, end), end.kind(), op, operand)?;
        let mut sql = Sql::default();
        sql.fork(all(bounds.into_iter().chain([whole.clone()]).collect()), whole);
        return Ok(sql);
    }
    let most = steer::holds_for_most(end, op, &operand);
    let sql = compare(expression(alias, end), end.kind(), op, operand)?;
    Ok(if most { steer::without_index(sql) } else { sql })
}

/// Returns `expression op operand`.
pub(super) fn compare(expression: Sql, kind: Kind, op: Op, operand: Operand) -> Result<Sql> {
    let mut sql = Sql::default();
    match (op, operand) {
        (Op::Exact, Operand::One(value)) if value.is_null() => {
            sql.append(expression).push(" IS NULL");
        }
        (Op::IsNull, Operand::One(value)) => {
            let absent = value.as_bool() == Some(true);
            sql.append(expression).push(if absent { " IS NULL" } else { " IS NOT NULL" });
        }
        (Op::Exact, Operand::One(value)) => match value {
            // Moments are stored with three or with six decimals.
            Value::DateTime(moment) if kind == Kind::DateTime => {
                sql.append(moment::comparable(expression)).push(" = ").bind(moment);
            }
            value => {
                sql.append(expression).push(" = ").bind(value);
            }
        },
        (Op::Gt | Op::Gte | Op::Lt | Op::Lte, Operand::One(value)) => {
            let sign = match op {
                Op::Gt => [" > ", " ~>~ "],
                Op::Gte => [" >= ", " ~>=~ "],
                Op::Lt => [" < ", " ~<~ "],
                _ => [" <= ", " ~<=~ "],
            };
            let expression = if kind == Kind::DateTime { moment::comparable(expression) } else { expression };
            sql.append(expression).spelled(sign[0], sign[usize::from(kind.is_text())]).bind(value);
        }
        (Op::Range, Operand::Many(values)) => {
            let expression = if kind == Kind::DateTime { moment::comparable(expression) } else { expression };
            let mut values = values.into_iter();
            let (low, high) = (values.next().unwrap_or(Value::Null), values.next().unwrap_or(Value::Null));
            sql.append(expression);
            if kind.is_text() {
                sql.bytewise();
            }
            sql.push(" BETWEEN ").bind(low).push(" AND ").bind(high);
        }
        (Op::In, Operand::Many(values)) => {
            let values: Vec<Value> = values.into_iter().filter(|value| !value.is_null()).collect();
            if values.is_empty() {
                sql.push("1 = 0");
            } else {
                let expression =
                    if kind == Kind::DateTime { moment::comparable(expression) } else { expression };
                sql.is_one_of(expression, kind, values);
            }
        }
        (Op::In, Operand::Query(query, field)) => {
            let field = field.unwrap_or_else(|| "id".to_owned());
            sql.append(expression).push(" IN (").append(query.subquery(&field)?).push(")");
        }
        (Op::Regex | Op::IRegex, Operand::One(value)) => {
            let pattern = value.to_string();
            regex::Regex::new(&pattern).map_err(|error| {
                Error::value(format!(
                    "'{pattern}' is no regular expression that can be searched for: {error}"
                ))
            })?;
            sql.regex(expression, &pattern, letters(op));
        }
        (op, Operand::One(value)) => {
            let text = like_escape(&value.to_string());
            if text.len() > LONGEST {
                let start: String = text.chars().take(20).collect();
                return Err(Error::value(format!(
                    "'{start}…' is too long a text to search for: at most {LONGEST} bytes"
                )));
            }
            let pattern = match op {
                Op::IExact => text,
                Op::StartsWith | Op::IStartsWith => format!("{text}%"),
                Op::EndsWith | Op::IEndsWith => format!("%{text}"),
                _ => format!("%{text}%"),
            };
            sql.like(expression, &pattern, letters(op));
        }
        (op, _) => return Err(Error::type_(format!("{op:?} takes another kind of value"))),
    }
    Ok(sql)
}

fn letters(op: Op) -> Letters {
    match op {
        Op::IExact | Op::IContains | Op::IStartsWith | Op::IEndsWith | Op::IRegex => Letters::Alike,
        _ => Letters::Distinct,
    }
}

/// Escapes the wildcards of `LIKE`.
pub(super) fn like_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
