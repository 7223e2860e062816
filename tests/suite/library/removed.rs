//! What may be removed: Parlor's own files, and nothing else.

use super::made::{Home, Made, named};
use parlor::models::{RemoveError, look, remove};
use std::fs;

#[test]
fn a_model_goes_with_all_its_parts_and_the_folders_that_become_empty() {
    let home = Home::new();
    for n in [1, 2] {
        home.put(
            &format!("parlor/org/big/Q4/x-0000{n}-of-00002.gguf"),
            &Made::chat("X", 64),
        );
    }
    home.write("parlor/org/big/Q4/x-00002-of-00002.gguf.part", "old");
    home.write("parlor/org/big/Q4/x-00002-of-00002.gguf.part.json", "{}");
    home.put("parlor/org/other/y.gguf", &Made::chat("Y", 64));
    let found = home.scan();
    let gone = remove(named(&found, "x"), &home.at("parlor")).unwrap();
    assert_eq!(gone.len(), 4, "{gone:?}");
    assert!(!home.at("parlor/org/big").exists());
    assert!(home.at("parlor/org/other/y.gguf").exists());
    remove(named(&found, "y"), &home.at("parlor")).unwrap();
    assert!(!home.at("parlor/org").exists() && home.at("parlor").exists());
}

#[test]
fn what_is_not_whole_goes_with_its_note() {
    let home = Home::new();
    home.write("parlor/org/r/z.gguf.part", "GG");
    home.write("parlor/org/r/z.gguf.part.json", r#"{"size":9}"#);
    home.write("parlor/org/r/z.gguf.part.json.new", "{");
    let found = home.scan();
    remove(named(&found, "z"), &home.at("parlor")).unwrap();
    assert!(!home.at("parlor/org").exists());
}

#[test]
fn files_of_other_programs_are_refused_with_the_way_to_remove_them_there() {
    let home = Home::new();
    let digest = "ab".repeat(32);
    home.put(
        &format!(".ollama/models/blobs/sha256-{digest}"),
        &Made::chat("O", 64),
    );
    let text = format!(
        r#"{{"layers":[{{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:{digest}"}}]}}"#
    );
    home.write(
        ".ollama/models/manifests/registry.ollama.ai/library/qwen3/4b",
        text,
    );
    home.put(
        ".cache/huggingface/hub/models--a--b/snapshots/1/h.gguf",
        &Made::chat("H", 64),
    );
    home.put(".lmstudio/models/a/b/l.gguf", &Made::chat("L", 64));
    home.put("models/mine.gguf", &Made::chat("Mine", 64));
    let found = home.scan();
    assert_eq!(found.len(), 4);
    let cases = [
        ("qwen3:4b", "`ollama rm qwen3:4b`"),
        ("h", "`hf cache rm model/a/b`"),
        ("l", "LM Studio"),
        ("mine", "folder of your own"),
    ];
    // Whether Parlor's folder is there or not.
    for _ in 0..2 {
        for (name, how) in cases {
            let model = named(&found, name);
            let error = remove(model, &home.at("parlor")).unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, RemoveError::Elsewhere { .. }), "{text}");
            assert!(
                text.contains(how) && text.contains(&*model.path.to_string_lossy()),
                "{text}"
            );
            assert!(model.path.exists());
        }
        fs::create_dir_all(home.at("parlor")).unwrap();
    }
}

#[test]
#[cfg(unix)]
fn links_that_lead_out_of_the_folder_are_refused() {
    use super::made::link;
    let home = Home::new();
    let outside = home.put("disk/a.gguf", &Made::chat("A", 64));
    link(&outside, &home.at("parlor/o/r/a.gguf"));
    link(home.at("disk"), &home.at("parlor/o/linked"));
    // One part inside, one a link to the outside: neither may go.
    let inside = home.put("parlor/o/r/b-00001-of-00002.gguf", &Made::chat("B", 64));
    link(&outside, &home.at("parlor/o/r/b-00002-of-00002.gguf"));
    let own = home.at("parlor");
    let link = look(&home.at("parlor/o/r/a.gguf"), &[]);
    let error = remove(&link, &own).unwrap_err();
    assert!(matches!(error, RemoveError::Link { .. }), "{error}");
    let through = look(&home.at("parlor/o/linked/a.gguf"), &[]);
    let error = remove(&through, &own).unwrap_err();
    assert!(matches!(error, RemoveError::Elsewhere { .. }), "{error}");
    let upward = look(&home.at("parlor/../disk/a.gguf"), &[]);
    assert!(remove(&upward, &own).is_err());
    let parts = look(&inside, &[]);
    assert_eq!(parts.parts.len(), 2);
    assert!(remove(&parts, &own).is_err());
    assert!(outside.exists() && inside.exists());
}

#[test]
#[cfg(unix)]
fn the_own_folder_may_itself_be_a_link_to_another_disk() {
    use super::made::link;
    let home = Home::new();
    home.put("disk/models/o/r/a.gguf", &Made::chat("A", 64));
    link(home.at("disk/models"), &home.at("parlor"));
    let found = home.scan();
    remove(named(&found, "a"), &home.at("parlor")).unwrap();
    assert!(home.at("disk/models").exists() && !home.at("disk/models/o").exists());
}
