//! What is found in the folders of other programs.

use super::made::{Home, Made, named, names, why};
use super::ollama::{blob, digest, layer, manifest};
use parlor::models::{Places, scan};
use parlor::protocol::library::Source;
use std::fs;
use std::path::PathBuf;

#[test]
#[cfg(unix)]
fn the_hubs_cache_shows_a_file_of_two_revisions_once() {
    use super::made::link;
    let home = Home::new();
    let repo = ".cache/huggingface/hub/models--org--my-model-GGUF";
    home.put(&format!("{repo}/blobs/aa"), &Made::chat("A", 64));
    home.put(&format!("{repo}/blobs/bb"), &Made::chat("B", 65));
    home.put(&format!("{repo}/blobs/cc"), &Made::chat("C", 66));
    home.put(&format!("{repo}/blobs/hh"), &Made::chat("H", 67));
    let snapshot = |revision: &str, file: &str, to: &str| {
        let up = "../".repeat(2 + file.matches('/').count());
        link(
            format!("{up}blobs/{to}"),
            &home.at(&format!("{repo}/snapshots/{revision}/{file}")),
        );
    };
    home.write(&format!("{repo}/refs/main"), "1111111111\n");
    for revision in ["1111111111", "2222222222"] {
        snapshot(revision, "m-Q4_0.gguf", "aa");
        snapshot(revision, "README.md", "cc");
    }
    // The file changed from one revision to the next.
    snapshot("1111111111", "sub/m-Q8_0.gguf", "bb");
    snapshot("2222222222", "sub/m-Q8_0.gguf", "cc");
    // Gone from an old revision, which the newer one need not care about.
    snapshot("1111111111", "m-Q5_0.gguf", "hh");
    snapshot("2222222222", "m-Q5_0.gguf", "ii");
    // A link to a blob that somebody removed.
    snapshot("1111111111", "m-F16.gguf", "dd");
    snapshot("2222222222", "m-Q4_1.gguf", "ee");
    home.write(
        &format!("{repo}/blobs/ff.1234abcd.incomplete"),
        &Made::chat("F", 1).bytes()[..40],
    );
    home.write(&format!("{repo}/blobs/00.incomplete"), "{\"a json\":1}");
    home.write(
        ".cache/huggingface/hub/models--gpt2/snapshots/x/model.safetensors",
        "x",
    );
    let found = home.scan();
    let expected = [
        "m-F16",
        "m-Q4_0",
        "m-Q4_1",
        "m-Q5_0",
        "m-Q8_0",
        "m-Q8_0@2222222",
        "my-model-GGUF",
    ];
    assert_eq!(names(&found), expected);
    let all = |m: &parlor::protocol::library::FoundModel| {
        m.source == Source::HuggingFace && m.repo.as_deref() == Some("org/my-model-GGUF")
    };
    assert!(found.iter().all(all));
    let current = named(&found, "m-Q4_0");
    assert_eq!(
        current.path,
        home.at(&format!("{repo}/snapshots/1111111111/m-Q4_0.gguf"))
    );
    assert!(why(&found, "m-F16").contains("is gone"));
    assert!(why(&found, "my-model-GGUF").contains("not whole yet: 40 bytes"));
}

#[test]
fn llama_cpps_flat_cache_tells_repositories_by_its_manifests() {
    let home = Home::new();
    let at = |name: &str| format!(".cache/llama.cpp/{name}");
    home.put(
        &at("ggml-org_gemma_it-GGUF_gemma-Q4_0.gguf"),
        &Made::chat("G", 64),
    );
    home.write(&at("ggml-org_gemma_it-GGUF_gemma-Q4_0.gguf.etag"), "x");
    home.write(&at("manifest=ggml-org=gemma_it-GGUF=latest.json"), "{}");
    home.write(&at("manifest=ggml-org=gemma=latest.json"), "{}");
    home.put(&at("a_b_c.gguf"), &Made::chat("Plain", 64));
    home.put(&at("o_r_old.gguf"), &Made::chat("Old", 64));
    let note = r#"{"etag":"x","lastModified":"","url":"https://huggingface.co/o/r/resolve/main/old.gguf"}"#;
    home.write(&at("o_r_old.gguf.json"), note);
    home.write(
        &at("ggml-org_gemma_new-Q8_0.gguf.downloadInProgress"),
        [1; 77],
    );
    home.put(
        &at("models--x--y/snapshots/1/hub.gguf"),
        &Made::chat("Hub", 64),
    );
    let found = home.scan();
    assert_eq!(
        names(&found),
        ["a_b_c", "gemma-Q4_0", "hub", "new-Q8_0", "old"]
    );
    assert!(found.iter().all(|m| m.source == Source::LlamaCpp));
    let repos: Vec<_> = found.iter().map(|m| m.repo.as_deref()).collect();
    let expected = [
        None,
        Some("ggml-org/gemma_it-GGUF"),
        Some("x/y"),
        Some("ggml-org/gemma"),
        Some("o/r"),
    ];
    assert_eq!(repos, expected);
    let text = why(&found, "new-Q8_0");
    assert!(
        text.contains("77 bytes so far; llama.cpp has to finish it"),
        "{text}"
    );
}

#[test]
fn lm_studio_may_have_its_home_elsewhere() {
    let home = Home::new();
    home.put(".lmstudio/models/pub/repo/a.gguf", &Made::chat("A", 64));
    home.put(
        ".cache/lm-studio/models/pub/repo/b.gguf",
        &Made::chat("B", 64),
    );
    home.put("disk/lms/models/pub/repo/c.gguf", &Made::chat("C", 64));
    let pointer = format!("{}\n", home.at("disk/lms").display());
    home.write(".lmstudio-home-pointer", pointer);
    let found = home.scan();
    assert_eq!(names(&found), ["a", "b", "c"]);
    assert!(found.iter().all(|m| m.source == Source::LmStudio));
    assert!(found.iter().all(|m| m.repo.as_deref() == Some("pub/repo")));
}

#[test]
fn gpt4alls_settings_may_name_its_folder() {
    let home = Home::new();
    home.put(
        ".local/share/nomic.ai/GPT4All/Llama.Q4_0.gguf",
        &Made::chat("L", 64),
    );
    home.write(
        ".local/share/nomic.ai/GPT4All/incomplete-Phi.Q4_0.gguf",
        [0; 9],
    );
    home.put("my models \u{4e2d}/d.gguf", &Made::chat("D", 64));
    let path = home.at("my models \\x4e2d").display().to_string();
    let ini = format!("[General]\nmodelPaths=/old\nmodelPath=\"{path}/\"\n");
    home.write(".config/nomic.ai/GPT4All.ini", ini);
    let found = home.scan();
    assert_eq!(names(&found), ["d", "Llama.Q4_0", "Phi.Q4_0"]);
    assert!(found.iter().all(|m| m.source == Source::Gpt4All));
    assert!(why(&found, "Phi.Q4_0").contains("9 bytes so far; GPT4All"));
}

#[test]
fn jans_descriptions_name_models_old_and_new() {
    let home = Home::new();
    let data = ".local/share/Jan/data";
    let new = format!("{data}/llamacpp/models/janhq/Jan-v3");
    home.put(&format!("{new}/model.gguf"), &Made::chat("Jan", 64));
    let eyes = home.put(&format!("{new}/mmproj.gguf"), &Made::projector("", 64));
    let yml = "model_path: llamacpp/models/janhq/Jan-v3/model.gguf\nmmproj_path: 'llamacpp/models/janhq/Jan-v3/mmproj.gguf'\nname: Jan\nsize_bytes: 1\n";
    home.write(&format!("{new}/model.yml"), yml);
    // One whose file is elsewhere, and one whose file is gone.
    let outside = home.put("disk/outside.gguf", &Made::chat("Out", 64));
    let yml = format!("name: Out\nmodel_path: \"{}\"\n", outside.display());
    home.write(&format!("{data}/llamacpp/models/out/model.yml"), yml);
    home.write(
        &format!("{data}/llamacpp/models/lost/model.yml"),
        "model_path: llamacpp/models/lost/model.gguf\n",
    );
    // Versions before.
    home.put(
        "jan/models/tinyllama-1.1b/tiny.Q4_K_M.gguf",
        &Made::chat("Tiny", 64),
    );
    let json = r#"{"id":"tinyllama-1.1b","sources":[{"filename":"tiny.Q4_K_M.gguf","url":""}],"settings":{"llama_model_path":"tiny.Q4_K_M.gguf"}}"#;
    home.write("jan/models/tinyllama-1.1b/model.json", json);
    home.write(
        "jan/models/gpt-4o/model.json",
        r#"{"id":"gpt-4o","sources":[{"url":"https://openai.com"}]}"#,
    );
    home.put(
        "jan/models/huggingface.co/org/repo/loose-Q8_0.gguf",
        &Made::chat("Loose", 64),
    );
    let found = home.scan();
    assert_eq!(
        names(&found),
        [
            "janhq/Jan-v3",
            "loose-Q8_0",
            "lost",
            "out",
            "tinyllama-1.1b"
        ]
    );
    assert!(found.iter().all(|m| m.source == Source::Jan));
    assert_eq!(named(&found, "janhq/Jan-v3").projector, Some(eyes));
    assert_eq!(named(&found, "out").path, outside);
    assert_eq!(
        named(&found, "loose-Q8_0").repo.as_deref(),
        Some("org/repo")
    );
    assert!(why(&found, "lost").contains("model.gguf cannot be read"));
}

#[test]
fn jans_settings_may_name_its_folder() {
    let home = Home::new();
    home.put("disk/jan/models/x/x.gguf", &Made::chat("X", 64));
    let folder = home.at("disk/jan").display().to_string();
    home.write(
        ".local/share/Jan/settings.json",
        format!(r#"{{"data_folder":"{folder}"}}"#),
    );
    assert_eq!(names(&home.scan()), ["x"]);
}

#[test]
fn mstys_store_is_of_ollamas_kind_and_its_llama_cpp_keeps_plain_files() {
    let home = Home::new();
    let name = format!(".config/Msty/models/blobs/sha256-{}", digest(1));
    home.put(&name, &Made::chat("M", 64));
    let text = format!(r#"{{"layers":[{}]}}"#, layer("model", 1));
    home.write(
        ".config/Msty/models/manifests/registry.ollama.ai/library/gemma/2b",
        text,
    );
    home.put(
        ".config/MstyStudio/models-llamacpp/org/repo/s.gguf",
        &Made::chat("S", 64),
    );
    let found = home.scan();
    assert_eq!(names(&found), ["gemma:2b", "s"]);
    assert!(found.iter().all(|m| m.source == Source::Msty));
    assert_eq!(found[1].repo.as_deref(), Some("org/repo"));
}

#[test]
fn the_environment_moves_places() {
    let home = Home::new();
    let variable = |name: &str| -> Option<PathBuf> {
        let known = [
            "HF_HUB_CACHE",
            "HF_HOME",
            "LLAMA_CACHE",
            "OLLAMA_MODELS",
            "JAN_DATA_FOLDER",
            "XDG_DATA_HOME",
        ];
        known
            .contains(&name)
            .then(|| home.at(&format!("env/{name}")))
    };
    let places = Places::usual(&home.at(""), home.at("here"), variable);
    let env = |name: &str| home.at(&format!("env/{name}"));
    assert_eq!(
        places.hugging_face[..2],
        [env("HF_HUB_CACHE"), env("HF_HOME/hub")]
    );
    assert!(
        places
            .hugging_face
            .contains(&home.at(".cache/huggingface/hub"))
    );
    assert_eq!(places.llama_cpp[0], env("LLAMA_CACHE"));
    assert_eq!(places.ollama[0], env("OLLAMA_MODELS"));
    assert_eq!(places.jan[0], env("JAN_DATA_FOLDER"));
    if cfg!(target_os = "linux") {
        assert_eq!(places.gpt4all[0], env("XDG_DATA_HOME/nomic.ai/GPT4All"));
    }
    home.put(
        "env/HF_HUB_CACHE/models--a--b/snapshots/1/b.gguf",
        &Made::chat("B", 64),
    );
    fs::create_dir_all(env("OLLAMA_MODELS")).unwrap();
    let found = scan(&places, &[], None);
    assert!(found.iter().any(|m| m.name == "b"));
}

#[test]
#[cfg(unix)]
fn the_program_in_whose_folder_a_file_really_is_has_it() {
    use super::made::link;
    let home = Home::new();
    let hub = home.put(
        ".cache/huggingface/hub/models--a--b/snapshots/1/m.gguf",
        &Made::chat("M", 64),
    );
    link(&hub, &home.at(".lmstudio/models/a/b/m.gguf"));
    link(&hub, &home.at("parlor/a/b/m.gguf"));
    home.put(&blob(1), &Made::chat("O", 64));
    manifest(
        &home,
        "registry.ollama.ai/library/o/latest",
        &[layer("model", 1)],
    );
    fs::create_dir_all(home.at("models")).unwrap();
    fs::hard_link(home.at(&blob(1)), home.at("models/o.gguf")).unwrap();
    let mut places = home.places();
    // A folder of the config that another program keeps.
    places.folders.push(home.at(".lmstudio"));
    home.put(".lmstudio/models/a/b/own.gguf", &Made::chat("Own", 64));
    let found = scan(&places, &[], None);
    let got: Vec<_> = found.iter().map(|m| (m.name.as_str(), m.source)).collect();
    let expected = [
        ("m", Source::HuggingFace),
        ("o:latest", Source::Ollama),
        ("own", Source::LmStudio),
    ];
    assert_eq!(got, expected);
}
