//! Limits that a process of tests meets early, so that small files and databases go as large ones do.

use holotype::faults;

/// Bytes of a part.
pub const PART: usize = 6 << 10;

/// Lets files of more than 10 KiB go in small parts, for the whole process, and hardly waits between tries.
pub fn hurry() {
    let part = PART as u64;
    for (limit, value) in
        [("object.single", 10 << 10), ("object.part", part), ("object.range", part), ("object.pause", 2)]
    {
        faults::set_limit(limit, value);
    }
}
