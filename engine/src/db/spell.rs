//! What the two databases spell differently inside statements, said once.

use super::sql::Sql;
use crate::value::{Kind, Value};

/// Whether capital and small letters count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// They differ, where the database can tell them apart: SQLite's `LIKE` cannot.
    Distinct,
    /// They do not differ.
    Alike,
}

/// Lists longer than this are handed to SQLite as one JSON parameter instead of one parameter each.
const INLINE: usize = 400;

impl Sql {
    /// Appends text that the engine wrote once for each database.
    pub fn spelled(&mut self, sqlite: &str, postgres: &str) -> &mut Self {
        self.fork(Sql::new(sqlite), Sql::new(postgres))
    }

    /// Appends the condition that the uid starts with `stem`, as a range of the index on it.
    pub fn family(&mut self, stem: &str) -> &mut Self {
        // `{` is the first character after all that a uid may hold.
        self.push("\"uid\"").at_least().bind(stem);
        self.push(" AND \"uid\"").spelled(" < ", " ~<~ ").bind(format!("{stem}{{"))
    }

    /// Appends `>=` for texts, which compare by their bytes whatever the order of the database.
    pub fn at_least(&mut self) -> &mut Self {
        self.spelled(" >= ", " ~>=~ ")
    }

    /// Appends what makes texts sort by their bytes, as SQLite does by itself.
    pub fn bytewise(&mut self) -> &mut Self {
        self.spelled("", " COLLATE \"C\"")
    }

    /// Appends `expression LIKE pattern`, in which `\` takes the meaning from the sign after it.
    pub fn like(&mut self, expression: Sql, pattern: &str, letters: Letters) -> &mut Self {
        let mut sqlite = expression.clone();
        sqlite.push(" LIKE ").bind(pattern).push(" ESCAPE '\\'");
        let mut postgres = Sql::default();
        match letters {
            Letters::Distinct => postgres.append(expression).push("::text LIKE ").bind(pattern),
            Letters::Alike => {
                // For a pattern of ASCII alone the plain rules find the same at half the cost.
                let rules = if pattern.is_ascii() { " COLLATE \"C\"" } else { "" };
                postgres.push("UPPER(").append(expression).push("::text").push(rules).push(") LIKE UPPER(");
                postgres.bind(pattern).push(")")
            }
        };
        self.fork(sqlite, postgres)
    }

    /// Appends the condition that a regular expression matches somewhere.
    pub fn regex(&mut self, expression: Sql, pattern: &str, letters: Letters) -> &mut Self {
        let alike = letters == Letters::Alike;
        let mut sqlite = expression.clone();
        sqlite.push(" REGEXP ").bind(if alike { format!("(?i){pattern}") } else { pattern.to_owned() });
        let mut postgres = expression;
        postgres.push(if alike { "::text ~* " } else { "::text ~ " }).bind(posix(pattern));
        self.fork(sqlite, postgres)
    }

    /// Appends the condition that the expression is one of `values`, none of which is null.
    pub fn is_one_of(&mut self, expression: Sql, kind: Kind, values: Vec<Value>) -> &mut Self {
        let mut postgres = expression.clone();
        let element = match kind {
            Kind::Bool => "boolean",
            _ if values.iter().any(|value| matches!(value, Value::Float(_))) => "numeric",
            Kind::SmallInt | Kind::Int | Kind::BigInt => "bigint",
            Kind::Char(_) | Kind::Text => "text",
            Kind::Date => "date",
            Kind::DateTime => "timestamptz",
            Kind::Json => "jsonb",
        };
        postgres.push(" = ANY(").bind(array(&values)).push(&format!("::{element}[])"));
        let mut sqlite = expression;
        if values.len() <= INLINE {
            sqlite.push(" IN (").binds(values).push(")");
        } else {
            let list: Vec<serde_json::Value> = values
                .into_iter()
                .map(|value| match value {
                    Value::DateTime(moment) => moment.to_sql().into(),
                    other => other.into_json(),
                })
                .collect();
            sqlite.push(" IN (SELECT value FROM json_each(").bind(serde_json::Value::from(list)).push("))");
        }
        self.fork(sqlite, postgres)
    }
}

/// Returns a regular expression in the words of PostgreSQL: the same matches, as far as it has words for them.
fn posix(pattern: &str) -> String {
    let known = |flags: &&str| !flags.is_empty() && flags.chars().all(|flag| "imsxu".contains(flag));
    let split = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    let (flags, mut rest) = split.filter(|(flags, _)| known(flags)).unwrap_or(("", pattern));
    let has = |flag| flags.contains(flag);
    // By itself a dot would match the end of a line there.
    let lines = match (has('m'), has('s')) {
        (false, false) => "p",
        (true, false) => "n",
        (false, true) => "s",
        (true, true) => "w",
    };
    let (i, x) = (if has('i') { "i" } else { "" }, if has('x') { "x" } else { "" });
    let mut text = format!("(?{lines}{i}{x})");
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let (took, words) = match c {
            '\\' => {
                let escaped = rest[1..].chars().next();
                let words = match escaped.filter(|_| !in_class) {
                    Some('b') => Some("\\y"),
                    Some('B') => Some("\\Y"),
                    Some('z') => Some("\\Z"),
                    _ => None,
                };
                (1 + escaped.map_or(0, char::len_utf8), words)
            }
            // Groups need no names here.
            '(' if !in_class && (rest.starts_with("(?P<") || rest.starts_with("(?<")) => {
                (rest.find('>').map_or(1, |end| end + 1), Some("("))
            }
            '[' => {
                in_class = true;
                (1, None)
            }
            ']' => {
                in_class = false;
                (1, None)
            }
            c => (c.len_utf8(), None),
        };
        text.push_str(words.unwrap_or(&rest[..took]));
        rest = &rest[took..];
    }
    text
}

/// Returns the text form of an array for PostgreSQL.
fn array(values: &[Value]) -> String {
    let mut text = String::from("{");
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        let item = match value {
            Value::Int(int) => {
                text.push_str(&int.to_string());
                continue;
            }
            Value::DateTime(moment) => moment.to_iso(),
            Value::Json(json) => json.to_string(),
            other => other.to_string(),
        };
        text.push('"');
        for c in item.chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::posix;

    #[test]
    fn patterns_are_put_into_the_words_of_postgres() {
        assert_eq!(posix("^a.b$"), "(?p)^a.b$");
        assert_eq!(posix("(?i)a\\b(?P<n>[b\\]z])"), "(?pi)a\\y([b\\]z])");
        assert_eq!(posix("(?sm)(?<n>x)\\z"), "(?w)(x)\\Z");
        assert_eq!(posix("[\\b](?:a|é)\\"), "(?p)[\\b](?:a|é)\\");
    }
}
