//! Content that is replaced: others are told before it changes, and read either what their row promises or nothing.

use std::fs;

use holotype::{Artifact, ErrorKind, Instance, NewArtifact, NewStorage, RunChoice};

use crate::client::Client;
use crate::death::{Death, await_death, run};
use crate::proof::{check_bytes, latest, plan, save};
use crate::stores::server::MOTO;

/// The ways in which content comes to lie where other content lay, or takes its place elsewhere, and when they are killed:
/// before and after others were told, when the content is another, when the row is.
const WAYS: [(&str, &[&str]); 5] = [
    ("replaced", &["save.marked", "over.told", "over.swapped", "over.committed"]),
    ("replaced by another type", &["save.told"]),
    ("version of a name", &["over.told", "over.swapped", "over.committed"]),
    ("folder", &["over.told", "over.swapped", "over.committed"]),
    ("upload", &["upload.marked", "upload.told", "upload.swapped", "upload.committed"]),
];

/// Returns what registers content of this `state` in one of the ways.
fn new(client: &Client, way: &str, state: &str) -> NewArtifact {
    let (folder, end) = match way {
        "folder" | "upload" => (true, ""),
        "replaced by another type" if state == "new" => (false, ".csv"),
        _ => (false, ".txt"),
    };
    let path = client.dir.join(format!("{state}{end}"));
    if folder {
        fs::create_dir_all(&path).unwrap();
        for name in ["a.txt".to_owned(), format!("{state}.txt")] {
            fs::write(path.join(name), state).unwrap();
        }
    } else {
        fs::write(&path, state).unwrap();
    }
    let key = if folder { "files" } else { "x.txt" };
    NewArtifact { run: RunChoice::None, ..NewArtifact::new(path.to_str().unwrap()).key(key) }
}

fn open(client: &Client, way: &str) -> Instance {
    let instance = client.connect().unwrap();
    instance.with_creation(|creation| creation.use_virtual_keys = way != "version of a name").unwrap();
    instance
}

/// Lets the old content of an instance be that in the bucket, and others know of it.
fn prepare(client: &Client, way: &str) {
    client.init().unwrap();
    let instance = open(client, way);
    save(&instance, new(client, way, "old")).unwrap();
    if way == "upload" {
        let folder = client.dir.join("local");
        instance.create_storage(&NewStorage::new(folder.to_str().unwrap()).host("drive")).unwrap();
    }
    instance.disconnect().unwrap();
}

/// Lets the new content take the place of the old one.
fn replace(client: &Client, way: &str) {
    let instance = open(client, way);
    match way {
        "replaced" | "replaced by another type" => {
            let mut artifact = Artifact::from_record(instance.registry("Artifact").unwrap().one().unwrap());
            let source = new(client, way, "new").source;
            let found = instance.replace_content(&mut artifact, &source, false, RunChoice::None).unwrap();
            if found.is_none() {
                instance.save_artifact(&mut artifact).unwrap();
            }
        }
        "upload" => {
            let local = instance.registry("Storage").unwrap().order_by(["-id"]).unwrap().first().unwrap();
            let revises = latest(&instance, "files");
            let new = NewArtifact { revises, storage: local.unwrap().id(), ..new(client, way, "new") };
            instance.set_keep_artifacts_local(true);
            let mut artifact = instance.artifact(new).unwrap();
            instance.save_artifact(&mut artifact).unwrap();
            instance.upload_artifact(&mut artifact).unwrap();
        }
        _ => drop(save(&instance, new(client, way, "new")).unwrap()),
    }
    instance.leave().unwrap();
}

/// Returns what a machine that was never here reads: nothing that its rows do not promise, and nothing that is gone.
fn read_elsewhere(client: &Client, when: &str) -> Vec<String> {
    let other = client.colleague(Some("ben"));
    let instance = other.connect().unwrap();
    let rows = instance.registry("Artifact").unwrap().order_by(["id"]).unwrap().all().unwrap();
    let read = rows.iter().filter_map(|row| match instance.cache(row) {
        Ok(path) => {
            check_bytes(&instance, row, &path);
            let file = if path.is_dir() { path.join("a.txt") } else { path };
            Some(fs::read_to_string(file).unwrap())
        }
        Err(error) => {
            let refused = matches!(error.kind(), ErrorKind::IncompleteArtifact | ErrorKind::Value);
            assert!(refused, "{when}: {row:?}: {error}");
            None
        }
    });
    let read = read.collect();
    instance.leave().unwrap();
    read
}

/// Not a test of its own: the change that the parent has killed.
#[test]
fn the_child() {
    let Some(plan) = plan() else { return };
    let [dir, root, way, point, nth] = plan.try_into().unwrap();
    await_death(point, nth.parse().unwrap());
    replace(&Client::at(std::path::Path::new(&dir), &root), &way);
}

#[test]
fn a_killed_change_never_shows_one_content_for_another() {
    for (way, point) in WAYS.iter().flat_map(|(way, points)| points.iter().map(move |point| (*way, *point))) {
        let when = format!("{way}, killed at {point}");
        let ann = Client::new(&MOTO.root(), Some("ann"));
        prepare(&ann, way);
        let words = [ann.dir.to_str().unwrap(), &ann.root, way];
        run("replaced::the_child", &words, &Death::At(point.to_owned(), 1));
        read_elsewhere(&ann, &when);
        replace(&ann, way);
        ann.connect().unwrap().disconnect().unwrap();
        assert_eq!(read_elsewhere(&ann, &when), ["new"], "{when}");
    }
}
