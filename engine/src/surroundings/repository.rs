//! The git repository that holds the code: its commit, what differs from it, and a copy of it as it was.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::hash::digest_file;
use crate::track::redacted_text;

/// Bytes of a difference that are kept.
const DIFFERENCE: u64 = 1 << 20;

/// Changed and new files that are listed.
const LISTED: usize = 1000;

/// New files up to this size are known by their digest.
const HASHED: u64 = 16 << 20;

/// What a repository looks like beside its commit.
pub(super) struct State {
    /// Commit, branch, remote, changed and new files.
    pub(super) told: Json,
    /// How the files differ from the commit, without secrets.
    pub(super) difference: Option<String>,
}

/// Returns the folder of the repository that holds a place.
pub(super) fn root(place: &Path) -> Option<&Path> {
    place.ancestors().find(|dir| dir.join(".git").exists())
}

/// Returns commit and branch of the repository that holds a folder, without asking git.
pub(crate) fn commit(folder: &Path) -> Option<Json> {
    let dot = root(folder)?.join(".git");
    // In a further working tree this is a file that says where its part of the repository is.
    let own = match fs::read_to_string(&dot) {
        Ok(text) => dot.parent()?.join(text.trim().strip_prefix("gitdir: ")?),
        Err(_) => dot,
    };
    let common =
        fs::read_to_string(own.join("commondir")).map_or_else(|_| own.clone(), |at| own.join(at.trim()));
    let head = fs::read_to_string(own.join("HEAD")).ok()?;
    let Some(name) = head.trim().strip_prefix("ref: ") else {
        return Some(json!({"commit": head.trim()}));
    };
    let loose = [&own, &common].into_iter().find_map(|dir| fs::read_to_string(dir.join(name)).ok());
    let packed = || {
        let packed = fs::read_to_string(common.join("packed-refs")).ok()?;
        packed.lines().find_map(|line| line.strip_suffix(name).map(|line| line.trim().to_owned()))
    };
    let commit = loose.map(|text| text.trim().to_owned()).or_else(packed)?;
    Some(json!({"commit": commit, "branch": name.strip_prefix("refs/heads/").unwrap_or(name)}))
}

/// Returns the state of the repository that holds a place; without git only its commit is known.
pub(super) fn state(env: &Env, place: &Path) -> Option<State> {
    let root = root(place)?;
    let mut told = commit(root).unwrap_or_else(|| json!({}));
    told["root"] = json!(root);
    let Some(status) = ask(env, root, ["status", "--porcelain=v1", "-z", "--no-renames"]) else {
        return Some(State { told, difference: None });
    };
    if let Some(remote) = ask(env, root, ["config", "--get", "remote.origin.url"]) {
        told["remote"] = redacted_text(remote.trim()).0.into();
    }
    let entries = || status.split('\0').filter_map(|entry| entry.split_at_checked(3));
    let changed: Vec<Json> = entries()
        .filter(|(sign, _)| *sign != "?? ")
        .take(LISTED)
        .map(|(sign, path)| json!({"path": path, "status": sign.trim()}))
        .collect();
    let new: Vec<Json> = entries()
        .filter(|(sign, _)| *sign == "?? ")
        .take(LISTED)
        .map(|(_, path)| json!({"path": path, "digest": small_digest(&root.join(path))}))
        .collect();
    told["dirty"] = (!changed.is_empty()).into();
    let mut difference = None;
    if !changed.is_empty() {
        let against = told.get("commit").is_some().then_some("HEAD");
        let words = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--full-index"];
        match ask(env, root, words.into_iter().chain(against)) {
            Some(text) => {
                let (text, secrets) = redacted_text(&text);
                told["redacted"] = secrets.into();
                difference = Some(text);
            }
            // The files that differ are known all the same.
            None => told["too_large"] = true.into(),
        }
        told["changed"] = changed.into();
    }
    told["untracked"] = new.into();
    Some(State { told, difference })
}

fn small_digest(path: &Path) -> Option<String> {
    let small = fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() <= HASHED);
    small.then(|| digest_file(path).ok().map(|digest| digest.to_hex())).flatten()
}

/// Fills a folder with the files of a commit, and applies a difference to them; returns what is not as it was.
///
/// # Errors
/// [`crate::ErrorKind::DoesNotExist`] when the repository no longer holds the commit, or git is not installed.
pub(crate) fn restore(
    env: &Env,
    root: &Path,
    commit: &str,
    difference: Option<&str>,
    into: &Path,
) -> Result<Option<String>> {
    fs::create_dir_all(into).map_err(|error| Error::io(into, error))?;
    // An index of its own: nothing of the repository changes.
    let index = into.join(".holotype-index");
    let run = |words: &[&OsStr]| {
        git(env, root)
            .args(words)
            .env("GIT_INDEX_FILE", &index)
            .output()
            .is_ok_and(|done| done.status.success())
    };
    let word = OsStr::new;
    let mut prefix = into.as_os_str().to_owned();
    prefix.push("/");
    let mut option = word("--prefix=").to_owned();
    option.push(&prefix);
    let done = run(&[word("read-tree"), word(commit)])
        && run(&[word("checkout-index"), word("--all"), word("--force"), &option]);
    fs::remove_file(&index).ok();
    if !done {
        return Err(Error::does_not_exist(format!(
            "Commit {commit} is not in the repository {}: fetch it there first",
            root.display()
        )));
    }
    let Some(difference) = difference.filter(|text| !text.is_empty()) else { return Ok(None) };
    let mut apply = git(env, into);
    // Else git would take the folder for a part of a repository that happens to lie around it.
    apply.env("GIT_CEILING_DIRECTORIES", into.parent().unwrap_or(into));
    apply.args(["apply", "--whitespace=nowarn", "--reject", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = apply.spawn().map_err(|error| Error::io(into, error))?;
    if let Some(mut input) = child.stdin.take() {
        // Where it is not read to its end, the exit code says so.
        let _ = input.write_all(difference.as_bytes());
    }
    let applied = child.wait().is_ok_and(|status| status.success());
    let text = "not every change since the commit could be made again: secrets and binary files are not kept";
    Ok((!applied).then(|| text.to_owned()))
}

/// Returns what git says; nothing when it fails, says more than is kept, or is not installed.
fn ask<'a>(env: &Env, root: &Path, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut child = git(env, root).args(words).stdout(Stdio::piped()).spawn().ok()?;
    let mut said = Vec::new();
    let whole = child.stdout.take()?.take(DIFFERENCE + 1).read_to_end(&mut said).is_ok();
    let small = said.len() as u64 <= DIFFERENCE;
    if !small {
        child.kill().ok();
    }
    let done = child.wait().is_ok_and(|status| status.success());
    (whole && small && done).then(|| String::from_utf8_lossy(&said).into_owned())
}

/// Returns git for a repository: it takes no locks, asks nobody, and starts no programs that the repository names.
fn git(env: &Env, root: &Path) -> Command {
    let mut git = Command::new("git");
    git.env_clear().envs(env.vars.iter().filter(|(name, _)| !name.starts_with("GIT_")));
    git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    git.args(["-c", "core.fsmonitor=false", "-c", "core.quotepath=off", "-C"]).arg(root);
    git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    git
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Timestamp;

    fn env() -> Env {
        let path = Command::new("sh").args(["-c", "printf %s \"$PATH\""]).output().unwrap().stdout;
        let vars = [("PATH".to_owned(), String::from_utf8(path).unwrap())];
        Env::new(|| Timestamp(0), |bytes| bytes.fill(0), "/", "/").with_vars(vars)
    }

    fn run(root: &Path, words: &[&str]) {
        let identity = ["-c", "user.name=J", "-c", "user.email=j@lab.org", "-c", "init.defaultBranch=main"];
        let done = git(&env(), root).args(identity).args(words).status().unwrap();
        assert!(done.success(), "git {words:?}");
    }

    #[test]
    fn a_dirty_repository_is_told_and_restored() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("lab");
        fs::create_dir_all(root.join("sub")).unwrap();
        run(&root, &["init", "-q"]);
        let leak = "https://ghp_A1b2C3d4E5f6G7h8I9j0K1l2@github.com/lab/code.git";
        run(&root, &["remote", "add", "origin", leak]);
        assert_eq!(state(&env(), &root).unwrap().told.get("commit"), None);
        fs::write(root.join("a.py"), "one\ntwo\n").unwrap();
        fs::write(root.join("sub/b.py"), "b\n").unwrap();
        run(&root, &["add", "."]);
        run(&root, &["commit", "-q", "-m", "first"]);
        let clean = state(&env(), &root.join("sub/b.py")).unwrap();
        let first = clean.told["commit"].as_str().unwrap().to_owned();
        assert_eq!((&clean.told["branch"], &clean.told["dirty"]), (&"main".into(), &false.into()));
        assert_eq!(clean.told["remote"], "https://***REDACTED***@github.com/lab/code.git");
        assert_eq!(clean.difference, None);

        fs::write(root.join("a.py"), "one\ntwo\nthree\n").unwrap();
        fs::write(root.join("new file.txt"), "new").unwrap();
        let dirty = state(&env(), &root).unwrap();
        assert_eq!(dirty.told["changed"], json!([{"path": "a.py", "status": "M"}]));
        assert_eq!(dirty.told["untracked"][0]["path"], "new file.txt");
        let difference = dirty.difference.unwrap();
        assert!(difference.contains("\n+three\n"));

        run(&root, &["commit", "-q", "-a", "-m", "second"]);
        let into = dir.path().join("again");
        assert_eq!(restore(&env(), &root, &first, Some(&difference), &into).unwrap(), None);
        assert_eq!(fs::read_to_string(into.join("a.py")).unwrap(), "one\ntwo\nthree\n");
        assert_eq!(fs::read_to_string(into.join("sub/b.py")).unwrap(), "b\n");
        assert!(!into.join(".git").exists() && !into.join("new file.txt").exists());
        let missing = restore(&env(), &root, &"0".repeat(40), None, &dir.path().join("x")).unwrap_err();
        assert!(missing.message().contains("fetch it there first"));

        fs::write(root.join("a.py"), "one\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENG\n").unwrap();
        let leaky = state(&env(), &root).unwrap();
        assert!(!leaky.difference.unwrap().contains("wJalr"));
        assert_eq!(leaky.told["redacted"], 1);
    }
}
