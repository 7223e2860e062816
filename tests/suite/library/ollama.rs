//! What is found in Ollama's store.

use super::made::{Home, Made, names, why};
use parlor::protocol::library::Source;

/// A digest that Ollama would take.
pub fn digest(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

pub fn layer(kind: &str, n: u8) -> String {
    let digest = digest(n);
    format!(
        r#"{{"mediaType":"application/vnd.ollama.image.{kind}","digest":"sha256:{digest}","size":1}}"#
    )
}

pub fn manifest(home: &Home, name: &str, layers: &[String]) {
    let text = format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, layers.join(","));
    home.write(&format!(".ollama/models/manifests/{name}"), text);
}

pub fn blob(n: u8) -> String {
    format!(".ollama/models/blobs/sha256-{}", digest(n))
}

#[test]
fn ollamas_models_have_names_settings_and_projectors() {
    let home = Home::new();
    home.put(&blob(1), &Made::chat("Gemma", 64));
    let eyes = home.put(&blob(2), &Made::projector("Gemma", 64));
    home.write(&blob(3), "{{ .Prompt }}");
    home.write(&blob(4), "Be brief.");
    home.write(
        &blob(5),
        r#"{"temperature":0.5,"stop":["<a>","<b>"],"num_ctx":4096}"#,
    );
    let lora = home.put(&blob(6), &Made::adapter());
    let model = layer("model", 1);
    let all = [
        model.clone(),
        layer("projector", 2),
        layer("template", 3),
        layer("system", 4),
        layer("params", 5),
        layer("adapter", 6),
        layer("license", 9),
    ];
    manifest(&home, "registry.ollama.ai/library/gemma3/4b", &all);
    manifest(
        &home,
        "registry.ollama.ai/mine/gemma3/latest",
        std::slice::from_ref(&model),
    );
    manifest(&home, "hf.co/org/repo-GGUF/Q4_K_M", &[model]);
    let found = home.scan();
    // One file with three names that people know it by.
    assert_eq!(
        names(&found),
        [
            "gemma3:4b",
            "hf.co/org/repo-GGUF:Q4_K_M",
            "mine/gemma3:latest"
        ]
    );
    let gemma = &found[0];
    assert_eq!(
        (gemma.source, &gemma.path),
        (Source::Ollama, &home.at(&blob(1)))
    );
    assert_eq!(gemma.projector, Some(eyes));
    let extras = gemma.extras.as_ref().unwrap();
    assert_eq!(extras.template.as_deref(), Some("{{ .Prompt }}"));
    assert_eq!(extras.system.as_deref(), Some("Be brief."));
    assert_eq!(extras.adapters, [lora]);
    let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
    let expected = [
        pair("temperature", "0.5"),
        pair("stop", "<a>"),
        pair("stop", "<b>"),
        pair("num_ctx", "4096"),
    ];
    assert_eq!(extras.parameters, expected);
    assert_eq!(found[1].repo.as_deref(), Some("org/repo-GGUF"));
    assert_eq!(found[2].extras.as_ref().unwrap().system, None);
}

#[test]
fn a_digest_never_leads_out_of_the_blobs() {
    let home = Home::new();
    home.put("secret.gguf", &Made::chat("Secret", 64));
    for (n, digest) in ["sha256:../../../secret.gguf", "sha256-zz", "md5:00", ""]
        .iter()
        .enumerate()
    {
        let layer =
            format!(r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}"}}"#);
        manifest(
            &home,
            &format!("registry.ollama.ai/library/bad{n}/latest"),
            &[layer],
        );
    }
    let found = home.scan();
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|m| m.card.is_err()));
    assert!(found.iter().all(|m| !m.path.ends_with("secret.gguf")));
}

#[test]
fn ollamas_odd_manifests_are_told_or_left_out() {
    let home = Home::new();
    let at = |name: &str| format!("registry.ollama.ai/library/{name}");
    manifest(&home, &at("gone/1b"), &[layer("model", 1)]);
    manifest(&home, &at("coming/1b"), &[layer("model", 2)]);
    home.write(&format!("{}-partial", blob(2)), [0; 500]);
    let piece =
        |n: u32, done: u32| format!(r#"{{"N":{n},"Offset":0,"Size":250,"Completed":{done}}}"#);
    home.write(&format!("{}-partial-0", blob(2)), piece(0, 250));
    home.write(&format!("{}-partial-1", blob(2)), piece(1, 30));
    // One that no manifest names yet, and one of another kind.
    home.put(&format!("{}-partial", blob(3)), &Made::chat("New", 64));
    home.write(&format!("{}-partial", blob(4)), "{}");
    home.write(
        ".ollama/models/manifests/registry.ollama.ai/library/torn/1b",
        "{\"lay",
    );
    manifest(&home, &at("cloud/latest"), &[layer("license", 5)]);
    home.write(".ollama/models/manifests/stray", "{}");
    let found = home.scan();
    let fresh = format!("sha256-{}", &digest(3)[..12]);
    assert_eq!(names(&found), ["coming:1b", "gone:1b", &fresh, "torn:1b"]);
    assert!(why(&found, "coming:1b").starts_with("not whole yet: 280 of 500 bytes"));
    assert!(why(&found, "gone:1b").contains("`ollama pull gone:1b`"));
    assert!(why(&found, "torn:1b").contains("manifest"));
    assert!(why(&found, &fresh).contains("Ollama has to finish it"));
}
