//! `init`: a new instance, complete or not at all.

use std::path::Path;
use std::time::Duration;

use super::cloud::Cloud;
use super::ground::Ground;
use super::marker::{Marker, Marking};
use super::name::{self, NameSource, Slug};
use super::root::StorageRoot;
use super::settings::{DatabaseSite, InstanceSettings, UserSettings, bind, find_by_identifier, is_home};
use super::{Instance, level, server};
use crate::db::{Db, Sql, Tx};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::model;
use crate::record::Record;
use crate::uid;
use crate::value::{Kind, Timestamp, Value};

/// What a new instance is made of.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// Storage root; `./storage` when absent.
    pub storage: Option<String>,
    /// Name; derived when absent.
    pub name: Option<String>,
    /// URL of a database server.
    pub db: Option<String>,
    /// Modules.
    pub modules: Vec<String>,
}

impl Instance {
    /// Initialises an instance, or connects when one of that name can be loaded.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for bad names and roots, [`ErrorKind::StorageAlreadyManaged`] when the location belongs to
    /// another instance, [`ErrorKind::Unsupported`] for modules, databases and storage that this version lacks.
    pub fn init(env: &Env, options: &InitOptions) -> Result<Instance> {
        let storage = options.storage.as_deref().unwrap_or(name::DEFAULT_STORAGE);
        let root = StorageRoot::parse(env, storage)?;
        for module in &options.modules {
            if module != "bionty" {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("Module '{module}' is not known: this version has the module bionty"),
                ));
            }
        }
        let ground = Ground::of(env, &root)?;
        let user = UserSettings::current(env)?;
        let (name, source) =
            name::derive(options.name.as_deref(), options.db.as_deref(), storage, &root, &env.cwd)?;
        if source == NameSource::Database {
            env.emit(Event::NameFromDatabase);
        }
        let slug = Slug::new(&user.handle, name);
        let known = find_by_identifier(env, &slug.to_string())?;
        if let Some(settings) = &known {
            let silent = env.clone().with_voice(|_| {});
            let named = settings.with_named_database(&silent);
            // A server tells by itself that it lacks the database, or the database its tables.
            let there = match (named.database(env)?, Cloud::of(env, &named, &user)?) {
                (DatabaseSite::Postgres(url), _) => server::holds_tables(env, &url)?,
                (_, Some(cloud)) => cloud.exists()?,
                (_, None) => named.sqlite_path(env)?.is_some_and(|path| path.exists()),
            };
            if there {
                if options.storage.is_some() && settings.storage_root != root.as_str() {
                    env.emit(Event::Warning(format!(
                        "instance {slug} is there already, with its content at {}: {root} is not used; pass another name to \
                         make a new instance",
                        settings.storage_root
                    )));
                }
                let instance = Instance::connect_and_hold(env, settings, Duration::ZERO)?;
                bind_here(env, settings);
                return Ok(instance);
            }
            env.emit(Event::Reinitializing { id: settings.id.clone() });
        }
        let mut settings = InstanceSettings::new(&slug, &root);
        settings.modules.clone_from(&options.modules);
        settings.db.clone_from(&options.db);
        let id = env.var("LAMINDB_INSTANCE_ID_INIT").map(|id| id.replace('-', ""));
        if let Some(id) = id {
            settings.id = id;
        }
        settings.storage_region = ground.region()?;
        let undo = Undo::new(&ground, known.is_some());
        let made = make(env, &settings, &user, &ground);
        if made.is_err() {
            undo.run(env, &settings);
        }
        let made = made?;
        bind_here(env, &settings);
        let instance = Instance::open(env, &settings, &user)?;
        instance.hold_first()?;
        env.emit(match made {
            Made::Anew => Event::Initialized { slug: slug.to_string(), dir: env.cwd.clone() },
            Made::Found => Event::Connected { slug: slug.to_string() },
        });
        Ok(instance)
    }
}

/// Binds the working directory to the instance. The home directory is never bound: there the instance becomes the current
/// one wherever no directory says otherwise.
fn bind_here(env: &Env, settings: &InstanceSettings) {
    let slug = settings.slug();
    let bound = match is_home(env, &env.cwd) {
        true => settings.save_as_global(env),
        false => bind(env, &env.cwd, &slug).map(drop),
    };
    // The instance is complete: a directory that cannot be written only costs the short way to it.
    if let Err(error) = bound {
        env.emit(Event::Warning(format!("could not bind {} to {slug}: {error}", env.cwd.display())));
    }
}

/// What a failed `init` takes away again.
struct Undo<'a> {
    /// A folder, where the location is one, that was not there before.
    made: Option<&'a Path>,
    /// Whether there were settings before, which lead to what is left of the instance.
    known: bool,
}

impl Undo<'_> {
    fn new(ground: &Ground, known: bool) -> Undo<'_> {
        Undo {
            known,
            made: match ground {
                Ground::Folder(folder) if !folder.exists() => Some(folder),
                _ => None,
            },
        }
    }

    fn run(&self, env: &Env, settings: &InstanceSettings) {
        if !self.known {
            settings.delete(env).ok();
        }
        if let Some(folder) = self.made {
            std::fs::remove_dir(folder.join(".lamindb")).ok();
            std::fs::remove_dir(folder).ok();
        }
    }
}

/// Where the database of an instance without settings comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Anew,
    /// It was there: a former init was killed before it wrote the settings, or another home holds them.
    Found,
}

fn make(env: &Env, settings: &InstanceSettings, user: &UserSettings, ground: &Ground) -> Result<Made> {
    ground.prepare()?;
    let site = settings.database(env)?;
    let cloud = Cloud::of(env, settings, user)?;
    let marked = ground.marker()?;
    if let Some(other) =
        marked.as_ref().filter(|found| found.instance_id.as_deref() != Some(settings.id.as_str()))
    {
        return Err(already_managed(settings, ground, other));
    }
    let begun = match (&site, &cloud) {
        (_, Some(cloud)) => cloud.begun(|path| begun(path, settings))?,
        (DatabaseSite::Sqlite(path), None) if path.exists() => begun(path, settings),
        _ => None,
    };
    let found = begun.is_some();
    let storage_uid = match (marked, begun, env.var("LAMINDB_STORAGE_LNID_INIT")) {
        // A former init of this very instance that did not get to its database.
        (Some(found), ..) => found.storage_uid,
        (None, Some(uid), _) => uid,
        (None, None, Some(uid)) => uid.to_owned(),
        (None, None, None) => uid::random(env, 12),
    };
    let mut marker = Marker::new(&storage_uid, &settings.slug(), &settings.id);
    if found {
        finish(env, settings, ground, &marker)?;
        return Ok(Made::Found);
    }
    let build = |path: &Path| make_file(env, settings, user, path, &storage_uid);
    match (site, cloud) {
        (DatabaseSite::Postgres(url), _) => marker = server::make(env, &url, settings, user, marker)?,
        (_, Some(cloud)) => cloud.make(build)?,
        (DatabaseSite::Sqlite(path), None) => {
            build(&path)?;
            return finish(env, settings, ground, &marker).map(|()| Made::Anew).inspect_err(|_| {
                std::fs::remove_file(&path).ok();
            });
        }
        (DatabaseSite::CloudSqlite(_), None) => {}
    }
    finish(env, settings, ground, &marker)?;
    Ok(Made::Anew)
}

fn already_managed(settings: &InstanceSettings, ground: &Ground, found: &Marker) -> Error {
    let slug = found.instance_slug.as_deref().unwrap_or("that instance");
    let way_out = match ground {
        _ if settings.db.is_some() => {
            format!("choose another location, or to work with {slug}, connect with the URL of its database.")
        }
        Ground::Folder(_) => format!("connect to {slug} or choose another folder."),
        Ground::Bucket(_) => {
            format!("choose another location, or to work with {slug}, run: lamin connect {}", ground.name())
        }
    };
    Error::new(
        ErrorKind::StorageAlreadyManaged,
        format!(
            "Storage location {} is already marked with uid {}, meaning that it is managed by another LaminDB instance -- \
             {way_out}",
            ground.name(),
            found.storage_uid,
        ),
    )
}

/// Returns the uid of the default location that the database at `path` holds, if that is the database of these settings.
fn begun(path: &Path, settings: &InstanceSettings) -> Option<String> {
    // Whatever is wrong with the file: it is none that an init of this instance has made.
    let db = Db::inspect(path).ok()?;
    level::check(&db, &path.display().to_string()).ok()?;
    let mut sql = Sql::new("SELECT \"uid\" FROM \"lamindb_storage\" WHERE \"root\" = ");
    sql.bind(settings.storage_root.as_str()).push(" AND \"instance_uid\" = ").bind(settings.uid());
    db.scalar(&sql, Kind::Text).ok()??.as_str().map(str::to_owned)
}

/// Makes the SQLite file.
fn make_file(
    env: &Env,
    settings: &InstanceSettings,
    user: &UserSettings,
    path: &Path,
    storage_uid: &str,
) -> Result<()> {
    if path.exists() {
        return Err(Error::new(
            ErrorKind::FileExists,
            format!(
                "{} exists already but belongs to no instance known here: move it away first",
                path.display()
            ),
        ));
    }
    // The database is built beside its place and renamed, so that a killed init leaves none rather than half of one.
    let draft = path.with_file_name(format!(".lamin.db.{}.holotype-tmp", uid::random(env, 8)));
    let built = Db::draft(&draft, |tx| fill(env, tx, settings, user, storage_uid));
    let placed = built.and_then(|()| std::fs::rename(&draft, path).map_err(|error| Error::io(path, error)));
    if placed.is_err() {
        std::fs::remove_file(&draft).ok();
    }
    placed
}

/// Marks the location and writes the settings: the instance is there.
fn finish(env: &Env, settings: &InstanceSettings, ground: &Ground, marker: &Marker) -> Result<()> {
    if let Marking::Other(found) = ground.mark(env, marker)? {
        return Err(already_managed(settings, ground, &found));
    }
    settings.save(env)
}

pub(super) fn fill(
    env: &Env,
    tx: &Tx<'_>,
    settings: &InstanceSettings,
    user: &UserSettings,
    storage_uid: &str,
) -> Result<()> {
    let now = env.now();
    for (app, name, applied) in level::rows() {
        put(tx, "Migration", &[("app", app.into()), ("name", name.into()), ("applied", applied.into())])?;
    }
    // The date of this row is part of the format: it never changes from instance to instance.
    let everyone = Timestamp::parse("2026-02-17 23:10:20.725");
    put(
        tx,
        "Space",
        &[
            ("id", Value::Int(1)),
            ("name", "all".into()),
            ("uid", "aaaaaaaaaaaa".into()),
            ("description", "Every team & user with access to the instance has access.".into()),
            ("created_at", everyone.into()),
        ],
    )?;
    put(
        tx,
        "User",
        &[
            ("id", Value::Int(1)),
            ("uid", user.uid.as_str().into()),
            ("handle", user.handle.as_str().into()),
            ("name", user.name.clone().into()),
            ("created_at", now.into()),
            ("updated_at", now.into()),
        ],
    )?;
    let branches = [
        (-1, "trash", "tttttttttttt", "The trash."),
        (0, "archive", "aaaaaaaaaaaa", "The archive."),
        (1, "main", "mmmmmmmmmmmm", "The main & default branch of the instance."),
    ];
    for (id, name, uid, description) in branches {
        put(
            tx,
            "Branch",
            &[
                ("id", Value::Int(id)),
                ("name", name.into()),
                ("uid", uid.into()),
                ("description", description.into()),
                ("created_at", now.into()),
                ("space", Value::Int(1)),
                ("created_by", Value::Int(1)),
                ("_status_code", Value::Int(0)),
            ],
        )?;
    }
    let shared: Vec<(&str, Value)> = vec![
        ("is_locked", false.into()),
        ("created_at", now.into()),
        ("updated_at", now.into()),
        ("branch", Value::Int(1)),
        ("created_on", Value::Int(1)),
        ("space", Value::Int(1)),
        ("created_by", Value::Int(1)),
    ];
    let mut storage: Vec<(&str, Value)> = vec![
        ("id", Value::Int(1)),
        ("uid", storage_uid.into()),
        ("root", settings.storage_root.as_str().into()),
        ("type", settings.root()?.protocol().as_str().into()),
        ("region", settings.storage_region.clone().into()),
        ("instance_uid", settings.uid().into()),
    ];
    storage.extend(shared.clone());
    put(tx, "Storage", &storage)?;
    if settings.modules.iter().any(|module| module == "bionty") {
        for line in include_str!("data/bionty_sources.tsv").lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let text = |i: usize| Value::from(cells.get(i).copied().filter(|cell| !cell.is_empty()));
            let flag = |i: usize| Value::Bool(cells.get(i) == Some(&"1"));
            let mut source: Vec<(&str, Value)> = vec![
                ("uid", text(0)),
                ("entity", text(1)),
                ("organism", text(2)),
                ("name", text(3)),
                ("version", text(4)),
                ("in_db", flag(5)),
                ("currently_used", flag(6)),
                ("description", text(7)),
                ("url", text(8)),
                ("md5", text(9)),
                ("source_website", text(10)),
            ];
            source.extend(shared.clone());
            put(tx, "bionty.Source", &source)?;
        }
    }
    Ok(())
}

fn put(tx: &Tx<'_>, registry: &str, fields: &[(&str, Value)]) -> Result<()> {
    let mut record = Record::empty(model::require(registry)?);
    for (name, value) in fields {
        record.set(name, value.clone())?;
    }
    crate::write::insert(tx, &record).map(|_| ())
}
