//! Large files whose process is killed while they are sent or fetched: doing the same again goes on where it stopped, and
//! only then.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holotype::store::Unfinished;
use holotype::{NewArtifact, Record};
use md5::{Digest as _, Md5};

use crate::client::Client;
use crate::death::{self, Death, await_death, tell};
use crate::kept::Kept;
use crate::limits::{PART, hurry};
use crate::proof::{self, plan};
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::SMALL_PARTS;
use crate::stores::{azure, google};
use crate::support::noise;

/// Parts of the file.
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

/// A kind of store that uploads go on in.
struct Place {
    port: u16,
    /// Returns a user who comes to the server through a proxy with this address.
    user: fn(&str) -> Client,
    /// What a request with a part has in its first line.
    part: &'static str,
    /// Uploads that nobody completed which the store tells of after one was broken off.
    listed: usize,
}

const AMAZON: fn() -> Place = || Place {
    port: SMALL_PARTS.port,
    user: |proxy| Client::new(&SMALL_PARTS.root_at(proxy), Some("ann")),
    part: "partNumber=",
    listed: 1,
};

const GOOGLE: fn() -> Place = || Place {
    port: google::GOOGLE.port,
    user: |proxy| Client::new(&google::root(), Some("ann")).with_var("STORAGE_EMULATOR_HOST", proxy),
    ..AMAZON()
};

const AZURE: fn() -> Place = || Place {
    port: azure::AZURE.port,
    user: |proxy| Client::new(&azure::root_at(proxy), Some("ann")),
    part: "comp=block&",
    listed: 0,
};

/// Returns a proxy that passes everything on, and the number of the requests whose first line has this in it.
fn counting(port: u16, those: &'static str) -> (Proxy, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let proxy = Proxy::new(port, move |_, line| {
        counted.fetch_add(usize::from(line.contains(those)), Ordering::SeqCst);
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
    fn new(place: &Place) -> Killed {
        hurry();
        let (proxy, sent) = counting(place.port, place.part);
        let client = (place.user)(&proxy.endpoint());
        Kept::Content.init(&client);
        let source = client.dir.join("big.bin");
        fs::write(&source, noise(PART * PARTS - 100, 5)).unwrap();
        let words = [client.dir.to_str().unwrap(), &client.root, "save"];
        death::run("resumed::the_child", &words, &Death::At("object.part".into(), ARRIVED));
        assert_eq!(client.bucket().unfinished(".lamindb").unwrap().len(), place.listed);
        Killed { client, source, sent, _proxy: proxy }
    }

    /// Returns the lines of the note on the upload.
    fn note(&self) -> Vec<String> {
        let notes = fs::read_dir(self.client.dir.join("cache/.holotype/uploads")).unwrap();
        let texts = notes.map(|note| fs::read_to_string(note.unwrap().path()).unwrap());
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    fn bucket(&self) -> &str {
        self.client.root.split('/').nth(2).unwrap()
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
    for place in [AMAZON(), AZURE()] {
        let killed = Killed::new(&place);
        let sent = killed.save_again();
        assert!(sent > 0 && sent <= PARTS - ARRIVED, "{sent} of {PARTS} parts were sent again");
        assert_eq!(killed.client.bucket().unfinished(".lamindb").unwrap(), []);
        assert_eq!(killed.note(), [""; 0]);
    }
}

#[test]
fn a_file_that_changed_is_sent_anew() {
    for place in [AMAZON(), AZURE()] {
        let killed = Killed::new(&place);
        fs::write(&killed.source, noise(PART * PARTS - 100, 6)).unwrap();
        assert_eq!(killed.save_again(), PARTS);
    }
}

#[test]
fn an_upload_whose_blocks_are_gone_is_sent_anew() {
    let killed = Killed::new(&AZURE());
    // Whoever makes a blob of blocks discards all others.
    let (note, container) = (killed.note(), killed.bucket());
    let blob = format!("{container}/some/prefix/{}?comp=blocklist", note[1]);
    assert!(azure::ask("PUT", &blob, b"<BlockList></BlockList>").starts_with("HTTP/1.1 201"));
    assert_eq!(killed.save_again(), PARTS);
}

#[test]
fn blocks_that_do_not_hold_what_they_should_are_sent_again() {
    let killed = Killed::new(&AZURE());
    let [_, key, id, ..] = &killed.note()[..] else { panic!("the note is short") };
    let place = format!("{}/some/prefix/{key}?comp=block", killed.bucket());
    let put = |at: u8, md5: [u8; 16], bytes: &[u8]| {
        let id = u64::from_str_radix(id, 16).unwrap().to_be_bytes();
        let name = STANDARD.encode([&id[..], &[0, 0, 0, 0, 0, 0, 0, at], &md5].concat());
        let name = name.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let answer = azure::ask("PUT", &format!("{place}&blockid={name}"), bytes);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    };
    let content = fs::read(&killed.source).unwrap();
    // The first has other content and says so, the second has less than its name says, a third is of no part at all.
    put(0, Md5::digest(noise(PART, 9)).into(), &noise(PART, 9));
    put(1, Md5::digest(&content[PART..2 * PART]).into(), &content[PART..2 * PART - 1]);
    put(99, Md5::digest(b"more").into(), b"more");
    let sent = killed.save_again();
    assert!(sent > 0 && sent <= PARTS - ARRIVED + 2, "{sent} of {PARTS} parts were sent again");
}

#[test]
fn an_upload_that_was_given_up_is_sent_anew() {
    let killed = Killed::new(&AMAZON());
    killed.client.bucket().give_up(&killed.unfinished()).unwrap();
    assert_eq!(killed.save_again(), PARTS);
}

#[test]
fn a_part_that_is_not_what_the_file_holds_is_sent_again() {
    let killed = Killed::new(&AMAZON());
    let Unfinished { key, id, .. } = killed.unfinished();
    let place = format!("/{}/some/prefix/{key}?partNumber=1&uploadId={id}", killed.bucket());
    assert!(SMALL_PARTS.ask("PUT", &place, &noise(PART, 9)).starts_with("HTTP/1.1 200"));
    let sent = killed.save_again();
    assert!(sent > 1 && sent <= PARTS - ARRIVED + 1, "{sent} of {PARTS} parts were sent again");
}

#[test]
fn a_download_goes_on_where_its_process_was_killed() {
    hurry();
    let (proxy, asked) = counting(SMALL_PARTS.port, "GET ");
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

#[test]
fn an_upload_that_the_network_broke_off_goes_on() {
    for place in [AMAZON(), GOOGLE(), AZURE()] {
        over_a_bad_network(&place);
    }
}

/// Saves a large file over a network that breaks off, and then over one that does not.
fn over_a_bad_network(place: &Place) {
    hurry();
    let sent = Arc::new(AtomicUsize::new(0));
    let (counted, those) = (sent.clone(), place.part);
    let proxy = Proxy::new(place.port, move |_, line| {
        let part = line.contains(those);
        let before = counted.fetch_add(usize::from(part), Ordering::SeqCst);
        // From the eighth part on, nothing arrives until the user notices.
        if part && (ARRIVED..PARTS).contains(&before) { Fault::Dropped } else { Fault::None }
    });
    let client = (place.user)(&proxy.endpoint()).with_var("AWS_MAX_ATTEMPTS", "1");
    Kept::Content.init(&client);
    let instance = Kept::Content.open(&client).unwrap();
    let source = client.dir.join("big.bin");
    fs::write(&source, noise(PART * PARTS - 100, 5)).unwrap();
    let new = || NewArtifact::new(source.to_str().unwrap()).key("big.bin");
    proof::save(&instance, new()).unwrap_err();
    assert_eq!(client.bucket().unfinished(".lamindb").unwrap().len(), place.listed);
    sent.store(PARTS, Ordering::SeqCst);
    let record = proof::save(&instance, new()).unwrap();
    let again = sent.load(Ordering::SeqCst) - PARTS;
    assert!(again > 0 && again <= PARTS - ARRIVED, "{again} of {PARTS} parts were sent again");
    fs::remove_file(instance.cache(&record).unwrap()).unwrap();
    assert!(fs::read(instance.cache(&record).unwrap()).unwrap() == fs::read(&source).unwrap());
    assert_eq!(client.bucket().unfinished(".lamindb").unwrap(), []);
}
