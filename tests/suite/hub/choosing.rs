//! Which model is taken, and how a person may name it.

use parlor::hub::{HubError, Settings, Target, choose};
use parlor::protocol::hub::{Choice, RemoteFile, Room};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

const GB: u64 = 1_000_000_000;

fn files(list: &[(&str, f64)]) -> Vec<RemoteFile> {
    list.iter()
        .map(|(path, gb)| RemoteFile {
            path: (*path).to_owned(),
            size: (gb * 1e9) as u64,
            sha256: None,
        })
        .collect()
}

/// An 8B model, as repositories of that kind have it.
fn usual() -> Vec<RemoteFile> {
    files(&[
        (".gitattributes", 0.0),
        ("M-8B-BF16.gguf", 16.1),
        ("M-8B-IQ4_XS.gguf", 4.5),
        ("M-8B-Q2_K.gguf", 3.2),
        ("M-8B-Q3_K_M.gguf", 4.0),
        ("M-8B-Q4_K_M.gguf", 4.9),
        ("M-8B-Q4_K_S.gguf", 4.7),
        ("M-8B-Q5_K_M.gguf", 5.7),
        ("M-8B-Q6_K.gguf", 6.6),
        ("M-8B-Q8_0.gguf", 8.5),
        ("imatrix_M.gguf", 0.1),
        ("mtp-M-8B-Q4_K_M.gguf", 0.1),
    ])
}

fn pick(
    files: &[RemoteFile],
    wanted: Option<&str>,
    fits: f64,
    most: f64,
) -> Result<Choice, HubError> {
    let room = Room {
        fits: (fits * 1e9) as u64,
        most: (most * 1e9) as u64,
    };
    choose("o/r", files, wanted, room)
}

fn quant(fits: f64, most: f64) -> String {
    pick(&usual(), None, fits, most).unwrap().quant
}

#[test]
fn the_best_that_fits_is_taken() {
    assert_eq!(quant(100.0, 200.0), "Q8_0");
    assert_eq!(quant(8.6, 32.0), "Q6_K");
    assert_eq!(quant(7.0, 32.0), "Q5_K_M");
    assert_eq!(quant(6.0, 32.0), "Q4_K_M");
    assert_eq!(quant(4.9, 32.0), "Q4_K_M");
    assert_eq!(quant(4.8, 4.8), "Q4_K_S");
    assert_eq!(quant(4.6, 4.6), "IQ4_XS");
    assert_eq!(quant(4.1, 4.1), "Q3_K_M");
    // Two bits lose much: rather slower.
    assert_eq!(quant(3.5, 16.0), "Q4_K_M");
    assert_eq!(quant(0.0, 4.8), "Q4_K_S");
    assert_eq!(quant(3.5, 3.5), "Q2_K");
}

#[test]
fn the_reason_names_the_memory_and_what_the_next_one_needs() {
    let why = |fits, most| pick(&usual(), None, fits, most).unwrap().why;
    assert_eq!(
        why(5.5, 16.0),
        "Q4_K_M: the best that fits 5.5 GB of memory; Q5_K_M would need 5.7 GB"
    );
    assert_eq!(
        why(6.0, 16.0),
        "Q4_K_M: the best that fits 6.0 GB of memory with room for conversations; Q5_K_M would fill it"
    );
    assert_eq!(
        why(100.0, 100.0),
        "Q8_0: the best that fits 100.0 GB of memory"
    );
    assert_eq!(
        why(2.0, 16.0),
        "Q4_K_M: it needs 4.9 GB, of which 2.0 GB go into the fastest memory, so it will be slower"
    );
}

#[test]
fn whole_numbers_are_taken_only_where_nothing_else_is() {
    let floats = files(&[
        ("m-f32.gguf", 4.0),
        ("m-F16.gguf", 2.0),
        ("m-bf16.gguf", 2.0),
    ]);
    assert_eq!(pick(&floats, None, 100.0, 100.0).unwrap().quant, "BF16");
    let with = files(&[("m-f16.gguf", 2.0), ("m-q4_0.gguf", 0.6)]);
    assert_eq!(pick(&with, None, 100.0, 100.0).unwrap().quant, "Q4_0");
    let bare = files(&[("model.gguf", 2.0)]);
    assert_eq!(pick(&bare, None, 100.0, 100.0).unwrap().quant, "model");
}

#[test]
fn where_nothing_fits_the_smallest_is_named() {
    let error = pick(&usual(), None, 1.0, 2.0).unwrap_err();
    let sentence = error.to_string();
    assert!(
        sentence.contains("Q2_K, needs 3.2 GB, and 2.0 GB are there"),
        "{sentence}"
    );
    // But who asks for one gets it.
    assert_eq!(
        pick(&usual(), Some("Q8_0"), 1.0, 2.0).unwrap().size,
        8_500_000_000
    );
}

#[test]
fn a_quantization_is_named_in_any_case_and_a_dynamic_one_also_without_its_prefix() {
    let both = files(&[
        ("m-Q4_K_M.gguf", 1.0),
        ("m-UD-Q4_K_M.gguf", 1.1),
        ("m-UD-Q4_K_XL.gguf", 1.2),
    ]);
    let path = |wanted| {
        pick(&both, Some(wanted), 9.0, 9.0).unwrap().files[0]
            .path
            .clone()
    };
    assert_eq!(path("q4_k_m"), "m-Q4_K_M.gguf");
    assert_eq!(path("ud-q4_k_m"), "m-UD-Q4_K_M.gguf");
    assert_eq!(path("Q4_K_XL"), "m-UD-Q4_K_XL.gguf");
    assert_eq!(path("m-ud-q4_k_xl.gguf"), "m-UD-Q4_K_XL.gguf");
    let error = pick(&both, Some("Q9"), 9.0, 9.0).unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no Q9 here; there are UD-Q4_K_XL, Q4_K_M, UD-Q4_K_M"
    );
}

#[test]
fn names_of_many_kinds_tell_their_quantization() {
    let names = [
        ("ggml-model-q4_0.gguf", "Q4_0"),
        ("llama.Q5_K_M.gguf", "Q5_K_M"),
        ("model_Q6_K.gguf", "Q6_K"),
        ("m.i1-IQ3_XXS.gguf", "IQ3_XXS"),
        ("m-MXFP4_MOE.gguf", "MXFP4_MOE"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("m-Q4_0_4_4.gguf", "Q4_0_4_4"),
        ("Q8_0/part.gguf", "Q8_0"),
        ("m-UD-IQ1_S.gguf", "UD-IQ1_S"),
        ("Qwen3-8B.gguf", "Qwen3-8B"),
    ];
    for (path, expected) in names {
        let choice = pick(&files(&[(path, 1.0)]), None, 9.0, 9.0).unwrap();
        assert_eq!(choice.quant, expected, "{path}");
    }
}

#[test]
fn parts_belong_together_and_a_model_without_one_is_none() {
    let split = files(&[
        ("Q4_K_M/m-Q4_K_M-00002-of-00002.gguf", 2.0),
        ("Q4_K_M/m-Q4_K_M-00001-of-00002.gguf", 2.0),
        ("Q8_0/m-Q8_0-00001-of-00002.gguf", 4.0),
    ]);
    let choice = pick(&split, None, 9.0, 9.0).unwrap();
    assert_eq!((choice.quant.as_str(), choice.size), ("Q4_K_M", 4 * GB));
    assert!(choice.files[0].path.contains("00001"));
    let named = pick(&split, Some("m-Q4_K_M-00002-of-00002.gguf"), 9.0, 9.0).unwrap();
    assert_eq!(named.files.len(), 2);
    assert!(pick(&split, Some("Q8_0"), 9.0, 9.0).is_err());
}

#[test]
fn the_projector_nearest_to_the_model_comes_with_it() {
    let eyes = |list: &[(&str, f64)]| {
        let choice = pick(&files(list), None, 99.0, 99.0).unwrap();
        choice.projector.map(|p| p.path)
    };
    let model = ("m-Q4_K_M.gguf", 1.0);
    let name = |n: &str| Some(n.to_owned());
    assert_eq!(eyes(&[model]), None);
    assert_eq!(
        eyes(&[
            model,
            ("mmproj-F32.gguf", 1.0),
            ("mmproj-BF16.gguf", 1.0),
            ("mmproj-F16.gguf", 1.0)
        ]),
        name("mmproj-F16.gguf")
    );
    assert_eq!(
        eyes(&[
            model,
            ("mmproj-m-Q8_0.gguf", 1.0),
            ("mmproj-m-f32.gguf", 1.0)
        ]),
        name("mmproj-m-Q8_0.gguf")
    );
    assert_eq!(
        eyes(&[
            ("b/m-Q4_K_M.gguf", 1.0),
            ("a/mmproj-F16.gguf", 1.0),
            ("mmproj-F16.gguf", 1.0),
            ("b/mmproj-F32.gguf", 1.0)
        ]),
        name("b/mmproj-F32.gguf")
    );
    // It takes memory too.
    let with = files(&[
        ("m-Q4_K_M.gguf", 1.0),
        ("m-Q3_K_M.gguf", 0.8),
        ("mmproj-F16.gguf", 0.5),
    ]);
    assert_eq!(pick(&with, None, 1.4, 1.4).unwrap().quant, "Q3_K_M");
}

#[test]
fn a_repository_without_models_is_told() {
    let error = pick(
        &files(&[("README.md", 0.0), ("mmproj.gguf", 1.0)]),
        None,
        9.0,
        9.0,
    );
    assert!(matches!(error, Err(HubError::NoGguf(_))));
}

#[test]
fn one_name_for_two_files_is_asked_back() {
    let two = files(&[("a-Q4_0.gguf", 1.0), ("b-Q4_0.gguf", 1.0)]);
    let error = pick(&two, Some("Q4_0"), 9.0, 9.0).unwrap_err().to_string();
    assert!(error.contains("a-Q4_0.gguf, b-Q4_0.gguf"), "{error}");
}

#[test]
fn a_person_may_write_a_model_in_many_ways() {
    let repo = |quant: Option<&str>| Target::Repo {
        repo: "owner/Re-po.1".to_owned(),
        quant: quant.map(str::to_owned),
    };
    let file = |revision: &str, file: &str| Target::File {
        repo: "owner/Re-po.1".to_owned(),
        revision: revision.to_owned(),
        file: file.to_owned(),
    };
    let ways = [
        ("owner/Re-po.1", repo(None)),
        (" owner/Re-po.1:latest ", repo(None)),
        ("owner/Re-po.1:q4_k_m", repo(Some("q4_k_m"))),
        ("hf.co/owner/Re-po.1:Q8_0", repo(Some("Q8_0"))),
        ("hf://owner/Re-po.1", repo(None)),
        ("https://huggingface.co/owner/Re-po.1", repo(None)),
        ("https://huggingface.co/owner/Re-po.1/tree/main", repo(None)),
        ("owner/Re-po.1/a/b.gguf", file("main", "a/b.gguf")),
        (
            "https://huggingface.co/owner/Re-po.1/blob/v2/a%20b.gguf",
            file("v2", "a b.gguf"),
        ),
        (
            "https://huggingface.co/owner/Re-po.1/resolve/main/x/b.gguf?download=true",
            file("main", "x/b.gguf"),
        ),
    ];
    for (text, expected) in ways {
        assert_eq!(Target::parse(text).unwrap(), expected, "{text}");
    }
    assert!(matches!(
        Target::parse("https://example.org/m.gguf"),
        Ok(Target::Address(_))
    ));
    for wrong in [
        "",
        "word",
        "a/b/c",
        "../x",
        "a/..",
        "a b/c",
        "/x",
        "x/",
        "ftp://x/y.gguf",
        "a/b/c.bin",
        "https://",
    ] {
        assert!(
            matches!(Target::parse(wrong), Err(HubError::Target(_))),
            "{wrong:?}"
        );
    }
}

fn settings(home: &Path, variables: &[(&str, &str)]) -> Result<Settings, HubError> {
    let map: HashMap<&str, &str> = variables.iter().copied().collect();
    Settings::from(home, |name| map.get(name).map(OsString::from))
}

#[test]
fn the_environment_is_read_as_the_hubs_own_library_reads_it() {
    let home = tempfile::tempdir().unwrap();
    let read = |variables: &[(&str, &str)]| settings(home.path(), variables).unwrap();
    assert_eq!(read(&[]).endpoint.as_str(), "https://huggingface.co/");
    assert_eq!(read(&[]).token, None);
    let folder = home.path().join(".cache/huggingface");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("token"), " hf_file\n").unwrap();
    fs::write(home.path().join("other"), "hf_other").unwrap();
    assert_eq!(read(&[]).token.as_deref(), Some("hf_file"));
    assert_eq!(
        read(&[("HF_TOKEN_PATH", "~/other")]).token.as_deref(),
        Some("hf_other")
    );
    assert_eq!(read(&[("HF_HOME", "/nowhere")]).token, None);
    assert_eq!(
        read(&[("HUGGING_FACE_HUB_TOKEN", "hf_old")])
            .token
            .as_deref(),
        Some("hf_old")
    );
    let both = read(&[("HUGGING_FACE_HUB_TOKEN", "hf_old"), ("HF_TOKEN", "hf_new")]);
    assert_eq!(both.token.as_deref(), Some("hf_new"));
    assert!(!format!("{both:?}").contains("hf_new"));
    assert!(read(&[("HF_HUB_OFFLINE", "yes")]).offline);
    assert!(!read(&[("HF_HUB_OFFLINE", "0")]).offline);
    let mirror = read(&[("HF_ENDPOINT", "https://mirror.example/hf/")]);
    assert_eq!(mirror.endpoint.as_str(), "https://mirror.example/hf");
    assert!(
        read(&[("HF_ENDPOINT", "http://[::1]:80")])
            .endpoint
            .has_host()
    );
    let plain = settings(home.path(), &[("HF_ENDPOINT", "http://mirror.example")]);
    assert!(matches!(plain, Err(HubError::Plain(_))));
    let wrong = settings(home.path(), &[("HF_ENDPOINT", "mirror")]);
    assert!(matches!(wrong, Err(HubError::Setting { .. })));
}
