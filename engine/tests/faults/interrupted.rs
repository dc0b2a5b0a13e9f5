//! Users who break off: it ends at once, nothing is left behind, and doing it again succeeds.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use holotype::{ErrorKind, NewArtifact};

use crate::client::Client;
use crate::hurry;
use crate::proof::{latest, save};
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::SMALL_PARTS;
use crate::support::noise;

#[test]
fn an_upload_that_is_broken_off_leaves_nothing_behind() {
    hurry();
    let (slow, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (wanted, counted) = (slow.clone(), sent.clone());
    let proxy = Proxy::new(SMALL_PARTS.port, move |_, line| {
        let late = wanted.load(Ordering::SeqCst) && line.starts_with("PUT");
        counted.fetch_add(usize::from(late), Ordering::SeqCst);
        if late { Fault::Delay(Duration::from_secs(10)) } else { Fault::None }
    });
    let mut ann = Client::new(&SMALL_PARTS.root_at(&proxy.endpoint()), Some("ann"));
    let (enough, begun) = (slow.clone(), sent.clone());
    // The user waits until the first part is under way.
    ann.env =
        ann.env.with_interrupt(move || enough.load(Ordering::SeqCst) && begun.load(Ordering::SeqCst) > 0);
    let instance = ann.init().unwrap();
    let source = ann.dir.join("x.bin");
    for size in [1_000, 1_000_000] {
        fs::write(&source, noise(size, size as u64)).unwrap();
        let new = || NewArtifact::new(source.to_str().unwrap()).key(format!("{size}.bin"));
        sent.store(0, Ordering::SeqCst);
        slow.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        let error = save(&instance, new()).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        slow.store(false, Ordering::SeqCst);
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        assert!(error.message().contains("do it again"), "{error}");
        assert_eq!(ann.bucket().unfinished(".lamindb").unwrap(), []);
        let notes = fs::read_dir(ann.dir.join("cache/.holotype/uploads")).map_or(0, Iterator::count);
        assert_eq!(notes, 0, "an upload that is given up is not taken up");
        assert!(latest(&instance, &format!("{size}.bin")).is_none());
        let record = save(&instance, new()).unwrap();
        fs::remove_file(instance.cache(&record).unwrap()).unwrap();
        assert_eq!(fs::read(instance.cache(&record).unwrap()).unwrap(), fs::read(&source).unwrap());
    }
    instance.disconnect().unwrap();
}
