//! Keep-artifacts-local mode: where new content goes, how a location is chosen, and what an upload does.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use holotype::testing::Scratch;
use holotype::{Artifact, ErrorKind, Event, Instance, NewArtifact, NewStorage, Q, Record, RunChoice};

fn request(source: impl Into<String>) -> NewArtifact {
    NewArtifact { run: RunChoice::None, ..NewArtifact::new(source) }
}

fn constructed(instance: &Instance, source: &str, key: &str) -> Artifact {
    instance.artifact(request(source).key(key)).unwrap()
}

fn saved(instance: &Instance, source: &str, key: &str) -> Artifact {
    let mut artifact = constructed(instance, source, key);
    instance.save_artifact(&mut artifact).unwrap();
    artifact
}

/// Returns an instance that keeps artifacts in `local`, and that folder.
fn keeping() -> (Scratch, PathBuf, Record) {
    let scratch = Scratch::new().unwrap();
    let root = scratch.dir().join("local");
    let instance = scratch.instance();
    instance.set_keep_artifacts_local(true);
    let new = NewStorage::new(root.display().to_string()).host("drive1");
    let storage = instance.create_storage(&new).unwrap();
    instance.use_local_storage(&storage).unwrap();
    scratch.events();
    (scratch, root, storage)
}

fn path(instance: &Instance, artifact: &Artifact) -> PathBuf {
    instance.artifact_path(&artifact.record).unwrap()
}

fn cached(instance: &Instance, name: &str) -> PathBuf {
    holotype::instance::settings::cache_dir(instance.env()).unwrap().join(name)
}

fn text(path: &Path) -> Event {
    Event::MovedToCache { path: path.display().to_string() }
}

#[test]
fn the_first_location_of_this_machine_is_found_when_it_is_needed() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    let error = instance.local_storage().unwrap_err();
    assert!(error.message().starts_with("`keep_artifacts_local` is False, switch via: "));
    for name in ["a", "gone", "unmarked", "foreign"] {
        instance.create_storage(&NewStorage::new(scratch.dir().join(name).display().to_string())).unwrap();
    }
    fs::remove_dir_all(scratch.dir().join("gone")).unwrap();
    fs::remove_file(scratch.dir().join("unmarked/.lamindb/storage_uid.txt")).unwrap();
    fs::write(scratch.dir().join("foreign/.lamindb/storage_uid.txt"), "abcabcabcabc").unwrap();
    scratch.events();

    instance.set_keep_artifacts_local(true);
    assert_eq!(scratch.events(), []);
    scratch.file("x.txt", "x").unwrap();
    let artifact = saved(instance, "x.txt", "x.txt");
    // The default location is a folder of this machine, too, and the oldest one.
    assert_eq!(artifact.record.int("storage_id"), Some(1));
    let root = |name: &str| scratch.dir().join(name).display().to_string();
    let told = scratch.events();
    assert_eq!(
        told[..4],
        [
            Event::LocalStorageCorrupted { root: root("unmarked") },
            Event::LocalStorageCorrupted { root: root("foreign") },
            Event::LocalStoragesFound { roots: vec![root("store"), root("a")] },
            Event::LocalStorageChosen { root: root("store") },
        ]
    );
    // Looked up once.
    saved(instance, "x.txt", "y.txt");
    assert!(!scratch.events().iter().any(|event| matches!(event, Event::LocalStorageChosen { .. })));
    assert_eq!(instance.local_storage().unwrap().text("root"), Some(root("store").as_str()));
}

#[test]
fn without_a_location_content_goes_to_the_default_one_until_there_is_one() {
    let scratch = Scratch::new().unwrap();
    let instance = scratch.instance();
    // As if the default location were not on this machine: its mark cannot be found.
    fs::rename(scratch.root().join(".lamindb/storage_uid.txt"), scratch.dir().join("mark")).unwrap();
    instance.set_keep_artifacts_local(true);
    scratch.file("x.txt", "x").unwrap();
    scratch.file("y.txt", "y").unwrap();
    assert_eq!(saved(instance, "x.txt", "x.txt").record.int("storage_id"), Some(1));
    assert!(scratch.events().contains(&Event::NoLocalStorage));
    let error = instance.local_storage().unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (
            ErrorKind::Value,
            "No local storage location found in current environment: defaulting to cloud storage"
        )
    );
    let root = scratch.dir().join("local").display().to_string();
    let storage = instance.create_storage(&NewStorage::new(&root)).unwrap();
    scratch.events();
    assert_eq!(saved(instance, "y.txt", "y.txt").record.int("storage_id"), storage.id());
    assert!(scratch.events().contains(&Event::LocalStorageChosen { root }));
}

#[test]
fn connecting_says_which_location_takes_new_content() {
    let (scratch, root, _) = keeping();
    scratch.instance().settings().save(scratch.instance().env()).unwrap();
    fs::remove_file(scratch.root().join(".lamindb/storage_uid.txt")).unwrap();
    let (env, told) = holotype::testing::env(scratch.dir(), 9).unwrap();
    let again = Instance::connect_to(&env, "store").unwrap();
    let told = told.take();
    assert!(told.contains(&Event::LocalStorageChosen { root: root.display().to_string() }), "{told:?}");
    assert!(again.keeps_artifacts_local());
}

#[test]
fn a_location_is_chosen_for_the_session_if_it_is_ours_and_here() {
    let (scratch, root, first) = keeping();
    let instance = scratch.instance();
    let other = scratch.dir().join("second").display().to_string();
    let second = instance.create_storage(&NewStorage::new(&other)).unwrap();
    assert_eq!(instance.local_storage().unwrap().id(), first.id());
    scratch.events();
    instance.use_local_storage(&second).unwrap();
    assert_eq!(scratch.events(), [Event::LocalStorageChosen { root: other.clone() }]);
    scratch.file("x.txt", "x").unwrap();
    let artifact = saved(instance, "x.txt", "x.txt");
    assert!(path(instance, &artifact).starts_with(&other));
    assert_eq!(instance.context().storage, 1, "the default location stays");

    fs::remove_dir_all(&root).unwrap();
    assert_eq!(instance.use_local_storage(&first).unwrap_err().kind(), ErrorKind::Value);
    let mut foreign = second.clone();
    foreign.set("instance_uid", "zzzzzzzzzzzz").unwrap();
    let error = instance.use_local_storage(&foreign).unwrap_err();
    let expected =
        format!("Storage '{other}' exists in another instance (zzzzzzzzzzzz), cannot write to it from here.");
    assert_eq!(error.message(), expected);
    assert_eq!(instance.local_storage().unwrap().id(), second.id());

    instance.set_keep_artifacts_local(false);
    let error = instance.use_local_storage(&second).unwrap_err();
    assert_eq!(error.message(), "`keep_artifacts_local` is not enabled for this instance.");
    scratch.file("y.txt", "y").unwrap();
    assert_eq!(saved(instance, "y.txt", "y.txt").record.int("storage_id"), Some(1));
}

#[test]
fn a_location_that_is_passed_wins_and_files_in_a_location_stay() {
    let (scratch, root, local) = keeping();
    let instance = scratch.instance();
    scratch.file("x.txt", "x").unwrap();
    let mut new = request("x.txt").key("x.txt");
    new.storage = Some(1);
    let mut artifact = instance.artifact(new).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    assert_eq!(artifact.record.int("storage_id"), Some(1));

    fs::write(root.join("output.bam"), "bam").unwrap();
    let mut artifact = instance.artifact(request(root.join("output.bam").display().to_string())).unwrap();
    instance.save_artifact(&mut artifact).unwrap();
    assert_eq!(path(instance, &artifact), root.join("output.bam"));
    assert_eq!(
        (artifact.record.int("storage_id"), artifact.record.text("key")),
        (local.id(), Some("output.bam"))
    );
    assert!(!artifact.record.flag("_key_is_virtual"));
}

#[test]
fn folders_lazy_artifacts_and_files_of_a_folder_stay_local_as_well() {
    let (scratch, root, _) = keeping();
    let instance = scratch.instance();
    scratch.file("many/a.txt", "a").unwrap();
    scratch.file("many/b.txt", "b").unwrap();
    let folder = saved(instance, "many", "many");
    let mut files = instance.artifacts_from_dir("many", Some("each"), RunChoice::None).unwrap();
    instance.save_artifacts(&mut files).unwrap();
    let lazy = instance.lazy_artifact(".txt", false, Some("lazy.txt"), None, RunChoice::None).unwrap();
    let lazy = lazy.source().unwrap().to_owned();
    let paths = files.iter().chain([&folder]).map(|artifact| path(instance, artifact)).chain([lazy]);
    for path in paths {
        assert!(path.starts_with(&root), "{}", path.display());
    }
}

#[test]
fn an_upload_moves_content_to_the_default_location_and_the_local_copy_to_the_cache() {
    let (scratch, root, local) = keeping();
    let instance = scratch.instance();
    scratch.file("x.csv", "1,2").unwrap();
    let mut artifact = saved(instance, "x.csv", "tables/x.csv");
    let (hash, uid) = (artifact.record.text("hash").map(str::to_owned), artifact.record.uid().to_owned());
    let before = path(instance, &artifact);
    assert_eq!(before, root.join(format!(".lamindb/{uid}.csv")));
    scratch.events();
    instance.upload_artifact(&mut artifact).unwrap();
    let after = scratch.root().join(format!(".lamindb/{uid}.csv"));
    let kept = cached(instance, &format!("{uid}.csv"));
    assert_eq!(path(instance, &artifact), after);
    assert_eq!(fs::read_to_string(&after).unwrap(), "1,2");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "1,2");
    assert!(!before.exists());
    assert_eq!(
        scratch.events(),
        [Event::Storing { uid: uid.clone(), path: after.display().to_string() }, text(&kept)]
    );
    let row = instance.by_id(artifact.record.registry(), artifact.record.id().unwrap()).unwrap();
    assert_eq!((row.int("storage_id"), row.flag("_key_is_virtual")), (Some(1), true));
    assert_eq!((row.text("key"), row.text("hash")), (Some("tables/x.csv"), hash.as_deref()));
    assert_eq!(instance.cache(&row).unwrap(), after);
    // Uploading again is saving.
    instance.upload_artifact(&mut artifact).unwrap();
    assert_eq!(scratch.events(), []);
    // The emptied location can go.
    instance.delete_storage(&local).unwrap();
    assert!(root.is_dir());
}

#[test]
fn new_content_goes_to_the_default_location_directly() {
    let (scratch, root, _) = keeping();
    let instance = scratch.instance();
    let source = scratch.file("x.csv", "1,2").unwrap();
    let mut artifact = constructed(instance, "x.csv", "tables/x.csv");
    let uid = artifact.record.uid().to_owned();
    scratch.events();
    instance.upload_artifact(&mut artifact).unwrap();
    let after = scratch.root().join(format!(".lamindb/{uid}.csv"));
    assert_eq!(path(instance, &artifact), after);
    assert!(source.exists() && !cached(instance, &format!("{uid}.csv")).exists());
    assert!(!scratch.events().iter().any(|event| matches!(event, Event::MovedToCache { .. })));
    assert_eq!(fs::read_dir(root.join(".lamindb")).unwrap().count(), 1, "only the mark");
}

#[test]
fn a_key_that_is_used_in_the_default_location_makes_a_version_there() {
    let (scratch, _, local) = keeping();
    let instance = scratch.instance();
    scratch.file("1.txt", "1").unwrap();
    scratch.file("2.txt", "2").unwrap();
    scratch.file("3.txt", "3").unwrap();
    let mut first = constructed(instance, "1.txt", "x.txt");
    instance.upload_artifact(&mut first).unwrap();
    // Kept local, the key starts a family of its own.
    let second = saved(instance, "2.txt", "x.txt");
    assert_ne!(second.record.stem_uid(), first.record.stem_uid());
    assert_eq!(second.record.int("storage_id"), local.id());
    let mut third = constructed(instance, "3.txt", "x.txt");
    assert_eq!(third.record.stem_uid(), second.record.stem_uid());
    instance.upload_artifact(&mut third).unwrap();
    assert_eq!(third.record.stem_uid(), first.record.stem_uid());
    let heads = instance.registry("Artifact").unwrap().filter(Q::is("is_latest", true)).unwrap();
    assert_eq!(heads.count().unwrap(), 2);
    // What was kept local cannot join the family that has its key there.
    let mut second = second;
    let before = path(instance, &second);
    let error = instance.upload_artifact(&mut second).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.message().contains("key 'x.txt' is already used by artifact"), "{error}");
    assert!(before.exists());
    let left = fs::read_dir(scratch.root().join(".lamindb")).unwrap().count();
    assert_eq!(left, 2 + sqlite_files(&scratch) + 1, "two contents, the database and the mark");
}

fn sqlite_files(scratch: &Scratch) -> usize {
    let names = fs::read_dir(scratch.root().join(".lamindb")).unwrap();
    names
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("lamin.db"))
        .count()
}

#[test]
fn files_that_were_registered_in_place_stay_when_they_are_uploaded() {
    let (scratch, root, _) = keeping();
    let instance = scratch.instance();
    for (name, key) in [("output.bam", None), ("named.bam", Some("key.bam"))] {
        fs::write(root.join(name), name).unwrap();
        let mut new = request(root.join(name).display().to_string());
        new.key = key.map(str::to_owned);
        let mut artifact = instance.artifact(new).unwrap();
        scratch.events();
        instance.upload_artifact(&mut artifact).unwrap();
        let uid = artifact.record.uid().to_owned();
        assert_eq!(path(instance, &artifact), scratch.root().join(format!(".lamindb/{uid}.bam")));
        assert_eq!(artifact.record.text("key"), Some(key.unwrap_or(name)));
        assert_eq!(artifact.record.text("_real_key"), None);
        assert!(artifact.record.flag("_key_is_virtual"));
        assert_eq!(fs::read_to_string(root.join(name)).unwrap(), name);
        let remains = Event::Remains { path: root.join(name).display().to_string() };
        assert_eq!(scratch.events().last(), Some(&remains));
    }
}

#[test]
fn with_the_mode_off_uploading_is_saving() {
    let (scratch, root, _) = keeping();
    let instance = scratch.instance();
    scratch.file("x.txt", "x").unwrap();
    let mut artifact = saved(instance, "x.txt", "x.txt");
    instance.set_keep_artifacts_local(false);
    instance.upload_artifact(&mut artifact).unwrap();
    assert!(path(instance, &artifact).starts_with(&root));
}

#[test]
fn content_that_changed_on_the_device_is_not_uploaded() {
    let (scratch, _, local) = keeping();
    let instance = scratch.instance();
    scratch.file("x.txt", "good").unwrap();
    let mut artifact = saved(instance, "x.txt", "x.txt");
    let place = path(instance, &artifact);
    fs::write(&place, "evil").unwrap();
    assert!(instance.upload_artifact(&mut artifact).is_err());
    assert_eq!(artifact.record.int("storage_id"), local.id());
    assert!(place.exists());
    let name = place.file_name().unwrap();
    assert!(!scratch.root().join(".lamindb").join(name).exists());
}

#[test]
fn a_folder_is_uploaded_and_its_next_version_takes_its_place() {
    let (scratch, root, _) = keeping();
    let instance = scratch.instance();
    scratch.file("f.zarr/a", "1").unwrap();
    let mut first = saved(instance, "f.zarr", "f.zarr");
    instance.upload_artifact(&mut first).unwrap();
    let place = path(instance, &first);
    assert_eq!(place, scratch.root().join(format!(".lamindb/{}.zarr", first.record.stem_uid())));
    assert!(!root.join(".lamindb").join(place.file_name().unwrap()).exists());
    assert_eq!(
        fs::read_to_string(cached(instance, &format!("{}.zarr/a", first.record.stem_uid()))).unwrap(),
        "1"
    );

    scratch.file("f.zarr/a", "2").unwrap();
    let mut new = request("f.zarr");
    new.revises = Some(first.record.clone());
    let mut second = instance.artifact(new).unwrap();
    instance.save_artifact(&mut second).unwrap();
    assert!(path(instance, &second).starts_with(&root));
    assert_eq!(fs::read_to_string(instance.cache(&first.record).unwrap().join("a")).unwrap(), "1");

    instance.upload_artifact(&mut second).unwrap();
    assert_eq!(path(instance, &second), place);
    assert_eq!(fs::read_to_string(instance.cache(&second.record).unwrap().join("a")).unwrap(), "2");
    let error = instance.cache(&first.record).unwrap_err();
    assert!(error.message().starts_with("Cannot read this outdated artifact version"), "{error}");
    let parts = fs::read_dir(scratch.root().join(".lamindb")).unwrap();
    let parts = parts.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".part"));
    assert_eq!(parts.count(), 0);
}

#[test]
fn a_new_version_follows_the_head_that_was_uploaded() {
    let (scratch, _, local) = keeping();
    let instance = scratch.instance();
    for content in ["1", "2", "3", "4"] {
        scratch.file(&format!("{content}.txt"), content).unwrap();
    }
    saved(instance, "1.txt", "x.txt");
    let mut second = saved(instance, "2.txt", "x.txt");
    // Constructed before the upload, saved after it.
    let mut third = constructed(instance, "3.txt", "x.txt");
    instance.upload_artifact(&mut second).unwrap();
    instance.save_artifact(&mut third).unwrap();
    assert_eq!(third.record.int("storage_id"), local.id());
    assert_eq!(third.record.uid(), format!("{}0002", second.record.stem_uid()));
    let heads = || {
        let all =
            instance.registry("Artifact").unwrap().filter(Q::is("is_latest", true)).unwrap().all().unwrap();
        all.iter().map(|head| head.uid().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(heads(), [third.record.uid()]);
    // Constructed when the only head is elsewhere.
    instance.upload_artifact(&mut third).unwrap();
    let fourth = saved(instance, "4.txt", "x.txt");
    assert_eq!(fourth.record.uid(), format!("{}0003", second.record.stem_uid()));
    assert_eq!(fourth.record.int("storage_id"), local.id());
    assert_eq!(heads(), [fourth.record.uid()]);
}

#[test]
fn two_uploads_of_one_artifact_end_as_one() {
    let (scratch, root, local) = keeping();
    scratch.file("x.txt", "x".repeat(1 << 20)).unwrap();
    let first = saved(scratch.instance(), "x.txt", "x.txt");
    let uploads: Vec<_> = (2..6)
        .map(|seed| {
            let (instance, _) = scratch.connect(seed).unwrap();
            instance.set_keep_artifacts_local(true);
            let mut artifact = first.clone();
            std::thread::spawn(move || instance.upload_artifact(&mut artifact).is_ok())
        })
        .collect();
    let done = uploads.into_iter().map(|thread| thread.join().unwrap()).filter(|ok| *ok).count();
    assert!(done >= 1);
    let instance = scratch.instance();
    let row = instance.by_id(first.record.registry(), first.record.id().unwrap()).unwrap();
    assert_eq!(row.int("storage_id"), Some(1));
    assert_eq!(fs::read(instance.cache(&row).unwrap()).unwrap().len(), 1 << 20);
    assert_eq!(fs::read_dir(root.join(".lamindb")).unwrap().count(), 1);
    instance.delete_storage(&local).unwrap();
}
