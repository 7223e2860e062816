//! What a person writes, and which model it means.

use super::made::{Home, Made};
use parlor::models::{Reference, ResolveError, resolve};
use parlor::protocol::library::FoundModel;
use std::path::{Path, PathBuf};

fn parse(text: &str) -> Reference {
    Reference::parse(text, Path::new("/home/me"))
}

fn hub(repo: &str, pick: Option<&str>) -> Reference {
    Reference::Hub {
        repo: repo.into(),
        pick: pick.map(String::from),
    }
}

#[test]
fn every_form_of_reference_is_read() {
    let path = |p: &str| Reference::Path(PathBuf::from(p));
    let ollama = |name: &str, tag: &str| Reference::Ollama {
        name: name.into(),
        tag: tag.into(),
    };
    let name = |n: &str| Reference::Name(n.into());
    let cases = [
        ("starter", Reference::Starter),
        (" Starter ", Reference::Starter),
        ("/a/b.gguf", path("/a/b.gguf")),
        ("./x", path("./x")),
        ("../x/y", path("../x/y")),
        ("~/models/m.gguf", path("/home/me/models/m.gguf")),
        ("C:\\m\\a.gguf", path("C:\\m\\a.gguf")),
        ("d:/m/a", path("d:/m/a")),
        ("Cargo.toml", path("Cargo.toml")), // It is there.
        ("m.gguf", path("m.gguf")),
        ("my dir/b/c.gguf", path("my dir/b/c.gguf")),
        ("a/../c.gguf", path("a/../c.gguf")),
        ("my model.gguf", path("my model.gguf")),
        ("org/repo", hub("org/repo", None)),
        ("org/repo-GGUF:Q4_K_M", hub("org/repo-GGUF", Some("Q4_K_M"))),
        (
            "org/repo/sub/f-Q4_0.gguf",
            hub("org/repo", Some("sub/f-Q4_0.gguf")),
        ),
        ("hf:org/repo:q8_0", hub("org/repo", Some("q8_0"))),
        ("hf.co/org/repo", hub("org/repo", None)),
        ("hf://org/repo:latest", hub("org/repo", None)),
        ("org/repo/f.GGUF", hub("org/repo", Some("f.GGUF"))),
        ("https://huggingface.co/org/repo", hub("org/repo", None)),
        ("https://huggingface.co/org/repo/", hub("org/repo", None)),
        (
            "https://huggingface.co/org/repo/tree/main",
            hub("org/repo", None),
        ),
        (
            "https://huggingface.co/org/repo:Q4_0",
            hub("org/repo", Some("Q4_0")),
        ),
        (
            "https://huggingface.co/org/repo/resolve/main/sub/f-Q4_0.gguf?download=true",
            hub("org/repo", Some("sub/f-Q4_0.gguf")),
        ),
        (
            "https://huggingface.co/org/repo/blob/main/f.gguf",
            hub("org/repo", Some("f.gguf")),
        ),
        ("ollama:qwen3", ollama("qwen3", "latest")),
        ("ollama:qwen3:4b", ollama("qwen3", "4b")),
        (
            "ollama:localhost:5000/a/b",
            ollama("localhost:5000/a/b", "latest"),
        ),
        ("ollama:hf.co/a/b:Q4_0", ollama("hf.co/a/b", "Q4_0")),
        ("qwen3:4b", name("qwen3:4b")),
        ("qwen 4b", name("qwen 4b")),
        ("a/b/c", name("a/b/c")),
        ("-a/b", name("-a/b")),
        ("hf:", name("hf:")),
        ("", name("")),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text), expected, "{text}");
    }
}

/// A home with models of many kinds, and the list of them.
fn library() -> (Home, Vec<FoundModel>) {
    let home = Home::new();
    let chat = |name: &str| Made::chat(name, 64);
    home.put(
        "parlor/Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf",
        &chat("Qwen3 4B"),
    );
    home.put(
        "parlor/Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q8_0.gguf",
        &chat("Qwen3 4B"),
    );
    home.put("parlor/unsloth/gpt-GGUF/gpt-UD-Q4_K_XL.gguf", &chat("Gpt"));
    home.write("parlor/org/slow/slow-Q4_0.gguf.part", "GG");
    home.put(
        ".lmstudio/models/google/gemma-GGUF/gemma-3-4b-it-Q4_0.gguf",
        &chat("Gemma 3"),
    );
    home.put(
        ".lmstudio/models/google/gemma-GGUF/mmproj-gemma-3-4b-it-F16.gguf",
        &Made::projector("Gemma 3", 99),
    );
    home.put("models/nomic-embed.gguf", &Made::embedding());
    home.put("models/style-lora.gguf", &Made::adapter());
    let digest = "cd".repeat(32);
    home.put(
        &format!(".ollama/models/blobs/sha256-{digest}"),
        &chat("Mistral"),
    );
    let text = format!(
        r#"{{"layers":[{{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:{digest}"}}]}}"#
    );
    home.write(
        ".ollama/models/manifests/registry.ollama.ai/library/mistral/latest",
        text.clone() + " ",
    );
    home.write(
        ".ollama/models/manifests/registry.ollama.ai/me/mine/7b",
        text,
    );
    let found = home.scan();
    assert_eq!(found.len(), 10);
    (home, found)
}

fn means(text: &str, found: &[FoundModel]) -> Result<String, String> {
    let reference = parse(text);
    let model = resolve(&reference, found);
    model.map(|m| m.name.clone()).map_err(|e| e.to_string())
}

#[test]
fn names_and_words_find_their_model() {
    let (home, found) = library();
    let cases = [
        ("qwen3-4b-q4_k_m", "Qwen3-4B-Q4_K_M"),
        ("qwen q8", "Qwen3-4B-Q8_0"),
        ("q8 qwen34b", "Qwen3-4B-Q8_0"),
        ("gemma", "gemma-3-4b-it-Q4_0"),
        ("google gemma", "gemma-3-4b-it-Q4_0"),
        ("mistral", "mistral:latest"),
        ("mistral:latest", "mistral:latest"),
        ("ollama:mistral", "mistral:latest"),
        ("ollama:me/mine:7b", "me/mine:7b"),
        ("me/mine:7b", "me/mine:7b"),
        ("qwen/qwen3-4b-gguf:q4_k_m", "Qwen3-4B-Q4_K_M"),
        ("hf:Qwen/Qwen3-4B-GGUF:Q8_0", "Qwen3-4B-Q8_0"),
        (
            "https://huggingface.co/Qwen/Qwen3-4B-GGUF/resolve/main/Qwen3-4B-Q8_0.gguf",
            "Qwen3-4B-Q8_0",
        ),
        ("Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q8_0.gguf", "Qwen3-4B-Q8_0"),
        ("unsloth/gpt-GGUF", "gpt-UD-Q4_K_XL"),
        ("unsloth/gpt-GGUF:Q4_K_XL", "gpt-UD-Q4_K_XL"),
        ("unsloth/gpt-GGUF:UD-Q4_K_XL", "gpt-UD-Q4_K_XL"),
        ("google/gemma-GGUF", "gemma-3-4b-it-Q4_0"),
        ("Qwen3-4B-Q8_0.gguf", "Qwen3-4B-Q8_0"),
    ];
    for (text, name) in cases {
        assert_eq!(means(text, &found), Ok(name.to_string()), "{text}");
    }
    let path = home.at("parlor/Qwen/../Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q8_0.gguf");
    assert_eq!(
        means(&path.to_string_lossy(), &found),
        Ok("Qwen3-4B-Q8_0".into())
    );
}

#[test]
fn what_is_not_clear_is_listed() {
    let (_home, found) = library();
    for text in ["qwen", "Qwen/Qwen3-4B-GGUF"] {
        let error = means(text, &found).unwrap_err();
        assert!(error.contains("may be any of 2"), "{error}");
        assert!(error.contains("Qwen3-4B-Q4_K_M  (/"), "{error}");
        assert!(
            error.contains("Qwen3-4B-Q8_0") && error.contains("whole name"),
            "{error}"
        );
    }
    let home = Home::new();
    for n in 0..14 {
        home.put(
            &format!("models/same-{n}.gguf"),
            &Made::chat(&format!("S{n}"), 64),
        );
    }
    let error = means("same", &home.scan()).unwrap_err();
    assert_eq!(error.lines().count(), 12, "{error}");
    assert!(error.ends_with("and 4 more"), "{error}");
}

#[test]
fn copies_of_one_file_in_two_places_are_no_reason_to_ask() {
    let home = Home::new();
    home.put("parlor/a/b/twin-Q4_0.gguf", &Made::chat("Twin", 64));
    home.put(
        ".lmstudio/models/a/b/twin-Q4_0.gguf",
        &Made::chat("Twin", 64),
    );
    let found = home.scan();
    assert_eq!(found.len(), 2);
    assert_eq!(means("twin-Q4_0", &found), Ok("twin-Q4_0".into()));
    home.put("models/twin-Q4_0.gguf", &Made::chat("Not the same", 64));
    assert!(means("twin-Q4_0", &home.scan()).is_err());
}

#[test]
fn what_is_not_here_says_how_to_get_it() {
    let (_home, found) = library();
    let error = means("org/none:Q4_0", &found).unwrap_err();
    assert!(error.contains("`parlor pull org/none:Q4_0`"), "{error}");
    let error = means("Qwen/Qwen3-4B-GGUF:Q2_K", &found).unwrap_err();
    assert!(
        error.contains("`parlor pull Qwen/Qwen3-4B-GGUF:Q2_K`"),
        "{error}"
    );
    let error = means("org/none/x.gguf", &found).unwrap_err();
    assert!(error.contains("`parlor pull org/none/x.gguf`"), "{error}");
    let error = means("ollama:llama3", &found).unwrap_err();
    assert!(error.contains("`ollama pull llama3:latest`"), "{error}");
    let error = means("qwem3-4b-q8_0", &found).unwrap_err();
    assert!(
        error.contains("Qwen3-4B-Q8_0") && error.contains("parlor models list"),
        "{error}"
    );
    // Letters that occur here and there are no name, nor is one word of two.
    for text in ["qm8", "gemma nonsense"] {
        let error = means(text, &found).unwrap_err();
        let expected = format!("no model here is called {text}");
        assert!(error.contains(&expected), "{error}");
    }
    for nothing in ["", "  ", "--", "/none/such.gguf", "none.gguf", "starter"] {
        assert!(means(nothing, &found).is_err(), "{nothing:?}");
    }
    assert!(means("anything", &[]).is_err());
}

#[test]
fn what_cannot_be_chatted_with_says_what_it_is() {
    let (_home, found) = library();
    let cases = [
        ("slow", "not whole yet"),
        ("org/slow", "not whole yet"),
        ("nomic-embed", "an embedding model"),
        ("style lora", "an adapter"),
        ("mmproj-gemma-3-4b-it-F16", "a projector"),
        ("~/x/../../../mmproj-gemma-3-4b-it-F16.gguf", "not among"),
    ];
    for (text, what) in cases {
        let error = means(text, &found).unwrap_err();
        assert!(error.contains(what), "{text}: {error}");
    }
    let broken = resolve(&parse("slow"), &found).unwrap_err();
    assert!(matches!(broken, ResolveError::Broken { .. }));
}
