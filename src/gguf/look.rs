//! What a file that is not GGUF looks like, by its first bytes.

use super::error::GgufError;

/// What was found and what to do about it.
type Look = (&'static str, &'static str);

const GGUF_NEEDED: &str = "look for the model's GGUF files";
const OLD: Look = (
    "a model in the GGML format of before August 2023",
    "fetch the model as GGUF",
);
const PAGE: Look = (
    "a web page",
    "the address led to a page instead of the file; fetch it again by its download link",
);
const ANSWER: Look = (
    "a short text, perhaps a server's answer",
    "open it to see what it says, then fetch the file again",
);

/// First bytes, and what they mean. The old formats are told by a number that
/// is written backwards (`0x67676a74` is `ggjt`).
const STARTS: &[(&[u8], Look)] = &[
    (
        b"PK\x03\x04",
        ("a zip archive, perhaps of PyTorch", GGUF_NEEDED),
    ),
    (b"\x80\x02", ("weights of PyTorch", GGUF_NEEDED)),
    (b"\x1f\x8b", ("packed with gzip", "unpack it first")),
    (b"tjgg", OLD),
    (b"fmgg", OLD),
    (b"lmgg", OLD),
    (b"algg", OLD),
    (b"ggjt", OLD),
    (b"ggmf", OLD),
    (b"ggml", OLD),
    (b"ggla", OLD),
    (
        b"version https://git-lfs",
        (
            "the pointer of a Git LFS file",
            "fetch the file itself with: git lfs pull",
        ),
    ),
    (b"{", ANSWER),
    (b"<?xml", ANSWER),
    (b"Entry not found", ANSWER),
    (b"Invalid username", ANSWER),
];

/// Headers of safetensors files are JSON after their length.
const LONGEST_SAFETENSORS_HEADER: u64 = 100_000_000;

/// Why this start of a file is none of a GGUF file.
pub fn not_gguf(start: &[u8]) -> GgufError {
    let (what, advice) = look(start);
    GgufError::NotGguf { what, advice }
}

fn look(start: &[u8]) -> Look {
    if let Some((_, look)) = STARTS.iter().find(|(s, _)| start.starts_with(s)) {
        return *look;
    }
    if is_safetensors(start) {
        let advice = "look for a GGUF conversion of the model";
        return ("a safetensors file", advice);
    }
    let text = start.trim_ascii_start();
    let begins = |with: &[u8]| {
        let head = text.get(..with.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(with))
    };
    if begins(b"<!doctype") || begins(b"<html") || begins(b"<head") {
        return PAGE;
    }
    // Some programs claim the whole length before they have the bytes.
    if start.iter().all(|b| *b == 0) {
        return (
            "only zeros at its start",
            "its download was not finished; fetch it again",
        );
    }
    (
        "something else",
        "Parlor runs models in GGUF format; choose another file",
    )
}

fn is_safetensors(start: &[u8]) -> bool {
    let Some((length, rest)) = start.split_first_chunk::<8>() else {
        return false;
    };
    let length = u64::from_le_bytes(*length);
    (2..LONGEST_SAFETENSORS_HEADER).contains(&length) && rest.starts_with(b"{")
}
