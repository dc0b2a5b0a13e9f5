//! Getting to know an instance by the bucket that it lies in, whose mark says which instance it is.

use super::Instance;
use super::ground::Ground;
use super::name::Slug;
use super::root::{DATABASE_KEY, StorageRoot};
use super::settings::{InstanceSettings, load_by_identifier};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};

/// Returns the instance that an identifier means: a name, `owner/name`, a URL of these, or the URL of the bucket that holds
/// both its database and its content. An instance that this machine does not know yet is known from then on.
///
/// # Errors
/// [`ErrorKind::InstanceNotFound`] when there is none; what the network reports.
pub fn find_or_join(env: &Env, identifier: &str) -> Result<InstanceSettings> {
    let Some(root) = bucket(env, identifier)? else { return load_by_identifier(env, identifier) };
    let known = InstanceSettings::list(env);
    match known.into_iter().find(|settings| settings.storage_root == root.as_str()) {
        Some(settings) => Ok(settings),
        None => join(env, &root),
    }
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
    if let Ground::Bucket(store) = &ground
        && !store.exists(DATABASE_KEY)?
    {
        return Err(none(&format!("it belongs to instance {slug}, whose database lies elsewhere")));
    }
    let mut settings = InstanceSettings::new(&Slug::parse(&slug, "")?, root);
    settings.id = id;
    settings.storage_region = ground.region()?;
    // Which modules an instance has, its database alone tells.
    let silent = env.clone().with_voice(|_| {});
    let instance = Instance::connect(&silent, &settings)?;
    if instance.registry("bionty.Source")?.exists()? {
        settings.modules.push("bionty".to_owned());
    }
    instance.leave()?;
    settings.save(env)?;
    Ok(settings)
}
