//! What happened: read off the rows, newest first.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

use holotype::Record;
use holotype::history::{Deed, Wanted};
use holotype::model::require;
use holotype::testing::Scratch;
use holotype::track::{FinishOptions, Outcome, TrackOptions, Tracking};

fn label(scratch: &Scratch, name: &str) -> Record {
    let instance = scratch.instance();
    let mut made = instance.construct(require("ULabel").unwrap(), &[("name", name.into())]).unwrap().record;
    instance.save(&mut made).unwrap();
    made
}

/// Returns what was done to what, as far as the named registries go.
fn deeds(scratch: &Scratch, wanted: &Wanted) -> Vec<String> {
    let log = scratch.instance().log(wanted).unwrap();
    assert!(log.windows(2).all(|pair| pair[0].at >= pair[1].at));
    log.iter().map(|entry| format!("{} {}", entry.deed.word(), entry.name)).collect()
}

fn of(registry: &str) -> Wanted {
    Wanted { registries: vec![require(registry).unwrap()], ..Wanted::default() }
}

#[test]
fn making_changing_and_trashing_are_told_apart() {
    let scratch = Scratch::new().unwrap();
    let mut apple = label(&scratch, "apple");
    let mut pear = label(&scratch, "pear");
    // The clock of the test moves on by a second at each look.
    for _ in 0..5 {
        scratch.instance().env().now();
    }
    apple.set("description", "red").unwrap();
    scratch.instance().save(&mut apple).unwrap();
    scratch.instance().trash(&mut pear).unwrap();
    let told = deeds(&scratch, &of("ULabel"));
    assert_eq!(told, ["trashed pear", "changed apple", "created pear", "created apple"]);
}

#[test]
fn runs_start_and_end() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    for (name, outcome) in [("good.py", Outcome::Completed), ("bad.py", Outcome::Errored)] {
        let path = scratch.file(name, name).unwrap();
        let source = Some(instance.source_file(&path, false).unwrap());
        let Tracking::Started(_) =
            instance.track(&TrackOptions { source, ..TrackOptions::default() }).unwrap()
        else {
            panic!("a new script asks nothing")
        };
        instance.finish(&FinishOptions { outcome, ..FinishOptions::default() }).unwrap();
    }
    let told = deeds(&scratch, &of("Run"));
    assert_eq!(told, ["errored bad.py", "started bad.py", "completed good.py", "started good.py"]);
    let everything = deeds(&scratch, &Wanted::default());
    assert!(everything.contains(&"created good.py".to_owned()), "{everything:?}");
}

#[test]
fn the_limit_and_the_moments_hold() {
    let scratch = Scratch::new().unwrap();
    for i in 0..5 {
        label(&scratch, &format!("l{i}"));
    }
    let all = scratch.instance().log(&of("ULabel")).unwrap();
    assert_eq!(all.iter().filter(|entry| entry.deed == Deed::Created).count(), 5);
    assert_eq!(deeds(&scratch, &Wanted { limit: 2, ..of("ULabel") }), ["created l4", "created l3"]);
    let since = Wanted { since: Some(all[1].at), ..of("ULabel") };
    assert_eq!(deeds(&scratch, &since), ["created l4", "created l3"]);
    let until = Wanted { until: Some(all[3].at), ..of("ULabel") };
    assert_eq!(deeds(&scratch, &until), ["created l0"]);
    assert_eq!(deeds(&scratch, &Wanted { name: Some("L3".to_owned()), ..of("ULabel") }), ["created l3"]);
    assert!(deeds(&scratch, &Wanted { by: Some("nobody".to_owned()), ..of("ULabel") }).is_empty());
}
