//! What is said of files that are wrong.

use super::writer::{ARRAY, Made, TEXT, U8, U32, U64, array, read_bytes, refusal, text};
use parlor::gguf;
use tempfile::TempDir;

/// Holds that a file is refused with these words in the message.
fn refused(made: &Made, words: &str) {
    let said = refusal(made.read());
    assert!(said.contains(words), "{said}");
}

#[test]
fn an_empty_file_is_to_be_fetched_again() {
    assert_eq!(
        refusal(read_bytes(b"")),
        "the file is empty; fetch it again"
    );
}

#[test]
fn what_is_not_gguf_is_named() {
    let mut safetensors = 40u64.to_le_bytes().to_vec();
    safetensors.extend(b"{\"__metadata__\":{}}");
    let zeros = [0; 4096];
    let cases: [(&[u8], &str); 10] = [
        (b"PK\x03\x04....", "a zip archive"),
        (&safetensors, "a safetensors file"),
        (b"tjgg\x03\0\0\0", "before August 2023"),
        (b"lmgg\0\0\0\0", "before August 2023"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"<HTML>", "a web page"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "git lfs pull",
        ),
        (b"{\"error\":\"not found\"}", "a server's answer"),
        (&zeros, "only zeros at its start"),
        (b"GGU", "something else"),
    ];
    for (bytes, words) in cases {
        let said = refusal(read_bytes(bytes));
        assert!(said.starts_with("this is not a GGUF file but"), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn other_versions_are_refused() {
    refused(&Made::bare().version(1), "version 1, which is no longer");
    refused(
        &Made::bare().version(4),
        "version 4, and this Parlor reads 2 and 3",
    );
    refused(&Made::bare().version(3 << 24), "big-endian");
}

#[test]
fn a_folder_or_a_missing_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let said = gguf::read(folder.path()).unwrap_err().to_string();
    assert!(said.starts_with("this is not a file"), "{said}");
    let missing = folder.path().join("none.gguf");
    let said = gguf::read(&missing).unwrap_err().to_string();
    assert!(said.starts_with("the file cannot be read"), "{said}");
}

#[test]
fn a_file_that_ends_anywhere_in_its_header_is_cut_short() {
    let made = Made::model("llama", 1).say_all("general.tags", &["a", "b"]);
    let (bytes, _) = made.header();
    for end in 4..bytes.len() {
        let said = refusal(read_bytes(&bytes[..end]));
        assert!(said.contains("cut short or is damaged"), "{end}: {said}");
    }
}

#[test]
fn a_file_that_ends_in_its_data_says_how_long_it_should_be() {
    let (mut bytes, length) = Made::model("llama", 1).header();
    bytes.resize(length as usize - 1, 0);
    let there = bytes.len();
    let said = refusal(read_bytes(&bytes));
    let due = format!(
        "the file is cut short: it should have at least {length} bytes and has {there}; fetch it again"
    );
    assert_eq!(said, due);
}

#[test]
fn doubles_are_refused() {
    let twice = Made::bare().count("k", 1).count("other", 2).count("k", 3);
    refused(&twice, "the key k twice");
    let twice = Made::bare().tensor("t", &[1], 0).tensor("t", &[1], 0);
    refused(&twice, "the tensor t twice");
}

#[test]
fn names_that_are_empty_or_too_long_are_refused() {
    refused(&Made::bare().count("", 1), "a name in the header is empty");
    refused(&Made::bare().count(&"k".repeat(65_536), 1), "too long");
    refused(&Made::bare().tensor("", &[1], 0), "empty or too long");
    refused(&Made::bare().tensor(&"t".repeat(1025), &[1], 0), "too long");
}

#[test]
fn unknown_types_of_values_are_refused() {
    let said = "the value of k is of an unknown type (13)";
    refused(&Made::bare().put(b"k", 13, &[0; 64]), said);
    refused(
        &Made::bare().put(b"k", ARRAY, &array(13, 1, &[0; 64])),
        said,
    );
}

#[test]
fn lists_are_nested_only_so_deep() {
    let nested =
        |depth: u32| (0..depth).fold(array(U8, 0, &[]), |inner, _| array(ARRAY, 1, &inner));
    let made = |depth| Made::bare().put(b"k", ARRAY, &nested(depth));
    assert!(made(4).read().is_ok());
    refused(&made(5), "lists within lists too deep");
    refused(&made(2000), "lists within lists too deep");
}

#[test]
fn an_alignment_is_a_power_of_two() {
    for alignment in [0, 3, 48, u32::MAX] {
        let made = Made::bare().alignment(alignment).tensor("t", &[1], 0);
        refused(&made, &format!("the alignment {alignment} is not a power"));
    }
    let key = b"general.alignment";
    let made = Made::bare().put(key, U64, &(1u64 << 63).to_le_bytes());
    refused(&made, "the alignment 9223372036854775808");
    refused(
        &Made::bare().put(key, TEXT, &text(b"32")),
        "the alignment of the file",
    );
}

#[test]
fn a_tensor_that_cannot_be_is_refused() {
    let one = |dims: &[u64], code| Made::bare().sized(b"t", dims, code, 64);
    refused(&one(&[1; 5], 0), "has 5 dimensions");
    refused(&one(&[1 << 40, 1 << 40], 0), "larger than can be");
    refused(&one(&[1 << 40, 1 << 40, 0], 0), "larger than can be");
    refused(&one(&[1 << 62], 28), "larger than can be");
    refused(&one(&[u64::MAX], 24), "larger than can be");
    refused(
        &one(&[100, 256], 12),
        "rows of 100 numbers, not a multiple of 256",
    );
    refused(
        &one(&[256], 31),
        "Q4_0_4_4, which llama.cpp no longer reads; fetch the model as Q4_0",
    );
    refused(&one(&[256], 43), "an unknown type (43)");
    refused(&one(&[256], u32::MAX), "an unknown type (4294967295)");
}

#[test]
fn tensors_follow_each_other() {
    for offset in [4, 64, 1 << 40, u64::MAX, u64::MAX - 31] {
        let mut made = Made::bare().tensor("a", &[1], 0).tensor("b", &[1], 0);
        made.tensors[1].offset = Some(offset);
        refused(&made, &format!("begins at {offset}, where 32 is due"));
    }
}

#[test]
fn counts_without_room_are_refused() {
    let claims = [u64::MAX, 1 << 63, 1 << 40, 4097, 100];
    for claim in claims {
        let made = Made::model("llama", 1).claim_keys(claim);
        assert!(made.read().is_err(), "{claim} keys");
        let made = Made::model("llama", 1).claim_tensors(claim);
        assert!(made.read().is_err(), "{claim} tensors");
    }
    for claim in [u64::MAX, 1 << 62, 1 << 30, 50] {
        for kind in [U8, U32, TEXT, ARRAY] {
            let made = Made::bare().put(b"k", ARRAY, &array(kind, claim, &[0; 20]));
            assert!(made.read().is_err(), "{claim} of {kind}");
        }
        let made = Made::bare().put(b"k", TEXT, &claim.to_le_bytes());
        assert!(made.read().is_err(), "a text of {claim}");
    }
}

#[test]
fn names_in_messages_are_short_and_without_control_characters() {
    let name = format!("\u{1b}[2J{}", "x".repeat(900));
    let said = refusal(Made::bare().sized(name.as_bytes(), &[1], 99, 4).read());
    assert!(!said.contains('\u{1b}'), "{said}");
    assert!(said.len() < 250, "{said}");
}
