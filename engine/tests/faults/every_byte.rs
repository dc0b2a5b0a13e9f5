//! Connections that end after each single byte of a request, and of an answer.

use std::fs;
use std::sync::{Arc, Mutex};

use holotype::store::{Fetch, Publish, Store};

use crate::hurry;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::{KEY, MOTO, S3S, SECRET, Server, with_vars};
use crate::world::clear;

/// A location behind a network that does to the next request of a method whatever is wanted.
struct Line {
    store: Store,
    next: Arc<Mutex<Option<(&'static str, Fault)>>>,
}

impl Line {
    fn to(server: &Server) -> Line {
        hurry();
        let next: Arc<Mutex<Option<(&str, Fault)>>> = Arc::default();
        let planned = next.clone();
        let proxy = Proxy::new(server.port, move |_, line| {
            let planned = planned.lock().unwrap().take_if(|(method, _)| line.starts_with(*method));
            planned.map_or(Fault::None, |(_, fault)| fault)
        });
        // Nothing is tried again behind our back.
        let vars = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_MAX_ATTEMPTS", "1")];
        let store = Store::open(&server.root_at(&proxy.endpoint()), &with_vars(&vars)).unwrap();
        Line { store, next }
    }

    /// Does something while `fault` happens to the first request of `method`, once for each of these bytes; returns how often
    /// it failed.
    fn at_every_byte<T>(
        &self,
        method: &'static str,
        fault: fn(usize) -> Fault,
        bytes: impl Iterator<Item = usize>,
        work: impl Fn(usize) -> holotype::Result<T>,
    ) -> usize {
        let mut failed = 0;
        for at in bytes {
            *self.next.lock().unwrap() = Some((method, fault(at)));
            let done = work(at);
            assert_eq!(*self.next.lock().unwrap(), None, "there was no {method}");
            if let Err(error) = done {
                clear(&error);
                failed += 1;
            }
        }
        failed
    }
}

/// Bytes of an answer, and some more.
const ANSWER: usize = 400;

/// Bytes of a request; its head is longer than that of an answer.
const REQUEST: usize = 1_100;

const CONTENT: &[u8] = b"forty bytes of content, none of them lost";

#[test]
fn a_download_that_is_cut_off_at_any_byte_yields_nothing_wrong() {
    let line = Line::to(&S3S);
    let dir = tempfile::tempdir().unwrap();
    line.store.write("x", CONTENT, true).unwrap();
    let target = dir.path().join("x");
    let fetch = |_| {
        let fetched = line.store.fetch("x", &target, &Fetch::default());
        match fs::read(&target) {
            Ok(bytes) => assert_eq!(bytes, CONTENT),
            Err(_) => assert!(fetched.is_err()),
        }
        let _ = fs::remove_file(&target);
        fetched
    };
    let read = |_| line.store.read("x").inspect(|bytes| assert_eq!(bytes, CONTENT));
    let part = |_| line.store.read_range("x", 3..17).inspect(|bytes| assert_eq!(bytes, &CONTENT[3..17]));
    for fault in [Fault::Cut, Fault::Short] {
        let failed = [
            line.at_every_byte("GET", fault, 0..ANSWER, fetch),
            line.at_every_byte("GET", fault, 0..ANSWER, read),
            line.at_every_byte("GET", fault, 0..ANSWER, part),
        ];
        eprintln!("{:?}: {failed:?}", fault(0));
        // A fetch goes on where it was cut off, and what is short is read again; a part of something has no tag to tell.
        assert_eq!(failed[0], 0);
        assert!(failed[2] > 0);
    }
}

#[test]
fn an_upload_that_is_cut_off_at_any_byte_is_all_or_nothing() {
    let line = Line::to(&S3S);
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    for (fault, end) in [(Fault::Torn as fn(usize) -> Fault, REQUEST), (Fault::Cut, ANSWER)] {
        line.store.write("x", b"old", true).unwrap();
        let mut known = b"old".to_vec();
        let known = std::cell::RefCell::new(&mut known);
        let failed = line.at_every_byte("PUT", fault, 0..end, |at| {
            let new = format!("new content number {at}").into_bytes();
            fs::write(&source, &new).unwrap();
            let done = line.store.publish_file(&source, "x", &Publish::default());
            let there = line.store.read("x").unwrap();
            let mut known = known.borrow_mut();
            assert!(there == new || done.is_err() && there == **known, "{}", String::from_utf8_lossy(&there));
            **known = there;
            done
        });
        eprintln!("{:?}: {failed}", fault(0));
        assert!(failed > 0);
    }
}

#[test]
fn a_conditional_write_that_is_cut_off_at_any_byte_overwrites_nothing_unseen() {
    let line = Line::to(&MOTO);
    for (fault, end) in [(Fault::Torn as fn(usize) -> Fault, REQUEST), (Fault::Cut, ANSWER)] {
        line.store.write("x", b"old", true).unwrap();
        let failed = line.at_every_byte("PUT", fault, (0..end).step_by(9), |at| {
            let (before, version) = line.store.read_version("x").unwrap().unwrap();
            let new = format!("new content number {at}").into_bytes();
            let done = line.store.write_over("x", Some(&version), new.clone());
            let (after, _) = line.store.read_version("x").unwrap().unwrap();
            match &done {
                Ok(written) => assert!(written.is_some() && after == new),
                Err(_) => assert!(after == new || after == before),
            }
            assert_eq!(
                line.store.write_over("x", Some(&version), b"late".to_vec()).unwrap().is_some(),
                after == before
            );
            done
        });
        eprintln!("{:?}: {failed}", fault(0));
        assert!(failed > 0);
    }
}
