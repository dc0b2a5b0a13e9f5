//! A statement under construction: text and the values bound to it.

use std::ops::Range;

use crate::value::Value;

/// One SQL statement with its parameters, in the order of the `?` marks.
///
/// Text and parameters are those for SQLite; where PostgreSQL wants something else, a fork holds that beside them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    text: String,
    params: Vec<Value>,
    forks: Vec<Fork>,
}

/// A stretch of a statement that PostgreSQL spells differently.
#[derive(Clone, Debug, PartialEq)]
struct Fork {
    text: Range<usize>,
    params: Range<usize>,
    postgres: Sql,
}

impl Sql {
    /// Returns a statement that starts with `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Sql { text: text.into(), ..Sql::default() }
    }

    /// Appends text that the engine itself wrote; never anything a user gave.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a quoted name.
    pub fn ident(&mut self, name: &str) -> &mut Self {
        self.text.push('"');
        for (i, part) in name.split('"').enumerate() {
            self.text.push_str(if i > 0 { "\"\"" } else { "" });
            self.text.push_str(part);
        }
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
        let (text, params) = (self.text.len(), self.params.len());
        self.text.push_str(&other.text);
        self.params.extend(other.params);
        self.forks.extend(other.forks.into_iter().map(|fork| Fork {
            text: fork.text.start + text..fork.text.end + text,
            params: fork.params.start + params..fork.params.end + params,
            postgres: fork.postgres,
        }));
        self
    }

    /// Appends what each of the two databases understands.
    pub fn fork(&mut self, sqlite: Sql, postgres: Sql) -> &mut Self {
        let (text, params) = (self.text.len(), self.params.len());
        self.text.push_str(&sqlite.text);
        self.params.extend(sqlite.params);
        let (text, params) = (text..self.text.len(), params..self.params.len());
        self.forks.push(Fork { text, params, postgres });
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

    /// Returns the text for SQLite.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the parameters for SQLite.
    pub fn params(&self) -> &[Value] {
        &self.params
    }

    /// Returns text and parameters for PostgreSQL, which numbers its marks.
    pub fn to_postgres(&self) -> (String, Vec<&Value>) {
        let (mut text, mut params) = (String::with_capacity(self.text.len() + 16), Vec::new());
        self.render(&mut text, &mut params);
        (text, params)
    }

    fn render<'a>(&'a self, text: &mut String, params: &mut Vec<&'a Value>) {
        let (mut at, mut param) = (0, 0);
        for fork in &self.forks {
            number(&self.text[at..fork.text.start], &self.params[param..fork.params.start], text, params);
            fork.postgres.render(text, params);
            (at, param) = (fork.text.end, fork.params.end);
        }
        number(&self.text[at..], &self.params[param..], text, params);
    }

    /// Returns true when nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// Appends a stretch of text with its `?` marks numbered; those inside quotes are no marks.
fn number<'a>(part: &str, values: &'a [Value], text: &mut String, params: &mut Vec<&'a Value>) {
    params.reserve(values.len());
    let mut values = values.iter();
    let mut quote = None;
    for c in part.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '?') => {
                if let Some(value) = values.next() {
                    params.push(value);
                    text.push('$');
                    text.push_str(&params.len().to_string());
                    continue;
                }
            }
            _ => {}
        }
        text.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::Sql;

    #[test]
    fn postgres_gets_its_own_spelling_and_numbered_marks() {
        let mut inner = Sql::new("\"name\" ");
        let (mut like, mut ilike) = (Sql::new("LIKE "), Sql::new("ILIKE "));
        like.bind("a%").push(" ESCAPE ").bind("!");
        ilike.bind("A%");
        inner.fork(like, ilike);
        let mut sql = Sql::new("SELECT '?' FROM \"a?\" WHERE id = ");
        sql.bind(7i64).push(" AND ").append(inner).push(" AND size > ").bind(8i64);
        assert_eq!(sql.text().matches('?').count(), 6);
        assert_eq!(sql.params().len(), 4);
        let (text, params) = sql.to_postgres();
        assert_eq!(text, "SELECT '?' FROM \"a?\" WHERE id = $1 AND \"name\" ILIKE $2 AND size > $3");
        assert_eq!(params, [&7i64.into(), &"A%".into(), &8i64.into()]);
    }
}
