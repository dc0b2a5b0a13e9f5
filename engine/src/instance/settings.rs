//! The settings directory `~/.lamin` and the directory bindings `.lamin/`: small text files, written whole or not at all.

mod cache;
mod cache_limit;
mod cache_path;
mod choice;
mod current;
mod dev_dir;
mod dirs;
pub(crate) mod dotenv;
pub(crate) mod files;
mod instance_file;
mod system;
mod user_file;

pub use cache::{CacheMove, ClearPlan, cache_dir, plan_cache_clear, plan_cache_move};
pub use cache_limit::{cache_limit, parse_size, set_cache_limit};
pub use cache_path::{ArtifactPlace, cache_path, database_cache_path, unsaved_path};
pub use choice::{Choice, Slot, choose, chosen, forget};
pub use current::{InstanceRef, Origin, current_instance, find_by_identifier, load_by_identifier};
pub(super) use dev_dir::is_home;
pub use dev_dir::{Binding, bind, dev_dir, nearest_binding, refuse_foreign_binding, unbind};
pub use dirs::{SettingsDir, platform_cache_dir, system_dir};
pub(crate) use instance_file::named_database;
pub use instance_file::{DatabaseSite, InstanceSettings, instance_not_found, parse_modules};
pub use system::{SystemSettings, chosen_modules, set_chosen_modules};
pub use user_file::{ANONYMOUS_UID, UserSettings, login_local, logout};
