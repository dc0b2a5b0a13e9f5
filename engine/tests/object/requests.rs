//! How many requests work takes, and how long they wait for each other.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use holotype::NewArtifact;
use holotype::store::Store;

use crate::artifacts::Cloud;
use crate::stores::http_server::Asked;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{MOTO, env};

/// An instance whose bucket is reached through a proxy, and the first lines of all requests.
fn counted(fault: fn(&str) -> Fault) -> (Cloud, Arc<Mutex<Vec<String>>>, Proxy) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = asked.clone();
    let proxy = Proxy::new(MOTO.port, move |_, line| {
        lines.lock().unwrap().push(line.to_owned());
        fault(line)
    });
    (Cloud::at(&MOTO.root_at(&proxy.endpoint())), asked, proxy)
}

#[test]
fn a_folder_in_a_bucket_is_listed_once() {
    let (cloud, asked, _proxy) = counted(|_| Fault::None);
    for key in ["raw/1", "raw/deep/2", "raw-other/3"] {
        cloud.bucket().write(key, key.as_bytes(), false).unwrap();
    }
    let new = || NewArtifact::new(format!("{}/raw", cloud.url()));
    asked.lock().unwrap().clear();
    let mut artifact = cloud.instance.artifact(new()).unwrap();
    cloud.instance.save_artifact(&mut artifact).unwrap();
    let lines = std::mem::take(&mut *asked.lock().unwrap());
    assert_eq!(artifact.record.int("n_files"), Some(2));
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("HEAD") && lines[1].contains("prefix=some%2Fprefix%2Fraw%2F"), "{lines:?}");
    assert!(lines[2].contains("max-keys=2"), "whether it is still there: {lines:?}");
}

#[test]
fn a_set_is_fetched_in_parallel() {
    const SLOW: Duration = Duration::from_millis(500);
    let (cloud, asked, _proxy) = counted(|line| match line.starts_with("GET") {
        true => Fault::Delay(SLOW),
        false => Fault::None,
    });
    let records: Vec<_> = (0..12)
        .map(|i| {
            let name = format!("{i}.txt");
            cloud.save(NewArtifact::new(cloud.source(&name, format!("content {i}"))).key(&name))
        })
        .collect();
    fs::remove_dir_all(cloud.dir.path().join("cache")).unwrap();
    asked.lock().unwrap().clear();
    let begun = Instant::now();
    let paths = cloud.instance.cache_all(&records).unwrap();
    assert!(begun.elapsed() < SLOW * 6, "{:?}", begun.elapsed());
    for (i, path) in paths.iter().enumerate() {
        assert_eq!(fs::read_to_string(path).unwrap(), format!("content {i}"));
    }
    assert_eq!(asked.lock().unwrap().len(), 12);
    assert_eq!(cloud.instance.cache_all(&records).unwrap(), paths);
    assert_eq!(asked.lock().unwrap().len(), 12, "all of it is there");

    // One that is lost spoils none of the others.
    fs::remove_dir_all(cloud.dir.path().join("cache")).unwrap();
    cloud.bucket().remove(&format!(".lamindb/{}.txt", records[3].uid())).unwrap();
    let error = cloud.instance.cache_all(&records).unwrap_err();
    assert!(error.message().contains(records[3].uid()), "{error}");
    assert_eq!(paths.iter().filter(|path| path.exists()).count(), 11);
}

/// Answers every request with a head and a body in pieces, without saying to the system that each should go at once.
fn answer_in_pieces(mut client: TcpStream) -> std::io::Result<()> {
    while Asked::read(&mut client)?.is_some() {
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\nETag: \"x\"\r\n")?;
        client.write_all(b"Last-Modified: Sun, 22 Nov 2026 15:35:09 GMT\r\n\r\n")?;
        client.write_all(&[b'x'; 1000])?;
        client.write_all(&[b'x'; 2000])?;
    }
    Ok(())
}

/// The system lets a server wait up to 40 ms for each acknowledgement unless told otherwise.
#[cfg(target_os = "linux")]
#[test]
fn answers_in_pieces_are_acknowledged_at_once() {
    const READS: u32 = 20;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || answer_in_pieces(client));
        }
    });
    let root = format!("s3://bucket/some?endpoint_url=http://127.0.0.1:{port}");
    let store = Store::open(&root, &env()).unwrap();
    let took = |_| {
        let begun = Instant::now();
        for _ in 0..READS {
            assert_eq!(store.read("x").unwrap(), [b'x'; 3000]);
        }
        begun.elapsed()
    };
    let best = (0..3).map(took).min().unwrap();
    assert!(best < READS * Duration::from_millis(20), "{best:?} for {READS} small files");
}
