//! What only stores elsewhere do.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use holotype::hash::{Digest, HashKind};
use holotype::store::{Fetch, Publish, Store};
use holotype::{Error, ErrorKind};

use crate::Place;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{self, MOTO, env};
use crate::support::{names, noise};

const MIB: usize = 1024 * 1024;

#[test]
fn hashes_come_from_tags_without_reading() {
    let place = Place::moto();
    place.store.write("x", b"hello", false).unwrap();
    let hash = place.store.content("x").unwrap().unwrap();
    assert_eq!((hash.hash.as_str(), hash.kind, hash.size), ("XUFAKrxLKna5cZ2REBfFkg", HashKind::Md5, 5));
    place.store.write("d/1", b"1", false).unwrap();
    place.store.write("d/deep/2", b"22", false).unwrap();
    let hash = place.store.content("d").unwrap().unwrap();
    assert_eq!((hash.hash.as_str(), hash.n_files, hash.size), ("eM3C_vZOzZoiDzWa7ORtQQ", Some(2), 3));

    let source = place.source("big", noise(52 * MIB, 1));
    place.store.publish_file(&source, "big", &Publish::default()).unwrap();
    let hash = place.store.content("big").unwrap().unwrap();
    assert_eq!((hash.kind.clone(), hash.size), (HashKind::Md5Parts(4), 52 * MIB as u64));
    // Content that only its store has hashed is fetched by the size and the tag it has there.
    let how = Fetch { content: Some(&hash), ..Fetch::default() };
    let fetched = place.store.fetch("big", &place.path("fetched"), &how).unwrap();
    assert_eq!(fetched.digest, Digest::of(&noise(52 * MIB, 1)));
}

#[test]
fn markers_of_folders_are_no_files() {
    let root = MOTO.root();
    let bucket = root.trim_start_matches("s3://").split('/').next().unwrap();
    for (key, content) in
        [("some/prefix/d/", ""), ("some/prefix/d/x", "x"), ("some/prefix/", ""), ("other", "o")]
    {
        assert!(MOTO.ask("PUT", &format!("/{bucket}/{key}"), content.as_bytes()).starts_with("HTTP/1.1 200"));
    }
    let place = Place::at(&root);
    assert_eq!(place.keys(), ["d/x"]);
    let fetched = place.store.fetch("d", &place.path("d"), &Fetch::default()).unwrap();
    assert_eq!(fetched.content.n_files, Some(1));
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let place = Place::moto();
    let content = noise(40 * MIB, 5);
    let source = place.source("big", &content);
    let published = place.store.publish_file(&source, "big", &Publish::default()).unwrap();
    let target = place.path("cache/big");
    let came = AtomicU64::new(0);
    let stop = |bytes| match came.fetch_add(bytes, Ordering::SeqCst) {
        before if before > 20 * MIB as u64 => Err(Error::new(ErrorKind::Interrupted, "Interrupted")),
        _ => Ok(()),
    };
    let how = Fetch { progress: &stop, ..Fetch::default() };
    assert_eq!(place.store.fetch("big", &target, &how).unwrap_err().kind(), ErrorKind::Interrupted);
    assert!(!target.exists());
    let partial = target.with_file_name(&names(target.parent().unwrap())[0]);
    let there = fs::metadata(&partial).unwrap().len();
    assert!(there >= 16 * MIB as u64 && there < content.len() as u64);

    // Damage what is there: it is noticed, and everything comes anew.
    let mut damaged = fs::read(&partial).unwrap();
    damaged[17] ^= 1;
    fs::write(&partial, damaged).unwrap();
    let how = Fetch { digest: Some(published.digest), ..Fetch::default() };
    place.store.fetch("big", &target, &how).unwrap();
    assert_eq!(fs::read(&target).unwrap(), content);
    assert_eq!(names(target.parent().unwrap()), ["big"]);
}

#[test]
fn a_resumed_download_asks_for_the_rest_only() {
    let proxy = Proxy::new(MOTO.port, |_, _| Fault::None);
    let place = Place::at(&MOTO.root_at(&proxy.endpoint()));
    let source = place.source("big", noise(40 * MIB, 5));
    place.store.publish_file(&source, "big", &Publish::default()).unwrap();
    let target = place.path("big-fetched");
    let came = AtomicU64::new(0);
    let stop = |bytes| match came.fetch_add(bytes, Ordering::SeqCst) {
        before if before > 30 * MIB as u64 => Err(Error::new(ErrorKind::Interrupted, "Interrupted")),
        _ => Ok(()),
    };
    place.store.fetch("big", &target, &Fetch { progress: &stop, ..Fetch::default() }).unwrap_err();
    let before = proxy.requests();
    place.store.fetch("big", &target, &Fetch::default()).unwrap();
    assert!(proxy.requests() - before <= 3, "one look and at most two of five ranges");
}

#[test]
fn a_small_file_that_is_known_takes_one_request() {
    let proxy = Proxy::new(MOTO.port, |_, _| Fault::None);
    let place = Place::at(&MOTO.root_at(&proxy.endpoint()));
    for size in [0, 1, MIB] {
        let source = place.source("small", noise(size, 5));
        let published = place.store.publish_file(&source, "small", &Publish::default()).unwrap();
        let (target, before) = (place.path(&format!("cache/{size}")), proxy.requests());
        let how =
            Fetch { content: Some(&published.content), digest: Some(published.digest), ..Fetch::default() };
        assert_eq!(place.store.fetch("small", &target, &how).unwrap().digest, published.digest);
        assert_eq!((fs::read(&target).unwrap(), proxy.requests() - before), (noise(size, 5), 1));
    }
    place.store.write("small", b"other", false).unwrap();
    let (expected, target) = (place.store.content("small").unwrap().unwrap(), place.path("cache/other"));
    let wrong = holotype::hash::ContentHash { hash: "XUFAKrxLKna5cZ2REBfFkg".to_owned(), ..expected };
    let how = Fetch { content: Some(&wrong), ..Fetch::default() };
    assert_eq!(place.store.fetch("small", &target, &how).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(!target.exists());
}

#[test]
fn many_threads_fetch_one_file_once() {
    let ranges = Arc::new(AtomicUsize::new(0));
    let count = ranges.clone();
    let proxy = Proxy::new(MOTO.port, move |_, line| {
        count.fetch_add(usize::from(line.starts_with("GET")), Ordering::SeqCst);
        Fault::None
    });
    let root = MOTO.root_at(&proxy.endpoint());
    let place = Place::at(&root);
    let source = place.source("x", noise(20 * MIB, 5));
    let digest = place.store.publish_file(&source, "x", &Publish::default()).unwrap().digest;
    let target = place.path("cache/x");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let how = Fetch { digest: Some(digest), ..Fetch::default() };
                assert_eq!(place.store.fetch("x", &target, &how).unwrap().digest, digest);
            });
        }
    });
    assert_eq!(names(target.parent().unwrap()), ["x"]);
    assert!(ranges.load(Ordering::SeqCst) <= 6, "at most a second one came too late to wait");
}

#[test]
fn variables_name_endpoint_and_profile() {
    let root = MOTO.root();
    let (plain, _) = root.split_once('?').unwrap();
    let endpoint = MOTO.endpoint();
    let vars = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", server::KEY),
        ("AWS_SECRET_ACCESS_KEY", server::SECRET),
    ];
    let store = Store::open(plain, &server::with_vars(&vars)).unwrap();
    store.write("x", b"x", false).unwrap();
    assert_eq!(Store::open(&root, &env()).unwrap().read("x").unwrap(), b"x");
    assert_eq!(store.url("x").unwrap(), format!("{plain}/x"));
    assert!(store.is_remote() && store.path("x").is_err());
}
