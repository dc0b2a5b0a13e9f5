//! What is known of the files that a command opens.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::hash::{Identity, Stamp, identify_file};

/// Folders of the system.
const SYSTEM: [&[u8]; 8] =
    [b"/usr/", b"/lib/", b"/lib64/", b"/etc/", b"/proc/", b"/sys/", b"/dev/", b"/bin/"];

/// A file that a command opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Real path.
    pub path: PathBuf,
    /// Path by which it was opened, made absolute.
    pub called: PathBuf,
    /// Something that was there before was read.
    pub read: bool,
    /// It was opened for writing, or put in its place.
    pub written: bool,
    /// What it was when it was first opened for writing; nothing when it was new.
    before: Option<Stamp>,
    /// The content that was read before it was changed, moved or removed, where that may be known elsewhere.
    pub former: Option<Identity>,
}

impl Seen {
    /// Returns true when it is there now, and is new or no longer what it was.
    pub fn is_changed(&self) -> bool {
        self.written && self.path.is_file() && Stamp::of(&self.path).is_ok_and(|now| self.before != Some(now))
    }
}

/// How a file is opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// What was there before is lost unseen.
    Anew,
    /// What was there before is kept in part.
    Over,
}

/// The files that a command opened, as far as they lie where somebody looks.
#[derive(Clone, Debug, Default)]
pub struct Files {
    inside: Vec<PathBuf>,
    /// One of the folders lies where most of what programs open belongs to the system.
    inside_system: bool,
    sizes: HashSet<u64>,
    seen: BTreeMap<PathBuf, Seen>,
    programs: BTreeSet<PathBuf>,
    /// Paths by which nothing new can be learnt any more: opened for reading, or not to be looked at.
    known: HashSet<PathBuf>,
}

impl Files {
    /// Returns an empty list that takes up what lies below these folders, given as real paths.
    pub fn inside(folders: impl IntoIterator<Item = PathBuf>) -> Files {
        let inside: Vec<PathBuf> = folders.into_iter().collect();
        Files { inside_system: inside.iter().any(|folder| is_of_system(folder)), inside, ..Files::default() }
    }

    /// Returns the list that looks at the content of files before they change, if they have one of these sizes.
    #[must_use]
    pub fn keeping(mut self, sizes: HashSet<u64>) -> Files {
        self.sizes = sizes;
        self
    }

    /// Returns the files whose former content was read, sorted by path.
    pub fn read(&self) -> impl Iterator<Item = &Seen> {
        self.seen.values().filter(|seen| seen.read)
    }

    /// Returns the files that are new or changed now, sorted by path.
    pub fn written(&self) -> impl Iterator<Item = &Seen> {
        self.seen.values().filter(|seen| seen.is_changed())
    }

    /// Returns the programs that were started, sorted by path, wherever they lie.
    pub fn programs(&self) -> impl Iterator<Item = &Path> {
        self.programs.iter().map(PathBuf::as_path)
    }

    /// Notes that a program, given by its absolute path, is to be started; a shell tries several.
    pub fn start(&mut self, called: &Path) {
        if let Some(program) = fs::canonicalize(called).ok().filter(|path| path.is_file()) {
            self.open_to_read(called);
            self.programs.insert(program);
        }
    }

    /// Notes that a file, given by its absolute path, is opened for reading.
    pub fn open_to_read(&mut self, called: &Path) {
        if self.passes_over(called) || self.known.contains(called) {
            return;
        }
        let Some(path) = self.place(called) else { return };
        self.known.insert(called.to_owned());
        if path.is_file() {
            self.seen(path, called).read_first();
        }
    }

    /// Notes that a file, given by its absolute path, is about to be opened for writing.
    pub fn open_to_write(&mut self, called: &Path, how: Write) {
        let Some(path) = self.place(called) else { return };
        let before = Stamp::of(&path).ok().filter(|_| path.is_file());
        let keep = before.is_some_and(|before| self.sizes.contains(&before.size));
        let seen = self.seen(path, called);
        if seen.written {
            return;
        }
        seen.read |= before.is_some() && how == Write::Over;
        if keep && seen.read {
            seen.keep();
        }
        seen.write_first(before);
    }

    /// Notes that a file is new or changed, whoever wrote it.
    pub fn appear(&mut self, called: &Path) {
        if let Some(path) = self.place(called) {
            let seen = self.seen(path, called);
            seen.written = true;
            seen.before = None;
        }
    }

    /// Notes that something is about to get another name, or a second one.
    pub fn rename(&mut self, from: &Path, to: &Path) {
        let source = self.place(from);
        if let Some(source) = source.as_deref().filter(|source| source.is_dir()) {
            let Some(target) = self.place(to) else { return };
            let made = self.seen.values().filter(|seen| seen.written);
            let below: Vec<PathBuf> =
                made.filter_map(|seen| seen.path.strip_prefix(source).ok().map(Path::to_owned)).collect();
            for rest in below {
                let before = Stamp::of(&target.join(&rest)).ok();
                self.seen(target.join(&rest), &to.join(&rest)).write_first(before);
            }
            return;
        }
        if let Some(source) = source.filter(|source| source.is_file()) {
            let keep = Stamp::of(&source).is_ok_and(|stamp| self.sizes.contains(&stamp.size));
            let seen = self.seen(source, from);
            if !seen.written {
                seen.read = true;
                if keep {
                    seen.keep();
                }
            }
        }
        self.open_to_write(to, Write::Anew);
    }

    /// Notes that a file is about to be removed.
    pub fn remove(&mut self, called: &Path) {
        let Some(path) = self.place(called) else { return };
        let keep = Stamp::of(&path).is_ok_and(|stamp| self.sizes.contains(&stamp.size));
        if let Some(seen) = self.seen.get_mut(&path).filter(|seen| keep && seen.read && !seen.written) {
            seen.keep();
        }
    }

    fn seen(&mut self, path: PathBuf, called: &Path) -> &mut Seen {
        self.seen.entry(path).or_insert_with_key(|path| Seen {
            path: path.clone(),
            called: plain(called),
            read: false,
            written: false,
            before: None,
            former: None,
        })
    }

    /// Returns the real path of what is called so, if somebody looks there.
    fn place(&mut self, called: &Path) -> Option<PathBuf> {
        if self.passes_over(called) {
            return None;
        }
        if self.known.contains(called) {
            // What was read may still be written.
            return real(called).filter(|path| self.looks_at(path));
        }
        let path = real(called)?;
        if self.looks_at(&path) {
            return Some(path);
        }
        self.known.insert(called.to_owned());
        None
    }

    /// Returns true for what belongs to the system: no link there leads to where somebody looks.
    fn passes_over(&self, called: &Path) -> bool {
        !self.inside_system && is_of_system(called)
    }

    fn looks_at(&self, path: &Path) -> bool {
        self.inside.iter().any(|folder| path.starts_with(folder))
    }
}

impl Seen {
    fn read_first(&mut self) {
        // What the command wrote itself is no input of it.
        self.read |= !self.written;
    }

    fn write_first(&mut self, before: Option<Stamp>) {
        if !self.written {
            self.before = before;
            self.written = true;
        }
    }

    /// Remembers the content: afterwards nobody can tell any more what was read.
    fn keep(&mut self) {
        if self.former.is_none() {
            self.former = identify_file(&self.path).ok();
        }
    }
}

fn is_of_system(path: &Path) -> bool {
    // Asked for every file that is opened: by bytes, since taking paths apart takes longer.
    let path = path.as_os_str().as_encoded_bytes();
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

/// Returns the real path; of what is not there yet, that of its folder with its name.
fn real(called: &Path) -> Option<PathBuf> {
    match fs::canonicalize(called) {
        Ok(path) => Some(path),
        Err(_) => Some(fs::canonicalize(called.parent()?).ok()?.join(called.file_name()?)),
    }
}

/// Returns an absolute path without `.` and `..`, as far as that can be told from the path alone.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> (tempfile::TempDir, PathBuf, Files) {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let files = Files::inside([root.clone()]).keeping(HashSet::from([3]));
        (dir, root, files)
    }

    fn names<'a>(files: impl Iterator<Item = &'a Seen>) -> Vec<String> {
        files.map(|seen| seen.path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_a_command_reads_back_is_no_input() {
        let (_dir, root, mut files) = scene();
        fs::write(root.join("a"), "a").unwrap();
        files.open_to_read(&root.join("a"));
        files.open_to_write(&root.join("b"), Write::Anew);
        fs::write(root.join("b"), "b").unwrap();
        files.open_to_read(&root.join("b"));
        files.open_to_read(Path::new("/etc/passwd"));
        files.open_to_read(&root.join("missing"));
        assert_eq!((names(files.read()), names(files.written())), (vec!["a".into()], vec!["b".into()]));
    }

    #[test]
    fn changed_inputs_keep_their_former_content() {
        let (_dir, root, mut files) = scene();
        for name in ["over", "anew", "same"] {
            fs::write(root.join(name), "old").unwrap();
        }
        files.open_to_write(&root.join("over"), Write::Over);
        files.open_to_write(&root.join("anew"), Write::Anew);
        files.open_to_write(&root.join("same"), Write::Over);
        fs::write(root.join("over"), "old and new").unwrap();
        fs::write(root.join("anew"), "something else").unwrap();
        let former: Vec<_> = files.read().map(|seen| seen.former.clone().unwrap().content.size).collect();
        assert_eq!((names(files.read()), former), (vec!["over".into(), "same".into()], vec![3, 3]));
        assert_eq!(names(files.written()), ["anew", "over"]);
    }

    #[test]
    fn the_last_name_counts() {
        let (_dir, root, mut files) = scene();
        fs::create_dir(root.join("part")).unwrap();
        files.open_to_write(&root.join("part/x"), Write::Anew);
        fs::write(root.join("part/x"), "x").unwrap();
        files.rename(&root.join("part"), &root.join("done"));
        fs::rename(root.join("part"), root.join("done")).unwrap();
        files.open_to_write(&root.join("y.tmp"), Write::Anew);
        fs::write(root.join("y.tmp"), "y").unwrap();
        files.rename(&root.join("y.tmp"), &root.join("y"));
        fs::rename(root.join("y.tmp"), root.join("y")).unwrap();
        assert_eq!((names(files.read()), names(files.written())), (vec![], vec!["x".into(), "y".into()]));
        assert!(files.written().all(|seen| !seen.path.to_str().unwrap().contains("part")));
    }

    #[test]
    fn what_was_read_is_known_when_it_is_gone() {
        let (_dir, root, mut files) = scene();
        for name in ["read", "moved", "removed"] {
            fs::write(root.join(name), "abc").unwrap();
        }
        files.open_to_read(&root.join("read"));
        files.remove(&root.join("read"));
        files.remove(&root.join("removed"));
        files.rename(&root.join("moved"), &root.join("there"));
        let kept: Vec<bool> = files.read().map(|seen| seen.former.is_some()).collect();
        assert_eq!((names(files.read()), kept), (vec!["moved".into(), "read".into()], vec![true, true]));
    }

    #[test]
    fn paths_are_real_ones() {
        let (_dir, root, mut files) = scene();
        fs::create_dir(root.join("data")).unwrap();
        fs::write(root.join("data/a"), "a").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.join("data"), root.join("link")).unwrap();
        files.open_to_read(&root.join("link/../data/./a"));
        files.open_to_read(&root.join("link/a"));
        let seen: Vec<_> = files.read().collect();
        assert_eq!((seen.len(), &seen[0].path), (1, &root.join("data/a")));
        assert_eq!(seen[0].called, root.join("data/a"));
    }
}
