//! Instances whose database lies in the bucket, worked with by several clients.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holotype::instance::Locks;
use holotype::instance::settings::{InstanceSettings, load_by_identifier, login_local};
use holotype::store::Store;
use holotype::{Env, ErrorKind, Event, InitOptions, Instance, Record, Result, model};

use crate::server::{KEY, MOTO, SECRET, env};

/// One machine of one user, with its own settings and cache.
struct Client {
    env: Env,
    told: Arc<Mutex<Vec<Event>>>,
    dir: tempfile::TempDir,
    root: String,
}

const DATABASE: &str = ".lamindb/lamin.db";

impl Client {
    fn new(root: &str, handle: Option<&str>) -> Client {
        let dir = tempfile::tempdir().unwrap();
        let told: Arc<Mutex<Vec<Event>>> = Arc::default();
        let sink = told.clone();
        let cache = dir.path().join("cache").display().to_string();
        let vars =
            [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET), ("LAMIN_CACHE_DIR", &cache)];
        let seed = dir
            .path()
            .to_string_lossy()
            .bytes()
            .fold(7, |seed: u64, byte| seed * 31 % 1_000_003 + u64::from(byte));
        let (env, _) = holotype::testing::env(dir.path(), seed).unwrap();
        let env = env
            .with_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned())))
            .with_voice(move |event| sink.lock().unwrap().push(event));
        if let Some(handle) = handle {
            login_local(&env, handle, None, None).unwrap();
        }
        Client { env, told, dir, root: root.to_owned() }
    }

    fn init(&self) -> Result<Instance> {
        let storage = Some(self.root.clone());
        Instance::init(
            &self.env,
            &InitOptions { storage, name: Some("atlas".to_owned()), ..InitOptions::default() },
        )
    }

    /// Lets this machine know the instance that another one made.
    fn learn(&self, other: &Client) -> InstanceSettings {
        let settings = other.settings();
        settings.save(&self.env).unwrap();
        settings
    }

    fn settings(&self) -> InstanceSettings {
        InstanceSettings::list(&self.env).into_iter().next().unwrap()
    }

    fn connect(&self) -> Result<Instance> {
        Instance::connect(&self.env, &self.settings())
    }

    fn bucket(&self) -> Store {
        Store::open(&self.root, &env()).unwrap()
    }

    fn copy(&self) -> PathBuf {
        self.settings().sqlite_path(&self.env).unwrap().unwrap()
    }

    fn told(&self) -> Vec<Event> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// Returns what lies in the folder of the lock, by name.
    fn lock(&self) -> Vec<(String, String)> {
        let folder = format!(".lamindb/_exclusion/{}/", self.settings().id);
        let bucket = self.bucket();
        let entries = bucket.list(&folder).unwrap();
        let text = |key: &str| String::from_utf8(bucket.read(key).unwrap()).unwrap();
        entries.iter().map(|entry| (entry.key.replace(&folder, ""), text(&entry.key))).collect()
    }
}

fn label(instance: &Instance, name: &str) -> Result<()> {
    let mut label = Record::empty(model::require("ULabel").unwrap());
    label.set("name", name).unwrap();
    instance.save(&mut label)
}

fn labels(instance: &Instance) -> Vec<String> {
    let query = instance.registry("ULabel").unwrap().order_by(["name"]).unwrap();
    query.all().unwrap().iter().map(|label| label.text("name").unwrap().to_owned()).collect()
}

/// Returns the names of the labels in a database file.
fn labels_in(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT name FROM lamindb_ulabel ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect()
}

fn named(lock: &[(String, String)], name: &str) -> Option<String> {
    lock.iter().find(|(found, _)| found == name).map(|(_, text)| text.clone())
}

#[test]
fn an_instance_is_made_used_and_left() {
    let ann = Client::new(&MOTO.root(), Some("ann"));
    let instance = ann.init().unwrap();
    let slug = "ann/atlas".to_owned();
    let url = format!("{}/{DATABASE}", ann.root.split('?').next().unwrap());
    let push = |unlocking| Event::CloudPush { url: url.clone(), slug: slug.clone(), unlocking };
    assert_eq!(
        ann.told()[..3],
        [
            push(false),
            Event::CloudLocked,
            Event::Initialized { slug: slug.clone(), dir: ann.env.cwd.clone() }
        ]
    );
    let keys: Vec<String> =
        ann.bucket().list(".lamindb/").unwrap().into_iter().map(|entry| entry.key).collect();
    assert!(
        keys.contains(&DATABASE.to_owned()) && keys.contains(&".lamindb/storage_uid.txt".to_owned()),
        "{keys:?}"
    );
    let storage = instance.registry("Storage").unwrap().one().unwrap();
    assert_eq!((storage.text("root"), storage.text("type")), (Some(ann.root.as_str()), Some("s3")));
    let uid = instance.registry("User").unwrap().one().unwrap().uid().to_owned();
    let lock = ann.lock();
    assert_eq!(named(&lock, "priorities"), Some(uid.clone()));
    assert_eq!(named(&lock, &format!("numbers/{uid}")), Some("1".to_owned()));
    assert_eq!(named(&lock, &format!("entering/{uid}")), Some("0".to_owned()));

    label(&instance, "one").unwrap();
    instance.leave().unwrap();
    assert_eq!(ann.told(), [push(false)], "a lock taken by init stays");
    instance.leave().unwrap();
    drop(instance);
    let instance = ann.connect().unwrap();
    assert_eq!(labels(&instance), ["one"]);
    instance.hold(Duration::ZERO).unwrap();
    label(&instance, "two").unwrap();
    ann.told();
    instance.disconnect().unwrap();
    assert_eq!(ann.told(), [push(true)]);
    let lock = ann.lock();
    assert_eq!(named(&lock, &format!("numbers/{uid}")), Some("0".to_owned()));
    assert_eq!(named(&lock, "holotype"), None);

    // The file is what the format says: no log, one file.
    let file = ann.dir.path().join("fetched.db");
    fs::write(&file, ann.bucket().read(DATABASE).unwrap()).unwrap();
    assert_eq!(fs::read(&file).unwrap()[18..20], [1, 1]);
    assert_eq!(labels_in(&file), ["one", "two"]);
}

#[test]
fn one_works_and_the_other_is_told_who() {
    let ann = Client::new(&MOTO.root(), Some("ann"));
    let instance = ann.init().unwrap();
    label(&instance, "one").unwrap();
    let ben = Client::new(&ann.root, Some("ben"));
    ben.learn(&ann);
    let reading = ben.connect().unwrap();
    assert_eq!(labels(&reading), [""; 0], "reading takes no lock and sees what was sent");
    for error in
        [reading.hold(Duration::ZERO).unwrap_err(), reading.hold(Duration::from_secs(1)).unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::InstanceLocked);
        let text = error.message();
        assert!(text.starts_with("Cannot load the instance, it is locked by 'ann' (uid: '"), "{text}");
        assert!(
            text.contains(". The instance will be automatically unlocked after 7d of no activity."),
            "{text}"
        );
        assert!(text.contains(" since 20") && text.contains(" UTC"), "{text}");
    }
    assert_eq!(label(&reading, "mine").unwrap_err().kind(), ErrorKind::NoWriteAccess);

    let waiting = std::thread::spawn(move || {
        reading.hold(Duration::from_secs(60)).unwrap();
        (labels(&reading), label(&reading, "two").map(|()| reading))
    });
    std::thread::sleep(Duration::from_secs(1));
    instance.disconnect().unwrap();
    let (seen, written) = waiting.join().unwrap();
    assert_eq!(seen, ["one"], "who waited goes on with what was sent");
    let instance_of_ben = written.unwrap();
    assert_eq!(label(&instance, "three").unwrap_err().kind(), ErrorKind::InstanceLocked);
    instance_of_ben.disconnect().unwrap();
    label(&instance, "three").unwrap();
    assert_eq!(labels(&instance), ["one", "three", "two"], "the first write brings the copy up to date");
    instance.leave().unwrap();
    let users = ben.connect().unwrap().registry("User").unwrap().count().unwrap();
    assert_eq!(users, 2);
}
