//! Databases.

pub mod ddl;
mod dialect;

pub use dialect::Dialect;
