//! Texts, and files that are nothing that is known.

use parlor::media::{Cut, Fault, Kind, Measure, look, text};

#[test]
fn each_encoding_gives_the_same_text() {
    let words = "für\nalle\n";
    let wide = |join: fn(u16) -> [u8; 2], mark: u16| -> Vec<u8> {
        std::iter::once(mark)
            .chain(words.encode_utf16())
            .flat_map(join)
            .collect()
    };
    let marked = [b"\xef\xbb\xbf", words.as_bytes()].concat();
    for bytes in [
        words.as_bytes().to_vec(),
        marked,
        wide(u16::to_le_bytes, 0xfeff),
        wide(u16::to_be_bytes, 0xfeff),
    ] {
        let excerpt = text(&bytes, "a.txt", 1000).unwrap();
        assert_eq!(
            (excerpt.text.as_str(), excerpt.lines, excerpt.guessed),
            (words, 2, false)
        );
        assert_eq!(look(&bytes, "a.txt").unwrap().kind, Kind::Text, "{bytes:?}");
    }
    let old = text(b"f\xfcr\nalle\n", "a.txt", 1000).unwrap();
    assert_eq!((old.text.as_str(), old.guessed), (words, true));
}

#[test]
fn a_long_text_is_cut_at_a_line_end() {
    let all: String = (1..=100).map(|line| format!("line {line}\n")).collect();
    let excerpt = text(all.as_bytes(), "x/main.rs", 50).unwrap();
    assert!(
        excerpt.text.len() <= 50 && excerpt.text.ends_with("line 7\n"),
        "{:?}",
        excerpt.text
    );
    assert_eq!(excerpt.language, "rust");
    assert_eq!(
        excerpt.cut,
        Some(Cut {
            shown_lines: 7,
            all_lines: 100
        })
    );
    let one = text("ä".repeat(100).as_bytes(), "a", 11).unwrap();
    assert_eq!(one.text, "ä".repeat(5));
    assert_eq!(text(all.as_bytes(), "a", all.len()).unwrap().cut, None);
}

#[test]
fn the_language_comes_from_the_name() {
    for (name, shown, fence) in [
        ("a.rs", "Rust", "rust"),
        ("C:\\x\\B.PY", "Python", "python"),
        ("Dockerfile", "Dockerfile", "dockerfile"),
        ("notes", "Text", ""),
        ("c", "Text", ""),
        ("a.tsx", "TypeScript", "typescript"),
        ("CMakeLists.txt", "CMake", "cmake"),
        (".bashrc", "Bash", "bash"),
        ("a.b.h", "C", "c"),
    ] {
        let look = look(b"one\ntwo", name).unwrap();
        assert_eq!(look.format, shown, "{name}");
        assert_eq!(
            look.measure,
            Measure::Text {
                lines: 2,
                language: fence
            },
            "{name}"
        );
    }
}

#[test]
fn what_is_not_known_is_named() {
    for (bytes, said) in [
        (&b"PK\x03\x04rest"[..], "ZIP"),
        (b"\x7fELF\x02\x01", "program"),
        (b"GGUF\x03\0\0\0", "/model"),
        (b"\x1f\x8b\x08\0\0\0", "gzip"),
        (b"\0\0\0\x0cJXL \r\n", "JPEG XL"),
        (b"abc\0def", "not text"),
        (b"", "empty"),
    ] {
        let fault = look(bytes, "a.png").unwrap_err();
        assert!(fault.to_string().contains(said), "{fault}");
    }
    assert!(matches!(
        text(b"a\0b", "a.txt", 10),
        Err(Fault::NotText { at: 1, byte: 0 })
    ));
    // Words that begin as a format does.
    for words in [
        "BM is a name",
        "MZ",
        "Rar",
        "BZh",
        "%PDF is a format",
        "GIF",
        "RIFF",
        "OggS",
    ] {
        let kind = look(words.as_bytes(), "a.txt").map(|look| look.kind);
        assert!(
            matches!(kind, Ok(Kind::Text)) || words == "OggS",
            "{words}: {kind:?}"
        );
    }
}
