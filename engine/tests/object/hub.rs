//! Repositories of Hugging Face: what lies in one is listed by its interface, and comes from wherever that sends us.

use std::collections::BTreeMap;

use holotype::hash::HashKind;
use holotype::store::{Fetch, Store};
use holotype::{ErrorKind, Q};

use crate::stores::http_server::{Answer, Asked, WebServer};
use crate::stores::server::with_vars;
use crate::web::{instance, save};

/// The files of the data set `me/cells` at `v1`.
const FILES: [(&str, &str); 4] =
    [("README.md", "read me"), ("raw/x.txt", "hello"), ("raw/deep/ü +.txt", "odd"), ("raw/z.bin", "large")];
const TOKEN: &str = "hf_token";
const PAGE: usize = 2;

/// The id of a blob, one per file.
fn id(path: &str) -> String {
    format!("{:0>40}", path.bytes().map(|byte| format!("{byte:02x}")).collect::<String>())[..40].to_owned()
}

struct Hub {
    api: WebServer,
    /// Where large files lie.
    away: WebServer,
}

impl Hub {
    fn start() -> Hub {
        let away = WebServer::start(|asked| match asked.path.as_str() {
            "/blob/z" => Answer::new(200, "large"),
            _ => Answer::new(404, ""),
        });
        let blob = format!("{}/blob/z", away.address());
        let api = WebServer::start(move |asked| answer(asked, &blob));
        Hub { api, away }
    }

    fn open(&self, root: &str, token: Option<&str>) -> Store {
        let address = self.api.address();
        let vars =
            [("HF_ENDPOINT", address.as_str())].into_iter().chain(token.map(|token| ("HF_TOKEN", token)));
        Store::open(root, &with_vars(&vars.collect::<Vec<_>>())).unwrap()
    }
}

/// Answers as the hub does: a repository that is private is hidden from whoever has no token.
fn answer(asked: &Asked, blob: &str) -> Answer {
    let path = asked.path.replace("%2B", "+").replace("%C3%BC%20+", "ü +");
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let private = path.contains("/me/secret/");
    if private && asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return Answer::new(401, r#"{"error":"Repository not found"}"#);
    }
    let path = path.replace("/me/secret/", "/me/cells/");
    if let Some(folder) = path.strip_prefix("/api/datasets/me/cells/tree/v1") {
        return tree(asked, folder.trim_matches('/'), query);
    }
    let file = path.strip_prefix("/datasets/me/cells/resolve/v1/");
    match file.and_then(|file| FILES.iter().find(|(path, _)| *path == file)) {
        Some(("raw/z.bin", _)) => Answer::new(302, "").with("location", blob),
        Some((_, content)) => Answer::new(200, *content).with("etag", "\"abc\""),
        None => Answer::new(404, r#"{"error":"Entry not found"}"#),
    }
}

/// Lists a folder in pages.
fn tree(asked: &Asked, folder: &str, query: &str) -> Answer {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let below = |path: &str| match folder {
        "" => Some(path.to_owned()),
        folder => Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_owned()),
    };
    let mut entries = BTreeMap::new();
    for (path, content) in FILES {
        let Some(rest) = below(path) else { continue };
        match rest.split_once('/') {
            Some((name, _)) if value("recursive") != Some("true") => {
                let path = format!("{folder}/{name}");
                entries.insert(
                    path.clone(),
                    format!(r#"{{"type":"directory","oid":"0","size":0,"path":"{path}"}}"#),
                );
            }
            _ => {
                let (id, size) = (id(path), content.len());
                let entry = format!(r#"{{"type":"file","oid":"{id}","size":{size},"path":"{path}"}}"#);
                entries.insert(path.to_owned(), entry);
            }
        }
    }
    if entries.is_empty() {
        return Answer::new(404, r#"{"error":"folder does not exist"}"#);
    }
    let from: usize = value("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let page: Vec<String> = entries.values().skip(from).take(PAGE).cloned().collect();
    let answer = Answer::new(200, format!("[{}]", page.join(",")));
    if from + PAGE >= entries.len() {
        return answer;
    }
    let host = asked.header("host").unwrap();
    let (path, recursive) = (asked.path.split('?').next().unwrap(), value("recursive").unwrap());
    let next = format!("<http://{host}{path}?recursive={recursive}&cursor={}>; rel=\"next\"", from + PAGE);
    answer.with("link", next)
}

#[test]
fn files_are_listed_and_read() {
    let hub = Hub::start();
    let store = hub.open("hf://datasets/me/cells@v1", None);
    let keys = |prefix: &str| -> Vec<String> {
        store.list(prefix).unwrap().into_iter().map(|entry| entry.key).collect()
    };
    assert_eq!(keys(""), ["README.md", "raw/deep/ü +.txt", "raw/x.txt", "raw/z.bin"], "over several pages");
    assert_eq!(keys("raw/"), ["raw/deep/ü +.txt", "raw/x.txt", "raw/z.bin"]);
    assert!(keys("none/").is_empty());
    assert!(store.is_folder("raw").unwrap() && !store.is_folder("raw/x.txt").unwrap());
    assert_eq!((store.size("raw/x.txt").unwrap(), store.size("raw").unwrap()), (5, 13));
    assert!(store.exists("raw/x.txt").unwrap() && !store.exists("raw/y.txt").unwrap());
    assert_eq!(store.read("raw/deep/ü +.txt").unwrap(), b"odd");
    let hash = store.content("raw/x.txt").unwrap().unwrap();
    assert_eq!((hash.kind.clone(), hash.size), (HashKind::Sha1, 5));
    let dir = tempfile::tempdir().unwrap();
    let how = Fetch { content: Some(&hash), ..Fetch::default() };
    store.fetch("raw/x.txt", &dir.path().join("x"), &how).unwrap();
    assert_eq!(std::fs::read(dir.path().join("x")).unwrap(), b"hello");
    store.fetch("raw", &dir.path().join("raw"), &Fetch::default()).unwrap();
    assert_eq!(std::fs::read(dir.path().join("raw/deep/ü +.txt")).unwrap(), "odd".as_bytes());
    assert_eq!(std::fs::read(dir.path().join("raw/z.bin")).unwrap(), b"large");
}

#[test]
fn a_root_may_lie_within_a_repository() {
    let hub = Hub::start();
    let store = hub.open("hf://datasets/me/cells@v1/raw", None);
    let keys: Vec<String> = store.list("").unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["deep/ü +.txt", "x.txt", "z.bin"]);
    assert_eq!(store.read("x.txt").unwrap(), b"hello");
    let error = store.read("y.txt").unwrap_err();
    let url = "hf://datasets/me/cells@v1/raw/y.txt";
    assert_eq!((error.kind(), error.message()), (ErrorKind::FileNotFound, url));
}

#[test]
fn a_folder_is_registered_where_it_lies() {
    let hub = Hub::start();
    let dir = tempfile::tempdir().unwrap();
    let instance = instance(dir.path(), &[("HF_ENDPOINT", &hub.api.address())]);
    let record = save(&instance, "hf://datasets/me/cells@v1/raw");
    assert_eq!(
        (record.text("key"), record.int("size"), record.int("n_files")),
        (Some("raw"), Some(13), Some(3))
    );
    assert_eq!(record.text("_hash_type"), Some("md5-d"));
    let storage = instance.registry("Storage").unwrap().filter(Q::is("type", "hf")).unwrap().one().unwrap();
    assert_eq!(storage.text("root"), Some("hf://datasets/me/cells@v1"), "the repository");
    let path = instance.cache(&record).unwrap();
    assert_eq!(std::fs::read(path.join("deep/ü +.txt")).unwrap(), b"odd");
}

#[test]
fn the_token_opens_what_is_private_and_stays_with_the_hub() {
    let hub = Hub::start();
    let root = "hf://datasets/me/secret@v1";
    let nobody = hub.open(root, None);
    for error in [nobody.stat("raw/x.txt").unwrap_err(), nobody.read("raw/x.txt").unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.message().contains(root) && error.message().contains("set HF_TOKEN"), "{error}");
    }
    let me = hub.open(root, Some(TOKEN));
    assert_eq!(me.read("raw/x.txt").unwrap(), b"hello");
    assert_eq!(me.read("raw/z.bin").unwrap(), b"large");
    let away = hub.away.asked();
    assert!(!away.is_empty() && away.iter().all(|asked| asked.header("authorization").is_none()));
}
