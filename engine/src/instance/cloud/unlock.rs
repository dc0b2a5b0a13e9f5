//! Who has the lock, for people to see, and taking it from clients that are gone.

use std::sync::Arc;

use super::copy::WorkingCopy;
use super::{Cloud, Holder};
use crate::db::{Db, Sql};
use crate::env::Env;
use crate::error::Result;
use crate::instance::settings::{InstanceSettings, UserSettings};
use crate::value::Kind;

/// The lock of an instance whose database lies in a bucket, as it was found.
pub struct Locks {
    cloud: Arc<Cloud>,
    /// Who has it; more than one where clients were killed while they took it.
    pub holders: Vec<Holder>,
    /// Whether the working copy of this machine holds changes that are not in the cloud.
    pub unsent: bool,
}

impl Locks {
    /// Returns the lock of the instance of these settings; nothing for an instance that needs none.
    ///
    /// # Errors
    /// What the network reports.
    pub fn find(env: &Env, settings: &InstanceSettings) -> Result<Option<Locks>> {
        let user = UserSettings::current(env)?;
        let Some(cloud) = Cloud::of(env, settings, &user)? else { return Ok(None) };
        let state = cloud.copy.known()?;
        let unsent = match &state {
            Some(state) if cloud.copy.exists() => cloud.is_changed(state, None)?,
            _ => false,
        };
        let client = state.map(|state| state.client);
        let holders = cloud.locker.holders(client.as_deref())?;
        let holders = holders.into_iter().map(|holder| cloud.named(holder)).collect();
        Ok(Some(Locks { cloud, holders, unsent }))
    }

    /// Takes the lock from everybody. Who still works with the instance cannot undo what others do from now on: their
    /// changes are refused and stay on their machine.
    ///
    /// # Errors
    /// What the network reports.
    pub fn break_open(&self) -> Result<()> {
        let cloud = &self.cloud;
        cloud.locker.break_open()?;
        let _turn = cloud.copy.turn()?;
        if let Some(mut state) = cloud.copy.known()?.filter(|state| state.held) {
            state.held = false;
            cloud.copy.keep(&cloud.env, &state)?;
        }
        Ok(())
    }
}

/// Returns a holder with the handle and name that the table of users has for it.
pub(super) fn named(mut holder: Holder, open: Option<&Db>, copy: &WorkingCopy) -> Holder {
    if holder.handle.is_some() {
        return holder;
    }
    // Names are for people: without a copy to look at, the uid must do.
    let db = open.cloned().or_else(|| Db::inspect(&copy.path).ok());
    let mut sql = Sql::new("SELECT \"handle\", \"name\" FROM \"lamindb_user\" WHERE \"uid\" = ");
    sql.bind(holder.uid.as_str());
    let rows = db.and_then(|db| db.rows(&sql, &[Kind::Text, Kind::Text]).ok()).unwrap_or_default();
    if let Some([handle, name]) = rows.first().map(Vec::as_slice) {
        holder.handle = handle.as_str().map(str::to_owned);
        holder.name = name.as_str().map(str::to_owned);
    }
    holder
}
