//! Names of what is not yet, or no longer, in its place.

use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::uid;

const TEMP: &str = ".holotype-tmp";
const OLD: &str = ".holotype-old";

/// Characters of the random part.
const RANDOM: usize = 8;

/// Bytes that file systems grant to one name.
const NAME_MAX: usize = 255;

/// What a name says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing<'a> {
    /// Content on its way in or out.
    Temp,
    /// A folder moved aside to make room for its successor of this name.
    Old(&'a str),
}

/// Returns the name beside `target` under which its content is assembled, `.<name>.<random>.holotype-tmp`.
pub(super) fn temp(env: &Env, target: &Path) -> Result<PathBuf> {
    let name = name_of(target)?;
    // Nothing is read back from a temporary name: a long one may be cut.
    let room = NAME_MAX - (TEMP.len() + RANDOM + 2);
    let cut = (0..=room.min(name.len())).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    Ok(target.with_file_name(format!(".{}.{}{TEMP}", &name[..cut], uid::random(env, RANDOM))))
}

/// Returns the name beside `target` under which its content arrives from elsewhere; `what` tells one content from
/// another, so that whoever comes next finds what has arrived already.
pub(super) fn partial(target: &Path, what: &str) -> Result<PathBuf> {
    let name = name_of(target)?;
    let room = NAME_MAX - (TEMP.len() + RANDOM + 2);
    let cut = (0..=room.min(name.len())).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    Ok(target.with_file_name(format!(".{}.{}{TEMP}", &name[..cut], uid::from_text(what, RANDOM))))
}

/// Returns the name beside `target` under which it waits for its successor, `.<name>.<random>.holotype-old`.
pub(super) fn old(env: &Env, target: &Path) -> Result<PathBuf> {
    let name = name_of(target)?;
    let aside = format!(".{name}.{}{OLD}", uid::random(env, RANDOM));
    if aside.len() > NAME_MAX {
        return Err(Error::invalid(format!(
            "The name of {} is too long to be replaced; shorten it",
            target.display()
        )));
    }
    Ok(target.with_file_name(aside))
}

/// Returns what a file name says if it is one of ours.
pub(super) fn parse(name: &str) -> Option<Passing<'_>> {
    let rest = name.strip_prefix('.')?;
    let split = |suffix| {
        let (target, random) = rest.strip_suffix(suffix)?.rsplit_once('.')?;
        (random.len() == RANDOM && uid::is_base62(random)).then_some(target)
    };
    match (split(TEMP), split(OLD)) {
        (Some(_), _) => Some(Passing::Temp),
        (_, Some(target)) if !target.is_empty() => Some(Passing::Old(target)),
        _ => None,
    }
}

fn name_of(target: &Path) -> Result<&str> {
    target
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Error::invalid(format!("{} names no file", target.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Timestamp;

    fn env() -> Env {
        Env::new(|| Timestamp(0), |bytes| bytes.fill(0), "/home/u", "/home/u")
    }

    #[test]
    fn names_tell_what_they_are() {
        let target = Path::new("/s/.lamindb/x.tar.gz");
        let temp = temp(&env(), target).unwrap();
        assert_eq!(temp, Path::new("/s/.lamindb/.x.tar.gz.00000000.holotype-tmp"));
        assert_eq!(parse(".x.tar.gz.00000000.holotype-tmp"), Some(Passing::Temp));
        let old = old(&env(), target).unwrap();
        assert_eq!(parse(old.file_name().unwrap().to_str().unwrap()), Some(Passing::Old("x.tar.gz")));
        for foreign in
            ["x", ".x.holotype-tmp", ".x.0000-000.holotype-tmp", "x.00000000.holotype-tmp", ".x.00000000.tmp"]
        {
            assert_eq!(parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn names_stay_within_the_limits_of_file_systems() {
        let long = format!("/s/{}", "é".repeat(127));
        let temp = temp(&env(), Path::new(&long)).unwrap();
        assert!(temp.file_name().unwrap().len() <= 255);
        assert!(old(&env(), Path::new(&long)).unwrap_err().message().contains("too long"));
    }
}
