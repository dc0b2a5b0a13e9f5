//! Finding the record that a command is about, and showing records to programs.

use clap::Args;
use holotype::model::{self, Registry};
use holotype::query::lookup;
use holotype::{ErrorKind, Instance, Q, Record};
use serde_json::{Map, Value as Json};

use crate::entity;
use crate::error::{Failure, Result};
use crate::link::{self, Link};
use crate::ui::Ui;

/// How a record is named on the command line.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Which {
    /// The uid or its beginning; without the version, the latest version is meant
    #[arg(long)]
    pub uid: Option<String>,
    /// The key
    #[arg(long)]
    pub key: Option<String>,
    /// The name
    #[arg(long)]
    pub name: Option<String>,
}

/// Where to look for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// On the present branch and on main.
    Visible,
    /// In the trash as well, when nothing is visible.
    WithTrash,
}

impl Which {
    /// Returns true when nothing names a record.
    pub fn is_empty(&self) -> bool {
        self.uid.is_none() && self.key.is_none() && self.name.is_none()
    }

    /// Returns the field that is compared and its value.
    fn field(&self, registry: &'static Registry) -> Result<(&'static str, &str)> {
        let named = [("uid", &self.uid), ("key", &self.key), ("name", &self.name)];
        let mut given = named.into_iter().filter_map(|(field, value)| Some((field, value.as_deref()?)));
        match (given.next(), given.next()) {
            (Some(("name", value)), None) => Ok((name_field(registry), value)),
            (Some(one), None) => Ok(one),
            (None, _) => {
                Err(Failure::Usage("Pass --uid, --key or --name to say which record is meant".to_owned()))
            }
            (Some(_), Some(_)) => Err(Failure::Usage("Pass only one of --uid, --key and --name".to_owned())),
        }
    }

    /// Returns the record.
    ///
    /// # Errors
    /// A message that names the missing record; [`Failure::Usage`] when nothing says which one is meant.
    pub fn find(&self, instance: &Instance, registry: &'static Registry, scope: Scope) -> Result<Record> {
        let (field, value) = self.field(registry)?;
        let found = match field {
            "uid" => instance.get_uid(registry, value),
            _ => instance.get_where(registry, Q::is(field, value)),
        };
        match found {
            Err(error) if error.kind() == ErrorKind::DoesNotExist => {
                let trashed = match scope {
                    Scope::WithTrash if field != "uid" => trashed(instance, registry, field, value)?,
                    _ => None,
                };
                trashed.ok_or_else(|| {
                    Failure::Told(format!("{} with {field}={value} does not exist.", registry.name))
                })
            }
            found => Ok(found?),
        }
    }
}

/// Returns the field that `--name` means.
fn name_field(registry: &'static Registry) -> &'static str {
    if registry.column("name").is_some() { "name" } else { registry.name_field.unwrap_or("name") }
}

/// Returns the record that was trashed last.
fn trashed(
    instance: &Instance,
    registry: &'static Registry,
    field: &str,
    value: &str,
) -> Result<Option<Record>> {
    if !registry.traits.branch_aware {
        return Ok(None);
    }
    let in_trash = Q::is(lookup::unalias(registry, field), value).and(Q::trashed());
    Ok(instance.query(registry).filter(in_trash)?.order_by(["-updated_at", "-id"])?.first()?)
}

/// A record with the instance that it was found in.
pub(crate) struct Found {
    pub instance: Instance,
    pub record: Record,
}

/// Returns the record that an entity or URL and `which` name; the instance of a URL is connected for it.
pub(crate) fn find(ui: &Ui, entity: &str, which: &Which, scope: Scope) -> Result<Found> {
    if let Some(Link { instance, registry, uid }) = link::parse(entity) {
        let instance = ui.work_with(Instance::connect_to(ui.env(), &instance)?);
        let which = Which { uid: Some(uid), ..Which::default() };
        let record = which.find(&instance, registry, scope)?;
        return Ok(Found { instance, record });
    }
    let registry = entity::require(entity)?;
    // What is wrong with the arguments is said before anything is opened.
    let current = registry.name == "Branch" && which.is_empty();
    if !current {
        which.field(registry)?;
    }
    let instance = ui.connect()?;
    let record = match current {
        true => instance.by_id(registry, instance.branch_id())?,
        false => which.find(&instance, registry, scope)?,
    };
    Ok(Found { instance, record })
}

/// Returns the record of a registry with this name or uid; the branch filter applies.
pub(crate) fn by_name_or_uid(instance: &Instance, registry: &str, text: &str) -> Result<Option<Record>> {
    let registry = model::require(registry)?;
    let condition = Q::is(name_field(registry), text).or(Q::is("uid", text));
    Ok(instance.query(registry).filter(condition)?.visible()?.order_by(["id"])?.first()?)
}

/// Returns a record as programs read it: id, uid, and every other public field.
pub(crate) fn json(record: &Record) -> Json {
    let registry = record.registry();
    let first = ["id", "uid"].into_iter().filter_map(|name| registry.position(name));
    let shown = first.chain(Record::shown_columns(registry)).chain(0..registry.columns.len());
    let mut map = Map::new();
    for i in shown.filter(|i| !registry.columns[*i].private()) {
        map.entry(registry.columns[i].column).or_insert_with(|| record.values()[i].clone().into_json());
    }
    if let Some(version) = record.version() {
        map.insert("version".to_owned(), Json::from(version));
    }
    Json::Object(map)
}

/// Returns true for a path or key whose suffix is that of a script or notebook.
pub(crate) fn is_source(path: &str) -> bool {
    [".py", ".ipynb", ".R", ".Rmd", ".qmd", ".sh"].iter().any(|suffix| path.ends_with(suffix))
}

/// Returns the status of a record in words; `None` where its registry has none.
pub(crate) fn status(record: &Record) -> Option<&'static str> {
    record.registry().status_word(record.int("_status_code")?)
}

/// Returns what a message calls a record: its key, its name, else its uid.
pub(crate) fn caption(record: &Record) -> String {
    let named = ["key", "name"].into_iter().chain(record.registry().name_field);
    named.filter_map(|field| record.text(field)).next().unwrap_or(record.uid()).to_owned()
}
