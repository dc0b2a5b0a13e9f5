#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::expect_used)]
//! Registers the files named on the command line in an instance below the working directory.
//!
//! `cargo run --example register -- results.csv more.txt`

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use holotype::{Env, InitOptions, Instance, NewArtifact, Result, Timestamp};

/// Returns the world around this program: the engine reaches for nothing by itself.
fn environment() -> Env {
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    };
    let random = |bytes: &mut [u8]| {
        std::fs::File::open("/dev/urandom")
            .and_then(|mut source| source.read_exact(bytes))
            .expect("random bytes");
    };
    let home = std::env::var("HOME").unwrap_or_default();
    let cwd = std::env::current_dir().unwrap_or_default();
    Env::new(now, random, home, cwd).with_vars(std::env::vars()).with_voice(|event| println!("{event:?}"))
}

fn main() -> Result<()> {
    let instance = Instance::init(&environment(), &InitOptions::default())?;
    for path in std::env::args().skip(1) {
        let mut artifact = instance.artifact(NewArtifact::new(&path).key(&path))?;
        instance.save_artifact(&mut artifact)?;
        println!("{}", artifact.record.repr());
        println!("{}", instance.cache(&artifact.record)?.display());
    }
    Ok(())
}
