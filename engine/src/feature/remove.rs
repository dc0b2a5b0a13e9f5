//! Values of features taken away.

use serde_json::Value as Json;

use super::write::{self, Only};
use super::{Given, How};
use crate::error::{Error, Result};
use crate::hash::value_hash;
use crate::instance::Instance;
use crate::record::Record;

impl Instance {
    /// Takes values of features from a saved artifact, run or record: of features by name or uid those that are given,
    /// or all where nothing is; without `wanted` those of all features that were not found in the content. What is not
    /// there is mentioned.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Validation`] for unknown features, [`crate::ErrorKind::Value`] for a host that is not saved
    /// and for features that were found in the content.
    pub fn remove_features(&self, host: &Record, wanted: Option<&[(String, Given)]>) -> Result<()> {
        let Some(values) = wanted else { return self.annotate(host, &[], How::Set) };
        let (id, own) = self.changeable(host, "remove")?;
        let features = self.features_named(values)?;
        // Of a list of labels, one may go by itself.
        let listed = |name: &str| {
            let dtype = features.get(name).and_then(|feature| feature.text("_dtype_str"));
            dtype.is_some_and(|dtype| dtype.starts_with("list[cat["))
        };
        let alone: Vec<(String, Given)> = values
            .iter()
            .map(|(name, given)| match given {
                Given::Plain(Json::String(_)) if listed(name) => {
                    (name.clone(), Given::Many(vec![given.clone()]))
                }
                _ => (name.clone(), given.clone()),
            })
            .collect();
        let checked = self.checked(host, &alone, &features, "remove")?;
        let content = |feature: &Record| feature.id().is_some_and(|id| own.ids.contains(&id));
        if features.values().any(content) {
            return Err(Error::value("Cannot remove values for dataset features."));
        }
        let mut absent = Vec::new();
        self.db().write(|tx| {
            absent.clear();
            for (name, given) in values {
                let Some(feature) = features.get(name) else { continue };
                let ids = feature.id();
                let of =
                    |only: Option<&Only<'_>>| write::remove(tx, host.registry(), id, ids.as_slice(), only);
                let one = checked.0.iter().find(|one| one.feature.id() == feature.id());
                let gone = match one {
                    None => of(None)?,
                    Some(one) if !one.labels.found.is_empty() => of(Some(&Only::Labels(&one.labels.found)))?,
                    Some(one) => {
                        let mut gone = 0;
                        for json in &one.plain {
                            gone += of(Some(&Only::Hash(&value_hash(json))))?;
                        }
                        gone
                    }
                };
                if gone == 0 {
                    let value = one.map(|_| format!(" with value {}", given.shown()));
                    absent.push((feature.clone(), value.unwrap_or_default()));
                }
            }
            Ok(())
        })?;
        for (feature, value) in absent {
            self.warn(format!(
                "no feature '{}'{value} found on {} '{}'!",
                feature.text("name").unwrap_or_default(),
                host.registry().name.to_lowercase(),
                host.uid()
            ));
        }
        Ok(())
    }
}
