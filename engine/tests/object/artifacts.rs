//! Artifacts whose storage location is a bucket.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use holotype::faults::set_limit;
use holotype::store::Store;
use holotype::{
    Artifact, ErrorKind, Event, InitOptions, Instance, NewArtifact, NewStorage, Record, RunChoice,
};

use crate::stores::proxy;
use crate::stores::server::{KEY, MOTO, SECRET, env};
use crate::support::noise;

/// An instance with its database here and its default storage location in a bucket.
pub struct Cloud {
    pub instance: Instance,
    storage: Record,
    pub root: String,
    events: Arc<Mutex<Vec<Event>>>,
    pub dir: tempfile::TempDir,
    /// What the system calls the time since its start.
    boot: Arc<Mutex<String>>,
}

impl Cloud {
    pub fn new() -> Cloud {
        Cloud::at(&MOTO.root())
    }

    pub fn at(root: &str) -> Cloud {
        let dir = tempfile::tempdir().unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = events.clone();
        let cache = dir.path().join("cache").display().to_string();
        let vars =
            [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET), ("LAMIN_CACHE_DIR", &cache)];
        let (env, _) = holotype::testing::env(dir.path(), 1).unwrap();
        let boot = Arc::new(Mutex::new("first".to_owned()));
        let start = boot.clone();
        let env = env
            .with_boot(move || Some(start.lock().unwrap().clone()))
            .with_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned())))
            .with_voice(move |event| sink.lock().unwrap().push(event));
        let instance = Instance::init(&env, &InitOptions::default()).unwrap();
        instance.with_creation(|creation| creation.silence_missing_run = true).unwrap();
        let storage = instance.create_storage(&NewStorage::new(root)).unwrap();
        instance.use_storage(&storage).unwrap();
        Cloud { instance, storage, root: root.to_owned(), events, dir, boot }
    }

    pub fn source(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join("work").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn save(&self, new: NewArtifact) -> Record {
        let mut artifact = self.instance.artifact(new).unwrap();
        self.instance.save_artifact(&mut artifact).unwrap();
        artifact.record
    }

    pub fn bucket(&self) -> Store {
        Store::open(&self.root, &env()).unwrap()
    }

    pub fn keys(&self) -> Vec<String> {
        let entries = self.bucket().list("").unwrap().into_iter().map(|entry| entry.key);
        entries.filter(|key| key != ".lamindb/storage_uid.txt").collect()
    }

    /// Returns the root without its endpoint.
    pub fn url(&self) -> &str {
        self.root.split('?').next().unwrap()
    }

    pub fn cached(&self, name: &str) -> PathBuf {
        self.dir.path().join("cache").join(self.url().trim_start_matches("s3://")).join(name)
    }

    /// Returns the row as it is now.
    fn again(&self, record: &Record) -> Record {
        self.instance.by_id(record.registry(), record.id().unwrap()).unwrap()
    }

    pub fn text(&self, record: &Record) -> String {
        fs::read_to_string(self.instance.cache(record).unwrap()).unwrap()
    }
}

/// Sets the time of the last change of a file back to what it was.
fn set_modified(path: &Path, was: &fs::Metadata) {
    fs::File::options().write(true).open(path).unwrap().set_modified(was.modified().unwrap()).unwrap();
}

#[test]
fn a_bucket_is_registered_and_marked() {
    let cloud = Cloud::new();
    let text = |name| cloud.storage.text(name).map(str::to_owned);
    assert_eq!((text("root"), text("type")), (Some(cloud.root.clone()), Some("s3".to_owned())));
    let marker = String::from_utf8(cloud.bucket().read(".lamindb/storage_uid.txt").unwrap()).unwrap();
    assert!(marker.starts_with(cloud.storage.uid()), "{marker}");
    assert!(cloud.instance.manages(&cloud.storage));
    let again = cloud.instance.create_storage(&NewStorage::new(&cloud.root)).unwrap();
    assert_eq!(again.id(), cloud.storage.id());

    let other = Cloud::at(&cloud.root);
    assert_eq!(other.storage.uid(), cloud.storage.uid());
    let uid = cloud.instance.settings().uid();
    if cloud.instance.settings().id != other.instance.settings().id {
        assert_eq!(other.storage.text("instance_uid"), Some(uid.as_str()));
    }
}

#[test]
fn a_file_goes_to_the_bucket_and_comes_back() {
    let cloud = Cloud::new();
    let content = noise(300_000, 4);
    let record = cloud.save(NewArtifact::new(cloud.source("x.bin", &content)).key("raw/x.bin"));
    let key = format!(".lamindb/{}.bin", record.uid());
    assert_eq!(cloud.keys(), [key.as_str()]);
    let url = cloud.instance.artifact_path(&record).unwrap();
    assert_eq!(url.to_str().unwrap(), format!("{}/{key}", cloud.url()));
    let path = cloud.instance.cache(&record).unwrap();
    assert_eq!(path, cloud.cached("raw/x.bin"));
    assert_eq!(fs::read(&path).unwrap(), content);

    // What is not the content is never served, however it came there.
    fs::write(&path, "tampered").unwrap();
    assert_eq!(fs::read(cloud.instance.cache(&record).unwrap()).unwrap(), content);
    fs::remove_file(&path).unwrap();
    assert_eq!(fs::read(cloud.instance.cache(&record).unwrap()).unwrap(), content);
    // A copy that another program made is taken when it is right, without asking the bucket.
    fs::remove_dir_all(cloud.dir.path().join("cache/.holotype")).unwrap();
    cloud.bucket().remove(&key).unwrap();
    assert_eq!(fs::read(cloud.instance.cache(&record).unwrap()).unwrap(), content);
    fs::remove_file(&path).unwrap();
    assert_eq!(cloud.instance.cache(&record).unwrap_err().kind(), ErrorKind::FileNotFound);
}

#[test]
fn what_was_not_flushed_is_checked_again_when_the_system_was_started_anew() {
    set_limit("object.loose", 1 << 20);
    let cloud = Cloud::new();
    let small = cloud.save(NewArtifact::new(cloud.source("x.txt", "small")).key("x.txt"));
    let content = noise(2 << 20, 4);
    let large = cloud.save(NewArtifact::new(cloud.source("x.bin", &content)).key("x.bin"));
    for (record, path) in [(&small, cloud.cached("x.txt")), (&large, cloud.cached("x.bin"))] {
        fs::remove_file(&path).unwrap();
        cloud.instance.cache(record).unwrap();
        // As a power cut may leave it: of the same size and times, without the content.
        let metadata = fs::metadata(&path).unwrap();
        fs::write(&path, vec![0; metadata.len() as usize]).unwrap();
        set_modified(&path, &metadata);
        let noted = |of: &fs::Metadata| format!(" {} {}\n", of.ctime(), of.ctime_nsec());
        for note in fs::read_dir(cloud.dir.path().join("cache/.holotype")).unwrap() {
            let note = note.unwrap().path();
            let text = fs::read_to_string(&note).unwrap();
            fs::write(note, text.replace(&noted(&metadata), &noted(&fs::metadata(&path).unwrap()))).unwrap();
        }
    }
    assert_eq!(cloud.text(&small), "\0\0\0\0\0", "nothing tells while the system runs on");
    *cloud.boot.lock().unwrap() = "second".to_owned();
    assert_eq!(cloud.text(&small), "small");
    // What is large was flushed before its note was written.
    assert_ne!(fs::read(cloud.instance.cache(&large).unwrap()).unwrap(), content);
    *cloud.boot.lock().unwrap() = "third".to_owned();
    assert_eq!(cloud.text(&small), "small");
}

#[test]
fn content_that_was_changed_in_the_bucket_is_refused() {
    let cloud = Cloud::new();
    let record = cloud.save(NewArtifact::new(cloud.source("x.txt", "one")).key("x.txt"));
    let key = format!(".lamindb/{}.txt", record.uid());
    cloud.bucket().write(&key, b"two", true).unwrap();
    // What was saved is still in the cache, and right; without it there is only the bucket.
    assert_eq!(cloud.text(&record), "one");
    fs::remove_file(cloud.cached("x.txt")).unwrap();
    let error = cloud.instance.cache(&record).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains(&key), "{error}");
    assert!(!cloud.cached("x.txt").exists());
}

#[test]
fn a_copy_that_was_edited_is_not_read_even_if_its_time_was_set_back() {
    let cloud = Cloud::new();
    let record = cloud.save(NewArtifact::new(cloud.source("x.txt", "one")).key("x.txt"));
    let copy = cloud.instance.cache(&record).unwrap();
    let metadata = fs::metadata(&copy).unwrap();
    fs::write(&copy, "two").unwrap();
    set_modified(&copy, &metadata);
    assert_eq!(cloud.text(&record), "one");
}

#[test]
fn a_bucket_holds_what_a_folder_cannot() {
    let cloud = Cloud::new();
    let save = |key: &str| cloud.save(NewArtifact::new(cloud.source(&key.replace('/', "-"), key)).key(key));
    let records = ["a", "a/b.txt"].map(save);
    let cache = cloud.dir.path().join("cache");
    for order in [[0, 1], [1, 0]] {
        fs::remove_dir_all(&cache).unwrap();
        let paths = order.map(|at| cloud.instance.cache(&records[at]).unwrap());
        for (at, path) in order.into_iter().zip(&paths) {
            assert_eq!(fs::read_to_string(path).unwrap(), ["a", "a/b.txt"][at]);
            assert_eq!(&cloud.instance.cache(&records[at]).unwrap(), path, "it stays where it is");
        }
    }
}

#[test]
fn versions_have_places_of_their_own() {
    let cloud = Cloud::new();
    let one = cloud.save(NewArtifact::new(cloud.source("x.txt", "one")).key("x.txt"));
    let two = cloud.save(NewArtifact::new(cloud.source("x.txt", "two")).key("x.txt"));
    assert_eq!(one.stem_uid(), two.stem_uid());
    let keys = [&one, &two].map(|record| format!(".lamindb/{}.txt", record.uid()));
    assert_eq!(cloud.keys(), keys, "nothing waits elsewhere any more");
    let replaced = Event::ReplacesCopy { path: cloud.cached("x.txt").display().to_string() };
    assert_eq!(cloud.events.lock().unwrap().iter().filter(|event| **event == replaced).count(), 1);
    // The record in memory does not know of its successor.
    assert!(one.flag("is_latest") && !cloud.again(&one).flag("is_latest"));
    assert_eq!((cloud.text(&one).as_str(), cloud.text(&two).as_str()), ("one", "two"));
    assert_eq!(cloud.instance.cache(&two).unwrap(), cloud.cached("x.txt"));
    assert_eq!(cloud.instance.cache(&one).unwrap(), cloud.cached(&keys[0]));
    // Equal content is not stored again.
    let again = cloud.save(NewArtifact::new(cloud.source("y.txt", "two")).key("x.txt"));
    assert_eq!((again.uid(), cloud.keys().len()), (two.uid(), 2));
}

#[test]
fn folders_share_one_place() {
    let cloud = Cloud::new();
    for (name, content) in [("d/a", "A"), ("d/sub/b", "BB")] {
        cloud.source(name, content);
    }
    let folder = cloud.dir.path().join("work/d").display().to_string();
    let one = cloud.save(NewArtifact::new(&folder).key("d"));
    assert_eq!(one.int("n_files"), Some(2));
    let place = format!(".lamindb/{}", one.stem_uid());
    assert_eq!(cloud.keys(), [format!("{place}/a"), format!("{place}/sub/b")]);
    assert_eq!(fs::read(cloud.instance.cache(&one).unwrap().join("sub/b")).unwrap(), b"BB");

    fs::remove_file(cloud.dir.path().join("work/d/a")).unwrap();
    cloud.source("d/c", "CCC");
    let two = cloud.save(NewArtifact::new(&folder).key("d"));
    assert_eq!(two.stem_uid(), one.stem_uid());
    assert_eq!(cloud.keys(), [format!("{place}/c"), format!("{place}/sub/b")]);
    let path = cloud.instance.cache(&two).unwrap();
    assert_eq!(fs::read(path.join("c")).unwrap(), b"CCC");
    assert!(!path.join("a").exists());
    let one = cloud.again(&one);
    assert_eq!(
        cloud.instance.cache(&one).unwrap_err().kind(),
        ErrorKind::Value,
        "its files were overwritten"
    );
}

#[test]
fn real_keys_move_in_the_bucket() {
    let cloud = Cloud::new();
    let new = NewArtifact { key_is_virtual: Some(false), ..NewArtifact::new(cloud.source("x.txt", "one")) };
    let record = cloud.save(new.key("raw/x.txt"));
    assert_eq!(cloud.keys(), ["raw/x.txt"]);
    let mut artifact = Artifact::from_record(record);
    artifact.record.set("key", "kept/y.txt").unwrap();
    cloud.instance.save_artifact(&mut artifact).unwrap();
    assert_eq!(cloud.keys(), ["kept/y.txt"]);
    assert_eq!(cloud.text(&artifact.record), "one");
    let new = NewArtifact { key_is_virtual: Some(false), ..NewArtifact::new(cloud.source("x.txt", "two")) };
    let two = cloud.save(new.key("kept/y.txt"));
    assert_eq!((cloud.keys(), cloud.text(&two)), (vec!["kept/y.txt".to_owned()], "two".to_owned()));
    cloud.instance.delete_artifact(&two, Some(true)).unwrap();
    assert!(cloud.keys().is_empty());
}

#[test]
fn what_lies_in_a_bucket_is_registered_without_reading_it() {
    let cloud = Cloud::new();
    for (key, content) in [("raw/x.csv", "a,b\n1,2\n"), ("raw/d/1", "1"), ("raw/d/deep/2", "22")] {
        cloud.bucket().write(key, content.as_bytes(), true).unwrap();
    }
    let file = cloud.save(NewArtifact::new(format!("{}/raw/x.csv", cloud.url())));
    assert_eq!(
        (file.text("key"), file.text("_hash_type"), file.int("size")),
        (Some("raw/x.csv"), Some("md5"), Some(8))
    );
    assert_eq!((file.text("otype"), file.flag("_key_is_virtual")), (Some("DataFrame"), false));
    assert_eq!(cloud.text(&file), "a,b\n1,2\n");
    let folder = cloud.save(NewArtifact::new(format!("{}/raw/d", cloud.url())).key("my/folder"));
    assert_eq!((folder.text("_real_key"), folder.text("key")), (Some("raw/d"), Some("my/folder")));
    assert_eq!((folder.text("hash"), folder.int("n_files")), (Some("eM3C_vZOzZoiDzWa7ORtQQ"), Some(2)));
    assert_eq!(fs::read(cloud.instance.cache(&folder).unwrap().join("deep/2")).unwrap(), b"22");
    assert_eq!(cloud.keys().len(), 3, "nothing is copied");

    let refused = |url: &str| cloud.instance.artifact(NewArtifact::new(url)).unwrap_err();
    assert_eq!(refused(&format!("{}/raw/none.csv", cloud.url())).kind(), ErrorKind::FileNotFound);

    let stored = cloud.save(NewArtifact::new(cloud.source("y.txt", "y")).key("y.txt"));
    let url = cloud.instance.artifact_path(&stored).unwrap().display().to_string();
    let found = cloud.instance.artifact(NewArtifact::new(url)).unwrap();
    assert_eq!((found.record.uid(), found.is_pending()), (stored.uid(), false));
}

#[test]
fn deletion_takes_the_object_and_a_used_bucket_stays_registered() {
    let cloud = Cloud::new();
    let record = cloud.save(NewArtifact::new(cloud.source("x.txt", "one")).key("x.txt"));
    cloud.instance.delete_artifact(&record, None).unwrap();
    assert!(cloud.keys().is_empty());
    assert!(cloud.events.lock().unwrap().iter().any(|event| matches!(event, Event::Deleted { .. })));

    let second = MOTO.root();
    let other = cloud.instance.create_storage(&NewStorage::new(&second)).unwrap();
    let bucket = Store::open(&second, &env()).unwrap();
    bucket.write(".lamindb/left.txt", b"left", true).unwrap();
    let error = cloud.instance.delete_storage(&other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageNotEmpty);
    assert!(error.message().contains("left.txt"), "{error}");
    bucket.remove(".lamindb/left.txt").unwrap();
    cloud.instance.delete_storage(&other).unwrap();
    assert!(bucket.list("").unwrap().is_empty());
}

#[test]
fn a_folder_of_files_becomes_many_artifacts() {
    let cloud = Cloud::new();
    for i in 0..50 {
        cloud.source(&format!("many/{i}.txt"), format!("content {i}"));
    }
    let folder = cloud.dir.path().join("work/many").display().to_string();
    let mut artifacts = cloud.instance.artifacts_from_dir(&folder, Some("many"), RunChoice::None).unwrap();
    cloud.instance.save_artifacts(&mut artifacts).unwrap();
    assert_eq!(cloud.keys().len(), 50);
    for artifact in &artifacts {
        let name = artifact
            .record
            .text("key")
            .unwrap()
            .trim_start_matches("many/")
            .trim_end_matches(".txt")
            .to_owned();
        assert_eq!(cloud.text(&artifact.record), format!("content {name}"));
    }
}

#[test]
fn a_failing_network_leaves_no_row_and_saving_again_succeeds() {
    let failing = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let switch = failing.clone();
    let proxy =
        proxy::Proxy::new(MOTO.port, move |_, _| match switch.load(std::sync::atomic::Ordering::SeqCst) {
            true => proxy::Fault::Status(403),
            false => proxy::Fault::None,
        });
    let cloud = Cloud::at(&MOTO.root_at(&proxy.endpoint()));
    cloud.save(NewArtifact::new(cloud.source("x.txt", "one")).key("x.txt"));
    let mut artifact =
        cloud.instance.artifact(NewArtifact::new(cloud.source("x.txt", "two")).key("x.txt")).unwrap();
    failing.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = cloud.instance.save_artifact(&mut artifact).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(cloud.instance.registry("Artifact").unwrap().count().unwrap(), 1);
    failing.store(false, std::sync::atomic::Ordering::SeqCst);
    cloud.instance.save_artifact(&mut artifact).unwrap();
    assert_eq!(cloud.text(&artifact.record), "two");
    assert_eq!(cloud.keys().len(), 2);
}

#[test]
fn the_cache_keeps_to_its_limit() {
    let cloud = Cloud::new();
    holotype::instance::settings::set_cache_limit(cloud.instance.env(), Some(2500)).unwrap();
    // The clock moves on, so that what was made before is no longer in use.
    let later = || (0..70_000).for_each(|_| assert!(cloud.instance.env().now().0 > 0));
    let there = || (0..4).filter(|i| cloud.cached(&format!("{i}.bin")).exists()).collect::<Vec<_>>();
    let records: Vec<Record> = (0..4)
        .map(|i| {
            later();
            let source = cloud.source("x.bin", noise(1000, 2 * i));
            cloud.save(NewArtifact::new(source).key(format!("{i}.bin")))
        })
        .collect();
    assert_eq!(there(), [2, 3], "what was saved first went first");
    later();
    cloud.instance.cache(&records[0]).unwrap();
    assert_eq!(there(), [0, 3]);
    later();
    cloud.save(NewArtifact::new(cloud.source("x.bin", noise(3000, 9))).key("large.bin"));
    assert_eq!(there(), [0, 3], "what would fill the cache alone is not kept");
    assert!(!cloud.cached("large.bin").exists());
}

#[test]
fn content_is_read_where_it_lies_as_long_as_its_store_describes_it_rightly() {
    let cloud = Cloud::new();
    let file = cloud.save(NewArtifact::new(cloud.source("x.txt", "one")).key("x.txt"));
    cloud.source("d/a", "A");
    cloud.source("d/sub/b", "BB");
    let folder = cloud.dir.path().join("work/d").display().to_string();
    let folder = cloud.save(NewArtifact::new(&folder).key("d"));
    let (copy, copies) = (cloud.cached("x.txt"), cloud.cached("d"));
    assert_eq!(cloud.instance.readable(&file).unwrap(), copy);
    assert_eq!(cloud.instance.readable(&folder).unwrap(), copies);
    fs::remove_dir_all(cloud.cached("")).unwrap();
    let url = |record: &Record| cloud.instance.artifact_path(record).unwrap();
    assert_eq!(cloud.instance.readable(&file).unwrap(), url(&file));
    assert_eq!(cloud.instance.readable(&folder).unwrap(), url(&folder));
    assert!(!copy.exists() && !copies.exists(), "nothing is fetched");

    let key = format!(".lamindb/{}.txt", file.uid());
    for wrong in ["two", "three"] {
        cloud.bucket().write(&key, wrong.as_bytes(), true).unwrap();
        assert_eq!(cloud.instance.readable(&file).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    cloud.bucket().remove(&key).unwrap();
    assert_eq!(cloud.instance.readable(&file).unwrap_err().kind(), ErrorKind::FileNotFound);
    cloud.bucket().write(&format!(".lamindb/{}/sub/b", folder.stem_uid()), b"XX", true).unwrap();
    assert_eq!(cloud.instance.readable(&folder).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_file_is_read_in_parts_until_somebody_changes_it() {
    let cloud = Cloud::new();
    let record = cloud.save(NewArtifact::new(cloud.source("x.txt", "0123456789")).key("x.txt"));
    let parts = cloud.instance.parts(&record).unwrap();
    assert_eq!((parts.size(), parts.read(2, 5).unwrap()), (10, b"234".to_vec()));
    assert_eq!(parts.read(8, 12).unwrap_err().kind(), ErrorKind::InvalidArgument);
    cloud.bucket().write(&format!(".lamindb/{}.txt", record.uid()), b"9876543210", true).unwrap();
    assert!(parts.read(2, 5).unwrap_err().message().contains("changed"));
}
