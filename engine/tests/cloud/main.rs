//! Instances whose database lies in a bucket: one client at a time, nothing overwritten, nothing lost.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "children report to their parent")]

mod arrival;
mod client;
#[path = "../support/cluster.rs"]
mod cluster;
mod conflict;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../proof/death.rs"]
mod death;
mod kept;
mod killed;
mod large;
mod leaving;
mod limits;
mod lock;
mod migrate;
mod network;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../proof/operations.rs"]
mod operations;
#[path = "../proof/mod.rs"]
mod proof;
mod race;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../proof/races.rs"]
mod races;
mod replaced;
mod saves;
#[path = "../stores/mod.rs"]
mod stores;
#[path = "../support/mod.rs"]
mod support;
mod work;
