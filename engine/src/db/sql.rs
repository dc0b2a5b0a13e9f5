//! A statement under construction: text and the values bound to it.

use crate::value::Value;

/// One SQL statement with its parameters, in the order of the `?` marks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    text: String,
    params: Vec<Value>,
}

impl Sql {
    /// Returns a statement that starts with `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Sql { text: text.into(), params: Vec::new() }
    }

    /// Appends text that the engine itself wrote; never anything a user gave.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a quoted name.
    pub fn ident(&mut self, name: &str) -> &mut Self {
        self.text.push('"');
        self.text.push_str(&name.replace('"', "\"\""));
        self.text.push('"');
        self
    }

    /// Appends `alias."name"`.
    pub fn column(&mut self, alias: &str, name: &str) -> &mut Self {
        if !alias.is_empty() {
            self.text.push_str(alias);
            self.text.push('.');
        }
        self.ident(name)
    }

    /// Appends a parameter.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.text.push('?');
        self.params.push(value.into());
        self
    }

    /// Appends another statement with its parameters.
    pub fn append(&mut self, other: Sql) -> &mut Self {
        self.text.push_str(&other.text);
        self.params.extend(other.params);
        self
    }

    /// Appends the parts with `separator` between them.
    pub fn join(&mut self, separator: &str, parts: impl IntoIterator<Item = Sql>) -> &mut Self {
        for (i, part) in parts.into_iter().enumerate() {
            if i > 0 {
                self.push(separator);
            }
            self.append(part);
        }
        self
    }

    /// Appends quoted names with commas between them.
    pub fn idents<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> &mut Self {
        for (i, name) in names.into_iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.ident(name);
        }
        self
    }

    /// Appends parameters with commas between them.
    pub fn binds(&mut self, values: impl IntoIterator<Item = Value>) -> &mut Self {
        for (i, value) in values.into_iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the parameters.
    pub fn params(&self) -> &[Value] {
        &self.params
    }

    /// Returns true when nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}
