//! Locations that can only be read.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use holotype::store::{Fetch, Store};
use holotype::{ErrorKind, hash::HashKind};

use crate::server::with_vars;

/// Starts a web server of these files; returns its address.
fn serve(files: &[(&str, &str)]) -> String {
    let files: HashMap<String, String> =
        files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer(&mut stream, &files);
            // A client that went away is no matter of the server.
            let _ = stream.write_all(&answer);
        }
    });
    address
}

fn answer(stream: &mut TcpStream, files: &HashMap<String, String>) -> Vec<u8> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Some(content) = files.get(path) else {
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    };
    let range = head.lines().find_map(|line| {
        let line = line.to_ascii_lowercase();
        let (from, to) = line.strip_prefix("range: bytes=")?.split_once('-')?;
        Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?.min(content.len() - 1)))
    });
    let (status, body, extra) = match range {
        None => ("200 OK", content.as_str(), String::new()),
        Some((from, to)) => (
            "206 Partial Content",
            &content[from..=to],
            format!("Content-Range: bytes {from}-{to}/{}\r\n", content.len()),
        ),
    };
    let size = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {size}\r\nETag: \"abc-123\"\r\n{extra}Accept-Ranges: bytes\r\n\
         Last-Modified: Sun, 22 Nov 2026 00:00:00 GMT\r\nConnection: close\r\n\r\n"
    );
    let body = if method == "HEAD" { "" } else { body };
    [head.as_bytes(), body.as_bytes()].concat()
}

#[test]
fn web_servers_are_read() {
    let address = serve(&[("/data/a/x.txt", "hello")]);
    let store = Store::open(&format!("{address}/data"), &with_vars(&[])).unwrap();
    assert_eq!(store.read("a/x.txt").unwrap(), b"hello");
    assert_eq!(store.read_range("a/x.txt", 1..3).unwrap(), b"el");
    let hash = store.content("a/x.txt").unwrap().unwrap();
    assert_eq!(
        (hash.hash.as_str(), hash.kind.clone(), hash.size),
        ("Y1FiPIzvhv76v6faBG_GGQ", HashKind::Md5Etag, 5)
    );
    assert!(!store.exists("a/y.txt").unwrap());
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("x.txt");
    store.fetch("a/x.txt", &target, &Fetch { content: Some(&hash), ..Fetch::default() }).unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"hello");
    let modified = std::fs::metadata(&target).unwrap().modified().unwrap();
    assert_eq!(store.stat("a/x.txt").unwrap().unwrap().modified.unwrap().0, 1_795_305_600_000_000);
    assert_eq!(modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 1_795_305_600);
    let error = store.list("").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("lists no files"), "{error}");
}

#[test]
fn repositories_of_hugging_face_are_read() {
    let id = "2fb7e5bd3b5a4b2ea1c5c5fcb6a5a3b0b1c2d3e4";
    let file = |path: &str| format!(r#"{{"type":"file","oid":"{id}","size":5,"path":"{path}"}}"#);
    let page =
        format!(r#"[{},{{"type":"directory","oid":"0","size":0,"path":"raw/deep"}}]"#, file("raw/x.txt"));
    let all = format!("[{},{}]", file("raw/x.txt"), file("raw/deep/y.txt"));
    let tree = "/api/datasets/me/cells/tree/v1";
    let address = serve(&[
        (&format!("{tree}/raw?recursive=false"), &page),
        (&format!("{tree}/raw?recursive=true"), &all),
        ("/datasets/me/cells/resolve/v1/raw/x.txt", "hello"),
        ("/datasets/me/cells/resolve/v1/raw/deep/y.txt", "hello"),
    ]);
    let store =
        Store::open("hf://datasets/me/cells@v1/raw", &with_vars(&[("HF_ENDPOINT", &address)])).unwrap();
    let keys: Vec<String> = store.list("").unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["deep/y.txt", "x.txt"]);
    let hash = store.content("x.txt").unwrap().unwrap();
    assert_eq!(
        (hash.hash.as_str(), hash.kind.clone(), hash.size),
        ("L7flvTtaSy6hxcX8tqWjsL", HashKind::Sha1, 5)
    );
    assert!(store.exists("x.txt").unwrap() && !store.exists("z.txt").unwrap());
    assert_eq!(store.read("deep/y.txt").unwrap(), b"hello");
    let dir = tempfile::tempdir().unwrap();
    let how = Fetch { content: Some(&hash), ..Fetch::default() };
    store.fetch("x.txt", &dir.path().join("x"), &how).unwrap();
    assert_eq!(std::fs::read(dir.path().join("x")).unwrap(), b"hello");
}
