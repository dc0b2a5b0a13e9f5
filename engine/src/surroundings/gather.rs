//! Gathering beside the run: reading the packages and asking git must not keep anybody waiting.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value as Json, json};

use super::packages::{Packages, Searched, packages};
use super::python::requirements;
use super::repository::{self, State};
use super::software::software;
use super::{Process, Surroundings, prefixes, system, variables};
use crate::env::Env;
use crate::hash::digest_file;
use crate::record::Record;
use crate::session::Session;
use crate::threads::{PerProcess, entered};
use crate::track::{EnvironmentFile, prepare_redaction, redacted_arguments};

/// The end of a run waits no longer than this for the repository of its code.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lock files that are looked for beside the code and above it, up to the root of the repository.
const LOCKS: [&str; 8] = [
    "uv.lock",
    "pixi.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "conda-lock.yml",
    "renv.lock",
    "Cargo.lock",
];

/// By session and run.
type Gathering = BTreeMap<(usize, i64), Awaited>;

/// What a thread is about to find.
struct Awaited {
    software: Receiver<EnvironmentFile>,
    surroundings: Receiver<Surroundings>,
}

/// What was gathered for a run.
pub(crate) struct Gathered {
    /// The file that describes the software, for every program that knows the format.
    pub(crate) software: EnvironmentFile,
    /// What is kept beside it; nothing where asking took too long.
    pub(crate) surroundings: Option<Surroundings>,
}

static GATHERING: PerProcess<Mutex<Gathering>> = PerProcess::new();

/// What the last look found, for runs that follow each other in one process. A fork may happen during a look.
static SYSTEM: PerProcess<Mutex<Option<Json>>> = PerProcess::new();
static INSTALLED: PerProcess<Mutex<Option<Looked>>> = PerProcess::new();

/// How the folders were that were looked at, and what they held.
type Looked = (Vec<Seen>, Arc<Installed>);

/// A folder and when something in it was last made or removed.
type Seen = (PathBuf, Option<SystemTime>);

/// The packages, and their list once it was asked for.
struct Installed {
    packages: Packages,
    requirements: OnceLock<String>,
}

/// Starts to gather the surroundings of a run.
pub(crate) fn gather(session: &Session, run: &Record, process: &Process) {
    prepare_redaction();
    let ((first, software), (second, surroundings)) = (mpsc::channel(), mpsc::channel());
    let (env, process) = (session.env().clone(), process.clone());
    let work = move || look(&env, &process, &first, &second);
    let held = GATHERING.own();
    if thread::Builder::new().name("holotype-surroundings".to_owned()).spawn(work).is_ok() {
        let awaited = Awaited { software, surroundings };
        entered(held.lock()).insert(key(session, run), awaited);
    }
}

/// Returns what was gathered for a run, once.
pub(crate) fn gathered(session: &Session, run: &Record) -> Option<Gathered> {
    let held = GATHERING.own();
    let awaited = entered(held.lock()).remove(&key(session, run))?;
    let software = awaited.software.recv().ok()?;
    Some(Gathered { software, surroundings: awaited.surroundings.recv_timeout(PATIENCE).ok() })
}

fn key(session: &Session, run: &Record) -> (usize, i64) {
    (session.address(), run.id().unwrap_or_default())
}

fn look(env: &Env, process: &Process, found: &Sender<EnvironmentFile>, surroundings: &Sender<Surroundings>) {
    // First: how the system is known may take a while, where it is an image that has to be hashed.
    let installed = installed(env, process);
    let list = || installed.requirements.get_or_init(|| requirements(&installed.packages.python)).clone();
    // Nobody listens any more where the run was ended without a word.
    let _ = found.send(software(env, process, list));
    let place = process.file.as_deref().unwrap_or(&process.folder);
    let State { told, difference } =
        repository::state(env, place).unwrap_or_else(|| State { told: Json::Null, difference: None });
    let origin = json!({
        "program": process.program,
        "words": redacted_arguments(&process.words),
        "folder": process.folder,
        "path": process.path,
        "file": process.file,
        "repository": told,
    });
    let environment = environment(env, process, place);
    let _ = surroundings.send(Surroundings { environment, origin, difference });
}

/// Returns the environment of a program whose code lies at `place`.
pub(crate) fn environment(env: &Env, process: &Process, place: &Path) -> Json {
    let found = installed(env, process);
    json!({
        "interpreter": process.interpreter,
        "program": process.program,
        "system": known_system(env),
        "variables": variables(env),
        "packages": found.packages.versions,
        "sources": found.packages.sources,
        "locks": locks(&process.program, place),
    })
}

/// Returns the system, looked up once.
fn known_system(env: &Env) -> Json {
    let last = SYSTEM.own();
    let mut last = entered(last.lock());
    last.get_or_insert_with(|| system(env)).clone()
}

/// Returns the packages, looked up again where they may have changed.
fn installed(env: &Env, process: &Process) -> Arc<Installed> {
    let last = INSTALLED.own();
    let mut last = entered(last.lock());
    let prefixes = prefixes(env, &process.program);
    let searched = Searched { prefixes, python: process.path.clone(), r: false };
    let meta = searched.prefixes.iter().map(|prefix| prefix.join("conda-meta"));
    let folders = process.path.iter().cloned().chain(meta);
    let changed = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let seen: Vec<Seen> = folders.map(|path| (path.clone(), changed(&path))).collect();
    if let Some((before, found)) = &*last
        && *before == seen
    {
        return Arc::clone(found);
    }
    let found = Arc::new(Installed { packages: packages(&searched), requirements: OnceLock::new() });
    *last = Some((seen, Arc::clone(&found)));
    found
}

/// Returns the digests of the lock files that belong to the code, and to the environment of the program.
fn locks(program: &Path, place: &Path) -> Json {
    let root = repository::root(place);
    let above = place.ancestors().skip(1).take_while(|dir| root.is_none_or(|root| dir.starts_with(root)));
    // Without a repository the folder of the code is all that belongs to it for certain.
    let folders = above.take(if root.is_some() { 64 } else { 1 }).map(Path::to_owned);
    // An environment lies in the folder of its project.
    let own = program.ancestors().nth(3).map(Path::to_owned);
    let mut found = Map::new();
    for folder in folders.chain(own) {
        for name in LOCKS {
            let path = folder.join(name);
            if !found.contains_key(name) && path.is_file() {
                let digest = digest_file(&path).ok().map(|digest| digest.to_hex());
                found.insert(name.to_owned(), digest.into());
            }
        }
    }
    Json::Object(found)
}
