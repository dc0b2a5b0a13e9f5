//! Patterns of paths, as shells and version control know them.

use std::path::{Path, PathBuf};

use regex::Regex;

use crate::error::{Error, Result};
use crate::trace::plain;

/// A pattern such as `results/**/*.csv`: `*` and `?` stop at `/`, `**` does not, `[ab]` and `{a,b}` are choices.
///
/// A pattern without `/` means names at any depth; any other one starts at the working folder. What it means includes
/// everything below.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    base: PathBuf,
}

impl Pattern {
    /// Returns the pattern as seen from a folder.
    pub(super) fn new(text: &str, folder: &Path) -> Result<Pattern> {
        let bare = text.trim_end_matches('/');
        if bare.is_empty() {
            return Err(Error::invalid(format!("'{text}' is no pattern: pass one such as 'results/**'")));
        }
        let (base, source) = match bare.contains('/') || bare == "." {
            true => {
                let place = plain(&folder.join(bare));
                // A sign in the name of the working folder is no wildcard.
                let (fixed, free) = match place.strip_prefix(folder) {
                    Ok(rest) => (folder.join(""), rest),
                    Err(_) => (PathBuf::new(), place.as_path()),
                };
                let fixed = regex::escape(&fixed.to_string_lossy());
                (base(&place), format!("^{fixed}{}(/.*)?$", translate(&free.to_string_lossy())))
            }
            false => (folder.to_owned(), format!("(^|/){}(/.*)?$", translate(bare))),
        };
        let regex = Regex::new(&source)
            .map_err(|error| Error::invalid(format!("'{text}' is no pattern of paths")).because(error))?;
        Ok(Pattern { regex, base })
    }

    /// Returns true when the pattern means this absolute path.
    pub(super) fn matches(&self, path: &Path) -> bool {
        self.regex.is_match(&path.to_string_lossy())
    }

    /// Returns the deepest folder that holds everything that the pattern can mean.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }
}

/// Returns the leading part of a path without wildcards.
fn base(path: &Path) -> PathBuf {
    let fixed: PathBuf = path
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    match fixed == path {
        true => fixed.parent().map_or_else(|| fixed.clone(), Path::to_owned),
        false => fixed,
    }
}

/// Returns the regular expression for a pattern.
fn translate(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at, mut open) = (String::new(), 0, 0usize);
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '*' if chars.get(at) == Some(&'*') => {
                at += 1;
                // `**/x` means `x` as well.
                if chars.get(at) == Some(&'/') {
                    at += 1;
                    out.push_str("(.*/)?");
                } else {
                    out.push_str(".*");
                }
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' if chars[at..].contains(&']') => {
                out.push('[');
                if matches!(chars.get(at), Some('!' | '^')) {
                    at += 1;
                    out.push('^');
                }
            }
            ']' | '-' => out.push(c),
            '{' if chars[at..].contains(&'}') => {
                open += 1;
                out.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                out.push(')');
            }
            ',' if open > 0 => out.push('|'),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern, Path::new("/lab/a.b")).unwrap().matches(Path::new(path))
    }

    #[test]
    fn patterns_mean_what_shells_mean() {
        for (pattern, yes, no) in [
            ("*.csv", "/lab/a.b/x/y.csv", "/lab/a.b/y.csv.gz"),
            ("results/**", "/lab/a.b/results/x/y", "/lab/a.b/other/results/x"),
            ("results", "/lab/elsewhere/results/x", "/lab/a.b/results2"),
            ("results/", "/lab/a.b/results/x/y.csv", "/lab/a.b/result"),
            ("results/*.csv", "/lab/a.b/results/y.csv", "/lab/a.b/results/x/y.csv"),
            ("**/x.csv", "/lab/a.b/x.csv", "/lab/a.b/yx.csv"),
            ("out/plate[12].{csv,tsv}", "/lab/a.b/out/plate2.tsv", "/lab/a.b/out/plate3.csv"),
            ("out/[!a]?.txt", "/lab/a.b/out/bc.txt", "/lab/a.b/out/ab.txt"),
            ("../shared/*", "/lab/shared/x", "/lab/a.b/shared/x"),
            ("/data/in/*", "/data/in/x", "/lab/a.b/data/in/x"),
            ("./x", "/lab/a.b/x", "/lab/aXb/x"),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes}");
            assert!(!matches(pattern, no), "{pattern} {no}");
        }
        assert!(Pattern::new("/", Path::new("/lab")).is_err());
    }

    #[test]
    fn the_base_holds_all_that_is_meant() {
        let base = |pattern: &str| Pattern::new(pattern, Path::new("/lab")).unwrap().base().to_owned();
        assert_eq!(base("results/**/x"), Path::new("/lab/results"));
        assert_eq!(base("results/x.csv"), Path::new("/lab/results"));
        assert_eq!(base("*.csv"), Path::new("/lab"));
        assert_eq!(base("/data/in*/x"), Path::new("/data"));
    }
}
