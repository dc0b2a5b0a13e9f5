//! Which values a registry knows.

use std::collections::HashSet;

use super::{Received, Scope, Standardize, present, receive, text_field};
use crate::error::Result;
use crate::event::Event;
use crate::instance::Instance;
use crate::model::Registry;

/// What is known of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Field that the values were compared with.
    pub field: &'static str,
    /// For every value as it came in, whether it is valid.
    pub mask: Vec<bool>,
    /// Valid values, each once, in their order.
    pub validated: Vec<String>,
    /// Other values, each once, in their order.
    pub non_validated: Vec<String>,
    /// Values that are synonyms of valid ones or differ from them in case, with the valid ones.
    pub synonyms: Vec<(String, String)>,
    /// Percentage of unique values that are valid, to one decimal.
    pub frac_validated: f64,
    /// Number of empty and repeated values.
    pub n_empty: usize,
    /// Number of unique values.
    pub n_unique: usize,
}

impl Instance {
    /// Returns for every value whether a record holds it in `field`; capital and small letters differ, synonyms do not
    /// count.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for an unknown field or one without text.
    pub fn validate<S: AsRef<str>>(
        &self,
        registry: &'static Registry,
        values: &[S],
        field: Option<&str>,
        scope: &Scope,
    ) -> Result<Vec<bool>> {
        let field = text_field(registry, field)?;
        let received = receive(values);
        let valid = self.check_values(registry, &received, field, scope)?;
        Ok(values.iter().map(|value| valid.contains(value.as_ref())).collect())
    }

    /// Returns what is known of values: which are valid, which are synonyms, which are neither.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for an unknown field or one without text.
    pub fn inspect<S: AsRef<str>>(
        &self,
        registry: &'static Registry,
        values: &[S],
        field: Option<&str>,
        scope: &Scope,
    ) -> Result<Inspection> {
        let field = text_field(registry, field)?;
        let received = receive(values);
        let valid = self.check_values(registry, &received, field, scope)?;
        let (validated, non_validated): (Vec<&str>, Vec<&str>) =
            received.unique.iter().partition(|value| valid.contains(**value));
        let how = Standardize {
            field: Some(field),
            scope: Scope { mute: true, ..scope.clone() },
            ..Standardize::default()
        };
        let standard = self.standardize(registry, &non_validated, &how)?;
        let synonyms: Vec<(String, String)> = standard
            .mapper
            .into_iter()
            .map(|(value, standard)| (value, standard.first().to_owned()))
            .collect();
        if !non_validated.is_empty() {
            let known: HashSet<&str> = synonyms.iter().map(|(synonym, _)| synonym.as_str()).collect();
            let unknown = non_validated
                .iter()
                .filter(|value| !known.contains(**value))
                .map(|value| (*value).to_owned());
            scope.say(
                self,
                Event::TermsInspected {
                    registry: registry.name,
                    synonyms: synonyms.iter().map(|(synonym, _)| synonym.clone()).collect(),
                    unknown: unknown.collect(),
                },
            );
        }
        let n_unique = received.unique.len();
        let share = if n_unique == 0 { 0.0 } else { validated.len() as f64 * 100.0 / n_unique as f64 };
        let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
        Ok(Inspection {
            field,
            mask: values.iter().map(|value| valid.contains(value.as_ref())).collect(),
            validated: owned(validated),
            non_validated: owned(non_validated),
            synonyms,
            frac_validated: (share * 10.0).round() / 10.0,
            n_empty: received.ignored,
            n_unique,
        })
    }

    /// Returns the valid ones of the values and says how many there are.
    fn check_values(
        &self,
        registry: &'static Registry,
        received: &Received<'_>,
        field: &str,
        scope: &Scope,
    ) -> Result<HashSet<String>> {
        let unique = received.unique.len();
        if unique == 0 && received.ignored == 0 {
            scope.say(self, Event::Warning("input has zero length".to_owned()));
            return Ok(HashSet::new());
        }
        let valid = present(&scope.query(self, registry)?, field, &received.unique)?;
        let terms: Vec<String> = received
            .unique
            .iter()
            .filter(|value| !valid.contains(**value))
            .map(|value| (*value).to_owned())
            .collect();
        if received.ignored > 0 {
            scope.say(self, Event::TermsReceived { unique, ignored: received.ignored });
        }
        if terms.len() < unique {
            let event =
                Event::TermsValidated { valid: unique - terms.len(), unique, field: field.to_owned() };
            scope.say(self, event);
        }
        if !terms.is_empty() {
            scope.say(self, Event::TermsNotValidated { terms, unique, field: field.to_owned() });
        }
        Ok(valid)
    }
}
