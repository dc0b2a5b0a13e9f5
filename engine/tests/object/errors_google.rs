//! Who asks Google Cloud Storage: what was found, the machine's own account, or nobody.

use std::time::{Duration, Instant};

use holotype::ErrorKind;
use holotype::store::Store;

use crate::errors::refused;
use crate::stores::google;
use crate::stores::http_server::{Answer, WebServer};
use crate::stores::server::{free_port, with_vars};

const TOKEN_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// Starts what a machine of Google sees: its metadata server, and the store, which wants the token that it gave last.
fn machine(expires_in: u64) -> WebServer {
    let given = std::sync::atomic::AtomicU64::new(0);
    WebServer::start(move |asked| {
        use std::sync::atomic::Ordering::SeqCst;
        if asked.path == TOKEN_PATH && asked.header("metadata-flavor") == Some("Google") {
            let number = given.fetch_add(1, SeqCst) + 1;
            let token = format!(
                r#"{{"access_token": "token-{number}", "expires_in": {expires_in}, "token_type": "Bearer"}}"#
            );
            return Answer::new(200, token);
        }
        if asked.header("authorization") != Some(format!("Bearer token-{}", given.load(SeqCst)).as_str()) {
            return Answer::new(401, "<Error><Code>AuthenticationRequired</Code></Error>");
        }
        asked.ask(google::GOOGLE.port).unwrap()
    })
}

fn open(server: &WebServer) -> Store {
    let host = server.address().replace("http://", "");
    let vars = [("GCE_METADATA_HOST", host.as_str()), ("STORAGE_EMULATOR_HOST", &server.address())];
    Store::open(&google::root(), &with_vars(&vars)).unwrap()
}

fn tokens(server: &WebServer) -> usize {
    server.asked().iter().filter(|asked| asked.path == TOKEN_PATH).count()
}

#[test]
fn the_account_of_the_machine_signs() {
    let server = machine(3_600);
    let store = open(&server);
    store.write("x", b"hello", false).unwrap();
    assert_eq!(store.read("x").unwrap(), b"hello");
    assert_eq!(tokens(&server), 1, "once, and kept");
}

#[test]
fn a_token_that_ends_soon_is_renewed() {
    let server = machine(60);
    let store = open(&server);
    store.write("x", b"hello", false).unwrap();
    assert_eq!(tokens(&server), 2, "for looking and for writing");
    assert_eq!(store.read("x").unwrap(), b"hello");
    assert!(tokens(&server) > 0);
}

#[test]
fn who_the_account_is_stands_in_errors() {
    let server = WebServer::start(|asked| match asked.path.as_str() {
        TOKEN_PATH => Answer::new(200, r#"{"access_token": "token", "expires_in": 3600}"#),
        _ => Answer::new(403, "<Error><Code>AccessDenied</Code></Error>"),
    });
    let words = ["No permission for gs://", "with the service account of this machine"];
    refused(open(&server).read("x"), ErrorKind::PermissionDenied, &words);
}

#[test]
fn a_machine_without_an_account_asks_as_nobody_and_soon() {
    let refusing = WebServer::start(|_| Answer::new(404, ""));
    let gone = format!("127.0.0.1:{}", free_port());
    // Nobody answers there, away from Google.
    for host in [refusing.address().replace("http://", ""), gone, "192.0.2.1".to_owned()] {
        let store =
            WebServer::start(|_| Answer::new(401, "<Error><Code>AuthenticationRequired</Code></Error>"));
        let vars = [("GCE_METADATA_HOST", host.as_str()), ("STORAGE_EMULATOR_HOST", &store.address())];
        let started = Instant::now();
        let store = Store::open("gs://bucket/x", &with_vars(&vars)).unwrap();
        refused(store.read("x"), ErrorKind::PermissionDenied, &["anonymously", "gcloud auth"]);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

#[test]
fn the_store_is_asked_with_what_there_is() {
    let server = WebServer::start(|_| Answer::new(403, "<Error><Code>AccessDenied</Code></Error>"));
    let store =
        Store::open("gs://bucket/x", &with_vars(&[("STORAGE_EMULATOR_HOST", &server.address())])).unwrap();
    refused(
        store.read("y"),
        ErrorKind::PermissionDenied,
        &["No permission for gs://bucket/x/y", "STORAGE_EMULATOR_HOST"],
    );
    let store = Store::open("gs://nowhere/x", &google::env()).unwrap();
    refused(
        store.write("y", b"y", false),
        ErrorKind::FileNotFound,
        &["gs://nowhere/x", "does not exist", "create it"],
    );
    let vars = [("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")];
    let store = Store::open("gs://bucket/x", &with_vars(&vars)).unwrap();
    refused(store.read("y"), ErrorKind::Value, &["gs://bucket/x", "/nowhere/key.json"]);
}
