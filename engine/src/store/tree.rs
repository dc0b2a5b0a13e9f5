//! The tree of a folder as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::suffix::{Formats, Suffix};

/// What a tree shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeOptions {
    /// How many levels are shown; nothing for all.
    pub level: Option<usize>,
    /// Leave files out.
    pub only_dirs: bool,
    /// How many lines files of one suffix get in one folder; nothing for any number.
    pub n_max_files_per_dir_and_type: Option<usize>,
    /// How many lines there are at most; nothing for any number.
    pub n_max_files: Option<usize>,
    /// Folders with these suffixes are shown but not entered.
    pub skip_suffixes: BTreeSet<String>,
}

impl Default for TreeOptions {
    fn default() -> Self {
        TreeOptions {
            level: Some(2),
            only_dirs: false,
            n_max_files_per_dir_and_type: Some(100),
            n_max_files: Some(1000),
            skip_suffixes: BTreeSet::new(),
        }
    }
}

/// Returns the tree below `path`: a line of counts, the resolved path, and one line per entry, sorted by name.
///
/// Counts and suffixes cover what lies within the levels shown, also where lines are left out. The text does not end in a
/// newline.
///
/// # Errors
/// [`crate::ErrorKind::FileNotFound`] when there is no such folder, else what the file system reports on the way.
pub fn tree(path: &Path, options: &TreeOptions, formats: &Formats) -> Result<String> {
    let root = fs::canonicalize(path).map_err(|error| Error::io(path, error))?;
    let mut tree = Tree { options, formats, lines: Vec::new(), dirs: 0, files: 0, suffixes: BTreeSet::new() };
    tree.walk(&root, "", 1)?;

    let noun = if tree.dirs == 1 { "sub-directory" } else { "sub-directories" };
    let mut text = format!("{} {noun} & {} files", tree.dirs, tree.files);
    if tree.files > 0 {
        let suffixes: Vec<String> = tree.suffixes.iter().map(|suffix| format!("'{suffix}'")).collect();
        text.push_str(&format!(" with suffixes {}", suffixes.join(", ")));
    }
    text.push_str(&format!("\n{}", root.display()));
    let shown = options.n_max_files.unwrap_or(usize::MAX).min(tree.lines.len());
    for line in &tree.lines[..shown] {
        text.push('\n');
        text.push_str(line);
    }
    if shown < tree.lines.len() {
        text.push_str(&format!("\n... only showing {shown} out of {} files", tree.files));
    }
    Ok(text)
}

struct Tree<'a> {
    options: &'a TreeOptions,
    formats: &'a Formats,
    lines: Vec<String>,
    dirs: usize,
    files: usize,
    suffixes: BTreeSet<String>,
}

/// One line below a folder.
enum Item {
    Dir(String, bool),
    File(String),
    More,
}

impl Tree<'_> {
    fn walk(&mut self, folder: &Path, indent: &str, level: usize) -> Result<()> {
        if self.options.level.is_some_and(|deepest| level > deepest) {
            return Ok(());
        }
        let items = self.items(folder)?;
        let n = items.len();
        for (at, item) in items.into_iter().enumerate() {
            let (guide, below) = if at + 1 == n { ("└── ", "    ") } else { ("├── ", "│   ") };
            match item {
                Item::File(name) => self.lines.push(format!("{indent}{guide}{name}")),
                Item::More => self.lines.push(format!("{indent}{guide}...")),
                Item::Dir(name, enter) => {
                    self.lines.push(format!("{indent}{guide}{name}/"));
                    if enter {
                        self.walk(&folder.join(name), &format!("{indent}{below}"), level + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the lines of one folder, sorted by name, and counts what it holds.
    fn items(&mut self, folder: &Path) -> Result<Vec<Item>> {
        let fail = |error| Error::io(folder, error);
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let link = entry.file_type().map_err(fail)?.is_symlink();
            let is_dir = entry.path().is_dir();
            entries.insert(entry.file_name().to_string_lossy().into_owned(), (is_dir, link));
        }
        let mut per_suffix: BTreeMap<String, usize> = BTreeMap::new();
        let suffix_of = |name: &str| Suffix::of_name(name, self.formats).raw;
        for (name, _) in entries.iter().filter(|(_, (is_dir, _))| !is_dir) {
            *per_suffix.entry(suffix_of(name)).or_default() += 1;
        }
        let limit = self.options.n_max_files_per_dir_and_type.unwrap_or(usize::MAX);
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut items = Vec::new();
        for (name, (is_dir, link)) in entries {
            if is_dir {
                self.dirs += 1;
                let skipped = self.options.skip_suffixes.iter().any(|suffix| name.ends_with(suffix.as_str()));
                // A link may lead back up: it is shown, but not entered.
                items.push(Item::Dir(name, !skipped && !link));
                continue;
            }
            if self.options.only_dirs {
                continue;
            }
            self.files += 1;
            let suffix = suffix_of(&name);
            let too_many = per_suffix.get(&suffix).is_some_and(|&all| all > limit);
            let nth = seen.entry(suffix.clone()).or_default();
            *nth += 1;
            // The line of the last file allowed tells that there are more.
            match (*nth).cmp(&limit) {
                std::cmp::Ordering::Less => items.push(Item::File(name)),
                std::cmp::Ordering::Equal => items.push(if too_many { Item::More } else { Item::File(name) }),
                std::cmp::Ordering::Greater => {}
            }
            self.suffixes.insert(suffix);
        }
        Ok(items)
    }
}
