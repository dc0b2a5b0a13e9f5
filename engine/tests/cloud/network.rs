//! Networks that fail while a database is sent and fetched: no row is lost, and what failed succeeds when it is done again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::{Client, label, labels};
use crate::proof::Dice;
use crate::stores::proxy::{Fault, Proxy};
use crate::stores::server::MOTO;

/// Returns what happens to a request, by chance: every fourth one goes wrong.
fn fault(seed: u64, step: usize) -> Fault {
    let mut dice = Dice(seed.wrapping_mul(1_000_003) ^ step as u64);
    match dice.below(24) {
        0 => Fault::Status(500),
        1 => Fault::Status(503),
        2 => Fault::Dropped,
        3 => Fault::Lost,
        4 => Fault::Cut(dice.below(400)),
        5 => Fault::Delay(Duration::from_millis(dice.below(60) as u64)),
        _ => Fault::None,
    }
}

/// Does something until it succeeds, and returns how often it failed.
fn insist(mut work: impl FnMut() -> holotype::Result<()>) -> usize {
    for failed in 0..50 {
        match work() {
            Ok(()) => return failed,
            Err(error) => assert!(!error.message().is_empty()),
        }
    }
    panic!("it never succeeds");
}

#[test]
fn two_who_take_turns_over_a_bad_network_lose_nothing() {
    let bad = Arc::new(AtomicBool::new(false));
    let mut failed = 0;
    for seed in 0..3 {
        let switch = bad.clone();
        let proxy = Proxy::new(MOTO.port, move |step, _| match switch.load(Ordering::SeqCst) {
            true => fault(seed, step),
            false => Fault::None,
        });
        let ann = Client::new(&MOTO.root_at(&proxy.endpoint()), Some("ann"));
        // Few attempts of the client itself, so that failures reach the engine.
        let ann = ann.with_var("AWS_MAX_ATTEMPTS", "2");
        ann.init().unwrap().disconnect().unwrap();
        let ben = ann.colleague(Some("ben")).with_var("AWS_MAX_ATTEMPTS", "2");
        bad.store(true, Ordering::SeqCst);
        for turn in 0..6 {
            let client = if turn % 2 == 0 { &ann } else { &ben };
            let mut connected = None;
            failed += insist(|| client.connect().map(|instance| connected = Some(instance)));
            let instance = connected.unwrap();
            failed += insist(|| instance.hold(Duration::ZERO));
            assert_eq!(labels(&instance).len(), turn, "seed {seed}: what was sent is there");
            label(&instance, &format!("turn {turn}")).unwrap();
            failed += insist(|| instance.disconnect());
        }
        bad.store(false, Ordering::SeqCst);
        assert_eq!(
            (ann.labels_in_the_cloud().len(), ann.kept().len(), ben.kept().len()),
            (6, 0, 0),
            "seed {seed}"
        );
        assert!(ann.locks().holders.is_empty(), "seed {seed}");
    }
    assert!(failed > 3, "{failed} failures are too few to prove anything");
}
