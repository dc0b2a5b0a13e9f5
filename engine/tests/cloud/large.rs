//! Databases that go into the cloud in parts, from a file: as safe as small ones.

use holotype::{Event, faults};

use crate::client::{Client, DATABASE, label, labels};
use crate::limits::hurry;
use crate::proof::{child, plan};
use crate::stores::azure;
use crate::stores::server::S3S;
use crate::{conflict, killed};

/// Says that a process and its children see every database as a large one.
const VARIABLE: &str = "HOLOTYPE_TEST_LARGE";

#[allow(clippy::disallowed_methods, reason = "what a parent tells its children")]
fn store() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// Lets this process see every database as a large one if its parent wants it.
pub fn see_all_as_large() {
    let Some(store) = store() else { return };
    hurry();
    // One of the servers wants all parts but the last to be large.
    faults::set_limit("object.part", if store == "S3S" { 16 << 20 } else { 100 << 10 });
    faults::set_limit("cloud.memory", 1);
    faults::set_limit("cloud.largest", 1);
}

/// Not a test of its own: what is tested, in a process of which nothing else is.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    see_all_as_large();
    let root = || match plan[0].as_str() {
        "S3S" => S3S.root(),
        _ => azure::root_at(&azure::AZURE.endpoint()),
    };
    comes_and_goes(&root());
    let (ann, instance) = Client::with_instance_in(&root());
    conflict::loses_nothing(ann, instance);
    if plan[0] == "Azure" {
        let (ann, instance) = Client::with_instance_in(&root());
        conflict::sends_what_was_left(ann, instance);
        for point in ["object.sent", "object.together", "cloud.pushed"] {
            killed::goes_on_after(point, &root());
        }
    }
}

#[test]
fn large_databases_are_as_safe_as_small_ones() {
    for store in ["S3S", "Azure"] {
        let output = child("large::the_child", store).env(VARIABLE, store).output().unwrap();
        assert!(output.status.success(), "{store}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn comes_and_goes(root: &str) {
    let (ann, instance) = Client::with_instance_in(root);
    for name in ["one", "two"] {
        label(&instance, name).unwrap();
        instance.leave().unwrap();
        assert_eq!(ann.told(), [ann.push(false)]);
        instance.leave().unwrap();
        assert_eq!(ann.told(), [], "nothing is sent twice");
    }
    instance.disconnect().unwrap();
    let bytes = ann.bucket().read(DATABASE).unwrap();
    assert_eq!(bytes[18..20], [1, 1], "it has no log");
    let ben = ann.colleague(Some("ben"));
    let theirs = ben.connect().unwrap();
    theirs.disconnect().unwrap();
    ben.told();
    drop(theirs);
    // A copy whose file looks different without holding anything else.
    std::fs::File::options()
        .append(true)
        .open(ben.copy())
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    let theirs = ben.connect().unwrap();
    assert_eq!(labels(&theirs), ["one", "two"]);
    theirs.disconnect().unwrap();
    let sent = ben.told().into_iter().filter(|event| matches!(event, Event::CloudPush { .. })).count();
    assert_eq!(sent, 0, "what was fetched and not changed");
    for client in [&ann, &ben] {
        let folder = client.copy().parent().unwrap().to_owned();
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!names.into_iter().any(|name| name.to_string_lossy().contains("outgoing")));
    }
    let keys: Vec<String> = ann.bucket().list("").unwrap().into_iter().map(|entry| entry.key).collect();
    assert!(!keys.iter().any(|key| key.contains(".try-")), "{keys:?}");
}
