//! Networks that fail: no wrong bytes, nothing lost, and what failed succeeds when it is done again.

use std::fs;
use std::time::Duration;

use holotype::hash::Digest;
use holotype::store::{Fetch, Job, Publish, Store};

use crate::stores::azure;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{KEY, MOTO, S3S, SECRET, Server, with_vars};
use crate::support::noise;

const MIB: usize = 1024 * 1024;

/// Returns a number that depends on seed and step alone.
fn dice(seed: u64, step: usize) -> u64 {
    let mut state =
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (step as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
    state ^= state >> 29;
    state = state.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state ^ state >> 32
}

fn fault(seed: u64, step: usize) -> Fault {
    let dice = dice(seed, step);
    match dice % 20 {
        0 => Fault::Status(500),
        1 => Fault::Status(503),
        2 => Fault::Status(429),
        3 => Fault::Dropped,
        4 => Fault::Lost,
        5 => Fault::Cut((dice >> 8) as usize % 300),
        6 => Fault::Cut((dice >> 8) as usize % (9 * MIB)),
        7 => Fault::Delay(Duration::from_millis(dice >> 8 & 0x3f)),
        _ => Fault::None,
    }
}

fn bad(server: &Server, seed: u64) -> (Proxy, Store) {
    let proxy = Proxy::new(server.port, move |step, _| fault(seed, step));
    let vars = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let store = Store::open(&server.root_at(&proxy.endpoint()), &with_vars(&vars)).unwrap();
    (proxy, store)
}

#[test]
fn small_files_survive_a_bad_network() {
    for (server, seed) in [(&*MOTO, 1), (&*S3S, 2)] {
        let dir = tempfile::tempdir().unwrap();
        let (_proxy, store) = bad(server, seed);
        let jobs: Vec<Job> = (0..40)
            .map(|i| {
                let source = dir.path().join(format!("{i}"));
                fs::write(&source, noise(1000 + i * 997, i as u64)).unwrap();
                Job { source, key: format!("d/{i}"), content: None, digest: None }
            })
            .collect();
        for (job, result) in jobs.iter().zip(store.publish_many(&jobs, &Publish::default())) {
            let digest = result.unwrap().digest;
            assert_eq!(digest, Digest::of(&fs::read(&job.source).unwrap()));
        }
        for (i, job) in jobs.iter().enumerate() {
            let target = dir.path().join(format!("fetched/{i}"));
            store.fetch(&job.key, &target, &Fetch::default()).unwrap();
            assert_eq!(fs::read(&target).unwrap(), fs::read(&job.source).unwrap());
        }
        store.remove_files(&jobs.into_iter().map(|job| job.key).collect::<Vec<_>>()).unwrap();
        assert!(store.list("").unwrap().is_empty());
    }
}

#[test]
fn folders_survive_a_bad_network() {
    let dir = tempfile::tempdir().unwrap();
    let (proxy, store) = bad(&MOTO, 6);
    for i in 0..30 {
        fs::create_dir_all(dir.path().join("d")).unwrap();
        fs::write(dir.path().join(format!("d/{i}")), noise(1000 + i * 997, i as u64)).unwrap();
    }
    let published = store.publish_folder(&dir.path().join("d"), "d", &Publish::default()).unwrap();
    store.rename("d", "e", &Publish::default()).unwrap();
    let how = Fetch { digest: Some(published.digest), ..Fetch::default() };
    store.fetch("e", &dir.path().join("fetched"), &how).unwrap();
    assert_eq!(store.list("").unwrap().len(), 30);
    assert!(store.remove("e").unwrap());
    assert!(store.list("").unwrap().is_empty());
    assert!(proxy.requests() > 150);
}

#[test]
fn large_files_survive_a_bad_network() {
    let azure = Proxy::new(azure::AZURE.port, |step, _| fault(5, step));
    let azure = Store::open(&azure::root_at(&azure.endpoint()), &azure::account()).unwrap();
    for (store, seed) in [(bad(&MOTO, 3).1, 3), (bad(&S3S, 4).1, 4), (azure, 5)] {
        let dir = tempfile::tempdir().unwrap();
        let content = noise(52 * MIB + 11, seed);
        let source = dir.path().join("big");
        fs::write(&source, &content).unwrap();
        let published = store.publish_file(&source, "b/ü +%", &Publish::default()).unwrap();
        assert_eq!(published.digest, Digest::of(&content));
        let target = dir.path().join("fetched");
        let how = Fetch { digest: Some(published.digest), ..Fetch::default() };
        assert_eq!(store.fetch("b/ü +%", &target, &how).unwrap().digest, published.digest);
        assert_eq!(store.read("b/ü +%").unwrap().len(), content.len());
    }
}
