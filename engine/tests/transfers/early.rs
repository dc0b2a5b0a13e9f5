//! Copies for the cache, made while a bucket puts a large file together.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use holotype::{ErrorKind, NewArtifact};

use crate::client::Client;
use crate::kept::Kept;
use crate::limits::hurry;
use crate::proof;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::SMALL_PARTS;
use crate::support::noise;

/// A machine whose requests to put a file together wait until there is a copy in the cache, and then meet `fault`.
fn waiting(fault: fn() -> Fault) -> (Client, Arc<OnceLock<PathBuf>>, Proxy) {
    hurry();
    let seen: Arc<OnceLock<PathBuf>> = Arc::default();
    let (place, cache): (Arc<OnceLock<PathBuf>>, Arc<OnceLock<PathBuf>>) = (seen.clone(), Arc::default());
    let known = cache.clone();
    let proxy = Proxy::new(SMALL_PARTS.port, move |_, line| {
        if !line.starts_with("POST") || !line.contains("uploadId=") {
            return Fault::None;
        }
        let since = Instant::now();
        while place.get().is_none() && since.elapsed() < Duration::from_secs(20) {
            if let Some(found) = known.get().and_then(|cache| copies(cache).pop()) {
                place.set(found).unwrap();
            }
            sleep(Duration::from_millis(5));
        }
        fault()
    });
    let client = Client::new(&SMALL_PARTS.root_at(&proxy.endpoint()), Some("ann"));
    cache.set(client.dir.join("cache")).unwrap();
    Kept::Content.init(&client);
    (client.with_var("AWS_MAX_ATTEMPTS", "1"), seen, proxy)
}

/// Returns the complete copies of the large file.
fn copies(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(copies(&path));
        } else if path.file_name().is_some_and(|name| name == "big.bin") {
            found.push(path);
        }
    }
    found
}

fn source(client: &Client) -> NewArtifact {
    let path = client.dir.join("big.bin");
    fs::write(&path, noise(100 << 10, 5)).unwrap();
    NewArtifact::new(path.to_str().unwrap()).key("big.bin")
}

#[test]
fn the_copy_is_made_while_the_bucket_puts_parts_together() {
    let (client, seen, _proxy) = waiting(|| Fault::None);
    let instance = Kept::Content.open(&client).unwrap();
    let record = proof::save(&instance, source(&client)).unwrap();
    let early = seen.get().expect("no copy was made while the bucket was busy");
    let before = fs::metadata(early).unwrap().modified().unwrap();
    assert_eq!(&instance.cache(&record).unwrap(), early);
    assert_eq!(fs::metadata(early).unwrap().modified().unwrap(), before, "it was made once");
    assert!(fs::read(early).unwrap() == noise(100 << 10, 5));
}

#[test]
fn the_copy_goes_again_when_nothing_was_stored() {
    let (client, seen, _proxy) = waiting(|| Fault::Status(403));
    let instance = Kept::Content.open(&client).unwrap();
    let error = proof::save(&instance, source(&client)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    let early = seen.get().expect("no copy was made while the bucket was busy");
    assert!(!early.exists());
    assert!(proof::latest(&instance, "big.bin").is_none());
}

#[test]
fn a_copy_that_was_there_stays() {
    let (client, seen, _proxy) = waiting(|| Fault::Status(403));
    let instance = Kept::Content.open(&client).unwrap();
    let first = client.dir.join("small.bin");
    fs::write(&first, "small").unwrap();
    let first = NewArtifact::new(first.to_str().unwrap()).key("big.bin");
    let first = proof::save(&instance, first).unwrap();
    let copy = instance.cache(&first).unwrap();
    seen.set(copy.clone()).unwrap();
    proof::save(&instance, source(&client)).unwrap_err();
    assert_eq!(fs::read_to_string(copy).unwrap(), "small");
}
