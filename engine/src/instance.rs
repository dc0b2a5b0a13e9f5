//! What makes an instance on this machine: its name, its storage root, its settings files and its marker.

pub mod marker;
pub mod name;
pub mod root;
pub mod settings;
