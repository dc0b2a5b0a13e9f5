//! What is said when something is wrong: the root, and the next step.

use std::time::{Duration, Instant};

use holotype::store::{Publish, Store};
use holotype::{ErrorKind, Result};

use crate::proxy::{Fault, Proxy};
use crate::server::{KEY, MOTO, S3S, SECRET, env, free_port, with_vars};

fn refused<T: std::fmt::Debug>(done: Result<T>, kind: ErrorKind, words: &[&str]) {
    let error = done.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.message().contains(word), "'{word}' is not in: {error}");
    }
}

#[test]
fn a_missing_bucket_is_named() {
    let root = format!("s3://nowhere/x?endpoint_url={}", MOTO.endpoint());
    let store = Store::open(&root, &env()).unwrap();
    refused(store.write("x", b"x", false), ErrorKind::FileNotFound, &[&root, "does not exist", "create it"]);
    refused(store.list(""), ErrorKind::FileNotFound, &[&root, "does not exist"]);
}

#[test]
fn wrong_and_missing_keys_are_told_apart() {
    let root = S3S.root();
    let with = |id: &str, secret: &str| {
        Store::open(&root, &with_vars(&[("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]))
            .unwrap()
    };
    with(KEY, SECRET).write("x", b"x", false).unwrap();
    refused(
        with(KEY, "wrong").write("x", b"x", false),
        ErrorKind::PermissionDenied,
        &[&root, "secret key is wrong"],
    );
    refused(
        with("wrong", SECRET).write("x", b"x", false),
        ErrorKind::PermissionDenied,
        &["AWS_ACCESS_KEY_ID"],
    );
    let nobody = Store::open(&root, &with_vars(&[])).unwrap();
    let started = Instant::now();
    refused(
        nobody.read("x"),
        ErrorKind::PermissionDenied,
        &["anonymously", "set AWS_ACCESS_KEY_ID", "AWS_PROFILE"],
    );
    assert!(started.elapsed() < Duration::from_secs(3), "nobody asks a machine for its role away from AWS");
    let half = Store::open(&root, &with_vars(&[("AWS_ACCESS_KEY_ID", KEY)])).unwrap();
    refused(half.read("x"), ErrorKind::Value, &["AWS_SECRET_ACCESS_KEY is not"]);
    let profile = Store::open(&root, &with_vars(&[("AWS_PROFILE", "lab")])).unwrap();
    refused(profile.read("x"), ErrorKind::Value, &["'lab'", "credentials"]);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let root = format!("s3://bucket/x?endpoint_url=http://127.0.0.1:{}", free_port());
    let store = Store::open(&root, &with_vars(&[("AWS_MAX_ATTEMPTS", "2")])).unwrap();
    refused(store.read("x"), ErrorKind::Io, &[&root, "cannot be reached", "check the network"]);
}

#[test]
fn a_server_that_stays_busy_is_given_up() {
    for (status, word) in [(503, "too busy"), (429, "too busy"), (500, "failed")] {
        let proxy = Proxy::new(MOTO.port, move |_, _| Fault::Status(status));
        let root = MOTO.root_at(&proxy.endpoint());
        let vars = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_MAX_ATTEMPTS", "3")];
        let store = Store::open(&root, &with_vars(&vars)).unwrap();
        refused(store.write("x", b"x", false), ErrorKind::Io, &[&root, word]);
        assert_eq!(proxy.requests(), 3, "AWS_MAX_ATTEMPTS bounds the attempts");
    }
}

#[test]
fn what_can_only_be_read_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("x");
    std::fs::write(&source, "x").unwrap();
    for root in ["https://example.org/data", "hf://datasets/me/cells"] {
        let store = Store::open(root, &env()).unwrap();
        let done = store.publish_file(&source, "x", &Publish::default());
        refused(done, ErrorKind::Unsupported, &[root, "only be read"]);
        refused(store.remove("x"), ErrorKind::Unsupported, &[root]);
    }
    refused(Store::open("ftp://host/x", &env()), ErrorKind::Value, &["ftp"]);
}
