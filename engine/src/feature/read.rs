//! Values of features, as they are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value as Json, json};

use crate::describe::called;
use crate::dtype::{Dtype, Target};
use crate::error::Result;
use crate::instance::Instance;
use crate::model::{self, PlainValues, Registry};
use crate::query::{Q, QuerySet};
use crate::record::Record;
use crate::value::Value;

/// Ids that one question names.
const BATCH: usize = 5_000;

/// What a record holds of one feature.
#[derive(Clone, Debug)]
pub struct Held {
    /// Id of the record.
    pub host: i64,
    /// The feature.
    pub feature: Record,
    /// Values that name no record, in the order in which they came.
    pub plain: Vec<Json>,
    /// Records that are values.
    pub labels: Vec<Record>,
}

impl Held {
    /// Returns the type of the feature as text.
    pub fn dtype(&self) -> &str {
        self.feature.text("_dtype_str").unwrap_or_default()
    }

    /// Returns everything but the labels as JSON: `host`, `feature` (its id), its `uid`, `name` and `dtype`, `values`, and
    /// what the labels are called as `names`.
    pub fn json(&self) -> Json {
        json!({
            "host": self.host,
            "feature": self.feature.id(),
            "uid": self.feature.uid(),
            "name": self.feature.text("name"),
            "dtype": self.dtype(),
            "values": self.plain,
            "names": self.names(),
        })
    }

    /// Returns what the labels are called: what they hold in the field that the type of the feature names.
    pub fn names(&self) -> Vec<String> {
        let dtype: Option<Dtype> = self.dtype().parse().ok();
        let name = |label: &Record| {
            let of_registry = |target: &&Target| target.registry.table == label.registry().table;
            let target = dtype.as_ref().and_then(|dtype| dtype.targets().iter().find(of_registry));
            let name = target.and_then(|target| label.text(target.field()));
            name.map_or_else(|| called(label), str::to_owned)
        };
        self.labels.iter().map(name).collect()
    }
}

/// Values by host and feature.
#[derive(Default)]
struct Gathered {
    plain: BTreeMap<(i64, i64), Vec<Json>>,
    labels: BTreeMap<(i64, i64), Vec<Record>>,
}

impl Instance {
    /// Returns what records of a registry hold of features: for each of them labels first, features by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn features_of(&self, registry: &'static Registry, ids: &[i64]) -> Result<Vec<Held>> {
        let mut gathered = Gathered::default();
        for ids in ids.chunks(BATCH) {
            self.gather_labels(registry, ids, &mut gathered)?;
            self.gather_plain(registry, ids, &mut gathered)?;
        }
        let Gathered { mut plain, mut labels } = gathered;
        let keys: BTreeSet<(i64, i64)> = plain.keys().chain(labels.keys()).copied().collect();
        let features: BTreeSet<i64> = keys.iter().map(|(_, feature)| *feature).collect();
        let features = self.registry("Feature")?.filter(Q::is("id__in", Vec::from_iter(features)))?.all()?;
        let by_id: HashMap<Option<i64>, Record> =
            features.into_iter().map(|feature| (feature.id(), feature)).collect();
        let mut held: Vec<Held> = keys
            .into_iter()
            .filter_map(|(host, feature)| {
                let key = (host, feature);
                Some(Held {
                    host,
                    feature: by_id.get(&Some(feature))?.clone(),
                    plain: plain.remove(&key).unwrap_or_default(),
                    labels: labels.remove(&key).unwrap_or_default(),
                })
            })
            .collect();
        held.sort_by(|a, b| {
            let key = |held: &Held| (held.host, held.labels.is_empty());
            let name = |held: &Held| held.feature.text("name").unwrap_or_default().to_owned();
            key(a).cmp(&key(b)).then_with(|| name(a).cmp(&name(b)))
        });
        Ok(held)
    }

    fn gather_labels(&self, registry: &'static Registry, ids: &[i64], gathered: &mut Gathered) -> Result<()> {
        for way in model::annotations_held(registry, |module| self.db().holds(module))? {
            let links = self.query(way.link).filter(Q::is(format!("{}__in", way.near), ids.to_vec()))?;
            let links = links.filter(Q::is("feature_id__isnull", false))?.order_by(["id"])?.all()?;
            let targets: BTreeSet<i64> = links.iter().filter_map(|link| link.int(way.far)).collect();
            if targets.is_empty() {
                continue;
            }
            let targets = self.query(way.target).filter(Q::is("id__in", Vec::from_iter(targets)))?.all()?;
            let by_id: HashMap<Option<i64>, Record> =
                targets.into_iter().map(|target| (target.id(), target)).collect();
            for link in &links {
                if let (Some(host), Some(feature), Some(target)) =
                    (link.int(way.near), link.int("feature_id"), by_id.get(&link.int(way.far)))
                {
                    gathered.labels.entry((host, feature)).or_default().push(target.clone());
                }
            }
        }
        Ok(())
    }

    fn gather_plain(&self, registry: &'static Registry, ids: &[i64], gathered: &mut Gathered) -> Result<()> {
        let of_hosts = |query: QuerySet, near: &str| {
            query.filter(Q::is(format!("{near}__in"), ids.to_vec()))?.order_by(["id"])?.all()
        };
        let value = |row: &Record| match row.get("value") {
            Some(Value::Json(json)) => (**json).clone(),
            Some(other) => other.clone().into_json(),
            None => Json::Null,
        };
        match model::plain_values(registry) {
            Some(PlainValues::Own(rows, near)) => {
                for row in of_hosts(self.query(rows), near)? {
                    if let (Some(host), Some(feature)) = (row.int(near), row.int("feature_id")) {
                        gathered.plain.entry((host, feature)).or_default().push(value(&row));
                    }
                }
            }
            Some(PlainValues::Shared(link, near, far)) => {
                let links = of_hosts(self.query(link), near)?;
                let rows: BTreeSet<i64> = links.iter().filter_map(|link| link.int(far)).collect();
                let rows =
                    self.registry("JsonValue")?.filter(Q::is("id__in", Vec::from_iter(rows)))?.all()?;
                let by_id: HashMap<Option<i64>, Record> =
                    rows.into_iter().map(|row| (row.id(), row)).collect();
                for link in &links {
                    let Some(row) = by_id.get(&link.int(far)) else { continue };
                    if let (Some(host), Some(feature)) = (link.int(near), row.int("feature_id")) {
                        gathered.plain.entry((host, feature)).or_default().push(value(row));
                    }
                }
            }
            None => {}
        }
        Ok(())
    }
}
