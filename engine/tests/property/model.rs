//! A small world of artifacts and labels, and what a condition means in it, without any database.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Timelike as _};
use holotype::db::Dialect;
use holotype::testing::{self, Scratch};
use holotype::{Operand, Q, Record, Timestamp, Value, model};
use serde_json::json;

use super::proof::Dice;

/// One row: its fields, the rows it points at, and the rows of its relations.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub fields: BTreeMap<&'static str, Value>,
    pub one: BTreeMap<&'static str, Option<usize>>,
    pub many: BTreeMap<&'static str, Vec<usize>>,
}

/// All rows of both registries; places in the lists are what rows point at.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub artifacts: Vec<Row>,
    pub labels: Vec<Row>,
}

/// Which list a path is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Artifacts,
    Labels,
}

pub const TEXTS: [&str; 16] =
    ["", "a", "A", "ab", "aB%", "b_a", "a\\", "é", "É", "10", "9", "a.b", "a\nb", "'", "x|ab", "ß"];

/// Fields that look-ups name, by registry: name and kind.
pub const FIELDS: [(List, &str, Kind); 12] = [
    (List::Artifacts, "key", Kind::Text),
    (List::Artifacts, "description", Kind::Text),
    (List::Artifacts, "size", Kind::Int),
    (List::Artifacts, "id", Kind::Int),
    (List::Artifacts, "is_latest", Kind::Bool),
    (List::Artifacts, "created_at", Kind::Moment),
    (List::Artifacts, "extra_data", Kind::Json),
    (List::Labels, "name", Kind::Text),
    (List::Labels, "description", Kind::Text),
    (List::Labels, "id", Kind::Int),
    (List::Labels, "is_type", Kind::Bool),
    (List::Labels, "created_at", Kind::Moment),
];

/// What a field holds, as far as the operators care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Bool,
    Moment,
    Json,
}

pub fn moment(dice: &mut Dice) -> Timestamp {
    // Ends of years and weeks, half of them on whole seconds.
    let days = [0, 1, 58, 59, 60, 364, 365, 366, 730, 1094, 1095, 1096];
    let second = [0, 1, 3599, 3600, 43_200, 86_399];
    let fraction = [0, 0, 0, 1, 123_000, 999_999];
    let at = (*dice.pick(&days) + 18_261) * 86_400 + *dice.pick(&second);
    Timestamp(at * 1_000_000 + *dice.pick(&fraction))
}

pub fn json_value(dice: &mut Dice) -> serde_json::Value {
    match dice.below(8) {
        0 => json!(null),
        1 => json!(true),
        2 => json!(false),
        3 | 4 => json!(dice.below(12)),
        5 => json!(1.5),
        _ => json!(*dice.pick(&TEXTS)),
    }
}

fn maybe_text(dice: &mut Dice) -> Value {
    if dice.below(4) == 0 { Value::Null } else { Value::from(*dice.pick(&TEXTS)) }
}

/// Makes a world and the instance that holds it.
pub fn build(seed: u64) -> (Scratch, World) {
    let mut dice = Dice(seed);
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let (artifact, label) = (model::require("Artifact").unwrap(), model::require("ULabel").unwrap());
    let mut world = World::default();
    for i in 0..5 + dice.below(4) {
        let mut row = Row::default();
        // Names differ, or saving would return the label that exists.
        row.fields.insert("name", Value::from(TEXTS[(i * 5 + seed as usize) % TEXTS.len()]));
        row.fields.insert("description", maybe_text(&mut dice));
        row.fields.insert("is_type", Value::Bool(dice.below(2) == 0));
        row.fields.insert("created_at", Value::DateTime(moment(&mut dice)));
        // Only a type has members.
        let types: Vec<usize> =
            (0..i).filter(|at| world.labels[*at].fields["is_type"] == Value::Bool(true)).collect();
        let type_ = (!types.is_empty() && dice.below(2) == 0).then(|| *dice.pick(&types));
        row.one.insert("type", type_);
        let mut record = Record::empty(label);
        for (name, value) in &row.fields {
            record.set(name, value.clone()).unwrap();
        }
        if let Some(type_) = type_ {
            record.set("type", world.labels[type_].fields["id"].clone()).unwrap();
        }
        instance.save(&mut record).unwrap();
        row.fields.insert("id", record.id().into());
        world.labels.push(row);
    }
    for i in 0..6 + dice.below(6) {
        let mut row = Row::default();
        row.fields.insert("key", maybe_text(&mut dice));
        row.fields.insert("description", maybe_text(&mut dice));
        row.fields
            .insert("size", if dice.below(4) == 0 { Value::Null } else { Value::Int(dice.below(12) as i64) });
        row.fields.insert("is_latest", Value::Bool(dice.below(2) == 0));
        row.fields.insert("created_at", Value::DateTime(moment(&mut dice)));
        let extra = match dice.below(4) {
            0 => Value::Null,
            1 => Value::from(json!({"b": {"c": json_value(&mut dice)}})),
            _ => Value::from(json!({"a": json_value(&mut dice), "b": json_value(&mut dice)})),
        };
        row.fields.insert("extra_data", extra);
        let mut record = Record::empty(artifact);
        for (name, value) in &row.fields {
            record.set(name, value.clone()).unwrap();
        }
        for (name, value) in [("uid", Value::from(format!("{seed:016}{i:04}"))), ("suffix", ".txt".into())] {
            record.set(name, value).unwrap();
        }
        record.set("hash", format!("h{i}")).unwrap();
        record.set("storage", 1i64).unwrap();
        record.set("_key_is_virtual", true).unwrap();
        record.set("_overwrite_versions", false).unwrap();
        instance.save(&mut record).unwrap();
        row.fields.insert("id", record.id().into());
        let linked: Vec<usize> = (0..world.labels.len()).filter(|_| dice.below(3) == 0).collect();
        let ids: Vec<i64> = linked.iter().filter_map(|at| world.labels[*at].fields["id"].as_int()).collect();
        instance.link(&record, "ulabels", &ids).unwrap();
        for at in &linked {
            world.labels[*at].many.entry("artifacts").or_default().push(world.artifacts.len());
        }
        row.many.insert("ulabels", linked);
        world.artifacts.push(row);
    }
    shorten_moments(&scratch);
    (scratch, world)
}

/// Moments may lie in the database with six decimals, with three, or with none.
fn shorten_moments(scratch: &Scratch) {
    if on_postgres() {
        return;
    }
    let database = rusqlite::Connection::open(scratch.root().join(".lamindb/lamin.db")).unwrap();
    for table in ["lamindb_artifact", "lamindb_ulabel"] {
        let short = |to: i32, ending: &str| {
            let sql = format!(
                "UPDATE {table} SET created_at = substr(created_at, 1, {to}) WHERE created_at LIKE '%{ending}' AND id % 2 = 0"
            );
            database.execute(&sql, []).unwrap();
        };
        short(19, ".000000");
        short(23, "000");
    }
}

impl World {
    pub fn rows(&self, list: List) -> &[Row] {
        match list {
            List::Artifacts => &self.artifacts,
            List::Labels => &self.labels,
        }
    }

    /// Returns the ids of the rows for which `q` holds.
    pub fn find(&self, list: List, q: &Q) -> Vec<i64> {
        let rows = self.rows(list).iter().filter(|row| self.holds(row, q));
        rows.filter_map(|row| row.fields["id"].as_int()).collect()
    }

    fn holds(&self, row: &Row, q: &Q) -> bool {
        match q {
            Q::Or(parts) => parts.iter().any(|part| self.holds(row, part)),
            Q::Not(part) => !self.holds(row, part),
            Q::And(_) | Q::Is(..) => {
                let (mut terms, mut others) = (Vec::new(), Vec::new());
                flatten(q, &mut terms, &mut others);
                others.iter().all(|part| self.holds(row, part)) && self.together(row, &terms)
            }
        }
    }

    /// Whether all terms hold, those along one relation for one and the same row.
    fn together(&self, row: &Row, terms: &[(Vec<&str>, &Operand)]) -> bool {
        let mut groups: BTreeMap<&str, Vec<(Vec<&str>, &Operand)>> = BTreeMap::new();
        for (path, operand) in terms {
            if !row.one.contains_key(path[0]) && !matches!(path[0], "ulabels" | "artifacts") {
                if !own(row, path, operand) {
                    return false;
                }
            } else if is_absence(path, operand) {
                if !self.absent(row, path) {
                    return false;
                }
            } else {
                groups.entry(path[0]).or_default().push((path[1..].to_vec(), operand));
            }
        }
        groups
            .into_iter()
            .all(|(relation, terms)| self.targets(row, relation).any(|target| self.together(target, &terms)))
    }

    fn targets<'a>(&'a self, row: &'a Row, relation: &str) -> Box<dyn Iterator<Item = &'a Row> + 'a> {
        match relation {
            "type" => Box::new(row.one["type"].iter().map(|at| &self.labels[*at])),
            "ulabels" => Box::new(row.many.get("ulabels").into_iter().flatten().map(|at| &self.labels[*at])),
            _ => Box::new(row.many.get("artifacts").into_iter().flatten().map(|at| &self.artifacts[*at])),
        }
    }

    /// Whether a path breaks off, or ends at nothing.
    fn absent(&self, row: &Row, path: &[&str]) -> bool {
        let is_relation = row.one.contains_key(path[0]) || matches!(path[0], "ulabels" | "artifacts");
        if !is_relation {
            return own(row, path, &Operand::One(Value::Bool(true)));
        }
        let mut targets = self.targets(row, path[0]).peekable();
        targets.peek().is_none() || targets.any(|target| self.absent(target, &path[1..]))
    }
}

/// Whether a field of the row is what a path without relations asks for; a relation alone stands for the id.
fn own(row: &Row, path: &[&str], operand: &Operand) -> bool {
    match row.fields.get(path[0]) {
        Some(value) => leaf(value, &path[1..], operand),
        None => leaf(&row.fields["id"], path, operand),
    }
}

fn is_absence(path: &[&str], operand: &Operand) -> bool {
    path.last() == Some(&"isnull") && matches!(operand, Operand::One(Value::Bool(true)))
}

fn flatten<'a>(q: &'a Q, terms: &mut Vec<(Vec<&'a str>, &'a Operand)>, others: &mut Vec<&'a Q>) {
    match q {
        Q::And(parts) => parts.iter().for_each(|part| flatten(part, terms, others)),
        Q::Is(path, operand) => terms.push((path.split("__").collect(), operand)),
        other => others.push(other),
    }
}

/// Whether a value is what the rest of a path asks for.
fn leaf(value: &Value, rest: &[&str], operand: &Operand) -> bool {
    let known = |name: &str| holotype::query::lookup::Op::find(name).is_some();
    let (op, inner) = match rest.split_last() {
        Some((op, inner)) if known(op) => (*op, inner),
        _ => ("exact", rest),
    };
    if let Value::Json(_) | Value::Null = value
        && !inner.is_empty()
        && !matches!(
            inner[0],
            "year"
                | "month"
                | "day"
                | "week_day"
                | "quarter"
                | "hour"
                | "minute"
                | "second"
                | "week"
                | "iso_year"
                | "iso_week_day"
        )
    {
        return json_leaf(value, inner, op, operand);
    }
    let value = match inner.first() {
        Some(part) => part_of(value, part),
        None => value.clone(),
    };
    compare(&value, op, operand)
}

fn json_leaf(value: &Value, keys: &[&str], op: &str, operand: &Operand) -> bool {
    let Some(document) = value.as_json() else { return op == "isnull" && operand_flag(operand) };
    let found = keys.iter().try_fold(document, |document, key| document.get(key));
    let exact = |wanted: &Value| match (found, wanted) {
        (Some(serde_json::Value::Number(number)), Value::Int(int)) => number.as_f64() == Some(*int as f64),
        (Some(serde_json::Value::Number(number)), Value::Float(real)) => number.as_f64() == Some(*real),
        (Some(serde_json::Value::String(text)), Value::Text(wanted)) => text == wanted,
        (Some(serde_json::Value::Bool(flag)), Value::Bool(wanted)) => flag == wanted,
        _ => false,
    };
    match (op, operand) {
        ("isnull", _) => found.is_none() == operand_flag(operand),
        ("exact", Operand::One(wanted)) => exact(wanted),
        ("in", Operand::Many(wanted)) => wanted.iter().any(exact),
        _ => {
            // PostgreSQL compares values of one type only.
            if on_postgres() && matches!(op, "gt" | "gte" | "lt" | "lte" | "range") {
                let alike = |wanted: &Value| match found {
                    Some(serde_json::Value::String(_)) => matches!(wanted, Value::Text(_)),
                    Some(serde_json::Value::Bool(_)) => matches!(wanted, Value::Bool(_)),
                    Some(serde_json::Value::Number(_)) => matches!(wanted, Value::Int(_) | Value::Float(_)),
                    _ => false,
                };
                let all = match operand {
                    Operand::One(wanted) => alike(wanted),
                    Operand::Many(wanted) => wanted.iter().all(alike),
                    Operand::Query(..) => false,
                };
                if !all {
                    return false;
                }
            }
            let plain = match found {
                Some(serde_json::Value::String(text)) => Value::Text(text.clone()),
                Some(serde_json::Value::Bool(flag)) if on_postgres() => match operand {
                    Operand::One(Value::Bool(_)) => Value::Bool(*flag),
                    _ => Value::Text(flag.to_string()),
                },
                Some(serde_json::Value::Bool(flag)) => Value::Int(i64::from(*flag)),
                Some(serde_json::Value::Number(number)) => {
                    number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int)
                }
                None | Some(serde_json::Value::Null) => Value::Null,
                // Databases see lists and objects as their text.
                Some(inner) => Value::Text(inner.to_string()),
            };
            compare(&plain, op, operand)
        }
    }
}

fn operand_flag(operand: &Operand) -> bool {
    matches!(operand, Operand::One(Value::Bool(true)))
}

fn part_of(value: &Value, part: &str) -> Value {
    let Value::DateTime(Timestamp(micros)) = value else { return Value::Null };
    let moment = DateTime::from_timestamp_micros(*micros).unwrap().naive_utc();
    let number = match part {
        "year" => i64::from(moment.year()),
        "iso_year" => i64::from(moment.iso_week().year()),
        "month" => i64::from(moment.month()),
        "day" => i64::from(moment.day()),
        "week" => i64::from(moment.iso_week().week()),
        "week_day" => i64::from(moment.weekday().num_days_from_sunday()) + 1,
        "iso_week_day" => i64::from(moment.weekday().number_from_monday()),
        "quarter" => i64::from(moment.month0() / 3) + 1,
        "hour" => i64::from(moment.hour()),
        "minute" => i64::from(moment.minute()),
        _ => i64::from(moment.second()),
    };
    Value::Int(number)
}

/// Numbers come before texts, as databases without types of columns have it.
fn order(one: &Value, other: &Value) -> Option<Ordering> {
    let real = |value: &Value| match value {
        Value::Int(int) => Some(*int as f64),
        Value::Float(real) => Some(*real),
        _ => None,
    };
    match (one, other) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Text(one), Value::Text(other)) => Some(one.as_bytes().cmp(other.as_bytes())),
        (Value::DateTime(one), Value::DateTime(other)) => Some(one.cmp(other)),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::Text(_), _) => real(other).map(|_| Ordering::Greater),
        (_, Value::Text(_)) => real(one).map(|_| Ordering::Less),
        _ => real(one)?.partial_cmp(&real(other)?),
    }
}

/// Returns the capital letter, where that is one character.
fn capital(c: char) -> char {
    let mut upper = c.to_uppercase();
    upper.next().filter(|_| upper.next().is_none()).unwrap_or(c)
}

/// Returns how many cases are tried: a server takes several times as long for each.
pub fn cases(on_sqlite: u32) -> u32 {
    if on_postgres() { on_sqlite / 5 } else { on_sqlite }
}

fn on_postgres() -> bool {
    testing::dialect() == Dialect::Postgres
}

fn compare(value: &Value, op: &str, operand: &Operand) -> bool {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Int(int) => int.to_string(),
        Value::Float(real) => real.to_string(),
        other => panic!("no text operator on {other:?}"),
    };
    let is = |wanted: Ordering, or: bool| match operand {
        Operand::One(other) => {
            order(value, other).is_some_and(|found| found == wanted || (or && found == Ordering::Equal))
        }
        _ => false,
    };
    match (op, operand) {
        ("isnull", _) => matches!(value, Value::Null) == operand_flag(operand),
        (_, _) if matches!(value, Value::Null) => false,
        ("exact", _) => is(Ordering::Equal, false),
        ("gt", _) => is(Ordering::Greater, false),
        ("gte", _) => is(Ordering::Greater, true),
        ("lt", _) => is(Ordering::Less, false),
        ("lte", _) => is(Ordering::Less, true),
        ("in", Operand::Many(all)) => all.iter().any(|other| order(value, other) == Some(Ordering::Equal)),
        ("range", Operand::Many(ends)) => {
            order(value, &ends[0]).is_some_and(Ordering::is_ge)
                && order(value, &ends[1]).is_some_and(Ordering::is_le)
        }
        (op, Operand::One(wanted)) => {
            let (field, wanted) = (text(value), text(wanted));
            // SQLite knows the case of ASCII letters only, and ignores it, as the format says; PostgreSQL knows them all.
            let exact = on_postgres() && !op.starts_with('i');
            let fold = |text: &str| match (exact, on_postgres()) {
                (true, _) => text.to_owned(),
                (_, true) => text.chars().map(capital).collect(),
                _ => text.to_ascii_lowercase(),
            };
            let (low, small) = (fold(&field), fold(&wanted));
            match op {
                "iexact" => low == small,
                "contains" | "icontains" => low.contains(&small),
                "startswith" | "istartswith" => low.starts_with(&small),
                "endswith" | "iendswith" => low.ends_with(&small),
                "regex" => regex::Regex::new(&wanted).unwrap().is_match(&field),
                "iregex" => regex::Regex::new(&format!("(?i){wanted}")).unwrap().is_match(&field),
                other => panic!("{other} is no operator"),
            }
        }
        (op, operand) => panic!("{op} with {operand:?}"),
    }
}
