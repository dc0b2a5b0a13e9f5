//! The `KEY=value` files of the settings directory: reader and writer.

use std::path::{Path, PathBuf};

use super::files;
use crate::error::{Error, Result};

/// The entries of one settings file, and where they came from.
#[derive(Debug)]
pub(crate) struct DotEnv {
    path: PathBuf,
    remedy: &'static str,
    entries: Vec<(String, String)>,
}

impl DotEnv {
    /// Reads a file, or returns nothing if there is none; `remedy` ends the message about a damaged one.
    pub(crate) fn read(path: &Path, remedy: &'static str) -> Result<Option<Self>> {
        match files::read(path, remedy)? {
            Some(text) => Self::parse(path, remedy, &text).map(Some),
            None => Ok(None),
        }
    }

    /// Parses the text of the file at `path`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::SettingsOutdated`] for an empty file and for lines that are no `KEY=value`.
    pub(crate) fn parse(path: &Path, remedy: &'static str, text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut entries = Vec::new();
        for (index, line) in text.split(['\n', '\r']).enumerate() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match parse_line(line) {
                Some(entry) => entries.push(entry),
                None => {
                    return Err(files::outdated(
                        path,
                        &format!("has no KEY=value in line {}", index + 1),
                        remedy,
                    ));
                }
            }
        }
        let file = DotEnv { path: path.to_owned(), remedy, entries };
        if file.entries.is_empty() { Err(file.damaged("is empty")) } else { Ok(file) }
    }

    /// Returns an error about this file.
    pub(crate) fn damaged(&self, fault: &str) -> Error {
        files::outdated(&self.path, fault, self.remedy)
    }

    fn raw(&self, key: &str) -> Option<&str> {
        // The last line of a key wins, as in a shell.
        self.entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a key that need not be there.
    pub(crate) fn optional(&self, key: &str) -> Option<String> {
        self.raw(key).filter(|value| !is_none(value)).map(str::to_owned)
    }

    /// Returns the value of a key that must be there but may be `null`.
    pub(crate) fn nullable(&self, key: &str) -> Result<Option<String>> {
        match self.raw(key) {
            Some(_) => Ok(self.optional(key)),
            None => Err(self.damaged(&format!("lacks the key {key}"))),
        }
    }

    /// Returns the value of a key that must be there and not be `null`.
    pub(crate) fn required(&self, key: &str) -> Result<String> {
        self.nullable(key)?.ok_or_else(|| self.damaged(&format!("has no value for {key}")))
    }

    /// Returns the flag of a key that need not be there.
    pub(crate) fn flag(&self, key: &str) -> Result<bool> {
        match self.raw(key).unwrap_or_default().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(true),
            "false" | "0" | "no" | "null" | "none" | "" => Ok(false),
            // Half a word is what a torn write leaves behind: better no answer than the wrong one.
            _ => Err(self.damaged(&format!("has neither True nor False for {key}"))),
        }
    }
}

fn is_none(value: &str) -> bool {
    value.is_empty() || value == "null"
}

/// Returns key and value of one line, quotes and trailing comments removed.
fn parse_line(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once('=')?;
    let key = key.strip_prefix("export ").unwrap_or(key).trim();
    if key.is_empty() || key.chars().any(char::is_whitespace) {
        return None;
    }
    let value = value.trim_start();
    let value = match value.chars().next() {
        Some(quote @ ('\'' | '"')) => unquote(&value[1..], quote)?,
        _ => bare(value).to_owned(),
    };
    Some((key.to_owned(), value))
}

/// Returns an unquoted value without what follows a blank and `#`.
fn bare(value: &str) -> &str {
    let comment = value.match_indices('#').find(|(at, _)| value[..*at].ends_with(char::is_whitespace));
    comment.map_or(value, |(at, _)| &value[..at]).trim_end()
}

fn unquote(text: &str, quote: char) -> Option<String> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '\\' => match chars.next()? {
                escaped if escaped == '\\' || escaped == quote => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            end if end == quote => break,
            other => value.push(other),
        }
    }
    let rest = chars.as_str().trim();
    (rest.is_empty() || rest.starts_with('#')).then_some(value)
}

/// The text of a settings file under construction.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    /// Adds a line.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for a value that no line can carry: line breaks, NUL, or text that means nothing.
    pub(crate) fn text(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        let value = match value {
            None => "null",
            Some(value) if is_none(value) => {
                return Err(Error::value(format!(
                    "{key} can't be '{value}': settings files use it for nothing"
                )));
            }
            Some(value) if value.contains(['\n', '\r', '\0']) => {
                return Err(Error::value(format!(
                    "{key} can't be {value:?}: line breaks don't fit a settings file"
                )));
            }
            Some(value) => value,
        };
        self.text.push_str(key);
        self.text.push('=');
        if value.starts_with(['\'', '"']) || bare(value) != value || value.trim_start() != value {
            self.text.push('\'');
            self.text.push_str(&value.replace('\\', "\\\\").replace('\'', "\\'"));
            self.text.push('\'');
        } else {
            self.text.push_str(value);
        }
        self.text.push('\n');
        Ok(())
    }

    /// Adds a line with `True` or `False`.
    pub(crate) fn flag(&mut self, key: &str, value: bool) -> Result<()> {
        self.text(key, Some(if value { "True" } else { "False" }))
    }

    /// Returns the text.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}
