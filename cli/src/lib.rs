//! The command line of Holotype, and the words that it shares with the Python package.

#![warn(missing_docs)]

pub mod env;
pub mod voice;
