//! What is told of a file: what it is for, what it can do, and its facts.

use super::writer::{ARRAY, I32, Made, TEXT, array, text};
use parlor::gguf;
use parlor::protocol::library::{Ability, Kind};
use std::path::Path;

fn kind(made: &Made) -> Kind {
    made.card().kind
}

#[test]
fn what_a_file_is_for_is_told_by_its_signs() {
    let llama = || Made::model("llama", 1);
    let chat = "{{ messages }}";
    assert_eq!(kind(&llama()), Kind::Chat);
    assert_eq!(kind(&llama().say("general.type", "adapter")), Kind::Adapter);
    assert_eq!(kind(&llama().say("adapter.type", "lora")), Kind::Adapter);
    assert_eq!(kind(&llama().say("general.type", "mmproj")), Kind::Mmproj);
    assert_eq!(kind(&Made::new("clip")), Kind::Mmproj);
    for name in [
        "bert",
        "nomic-bert",
        "jina-bert-v3",
        "gemma-embedding",
        "modern-bert",
    ] {
        assert_eq!(kind(&Made::model(name, 1)), Kind::Embedding, "{name}");
    }
    let pooled = || Made::model("qwen3", 1).own("pooling_type", 3);
    assert_eq!(kind(&pooled()), Kind::Embedding);
    let talking = || pooled().say("tokenizer.chat_template", chat);
    assert_eq!(kind(&talking()), Kind::Chat);
    let named = talking().say("general.name", "Qwen3 Embedding 0.6B");
    assert_eq!(kind(&named), Kind::Embedding);
    assert_eq!(kind(&llama().own("pooling_type", 0)), Kind::Chat);
    let ranks = Made::model("qwen3", 1).own("pooling_type", 4);
    assert_eq!(kind(&ranks), Kind::Reranker);
    let ranks = Made::model("bert", 1).tensor("cls.output.weight", &[1], 0);
    assert_eq!(kind(&ranks), Kind::Reranker);
}

#[test]
fn what_a_model_can_do_is_told_by_its_template() {
    use Ability::{Audio, Chat, Embedding, Reasoning, Tools, Vision};
    let with = |template: &str| {
        let made = Made::model("llama", 1).say("tokenizer.chat_template", template);
        made.card().abilities
    };
    assert_eq!(Made::model("llama", 1).card().abilities, [Chat]);
    assert_eq!(with("{{ messages }}"), [Chat]);
    assert_eq!(with("{% if enable_thinking %}"), [Chat, Reasoning]);
    assert_eq!(with("[THINK]"), [Chat, Reasoning]);
    assert_eq!(with("{% if tools %}<think>"), [Chat, Reasoning, Tools]);
    let named = Made::model("llama", 1).say("tokenizer.chat_template.tool_use", "{{ tools }}");
    assert_eq!(named.card().abilities, [Chat, Tools]);
    assert_eq!(Made::model("bert", 1).card().abilities, [Embedding]);
    let clip = |vision: bool, audio: bool| {
        Made::new("clip")
            .flag("clip.has_vision_encoder", vision)
            .flag("clip.has_audio_encoder", audio)
    };
    assert_eq!(clip(true, false).card().abilities, [Vision]);
    assert_eq!(clip(false, true).card().abilities, [Audio]);
    assert_eq!(clip(true, true).card().abilities, [Vision, Audio]);
    assert_eq!(Made::new("clip").card().abilities, [Vision]);
}

#[test]
fn quantization_is_named_by_file_type_or_by_most_bytes() {
    let named = |code: u32| {
        Made::model("llama", 1)
            .count("general.file_type", code)
            .card()
    };
    let names = [
        (0, "F32"),
        (1, "F16"),
        (7, "Q8_0"),
        (15, "Q4_K_M"),
        (21, "Q2_K_S"),
        (30, "IQ4_XS"),
        (32, "BF16"),
        (36, "TQ1_0"),
        (38, "MXFP4_MOE"),
        (39, "NVFP4"),
        (1024 + 15, "Q4_K_M"),
    ];
    for (code, name) in names {
        assert_eq!(named(code).quantization, name, "{code}");
    }
    let seen = Made::model("llama", 1).tensor("blk.0.ffn_up.weight", &[256, 100], 12);
    assert_eq!(seen.card().quantization, "Q4_K");
    assert_eq!(
        seen.count("general.file_type", 999).card().quantization,
        "Q4_K"
    );
    assert_eq!(Made::new("llama").card().quantization, "");
}

#[test]
fn names_and_counts_stand_on_the_card() {
    let card = Made::model("llama", 2)
        .say("general.name", "  Tiny\u{1b}[31m\nmodel ")
        .say("general.basename", "tiny")
        .say("general.base_model.0.name", "Big 7B")
        .put(b"split.count", 2, &4u16.to_le_bytes())
        .card();
    assert_eq!(card.title, "Tiny [31m model");
    assert_eq!(card.architecture, "llama");
    assert_eq!((card.parameters, card.weights), (640, 2560));
    assert_eq!((card.context, card.split), (2048, 4));
    assert_eq!(card.base, "Big 7B");
    assert_eq!(Made::model("llama", 2).card().split, 1);
}

#[test]
fn a_projector_tells_the_width_that_it_hands_on() {
    let of = |name: &str| Made::new("clip").say("clip.projector_type", name);
    let stated = of("idefics3").count("clip.vision.projection_dim", 960);
    assert_eq!(stated.card().projection, 960);
    // The projection of these files is that of CLIP itself.
    let old = || Made::new("clip").count("clip.vision.projection_dim", 768);
    assert_eq!(
        old().tensor("mm.2.weight", &[64, 32], 1).card().projection,
        32
    );
    assert_eq!(old().card().projection, 768);
    let gemma = of("gemma3").tensor("mm.input_projection.weight", &[64, 32], 1);
    assert_eq!(gemma.card().projection, 64);
    let audio = of("qwen2a").count("clip.audio.projection_dim", 48);
    assert_eq!(audio.card().projection, 48);
    assert_eq!(Made::model("llama", 1).card().projection, 0);
}

#[test]
fn files_that_are_no_models_are_told_so() {
    let says = |made: &Made| {
        let error = gguf::check(&made.read().unwrap()).unwrap_err();
        error.to_string()
    };
    let matrix = Made::bare()
        .say("general.type", "imatrix")
        .tensor("x.in_sum2", &[1], 0);
    assert!(says(&matrix).contains("an importance matrix"));
    assert!(says(&Made::new("llama")).contains("a vocabulary without"));
    let pictures = Made::new("flux").tensor("x", &[1], 0);
    assert!(says(&pictures).contains("makes pictures"));
    let draft = Made::new("eagle3").tensor("x", &[1], 0);
    assert!(says(&draft).contains("a draft model"));
    assert!(gguf::check(&Made::model("llama", 1).read().unwrap()).is_ok());
}

#[test]
fn a_sheet_tells_everything_and_goes_through_json() {
    let made = Made::model("llama", 2)
        .float("llama.rope.freq_base", 500_000.0)
        .say("llama.rope.scaling.type", "yarn")
        .float("llama.rope.scaling.factor", 4.0)
        .own("rope.scaling.original_context_length", 512)
        .own("rope.dimension_count", 16)
        .say("tokenizer.ggml.model", "gpt2")
        .say("tokenizer.ggml.pre", "qwen2")
        .say_all("tokenizer.ggml.tokens", &["a", "b", "c"])
        .count("tokenizer.ggml.eos_token_id", 2)
        .count("tokenizer.ggml.padding_token_id", 1)
        .say("tokenizer.chat_template", "{{ a }}")
        .say("tokenizer.chat_template.rag", "{{ b }}")
        .say("general.license", "apache-2.0")
        .say_all("general.languages", &["en", "de"])
        .say("general.quantized_by", "somebody")
        .tensor("blk.0.ffn_up.weight", &[256, 100], 12);
    let sheet = gguf::sheet(&made.read().unwrap());
    assert_eq!(sheet.rope.base, Some(500_000.0));
    assert_eq!(sheet.rope.scaling.as_deref(), Some("yarn"));
    assert_eq!(sheet.rope.original_context, Some(512));
    assert_eq!((sheet.heads, sheet.kv_heads, sheet.layers), (4, 2, 2));
    assert_eq!((sheet.vocabulary, sheet.tokenizer.as_str()), (3, "gpt2"));
    assert_eq!(
        (sheet.special_tokens.eos, sheet.special_tokens.bos),
        (Some(2), None)
    );
    assert_eq!(sheet.template.as_deref(), Some("{{ a }}"));
    assert_eq!(sheet.templates, ["rag"]);
    assert_eq!(
        (sheet.license.as_str(), &sheet.languages[..]),
        ("apache-2.0", &["en".into(), "de".into()][..])
    );
    let shares: Vec<_> = sheet
        .tensors
        .iter()
        .map(|t| (t.name.as_str(), t.count, t.bytes))
        .collect();
    assert_eq!(shares, [("Q4_K", 1, 14_400), ("F32", 1, 2560)]);
    let json = serde_json::to_string(&sheet).unwrap();
    assert_eq!(serde_json::from_str::<gguf::Sheet>(&json).unwrap(), sheet);
}

#[test]
fn adapters_and_projectors_have_facts_of_their_own() {
    let lora = Made::new("llama")
        .say("general.type", "adapter")
        .say("adapter.type", "lora")
        .float("adapter.lora.alpha", 32.0)
        .tensor("blk.0.attn_q.weight.lora_a", &[64, 16], 0)
        .tensor("blk.0.attn_q.weight.lora_b", &[16, 64], 0);
    let facts = gguf::sheet(&lora.read().unwrap()).adapter.unwrap();
    assert_eq!(
        (facts.method.as_str(), facts.alpha, facts.rank),
        ("lora", Some(32.0), 16)
    );
    let eyes = Made::new("clip")
        .say("clip.projector_type", "idefics3")
        .count("clip.vision.image_size", 512)
        .count("clip.vision.patch_size", 16)
        .count("clip.vision.block_count", 12);
    let facts = gguf::sheet(&eyes.read().unwrap()).projector.unwrap();
    assert_eq!(
        (
            facts.method.as_str(),
            facts.image_size,
            facts.patch_size,
            facts.layers
        ),
        ("idefics3", 512, 16, 12)
    );
}

#[test]
fn lists_of_a_wrong_type_are_as_if_they_were_not_there() {
    let made = Made::bare()
        .put(b"general.tags", ARRAY, &array(I32, 1, &[0; 4]))
        .put(b"general.languages", TEXT, &text(b"en"))
        .tensor("t", &[1], 0);
    let sheet = gguf::sheet(&made.read().unwrap());
    assert!(sheet.tags.is_empty() && sheet.languages.is_empty());
}

#[test]
fn the_starter_adds_up() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/starter/starter.gguf");
    let header = gguf::read(&path).unwrap();
    let card = gguf::whole_card(&path).unwrap();
    assert_eq!(
        (card.kind, card.quantization.as_str()),
        (Kind::Chat, "Q8_0")
    );
    let shape = &card.shape;
    let layers: u64 = shape.layer_bytes.iter().sum();
    // Its output shares the embedding's tensor, and has a norm beside it.
    assert_eq!(layers + shape.output_bytes, card.weights);
    assert_eq!(shape.layer_bytes.len(), shape.layers as usize);
    assert!(header.data_start + card.weights <= header.file_size);
    assert!(card.weights > card.parameters);
}
