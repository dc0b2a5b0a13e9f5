//! Look-ups by features: `temp__gt=3` turned into conditions on the values that records hold.
//!
//! `features__NAME` says the same for a feature that is called like a field, and takes uids too.

use std::collections::BTreeMap;

use super::condition::{Operand, Q};
use super::lookup::Op;
use crate::dtype::{Dtype, Item, Simple, Target};
use crate::error::{Error, Result};
use crate::model::{self, PlainValues, Registry};
use crate::query::QuerySet;
use crate::record::Record;
use crate::session::Session;
use crate::value::Value;

/// The word before the name of a feature.
const EXPLICIT: &str = "features";

/// Returns the feature that a path begins with, and what follows; `None` where the path begins with a field.
fn taken_apart<'a>(registry: &Registry, path: &'a str) -> Option<(&'a str, Option<&'a str>)> {
    let cut = |path: &'a str| match path.split_once("__") {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    };
    let (head, rest) = cut(path);
    if head == EXPLICIT && registry.relations.iter().all(|relation| relation.name != EXPLICIT) {
        return rest.map(cut);
    }
    let known = head == "pk" || registry.alias(head).is_some();
    let field = registry.columns.iter().any(|column| column.name == head || column.column == head)
        || registry.relations.iter().any(|relation| relation.name == head);
    (!known && !field).then_some((head, rest))
}

/// Returns the condition with look-ups by feature replaced; names that no feature has are left to be complained about.
pub(super) fn resolve(query: &QuerySet, q: Q) -> Result<Q> {
    let registry = query.registry();
    if model::plain_values(registry).is_none() {
        return Ok(q);
    }
    let mut names = Vec::new();
    let annotations = query.annotations();
    q.paths(&mut |path| {
        if let Some((name, _)) = taken_apart(registry, path).filter(|(name, _)| !annotations.contains(name)) {
            names.push(name.to_owned());
        }
    });
    if names.is_empty() {
        return Ok(q);
    }
    let features = features_called(query.session(), &names)?;
    replaced(query.session(), registry, &features, q)
}

/// Returns the features of these names or uids that are visible and no types, under what they were called.
///
/// # Errors
/// [`crate::ErrorKind::Validation`] for a name that several features have.
pub(crate) fn features_called(session: &Session, names: &[String]) -> Result<BTreeMap<String, Record>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let named = Q::is("name__in", names.to_vec()).or(Q::is("uid__in", names.to_vec()));
    let features = session.registry("Feature")?.filter(named)?.visible()?.order_by(["id"])?.all()?;
    let mut found: BTreeMap<String, Record> = BTreeMap::new();
    for feature in features.into_iter().filter(|feature| !feature.flag("is_type")) {
        let name = feature.text("name").unwrap_or_default();
        for called in [name, feature.uid()] {
            if !names.iter().any(|wanted| wanted == called) {
                continue;
            }
            if found.insert(called.to_owned(), feature.clone()).is_some() {
                return Err(Error::validation(format!(
                    "Several features are called '{called}': pass the Feature, or its uid, instead of the name"
                )));
            }
        }
    }
    Ok(found)
}

fn replaced(
    session: &Session,
    registry: &'static Registry,
    features: &BTreeMap<String, Record>,
    q: Q,
) -> Result<Q> {
    let all = |parts: Vec<Q>| {
        parts.into_iter().map(|part| replaced(session, registry, features, part)).collect::<Result<Vec<_>>>()
    };
    Ok(match q {
        Q::And(parts) => Q::And(all(parts)?),
        Q::Or(parts) => Q::Or(all(parts)?),
        Q::Not(part) => replaced(session, registry, features, *part)?.negate(),
        Q::Is(path, operand) => {
            let asked = taken_apart(registry, &path)
                .and_then(|(name, rest)| Some((features.get(name)?, rest.map(str::to_owned))));
            match asked {
                Some((feature, rest)) => Asked { session, registry, feature, rest }.condition(operand)?,
                None => Q::Is(path, operand),
            }
        }
    })
}

/// What is asked of the values of a feature.
struct Asked<'a> {
    session: &'a Session,
    registry: &'static Registry,
    feature: &'a Record,
    /// What follows the name in the look-up.
    rest: Option<String>,
}

impl Asked<'_> {
    fn condition(&self, operand: Operand) -> Result<Q> {
        let dtype: Dtype = self.feature.text("_dtype_str").unwrap_or("object").parse()?;
        if self.rest.as_deref() == Some("isnull") {
            let there = match &dtype.item {
                Item::Simple(_) => self.plain(None)?,
                Item::Label(targets) => self.any(targets, |_| Ok(Among::All))?,
            };
            let absent = matches!(&operand, Operand::One(value) if value.as_bool() == Some(true));
            return Ok(if absent { there.negate() } else { there });
        }
        match &dtype.item {
            Item::Simple(simple) => {
                let path = self.rest.as_ref().map_or("value".to_owned(), |rest| format!("value__{rest}"));
                self.plain(Some(Q::Is(path, spelt(*simple, operand))))
            }
            Item::Label(targets) => self.label(targets, &operand),
        }
    }

    /// Returns the condition that the record has a value that names no record and matches.
    fn plain(&self, matching: Option<Q>) -> Result<Q> {
        let own = Q::is("feature_id", self.feature.id()).and(matching.unwrap_or(Q::And(Vec::new())));
        let values = |registry| QuerySet::new(self.session, registry).filter(own.clone());
        match model::plain_values(self.registry) {
            Some(PlainValues::Own(registry, near)) => Ok(one_of("id", values(registry)?, near)),
            Some(PlainValues::Shared(link, near, far)) => {
                let values = values(model::require("JsonValue")?)?;
                let links = QuerySet::new(self.session, link).filter(one_of(far, values, "id"))?;
                Ok(one_of("id", links, near))
            }
            None => Ok(Q::Or(Vec::new())),
        }
    }

    /// Returns the condition that the record has a matching label.
    fn label(&self, targets: &[Target], operand: &Operand) -> Result<Q> {
        // Rows are asked for by id, everything else by the field that names them.
        let by_id = match operand {
            Operand::One(value) => value.as_int().is_some(),
            Operand::Many(values) => values.iter().all(|value| value.as_int().is_some()),
            Operand::Query(..) => true,
        };
        let op = self.rest.as_deref().filter(|rest| Op::find(rest).is_some());
        let path = |target: &Target| match (&self.rest, op) {
            (Some(rest), None) => rest.clone(),
            (_, op) => {
                let field = if by_id { "id" } else { target.field() };
                op.map_or(field.to_owned(), |op| format!("{field}__{op}"))
            }
        };
        let found = self.any(targets, |target| {
            let labels =
                QuerySet::new(self.session, target.registry).filter(Q::Is(path(target), operand.clone()))?;
            // A name that nothing has is rather a mistake than a question.
            let named = self.rest.is_none() && !by_id;
            Ok(if named && !labels.exists()? { Among::Nothing } else { Among::These(labels) })
        })?;
        match (&found, targets) {
            (Q::Or(ways), [first, ..]) if ways.is_empty() && self.rest.is_none() => {
                let value = match operand {
                    Operand::One(value) => value.to_string(),
                    _ => "these values".to_owned(),
                };
                Err(Error::does_not_exist(format!(
                    "Did not find a {} matching `{}={value}`",
                    first.registry_name(),
                    first.field()
                )))
            }
            _ => Ok(found),
        }
    }

    /// Returns the condition that the record has a label of the feature, from one of the registries.
    fn any(&self, targets: &[Target], mut labels: impl FnMut(&Target) -> Result<Among>) -> Result<Q> {
        let mut ways = Vec::new();
        for target in targets {
            for way in model::annotations(self.registry) {
                if way.target.table != target.registry.table {
                    continue;
                }
                let mut links =
                    QuerySet::new(self.session, way.link).filter(Q::is("feature_id", self.feature.id()))?;
                match labels(target)? {
                    Among::Nothing => continue,
                    Among::These(labels) => links = links.filter(one_of(way.far, labels, "id"))?,
                    Among::All => {}
                }
                ways.push(one_of("id", links, way.near));
            }
        }
        Ok(Q::Or(ways))
    }
}

/// Which records of a registry count.
enum Among {
    All,
    These(QuerySet),
    Nothing,
}

fn one_of(field: &str, of: QuerySet, column: &str) -> Q {
    Q::Is(format!("{field}__in"), Operand::Query(Box::new(of), Some(column.to_owned())))
}

/// Returns what values are compared with in the form in which they are kept.
fn spelt(simple: Simple, operand: Operand) -> Operand {
    let spell = |value: Value| match (simple, value) {
        (Simple::UtcDateTime, Value::DateTime(moment)) => Value::Text(moment.to_python_iso(true)),
        (_, Value::DateTime(moment)) => Value::Text(moment.to_python_iso(false)),
        // Command lines know texts only.
        (Simple::Int | Simple::Float | Simple::Num, Value::Text(text)) => match text.parse::<i64>() {
            Ok(int) => Value::Int(int),
            Err(_) => text.parse::<f64>().map_or(Value::Text(text), Value::Float),
        },
        (Simple::Bool, Value::Text(text)) if matches!(text.as_str(), "true" | "True") => Value::Bool(true),
        (Simple::Bool, Value::Text(text)) if matches!(text.as_str(), "false" | "False") => Value::Bool(false),
        (_, value) => value,
    };
    match operand {
        Operand::One(value) => Operand::One(spell(value)),
        Operand::Many(values) => Operand::Many(values.into_iter().map(spell).collect()),
        query => query,
    }
}
