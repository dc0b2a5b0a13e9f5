//! Connecting: settings to a handle, with older layouts renamed and unknown databases refused.

use std::path::Path;
use std::time::Duration;

use super::cloud::Cloud;
use super::join::find_or_join;
use super::marker::{self, Legacy};
use super::settings::{InstanceSettings, Slot, UserSettings, bind, chosen, current_instance};
use super::{Instance, identity, level, migrate, own_tables};
use crate::db::{Db, Dialect, Sql};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::session::Session;
use crate::value::{Kind, Value};

impl Instance {
    /// Connects to the current instance, by environment variable, directory or settings; `None` when there is none.
    pub fn connect_current(env: &Env) -> Result<Option<Instance>> {
        match current_instance(env)? {
            Some(found) => Instance::connect(env, &found.settings).map(Some),
            None => Ok(None),
        }
    }

    /// Connects to an instance by name, `owner/name` or URL, as [`find_or_join`] understands them.
    ///
    /// # Errors
    /// [`ErrorKind::InstanceNotFound`] for an unknown one, [`ErrorKind::ConnectWithinDevDir`] inside the directory of
    /// another instance.
    pub fn connect_to(env: &Env, identifier: &str) -> Result<Instance> {
        let settings = find_or_join(env, identifier)?;
        Instance::connect(env, &settings)
    }

    /// Connects to the instance that `settings` describe.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when the database is gone, [`ErrorKind::UnknownDatabase`] when it cannot be read
    /// by this version; it is left untouched then.
    pub fn connect(env: &Env, settings: &InstanceSettings) -> Result<Instance> {
        let user = UserSettings::current(env)?;
        let instance = Instance::open(env, &settings.with_named_database(env), &user)?;
        env.emit(Event::Connected { slug: settings.slug().to_string() });
        Ok(instance)
    }

    /// Connects to the instance that `settings` describe and keeps its lock, where it has one, until somebody disconnects.
    ///
    /// # Errors
    /// As [`Instance::connect`] and [`Instance::hold`].
    pub fn connect_and_hold(env: &Env, settings: &InstanceSettings, patience: Duration) -> Result<Instance> {
        let user = UserSettings::current(env)?;
        let instance = Instance::open(env, &settings.with_named_database(env), &user)?;
        instance.hold(patience)?;
        env.emit(Event::Connected { slug: settings.slug().to_string() });
        Ok(instance)
    }

    pub(super) fn open(env: &Env, settings: &InstanceSettings, user: &UserSettings) -> Result<Instance> {
        let root = settings.root()?;
        if let Some(folder) = root.local_path().filter(|folder| folder.is_dir()) {
            adopt_older_layout(env, folder, &settings.id)?;
        }
        let cloud = Cloud::of(env, settings, user)?;
        let open = || {
            let db = open_database(env, settings)?;
            let place = || match &cloud {
                Some(cloud) => Ok(cloud.url().to_owned()),
                None => settings.shown_database(env),
            };
            migrate::refuse_unused(&db, place)?;
            Ok(db)
        };
        let db = match &cloud {
            Some(cloud) => cloud.open(open)?,
            None => {
                let db = open()?;
                own_tables::add(&db)?;
                if db.dialect() == Dialect::Postgres {
                    identity::keep(&db, settings)?;
                }
                db
            }
        };
        let instance = Instance::new(Session::new(db, env.clone()), settings.clone(), cloud);
        instance.adopt_user(user)?;
        instance.adopt_choices()?;
        instance.adopt_storage()?;
        instance.local_choice()?;
        Ok(instance)
    }

    /// Finds or makes the row of the current user and keeps its handle and name up to date.
    pub(super) fn adopt_user(&self, user: &UserSettings) -> Result<()> {
        let registry = model::require("User")?;
        let query = self.query(registry);
        // Where no service gives uids out, every machine draws its own for a handle: within an instance, the handle is who
        // somebody is.
        let found = match query.filter(Q::is("uid", user.uid.as_str()))?.first()? {
            None => query.filter(Q::is("handle", user.handle.as_str()))?.first()?,
            found => found,
        };
        let record = match found {
            Some(mut record) => {
                let same = record.text("handle") == Some(user.handle.as_str())
                    && (user.name.is_none() || record.text("name") == user.name.as_deref());
                if !same && self.db().writes_in_passing() {
                    record.set("handle", user.handle.as_str())?;
                    record.set("name", user.name.clone())?;
                    record.set("updated_at", self.env().now())?;
                    self.save(&mut record)?;
                }
                record
            }
            None if self.db().read_only() => self.query(registry).order_by(["id"])?.one_or_first()?,
            None => {
                let mut record = Record::empty(registry);
                record.set("uid", user.uid.as_str())?;
                record.set("handle", user.handle.as_str())?;
                record.set("name", user.name.clone())?;
                match (self.save(&mut record), &self.cloud) {
                    (Err(error), Some(cloud)) if error.kind() == ErrorKind::InstanceLocked => {
                        cloud.admit_as_guest();
                        self.query(registry).order_by(["id"])?.one_or_first()?
                    }
                    // Who may only read is nobody that the instance has to know.
                    (Err(error), Some(_)) if error.kind() == ErrorKind::PermissionDenied => {
                        self.query(registry).order_by(["id"])?.one_or_first()?
                    }
                    (saved, _) => saved.map(|()| record)?,
                }
            }
        };
        self.with_context(|context| context.user = record.id().unwrap_or(1));
        Ok(())
    }

    fn adopt_choices(&self) -> Result<()> {
        let slug = self.settings().slug();
        for (slot, registry) in [(Slot::Branch, "Branch"), (Slot::Space, "Space")] {
            let Some(choice) = chosen(self.env(), slot, &slug)? else { continue };
            let found =
                self.query(model::require(registry)?).filter(Q::is("uid", choice.uid.as_str()))?.first()?;
            let Some(id) = found.and_then(|record| record.id()) else { continue };
            self.with_context(|context| match slot {
                Slot::Branch => context.branch = id,
                Slot::Space => context.space = id,
            });
        }
        Ok(())
    }

    fn adopt_storage(&self) -> Result<()> {
        let root = self.settings().storage_root;
        let storage = self.query(model::require("Storage")?).filter(Q::is("root", root.as_str()))?.first()?;
        let id = storage.and_then(|record| record.id()).ok_or_else(|| unknown_storage(&root))?;
        self.with_context(|context| context.storage = id);
        Ok(())
    }

    /// Binds a directory to this instance, so that commands and notebooks below it find it.
    pub fn bind_directory(&self, dir: &Path) -> Result<()> {
        bind(self.env(), dir, &self.settings().slug()).map(|_| ())
    }
}

/// Opens the database of an instance once it is known to be one of this level with this default location.
fn open_database(env: &Env, settings: &InstanceSettings) -> Result<Db> {
    let check = |db: &Db, place: &str| {
        level::check(db, place).and_then(|()| check_storage(db, &settings.storage_root))
    };
    let Some(path) = settings.sqlite_path(env)? else {
        let db = settings.connect_database(env)?;
        check(&db, &settings.shown_database(env)?)?;
        return Ok(db);
    };
    migrate::refuse_moved(&path)?;
    let place = path.display().to_string();
    let db = Db::open_checked(&path, |db| check(db, &place))?;
    if db.rollback_journal() {
        env.emit(Event::RollbackJournal { path: place });
    }
    Ok(db)
}

/// Refuses a database that does not know the location it lies in; nothing is written.
pub(super) fn check_storage(db: &Db, root: &str) -> Result<()> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM \"lamindb_storage\" WHERE \"root\" = ");
    sql.bind(root);
    match db.scalar(&sql, Kind::Int)?.and_then(|n| Value::as_int(&n)) {
        Some(n) if n > 0 => Ok(()),
        _ => Err(unknown_storage(root)),
    }
}

fn unknown_storage(root: &str) -> Error {
    Error::new(
        ErrorKind::UnknownDatabase,
        format!(
            "The database does not know its own storage location {root}: was the folder moved? Connect with the root it was made with"
        ),
    )
}

/// Renames what an older release named otherwise; a database that is refused keeps its name.
fn adopt_older_layout(env: &Env, folder: &Path, id: &str) -> Result<()> {
    let renames = marker::plan_renames(folder, id)?;
    // The release that knows the old names must still find them when this one cannot read the database.
    for rename in renames.iter().filter(|rename| rename.what == Legacy::Database) {
        level::check(&Db::inspect(&rename.from)?, &rename.from.display().to_string())?;
    }
    renames.iter().try_for_each(|rename| rename.apply(env))
}
