//! Bytes in words.

/// For instance `8.2 GB`; a GB is 1000 MB, as on disks.
pub fn bytes(count: u64) -> String {
    let (unit, name) = match count {
        0..1_000 => return format!("{count} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        1_000_000_000..1_000_000_000_000 => (1_000_000_000, "GB"),
        _ => (1_000_000_000_000, "TB"),
    };
    let tenths = u128::from(count) * 10 / unit;
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}
