//! Artifacts that are kept local and uploaded to a bucket.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use holotype::instance::settings::cache_dir;
use holotype::store::Store;
use holotype::testing::Told;
use holotype::{
    Artifact, ErrorKind, Event, InitOptions, Instance, NewArtifact, NewStorage, Q, Record, RunChoice,
};
use tempfile::TempDir;

use crate::stores::server;

/// An instance whose default location is a bucket and that keeps artifacts in a folder.
struct Lab {
    instance: Instance,
    told: Told,
    bucket: Record,
    store: Store,
    dir: TempDir,
}

impl Lab {
    fn new() -> Lab {
        let dir = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(dir.path()).unwrap();
        let (env, told) = holotype::testing::env(&real, 1).unwrap();
        let mut vars = BTreeMap::clone(&env.vars);
        vars.insert("AWS_ACCESS_KEY_ID".to_owned(), server::KEY.to_owned());
        vars.insert("AWS_SECRET_ACCESS_KEY".to_owned(), server::SECRET.to_owned());
        vars.insert("AWS_REGION".to_owned(), "us-west-1".to_owned());
        vars.insert("LAMIN_CACHE_DIR".to_owned(), real.join("cache").display().to_string());
        let env = env.with_vars(vars);
        let options =
            InitOptions { storage: Some(real.join("store").display().to_string()), ..InitOptions::default() };
        let instance = Instance::init(&env, &options).unwrap();
        let root = server::MOTO.root();
        told.take();
        let bucket = instance.create_storage(&NewStorage::new(&root)).unwrap();
        assert_eq!(told.take(), [Event::StorageCreated { root: root.clone() }]);
        instance.use_storage(&bucket).unwrap();
        instance.set_keep_artifacts_local(true);
        let local = NewStorage::new(real.join("local").display().to_string()).host("drive1");
        instance.use_local_storage(&instance.create_storage(&local).unwrap()).unwrap();
        told.take();
        let store = Store::open(&root, &env).unwrap();
        Lab { instance, told, bucket, store, dir }
    }

    fn dir(&self) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap()
    }

    fn construct(&self, name: &str, content: &str) -> Artifact {
        let path = self.dir().join("work").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let source = self.dir().join("work").join(name.split('/').next().unwrap());
        let new = NewArtifact::new(source.display().to_string()).key(name.split('/').next().unwrap());
        self.instance.artifact(NewArtifact { run: RunChoice::None, ..new }).unwrap()
    }

    fn saved(&self, name: &str, content: &str) -> Artifact {
        let mut artifact = self.construct(name, content);
        self.instance.save_artifact(&mut artifact).unwrap();
        artifact
    }

    fn shown(&self, artifact: &Artifact) -> String {
        self.instance.artifact_path(&artifact.record).unwrap().display().to_string()
    }

    /// Returns the path of a copy in the cache, below the folder of the bucket.
    fn copy(&self, key: &str) -> PathBuf {
        let root = self.bucket.text("root").unwrap();
        let root = root.strip_prefix("s3://").unwrap().split('?').next().unwrap();
        cache_dir(self.instance.env()).unwrap().join(root).join(key)
    }
}

#[test]
fn an_upload_moves_the_local_copy_to_the_cache_and_fills_the_place_of_the_object() {
    let lab = Lab::new();
    let mut artifact = lab.saved("x.csv", "1,2");
    let before = PathBuf::from(lab.shown(&artifact));
    assert!(before.starts_with(lab.dir().join("local")));
    lab.told.take();
    lab.instance.upload_artifact(&mut artifact).unwrap();
    let uid = artifact.record.uid();
    let key = format!(".lamindb/{uid}.csv");
    assert_eq!(lab.shown(&artifact), lab.store.url(&key).unwrap());
    assert!(lab.shown(&artifact).starts_with("s3://bucket-") && !lab.shown(&artifact).contains('?'));
    assert_eq!(lab.store.read(&key).unwrap(), b"1,2");
    let flat = cache_dir(lab.instance.env()).unwrap().join(format!("{uid}.csv"));
    assert!(!before.exists());
    assert_eq!(fs::read_to_string(&flat).unwrap(), "1,2");
    assert_eq!(
        lab.told.take(),
        [
            Event::Storing { uid: uid.to_owned(), path: lab.shown(&artifact) },
            Event::MovedToCache { path: flat.display().to_string() }
        ]
    );
    assert_eq!(artifact.record.int("storage_id"), lab.bucket.id());
    // The regular copy is there as well, and is made again when it is gone or damaged.
    let copy = lab.copy("x.csv");
    assert_eq!(fs::read_to_string(&copy).unwrap(), "1,2");
    assert_eq!(lab.instance.cache(&artifact.record).unwrap(), copy);
    fs::remove_file(&copy).unwrap();
    assert_eq!(fs::read_to_string(lab.instance.cache(&artifact.record).unwrap()).unwrap(), "1,2");
    fs::write(&copy, "short").unwrap();
    assert_eq!(fs::read_to_string(lab.instance.cache(&artifact.record).unwrap()).unwrap(), "1,2");
}

#[test]
fn new_content_goes_to_the_bucket_directly_and_leaves_it_with_its_row() {
    let lab = Lab::new();
    let mut artifact = lab.construct("x.csv", "1,2");
    lab.instance.upload_artifact(&mut artifact).unwrap();
    let key = format!(".lamindb/{}.csv", artifact.record.uid());
    assert_eq!(lab.store.read(&key).unwrap(), b"1,2");
    assert!(lab.dir().join("work/x.csv").exists());
    assert!(!lab.told.take().iter().any(|event| matches!(event, Event::MovedToCache { .. })));
    let error = lab.instance.delete_storage(&lab.bucket).unwrap_err();
    assert_eq!(error.message(), "Cannot delete storage with artifacts in current instance.");
    lab.instance.delete_artifact(&artifact.record, None).unwrap();
    assert!(!lab.store.exists(&key).unwrap());
    let own = lab.instance.by_id(lab.bucket.registry(), 1).unwrap();
    lab.instance.use_storage(&own).unwrap();
    lab.store.write(".lamindb/stray.txt", b"x", true).unwrap();
    let error = lab.instance.delete_storage(&lab.bucket).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageNotEmpty);
    assert!(error.message().contains(".lamindb/stray.txt"), "{error}");
    lab.store.remove(".lamindb/stray.txt").unwrap();
    lab.instance.delete_storage(&lab.bucket).unwrap();
    assert!(lab.store.list("").unwrap().is_empty());
}

#[test]
fn folders_and_their_versions_are_uploaded() {
    let lab = Lab::new();
    let mut first = lab.saved("f.zarr/a", "1");
    lab.instance.upload_artifact(&mut first).unwrap();
    let place = format!(".lamindb/{}.zarr", first.record.stem_uid());
    assert_eq!(lab.store.read(&format!("{place}/a")).unwrap(), b"1");
    fs::write(lab.dir().join("work/f.zarr/a"), "2").unwrap();
    fs::write(lab.dir().join("work/f.zarr/b"), "3").unwrap();
    let new = NewArtifact::new(lab.dir().join("work/f.zarr").display().to_string());
    let new = NewArtifact { run: RunChoice::None, revises: Some(first.record.clone()), ..new };
    let mut second = lab.instance.artifact(new).unwrap();
    lab.instance.save_artifact(&mut second).unwrap();
    let read = |record: &Record, name: &str| {
        lab.instance.cache(record).map(|path| fs::read_to_string(path.join(name)).unwrap())
    };
    assert_eq!(read(&first.record, "a").unwrap(), "1");
    lab.instance.upload_artifact(&mut second).unwrap();
    assert_eq!(read(&second.record, "a").unwrap(), "2");
    assert_eq!(read(&second.record, "b").unwrap(), "3");
    assert!(read(&first.record, "a").unwrap_err().message().starts_with("Cannot read this outdated"));
    fs::remove_dir_all(lab.copy("f.zarr")).unwrap();
    assert_eq!(read(&second.record, "b").unwrap(), "3");
    let keys: Vec<String> = lab.store.list("").unwrap().into_iter().map(|entry| entry.key).collect();
    let expected = [format!("{place}/a"), format!("{place}/b"), ".lamindb/storage_uid.txt".to_owned()];
    assert_eq!(keys.len(), 3);
    assert!(expected.iter().all(|key| keys.contains(key)), "{keys:?}");
}

#[test]
fn a_copy_never_shows_the_content_of_another_artifact() {
    let lab = Lab::new();
    lab.instance.set_keep_artifacts_local(false);
    let read = |record: &Record| fs::read_to_string(lab.instance.cache(record).unwrap()).unwrap();
    // Versions of one size, and a record in memory that still believes to be the latest.
    let old = lab.saved("x.txt", "1");
    let new = lab.saved("x.txt", "2");
    for _ in 0..2 {
        assert_eq!((read(&old.record), read(&new.record)), ("1".to_owned(), "2".to_owned()));
    }
    // An older artifact takes the key that another one bore.
    let mut early = lab.saved("early.txt", "a");
    let mut late = lab.saved("late.txt", "b");
    late.record.set("key", "other.txt").unwrap();
    lab.instance.save_artifact(&mut late).unwrap();
    early.record.set("key", "late.txt").unwrap();
    lab.instance.save_artifact(&mut early).unwrap();
    assert_eq!((read(&early.record), read(&late.record)), ("a".to_owned(), "b".to_owned()));
}

#[test]
fn what_was_stored_is_read_from_its_copy() {
    let lab = Lab::new();
    let mut artifact = lab.construct("x.csv", "1,2");
    lab.instance.upload_artifact(&mut artifact).unwrap();
    let copy = lab.copy("x.csv");
    assert_eq!(fs::read_to_string(&copy).unwrap(), "1,2");
    // Without its object the content can come from nowhere else.
    lab.store.remove(&format!(".lamindb/{}.csv", artifact.record.uid())).unwrap();
    assert_eq!(lab.instance.cache(&artifact.record).unwrap(), copy);
}

#[test]
fn versions_and_changed_keys_work_in_a_bucket_as_in_a_folder() {
    let lab = Lab::new();
    lab.instance.set_keep_artifacts_local(false);
    let first = lab.saved("x.txt", "1");
    let second = lab.saved("x.txt", "2");
    assert_eq!(second.record.stem_uid(), first.record.stem_uid());
    for (artifact, content) in [(&first, "1"), (&second, "2")] {
        assert!(lab.shown(artifact).starts_with("s3://"));
        let record = lab.instance.by_id(artifact.record.registry(), artifact.record.id().unwrap()).unwrap();
        assert_eq!(fs::read_to_string(lab.instance.cache(&record).unwrap()).unwrap(), content);
    }
    lab.instance.with_creation(|creation| creation.use_virtual_keys = false).unwrap();
    let mut real = lab.saved("r.txt", "real");
    assert_eq!(lab.store.read("r.txt").unwrap(), b"real");
    real.record.set("key", "moved/r.txt").unwrap();
    lab.instance.save_artifact(&mut real).unwrap();
    assert_eq!(lab.store.read("moved/r.txt").unwrap(), b"real");
    assert!(!lab.store.exists("r.txt").unwrap());
    // The same content again is the same artifact.
    assert_eq!(lab.construct("r.txt", "real").record.id(), real.record.id());
    let all = lab.instance.registry("Artifact").unwrap().filter(Q::is("is_latest", true)).unwrap();
    assert_eq!(all.count().unwrap(), 2);
}
