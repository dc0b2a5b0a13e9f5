//! Names of instances, identifiers and storage roots.

use std::fs;

use holotype::ErrorKind;
use holotype::instance::name::{self, NameSource, Slug};
use holotype::instance::root::{Protocol, StorageRoot};

use super::*;

fn derived(env: &Env, given: Option<&str>, db: Option<&str>, storage: &str) -> (String, NameSource) {
    let root = StorageRoot::parse(env, storage).unwrap();
    name::derive(given, db, storage, &root, &env.cwd).unwrap()
}

#[test]
fn the_name_comes_from_the_first_source_there_is() {
    let world = World::new();
    let env = world.at(world.path("MyDir"));
    for (given, db, storage, expected, source) in [
        (Some("Mine"), Some("postgresql://h/lab"), "./storage", "Mine", NameSource::Given),
        (None, Some("postgresql://me:pw@h:5432/Lab"), "./storage", "Lab", NameSource::Database),
        (None, Some("postgresql://h/lab?sslmode=require"), "./x", "lab", NameSource::Database),
        (None, None, "./storage", "mydir", NameSource::WorkingDirectory),
        (None, None, "storage", "storage", NameSource::Storage),
        (None, None, "./storage/", "storage", NameSource::Storage),
        (None, None, "./My-Store.V1", "my-store.v1", NameSource::Storage),
        (None, None, "/data/Lab Data/", "lab data", NameSource::Storage),
        (None, None, "s3://Bucket", "bucket", NameSource::Storage),
        (
            None,
            None,
            "s3://bucket/Sub/Deep/?endpoint_url=http://localhost:9000/x",
            "deep",
            NameSource::Storage,
        ),
        (None, None, "../Up/..//Here", "here", NameSource::Storage),
    ] {
        let (name, from) = derived(&env, given, db, storage);
        assert_eq!((name.as_str(), from), (expected, source), "{storage}");
    }
}

#[test]
fn impossible_names_are_refused() {
    let world = World::new();
    let root = StorageRoot::parse(&world.env, "/").unwrap();
    let error = name::derive(Some("a/b"), None, "./storage", &root, &world.env.cwd).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert_eq!(error.message(), "Invalid instance name: '/' delimiter not allowed.");
    for given in ["", " ", "a\nb", "null", " a"] {
        let error = name::derive(Some(given), None, "./storage", &root, &world.env.cwd).unwrap_err();
        assert!(error.message().starts_with("Invalid instance name"), "{error}");
    }
    for (db, storage) in [(None, "/"), (Some("postgresql://host"), "/"), (Some("postgresql://host/"), "/")] {
        let error = name::derive(None, db, storage, &root, &world.env.cwd).unwrap_err();
        assert!(error.message().ends_with("Pass a name for the instance."), "{error}");
        assert_eq!(error.message().contains("names no database"), db.is_some(), "{error}");
    }
}

#[test]
fn identifiers_are_names_slugs_or_urls() {
    for (text, expected) in [
        ("mydir", "me/mydir"),
        ("lab/main", "lab/main"),
        (" lab/main\n", "lab/main"),
        ("https://lamin.ai/lab/main", "lab/main"),
        ("https://lamin.ai/lab/main/", "lab/main"),
        ("https://hub.example.org:8080/lab/main", "lab/main"),
    ] {
        assert_eq!(Slug::parse(text, "me").unwrap().to_string(), expected);
    }
    for text in
        ["", "a/b/c", "/b", "a/", "lab/main/", "https://lamin.ai/main", "https://lamin.ai", "s3://lab/main"]
    {
        let error = Slug::parse(text, "me").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert_eq!(
            error.message(),
            "The instance identifier needs to be 'owner/name', the instance name (owner is current user) or the \
             URL: https://lamin.ai/owner/name."
        );
    }
}

#[test]
fn an_instance_is_identified_by_its_name() {
    let world = World::new();
    for (text, id, uid) in [
        ("anonymous/key-eval", "aed0c84a717b58739b63c21a8406e168", "2hvJDMF9MRQN"),
        ("testuser1/keep-artifacts-local", "cc7f2489bf7251f79ff9ca8df7ac045b", "6uGWmLpZlNoJ"),
        ("laminlabs/lamindata", "000b5913b43356da8d7d12f539890c70", "4FrYXn8a3piK"),
    ] {
        let settings = instance(&world.env, text);
        assert_eq!((settings.id.as_str(), settings.uid().as_str()), (id, uid));
    }
}

#[test]
fn local_roots_have_one_form() {
    let world = World::new();
    let base = world.path("");
    let base = base.to_str().unwrap().trim_end_matches('/');
    for (text, expected) in [
        ("./storage", format!("{base}/Work/storage")),
        ("storage/", format!("{base}/Work/storage")),
        ("storage//x/./y/../z", format!("{base}/Work/storage/x/z")),
        ("~/data", format!("{base}/home/data")),
        ("~", format!("{base}/home")),
        ("..", base.to_owned()),
        ("missing/../../home", format!("{base}/home")),
        ("file:///data/x/", "/data/x".to_owned()),
        ("/", "/".to_owned()),
        ("./ends with blank ", format!("{base}/Work/ends with blank ")),
    ] {
        let root = StorageRoot::parse(&world.env, text).unwrap();
        assert_eq!(root.as_str(), expected);
        assert_eq!(root.protocol(), Protocol::Local);
        assert_eq!(StorageRoot::stored(root.as_str()).unwrap(), root);
    }
    assert!(names(&world.env.cwd).is_empty(), "nothing is created by looking");
    assert_eq!(StorageRoot::parse(&world.env, "/data").unwrap().join("a/b.csv"), "/data/a/b.csv");
    assert_eq!(StorageRoot::parse(&world.env, "/").unwrap().join("a/b.csv"), "/a/b.csv");
}

#[test]
#[cfg(unix)]
fn links_on_the_way_are_followed() {
    let world = World::new();
    fs::create_dir_all(world.path("real/deep")).unwrap();
    std::os::unix::fs::symlink(world.path("real/deep"), world.path("Work/link")).unwrap();
    let root = |text: &str| StorageRoot::parse(&world.env, text).unwrap().as_str().to_owned();
    assert_eq!(root("link"), world.path("real/deep").to_str().unwrap());
    assert_eq!(root("link/not/yet"), world.path("real/deep/not/yet").to_str().unwrap());
    assert_eq!(root("link/../x"), world.path("real/x").to_str().unwrap());
    assert_eq!(root("missing/../link/x"), world.path("real/deep/x").to_str().unwrap());
}

#[test]
fn remote_roots_have_one_form() {
    let world = World::new();
    for (text, expected, protocol, path) in [
        ("s3://lab", "s3://lab", Protocol::S3, "lab"),
        ("s3://lab/a/b//", "s3://lab/a/b", Protocol::S3, "lab/a/b"),
        ("S3://lab/A", "s3://lab/A", Protocol::S3, "lab/A"),
        ("gs://lab/a/", "gs://lab/a", Protocol::Gs, "lab/a"),
        (
            "abfss://lab@acc.dfs.core.windows.net/a",
            "az://lab@acc.dfs.core.windows.net/a",
            Protocol::Az,
            "lab@acc.dfs.core.windows.net/a",
        ),
        ("hf://datasets/x/y", "hf://datasets/x/y", Protocol::Hf, "datasets/x/y"),
        ("https://example.org/data/", "https://example.org/data", Protocol::Https, "example.org/data"),
        ("http://example.org:80/data", "http://example.org:80/data", Protocol::Http, "example.org:80/data"),
        (
            "s3://lab/a/?endpoint_url=http://h:9000",
            "s3://lab/a?endpoint_url=http://h:9000",
            Protocol::S3,
            "lab/a",
        ),
    ] {
        let root = StorageRoot::parse(&world.env, text).unwrap();
        assert_eq!((root.as_str(), root.protocol(), root.path()), (expected, protocol, path));
        assert_eq!(root.local_path(), None);
        assert_eq!(StorageRoot::stored(expected).unwrap(), root);
    }
    let root = StorageRoot::parse(&world.env, "s3://lab/a?endpoint_url=http://h:9000").unwrap();
    assert_eq!(root.endpoint(), Some("http://h:9000"));
    assert_eq!(root.join("k/x.csv"), "s3://lab/a/k/x.csv");
    assert_eq!(StorageRoot::parse(&world.env, "s3://lab").unwrap().endpoint(), None);
}

#[test]
fn impossible_roots_are_refused() {
    let world = World::new();
    for (text, message) in [
        (
            "ftp://x/y",
            "Protocol ftp is not supported, valid protocols are local, gs, s3, hf, http, https, az",
        ),
        ("./a/.lamindb", "Please pass a folder name that does not end or contain \".lamindb\""),
        ("./foo.lamindbx", "Please pass a folder name that does not end or contain \".lamindb\""),
        ("s3://lab/.lamindb/x", "Please pass a folder name that does not end or contain \".lamindb\""),
        ("s3://lab?endpoint_url=a&endpoint_url=b", "Multiple values for endpoint_url query parameter"),
    ] {
        let error = StorageRoot::parse(&world.env, text).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Value, message));
    }
    for text in ["", "  ", "s3://", "s3:///", "s3://?endpoint_url=x", "s3://lab/../other"] {
        assert_eq!(StorageRoot::parse(&world.env, text).unwrap_err().kind(), ErrorKind::Value, "{text:?}");
    }
    let inside = world.at(world.path("Work/.lamindb"));
    assert!(StorageRoot::parse(&inside, "./storage").is_err());
}
