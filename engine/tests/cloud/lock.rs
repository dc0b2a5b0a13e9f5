//! The lock: objects as every program of the format writes them, and who is let in.

use std::sync::Mutex;
use std::time::Duration;

use holotype::{ErrorKind, Event, Timestamp};

use crate::client::{Client, label, labels};
use crate::stores::server::MOTO;

/// A user of another program, with no more than the lock objects of the format.
const STRANGER: &str = "Strangr1";

#[test]
fn one_works_and_the_other_is_told_who() {
    Client::in_every_store(|ann, instance| {
        label(&instance, "one").unwrap();
        let ben = ann.colleague(Some("ben"));
        let reading = ben.connect().unwrap();
        assert!(labels(&reading).is_empty(), "reading takes no lock and sees what was sent");
        for patience in [0, 1] {
            let error = reading.hold(Duration::from_secs(patience)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InstanceLocked);
            let text = error.message();
            let start = format!("Cannot load the instance, it is locked by 'ann' (uid: '{}')", ann.user());
            assert!(text.starts_with(&start), "{text}");
            assert!(
                text.contains(". The instance will be automatically unlocked after 7d of no activity."),
                "{text}"
            );
            assert!(text.contains(" since 20") && text.contains(&ann.copy().display().to_string()), "{text}");
        }
        assert_eq!(
            label(&reading, "mine").unwrap_err().kind(),
            ErrorKind::NoWriteAccess,
            "a user not yet known"
        );

        let waiting = std::thread::spawn(move || {
            reading.hold(Duration::from_secs(60)).unwrap();
            let seen = labels(&reading);
            label(&reading, "two").unwrap();
            (seen, reading)
        });
        std::thread::sleep(Duration::from_secs(1));
        instance.disconnect().unwrap();
        let (seen, theirs) = waiting.join().unwrap();
        assert_eq!(seen, ["one"], "who waited goes on with what was sent");
        assert_eq!(label(&instance, "three").unwrap_err().kind(), ErrorKind::InstanceLocked);
        theirs.disconnect().unwrap();
        label(&instance, "three").unwrap();
        assert_eq!(labels(&instance), ["one", "three", "two"], "the first write brings the copy up to date");
        let by = theirs.registry("User").unwrap().count().unwrap();
        assert_eq!(by, 2, "the guest is known from then on");
    });
}

#[test]
fn one_user_in_two_places_is_two_clients() {
    // Without an account everybody is the same user.
    let ann = Client::new(&MOTO.root(), None);
    let instance = ann.init().unwrap();
    let laptop = ann.colleague(None);
    assert_eq!(laptop.user(), ann.user());
    let there = laptop.connect().unwrap();
    let error = there.hold(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InstanceLocked);
    assert!(error.message().contains(&ann.copy().display().to_string()), "{error}");
    instance.disconnect().unwrap();
    there.hold(Duration::ZERO).unwrap();
    assert_eq!(instance.hold(Duration::ZERO).unwrap_err().kind(), ErrorKind::InstanceLocked);
}

#[test]
fn the_objects_are_those_of_the_format() {
    let (ann, instance) = Client::with_instance();
    let uid = ann.user();
    let objects = |ann: &Client| {
        ["priorities".to_owned(), format!("numbers/{uid}"), format!("entering/{uid}")]
            .map(|name| ann.lock(&name).unwrap())
    };
    assert_eq!(objects(&ann), [uid.as_str(), "1", "0"]);
    instance.disconnect().unwrap();
    assert_eq!(objects(&ann), [uid.as_str(), "0", "0"], "the objects stay");

    // Another program came, and holds a greater number: it looks at ours and goes.
    ann.set_lock("priorities", &format!("{uid}*{STRANGER}"));
    ann.set_lock(&format!("entering/{STRANGER}"), "0");
    ann.set_lock(&format!("numbers/{STRANGER}"), "5");
    let error = instance.hold(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InstanceLocked);
    assert!(error.message().contains(&format!("locked by uid: '{STRANGER}'.")), "{error}");
    assert_eq!(objects(&ann)[1], "0", "who is not the first gives the number back");
    assert_eq!(ann.lock("holotype"), None);
    ann.set_lock(&format!("numbers/{STRANGER}"), "0");
    instance.hold(Duration::ZERO).unwrap();
    assert_eq!(objects(&ann), [format!("{uid}*{STRANGER}"), "1".to_owned(), "0".to_owned()]);
    instance.disconnect().unwrap();
    let ben = ann.colleague(Some("ben"));
    ben.connect().unwrap().leave().unwrap();
    assert_eq!(ben.lock("priorities").unwrap(), format!("{uid}*{STRANGER}*{}", ben.user()));
}

#[test]
fn somebody_who_never_comes_to_an_end_is_named() {
    let (ann, instance) = Client::with_instance();
    instance.disconnect().unwrap();
    ann.set_lock("priorities", &format!("{STRANGER}*{}", ann.user()));
    ann.set_lock(&format!("entering/{STRANGER}"), "1");
    let error = instance.hold(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InstanceLocked);
    let told = Event::Warning(format!("competing for the lock with the user {STRANGER}."));
    assert!(ann.told().contains(&told));
    assert_eq!(ann.locks().holders[0].since, None, "about to take it");
    ann.locks().break_open().unwrap();
    instance.hold(Duration::ZERO).unwrap();
}

#[test]
fn a_lock_of_last_week_counts_no_more() {
    let (ann, instance) = Client::with_instance();
    drop(instance);
    let ben = ann.colleague(Some("ben"));
    let written = ann.bucket().stat(&format!(".lamindb/_exclusion/{}/priorities", ann.settings().id));
    let written = written.unwrap().unwrap().modified.unwrap();
    let days = |n: i64| Timestamp(written.0 + n * 24 * 60 * 60 * 1_000_000);
    let soon = ben.later(days(6)).connect().unwrap();
    assert_eq!(soon.hold(Duration::ZERO).unwrap_err().kind(), ErrorKind::InstanceLocked);
    let later = ben.later(days(8));
    later.connect().unwrap().hold(Duration::ZERO).unwrap();
    let stale = format!("the lock of the user {} seems to be stale, clearing numbers.", ann.user());
    assert!(later.told().contains(&Event::Info(stale)));
}

#[test]
fn the_lock_of_a_client_that_is_gone_is_broken_open() {
    Client::in_every_store(|ann, instance| {
        label(&instance, "one").unwrap();
        // Gone without a word.
        drop(instance);
        let ben = ann.colleague(Some("ben"));
        let locks = ben.locks();
        let holder = &locks.holders[0];
        assert_eq!((locks.holders.len(), holder.handle.as_deref(), holder.here), (1, Some("ann"), false));
        assert!(holder.since.is_some());
        assert!(ann.locks().holders[0].here && ann.locks().unsent && !locks.unsent);
        let theirs = ben.connect().unwrap();
        locks.break_open().unwrap();
        assert!(ben.locks().holders.is_empty());
        theirs.hold(Duration::ZERO).unwrap();
        assert!(ben.locks().holders[0].here);
    });
}

#[test]
fn of_many_at_once_one_gets_in() {
    Client::in_every_store(|ann, instance| {
        instance.disconnect().unwrap();
        drop(instance);
        const CLIENTS: usize = 5;
        let inside = Mutex::new(());
        std::thread::scope(|scope| {
            for i in 0..CLIENTS {
                let (ann, inside) = (&ann, &inside);
                scope.spawn(move || {
                    // Three of them are one user in three places.
                    let client = ann.colleague(Some(format!("user{i}")).filter(|_| i > 2).as_deref());
                    let instance = loop {
                        match client
                            .connect()
                            .and_then(|found| found.hold(Duration::from_secs(60)).map(|()| found))
                        {
                            Ok(instance) => break instance,
                            Err(error) => assert_eq!(error.kind(), ErrorKind::InstanceLocked, "{error}"),
                        }
                    };
                    let _only = inside.try_lock().expect("nobody else is inside");
                    label(&instance, &format!("of {i}")).unwrap();
                    drop(_only);
                    instance.disconnect().unwrap();
                });
            }
        });
        assert_eq!(ann.labels_in_the_cloud().len(), CLIENTS, "everybody's work is there");
    });
}
