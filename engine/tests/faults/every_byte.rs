//! Connections that end after each single byte.
