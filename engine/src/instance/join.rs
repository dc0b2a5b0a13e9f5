//! Getting to know an instance by the bucket that it lies in, whose mark says which instance it is, or by its database.

use super::ground::Ground;
use super::name::Slug;
use super::root::{DATABASE_KEY, StorageRoot};
use super::settings::{InstanceSettings, UserSettings, load_by_identifier, named_database};
use super::{Instance, identity, level};
use crate::db::{Db, masked, without_password};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Module;
use crate::query::Q;
use crate::uid;

/// Returns the instance that an identifier means: a name, `owner/name`, a URL of these, the URL of its PostgreSQL database, or
/// that of the bucket that holds both its database and its content. An instance that this machine does not know yet is known
/// from then on; `LAMINDB_INSTANCE_DB` may name the database of one.
///
/// # Errors
/// [`ErrorKind::InstanceNotFound`] when there is none; what the network reports.
pub fn find_or_join(env: &Env, identifier: &str) -> Result<InstanceSettings> {
    if identifier.starts_with("postgres") && identifier.contains("://") {
        let known = InstanceSettings::list(env);
        return match known.into_iter().find(|settings| settings.db.as_deref() == Some(identifier)) {
            Some(settings) => Ok(settings),
            None => join_database(env, identifier, identifier, |_| Ok(())),
        };
    }
    if let Some(root) = bucket(env, identifier)? {
        let known = InstanceSettings::list(env);
        return match known.into_iter().find(|settings| settings.storage_root == root.as_str()) {
            Some(settings) => Ok(settings),
            None => join(env, &root),
        };
    }
    let settings = load_by_identifier(env, identifier);
    match (&settings, named_database(env)) {
        (Err(error), Some(url)) if error.kind() == ErrorKind::InstanceNotFound => {
            let wanted = Slug::parse(identifier, &UserSettings::current(env)?.handle)?;
            join_named(env, url, &wanted)
        }
        _ => settings,
    }
}

/// Gets to know the instance of this name in the database that the environment names.
fn join_named(env: &Env, url: &str, wanted: &Slug) -> Result<InstanceSettings> {
    // Whoever passes the password by the environment does not want it in a file.
    join_database(env, url, &without_password(url), |found| match found == wanted {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::InstanceNotFound,
            format!("'{wanted}' not found: {}, which LAMINDB_INSTANCE_DB names, holds {found}", masked(url)),
        )),
    })
}

/// Gets to know the instance in the database at `url`, whose settings will name it `kept`.
fn join_database(
    env: &Env,
    url: &str,
    kept: &str,
    check: impl FnOnce(&Slug) -> Result<()>,
) -> Result<InstanceSettings> {
    let shown = masked(url);
    let db = Db::connect(env, url)?;
    level::check(&db, &shown)?;
    let found = identity::of(env, &db, &shown)?;
    drop(db);
    check(&found.slug)?;
    let known = InstanceSettings::find(env, &found.slug)?;
    if let Some(known) = known.as_ref().filter(|known| known.id != found.id) {
        return Err(Error::integrity(format!(
            "{shown} holds an instance {} (uid {}), but another one of that name is known here (uid {}, {}): delete or rename \
             the settings file {} first",
            found.slug,
            uid::instance_uid(&found.id),
            known.uid(),
            known.storage_root,
            InstanceSettings::file(env, &found.slug).display()
        )));
    }
    let unknown = InstanceSettings { id: found.id, ..InstanceSettings::new(&found.slug, &found.root) };
    // What is known moved there, or is asked as somebody else.
    let mut settings = known.unwrap_or(unknown);
    settings.db = Some(url.to_owned());
    adopt(env, &mut settings, |instance| {
        let root = Q::is("root", instance.settings().storage_root);
        let location = instance.registry("Storage")?.filter(root)?.one_or_first()?;
        Ok(location.text("region").map(str::to_owned))
    })?;
    settings.db = Some(kept.to_owned());
    settings.save(env)?;
    Ok(settings)
}

/// Returns the root that an identifier is, if it is one of a bucket.
fn bucket(env: &Env, identifier: &str) -> Result<Option<StorageRoot>> {
    if !identifier.contains("://") {
        return Ok(None);
    }
    let root = StorageRoot::parse(env, identifier)?;
    Ok(root.protocol().is_bucket().then_some(root))
}

fn join(env: &Env, root: &StorageRoot) -> Result<InstanceSettings> {
    let none = |why: &str| Error::new(ErrorKind::InstanceNotFound, format!("'{root}' not found: {why}"));
    let ground = Ground::of(env, root)?;
    let marker = ground.marker()?.ok_or_else(|| none("nothing marks it as a storage location"))?;
    let (Some(slug), Some(id)) = (marker.instance_slug, marker.instance_id) else {
        return Err(none("its mark does not say which instance it belongs to"));
    };
    let slug = Slug::parse(&slug, "")?;
    if let Ground::Bucket(store) = &ground
        && !store.exists(DATABASE_KEY)?
    {
        return match named_database(env) {
            Some(url) => join_named(env, url, &slug),
            None => Err(none(&format!(
                "it belongs to instance {slug}, whose database lies elsewhere: connect with the URL of that database"
            ))),
        };
    }
    let mut settings = InstanceSettings { id, ..InstanceSettings::new(&slug, root) };
    adopt(env, &mut settings, |_| ground.region())?;
    settings.save(env)?;
    Ok(settings)
}

/// Learns what an instance alone tells of itself: that it can be opened, its modules, and the region.
fn adopt(
    env: &Env,
    settings: &mut InstanceSettings,
    region: impl FnOnce(&Instance) -> Result<Option<String>>,
) -> Result<()> {
    let silent = env.clone().with_voice(|_| {});
    let instance = Instance::open(&silent, settings, &UserSettings::current(env)?)?;
    let has = |name: &String| name == "bionty";
    let sources = instance.registry("bionty.Source")?;
    if !settings.modules.iter().any(has) && instance.db().holds(Module::Bionty)? && sources.exists()? {
        settings.modules.push("bionty".to_owned());
    }
    settings.storage_region = region(&instance)?;
    instance.leave()
}
