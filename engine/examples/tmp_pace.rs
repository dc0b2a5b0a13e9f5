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
    let mut env = environment();
    env = env.with_voice(|_| {});
    let t = std::time::Instant::now();
    let instance = Instance::init(&env, &InitOptions::default())?;
    println!("init {:?}", t.elapsed());
    for durable in [true, false] {
        instance.with_creation(|c| {
            c.durable = durable;
            c.silence_missing_run = true;
        })?;
        let t = std::time::Instant::now();
        for i in 0..1000 {
            let path = format!("in/f{i}-{durable}.txt");
            std::fs::create_dir_all("in").unwrap();
            std::fs::write(&path, format!("content {i} {durable}")).unwrap();
            let mut a = instance.artifact(NewArtifact::new(&path).key(&path))?;
            instance.save_artifact(&mut a)?;
        }
        println!("1000 saves durable={durable} {:?}", t.elapsed());
    }
    std::fs::create_dir_all("many").unwrap();
    for i in 0..10000 {
        std::fs::write(format!("many/g{i}.txt"), format!("many {i}")).unwrap();
    }
    for durable in [true] {
        instance.with_creation(|c| c.durable = durable)?;
        let t = std::time::Instant::now();
        let mut all = instance.artifacts_from_dir("many", None, holotype::RunChoice::None)?;
        println!("from_dir {:?}", t.elapsed());
        instance.save_artifacts(&mut all)?;
        println!("from_dir+save 10000 durable={durable} {:?}", t.elapsed());
    }
    let t = std::time::Instant::now();
    let mut a = instance.artifact(NewArtifact::new("many").key("manyfolder"))?;
    instance.save_artifact(&mut a)?;
    println!("folder of 10000 {:?}", t.elapsed());
    let reg = holotype::model::require("Artifact")?;
    let t = std::time::Instant::now();
    for i in 0..1000 {
        instance.get_where(reg, holotype::Q::is("key", format!("many/g{i}.txt")))?;
    }
    println!("1000 get {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let cols: Vec<&str> = reg.columns.iter().map(|c| c.column).collect();
    let table = instance.query(reg).table(cols)?;
    println!("table {} {:?}", table.rows, t.elapsed());
    Ok(())
}
