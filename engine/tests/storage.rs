//! Storage locations: registering, marks, who may write, and which of them can go.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;

use holotype::testing::Scratch;
use holotype::{ErrorKind, Event, Instance, NewArtifact, NewStorage, Q, RunChoice};

fn root(scratch: &Scratch, name: &str) -> String {
    scratch.dir().join(name).display().to_string()
}

fn count(instance: &Instance) -> usize {
    instance.registry("Storage").unwrap().count().unwrap()
}

#[test]
fn a_location_is_marked_and_registered_with_its_host() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let new =
        NewStorage { description: Some("Ours".to_owned()), ..NewStorage::new("./shared").host("drive1") };
    let storage = instance.create_storage(&new).unwrap();
    let place = scratch.dir().join("work/shared");
    let text = |field| storage.text(field).map(str::to_owned);
    assert_eq!(text("root").as_deref(), place.to_str());
    assert_eq!(text("type").as_deref(), Some("local"));
    assert_eq!(text("region").as_deref(), Some("drive1"));
    assert_eq!(text("description").as_deref(), Some("Ours"));
    assert_eq!(text("instance_uid"), Some(instance.settings().uid()));
    let mark = fs::read_to_string(place.join(".lamindb/storage_uid.txt")).unwrap();
    let settings = instance.settings();
    let lines = [
        storage.uid().to_owned(),
        "creation info:".to_owned(),
        format!("instance_slug={}", settings.slug()),
        format!("instance_id={}", settings.id),
        format!("instance_uid={}", settings.uid()),
    ];
    assert_eq!(mark, lines.join("\n"));
    assert_eq!(scratch.events(), [Event::StorageCreated { root: place.display().to_string() }]);
}

#[test]
fn the_same_place_is_the_same_location_however_it_is_written() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let first = instance.create_storage(&NewStorage::new("./shared").host("drive1")).unwrap();
    scratch.events();
    for spelling in ["shared", "./shared/", "../work/shared", "shared/../shared"] {
        assert_eq!(instance.create_storage(&NewStorage::new(spelling)).unwrap().id(), first.id());
    }
    assert_eq!(scratch.events(), []);
    let error = instance.create_storage(&NewStorage::new("shared").host("drive2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("drive1") && error.message().contains("drive2"));
    assert_eq!(count(instance), 2);
}

#[test]
fn a_mark_that_went_missing_is_written_again() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let storage = instance.create_storage(&NewStorage::new("shared")).unwrap();
    let mark = scratch.dir().join("work/shared/.lamindb/storage_uid.txt");
    let before = fs::read_to_string(&mark).unwrap();
    fs::remove_file(&mark).unwrap();
    assert_eq!(instance.create_storage(&NewStorage::new("shared")).unwrap().id(), storage.id());
    assert_eq!(fs::read_to_string(&mark).unwrap(), before);
}

#[test]
fn a_copied_folder_is_refused_and_says_of_what_it_is_a_copy() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let storage = instance.create_storage(&NewStorage::new("shared")).unwrap();
    let work = scratch.dir().join("work");
    fs::create_dir_all(work.join("copy/.lamindb")).unwrap();
    let mark = ".lamindb/storage_uid.txt";
    fs::copy(work.join("shared").join(mark), work.join("copy").join(mark)).unwrap();
    let error = instance.create_storage(&NewStorage::new("copy")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains(storage.uid()) && error.message().contains("work/shared"), "{error}");
}

#[test]
fn a_location_of_another_instance_is_for_reading() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let cases = [
        (
            "known",
            "abcdefghijkl\ncreation info:\ninstance_id=aed0c84a717b58739b63c21a8406e168",
            "2hvJDMF9MRQN",
        ),
        ("unknown", "abcdefghijkm", "__unknown__"),
    ];
    for (name, mark, manager) in cases {
        fs::create_dir_all(scratch.dir().join(name).join(".lamindb")).unwrap();
        fs::write(scratch.dir().join(name).join(".lamindb/storage_uid.txt"), mark).unwrap();
        let root = root(&scratch, name);
        scratch.events();
        let storage = instance.create_storage(&NewStorage::new(&root)).unwrap();
        assert_eq!(storage.text("instance_uid"), Some(manager));
        assert_eq!(storage.uid(), &mark[..12]);
        assert_eq!(
            scratch.events(),
            [
                Event::StorageAlreadyMarked { root: root.clone(), uid: mark[..12].to_owned() },
                Event::StorageReferenced { root: root.clone(), instance_uid: Some(manager.to_owned()) },
            ]
        );
        let error = instance.use_storage(&storage).unwrap_err();
        let expected =
            format!("Storage '{root}' exists in another instance ({manager}), cannot write to it from here.");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Value, expected.as_str()));
        // Registering what lies there works, storing there does not.
        fs::write(scratch.dir().join(name).join("data.txt"), name).unwrap();
        let new =
            |source: String| NewArtifact { run: RunChoice::None, ..NewArtifact::new(source).key("data.txt") };
        let mut there = instance.artifact(new(format!("{root}/data.txt"))).unwrap();
        instance.save_artifact(&mut there).unwrap();
        scratch.file("more.txt", format!("more {name}")).unwrap();
        let mut copied = NewArtifact { storage: storage.id(), ..new("more.txt".to_owned()) };
        copied.key = None;
        copied.description = Some("more".to_owned());
        assert_eq!(instance.artifact(copied).unwrap_err().kind(), ErrorKind::Value);
        let error = instance.delete_storage(&storage).unwrap_err();
        assert_eq!(error.message(), "Cannot delete storage with artifacts in current instance.");
        instance.delete_artifact(&there.record, Some(false)).unwrap();
        // The row goes, the mark of the others stays.
        instance.delete_storage(&storage).unwrap();
        let marker = scratch.dir().join(name).join(".lamindb/storage_uid.txt");
        assert_eq!(fs::read_to_string(marker).unwrap(), mark);
    }
    assert_eq!(count(instance), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_location_that_cannot_be_written_is_managed_by_nobody() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    // Nobody can make folders there, not even the administrator.
    let root = "/sys/kernel".to_owned();
    let storage = instance.create_storage(&NewStorage::new(&root)).unwrap();
    assert_eq!(storage.text("instance_uid"), None);
    assert_eq!(
        scratch.events(),
        [
            Event::NoWriteAccess { root: root.clone() },
            Event::StorageReferenced { root: root.clone(), instance_uid: None }
        ]
    );
    let error = instance.use_storage(&storage).unwrap_err();
    let expected = format!("Storage '{root}' is not managed by any instance, cannot write to it from here.");
    assert_eq!(error.message(), expected);
}

#[test]
fn a_host_belongs_to_a_local_folder() {
    let scratch = Scratch::new().unwrap();
    let error = scratch.instance().create_storage(&NewStorage::new("s3://bucket/x").host("h")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(error.message(), "root must be a local path if host is set");
}

#[test]
fn a_location_goes_once_it_is_empty_and_not_in_use() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let storage = instance.create_storage(&NewStorage::new("shared")).unwrap();
    let folder = scratch.dir().join("work/shared");
    fs::write(folder.join("mine.txt"), "keep me").unwrap();
    scratch.file("a.txt", "a").unwrap();
    let new =
        NewArtifact { run: RunChoice::None, storage: storage.id(), ..NewArtifact::new("a.txt").key("a.txt") };
    let mut artifact = instance.artifact(new).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    let refused = |kind: ErrorKind, text: &str| {
        let error = instance.delete_storage(&storage).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains(text), "{error}");
    };
    refused(ErrorKind::InvalidArgument, "Cannot delete storage with artifacts in current instance.");
    // What is in the trash counts as well.
    instance.trash(&mut artifact.record).unwrap();
    refused(ErrorKind::InvalidArgument, "Cannot delete storage with artifacts in current instance.");
    instance.delete_artifact(&artifact.record, Some(true)).unwrap();
    fs::write(folder.join(".lamindb/stray.txt"), "x").unwrap();
    refused(ErrorKind::StorageNotEmpty, "delete them prior to deleting the storage location");
    fs::remove_file(folder.join(".lamindb/stray.txt")).unwrap();
    instance.use_storage(&storage).unwrap();
    refused(ErrorKind::InvalidArgument, "Cannot delete the current storage location, switch to another.");
    // Not even then can the location go that holds the database.
    let own = instance.by_id(storage.registry(), 1).unwrap();
    let error = instance.delete_storage(&own).unwrap_err();
    assert!(error.message().contains("delete the instance instead"), "{error}");
    instance.use_storage(&own).unwrap();
    instance.delete_storage(&storage).unwrap();
    assert_eq!(fs::read_to_string(folder.join("mine.txt")).unwrap(), "keep me");
    assert!(!folder.join(".lamindb").exists());
    assert_eq!(count(instance), 1);
}

#[test]
fn a_path_belongs_to_the_innermost_location() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let outer = instance.create_storage(&NewStorage::new("outer")).unwrap();
    let inner = instance.create_storage(&NewStorage::new("outer/inner")).unwrap();
    scratch.file("outer/a.txt", "a").unwrap();
    scratch.file("outer/inner/b.txt", "b").unwrap();
    for (path, storage, key) in [("outer/a.txt", &outer, "a.txt"), ("outer/inner/b.txt", &inner, "b.txt")] {
        let new = NewArtifact { run: RunChoice::None, ..NewArtifact::new(path) };
        let artifact = instance.artifact(new).unwrap();
        assert_eq!(
            (artifact.record.int("storage_id"), artifact.record.text("key")),
            (storage.id(), Some(key))
        );
    }
    let managed = instance.registry("Storage").unwrap();
    let managed = managed.filter(Q::is("instance_uid", instance.settings().uid())).unwrap();
    assert_eq!(managed.count().unwrap(), 3);
}

#[test]
fn a_location_may_belong_to_a_space() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let mut space = instance
        .construct(holotype::model::require("Space").unwrap(), &[("name", "team".into())])
        .unwrap()
        .record;
    instance.save(&mut space).unwrap();
    let new = NewStorage { space: space.id(), ..NewStorage::new("shared") };
    assert_eq!(instance.create_storage(&new).unwrap().int("space_id"), space.id());
}
