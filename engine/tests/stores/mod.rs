//! Servers that the tests start: stores of every kind, a web server that answers as it is told, and a network that fails.
#![allow(dead_code, reason = "each program of tests uses a part of it")]

pub mod azure;
pub mod google;
pub mod http_server;
pub mod proxy;
pub mod server;
