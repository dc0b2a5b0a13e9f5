//! Secrets that must not reach the database: in source code, in parameters, on command lines.

use serde_json::{Map, Value as Json};

use super::leaks::without_shapes;

/// What stands in the place of a secret.
pub const REDACTED: &str = "***REDACTED***";

/// Words of a name, one or two in a row, that announce a secret.
const SECRET_WORDS: [&str; 8] =
    ["secret", "token", "password", "passwd", "apikey", "accesskey", "privatekey", "clientsecret"];
const SECRET_PAIRS: [(&str, &str); 3] = [("api", "key"), ("access", "key"), ("private", "key")];

/// Returns true for names such as `api_key`, `accessToken` or `db.password`, in snake, kebab, camel and dotted form.
pub fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || words.windows(2).any(|pair| SECRET_PAIRS.contains(&(pair[0].as_str(), pair[1].as_str())))
}

/// Splits a name at signs, digits and changes of case.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(i + 1);
        let rises = before.is_some_and(char::is_lowercase) && c.is_uppercase();
        // In `APIKey` the second word starts at the K.
        let falls = before.is_some_and(char::is_uppercase)
            && c.is_uppercase()
            && after.is_some_and(|c| c.is_lowercase());
        if (rises || falls || !c.is_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphabetic() {
            word.extend(c.to_lowercase());
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// Returns true for a URL that carries a password, such as that of a database server.
pub fn is_secret_value(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let plain = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let password =
        authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':')).map(|(_, password)| password);
    // A placeholder of a template is no password.
    let template = |password: &str| password.starts_with('{') && password.ends_with('}');
    plain && password.is_some_and(|password| !password.is_empty() && !template(password))
}

/// Returns the parameters without secrets, and without those that say nothing: `null` and empty lists.
pub fn params(params: &Map<String, Json>) -> Map<String, Json> {
    let telling = params
        .iter()
        .filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
    telling.map(|(key, value)| (key.clone(), param(key, value))).collect()
}

/// Returns the parameters without secrets.
pub fn blank(params: &Map<String, Json>) -> Map<String, Json> {
    params.iter().map(|(key, value)| (key.clone(), param(key, value))).collect()
}

fn param(key: &str, value: &Json) -> Json {
    match value {
        Json::Null => Json::Null,
        _ if is_secret_name(key) => REDACTED.into(),
        Json::String(text) if is_secret_value(text) => REDACTED.into(),
        Json::Array(items) => items.iter().map(|item| param("", item)).collect(),
        Json::Object(map) => Json::Object(blank(map)),
        other => other.clone(),
    }
}

/// Returns command-line arguments joined by blanks, without the values of options that name secrets.
pub fn arguments(arguments: &[String]) -> String {
    redacted_arguments(arguments).join(" ")
}

/// Returns command-line arguments without the values of options that name secrets, and without what looks like one.
pub fn redacted_arguments(arguments: &[String]) -> Vec<String> {
    let mut hide = false;
    let mut shown: Vec<String> = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let option = argument.starts_with('-');
        let (name, value) =
            argument.split_once('=').map_or((argument.as_str(), None), |(name, value)| (name, Some(value)));
        shown.push(match value {
            _ if hide && !option => REDACTED.to_owned(),
            Some(value) if is_secret_name(name) || is_secret_value(value) => format!("{name}={REDACTED}"),
            None if is_secret_value(argument) => REDACTED.to_owned(),
            _ => without_shapes(argument).0,
        });
        hide = option && value.is_none() && is_secret_name(name);
    }
    shown
}

/// Returns source code with the values of secret-looking quoted assignments replaced, and how many there were.
///
/// Look-ups such as `os.environ["TOKEN"]` and values that are not quoted stay as they are.
pub fn source(code: &str) -> (String, usize) {
    let chars: Vec<char> = code.chars().collect();
    let mut out = String::with_capacity(code.len());
    let found = scan(&chars, Quotes::Delimit, &mut out);
    (out, found)
}

/// What quotes mean to the scan.
#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    /// They delimit texts, as in code.
    Delimit,
    /// They may be apostrophes, as in comments.
    Loose,
}

fn scan(chars: &[char], quotes: Quotes, out: &mut String) -> usize {
    let (mut found, mut i) = (0, 0);
    while i < chars.len() {
        if chars[i] == '#' && quotes == Quotes::Delimit {
            let end = i + chars[i..].iter().take_while(|c| **c != '\n').count();
            found += scan(&chars[i..end], Quotes::Loose, out);
            i = end;
            continue;
        }
        let mut assigned = None;
        let literal = Literal::at(chars, i);
        if is_name_start(chars, i) {
            let end = i + chars[i..].iter().take_while(|c| is_name(**c)).count();
            let name: String = chars[i..end].iter().collect();
            assigned = is_secret_name(&name).then_some(end);
            out.push_str(&name);
            i = end;
        } else if let Some(literal) = &literal
            && is_secret_value(&literal.text(chars))
        {
            out.push_str(&literal.hidden(chars));
            found += 1;
            i = literal.end;
        } else if let Some(literal) = literal.filter(|_| quotes == Quotes::Delimit) {
            let text = literal.text(chars);
            assigned = (is_secret_name(&text) && text.chars().all(is_name)).then_some(literal.end);
            out.extend(&chars[i..literal.open]);
            found += scan(&chars[literal.open..literal.close], Quotes::Loose, out);
            out.extend(&chars[literal.close..literal.end]);
            i = literal.end;
        } else {
            out.push(chars[i]);
            i += 1;
        }
        if let Some(value) = assigned.and_then(|end| value_of_assignment(chars, end)) {
            out.extend(&chars[i..value]);
            let hidden = hide_literals(chars, value, out);
            found += usize::from(hidden.secret);
            i = hidden.end;
        }
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

fn is_name_start(chars: &[char], i: usize) -> bool {
    let start = |c: char| c.is_alphabetic() || c == '_';
    start(chars[i]) && !i.checked_sub(1).is_some_and(|before| is_name(chars[before]))
}

/// Returns where the quoted value starts that is assigned to the name that ends at `i`.
fn value_of_assignment(chars: &[char], mut i: usize) -> Option<usize> {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\n');
    let blanks = |mut i: usize| {
        while matches!(at(i), ' ' | '\t') {
            i += 1;
        }
        i
    };
    // A key in quotes, or in quotes and brackets.
    i += usize::from(matches!(at(i), '\'' | '"'));
    i = blanks(i + usize::from(at(i) == ']'));
    i = match (at(i), at(i + 1)) {
        ('=', '=') => return None,
        ('=', _) => i + 1,
        ('+', '=') | (':', '=') | ('<', '-') => i + 2,
        (':', _) => after_annotation(chars, i + 1).unwrap_or(i + 1),
        _ => return None,
    };
    i = blanks(i);
    if at(i) == '(' {
        i += 1;
        while matches!(at(i), ' ' | '\t' | '\n') && i < chars.len() {
            i += 1;
        }
    }
    Literal::at(chars, i).map(|_| i)
}

/// Returns where the value starts after a type annotation of text, as in `token: str = "…"`.
fn after_annotation(chars: &[char], start: usize) -> Option<usize> {
    let part = |c: &&char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '|' | ',' | ' ');
    let length = chars[start..].iter().take(80).take_while(part).count();
    let annotation: String = chars[start..start + length].iter().collect();
    let text = ["str", "bytes", "String", "Final", "Any"];
    let texts = annotation
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| text.contains(&word) || word.starts_with("Secret"));
    let end = start + length;
    (texts && chars.get(end) == Some(&'=') && chars.get(end + 1) != Some(&'=')).then_some(end + 1)
}

struct Hidden {
    end: usize,
    secret: bool,
}

/// Writes the literal at `i`, and those joined to it by standing next to it, without their text.
fn hide_literals(chars: &[char], mut i: usize, out: &mut String) -> Hidden {
    let mut secret = false;
    while let Some(literal) = Literal::at(chars, i) {
        let text = literal.text(chars);
        secret |= !text.is_empty() && text != REDACTED;
        out.push_str(&literal.hidden(chars));
        i = literal.end;
        let blanks = chars[i..].iter().take_while(|c| matches!(c, ' ' | '\t')).count();
        if Literal::at(chars, i + blanks).is_none() {
            break;
        }
        out.extend(&chars[i..i + blanks]);
        i += blanks;
    }
    Hidden { end: i, secret }
}

/// A quoted text with its prefix, as positions.
struct Literal {
    start: usize,
    /// First character of the text.
    open: usize,
    /// First character after the text.
    close: usize,
    end: usize,
}

impl Literal {
    fn at(chars: &[char], start: usize) -> Option<Literal> {
        let prefix = chars.get(start..)?.iter().take(2).take_while(|c| "rRbBuUfF".contains(**c)).count();
        let quote = *chars.get(start + prefix)?;
        if !matches!(quote, '\'' | '"') || (prefix > 0 && start > 0 && is_name(chars[start - 1])) {
            return None;
        }
        let run = chars[start + prefix..].iter().take_while(|c| **c == quote).count();
        let width = if run >= 3 { 3 } else { 1 };
        let open = start + prefix + width;
        if run == 2 {
            return Some(Literal { start, open, close: open, end: open + 1 });
        }
        let mut i = open;
        while i < chars.len() {
            match chars[i] {
                '\\' => i += 1,
                '\n' if width == 1 => return None,
                c if c == quote
                    && chars[i..].iter().take(width).filter(|c| **c == quote).count() == width =>
                {
                    return Some(Literal { start, open, close: i, end: i + width });
                }
                _ => {}
            }
            i += 1;
        }
        None
    }

    fn text(&self, chars: &[char]) -> String {
        chars[self.open..self.close].iter().collect()
    }

    fn hidden(&self, chars: &[char]) -> String {
        let text = if self.open == self.close { "" } else { REDACTED };
        let (before, after) = (&chars[self.start..self.open], &chars[self.close..self.end]);
        before.iter().copied().chain(text.chars()).chain(after.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_word_by_word() {
        for name in [
            "token",
            "HF_TOKEN",
            "accessToken",
            "x.token",
            "api-key",
            "apiKey",
            "APIKey",
            "aws_access_key_id",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["tokens", "tokenizer", "secretary", "max_tokens", "key", "api", "ssh_key", "passage", ""]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn urls_with_a_password_are_secret() {
        for url in [
            "postgresql://u:p@h/db",
            "postgres://u:p@h:5432/db",
            "postgresql+psycopg2://u:p%40@h/x",
            "https://u:p@h",
        ] {
            assert!(is_secret_value(url), "{url}");
        }
        for url in [
            "postgresql://u@h/db",
            "https://h:80/a@b",
            "s3://bucket/key",
            "a: b@c",
            "postgresql://{u}:{p}@h/db",
            "",
        ] {
            assert!(!is_secret_value(url), "{url}");
        }
    }
}
