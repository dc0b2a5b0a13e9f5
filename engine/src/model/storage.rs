//! Storage locations.

use super::declare::{Declaration, Field};
use super::mixins::{IN_BRANCH, TRACKS_RUN, TRACKS_UPDATES};
use super::{Default, Kind};

/// A storage location.
pub static STORAGE: Declaration = Declaration {
    doc: "A folder or bucket that holds the content of artifacts.",
    mixins: &[&IN_BRANCH, &TRACKS_RUN, &TRACKS_UPDATES],
    fields: &[
        Field::id(Kind::Int),
        Field::uid(12)
            .default(Default::Uid(12))
            .doc("Identifier, also written into the marker file of the location."),
        Field::char("root", 255)
            .unique()
            .doc("Absolute path or URL of the location, without a slash at the end."),
        Field::text("description").null().doc("What the location is for."),
        Field::char("type", 30).doc("Protocol: `local`, `s3`, `gs`, `hf`, `http` or `https`."),
        Field::char("region", 64).null().doc("Region of a bucket, or name of the host of a local folder."),
        Field::char("instance_uid", 12)
            .null()
            .doc("Instance that manages the location and alone may write to it; null if none does."),
    ],
    name_field: Some("root"),
    aliases: &[("host", "region")],
    ..Declaration::core("Storage", "lamindb_storage")
};
