//! Verifying, repairing and collecting content: whatever happens to it is found, and nothing that is needed goes.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "tests say what they measured")]

#[path = "../proof/mod.rs"]
mod proof;

mod collect;
mod repair;
mod unnamed;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};

use holotype::care::{Depth, Verification};
use holotype::testing::Scratch;
use holotype::{Instance, NewArtifact, Record};

/// An instance with a few artifacts of every kind.
struct Lab {
    scratch: Scratch,
}

impl Lab {
    fn new() -> Lab {
        let scratch = Scratch::new().unwrap();
        scratch.instance().with_creation(|creation| creation.silence_missing_run = true).unwrap();
        Lab { scratch }
    }

    fn instance(&self) -> &Instance {
        self.scratch.instance()
    }

    fn file(&self, key: &str, content: impl AsRef<[u8]>) -> Record {
        let source = self.scratch.file(&format!("src/{key}"), content).unwrap();
        self.save(&source, key)
    }

    fn folder(&self, key: &str, files: &[(&str, &[u8])]) -> Record {
        for (name, content) in files {
            self.scratch.file(&format!("src/{key}/{name}"), content).unwrap();
        }
        self.save(&self.scratch.dir().join("work/src").join(key), key)
    }

    fn save(&self, source: &Path, key: &str) -> Record {
        proof::save(self.instance(), NewArtifact::new(source.to_str().unwrap()).key(key)).unwrap()
    }

    fn path(&self, record: &Record) -> PathBuf {
        self.instance().artifact_path(record).unwrap()
    }

    fn verify(&self, depth: Depth) -> Verification {
        self.instance().verify(&self.instance().registry("Artifact").unwrap(), depth).unwrap()
    }

    /// Returns what is wrong as `key: state, detail`.
    fn wrong(&self, depth: Depth) -> Vec<String> {
        let key = |record: &Record| record.text("key").unwrap_or_default().to_owned();
        let found = self.verify(depth).wrong;
        found.iter().map(|f| format!("{}: {}, {}", key(&f.artifact), f.state.name(), f.detail)).collect()
    }

    fn fresh(&self, record: &Record) -> Record {
        self.instance().by_id(record.registry(), record.id().unwrap()).unwrap()
    }

    /// Runs a statement behind the engine's back, as another program would.
    fn behind(&self, sql: &str) {
        self.scratch.connect(9).unwrap().0.db().script(&[sql.to_owned()]).unwrap();
    }
}

/// Changes one bit of a file, and nothing that its size or time would tell.
fn flip(path: &Path, at: u64) {
    let mut bytes = fs::read(path).unwrap();
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    bytes[at as usize] ^= 1 << (at % 8);
    fs::write(path, bytes).unwrap();
    fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}
