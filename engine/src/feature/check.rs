//! Whether a value is of the type of its feature.

use serde_json::{Map, Value as Json, json};

use super::labels::Labels;
use super::{Checked, Given};
use crate::dtype::{Dtype, Item, Simple};
use crate::error::{Error, Result};
use crate::record::Record;
use crate::value::{Timestamp, python_json};

/// A value that is not of the type of its feature.
pub(super) struct Wrong {
    /// Kind of the failure, as validation reports of the format name it.
    kind: &'static str,
    report: Json,
}

impl Wrong {
    fn of_type(name: &str, wanted: &str, got: &str) -> Self {
        let error = format!("expected series '{name}' to have type {wanted}, got {got}");
        Wrong::new("WRONG_DATATYPE", name, &format!("dtype('{wanted}')"), &error)
    }

    fn of_check(name: &str, check: &str, function: &str) -> Self {
        let error =
            format!("Column '{name}' failed series or dataframe validator 0: <Check {function}: {check}>");
        Wrong::new("DATAFRAME_CHECK", name, check, &error)
    }

    fn new(kind: &'static str, name: &str, check: &str, error: &str) -> Self {
        Wrong { kind, report: json!({"schema": null, "column": name, "check": check, "error": error}) }
    }

    /// Returns what is wrong with values as one text.
    pub(super) fn report(wrong: &[Wrong]) -> String {
        let mut groups = Map::new();
        for (group, kind) in [("DATA", "DATAFRAME_CHECK"), ("SCHEMA", "WRONG_DATATYPE")] {
            let of: Vec<Json> =
                wrong.iter().filter(|one| one.kind == kind).map(|one| one.report.clone()).collect();
            if !of.is_empty() {
                groups.insert(group.to_owned(), json!({ kind: of }));
            }
        }
        let hint = if groups.contains_key("SCHEMA") {
            "   ▶ Hint: Consider setting `feature.coerce = True` to attempt coercing values during validation to the \
             required dtype."
        } else {
            ""
        };
        format!("{}{hint}", indented(&Json::Object(groups)))
    }
}

/// Returns JSON text with four blanks per level.
fn indented(json: &Json) -> String {
    let two = serde_json::to_string_pretty(json).unwrap_or_else(|_| python_json(json));
    let lines = two.lines().map(|line| {
        let blanks = line.len() - line.trim_start().len();
        format!("{}{line}", " ".repeat(blanks))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the values to keep: such as name no record, or labels that are still to be found.
pub(super) fn check(
    feature: &Record,
    dtype: &Dtype,
    given: &Given,
) -> std::result::Result<(Vec<Json>, Labels), Wrong> {
    let name = feature.text("name").unwrap_or_default();
    let failed = |got: &str| {
        let check = format!("Column '{name}' failed dtype check for '{dtype}': got {got}");
        Wrong::of_check(name, &check, "check_function")
    };
    match &dtype.item {
        Item::Label(_) => {
            let items = match (given.items(), given) {
                (Some(items), _) => items,
                (None, one) if dtype.list && !matches!(one, Given::Label(_)) => {
                    let check = format!(
                        "Column '{name}' failed dtype check for '{dtype}' against (list, nullable=True)"
                    );
                    return Err(Wrong::of_check(name, &check, "check_function"));
                }
                (None, one) => vec![one.clone()],
            };
            let mut labels = Labels::default();
            for item in items {
                match item {
                    Given::Label(record) => labels.records.push(*record),
                    Given::Plain(Json::String(text)) => labels.names.push(text),
                    Given::Plain(Json::Null) => {}
                    other => return Err(Wrong::of_type(name, "category", series(&other))),
                }
            }
            Ok((Vec::new(), labels))
        }
        Item::Simple(simple) if dtype.list => {
            let items = given.items().ok_or_else(|| failed("object"))?;
            let kept: Option<Vec<Json>> = items.iter().map(|item| exact(*simple, item)).collect();
            Ok((vec![Json::Array(kept.ok_or_else(|| failed("object"))?)], Labels::default()))
        }
        Item::Simple(simple) => {
            let coerced = || if feature.flag("coerce") { coerced(*simple, given) } else { None };
            let kept = exact(*simple, given).or_else(coerced).ok_or_else(|| wrong(*simple, name, given))?;
            Ok((vec![kept], Labels::default()))
        }
    }
}

/// Returns the type of a series with this value, as reports of the format name it.
fn series(given: &Given) -> &'static str {
    match given {
        Given::Plain(Json::Bool(_)) => "bool",
        Given::Plain(Json::Number(number)) if number.is_f64() => "float64",
        Given::Plain(Json::Number(_)) => "int64",
        Given::Moment(_) => "datetime64[ns]",
        _ => "object",
    }
}

fn wrong(simple: Simple, name: &str, given: &Given) -> Wrong {
    let got = series(given);
    match simple {
        Simple::Int | Simple::Float | Simple::Object => Wrong::of_type(name, simple.name(), got),
        Simple::Date => {
            let shown = match given {
                Given::Moment(moment) => day(*moment),
                Given::Plain(Json::String(text)) => text.clone(),
                other => other.shown(),
            };
            let error = format!(
                "expected series '{name}' to have type date:failure cases:   index failure_case0      0 {shown:>12}"
            );
            Wrong::new("WRONG_DATATYPE", name, "dtype('date')", &error)
        }
        Simple::DateTime => Wrong::of_type(name, "datetime64[ns]", got),
        Simple::UtcDateTime => Wrong::of_type(name, "datetime64[ns, UTC]", got),
        Simple::Dict => {
            Wrong::of_check(name, "Non-null values must be dicts or strings representing dicts", "<lambda>")
        }
        Simple::Num | Simple::Bool | Simple::Str | Simple::Url | Simple::Path => {
            let check = format!("Column '{name}' failed dtype check for '{}': got {got}", simple.name());
            Wrong::of_check(name, &check, "check_function")
        }
    }
}

fn day(moment: Timestamp) -> String {
    moment.to_python_iso(false).chars().take(10).collect()
}

/// Returns the value as it is kept, if it is of the type.
fn exact(simple: Simple, given: &Given) -> Option<Json> {
    let keep = |fits: bool, json: &Json| fits.then(|| json.clone());
    match (simple, given) {
        (Simple::Int, Given::Plain(json)) => keep(json.is_i64() || json.is_u64(), json),
        (Simple::Float, Given::Plain(json)) => keep(json.is_f64(), json),
        (Simple::Num, Given::Plain(json)) => keep(json.is_number(), json),
        (Simple::Bool, Given::Plain(json)) => keep(json.is_boolean(), json),
        (Simple::Str | Simple::Url | Simple::Path, Given::Plain(json)) => keep(json.is_string(), json),
        (Simple::Dict, Given::Plain(Json::String(text))) => {
            serde_json::from_str(text).ok().filter(Json::is_object)
        }
        (Simple::Dict, Given::Plain(json)) => keep(json.is_object(), json),
        (Simple::Object, Given::Plain(json)) => keep(!json.is_number() && !json.is_boolean(), json),
        (Simple::Object, Given::Many(items)) => {
            items.iter().map(|item| exact(Simple::Object, item).or_else(|| number(item))).collect()
        }
        (Simple::Date | Simple::Object, Given::Day(day)) => Some(Json::String(day.to_string())),
        (Simple::DateTime | Simple::UtcDateTime | Simple::Object, Given::Moment(moment)) => {
            Some(Json::String(moment.to_python_iso(simple == Simple::UtcDateTime)))
        }
        _ => None,
    }
}

fn number(given: &Given) -> Option<Json> {
    match given {
        Given::Plain(json) => Some(json.clone()),
        _ => None,
    }
}

/// Returns the value turned into the type, where nothing of it is lost.
fn coerced(simple: Simple, given: &Given) -> Option<Json> {
    let text = match given {
        Given::Plain(Json::String(text)) => Some(text.trim()),
        _ => None,
    };
    let json = match given {
        Given::Plain(json) => Some(json),
        _ => None,
    };
    match simple {
        Simple::Int => {
            let whole = |real: f64| (real.fract() == 0.0 && real.abs() < 9e15).then_some(real as i64);
            let int = text.and_then(|text| text.parse().ok()).or_else(|| whole(json?.as_f64()?));
            int.map(Json::from)
        }
        Simple::Float => {
            let real = text.and_then(|text| text.parse().ok()).or_else(|| json?.as_f64());
            real.filter(|real| real.is_finite()).map(Json::from)
        }
        Simple::Date => match (text, given) {
            (_, Given::Moment(moment)) => Some(Json::String(day(*moment))),
            (Some(text), _) => {
                let day: chrono::NaiveDate = text.parse().ok()?;
                Some(Json::String(day.to_string()))
            }
            _ => None,
        },
        Simple::DateTime | Simple::UtcDateTime => {
            let text = match given {
                Given::Day(day) => day.to_string(),
                _ => text?.to_owned(),
            };
            let utc = simple == Simple::UtcDateTime;
            Some(Json::String(Timestamp::parse(&text)?.to_python_iso(utc)))
        }
        Simple::Object => json.cloned(),
        _ => None,
    }
}

/// Refuses to add to what a record can hold once only.
pub(super) fn only_lists(values: &[Checked]) -> Result<()> {
    let single: Vec<String> = values
        .iter()
        .filter(|one| !one.dtype.list)
        .map(|one| format!("'{}'", one.feature.text("name").unwrap_or_default()))
        .collect();
    if single.is_empty() {
        return Ok(());
    }
    Err(Error::validation(format!(
        "Cannot use add_values() for to-one features on a Record: [{}]. Use set_values() to replace all feature \
         annotations.",
        single.join(", ")
    )))
}
