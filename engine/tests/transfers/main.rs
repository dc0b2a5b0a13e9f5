//! Large files and objects on their way, in parts that are small here: begun, broken off, gone on with.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "children report to their parent")]

#[allow(dead_code, reason = "a part of it is used")]
#[path = "../cloud/client.rs"]
mod client;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../proof/death.rs"]
mod death;
mod early;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../cloud/kept.rs"]
mod kept;
#[path = "../cloud/limits.rs"]
mod limits;
#[path = "../proof/mod.rs"]
mod proof;
mod resumed;
#[path = "../stores/mod.rs"]
mod stores;
#[path = "../support/mod.rs"]
mod support;
mod versions;
