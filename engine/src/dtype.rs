//! Data types of features: the text in `_dtype_str`, read and written.
//!
//! ```text
//! dtype   := item | "list[" item "]"
//! item    := simple | "cat[" target ("|" target)* "]"
//! target  := registry ["." field] ["[" [type_uid] [filters] "]"] ["." field]
//! filters := key "=" value (", " key "=" value)*
//! ```
//!
//! ```
//! use holotype::dtype::Dtype;
//!
//! let dtype: Dtype = "list[cat[bionty.CellType.ontology_id]]".parse()?;
//! assert!(dtype.list);
//! assert_eq!(dtype.targets()[0].field(), "ontology_id");
//! assert_eq!(dtype.to_string(), "list[cat[bionty.CellType.ontology_id]]");
//! # Ok::<(), holotype::Error>(())
//! ```

use std::fmt;
use std::str::FromStr;

use serde_json::json;

use crate::error::{Error, Result};
use crate::model::{self, Module, Registry};

/// What one value is that names no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Simple {
    /// Whole number.
    Int,
    /// Real number.
    Float,
    /// Number of either kind.
    Num,
    /// True or false.
    Bool,
    /// Text.
    Str,
    /// Address.
    Url,
    /// Path.
    Path,
    /// Day.
    Date,
    /// Moment, in the time of wherever it was noted.
    DateTime,
    /// Moment in UTC.
    UtcDateTime,
    /// JSON object.
    Dict,
    /// Anything.
    Object,
}

const SIMPLE: [(&str, Simple); 12] = [
    ("bool", Simple::Bool),
    ("date", Simple::Date),
    ("datetime", Simple::DateTime),
    ("datetime64[ns, UTC]", Simple::UtcDateTime),
    ("dict", Simple::Dict),
    ("float", Simple::Float),
    ("int", Simple::Int),
    ("num", Simple::Num),
    ("object", Simple::Object),
    ("path", Simple::Path),
    ("str", Simple::Str),
    ("url", Simple::Url),
];

/// Records that a feature may name.
#[derive(Clone, Debug)]
pub struct Target {
    /// Their registry.
    pub registry: &'static Registry,
    /// Field by which values name them, where it is not the one that names records anyway.
    named_by: Option<String>,
    /// Uid of the type that they belong to.
    pub within: Option<String>,
    /// Look-ups that hold for them, with what they are compared with.
    pub filters: Vec<(String, String)>,
}

/// What one value of a feature is.
#[derive(Clone, Debug)]
pub enum Item {
    /// It names no record.
    Simple(Simple),
    /// It is a record of one of these.
    Label(Vec<Target>),
}

/// The data type of a feature.
#[derive(Clone, Debug)]
pub struct Dtype {
    /// Whether a value is a list of items.
    pub list: bool,
    /// What one of them is.
    pub item: Item,
}

/// Returns the names of all simple types as errors list them.
fn choices() -> String {
    let names: Vec<String> = SIMPLE.iter().map(|(name, _)| format!("'{name}'")).collect();
    format!("{{{}}}", names.join(", "))
}

/// Returns the error for a feature without a type.
pub fn missing() -> Error {
    Error::validation(format!("Please pass dtype, one of {} or a composed categorical dtype", choices()))
}

impl Simple {
    /// Returns the name.
    pub fn name(self) -> &'static str {
        SIMPLE.iter().find(|(_, simple)| *simple == self).map_or("object", |(name, _)| name)
    }
}

impl Target {
    /// Returns the field by which values name the records.
    pub fn field(&self) -> &str {
        self.named_by.as_deref().or(self.registry.name_field).unwrap_or("name")
    }

    /// Returns the registry as types name it: with its module unless that is the core.
    pub fn registry_name(&self) -> String {
        match self.registry.module {
            Module::Lamindb => self.registry.name.to_owned(),
            _ => self.registry.qualified_name(),
        }
    }

    fn read(text: &str) -> Result<Target> {
        let invalid = |text: &str| {
            Error::validation(format!(
                "'{text}' is an invalid dtype, has to be registry, e.g. ULabel or bionty.CellType"
            ))
        };
        let (head, inner, tail) = match text.split_once('[') {
            Some((head, rest)) => {
                let (inner, tail) = rest.rsplit_once(']').ok_or_else(|| invalid(text))?;
                (head, inner, tail.strip_prefix('.').unwrap_or(tail))
            }
            None => (text, "", ""),
        };
        let parts: Vec<&str> = head.split('.').collect();
        let (name, field) = match parts[..] {
            [name] => (name.to_owned(), tail),
            [module, name] if model::find(&format!("{module}.{name}")).is_some() => {
                (format!("{module}.{name}"), tail)
            }
            [name, field] => (name.to_owned(), field),
            [module, name, field] => (format!("{module}.{name}"), field),
            _ => return Err(invalid(head)),
        };
        let registry = model::find(&name)
            .filter(|registry| {
                !registry.traits.link && (name.contains('.') || registry.module == Module::Lamindb)
            })
            .ok_or_else(|| invalid(head))?;
        if !field.is_empty() && registry.column(field).is_none() {
            return Err(Error::validation(format!(
                "'{text}' is an invalid dtype: {} has no field '{field}'",
                registry.name
            )));
        }
        let mut target = Target {
            registry,
            named_by: Some(field)
                .filter(|field| !field.is_empty() && registry.name_field != Some(*field))
                .map(str::to_owned),
            within: None,
            filters: Vec::new(),
        };
        for part in split(inner, ',').into_iter().map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((key, value)) => {
                    target.filters.push((key.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
                }
                None if registry.traits.has_type && target.within.is_none() => {
                    target.within = Some(part.to_owned());
                }
                None => return Err(invalid(text)),
            }
        }
        Ok(target)
    }
}

/// Splits at a character that stands outside brackets and quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth -= 1,
            (None, c) if c == at && depth == 0 => {
                parts.push(&text[start..i]);
                start = i + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

impl FromStr for Dtype {
    type Err = Error;

    /// Reads a type.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for what is none, [`crate::ErrorKind::Validation`] for a registry or field that does
    /// not exist.
    fn from_str(text: &str) -> Result<Dtype> {
        let inside = |text: &str, open: &str| -> Option<String> {
            text.strip_prefix(open)?.strip_suffix(']').map(str::to_owned)
        };
        let (list, item) = match inside(text, "list[") {
            Some(item) => (true, item),
            None => (false, text.to_owned()),
        };
        if let Some((_, simple)) = SIMPLE.iter().find(|(name, _)| *name == item) {
            return Ok(Dtype { list, item: Item::Simple(*simple) });
        }
        match inside(&item, "cat[").filter(|targets| !targets.is_empty()) {
            Some(targets) => {
                let targets = split(&targets, '|').into_iter().map(Target::read).collect::<Result<_>>()?;
                Ok(Dtype { list, item: Item::Label(targets) })
            }
            None => Err(Error::value(format!("dtype is '{item}' but has to be one of {}!", choices()))),
        }
    }
}

impl Dtype {
    /// Returns the registries whose records are values; none for simple types.
    pub fn targets(&self) -> &[Target] {
        match &self.item {
            Item::Label(targets) => targets,
            Item::Simple(_) => &[],
        }
    }

    /// Returns the simple type of an item, if it names no record.
    pub fn simple(&self) -> Option<Simple> {
        match self.item {
            Item::Simple(simple) => Some(simple),
            Item::Label(_) => None,
        }
    }

    /// Returns the parts as JSON: whether it is a `list`, the name of the `simple` type or null, and the `targets`, each
    /// with `registry`, `field` and the uid of the type as `within`.
    pub fn json(&self) -> serde_json::Value {
        let target = |target: &Target| {
            let registry = target.registry.qualified_name();
            json!({"registry": registry, "field": target.field(), "within": target.within})
        };
        json!({
            "list": self.list,
            "simple": self.simple().map(Simple::name),
            "targets": self.targets().iter().map(target).collect::<Vec<_>>(),
        })
    }

    /// Returns the type with look-ups that its records have to match; simple types stay as they are.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Validation`] for lists and for several registries, for filters without a value, and for types
    /// that contradict each other.
    pub fn with_filters(mut self, filters: &[(String, Option<String>)]) -> Result<Dtype> {
        let text = self.to_string();
        let Item::Label(targets) = &mut self.item else { return Ok(self) };
        if filters.is_empty() {
            return Ok(self);
        }
        let refused = |what: &str| {
            Err(Error::validation(format!("cat_filters are incompatible with {what} dtypes: '{text}'")))
        };
        let [target] = &mut targets[..] else { return refused("union") };
        if self.list {
            return refused("nested");
        }
        let typed = target.within.is_some();
        for (key, value) in filters {
            let Some(value) = value.as_ref().filter(|value| !value.is_empty()) else {
                return Err(Error::validation(format!("Empty value in filter {key}")));
            };
            if key != "type__uid" {
                target.filters.push((key.clone(), value.clone()));
                continue;
            }
            match &target.within {
                Some(known) if known != value && typed => {
                    return Err(Error::validation(format!(
                        "Conflicting typed dtype and cat_filters type selector: dtype uses uid '{known}', cat_filters \
                         uses uid '{value}'"
                    )));
                }
                Some(known) if known != value => {
                    return Err(Error::validation(
                        "Conflicting type selectors in cat_filters: 'type' and 'type__uid'",
                    ));
                }
                _ => target.within = Some(value.clone()),
            }
        }
        Ok(self)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.registry_name())?;
        // The field of a type's members comes after the type.
        let field = self.named_by.as_ref().map(|field| format!(".{field}")).unwrap_or_default();
        if self.within.is_none() {
            f.write_str(&field)?;
        }
        let filters = self.filters.iter().map(|(key, value)| match value.contains(',') {
            true => format!("{key}=\"{value}\""),
            false => format!("{key}={value}"),
        });
        let inner: Vec<String> = self.within.iter().cloned().chain(filters).collect();
        if !inner.is_empty() {
            write!(f, "[{}]", inner.join(", "))?;
        }
        if self.within.is_some() {
            f.write_str(&field)?;
        }
        Ok(())
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = match &self.item {
            Item::Simple(simple) => simple.name().to_owned(),
            Item::Label(targets) => {
                let targets: Vec<String> = targets.iter().map(Target::to_string).collect();
                format!("cat[{}]", targets.join("|"))
            }
        };
        if self.list { write!(f, "list[{item}]") } else { f.write_str(&item) }
    }
}

#[cfg(test)]
mod tests {
    use super::Dtype;

    fn stored(text: &str) -> String {
        text.parse::<Dtype>().map_or_else(|error| error.to_string(), |dtype| dtype.to_string())
    }

    #[test]
    fn every_form_is_written_as_it_was_read() {
        for text in [
            "int",
            "datetime64[ns, UTC]",
            "list[str]",
            "cat[ULabel]",
            "cat[bionty.CellType]",
            "cat[bionty.CellType.ontology_id]",
            "cat[bionty.CellType|bionty.Tissue]",
            "list[cat[bionty.CellType.ontology_id]]",
            "cat[Record[8cDcX3pvuIHyjEYv]]",
            "cat[Record[8cDcX3pvuIHyjEYv, is_type=True]]",
            "cat[Record[8cDcX3pvuIHyjEYv].description]",
            "cat[bionty.Disease[source__uid=6Oa6a7Pp]]",
            "cat[bionty.Disease[name=\"a, b\"]]",
            "cat[bionty.Disease.ontology_id[name=ab]]",
            "cat[Artifact]",
        ] {
            assert_eq!(stored(text), text);
        }
        // The field that names records anyway is not written.
        assert_eq!(stored("cat[bionty.CellType.name]"), "cat[bionty.CellType]");
    }

    #[test]
    fn what_is_no_type_is_refused_with_the_choices() {
        for text in ["foo", "cat", "cat[]", "list", "list[foo]", "", "Str", "ULabel"] {
            assert!(stored(text).contains("has to be one of {'bool', 'date', "), "{text}: {}", stored(text));
        }
        for text in ["X", "bionty.Nope", "CellType", "ULabel[a, b]", "ArtifactULabel", "bionty.CellType[abc]"]
        {
            assert!(stored(&format!("cat[{text}]")).contains("is an invalid dtype"), "{text}");
        }
        assert!(stored("cat[bionty.CellType.nofield]").ends_with("CellType has no field 'nofield'"));
    }

    #[test]
    fn filters_narrow_one_registry_and_contradict_nothing() {
        let with = |text: &str, filters: &[(&str, &str)]| {
            let filters: Vec<(String, Option<String>)> =
                filters.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect();
            let dtype: Dtype = text.parse().unwrap();
            dtype.with_filters(&filters).map_or_else(|error| error.to_string(), |dtype| dtype.to_string())
        };
        assert_eq!(with("int", &[("a", "1")]), "int");
        assert_eq!(with("cat[ULabel]", &[("type__uid", "abcd1234")]), "cat[ULabel[abcd1234]]");
        assert_eq!(with("cat[Record[a]]", &[("is_type", "True")]), "cat[Record[a, is_type=True]]");
        assert!(with("cat[ULabel|Record]", &[("a", "1")]).contains("incompatible with union dtypes"));
        assert!(with("list[cat[ULabel]]", &[("a", "1")]).contains("incompatible with nested dtypes"));
        assert_eq!(with("cat[ULabel]", &[("name", "")]), "Empty value in filter name");
        assert!(with("cat[Record[a]]", &[("type__uid", "b")]).contains("dtype uses uid 'a'"));
        assert!(
            with("cat[ULabel]", &[("type__uid", "a"), ("type__uid", "b")]).contains("'type' and 'type__uid'")
        );
    }
}
