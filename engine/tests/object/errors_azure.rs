//! What is said when something is wrong in Azure: the root, and the next step.

use std::time::{Duration, Instant};

use holotype::ErrorKind;
use holotype::store::Store;

use crate::errors::refused;
use crate::stores::azure::{ACCOUNT, KEY, READ, endpoint, env, root};
use crate::stores::http_server::{Answer, WebServer};
use crate::stores::server::{free_port, with_vars};

/// Opens a root of the account with more variables.
fn open(root: &str, vars: &[(&str, &str)]) -> Store {
    let endpoint = endpoint();
    let account = [("AZURE_STORAGE_ACCOUNT", ACCOUNT), ("AZURE_STORAGE_ENDPOINT", &endpoint)];
    Store::open(root, &with_vars(&[&account, vars].concat())).unwrap()
}

#[test]
fn every_way_to_give_credentials_works() {
    let root = root();
    Store::open(&root, &env()).unwrap().write("x", b"x", false).unwrap();
    for vars in
        [("AZURE_STORAGE_KEY", KEY), ("AZURE_STORAGE_ACCOUNT_KEY", KEY), ("AZURE_STORAGE_SAS_TOKEN", READ)]
    {
        assert_eq!(open(&root, &[vars]).read("x").unwrap(), b"x", "{}", vars.0);
    }
}

#[test]
fn a_missing_account_is_named() {
    let store = Store::open("az://box/x", &with_vars(&[])).unwrap();
    let words = ["az://box/x", "names no storage account", "AZURE_STORAGE_CONNECTION_STRING"];
    refused(store.read("x"), ErrorKind::Value, &words);
    let broken =
        Store::open("az://box/x", &with_vars(&[("AZURE_STORAGE_CONNECTION_STRING", "secret")])).unwrap();
    refused(broken.read("x"), ErrorKind::Value, &["AZURE_STORAGE_CONNECTION_STRING", "portal"]);
}

#[test]
fn a_missing_container_is_named() {
    let root = "az://nowhere/x";
    let store = Store::open(root, &env()).unwrap();
    refused(store.write("x", b"x", false), ErrorKind::FileNotFound, &[root, "does not exist", "create it"]);
    refused(store.list(""), ErrorKind::FileNotFound, &[root, "does not exist"]);
}

#[test]
fn wrong_and_missing_keys_are_told_apart() {
    let root = root();
    let wrong = open(&root, &[("AZURE_STORAGE_KEY", "d3Jvbmc=")]);
    let account = format!("'{ACCOUNT}'");
    refused(wrong.write("x", b"x", false), ErrorKind::PermissionDenied, &[&root, &account]);
    refused(wrong.stat("x"), ErrorKind::PermissionDenied, &[&root, &account]);
    let malformed = open(&root, &[("AZURE_STORAGE_KEY", "%%%")]);
    refused(malformed.read("x"), ErrorKind::Value, &[&root]);
    let started = Instant::now();
    let nobody = open(&root, &[]);
    let words = [&root, "anonymously", "AZURE_STORAGE_ACCOUNT_KEY"];
    refused(nobody.read("x"), ErrorKind::PermissionDenied, &words);
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "nobody asks a machine for its identity away from Azure"
    );
}

#[test]
fn a_token_that_only_reads_is_named() {
    let root = root();
    let store = open(&root, &[("AZURE_STORAGE_SAS_TOKEN", READ)]);
    let account = format!("'{ACCOUNT}'");
    refused(store.write("x", b"x", false), ErrorKind::PermissionDenied, &[&root, "No permission", &account]);
    assert!(store.list("").unwrap().is_empty());
}

#[test]
fn this_machines_identity_is_asked_for() {
    let server = WebServer::start(|_| {
        Answer::new(200, r#"{"access_token": "token", "expires_on": "4102444800", "token_type": "Bearer"}"#)
    });
    let asked_for = format!("{}/token", server.address());
    for variable in ["AZURE_MSI_ENDPOINT", "IDENTITY_ENDPOINT"] {
        let store = open(&root(), &[(variable, &asked_for)]);
        // The emulator knows no tokens.
        refused(store.read("x"), ErrorKind::PermissionDenied, &["with this machine's identity"]);
        assert_eq!(server.asked().len(), 1, "once, and kept");
    }
}

#[test]
fn codes_of_the_store_are_understood() {
    let code = |code: &str, detail: &str| {
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>No.</Message>\
             <AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"
        )
    };
    let old = "Request date header too old: 'Sun, 22 Nov 2020 00:00:00 GMT'";
    for (status, body, kind, word) in [
        (
            403,
            code("AuthenticationFailed", old),
            ErrorKind::PermissionDenied,
            "clock of this machine is wrong",
        ),
        (403, code("AuthenticationFailed", "x"), ErrorKind::PermissionDenied, "key or token is wrong"),
        (403, code("AuthorizationPermissionMismatch", ""), ErrorKind::PermissionDenied, "No permission"),
        (409, code("PublicAccessNotPermitted", ""), ErrorKind::PermissionDenied, "No permission"),
        (503, code("ServerBusy", ""), ErrorKind::Io, "too busy"),
        (400, code("Md5Mismatch", ""), ErrorKind::Io, "arrived damaged"),
        (400, code("InvalidBlockList", ""), ErrorKind::Io, "written by somebody else"),
        (400, code("InvalidBlobOrBlock", ""), ErrorKind::Io, "another program left parts"),
    ] {
        let server = WebServer::start(move |_| Answer::new(status, body.clone()));
        let vars = [("AZURE_STORAGE_ENDPOINT", server.address()), ("AWS_MAX_ATTEMPTS", "2".to_owned())];
        let vars: Vec<_> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let vars = [&[("AZURE_STORAGE_ACCOUNT", ACCOUNT), ("AZURE_STORAGE_KEY", KEY)], &vars[..]].concat();
        let store = Store::open("az://box/x", &with_vars(&vars)).unwrap();
        refused(store.read("x"), kind, &["az://box/x", word]);
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let nowhere = format!("http://127.0.0.1:{}/{ACCOUNT}", free_port());
    let connection = format!("AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={nowhere}");
    let vars = [("AZURE_STORAGE_CONNECTION_STRING", connection.as_str()), ("AWS_MAX_ATTEMPTS", "2")];
    let store = Store::open("az://box/x", &with_vars(&vars)).unwrap();
    refused(
        store.read("x"),
        ErrorKind::Io,
        &["az://box/x", "cannot be reached", &nowhere, "check the network"],
    );
}
