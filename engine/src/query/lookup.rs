//! Look-ups: `run__transform__key__icontains` taken apart against the registry table.

use crate::error::{Error, Result};
use crate::model::{self, Column, Registry, Relation, Step};
use crate::value::{Kind, Value};

/// What a look-up asks of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Exact,
    /// Equal, case ignored.
    IExact,
    /// Holds the text.
    Contains,
    /// Holds the text, case ignored.
    IContains,
    /// Starts with the text.
    StartsWith,
    /// Starts with the text, case ignored.
    IStartsWith,
    /// Ends with the text.
    EndsWith,
    /// Ends with the text, case ignored.
    IEndsWith,
    /// Is one of.
    In,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Gte,
    /// Less than.
    Lt,
    /// Less than or equal.
    Lte,
    /// Between two values, both included.
    Range,
    /// Is null.
    IsNull,
    /// Matches a regular expression.
    Regex,
    /// Matches a regular expression, case ignored.
    IRegex,
    /// JSON object has the key.
    HasKey,
    /// JSON object has all the keys.
    HasKeys,
    /// JSON object has one of the keys.
    HasAnyKeys,
}

/// The names of all operators.
pub const OPS: &[(&str, Op)] = &[
    ("exact", Op::Exact),
    ("iexact", Op::IExact),
    ("contains", Op::Contains),
    ("icontains", Op::IContains),
    ("startswith", Op::StartsWith),
    ("istartswith", Op::IStartsWith),
    ("endswith", Op::EndsWith),
    ("iendswith", Op::IEndsWith),
    ("in", Op::In),
    ("gt", Op::Gt),
    ("gte", Op::Gte),
    ("lt", Op::Lt),
    ("lte", Op::Lte),
    ("range", Op::Range),
    ("isnull", Op::IsNull),
    ("regex", Op::Regex),
    ("iregex", Op::IRegex),
    ("has_key", Op::HasKey),
    ("has_keys", Op::HasKeys),
    ("has_any_keys", Op::HasAnyKeys),
];

impl Op {
    /// Returns the operator of that name.
    pub fn find(name: &str) -> Option<Op> {
        OPS.iter().find(|(known, _)| *known == name).map(|(_, op)| *op)
    }

    fn accepts(self, kind: Kind) -> bool {
        match self {
            Op::HasKey | Op::HasKeys | Op::HasAnyKeys => kind == Kind::Json,
            _ => true,
        }
    }
}

/// A part of a moment or day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Calendar year.
    Year,
    /// Year of the ISO week.
    IsoYear,
    /// Month, 1 to 12.
    Month,
    /// Day of the month.
    Day,
    /// ISO week.
    Week,
    /// Day of the week, 1 = Sunday.
    WeekDay,
    /// Day of the week, 1 = Monday.
    IsoWeekDay,
    /// Quarter.
    Quarter,
    /// The day of a moment.
    Date,
    /// The time of day.
    Time,
    /// Hour.
    Hour,
    /// Minute.
    Minute,
    /// Second.
    Second,
}

/// The names of all parts.
pub const PARTS: &[(&str, Part)] = &[
    ("year", Part::Year),
    ("iso_year", Part::IsoYear),
    ("month", Part::Month),
    ("day", Part::Day),
    ("week", Part::Week),
    ("week_day", Part::WeekDay),
    ("iso_week_day", Part::IsoWeekDay),
    ("quarter", Part::Quarter),
    ("date", Part::Date),
    ("time", Part::Time),
    ("hour", Part::Hour),
    ("minute", Part::Minute),
    ("second", Part::Second),
];

/// One relation on the way to the field.
#[derive(Clone, Copy, Debug)]
pub enum Hop {
    /// Along a foreign key of this registry.
    One(&'static Column, &'static Registry),
    /// To many records of the target.
    Many(&'static Relation, &'static Registry),
}

impl Hop {
    /// Returns the accessor that was written.
    pub fn name(&self) -> &'static str {
        match self {
            Hop::One(column, _) => column.name,
            Hop::Many(relation, _) => relation.name,
        }
    }

    /// Returns where the hop leads.
    pub fn target(&self) -> &'static Registry {
        match self {
            Hop::One(_, target) | Hop::Many(_, target) => target,
        }
    }
}

/// What is compared at the end of a path.
#[derive(Clone, Debug)]
pub struct End {
    /// The column.
    pub column: &'static Column,
    /// Keys into a JSON document.
    pub json: Vec<String>,
    /// Part of a moment.
    pub part: Option<Part>,
}

impl End {
    /// Returns the kind of the compared value.
    pub fn kind(&self) -> Kind {
        match self.part {
            Some(Part::Date) => Kind::Date,
            Some(Part::Time) => Kind::Text,
            Some(_) => Kind::Int,
            None => self.column.kind,
        }
    }
}

/// A look-up taken apart.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Relations to follow.
    pub hops: Vec<Hop>,
    /// What is compared.
    pub end: End,
    /// How.
    pub op: Op,
}

/// Returns `path` with the names that users know replaced by those of the registry.
pub fn unalias(registry: &'static Registry, path: &str) -> String {
    let (head, rest) = path.split_once("__").map_or((path, None), |(head, rest)| (head, Some(rest)));
    let head = if registry.step(head).is_some() { head } else { registry.alias(head).unwrap_or(head) };
    rest.map_or_else(|| head.to_owned(), |rest| format!("{head}__{rest}"))
}

/// Returns the look-up that `path` spells, checked against the registry.
///
/// # Errors
/// [`crate::ErrorKind::Field`] with the valid names for an unknown field, relation or operator.
pub fn parse(registry: &'static Registry, path: &str) -> Result<Lookup> {
    let path = unalias(registry, path);
    let mut here = registry;
    let mut hops = Vec::new();
    let mut segments = path.split("__").peekable();
    while let Some(name) = segments.next() {
        let name = if here.step(name).is_some() { name } else { here.alias(name).unwrap_or(name) };
        match here.step(name) {
            None => return Err(unknown(registry, here, name, &path)),
            Some(Step::Column(column)) => return finish(hops, column, &path, segments),
            Some(Step::One(column, to)) => {
                let target = model::require(to.target)?;
                match segments.peek() {
                    // The id of the target is the foreign key itself.
                    Some(&("id" | "pk")) => {
                        segments.next();
                        return finish(hops, column, &path, segments);
                    }
                    Some(next) if target.step(next).is_some() || target.alias(next).is_some() => {
                        hops.push(Hop::One(column, target));
                        here = target;
                    }
                    Some(next) if Op::find(next).is_none() => {
                        return Err(unknown(registry, target, next, &path));
                    }
                    _ => return finish(hops, column, &path, segments),
                }
            }
            Some(Step::Many(relation)) => {
                let target = model::require(relation.target)?;
                hops.push(Hop::Many(relation, target));
                here = target;
                let stops = match segments.peek() {
                    None => true,
                    Some(next) => {
                        target.step(next).is_none()
                            && target.alias(next).is_none()
                            && Op::find(next).is_some()
                    }
                };
                if stops {
                    let id = target
                        .column("id")
                        .ok_or_else(|| Error::field(format!("{} has no id", target.name)))?;
                    return finish(hops, id, &path, segments);
                }
            }
        }
    }
    Err(Error::field(format!("Empty look-up on {}", registry.name)))
}

fn finish<'a>(
    hops: Vec<Hop>,
    column: &'static Column,
    path: &str,
    segments: impl Iterator<Item = &'a str>,
) -> Result<Lookup> {
    let mut rest: Vec<&str> = segments.collect();
    let mut end = End { column, json: Vec::new(), part: None };
    let op = match rest.last().and_then(|name| Op::find(name)) {
        Some(op) => {
            rest.pop();
            op
        }
        None => Op::Exact,
    };
    let mut rest = rest.into_iter();
    for name in rest.by_ref() {
        let part = PARTS.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
        match (column.kind, part) {
            (Kind::Json, _) => end.json.push(name.to_owned()),
            (Kind::DateTime | Kind::Date, Some(part)) if end.part.is_none() => end.part = Some(part),
            _ => return Err(unsupported(name, column)),
        }
    }
    if !op.accepts(column.kind) {
        let name = path.rsplit("__").next().unwrap_or(path);
        return Err(unsupported(name, column));
    }
    Ok(Lookup { hops, end, op })
}

fn unsupported(name: &str, column: &Column) -> Error {
    let class = if column.to.is_some() { "ForeignKey" } else { column.kind.field_class() };
    let known = OPS.iter().map(|(known, _)| *known).chain(PARTS.iter().map(|(known, _)| *known));
    let hint =
        model::nearest(name, known).map_or_else(String::new, |near| format!(" Did you mean '{near}'?"));
    Error::field(format!("Unsupported lookup '{name}' for {class} or join on the field not permitted.{hint}"))
}

/// Returns the error for a name that a registry does not have, saying where on the path it stands.
fn unknown(root: &'static Registry, here: &'static Registry, name: &str, path: &str) -> Error {
    let error = here.unknown_field(name);
    if std::ptr::eq(root, here) {
        return error;
    }
    let on = format!("Unknown field '{name}' on {} (in '{path}').", here.name);
    Error::field(error.message().replacen(&format!("Unknown field '{name}'."), &on, 1))
}

/// Returns the integer code of a status word, for the registries whose status is stored as a code.
///
/// # Errors
/// [`crate::ErrorKind::Value`] naming the valid words.
pub fn status_code(registry: &Registry, word: &str) -> Result<i64> {
    let words = registry.statuses();
    words.iter().find(|(known, _)| *known == word).map(|(_, code)| *code).ok_or_else(|| {
        let valid: Vec<String> = words.iter().map(|(known, _)| format!("'{known}'")).collect();
        let (name, valid) = (registry.name, valid.join(", "));
        Error::value(format!("Invalid {name} status '{word}'. Expected one of: {valid}."))
    })
}

/// Returns the value to compare with, cast to what the end of the path holds.
pub fn cast(registry: &'static Registry, lookup: &Lookup, value: Value) -> Result<Value> {
    let here = lookup.hops.last().map_or(registry, Hop::target);
    if lookup.end.column.name == "_status_code"
        && let Value::Text(word) = &value
    {
        return Ok(Value::Int(status_code(here, word)?));
    }
    if !lookup.end.json.is_empty() || lookup.end.column.kind == Kind::Json {
        return Ok(value);
    }
    let is_reference =
        lookup.end.column.to.is_some() || (lookup.end.column.name == "id" && !lookup.hops.is_empty());
    if is_reference
        && let Value::Text(text) = &value
        && text.trim().parse::<i64>().is_err()
    {
        let name = if lookup.end.column.to.is_some() {
            lookup.end.column.name
        } else {
            lookup.hops.last().map_or("id", Hop::name)
        };
        return Err(Error::field(format!("Invalid lookup '{text}' for {name}. Did you mean {name}__name?")));
    }
    let name = lookup.end.column.name;
    value.cast(lookup.end.kind()).map_err(|error| {
        Error::value(format!(
            "Field '{name}' of {} got a value it cannot hold: {}",
            here.name,
            error.message()
        ))
    })
}
