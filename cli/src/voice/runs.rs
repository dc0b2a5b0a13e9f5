//! Pieces of the words about transforms and runs.

/// Returns the message that lists transforms of the same file name in other folders.
pub(super) fn ignoring(others: &[(String, String)]) -> String {
    let lines: Vec<String> = others.iter().map(|(uid, key)| format!("\n    {uid} → {key}")).collect();
    format!("ignoring transform with same filename in different folder:{}", lines.concat())
}

/// Returns a duration in its largest unit alone, as the format's users know it.
pub(super) fn duration(seconds: i64) -> String {
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if seconds >= length {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{}s", seconds.max(0))
}
