//! Objects that are written only over the version that the writer knows.

use std::fs;
use std::sync::Mutex;

use holotype::ErrorKind;
use holotype::store::{Store, Version};

use crate::limits::hurry;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{MOTO, S3S, env};
use crate::stores::{azure, google};
use crate::support::noise;

const KEY: &str = "d/x";

#[test]
fn only_the_known_version_is_replaced() {
    for (root, env) in [
        (MOTO.root(), env()),
        (S3S.root(), env()),
        (google::root(), google::env()),
        (azure::root(), azure::env()),
    ] {
        let store = Store::open(&root, &env).unwrap();
        assert_eq!((store.version(KEY).unwrap(), store.read_version(KEY).unwrap()), (None, None));
        let put = |known: Option<&_>, bytes: &[u8]| store.write_over(KEY, known, bytes.to_vec()).unwrap();
        let first = put(None, b"one").unwrap();
        assert_eq!(store.version(KEY).unwrap().as_ref(), Some(&first));
        assert_eq!(put(None, b"other"), None, "there is one");
        let second = put(Some(&first), b"two").unwrap();
        assert_ne!(first, second);
        assert_eq!(put(Some(&first), b"late"), None, "it is another one");
        assert_eq!(put(Some(&first), b"two").as_ref(), Some(&second), "these bytes are there already");
        assert_eq!(store.read_version(KEY).unwrap(), Some((b"two".to_vec(), second.clone())));
        store.remove(KEY).unwrap();
        assert_eq!(put(Some(&second), b"three"), None, "it is gone");
        let file = tempfile::tempdir().unwrap().path().join("x");
        assert_eq!(store.fetch_version(KEY, &file).unwrap(), None);
    }
    let bucket = Store::open(&MOTO.root().replace("bucket-", "none-"), &env()).unwrap();
    assert_eq!(bucket.read_version(KEY).unwrap_err().kind(), ErrorKind::FileNotFound, "no bucket at all");
    let local = Store::local("/nowhere", &env());
    assert_eq!(local.version(KEY).unwrap_err().kind(), ErrorKind::Unsupported);
}

/// Bytes of what goes in parts, and of what goes in the only one: all but the last are to be large on this server.
const LARGE: usize = 100_000;
const S3S_LARGE: usize = 6_000;

/// Returns content that no other seed has.
fn content(size: usize, seed: u64) -> Vec<u8> {
    noise(size, 2 * seed + 1)
}

/// Puts a file in parts.
fn put_file(store: &Store, known: Option<&Version>, content: &[u8]) -> Option<Version> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    store.write_file_over(KEY, known, file.path()).unwrap()
}

#[test]
fn only_the_known_version_is_replaced_in_parts() {
    hurry();
    for (root, env, size) in [
        (S3S.root(), env(), S3S_LARGE),
        (google::root(), google::env(), LARGE),
        (azure::root(), azure::env(), LARGE),
    ] {
        let store = Store::open(&root, &env).unwrap();
        assert!(store.replaces_in_parts(KEY).unwrap());
        assert_eq!(store.list("").unwrap(), [], "nothing is left of the trial");
        let put = |known: Option<&_>, seed| put_file(&store, known, &content(size, seed));
        let first = put(None, 1).unwrap();
        assert_eq!(store.version(KEY).unwrap().as_ref(), Some(&first));
        assert_eq!(put(None, 2), None, "there is one");
        let second = put(Some(&first), 2).unwrap();
        assert_ne!(first, second);
        assert_eq!(put(Some(&first), 3), None, "it is another one");
        assert_eq!(put(Some(&first), 2).as_ref(), Some(&second), "these bytes are there already");
        assert_eq!(store.read_version(KEY).unwrap(), Some((content(size, 2), second.clone())));
        // In one request after one in parts, and the other way round.
        let third = store.write_over(KEY, Some(&second), b"three".to_vec()).unwrap().unwrap();
        assert_eq!(put(Some(&second), 4), None);
        let fourth = put(Some(&third), 4).unwrap();
        store.remove(KEY).unwrap();
        assert_eq!(put(Some(&fourth), 5), None, "it is gone");
        assert_eq!((store.list("").unwrap(), store.unfinished("").unwrap()), (vec![], vec![]));
    }
}

#[test]
fn a_server_that_would_overwrite_anything_gets_nothing_in_parts() {
    // It knows conditions in single requests, and when it puts parts together only that nothing may be there.
    let store = Store::open(&MOTO.root(), &env()).unwrap();
    let first = store.write_over(KEY, None, b"one".to_vec()).unwrap().unwrap();
    assert!(!store.replaces_in_parts(KEY).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = store.write_file_over(KEY, Some(&first), file.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("nothing was sent"), "{error}");
    assert_eq!(store.read_version(KEY).unwrap(), Some((b"one".to_vec(), first)));
    let left: Vec<String> = store.list("").unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(left, [KEY], "nothing is left of the trial");
}

/// Opens a location through a proxy with this address.
type User = dyn Fn(&str) -> Store;

#[test]
fn lost_answers_to_an_upload_in_parts_are_understood() {
    hurry();
    let amazon = |proxy: &str| Store::open(&S3S.root_at(proxy), &env()).unwrap();
    let azure = |proxy: &str| Store::open(&azure::root_at(proxy), &azure::account()).unwrap();
    let users: [(u16, &str, usize, &User); 2] =
        [(S3S.port, "POST", S3S_LARGE, &amazon), (azure::AZURE.port, "comp=blocklist", LARGE, &azure)];
    for (port, completes, size, user) in users {
        // Every first answer to what puts parts together is lost: the second attempt meets what the first one did.
        let last = Mutex::new(String::new());
        let proxy = Proxy::new(port, move |_, line| {
            let again = std::mem::replace(&mut *last.lock().unwrap(), line.to_owned()) == line;
            let lost = line.contains(completes) && !line.contains("uploads") && !again;
            if lost { Fault::Lost } else { Fault::None }
        });
        let store = user(&proxy.endpoint());
        let first = put_file(&store, None, &content(size, 1)).unwrap();
        let second = put_file(&store, Some(&first), &content(size, 2)).unwrap();
        assert_eq!(put_file(&store, Some(&first), &content(size, 3)), None);
        assert_eq!(store.read_version(KEY).unwrap(), Some((content(size, 2), second)));
    }
}
