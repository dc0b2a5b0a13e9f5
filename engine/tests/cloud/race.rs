//! Processes of several machines and users at once on an instance in a bucket: nothing is lost, one family, one latest.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use holotype::ErrorKind;

use crate::client::{Client, label};
use crate::kept::Kept;
use crate::proof::{self, child, plan};
use crate::races::{act, family, saved};
use crate::stores::server::MOTO;

/// Not a test of its own: one of the processes.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, root, kept, what, process, n] = plan.try_into().unwrap();
    let (kept, process, n): (_, usize, usize) =
        (Kept::named(&kept), process.parse().unwrap(), n.parse().unwrap());
    let client = Client::at(Path::new(&dir), &root);
    if kept == Kept::Content {
        act(&kept.open(&client).unwrap(), Path::new(&dir), &what, process, n);
        return;
    }
    for i in 0..n {
        // Whoever comes second is told so, and waits.
        let instance = loop {
            let held =
                kept.open(&client).and_then(|found| found.hold(Duration::from_secs(60)).map(|()| found));
            match held {
                Ok(instance) => break instance,
                Err(error) => assert_eq!(error.kind(), ErrorKind::InstanceLocked, "{error}"),
            }
        };
        act(&instance, Path::new(&dir), &what, process * n + i, 1);
        label(&instance, &format!("{process}, {i}")).unwrap();
        instance.disconnect().unwrap();
    }
}

fn start(client: &Client, kept: Kept, what: &str, process: usize, n: usize) -> Child {
    let dir = client.dir.to_str().unwrap();
    let plan = [dir, &client.root, kept.name(), what, &process.to_string(), &n.to_string()].join("\t");
    child("race::the_child", &plan).spawn().unwrap()
}

#[test]
fn two_users_on_three_machines_race_for_an_instance_in_a_bucket() {
    let ann = Client::new(&MOTO.root(), Some("ann"));
    Kept::Everything.init(&ann);
    let (laptop, ben) = (ann.colleague(Some("ann")), ann.colleague(Some("ben")));
    // Two processes share the working copy of one machine.
    let machines = [&ann, &ann, &laptop, &ben];
    let children = machines.iter().enumerate();
    let children =
        children.map(|(i, client)| start(client, Kept::Everything, "distinct contents", i, 3)).collect();
    let saved = saved(children);
    assert_eq!(saved.iter().collect::<BTreeSet<_>>().len(), 12, "every save made a version");
    assert_eq!(ann.labels_in_the_cloud().len(), 12);
    assert!(ann.locks().holders.is_empty());
    for client in machines {
        assert!(client.kept().is_empty(), "nobody's work had to be set aside");
    }
    let looking = ann.colleague(Some("cleo"));
    let instance = looking.connect().unwrap();
    assert_eq!(family(&instance, "k.txt").len(), 12);
    assert_eq!(proof::look_at_rows(&instance, true).0.read, 12, "every version keeps its bytes");
    instance.leave().unwrap();
}

#[test]
fn processes_race_to_save_to_a_bucket() {
    for (what, key, rows, read) in [
        ("distinct contents", "k.txt", 16, 16),
        ("equal content", "k.txt", 1, 1),
        ("real key", "real/k.txt", 16, 1),
        ("folder", "folder", 16, 1),
    ] {
        let ann = Client::new(&MOTO.root(), Some("ann"));
        Kept::Content.init(&ann);
        let children = (0..4).map(|process| start(&ann, Kept::Content, what, process, 4)).collect();
        assert_eq!(saved(children).len(), 16, "{what}: every save was reported");
        let instance = Kept::Content.open(&ann).unwrap();
        assert_eq!(family(&instance, key).len(), rows, "{what}");
        let (audit, _) = proof::look_at_rows(&instance, true);
        assert_eq!((audit.read, audit.incomplete), (read, 0), "{what}: {audit:?}");
    }
}
