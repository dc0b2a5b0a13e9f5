//! Records that are values of features: found by name, or given and checked.

use super::Given;
use crate::describe::called;
use crate::dtype::Target;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::model::{self, Annotation, Registry};
use crate::query::{Q, QuerySet};
use crate::record::Record;

/// Names of members that an error lists.
const MOST_LISTED: usize = 10;

/// Labels of one feature.
#[derive(Default)]
pub(super) struct Labels {
    /// Such as are to be found by name.
    pub(super) names: Vec<String>,
    /// Such as were given.
    pub(super) records: Vec<Record>,
    /// Where each of them is linked, with its id.
    pub(super) found: Vec<(Annotation, i64)>,
}

impl Instance {
    /// Finds the labels of a feature that a record of `host` is given.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Validation`] for those that do not exist, are not saved or belong elsewhere,
    /// [`crate::ErrorKind::InvalidArgument`] where the format has no link for them.
    pub(super) fn find_labels(
        &self,
        host: &'static Registry,
        feature: &Record,
        targets: &[Target],
        labels: &mut Labels,
    ) -> Result<()> {
        let name = feature.text("name").unwrap_or_default();
        for record in std::mem::take(&mut labels.records) {
            let target = self.expected(name, targets, &record)?;
            labels.found.push((way(host, target, feature)?, record.id().unwrap_or_default()));
        }
        let mut names: Vec<String> = Vec::new();
        for given in std::mem::take(&mut labels.names) {
            if !names.contains(&given) {
                names.push(given);
            }
        }
        let wanted = names.len();
        for target in targets.iter().filter(|_| wanted > 0) {
            let field = target.field();
            let known = self.members(target)?.filter(Q::is(format!("{field}__in"), names.clone()))?;
            let known = known.order_by(["id"])?.all()?;
            let mut left = Vec::new();
            for name in names {
                match known.iter().find(|record| record.text(field) == Some(&name)).and_then(Record::id) {
                    Some(id) => labels.found.push((way(host, target, feature)?, id)),
                    None => left.push(name),
                }
            }
            names = left;
            if names.is_empty() {
                break;
            }
        }
        match targets.first().filter(|_| !names.is_empty()) {
            Some(target) => {
                if names.len() == wanted {
                    self.warn(format!("no values were validated for {name}!"));
                }
                Err(self.not_validated(name, target, &names)?)
            }
            None => Ok(()),
        }
    }

    /// Returns the records that a feature may name.
    fn members(&self, target: &Target) -> Result<QuerySet> {
        let mut query = self.query(target.registry).visible()?;
        if let Some(within) = &target.within {
            let kind = self.type_of(target.registry, within)?;
            let ids = self.descendants(target.registry, kind.id().unwrap_or_default())?;
            query = query.filter(Q::is("id__in", ids))?;
        }
        for (path, value) in &target.filters {
            query = query.filter(Q::is(path.clone(), value.as_str()))?;
        }
        Ok(query)
    }

    /// Returns the type that a feature names by its uid, or by its name as older releases did.
    pub(super) fn type_of(&self, registry: &'static Registry, within: &str) -> Result<Record> {
        let inner = within.rsplit('[').next().unwrap_or(within).trim_end_matches(']');
        let known = |field: &str| {
            let named = Q::is(field, inner).and(Q::is("is_type", true));
            self.query(registry).filter(named)?.order_by(["id"])?.first()
        };
        match known("uid")? {
            Some(kind) => Ok(kind),
            None => known("name")?.ok_or_else(|| {
                Error::does_not_exist(format!(
                    "No record found with uid '{inner}'. Did you forget a keyword as in {}.get(name='{inner}')?",
                    registry.name
                ))
            }),
        }
    }

    /// Returns the target that a given record belongs to.
    fn expected<'a>(&self, feature: &str, targets: &'a [Target], record: &Record) -> Result<&'a Target> {
        let Some(id) = record.id() else {
            return Err(Error::validation(format!(
                "{} {} is not saved.",
                record.registry().name,
                called(record)
            )));
        };
        let of_registry = |target: &&Target| target.registry.table == record.registry().table;
        let Some(target) = targets.iter().find(of_registry) else {
            let names: Vec<String> = targets.iter().map(Target::registry_name).collect();
            return Err(Error::validation(format!(
                "Expected a {} for feature '{feature}', but received the {} '{}'.",
                names.join(" or "),
                record.registry().name,
                called(record)
            )));
        };
        if self.members(target)?.filter(Q::is("id", id))?.exists()? {
            return Ok(target);
        }
        let Some(within) = &target.within else {
            return Err(Error::validation(format!(
                "Expected a record that matches {target} for feature '{feature}', but received '{}'.",
                called(record)
            )));
        };
        let type_of = match record.int("type_id") {
            Some(kind) => called(&self.by_id(target.registry, kind)?),
            None => "None".to_owned(),
        };
        Err(Error::validation(format!(
            "Expected a record of type '{}' for feature '{feature}', but received '{}' of type '{type_of}'.",
            called(&self.type_of(target.registry, within)?),
            called(record)
        )))
    }

    fn not_validated(&self, feature: &str, target: &Target, names: &[String]) -> Result<Error> {
        let list = |names: &[String]| {
            names.iter().map(|name| Given::Plain(name.as_str().into()).shown()).collect::<Vec<_>>().join(", ")
        };
        let terms = if names.len() == 1 { "1 term".to_owned() } else { format!("{} terms", names.len()) };
        let create = if target.registry_name().contains('.') { "" } else { ", create=True" };
        let module = if target.within.is_some() { "ln." } else { "" };
        let mut text = format!(
            "{terms} not validated in feature '{feature}': {names}\n    → fix typos, remove non-existent values, or create \
             objects via:\n\n  objects = {module}{}.from_values([{names}], field='{}'{create}).save()",
            target.registry_name(),
            target.field(),
            names = list(names),
        );
        if let Some(within) = &target.within {
            let members = self.members(target)?.order_by(["id"])?.slice(0, Some(MOST_LISTED)).all()?;
            let members: Vec<String> = members.iter().map(called).collect();
            text.push_str(&format!(
                "\n    → a valid label for subtype '{}' has to be one of [{}]",
                called(&self.type_of(target.registry, within)?),
                list(&members)
            ));
        }
        Ok(Error::validation(text))
    }
}

/// Returns how records of a registry are linked with the labels of a feature.
fn way(host: &'static Registry, target: &Target, feature: &Record) -> Result<Annotation> {
    model::annotations(host).find(|way| way.target.table == target.registry.table).ok_or_else(|| {
        let registries: Vec<String> =
            model::annotations(host).map(|way| way.target.name.to_owned()).collect();
        Error::invalid(format!(
            "A {} cannot hold values of '{}' ({}): the format links them with records of {} only",
            host.name,
            feature.text("name").unwrap_or_default(),
            feature.text("_dtype_str").unwrap_or_default(),
            registries.join(", ")
        ))
    })
}
