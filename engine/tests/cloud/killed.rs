//! Clients killed at every step: nothing is lost, the same client goes on, and others get in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use holotype::{ErrorKind, Instance, faults};

use crate::client::{Client, label, labels, labels_in};
use crate::large;
use crate::proof::{child, plan};
use crate::stores::server::MOTO;

/// What a child does on the machine in `dir`.
fn act(dir: &Path, root: &str, what: &str) -> holotype::Result<()> {
    let client = Client::at(dir, root);
    match what {
        "init" => client.init().map(drop),
        "work" => {
            let instance = client.connect()?;
            label(&instance, "of ann")?;
            println!("@saved");
            instance.leave()?;
            println!("@sent");
            Ok(())
        }
        "too large" => {
            faults::set_limit("cloud.largest", 100_000);
            let instance = client.connect()?;
            label(&instance, "of ann")?;
            for error in [instance.send(), instance.leave(), instance.disconnect()].map(Result::unwrap_err) {
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                println!("@refused {error}");
            }
            Ok(())
        }
        "disconnect" => {
            println!("@saved");
            Instance::disconnect_from(&client.env, &client.settings())
        }
        other => panic!("{other} is nothing to do"),
    }
}

/// Not a test of its own: what the parent runs, and kills.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    large::see_all_as_large();
    let [dir, root, what, point] = plan.try_into().unwrap();
    let hits = Mutex::new(BTreeMap::<String, usize>::new());
    let at = point.clone();
    faults::arm(move |name| {
        let mut hits = hits.lock().unwrap();
        *hits.entry(name.to_owned()).or_default() += 1;
        if name.starts_with("cloud.") && at == "list" {
            println!("@hit {name}");
        } else if name == at {
            std::process::abort();
        }
    });
    act(Path::new(&dir), &root, &what).unwrap();
}

/// Runs a child and returns the lines it printed.
fn run(client: &Client, what: &str, point: &str) -> Vec<String> {
    let plan = [client.dir.to_str().unwrap(), &client.root, what, point].join("\t");
    let output = child("killed::the_child", &plan).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        output.status.success(),
        point == "list",
        "{what} {point}: {text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text.lines().filter(|line| line.starts_with('@')).map(str::to_owned).collect()
}

fn points(lines: &[String]) -> Vec<String> {
    let mut points: Vec<String> =
        lines.iter().filter_map(|line| line.strip_prefix("@hit ")).map(str::to_owned).collect();
    points.sort();
    points.dedup();
    points
}

#[test]
fn an_init_that_was_killed_is_done_again() {
    let whole = Client::new(&MOTO.root(), Some("ann"));
    let points = points(&run(&whole, "init", "list"));
    assert!(points.iter().any(|point| point == "cloud.pushed"), "{points:?}");
    for point in points {
        let ann = Client::new(&MOTO.root(), Some("ann"));
        run(&ann, "init", &point);
        let instance = ann.init().unwrap_or_else(|error| panic!("after {point}: {error}"));
        label(&instance, "one").unwrap();
        instance.disconnect().unwrap();
        assert_eq!(
            (ann.labels_in_the_cloud(), ann.kept().len()),
            (vec!["one".to_owned()], 0),
            "after {point}"
        );
        let ben = ann.colleague(Some("ben"));
        ben.connect().unwrap().hold(Duration::ZERO).unwrap();
    }
}

/// Returns a machine with an instance that is not locked, and a label that somebody else made since.
fn outdated(root: &str) -> Client {
    let (ann, instance) = Client::with_instance_in(root);
    instance.disconnect().unwrap();
    drop(instance);
    let ben = ann.colleague(Some("ben"));
    let theirs = ben.connect().unwrap();
    label(&theirs, "of ben").unwrap();
    theirs.disconnect().unwrap();
    ann
}

#[test]
fn work_that_was_killed_goes_on() {
    let ann = outdated(&MOTO.root());
    let points = points(&run(&ann, "work", "list"));
    assert_eq!(ann.labels_in_the_cloud(), ["of ann", "of ben"]);
    for needed in [
        "cloud.replace",
        "cloud.noted",
        "cloud.drawn",
        "cloud.locked",
        "cloud.push",
        "cloud.pushed",
        "cloud.unlocked",
    ] {
        assert!(points.iter().any(|point| point == needed), "{needed}: {points:?}");
    }
    for point in points {
        goes_on_after(&point, &MOTO.root());
    }
}

/// Kills work on a new instance at a fault point, and has others and the same client go on.
pub fn goes_on_after(point: &str, root: &str) {
    let ann = outdated(root);
    let told = run(&ann, "work", point);
    let saved = told.iter().any(|line| line == "@saved");
    // Another client gets in: at once, or once the lock was broken open.
    let ben = ann.colleague(Some("cleo"));
    let theirs = ben.connect().unwrap();
    if let Err(error) = theirs.hold(Duration::ZERO) {
        assert_eq!(error.kind(), ErrorKind::InstanceLocked, "after {point}");
        let holders = ben.locks().holders;
        assert_eq!(holders.len(), 1, "after {point}");
    } else {
        theirs.disconnect().unwrap();
    }
    // The same client goes on where it was.
    let instance = ann.connect().unwrap_or_else(|error| panic!("after {point}: {error}"));
    let here = labels(&instance);
    assert!(here.contains(&"of ben".to_owned()), "after {point}: {here:?}");
    let kept = ann.kept().iter().any(|kept| labels_in(kept).contains(&"of ann".to_owned()));
    assert!(!saved || kept || here.contains(&"of ann".to_owned()), "after {point}: {here:?}");
    label(&instance, "again").unwrap();
    instance.disconnect().unwrap();
    let cloud = ann.labels_in_the_cloud();
    assert!(
        cloud.contains(&"again".to_owned()) && cloud.contains(&"of ben".to_owned()),
        "after {point}: {cloud:?}"
    );
    assert!(!saved || kept || cloud.contains(&"of ann".to_owned()), "after {point}: {cloud:?}");
    assert!(ben.locks().holders.is_empty(), "after {point}");
    theirs.hold(Duration::ZERO).unwrap();
}

#[test]
fn a_disconnect_that_was_killed_is_done_again() {
    let unsent = || {
        let (ann, instance) = Client::with_instance();
        label(&instance, "of ann").unwrap();
        drop(instance);
        ann
    };
    let points = points(&run(&unsent(), "disconnect", "list"));
    for point in points {
        let ann = unsent();
        run(&ann, "disconnect", &point);
        Instance::disconnect_from(&ann.env, &ann.settings())
            .unwrap_or_else(|error| panic!("after {point}: {error}"));
        assert_eq!(
            (ann.labels_in_the_cloud(), ann.kept().len()),
            (vec!["of ann".to_owned()], 0),
            "after {point}"
        );
        let ben = ann.colleague(Some("ben"));
        ben.connect().unwrap().hold(Duration::ZERO).unwrap();
    }
}

#[test]
fn a_database_that_no_store_takes_is_kept_here() {
    let (ann, instance) = Client::with_instance();
    instance.disconnect().unwrap();
    drop(instance);
    let told = run(&ann, "too large", "list");
    let refused: Vec<&String> = told.iter().filter(|line| line.starts_with("@refused")).collect();
    assert_eq!(refused.len(), 3);
    for words in [
        "stores take 100000 in one request",
        "lamindb_instance_db=sqlite:///",
        "lamin.db",
        "Nothing was sent",
        "lamin migrate to-postgres",
    ] {
        assert!(refused.iter().all(|line| line.contains(words)), "{refused:?}");
    }
    assert!(ann.labels_in_the_cloud().is_empty());
    // With room for it, the work that was kept is sent.
    Instance::disconnect_from(&ann.env, &ann.settings()).unwrap();
    assert_eq!((ann.labels_in_the_cloud(), ann.kept().len()), (vec!["of ann".to_owned()], 0));
}
