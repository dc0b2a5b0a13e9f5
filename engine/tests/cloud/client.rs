//! Machines of users who share an instance in a bucket.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use holotype::instance::Locks;
use holotype::instance::settings::{InstanceSettings, UserSettings, login_local};
use holotype::store::Store;
use holotype::{Env, Event, InitOptions, Instance, Record, Result, Timestamp, model};
use tempfile::TempDir;

use crate::stores::server::{KEY, MOTO, SECRET};
use crate::stores::{azure, google};

/// Key of the database.
pub const DATABASE: &str = ".lamindb/lamin.db";

/// One machine of one user, with its own settings and cache.
pub struct Client {
    pub env: Env,
    pub dir: PathBuf,
    pub root: String,
    told: Arc<Mutex<Vec<Event>>>,
    _guard: Option<TempDir>,
}

impl Client {
    /// Returns a new machine of a user; nobody is anonymous.
    pub fn new(root: &str, handle: Option<&str>) -> Client {
        let guard = tempfile::tempdir().unwrap();
        let client = Client::at(guard.path(), root);
        if let Some(handle) = handle {
            login_local(&client.env, handle, None, None).unwrap();
        }
        Client { _guard: Some(guard), ..client }
    }

    /// Returns the user `ann` on a new machine, with the instance `atlas` of her own in a new bucket.
    pub fn with_instance() -> (Client, Instance) {
        Client::with_instance_in(&MOTO.root())
    }

    /// Does the same in a bucket of every kind of store that writes over known versions only.
    pub fn in_every_store(test: impl Fn(Client, Instance)) {
        for root in Client::roots() {
            let (ann, instance) = Client::with_instance_in(&root);
            test(ann, instance);
        }
    }

    /// Returns the roots of new buckets, of every such kind.
    pub fn roots() -> [String; 3] {
        [MOTO.root(), google::root(), azure::root()]
    }

    /// Returns the user `ann` with an instance in a location.
    pub fn with_instance_in(root: &str) -> (Client, Instance) {
        let ann = Client::new(root, Some("ann"));
        let instance = ann.init().unwrap();
        ann.told();
        (ann, instance)
    }

    /// Returns the machine that keeps its things in `dir`, as a process of it sees it.
    pub fn at(dir: &Path, root: &str) -> Client {
        let told: Arc<Mutex<Vec<Event>>> = Arc::default();
        let sink = told.clone();
        let cache = dir.join("cache").display().to_string();
        let vars = keys_of(root).into_iter().chain([("LAMIN_CACHE_DIR".to_owned(), cache)]);
        let name = format!("{}{}", dir.display(), std::process::id());
        let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
        let (env, _) = holotype::testing::env(dir, seed).unwrap();
        let env = env.with_vars(vars).with_voice(move |event| sink.lock().unwrap().push(event));
        Client { env, dir: dir.to_owned(), root: root.to_owned(), told, _guard: None }
    }

    /// Returns the same machine when its clock shows another time.
    pub fn later(&self, moment: Timestamp) -> Client {
        let told: Arc<Mutex<Vec<Event>>> = Arc::default();
        let sink = told.clone();
        let (home, cwd) = (self.env.home.clone(), self.env.cwd.clone());
        let other = Client::at(&self.dir, &self.root);
        let random = move |bytes: &mut [u8]| other.env.fill_random(bytes);
        let env = Env::new(move || moment, random, home, cwd)
            .with_vars(self.env.vars.iter().map(|(name, value)| (name.clone(), value.clone())))
            .with_voice(move |event| sink.lock().unwrap().push(event));
        Client { env, dir: self.dir.clone(), root: self.root.clone(), told, _guard: None }
    }

    /// Returns the machine with another variable.
    pub fn with_var(mut self, name: &str, value: &str) -> Client {
        let vars = self.env.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
        let vars: Vec<_> = vars.chain([(name.to_owned(), value.to_owned())]).collect();
        self.env = self.env.with_vars(vars);
        self
    }

    pub fn init(&self) -> Result<Instance> {
        self.init_at(&self.root)
    }

    /// Makes the instance with another storage location than the bucket.
    pub fn init_at(&self, root: &str) -> Result<Instance> {
        let (storage, name) = (Some(root.to_owned()), Some("atlas".to_owned()));
        Instance::init(&self.env, &InitOptions { storage, name, ..InitOptions::default() })
    }

    /// Returns a new machine of another user that knows the instance of this one.
    pub fn colleague(&self, handle: Option<&str>) -> Client {
        let other = Client::new(&self.root, handle);
        self.settings().save(&other.env).unwrap();
        other
    }

    pub fn settings(&self) -> InstanceSettings {
        InstanceSettings::list(&self.env).into_iter().next().unwrap()
    }

    pub fn user(&self) -> String {
        UserSettings::current(&self.env).unwrap().uid
    }

    pub fn connect(&self) -> Result<Instance> {
        Instance::connect(&self.env, &self.settings())
    }

    pub fn locks(&self) -> Locks {
        Locks::find(&self.env, &self.settings()).unwrap().unwrap()
    }

    pub fn bucket(&self) -> Store {
        Store::open(&self.root, &self.env).unwrap()
    }

    /// Returns the path of the working copy, also when the database has left the bucket.
    pub fn copy(&self) -> PathBuf {
        let settings = InstanceSettings { db: None, ..self.settings() };
        settings.sqlite_path(&self.env).unwrap().unwrap()
    }

    /// Returns the copies that were set aside.
    pub fn kept(&self) -> Vec<PathBuf> {
        let folder = self.copy().parent().unwrap().to_owned();
        let names = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let mut kept: Vec<PathBuf> =
            names.filter(|path| path.to_string_lossy().contains("lamin.db.kept-")).collect();
        kept.sort();
        kept
    }

    /// Returns what was told since the last call.
    pub fn told(&self) -> Vec<Event> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// Returns the text of a lock object.
    pub fn lock(&self, name: &str) -> Option<String> {
        let found = self.bucket().read(&self.lock_key(name)).ok();
        found.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    pub fn set_lock(&self, name: &str, text: &str) {
        self.bucket().write(&self.lock_key(name), text.as_bytes(), true).unwrap();
    }

    fn lock_key(&self, name: &str) -> String {
        format!(".lamindb/_exclusion/{}/{name}", self.settings().id)
    }

    /// Returns the names of the labels in the database in the bucket.
    pub fn labels_in_the_cloud(&self) -> Vec<String> {
        let file = self.dir.join("looked-at.db");
        fs::write(&file, self.bucket().read(DATABASE).unwrap()).unwrap();
        labels_in(&file)
    }

    /// Returns the event that tells of an upload.
    pub fn push(&self, unlocking: bool) -> Event {
        let url = format!("{}/{DATABASE}", self.root.split('?').next().unwrap());
        Event::CloudPush { url, slug: self.settings().slug().to_string(), unlocking }
    }
}

/// Returns the variables by which the server of a root is found and lets us in.
fn keys_of(root: &str) -> Vec<(String, String)> {
    let keys = match root.split("://").next() {
        Some("gs") => google::env().vars,
        Some("az") if root.contains("endpoint=") => azure::account().vars,
        Some("az") => azure::env().vars,
        _ => {
            return [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec();
        }
    };
    keys.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Saves a label.
pub fn label(instance: &Instance, name: &str) -> Result<()> {
    let mut label = Record::empty(model::require("ULabel").unwrap());
    label.set("name", name).unwrap();
    instance.save(&mut label)
}

/// Returns the names of all labels.
pub fn labels(instance: &Instance) -> Vec<String> {
    let query = instance.registry("ULabel").unwrap().order_by(["name"]).unwrap();
    query.all().unwrap().iter().map(|label| label.text("name").unwrap().to_owned()).collect()
}

/// Returns the names of the labels in a database file.
pub fn labels_in(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT name FROM lamindb_ulabel ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect()
}
