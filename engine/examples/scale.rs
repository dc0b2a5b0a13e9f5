#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::expect_used)]
//! Fills an empty database with a million artifacts and ten million links, asks the ten most common questions, and says how
//! long each took and how the database answered it. `docs/scale.md` tells what came of it.
//!
//! Called again, it asks the questions only.
//!
//! `cargo run --release --example scale -- postgresql://me@host/empty [ARTIFACTS [LINKS_EACH]]`

use std::io::Read;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use holotype::db::{Dialect, Sql};
use holotype::query::Case;
use holotype::{
    Env, InitOptions, Instance, NewArtifact, Q, QuerySet, Record, Result, Timestamp, Value, model, uid,
};

/// Labels that the links lead to: few have many artifacts, many have few.
const LABELS: i64 = 1000;

/// Rounds of a question, of which the median counts.
const ROUNDS: usize = 7;

/// Returns the world around this program, with everything below a folder of its own.
fn environment(home: &std::path::Path) -> Env {
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    };
    let random = |bytes: &mut [u8]| {
        std::fs::File::open("/dev/urandom")
            .and_then(|mut source| source.read_exact(bytes))
            .expect("random bytes");
    };
    Env::new(now, random, home, home)
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("the URL of an empty database");
    let artifacts: i64 = arguments.next().map_or(1_000_000, |n| n.parse().expect("a number"));
    let links: i64 = arguments.next().map_or(10, |n| n.parse().expect("a number"));
    let home = std::env::temp_dir().join("holotype-scale");
    std::fs::create_dir_all(&home).expect("a folder");
    let env = environment(&home);
    let options = InitOptions {
        storage: Some(home.join("store").display().to_string()),
        name: Some("scale".to_owned()),
        db: Some(url).filter(|url| url != "sqlite"),
        ..InitOptions::default()
    };
    let instance = Instance::init(&env, &options)?;
    if !instance.registry("Artifact")?.exists()? {
        fill(&instance, artifacts, links)?;
    }
    questions(&instance, artifacts)?;
    changes(&instance, &home)
}

/// Loads the rows: artifacts in families of up to four versions, content digests, labels and links.
fn fill(instance: &Instance, artifacts: i64, links: i64) -> Result<()> {
    let (env, begun) = (instance.env(), Instant::now());
    let now = env.now();
    let loaded = instance.db().write(|tx| {
        // The relations are right by the way they are made: looking up each of them would take most of the time.
        if instance.db().dialect() == Dialect::Postgres {
            tx.script(&["SET LOCAL session_replication_role = replica".to_owned()])?;
        }
        let columns = [
            "id",
            "uid",
            "name",
            "is_type",
            "is_locked",
            "created_at",
            "updated_at",
            "branch_id",
            "created_on_id",
            "space_id",
            "created_by_id",
        ];
        tx.load("lamindb_ulabel", &columns, |take| {
            (1..=LABELS).try_for_each(|id| {
                let (no, one) = (Value::Bool(false), Value::Int(1));
                let name = format!("label {id:04}");
                take(&[
                    id.into(),
                    uid::random(env, 8).into(),
                    name.into(),
                    no.clone(),
                    no,
                    now.into(),
                    now.into(),
                    one.clone(),
                    one.clone(),
                    one.clone(),
                    one,
                ])
            })
        })?;
        let columns = [
            "id",
            "uid",
            "key",
            "description",
            "suffix",
            "size",
            "hash",
            "_hash_type",
            "is_latest",
            "is_locked",
            "_key_is_virtual",
            "_overwrite_versions",
            "created_at",
            "updated_at",
            "branch_id",
            "created_on_id",
            "space_id",
            "storage_id",
            "created_by_id",
        ];
        let mut stem = String::new();
        tx.load("lamindb_artifact", &columns, |take| {
            (1..=artifacts).try_for_each(|id| {
                let version = (id - 1) % 4;
                if version == 0 {
                    stem = uid::random(env, 16);
                }
                let family = (id - 1) / 4;
                let moment = Timestamp(now.0 - (artifacts - id) * 1_000_000);
                let (yes, one) = (Value::Bool(true), Value::Int(1));
                take(&[
                    id.into(),
                    format!("{stem}000{version}").into(),
                    format!("project{}/plate{}/well{family}.parquet", family % 50, family % 5000).into(),
                    format!("measured on instrument {} by team {}", family % 97, family % 13).into(),
                    ".parquet".into(),
                    (id * 37 % 1_000_000).into(),
                    uid::random(env, 22).into(),
                    "md5".into(),
                    (version == 3 || id == artifacts).into(),
                    false.into(),
                    yes,
                    false.into(),
                    moment.into(),
                    moment.into(),
                    one.clone(),
                    one.clone(),
                    one.clone(),
                    one.clone(),
                    one,
                ])
            })
        })?;
        let columns = ["artifact_id", "digest", "size", "computed_at"];
        tx.load("holotype_content", &columns, |take| {
            (1..=artifacts).try_for_each(|id| {
                take(&[id.into(), format!("{id:064x}").into(), (id * 37 % 1_000_000).into(), now.into()])
            })
        })?;
        let columns = ["artifact_id", "ulabel_id", "created_at", "created_by_id"];
        let linked = tx.load("lamindb_artifactulabel", &columns, |take| {
            for id in 1..=artifacts {
                for nth in 0..links {
                    // Neighbours share few labels, and the first labels have most artifacts.
                    let label = 1 + (id * (2 * nth + 7) + nth * nth * 31) % (LABELS >> (nth % 5));
                    if (0..nth).all(|m| label != 1 + (id * (2 * m + 7) + m * m * 31) % (LABELS >> (m % 5))) {
                        take(&[id.into(), label.into(), now.into(), Value::Int(1)])?;
                    }
                }
            }
            Ok(())
        })?;
        for table in ["lamindb_ulabel", "lamindb_artifact"] {
            tx.renumber(table, 0)?;
        }
        Ok(linked)
    })?;
    println!("loaded {artifacts} artifacts and {loaded} links in {:.1} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let mut tidy = Sql::default();
    tidy.spelled("ANALYZE", "VACUUM (ANALYZE)");
    instance.db().each(&tidy, &mut |_| Ok(()))?;
    println!("gathered statistics in {:.1} s\n", begun.elapsed().as_secs_f64());
    Ok(())
}

fn questions(instance: &Instance, artifacts: i64) -> Result<()> {
    let all = || instance.registry("Artifact")?.visible();
    let middle = instance.by_id(model::require("Artifact")?, artifacts / 2)?;
    let (key, hash) = (middle.text("key").unwrap_or_default(), middle.text("hash").unwrap_or_default());
    let latest = || all()?.filter(Q::is("is_latest", true));
    let newest = latest()?.order_by(["-id"])?.slice(0, Some(20));
    let since = middle.moment("created_at").unwrap_or(Timestamp(0));
    let dated =
        Q::is("created_at__gte", since).and(Q::is("created_at__lt", Timestamp(since.0 + 600_000_000)));
    let label = |name: &str| Q::is("ulabels__name", name);
    ask("one by uid", || instance.get_uid(middle.registry(), middle.uid()).map(drop))?;
    ask("one by key", || instance.get_where(middle.registry(), Q::is("key", key)).map(drop))?;
    show("the newest 20", &newest)?;
    show(
        "20 by the beginning of the key",
        &latest()?.filter(Q::is("key__startswith", "project7/plate1"))?.slice(0, Some(20)),
    )?;
    show("equal content, as every save asks", &all()?.filter(Q::is("hash", hash))?)?;
    show("all versions of one", &instance.registry("Artifact")?.filter(Q::family(middle.stem_uid()))?)?;
    show(
        "20 with a frequent label",
        &latest()?.filter(label("label 0007"))?.order_by(["-id"])?.slice(0, Some(20)),
    )?;
    show(
        "those with two labels, first 20",
        &latest()?.filter(label("label 0007"))?.filter(label("label 0900"))?.slice(0, Some(20)),
    )?;
    show("of ten minutes", &all()?.filter(dated)?)?;
    show("the largest 20", &latest()?.order_by(["-size"])?.slice(0, Some(20)))?;
    ask("how many there are", || latest()?.count().map(drop))?;
    ask("how many have a label", || latest()?.filter(label("label 0007"))?.count().map(drop))?;
    ask("labels of 20", || newest.related("ulabels__name").map(drop))?;
    ask("search in all texts", || all()?.search("well123456", &[], Some(20), Case::Ignored)?.all().map(drop))
}

fn changes(instance: &Instance, home: &std::path::Path) -> Result<()> {
    let mut n = 0;
    ask("save one file", || {
        n += 1;
        let source = home.join("new.txt");
        std::fs::write(&source, format!("content {n}")).expect("a file");
        let mut new =
            instance.artifact(NewArtifact::new(source.display().to_string()).key(format!("new/{n}.txt")))?;
        instance.save_artifact(&mut new)
    })?;
    let newest: Option<Record> = instance.registry("Artifact")?.order_by(["-id"])?.first()?;
    let newest = newest.expect("an artifact");
    ask("give it a label", || instance.link(&newest, "ulabels", &[7]).map(drop))
}

/// Times a question and shows how the database answers it.
fn show(what: &str, query: &QuerySet) -> Result<()> {
    ask(what, || query.all().map(drop))?;
    println!("{}\n", query.explain()?);
    Ok(())
}

fn ask(what: &str, mut question: impl FnMut() -> Result<()>) -> Result<()> {
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        question()?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    println!("## {what}: {:.2} ms", took[ROUNDS / 2].as_secs_f64() * 1000.0);
    Ok(())
}
