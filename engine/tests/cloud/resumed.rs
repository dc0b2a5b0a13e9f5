//! Large files whose process is killed while they are sent or fetched: doing the same again goes on where it stopped, and
//! only then.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holotype::store::Unfinished;
use holotype::{NewArtifact, Record, faults};

use crate::client::Client;
use crate::death::{self, Death, await_death, tell};
use crate::kept::Kept;
use crate::proof::{self, plan};
use crate::stores::google;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::SMALL_PARTS;
use crate::support::noise;

/// Bytes of a part, and parts of the file.
const PART: usize = 6 << 10;
const PARTS: usize = 17;

/// Parts that have arrived when the process is killed; others may be on their way.
const ARRIVED: usize = 7;

/// Not a test of its own: what the parent runs, and kills.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, root, work, point, nth] = plan.try_into().unwrap();
    hurry();
    let client = Client::at(Path::new(&dir), &root);
    let instance = Kept::Content.open(&client).unwrap();
    await_death(point, nth.parse().unwrap());
    if work == "fetch" {
        instance.cache(&proof::latest(&instance, "big.bin").unwrap()).unwrap();
    } else {
        let source = client.dir.join("big.bin");
        tell(&proof::save(&instance, NewArtifact::new(source.to_str().unwrap()).key("big.bin")).unwrap());
    }
}

pub fn hurry() {
    faults::set_limit("object.single", 10 << 10);
    faults::set_limit("object.pause", 2);
    for limit in ["object.part", "object.range"] {
        faults::set_limit(limit, PART as u64);
    }
}

/// Returns a proxy that passes everything on, and the number of the requests whose first line is one of those.
fn counting(those: impl Fn(&str) -> bool + Send + Sync + 'static) -> (Proxy, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let proxy = Proxy::new(SMALL_PARTS.port, move |_, line| {
        counted.fetch_add(usize::from(those(line)), Ordering::SeqCst);
        Fault::None
    });
    (proxy, count)
}

/// A large file whose first upload ended with its process.
struct Killed {
    client: Client,
    source: PathBuf,
    sent: Arc<AtomicUsize>,
    _proxy: Proxy,
}

impl Killed {
    fn new() -> Killed {
        hurry();
        let (proxy, sent) = counting(|line| line.contains("partNumber="));
        let client = Client::new(&SMALL_PARTS.root_at(&proxy.endpoint()), Some("ann"));
        Kept::Content.init(&client);
        let source = client.dir.join("big.bin");
        fs::write(&source, noise(PART * PARTS - 100, 5)).unwrap();
        let words = [client.dir.to_str().unwrap(), &client.root, "save"];
        death::run("resumed::the_child", &words, &Death::At("object.part".into(), ARRIVED));
        assert_eq!(client.bucket().unfinished(".lamindb").unwrap().len(), 1);
        Killed { client, source, sent, _proxy: proxy }
    }

    fn unfinished(&self) -> Unfinished {
        self.client.bucket().unfinished(".lamindb").unwrap().remove(0)
    }

    /// Saves the file again; returns how many parts were sent for it.
    fn save_again(&self) -> usize {
        self.sent.store(0, Ordering::SeqCst);
        let instance = Kept::Content.open(&self.client).unwrap();
        let new = NewArtifact::new(self.source.to_str().unwrap()).key("big.bin");
        let record: Record = proof::save(&instance, new).unwrap();
        let sent = self.sent.load(Ordering::SeqCst);
        let cached = instance.cache(&record).unwrap();
        fs::remove_file(&cached).unwrap();
        assert!(fs::read(instance.cache(&record).unwrap()).unwrap() == fs::read(&self.source).unwrap());
        let stored = self.client.bucket().list(".lamindb/").unwrap().into_iter().map(|entry| entry.key);
        let stored: Vec<String> = stored.filter(|key| key.contains(".bin")).collect();
        assert_eq!(stored, [format!(".lamindb/{}.bin", record.uid())]);
        sent
    }
}

#[test]
fn an_upload_goes_on_where_its_process_was_killed() {
    let killed = Killed::new();
    let sent = killed.save_again();
    assert!(sent > 0 && sent <= PARTS - ARRIVED, "{sent} of {PARTS} parts were sent again");
    assert_eq!(killed.client.bucket().unfinished(".lamindb").unwrap(), []);
    let notes = killed.client.dir.join("cache/.holotype/uploads");
    assert_eq!(fs::read_dir(notes).unwrap().count(), 0);
}

#[test]
fn a_file_that_changed_is_sent_anew() {
    let killed = Killed::new();
    fs::write(&killed.source, noise(PART * PARTS - 100, 6)).unwrap();
    assert_eq!(killed.save_again(), PARTS);
}

#[test]
fn an_upload_that_was_given_up_is_sent_anew() {
    let killed = Killed::new();
    killed.client.bucket().give_up(&killed.unfinished()).unwrap();
    assert_eq!(killed.save_again(), PARTS);
}

#[test]
fn a_part_that_is_not_what_the_file_holds_is_sent_again() {
    let killed = Killed::new();
    let Unfinished { key, id, .. } = killed.unfinished();
    let bucket = killed.client.root.trim_start_matches("s3://").split('/').next().unwrap();
    let place = format!("/{bucket}/some/prefix/{key}?partNumber=1&uploadId={id}");
    assert!(SMALL_PARTS.ask("PUT", &place, &noise(PART, 9)).starts_with("HTTP/1.1 200"));
    let sent = killed.save_again();
    assert!(sent > 1 && sent <= PARTS - ARRIVED + 1, "{sent} of {PARTS} parts were sent again");
}

#[test]
fn a_download_goes_on_where_its_process_was_killed() {
    hurry();
    let (proxy, asked) = counting(|line| line.starts_with("GET"));
    let client = Client::new(&SMALL_PARTS.root_at(&proxy.endpoint()), Some("ann"));
    Kept::Content.init(&client);
    let instance = Kept::Content.open(&client).unwrap();
    // What is known to be small comes with one request.
    let content = noise(PART * 200 - 100, 5);
    fs::write(client.dir.join("big.bin"), &content).unwrap();
    let new = NewArtifact::new(client.dir.join("big.bin").to_str().unwrap()).key("big.bin");
    let record = proof::save(&instance, new).unwrap();
    fs::remove_file(instance.cache(&record).unwrap()).unwrap();
    let words = [client.dir.to_str().unwrap(), &client.root, "fetch"];
    death::run("resumed::the_child", &words, &Death::At("object.came".into(), 150));
    asked.store(0, Ordering::SeqCst);
    assert!(fs::read(instance.cache(&record).unwrap()).unwrap() == content);
    assert_eq!(asked.load(Ordering::SeqCst), 50, "ranges that had not come");
}

/// Saves a large file over a network that breaks off, and then over one that does not; `user` comes to a server through
/// a proxy with this address.
fn over_a_bad_network(server: u16, user: impl Fn(&str) -> Client) {
    hurry();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let proxy = Proxy::new(server, move |_, line| {
        let part = line.contains("partNumber=");
        let before = counted.fetch_add(usize::from(part), Ordering::SeqCst);
        // From the eighth part on, nothing arrives until the user notices.
        if part && (ARRIVED..PARTS).contains(&before) { Fault::Dropped } else { Fault::None }
    });
    let client = user(&proxy.endpoint()).with_var("AWS_MAX_ATTEMPTS", "1");
    Kept::Content.init(&client);
    let instance = Kept::Content.open(&client).unwrap();
    let source = client.dir.join("big.bin");
    fs::write(&source, noise(PART * PARTS - 100, 5)).unwrap();
    let new = || NewArtifact::new(source.to_str().unwrap()).key("big.bin");
    proof::save(&instance, new()).unwrap_err();
    assert_eq!(client.bucket().unfinished(".lamindb").unwrap().len(), 1);
    sent.store(PARTS, Ordering::SeqCst);
    let record = proof::save(&instance, new()).unwrap();
    let again = sent.load(Ordering::SeqCst) - PARTS;
    assert!(again > 0 && again <= PARTS - ARRIVED, "{again} of {PARTS} parts were sent again");
    fs::remove_file(instance.cache(&record).unwrap()).unwrap();
    assert!(fs::read(instance.cache(&record).unwrap()).unwrap() == fs::read(&source).unwrap());
    assert_eq!(client.bucket().unfinished(".lamindb").unwrap(), []);
}

#[test]
fn an_upload_that_the_network_broke_off_goes_on() {
    over_a_bad_network(SMALL_PARTS.port, |proxy| Client::new(&SMALL_PARTS.root_at(proxy), Some("ann")));
}

#[test]
fn an_upload_to_google_that_the_network_broke_off_goes_on() {
    over_a_bad_network(google::GOOGLE.port, |proxy| {
        Client::new(&google::root(), Some("ann")).with_var("STORAGE_EMULATOR_HOST", proxy)
    });
}
