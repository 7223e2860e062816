//! Which projector a model gets.

use super::made::{Home, Made, named};
use parlor::models::scan;

#[test]
fn a_projector_goes_to_the_model_of_its_width_and_name() {
    let home = Home::new();
    home.put(
        "models/gemma-3-4b-it-Q4_K_M.gguf",
        &Made::chat("Gemma 3 4b It", 2560),
    );
    home.put(
        "models/gemma-3-4b-it-Q8_0.gguf",
        &Made::chat("Gemma 3 4b It", 2560),
    );
    home.put(
        "models/gemma-3-12b-it-Q4_0.gguf",
        &Made::chat("Gemma 3 12b It", 3840),
    );
    home.put(
        "models/phi-4-mini-Q4_0.gguf",
        &Made::chat("Phi 4 Mini", 2560),
    );
    let eyes = home.put(
        "models/mmproj-gemma-3-4b-it-F16.gguf",
        &Made::projector("Gemma 3 4b It", 2560),
    );
    home.put(
        "models/mmproj-gemma-3-4b-it-F32.gguf",
        &Made::projector("Gemma 3 4b It", 2560),
    );
    let found = home.scan();
    let of = |name: &str| named(&found, name).projector.clone();
    assert_eq!(of("gemma-3-4b-it-Q4_K_M"), Some(eyes.clone()));
    assert_eq!(of("gemma-3-4b-it-Q8_0"), Some(eyes));
    assert_eq!(of("gemma-3-12b-it-Q4_0"), None, "another width");
    assert_eq!(of("phi-4-mini-Q4_0"), None, "another name");
    assert_eq!(of("mmproj-gemma-3-4b-it-F16"), None);
}

#[test]
fn a_projector_without_a_name_belongs_to_the_only_model_beside_it() {
    let home = Home::new();
    let nameless = Made::projector("", 4096);
    home.put(
        "models/llava/llava-v1.5-7b-Q4_K.gguf",
        &Made::chat("LLaVA", 4096),
    );
    home.put(
        "models/llava/llava-v1.5-7b-Q8_0.gguf",
        &Made::chat("LLaVA", 4096),
    );
    let eyes = home.put("models/llava/mmproj-model-f16.gguf", &nameless);
    home.put(
        "models/mixed/mistral-7b-Q4_0.gguf",
        &Made::chat("Mistral", 4096),
    );
    home.put(
        "models/mixed/llama-3-8b-Q4_0.gguf",
        &Made::chat("Llama", 4096),
    );
    home.put("models/mixed/mmproj-f16.gguf", &nameless);
    home.put(
        "models/elsewhere/llava-v1.5-7b-F16.gguf",
        &Made::chat("LLaVA", 4096),
    );
    let found = home.scan();
    let of = |name: &str| named(&found, name).projector.clone();
    assert_eq!(of("llava-v1.5-7b-Q4_K"), Some(eyes.clone()));
    assert_eq!(of("llava-v1.5-7b-Q8_0"), Some(eyes));
    assert_eq!(of("mistral-7b-Q4_0"), None, "it may be the other's");
    assert_eq!(of("llama-3-8b-Q4_0"), None, "it may be the other's");
    assert_eq!(of("llava-v1.5-7b-F16"), None, "another folder");
}

#[test]
fn a_projector_serves_its_whole_repository_and_no_other() {
    let home = Home::new();
    home.put(
        "parlor/org/vl/UD-Q4_K_XL/vl-UD-Q4_K_XL.gguf",
        &Made::chat("VL", 64),
    );
    let eyes = home.put("parlor/org/vl/mmproj-F16.gguf", &Made::projector("", 64));
    home.put("parlor/org/vl/draft-Q4_0.gguf", &Made::chat("Draft", 32));
    home.put("parlor/org/text/vl-text-Q4_0.gguf", &Made::chat("VL", 64));
    let found = home.scan();
    assert_eq!(named(&found, "vl-UD-Q4_K_XL").projector, Some(eyes));
    assert_eq!(named(&found, "draft-Q4_0").projector, None);
    assert_eq!(named(&found, "vl-text-Q4_0").projector, None);
}

#[test]
fn repositories_in_one_flat_folder_do_not_lend_projectors() {
    let home = Home::new();
    let at = |name: &str| format!(".cache/llama.cpp/{name}");
    for repo in ["a", "b"] {
        let model = Made::chat(&format!("See {repo}"), 64);
        home.put(&at(&format!("{repo}_see_see-{repo}-Q4_0.gguf")), &model);
        home.write(&at(&format!("manifest={repo}=see=latest.json")), "{}");
    }
    let eyes = home.put(
        &at("a_see_mmproj-see-f16.gguf"),
        &Made::projector("See", 64),
    );
    let found = home.scan();
    assert_eq!(named(&found, "see-a-Q4_0").projector, Some(eyes));
    assert_eq!(named(&found, "see-b-Q4_0").projector, None);
}

#[test]
fn what_is_paired_by_hand_comes_first() {
    let home = Home::new();
    let model = home.put("models/see-Q4_0.gguf", &Made::chat("See", 64));
    home.put("models/mmproj-see.gguf", &Made::projector("See", 64));
    let other = home.put("elsewhere/eyes.gguf", &Made::projector("Quite other", 7));
    let by_hand = [(model.clone(), other.clone())];
    let found = scan(&home.places(), &by_hand, None);
    assert_eq!(named(&found, "see-Q4_0").projector, Some(other));
    // Once that file is gone, the usual way counts again.
    let gone = [(model, home.at("elsewhere/gone.gguf"))];
    let found = scan(&home.places(), &gone, None);
    let usual = home.at("models/mmproj-see.gguf");
    assert_eq!(named(&found, "see-Q4_0").projector, Some(usual));
}
