//! Files made of boxes (MP4, AVIF, HEIC), and the formats that are known only
//! to be refused by name.

use super::form::Form;

const CONVERT: &str = "convert it to PNG or JPEG and attach that";
const UNPACK: &str = "unpack it and attach the files in it";
const EXPORT: &str = "save it as PDF or plain text and attach that";
const RECODE: &str = "convert it to MP3 or WAV and attach that";
const OTHER: &str = "attach text, a picture, sound or film";

/// First bytes, what they seem to be, and what to do.
const STRANGERS: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a ZIP archive or an office document", EXPORT),
    (b"\xd0\xcf\x11\xe0", "an old office document", EXPORT),
    (b"{\\rtf", "a rich text document", EXPORT),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\x7fELF", "a program", OTHER),
    (b"MZ", "a Windows program", OTHER),
    (b"\xcf\xfa\xed\xfe", "a macOS program", OTHER),
    (b"\xca\xfe\xba\xbe", "a program", OTHER),
    (
        b"GGUF",
        "a model in GGUF; open it with /model instead",
        OTHER,
    ),
    (b"SQLite format 3\0", "a database", OTHER),
    (b"8BPS", "a Photoshop picture", CONVERT),
    (b"\xff\x0a", "a JPEG XL picture", CONVERT),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", CONVERT),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", CONVERT),
    (b"\0\0\x01\0", "an icon", CONVERT),
    (b"qoif", "a QOI picture", CONVERT),
    (b"v/1\x01", "an OpenEXR picture", CONVERT),
    (b"#!AMR", "an AMR recording", RECODE),
    (
        b"MThd",
        "a MIDI file, which holds notes and no sound",
        RECODE,
    ),
    (b"caff", "a Core Audio recording", RECODE),
    (b"wvpk", "a WavPack recording", RECODE),
    (b"MAC ", "a Monkey's Audio recording", RECODE),
    (b"OTTO", "a font", OTHER),
    (b"wOFF", "a font", OTHER),
    (b"wOF2", "a font", OTHER),
    (b"\0\x01\0\0\0", "a font", OTHER),
    (b"\0asm", "a WebAssembly program", OTHER),
];

/// What the bytes seem to be when they are of a known format that is not
/// read: `(what, advice)`.
pub(super) fn stranger(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let tar = bytes.get(257..262) == Some(b"ustar");
    STRANGERS
        .iter()
        // Short magics of letters also begin ordinary words.
        .filter(|(magic, ..)| bytes.starts_with(magic))
        .find(|(magic, ..)| magic.len() > 3 || bytes.iter().take(512).any(|byte| *byte == 0))
        .map(|(_, what, advice)| (*what, *advice))
        .or_else(|| tar.then_some(("a tar archive", UNPACK)))
}

/// The form of a file that begins with an `ftyp` box (ISO/IEC 14496-12), or
/// with `moov`/`mdat` as old QuickTime films do.
pub(super) fn form(bytes: &[u8]) -> Option<Form> {
    match bytes.get(4..8)? {
        b"moov" | b"mdat" | b"wide" => return Some(Form::Mp4),
        b"ftyp" => {}
        _ => return None,
    }
    // The major brand, its version, then the brands that it is compatible with.
    let size = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    let end = usize::try_from(size).ok()?.min(bytes.len()).min(256);
    let mut brands = bytes.get(8..end)?.chunks_exact(4);
    let major = brands.next()?;
    let any =
        |wanted: &[&[u8]]| wanted.contains(&major) || brands.clone().any(|b| wanted.contains(&b));
    Some(if any(&[b"avif", b"avis"]) {
        Form::Avif
    } else if any(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"]) || major == b"mif1" {
        Form::Heic
    } else {
        Form::Mp4
    })
}

/// The largest size that any `ispe` property declares: that of the whole
/// picture, as tiles and thumbnails are smaller. `None` without one.
pub(super) fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let head = &bytes[..bytes.len().min(1 << 20)];
    head.windows(20)
        .filter(|window| window.starts_with(b"\0\0\0\x14ispe\0\0\0\0"))
        .filter_map(|window| {
            let width = u32::from_be_bytes(window[12..16].try_into().ok()?);
            let height = u32::from_be_bytes(window[16..20].try_into().ok()?);
            Some((width, height))
        })
        .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}
