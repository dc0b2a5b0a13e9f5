//! Identity of files and folders: the format's vectors, and what must not pass for equal.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use holotype::ErrorKind;
use holotype::hash::{
    Digest, HashKind, Manifest, digest_file, hash_file, hash_folder, identify_file, scan_folder,
};
use tempfile::TempDir;

const MIB: usize = 1024 * 1024;

struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Scratch(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes the parts one after the other and returns the path.
    fn file(&self, name: &str, parts: &[&[u8]]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(&path).unwrap();
        parts.iter().for_each(|part| file.write_all(part).unwrap());
        path
    }
}

fn check_file(path: &Path, size: usize, hash: &str, kind: HashKind) {
    let found = hash_file(path).unwrap();
    assert_eq!((found.size, found.hash.as_str(), &found.kind), (size as u64, hash, &kind));
    assert_eq!(found.n_files, None);
    let both = identify_file(path).unwrap();
    assert_eq!(both.content, found, "one pass and the short way agree");
    assert_eq!(both.digest, digest_file(path).unwrap());
}

#[test]
fn small_files_have_the_md5_of_the_format() {
    let scratch = Scratch::new();
    let zeros = vec![0u8; 10 * MIB];
    for (content, hash) in [
        (&b""[..], "1B2M2Y8AsgTpgAmY7PhCfg"),
        (b"a", "DMF1ucDxtqgxw5niaXcmYQ"),
        (b"hello world", "XrY7u-Ae7tCTyyK7j1rNww"),
        (b"hello world\n", "b1kCrCNwJL3QwXbLkwY9xA"),
        (&zeros[..1_000_000], "h59LulftN8nsXlrt-YZGmA"),
        (&zeros[..MIB], "ttgbNgpWctgMJ0MPORU-LA"),
        (&zeros[..], "8clkXbwU793H2KMiaF8m6w"),
        (b"A", "f8VicOenD6gaWTW3Lqy-KQ"),
        (b"BB", "nT2QSNsWp-7lOek-NhjL5w"),
        (b"CCC", "3vuZ5pqfH24G8VAGsfFmrg"),
    ] {
        let path = scratch.file("x", &[content]);
        check_file(&path, content.len(), hash, HashKind::Md5);
        assert_eq!(digest_file(&path).unwrap(), Digest::of(content));
    }
}

#[test]
fn fifty_mebibytes_are_the_border_between_whole_and_ends() {
    let scratch = Scratch::new();
    let zeros = vec![0u8; 50 * MIB + 1];
    for (size, hash, kind) in [
        (50 * MIB - 1, "BlOxXUtXcY_IFnNUW3YcZg", HashKind::Md5),
        (50 * MIB, "JeMXdz8wjkRsyExQOm0fhQ", HashKind::Md5),
        (50 * MIB + 1, "I-EOc37Fd5SZVtseNYT2KN", HashKind::Sha1Fl),
    ] {
        check_file(&scratch.file("zeros", &[&zeros[..size]]), size, hash, kind);
    }
    let counted: Vec<u8> = (0..=50 * MIB).map(|i| i as u8).collect();
    for (size, hash, kind) in [
        (50 * MIB, "_eDShEpnBrtPih-2FnUPBg", HashKind::Md5),
        (50 * MIB + 1, "ozvGTd6YsMDBvD5vcpdCug", HashKind::Sha1Fl),
    ] {
        check_file(&scratch.file("counted", &[&counted[..size]]), size, hash, kind);
    }
}

#[test]
fn the_digest_sees_the_middle_that_the_format_skips() {
    let scratch = Scratch::new();
    let (a, c) = (vec![b'A'; 50 * MIB], vec![b'C'; 50 * MIB]);
    let one = scratch.file("one", &[&a, &vec![b'B'; 20 * MIB], &c]);
    let other = scratch.file("other", &[&a, &vec![b'X'; 20 * MIB], &c]);
    for path in [&one, &other] {
        check_file(path, 125_829_120, "yNLfjXrLcNmigaEGMzgV4t", HashKind::Sha1Fl);
    }
    assert_ne!(digest_file(&one).unwrap(), digest_file(&other).unwrap());
}

fn check_folder(scratch: &Scratch, files: &[(&str, &str)], hash: &str) -> Manifest {
    let root = scratch.path("folder");
    let _ = fs::remove_dir_all(&root);
    for (name, content) in files {
        scratch.file(&format!("folder/{name}"), &[content.as_bytes()]);
    }
    fs::create_dir(root.join("nothing here")).unwrap();
    let found = hash_folder(&root).unwrap();
    assert_eq!((found.content.hash.as_str(), found.content.kind), (hash, HashKind::Md5Folder));
    assert_eq!(found.content.n_files, Some(files.len() as u64));
    assert_eq!(found.content.size, files.iter().map(|(_, content)| content.len() as u64).sum::<u64>());
    assert_eq!(found.digest, found.manifest.digest());
    let listed: Vec<_> =
        found.manifest.entries().iter().map(|entry| (entry.path.as_str(), entry.digest)).collect();
    let mut expected: Vec<_> =
        files.iter().map(|(name, content)| (*name, Digest::of(content.as_bytes()))).collect();
    expected.sort();
    assert_eq!(listed, expected);
    found.manifest
}

#[test]
fn folders_have_the_hash_of_the_format() {
    let scratch = Scratch::new();
    let flat = [("a", "A"), ("b", "BB"), ("c", "CCC")];
    let nested = [("a.txt", "A"), ("sub/b.txt", "BB"), ("sub/deep/c.txt", "CCC")];
    let flat = check_folder(&scratch, &flat, "9EBJF8B5NOs8afLnDD1N9g");
    let nested = check_folder(&scratch, &nested, "9EBJF8B5NOs8afLnDD1N9g");
    assert_ne!(flat.digest(), nested.digest(), "the digest sees names and structure");
    check_folder(&scratch, &[("one", "A"), ("two", "A")], "ykSEL6xmQlNc-wZQW49OGA");
    check_folder(&scratch, &[("one", "A")], "h_LFpKTNXrbUQgx3R8IuoA");
    check_folder(&scratch, &[("one", "A"), (".hidden/empty", "")], "nWooVq9Mn3crYWDJ65sp_w");
    check_folder(&scratch, &[("1", "1"), ("2", "22")], "eM3C_vZOzZoiDzWa7ORtQQ");
}

#[test]
fn swapped_contents_are_another_folder() {
    let scratch = Scratch::new();
    let one = check_folder(&scratch, &[("a", "A"), ("b", "BB"), ("c", "CCC")], "9EBJF8B5NOs8afLnDD1N9g");
    let other = check_folder(&scratch, &[("a", "BB"), ("b", "A"), ("c", "CCC")], "9EBJF8B5NOs8afLnDD1N9g");
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn an_empty_folder_is_refused() {
    let scratch = Scratch::new();
    let path = scratch.path("empty");
    fs::create_dir_all(path.join("a/b")).unwrap();
    let error = hash_folder(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(error.message(), format!("folder is empty: {}", path.display()));
}

#[test]
fn a_file_is_no_folder_and_a_folder_no_file() {
    let scratch = Scratch::new();
    let path = scratch.file("x", &[b"x"]);
    assert_eq!(hash_folder(&path).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(hash_file(scratch.0.path()).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(hash_file(&scratch.path("none")).unwrap_err().kind(), ErrorKind::FileNotFound);
    assert_eq!(hash_folder(&scratch.path("none")).unwrap_err().kind(), ErrorKind::FileNotFound);
}

#[test]
fn a_folder_that_gains_a_file_has_changed() {
    let scratch = Scratch::new();
    scratch.file("f/a", &[b"A"]);
    let folder = scan_folder(&scratch.path("f")).unwrap();
    folder.check().unwrap();
    let new = scratch.file("f/b", &[b"B"]);
    let error = folder.check().unwrap_err();
    assert!(error.message().starts_with(&format!("{} changed while", new.display())), "{error}");
    let folder = scan_folder(&scratch.path("f")).unwrap();
    let rewritten = scratch.file("f/a", &[b"AA"]);
    let error = folder.check().unwrap_err();
    assert!(error.message().starts_with(&format!("{} changed while", rewritten.display())), "{error}");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn refused(scratch: &Scratch, named: &str, reason: &str) {
        let error = hash_folder(&scratch.path("f")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.message().contains(named) && error.message().contains(reason), "{error}");
    }

    #[test]
    fn links_that_stay_inside_are_followed() {
        let scratch = Scratch::new();
        scratch.file("f/data/a", &[b"A"]);
        symlink("data/a", scratch.path("f/b")).unwrap();
        symlink("data", scratch.path("f/same")).unwrap();
        let found = hash_folder(&scratch.path("f")).unwrap();
        let paths: Vec<&str> = found.manifest.entries().iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["b", "data/a", "same/a"]);
        assert_eq!(found.content.size, 3);
    }

    #[test]
    fn links_that_lead_elsewhere_are_refused() {
        for target in ["outside", "outside/x"] {
            let scratch = Scratch::new();
            scratch.file("f/a", &[b"A"]);
            scratch.file("outside/x", &[b"x"]);
            symlink(scratch.path(target), scratch.path("f/escape")).unwrap();
            refused(&scratch, "f/escape", "outside the folder");
        }
        let scratch = Scratch::new();
        scratch.file("f/a", &[b"A"]);
        symlink("nowhere", scratch.path("f/dangling")).unwrap();
        refused(&scratch, "f/dangling", "link to nothing");
        fs::remove_file(scratch.path("f/dangling")).unwrap();
        symlink("..", scratch.path("f/round")).unwrap();
        refused(&scratch, "f/round", "");
        fs::remove_file(scratch.path("f/round")).unwrap();
        symlink(".", scratch.path("f/loop")).unwrap();
        refused(&scratch, "f/loop", "leads back");
    }

    #[test]
    fn names_that_are_not_text_are_refused() {
        let scratch = Scratch::new();
        scratch.file("f/a", &[b"A"]);
        fs::write(scratch.path("f").join(OsStr::from_bytes(b"b\xff")), "x").unwrap();
        refused(&scratch, "b", "not UTF-8");
    }

    #[test]
    fn sockets_are_refused() {
        let scratch = Scratch::new();
        scratch.file("f/a", &[b"A"]);
        let _socket = std::os::unix::net::UnixListener::bind(scratch.path("f/socket")).unwrap();
        refused(&scratch, "f/socket", "neither a file nor a folder");
        let error = hash_file(&scratch.path("f/socket")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn the_manifest_keeps_permission_bits() {
        let scratch = Scratch::new();
        let path = scratch.file("f/run.sh", &[b"#!"]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        assert_eq!(hash_folder(&scratch.path("f")).unwrap().manifest.entries()[0].mode, 0o750);
    }
}
