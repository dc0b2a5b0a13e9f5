//! Properties: look-ups against a plain evaluation in memory, versions against any sequence of operations, and nothing
//! that a user may type makes the engine panic.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod conditions;
mod model;
mod operations;
#[path = "../proof/mod.rs"]
mod proof;
mod typed;
