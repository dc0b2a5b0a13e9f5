//! What is said when something is wrong: the root, and the next step.

use std::time::{Duration, Instant};

use holotype::store::{Publish, Store};
use holotype::{ErrorKind, Result};

use crate::stores::http_server::{Answer, WebServer};
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{KEY, MOTO, S3S, SECRET, env, free_port, with_vars};

/// Fails unless something was refused in these words.
pub fn refused<T: std::fmt::Debug>(done: Result<T>, kind: ErrorKind, words: &[&str]) {
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
fn codes_of_the_store_are_understood() {
    let code = |code: &str| {
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>No.</Message></Error>")
    };
    for (status, named, kind, word) in [
        (403, "AccessDenied", ErrorKind::PermissionDenied, "asked with the keys from AWS_ACCESS_KEY_ID"),
        (403, "RequestTimeTooSkewed", ErrorKind::PermissionDenied, "timedatectl set-ntp true"),
        (403, "InvalidAccessKeyId", ErrorKind::PermissionDenied, "does not know the credentials"),
        (400, "ExpiredToken", ErrorKind::PermissionDenied, "have expired"),
        (400, "AuthorizationHeaderMalformed", ErrorKind::InvalidArgument, "set AWS_REGION"),
        (403, "QuotaExceeded", ErrorKind::Io, "no room"),
        (503, "SlowDown", ErrorKind::Io, "too busy"),
        (429, "TooManyRequests", ErrorKind::Io, "too busy"),
    ] {
        let body = code(named);
        let server = WebServer::start(move |_| Answer::new(status, body.clone()));
        let root = format!("s3://bucket/x?endpoint_url={}", server.address());
        let vars = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_MAX_ATTEMPTS", "2")];
        let store = Store::open(&root, &with_vars(&vars)).unwrap();
        refused(store.read("y"), kind, &["s3://bucket/x", word]);
        refused(store.write("y", b"y", false), kind, &["s3://bucket/x", word]);
        // The answer to HEAD has no body: what is wrong must be found out by other means.
        refused(store.stat("y"), kind, &["s3://bucket/x", word]);
        refused(store.version("y"), kind, &["s3://bucket/x", word]);
        refused(store.list(""), kind, &["s3://bucket/x", word]);
    }
}

#[test]
fn a_store_that_stays_busy_is_given_up_within_a_minute() {
    let server = WebServer::start(|_| Answer::new(503, "<Error><Code>SlowDown</Code></Error>"));
    let root = format!("s3://bucket/x?endpoint_url={}", server.address());
    let started = Instant::now();
    refused(Store::open(&root, &env()).unwrap().read("y"), ErrorKind::Io, &[&root, "too busy"]);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert!(server.asked().len() > 3, "what may pass is tried again");
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

#[test]
fn what_is_no_address_is_named_before_anything_is_asked() {
    let asked = |root: &str, vars: &[(&str, &str)], words: &[&str]| {
        let store = Store::open(root, &with_vars(vars)).unwrap();
        refused(store.read("x"), ErrorKind::Value, &[&[root], words].concat());
    };
    let fix = "http://HOST:PORT";
    for server in ["lab", "localhost:9000", "http://", "http://a b", "http://host:99999", "ftp://host"] {
        asked("s3://bucket/x", &[("AWS_ENDPOINT_URL", server)], &["AWS_ENDPOINT_URL", server, fix]);
    }
    asked("s3://bucket/x?endpoint_url=lab", &[], &["endpoint_url names 'lab'", fix]);
    asked("gs://bucket/x", &[("STORAGE_EMULATOR_HOST", "a b")], &["STORAGE_EMULATOR_HOST", "'http://a b'"]);
    asked("hf://datasets/me/cells", &[("HF_ENDPOINT", "hub")], &["HF_ENDPOINT names 'hub'", fix]);
    asked("s3://no bucket/x", &[], &["'no bucket' is no name of a bucket"]);
}

#[test]
fn keys_are_left_out_where_a_setting_wants_it() {
    let keys = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let with = |more: &[(&str, &str)]| {
        let store = Store::open(&S3S.root(), &with_vars(&[&keys[..], more].concat())).unwrap();
        store.write("x", b"x", false)
    };
    for anonymous in [("LAMIN_S3_ANON", "true"), ("HOLOTYPE_S3_ANON", "1")] {
        refused(
            with(&[anonymous]),
            ErrorKind::PermissionDenied,
            &["anonymously, because LAMIN_S3_ANON is set"],
        );
    }
    with(&[("LAMIN_S3_ANON", "false")]).unwrap();
}
