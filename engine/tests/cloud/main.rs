//! Instances whose database lies in a bucket: one client at a time, nothing overwritten, nothing lost.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::disallowed_macros, reason = "children report to their parent")]

#[allow(dead_code, reason = "a part of it is used")]
#[path = "../object/azure.rs"]
mod azure;
mod client;
mod conflict;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../proof/death.rs"]
mod death;
#[path = "../object/google.rs"]
mod google;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../object/http_server.rs"]
mod http_server;
mod kept;
mod killed;
mod lock;
mod network;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../proof/operations.rs"]
mod operations;
#[path = "../proof/mod.rs"]
mod proof;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../object/proxy.rs"]
mod proxy;
mod race;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../proof/races.rs"]
mod races;
mod saves;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../object/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;
mod versions;
mod work;
