//! Locations that can only be read.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use holotype::hash::{Digest, HashKind};
use holotype::store::{Fetch, Store};
use holotype::{ErrorKind, InitOptions, Instance, NewArtifact, Q, Record};

use crate::stores::http_server::{Answer, Asked, WebServer};
use crate::stores::server::with_vars;
use crate::support::noise;

const MIB: usize = 1024 * 1024;

/// Gives a file as most servers do: with a tag, and in ranges.
fn give(asked: &Asked, content: &[u8]) -> Answer {
    let answer = match asked.range() {
        Some((from, _)) if from >= content.len() => return Answer::new(416, ""),
        Some((from, to)) => {
            let to = to.min(content.len() - 1);
            let range = format!("bytes {from}-{to}/{}", content.len());
            Answer::new(206, &content[from..=to]).with("content-range", range)
        }
        None => Answer::new(200, content),
    };
    answer
        .with("etag", "\"abc-123\"")
        .with("accept-ranges", "bytes")
        .with("last-modified", "Sun, 22 Nov 2026 00:00:00 GMT")
}

/// Gives a file as simple servers do: whole, and without a tag.
fn give_whole(content: &[u8]) -> Answer {
    Answer::new(200, content)
}

fn open(root: &str) -> Store {
    Store::open(root, &with_vars(&[])).unwrap()
}

#[test]
fn files_are_read() {
    let server = WebServer::start(|asked| match asked.path.as_str() {
        "/data/a/x.txt" => give(asked, b"hello"),
        "/data/%C3%BC%20+.txt" => give(asked, b"odd"),
        "/data/none.txt" => give(asked, b""),
        _ => Answer::new(404, "nothing here"),
    });
    let store = open(&format!("{}/data", server.address()));
    assert_eq!(store.read("a/x.txt").unwrap(), b"hello");
    assert_eq!(store.read("ü +.txt").unwrap(), b"odd");
    assert_eq!(store.read("none.txt").unwrap(), b"");
    assert_eq!(store.read_range("a/x.txt", 1..3).unwrap(), b"el");
    let hash = store.content("a/x.txt").unwrap().unwrap();
    assert_eq!(
        (hash.hash.as_str(), hash.kind.clone(), hash.size),
        ("Y1FiPIzvhv76v6faBG_GGQ", HashKind::Md5Etag, 5)
    );
    assert_eq!(store.stat("a/x.txt").unwrap().unwrap().modified.unwrap().0, 1_795_305_600_000_000);
    assert_eq!(store.identify_file("a/x.txt").unwrap().digest, Digest::of(b"hello"));
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("x.txt");
    store.fetch("a/x.txt", &target, &Fetch { content: Some(&hash), ..Fetch::default() }).unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"hello");
    let modified = std::fs::metadata(&target).unwrap().modified().unwrap();
    assert_eq!(modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 1_795_305_600);
}

#[test]
fn what_is_not_there_is_named() {
    let server = WebServer::start(|_| Answer::new(404, "nothing here"));
    let store = open(&format!("{}/data", server.address()));
    let url = format!("{}/data/a/y.txt", server.address());
    assert!(!store.exists("a/y.txt").unwrap() && store.stat("a/y.txt").unwrap().is_none());
    for error in [
        store.read("a/y.txt").unwrap_err(),
        store.size("a/y.txt").unwrap_err(),
        store.read_range("a/y.txt", 0..1).unwrap_err(),
        store.identify_file("a/y.txt").unwrap_err(),
        store.fetch("a/y.txt", Path::new("never"), &Fetch::default()).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.message()), (ErrorKind::FileNotFound, url.as_str()));
    }
    let error = store.list("").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("lists no files"), "{error}");
}

#[test]
fn what_is_closed_is_named() {
    for status in [401, 403] {
        let server = WebServer::start(move |_| Answer::new(status, "members only"));
        let store = open(&server.address());
        for error in [store.stat("x").unwrap_err(), store.read("x").unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            let url = format!("{}/x", server.address());
            assert!(
                error.message().contains(&url) && error.message().contains("without credentials"),
                "{error}"
            );
        }
    }
}

#[test]
fn large_files_come_in_ranges_or_whole() {
    let content = noise(18 * MIB + 5, 3);
    let digest = Digest::of(&content);
    let server = WebServer::start(move |asked| match asked.path.as_str() {
        "/ranges" => give(asked, &content),
        "/whole" => give_whole(&content),
        _ => Answer::new(404, ""),
    });
    let store = open(&server.address());
    let dir = tempfile::tempdir().unwrap();
    for (key, gets) in [("ranges", 4), ("whole", 2)] {
        let done = AtomicU64::new(0);
        let progress = |bytes| {
            done.fetch_add(bytes, Ordering::Relaxed);
            Ok(())
        };
        let target = dir.path().join(key);
        let fetched = store.fetch(key, &target, &Fetch { progress: &progress, ..Fetch::default() }).unwrap();
        assert_eq!(fetched.digest, digest);
        assert_eq!(holotype::hash::identify_file(&target).unwrap().digest, digest);
        assert_eq!(done.load(Ordering::Relaxed), 18 * MIB as u64 + 5);
        let asked = server.asked().into_iter().filter(|asked| asked.method == "GET").count();
        assert_eq!(asked, gets, "one for the first byte, then what is needed");
        assert_eq!(store.identify_file(key).unwrap().digest, digest);
        server.asked();
    }
    assert!(store.content("whole").unwrap().is_none(), "nothing tells what the content is");
    assert_eq!(store.stat("whole").unwrap().unwrap().modified, None);
    let error = store.read_range("whole", 3..9).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("only whole"), "{error}");
}

#[test]
fn a_file_that_has_moved_is_followed() {
    let away = WebServer::start(|asked| match asked.path.as_str() {
        "/store/5d41" => give(asked, b"hello"),
        _ => Answer::new(404, ""),
    });
    let elsewhere = format!("{}/store/5d41", away.address());
    let server = WebServer::start(move |asked| match asked.path.as_str() {
        "/moved" => Answer::new(302, "").with("location", elsewhere.clone()),
        "/near" => Answer::new(301, "").with("location", "/moved"),
        _ => Answer::new(302, "").with("location", "/circle"),
    });
    let store = open(&server.address());
    for key in ["moved", "near"] {
        assert_eq!(store.read(key).unwrap(), b"hello");
        assert_eq!(store.read_range(key, 1..3).unwrap(), b"el");
        assert_eq!(store.size(key).unwrap(), 5);
    }
    let error = store.read("circle").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
}

#[test]
fn a_file_is_registered_where_it_lies() {
    let server = WebServer::start(|asked| match asked.path.as_str() {
        "/data/x.csv" => give(asked, b"a,b\n1,2\n"),
        _ => Answer::new(404, ""),
    });
    let dir = tempfile::tempdir().unwrap();
    let instance = instance(dir.path(), &[]);
    let locations = || instance.registry("Storage").unwrap().count().unwrap();
    let missing = format!("{}/data/y.csv", server.address());
    let error = instance.artifact(NewArtifact::new(&missing)).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::FileNotFound, missing.as_str()));
    assert_eq!(locations(), 1, "a server is not registered for what it does not have");

    let record = save(&instance, &format!("{}/data/x.csv", server.address()));
    assert_eq!((record.text("key"), record.int("size")), (Some("data/x.csv"), Some(8)));
    let storage = instance.registry("Storage").unwrap().filter(Q::is("root", server.address())).unwrap();
    let storage = storage.one().unwrap();
    assert_eq!((storage.text("type"), storage.text("instance_uid")), (Some("http"), None));
    let again = instance.artifact(NewArtifact::new(format!("{}/data/x.csv", server.address()))).unwrap();
    assert_eq!((again.record.uid(), again.record.id()), (record.uid(), record.id()));
    assert_eq!(locations(), 2, "once");

    let path = instance.cache(&record).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"a,b\n1,2\n");
    assert!(path.starts_with(dir.path().join("cache")), "{}", path.display());
    server.asked();
    instance.cache(&record).unwrap();
    assert!(
        server.asked().iter().all(|asked| asked.method == "HEAD"),
        "what is in the cache does not come again"
    );
}

/// Returns an instance with its cache in `dir`.
pub fn instance(dir: &Path, vars: &[(&str, &str)]) -> Instance {
    let cache = dir.join("cache").display().to_string();
    let vars = vars.iter().copied().chain([("LAMIN_CACHE_DIR", cache.as_str())]);
    let (env, _) = holotype::testing::env(dir, 1).unwrap();
    let env = env.with_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let instance = Instance::init(&env, &InitOptions::default()).unwrap();
    instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
    instance
}

/// Registers what lies at a URL.
pub fn save(instance: &Instance, url: &str) -> Record {
    let mut artifact = instance.artifact(NewArtifact::new(url)).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    artifact.record
}
