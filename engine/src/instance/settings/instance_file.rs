//! What this machine knows of an instance: `instance--<owner>--<name>.env` and `current_instance.env`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::cache::cache_dir;
use super::cache_path::database_cache_path;
use super::choice;
use super::dirs::SettingsDir;
use super::dotenv::{DotEnv, Writer};
use super::files::{self, Access};
use crate::db::{Db, masked};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::name::{self, Slug};
use crate::instance::root::StorageRoot;
use crate::uid;

const CURRENT: &str = "current_instance.env";
const HEAD: &str = "instance--";
const REMEDY: &str = "connect to the instance again (remote) or initialise it again with the same name & \
                      storage location (local)";

/// The variable with the URL of a database that replaces any other.
const OVERRIDE: &str = "LAMINDB_DJANGO_DATABASE_URL";

/// Returns the URL of the server's database that instances on PostgreSQL are connected to, if the environment names one.
pub(crate) fn named_database(env: &Env) -> Option<&str> {
    env.var("LAMINDB_INSTANCE_DB").filter(|url| url.starts_with("postgres"))
}

/// The settings of one instance.
#[derive(Clone, PartialEq, Eq)]
pub struct InstanceSettings {
    /// Handle of the account that owns it.
    pub owner: String,
    /// Name.
    pub name: String,
    /// Root of the default storage location, in normal form.
    pub storage_root: String,
    /// Region or host of that location.
    pub storage_region: Option<String>,
    /// URL of the database, or nothing for SQLite inside the storage location.
    pub db: Option<String>,
    /// Modules of registries beside the core.
    pub modules: Vec<String>,
    /// Id: 32 hex digits.
    pub id: String,
    /// Repository that scripts are synchronised with.
    pub git_repo: Option<String>,
    /// Whether artifacts stay in local storage until they are uploaded.
    pub keep_artifacts_local: bool,
    /// URL of a REST service.
    pub api_url: Option<String>,
    /// Id of the schema at an account service.
    pub schema_id: Option<String>,
    /// Whether an account service decides on access row by row.
    pub fine_grained_access: bool,
    /// What the account may do in the database.
    pub db_permissions: Option<String>,
    /// Whether the database is a read-only copy.
    pub is_clone: bool,
    /// URL that the environment names in place of `db`; it is never written.
    pub named: Option<String>,
}

/// Where the database of an instance is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseSite {
    /// A SQLite file of this machine.
    Sqlite(PathBuf),
    /// A SQLite file in a remote storage location: its URL; the working copy is in the cache.
    CloudSqlite(String),
    /// A PostgreSQL database, by URL.
    Postgres(String),
}

impl InstanceSettings {
    /// Returns the settings of an instance whose id follows from its name and whose database is in its storage.
    pub fn new(slug: &Slug, root: &StorageRoot) -> Self {
        InstanceSettings {
            owner: slug.owner.clone(),
            name: slug.name.clone(),
            storage_root: root.as_str().to_owned(),
            storage_region: None,
            db: None,
            modules: Vec::new(),
            id: slug.instance_id(),
            git_repo: None,
            keep_artifacts_local: false,
            api_url: None,
            schema_id: None,
            fine_grained_access: false,
            db_permissions: None,
            is_clone: false,
            named: None,
        }
    }

    /// Returns these settings with the database that the environment names in its place, if it does.
    pub(crate) fn with_named_database(&self, env: &Env) -> Self {
        let on_server = self.db.as_deref().is_some_and(|url| url.starts_with("postgres"));
        let named = match env.var(OVERRIDE) {
            Some(url) => {
                if self.db.as_deref() != Some(url) {
                    env.emit(Event::Warning(format!(
                        "{OVERRIDE} is set: the database of {} is {}",
                        self.slug(),
                        masked(url)
                    )));
                }
                Some(url)
            }
            None => named_database(env).filter(|_| on_server),
        };
        InstanceSettings { named: named.map(str::to_owned), ..self.clone() }
    }

    /// Returns `owner/name`.
    pub fn slug(&self) -> Slug {
        Slug::new(&self.owner, &self.name)
    }

    /// Returns the uid: 12 base62 characters that follow from the id.
    pub fn uid(&self) -> String {
        uid::instance_uid(&self.id)
    }

    /// Returns the default storage location.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a protocol of another version.
    pub fn root(&self) -> Result<StorageRoot> {
        StorageRoot::stored(&self.storage_root)
    }

    /// Returns where the database is.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a storage or database protocol of another version.
    pub fn database(&self, env: &Env) -> Result<DatabaseSite> {
        if let Some(url) = self.named.as_ref().or(self.db.as_ref()) {
            return match url.split_once("://") {
                Some(("sqlite", path)) => {
                    let path = path.strip_prefix('/').unwrap_or(path);
                    Ok(DatabaseSite::Sqlite(env.absolute(path)))
                }
                Some((scheme, _)) if scheme.starts_with("postgres") => {
                    Ok(DatabaseSite::Postgres(url.clone()))
                }
                _ => Err(Error::value(format!(
                    "The database URL of instance {} is of an unknown kind: use postgresql:// or sqlite://",
                    self.slug()
                ))),
            };
        }
        let root = self.root()?;
        let place = root.join(crate::instance::root::DATABASE_KEY);
        Ok(match root.local_path() {
            Some(_) => DatabaseSite::Sqlite(env.absolute(place)),
            None => DatabaseSite::CloudSqlite(place),
        })
    }

    /// Connects to the database of an instance that is on PostgreSQL.
    ///
    /// # Errors
    /// As [`InstanceSettings::database`] and [`Db::connect`]; [`ErrorKind::Value`] for an instance that is on SQLite.
    pub(crate) fn connect_database(&self, env: &Env) -> Result<Db> {
        match self.database(env)? {
            DatabaseSite::Postgres(url) => Db::connect(env, &url),
            _ => Err(Error::value(format!("The database of {} is a file: no server holds it", self.slug()))),
        }
    }

    /// Returns the SQLite file to open, which is a copy in the cache if the storage is remote; nothing on PostgreSQL.
    ///
    /// # Errors
    /// As [`InstanceSettings::database`], and for a cache directory that can't be used.
    pub fn sqlite_path(&self, env: &Env) -> Result<Option<PathBuf>> {
        match self.database(env)? {
            DatabaseSite::Sqlite(path) => Ok(Some(path)),
            DatabaseSite::CloudSqlite(_) => Ok(database_cache_path(&cache_dir(env)?, &self.root()?)),
            DatabaseSite::Postgres(_) => Ok(None),
        }
    }

    /// Returns the URL of the database for people: password and host of a server are `***`.
    ///
    /// # Errors
    /// As [`InstanceSettings::sqlite_path`].
    pub fn shown_database(&self, env: &Env) -> Result<String> {
        Ok(match self.database(env)? {
            DatabaseSite::Postgres(url) => masked(&url),
            _ => {
                let path = self.sqlite_path(env)?.unwrap_or_default();
                format!("sqlite:///{}", path.display())
            }
        })
    }

    /// Returns the path of the settings file.
    pub fn file(env: &Env, slug: &Slug) -> PathBuf {
        SettingsDir::of(env).file(&format!("{HEAD}{}--{}.env", slug.owner, slug.name))
    }

    /// Returns the settings of an instance, or nothing if this machine does not know it.
    ///
    /// # Errors
    /// [`ErrorKind::SettingsOutdated`] for a damaged file.
    pub fn find(env: &Env, slug: &Slug) -> Result<Option<Self>> {
        if slug.owner.contains(['/', '\0']) || slug.name.contains(['/', '\0']) {
            return Ok(None);
        }
        // `a--b/c` and `a/b--c` share a file name, so the content decides whose it is.
        Ok(Self::read(&Self::file(env, slug))?.filter(|found| found.slug() == *slug))
    }

    /// Returns the settings of an instance.
    ///
    /// # Errors
    /// [`ErrorKind::InstanceNotFound`]; [`ErrorKind::SettingsOutdated`] for a damaged file.
    pub fn load(env: &Env, slug: &Slug) -> Result<Self> {
        Self::find(env, slug)?.ok_or_else(|| instance_not_found(env, slug))
    }

    /// Returns what `current_instance.env` holds.
    ///
    /// # Errors
    /// [`ErrorKind::SettingsOutdated`] for a damaged file.
    pub fn find_global(env: &Env) -> Result<Option<Self>> {
        Self::read(&SettingsDir::of(env).file(CURRENT))
    }

    /// Returns every instance that this machine knows, by file name; a damaged file is told as a warning.
    pub fn list(env: &Env) -> Vec<Self> {
        let dir = SettingsDir::of(env);
        let read = |name: String| match Self::read(&dir.shared_file(&name)) {
            Ok(found) => found,
            Err(error) => {
                env.emit(Event::Warning(error.message().to_owned()));
                None
            }
        };
        dir.names(HEAD, ".env").into_iter().filter_map(read).collect()
    }

    /// Writes the settings file.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] if the file belongs to another instance; [`ErrorKind::Value`] for text that no
    /// settings file can carry; failures of the file system.
    pub fn save(&self, env: &Env) -> Result<()> {
        let path = Self::file(env, &self.slug());
        // A damaged file holds nothing worth keeping; one of another instance does.
        if let Ok(Some(other)) = Self::read(&path)
            && other.slug() != self.slug()
        {
            return Err(Error::integrity(format!(
                "The settings file {} belongs to instance {}: choose another name than {}",
                path.display(),
                other.slug(),
                self.slug()
            )));
        }
        self.write(env, &path)
    }

    /// Writes the settings file and makes the instance the current one wherever no directory says otherwise.
    ///
    /// # Errors
    /// As [`InstanceSettings::save`].
    pub fn save_as_global(&self, env: &Env) -> Result<()> {
        self.save(env)?;
        self.write(env, &SettingsDir::of(env).file(CURRENT))
    }

    /// Removes `current_instance.env` if it names this instance, and returns whether it did.
    ///
    /// # Errors
    /// Failures of the file system.
    pub fn forget_global(env: &Env, slug: &Slug) -> Result<bool> {
        match Self::find_global(env) {
            Ok(Some(global)) if global.slug() == *slug => files::remove(&SettingsDir::of(env).file(CURRENT)),
            _ => Ok(false),
        }
    }

    /// Removes every file about this instance from the settings directory; removing them again is no error.
    ///
    /// # Errors
    /// Failures of the file system.
    pub fn delete(&self, env: &Env) -> Result<()> {
        let slug = self.slug();
        choice::forget_global(env, &slug)?;
        files::remove(&Self::file(env, &slug))?;
        Self::forget_global(env, &slug)?;
        Ok(())
    }

    fn read(path: &Path) -> Result<Option<Self>> {
        let Some(file) = DotEnv::read(path, REMEDY)? else { return Ok(None) };
        let key = |name: &str| format!("lamindb_instance_{name}");
        let id = file.required(&key("id"))?;
        let settings = InstanceSettings {
            owner: file.required(&key("owner"))?,
            name: file.required(&key("name"))?,
            storage_root: file.required(&key("storage_root"))?,
            storage_region: file.nullable(&key("storage_region"))?,
            db: file.nullable(&key("db"))?,
            modules: file.nullable(&key("schema_str"))?.map(|text| parse_modules(&text)).unwrap_or_default(),
            id: uid::parse_instance_id(&id)
                .map_err(|error| file.damaged("has a lamindb_instance_id that is no UUID").because(error))?,
            git_repo: file.nullable(&key("git_repo"))?,
            keep_artifacts_local: file
                .required(&key("keep_artifacts_local"))
                .and_then(|_| file.flag(&key("keep_artifacts_local")))?,
            api_url: file.optional(&key("api_url")),
            schema_id: file.optional(&key("schema_id")),
            fine_grained_access: file.flag(&key("fine_grained_access"))?,
            db_permissions: file.optional(&key("db_permissions")),
            is_clone: file.flag(&key("is_clone"))?,
            named: None,
        };
        match name::check(&settings.name).and_then(|()| settings.root()) {
            Ok(_) if !settings.owner.contains('/') => Ok(Some(settings)),
            Ok(_) => Err(file.damaged("has a '/' in lamindb_instance_owner")),
            Err(error) => Err(file.damaged(&format!("is refused ({error})")).because(error)),
        }
    }

    fn write(&self, env: &Env, path: &Path) -> Result<()> {
        name::check(&self.name)?;
        if self.owner.is_empty() || self.owner.contains('/') {
            return Err(Error::value(format!("'{}' can't own an instance: it is no handle", self.owner)));
        }
        let modules = (!self.modules.is_empty()).then(|| self.modules.join(","));
        let mut file = Writer::default();
        let mut text = |key: &str, value: Option<&str>| file.text(&format!("lamindb_instance_{key}"), value);
        text("owner", Some(&self.owner))?;
        text("name", Some(&self.name))?;
        text("storage_root", Some(&self.storage_root))?;
        text("storage_region", self.storage_region.as_deref())?;
        text("db", self.db.as_deref())?;
        text("schema_str", modules.as_deref())?;
        text("id", Some(&self.id))?;
        text("git_repo", self.git_repo.as_deref())?;
        file.flag("lamindb_instance_keep_artifacts_local", self.keep_artifacts_local)?;
        let mut text = |key: &str, value: Option<&str>| file.text(&format!("lamindb_instance_{key}"), value);
        text("api_url", self.api_url.as_deref())?;
        text("schema_id", self.schema_id.as_deref())?;
        file.flag("lamindb_instance_fine_grained_access", self.fine_grained_access)?;
        file.text("lamindb_instance_db_permissions", self.db_permissions.as_deref())?;
        file.flag("lamindb_instance_is_clone", self.is_clone)?;
        // A database URL carries a password.
        let access = if self.db.is_some() { Access::Private } else { Access::Shared };
        files::write(env, path, &file.finish(), access)
    }
}

impl fmt::Debug for InstanceSettings {
    /// Writes which instance it is; the password of its database stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceSettings")
            .field("slug", &self.slug().to_string())
            .field("id", &self.id)
            .field("storage_root", &self.storage_root)
            .field("db", &self.db.as_deref().map(masked))
            .finish_non_exhaustive()
    }
}

/// Returns the error for an instance that this machine does not know.
pub fn instance_not_found(env: &Env, slug: &Slug) -> Error {
    let path = InstanceSettings::file(env, slug);
    let why = if slug.owner == "anonymous" {
        ": It is not possible to load an anonymous-owned instance from the hub"
    } else {
        ""
    };
    Error::new(
        ErrorKind::InstanceNotFound,
        format!(
            "'{slug}' not found{why}. There is no settings file {}: check owner and name, or initialise the instance.",
            path.display()
        ),
    )
}

/// Returns the modules of a comma-separated list, without blanks and repetitions.
pub fn parse_modules(text: &str) -> Vec<String> {
    let mut modules: Vec<String> = Vec::new();
    for module in text.split(',').map(str::trim).filter(|module| !module.is_empty()) {
        if !modules.iter().any(|known| known == module) {
            modules.push(module.to_owned());
        }
    }
    modules
}
