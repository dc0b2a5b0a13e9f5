//! The one handle: an instance with its settings, its database and the present context.

mod cloud;
mod connect;
mod ground;
mod identity;
mod init;
mod join;
mod level;
pub mod marker;
pub mod migrate;
pub mod name;
mod own_tables;
pub mod root;
mod server;
pub mod settings;
mod switch;

use std::ops::Deref;
use std::sync::{Arc, OnceLock, RwLock};

pub(crate) use cloud::{Cloud, Left};
pub use cloud::{Holder, Locks};
pub(crate) use ground::Ground;
pub use init::InitOptions;
pub use join::find_or_join;

use crate::session::Session;
use crate::threads;
use settings::InstanceSettings;

/// A connected instance, cheap to clone. It is a [`Session`] with a name and a place.
#[derive(Clone)]
pub struct Instance {
    session: Session,
    settings: Arc<RwLock<InstanceSettings>>,
    uid: Arc<OnceLock<String>>,
    /// The database where it lies in a bucket.
    cloud: Option<Arc<Cloud>>,
}

impl Instance {
    fn new(session: Session, settings: InstanceSettings, cloud: Option<Arc<Cloud>>) -> Self {
        Instance { session, settings: Arc::new(RwLock::new(settings)), uid: Arc::default(), cloud }
    }

    /// Returns the uid: 12 base62 characters that follow from the id, which never changes.
    pub fn uid(&self) -> &str {
        self.uid.get_or_init(|| self.settings().uid())
    }

    /// Returns a copy of the settings.
    pub fn settings(&self) -> InstanceSettings {
        threads::entered(self.settings.read()).clone()
    }

    /// Returns true when new artifacts stay in local storage until they are uploaded.
    pub fn keeps_artifacts_local(&self) -> bool {
        threads::entered(self.settings.read()).keep_artifacts_local
    }

    /// Changes the settings of this session; nothing is written to the settings file.
    pub fn with_settings(&self, change: impl FnOnce(&mut InstanceSettings)) {
        let mut settings = threads::entered(self.settings.write());
        change(&mut settings);
    }
}

impl Deref for Instance {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}
