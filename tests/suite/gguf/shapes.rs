//! Measures of models of many architectures, as llama.cpp computes them.

use super::writer::{ARRAY, BOOL, Made, array};
use parlor::protocol::library::Shape;

fn shape(made: &Made) -> Shape {
    made.card().shape
}

/// The layers with a window, as a line of `w` and `.`.
fn windows(made: &Made) -> String {
    let windowed = shape(made).windowed;
    windowed
        .iter()
        .map(|w| if *w { 'w' } else { '.' })
        .collect()
}

#[test]
fn an_ordinary_model_has_the_same_cache_in_every_layer() {
    let shape = shape(&Made::model("llama", 3));
    assert_eq!((shape.layers, shape.embedding, shape.heads), (3, 64, 4));
    assert_eq!(shape.feed_forward, 128);
    // Two heads of 64 / 4 numbers.
    assert_eq!(shape.key_widths, [32; 3]);
    assert_eq!(shape.value_widths, [32; 3]);
    assert_eq!(
        (shape.window, shape.windowed.len(), shape.recurrent),
        (0, 0, 0)
    );
}

#[test]
fn heads_may_have_a_width_of_their_own() {
    let made = Made::model("qwen3", 2)
        .own("attention.key_length", 128)
        .own("attention.value_length", 96);
    assert_eq!(shape(&made).key_widths, [256; 2]);
    assert_eq!(shape(&made).value_widths, [192; 2]);
}

/// A model whose layers differ.
fn varied(architecture: &str, heads: u32, kv_heads: &[u32]) -> Made {
    Made::new(architecture)
        .own("block_count", kv_heads.len() as u32)
        .own("embedding_length", 64)
        .own("attention.head_count", heads)
        .each("attention.head_count_kv", kv_heads)
}

#[test]
fn layers_may_differ() {
    let made = varied("deci", 4, &[4, 0, 2]).each("feed_forward_length", &[10, 300, 20]);
    assert_eq!(shape(&made).key_widths, [64, 0, 32]);
    assert_eq!(shape(&made).feed_forward, 300);
    // Lists that are too short or too long count as far as there are layers.
    let short = varied("deci", 4, &[2, 2]).each("feed_forward_length", &[1, 2, 999]);
    assert_eq!(shape(&short).feed_forward, 2);
}

#[test]
fn windows_follow_the_pattern_of_the_architecture() {
    let model = |name, layers| Made::model(name, layers).own("attention.sliding_window", 512);
    assert_eq!(windows(&model("gemma3", 12)), "wwwww.wwwww.");
    assert_eq!(windows(&model("gemma2", 4)), "w.w.");
    assert_eq!(windows(&model("gpt-oss", 4)), "w.w.");
    assert_eq!(windows(&model("cohere2", 8)), "www.www.");
    assert_eq!(windows(&model("smallthinker", 8)), ".www.www");
    assert_eq!(windows(&model("modern-bert", 6)), ".ww.ww");
    assert_eq!(windows(&model("plamo3", 8)), "wwwwwww.");
    assert_eq!(shape(&model("gemma3", 12)).window, 512);
    // Stated in the file, but not used by llama.cpp.
    assert_eq!(windows(&model("phi3", 4)), "");
    assert_eq!(windows(&model("llama", 4)), "");
    assert_eq!(shape(&model("llama", 4)).window, 0);
}

#[test]
fn windows_have_their_usual_length() {
    assert_eq!(shape(&Made::model("gemma2", 4)).window, 4096);
    assert_eq!(shape(&Made::model("gemma3", 12)).window, 0);
    let llama4 = |tokens| Made::model("llama4", 4).own("attention.sliding_window", tokens);
    assert_eq!(shape(&Made::model("llama4", 4)).window, 8192);
    assert_eq!(shape(&llama4(100)).window, 8192);
    assert_eq!(shape(&llama4(0)).window, 0);
    assert_eq!(shape(&Made::model("exaone4", 30)).window, 0);
    assert_eq!(shape(&Made::model("exaone4", 64)).window, 4096);
}

#[test]
fn a_file_may_state_the_pattern() {
    let model = || Made::model("gemma3", 6).own("attention.sliding_window", 512);
    let every = model().own("attention.sliding_window_pattern", 3);
    assert_eq!(windows(&every), "ww.ww.");
    let listed = model().put(
        b"gemma3.attention.sliding_window_pattern",
        ARRAY,
        &array(BOOL, 6, &[0, 0, 1, 1, 0, 1]),
    );
    assert_eq!(windows(&listed), "..ww.w");
    let all = model().own("attention.sliding_window_pattern", 1);
    assert_eq!(shape(&all).window, 0);
    let mimo = Made::model("mimo2", 3)
        .own("attention.sliding_window", 128)
        .each("attention.sliding_window_pattern", &[0, 1, 1]);
    assert_eq!(windows(&mimo), ".ww");
}

#[test]
fn windowed_layers_may_have_heads_of_another_width() {
    let made = Made::model("gemma4", 4)
        .own("attention.sliding_window", 512)
        .each("attention.sliding_window_pattern", &[1, 0, 1, 0])
        .own("attention.key_length", 512)
        .own("attention.value_length", 512)
        .own("attention.key_length_swa", 256)
        .own("attention.value_length_swa", 256);
    assert_eq!(shape(&made).key_widths, [512, 1024, 512, 1024]);
    let shared = made.own("attention.shared_kv_layers", 2);
    assert_eq!(shape(&shared).key_widths, [512, 1024, 0, 0]);
}

#[test]
fn gemma3n_keeps_a_cache_in_twenty_layers() {
    let made = Made::model("gemma3n", 30).own("attention.sliding_window", 512);
    let widths = shape(&made).key_widths;
    assert!(widths[..20].iter().all(|w| *w == 32));
    assert!(widths[20..].iter().all(|w| *w == 0));
}

#[test]
fn latent_attention_keeps_one_narrow_row() {
    let made = varied("deepseek2", 4, &[1, 1])
        .own("attention.kv_lora_rank", 512)
        .own("attention.key_length", 576)
        .own("attention.value_length", 512)
        .own("attention.key_length_mla", 192)
        .own("attention.value_length_mla", 128);
    assert_eq!(shape(&made).key_widths, [576; 2]);
    assert_eq!(shape(&made).value_widths, [0; 2]);
    let sparse = made.own("attention.indexer.key_length", 128);
    assert_eq!(shape(&sparse).key_widths, [704; 2]);
}

#[test]
fn layers_that_predict_further_tokens_keep_no_cache() {
    let made = Made::model("glm4moe", 3).own("nextn_predict_layers", 1);
    assert_eq!(shape(&made).layers, 3);
    assert_eq!(shape(&made).key_widths, [32, 32, 0]);
}

#[test]
fn models_that_see_all_at_once_keep_no_cache() {
    assert_eq!(shape(&Made::model("bert", 2)).key_widths, [0, 0]);
}

/// Adds the measures of a state space.
fn state_space(made: Made) -> Made {
    made.own("ssm.conv_kernel", 4)
        .own("ssm.inner_size", 128)
        .own("ssm.state_size", 16)
        .own("ssm.group_count", 2)
}

/// (4 - 1) * (128 + 2 * 2 * 16) + 16 * 128 numbers of four bytes.
const STATE: u64 = (3 * 192 + 2048) * 4;

#[test]
fn recurrent_layers_keep_a_state_instead_of_a_cache() {
    let mamba = Made::new("mamba2")
        .own("block_count", 3)
        .own("embedding_length", 64);
    let mamba = shape(&state_space(mamba));
    assert_eq!((mamba.recurrent, mamba.key_widths), (3 * STATE, vec![0; 3]));
    let jamba = shape(&state_space(varied("jamba", 4, &[0, 0, 2, 0])));
    assert_eq!(
        (jamba.recurrent, jamba.key_widths),
        (3 * STATE, vec![0, 0, 32, 0])
    );
    let next = shape(&state_space(Made::model("qwen3next", 8)));
    assert_eq!(next.recurrent, 6 * STATE);
    assert_eq!(next.key_widths, [0, 0, 0, 32, 0, 0, 0, 32]);
    let both = shape(&state_space(Made::model("falcon-h1", 2)));
    assert_eq!((both.recurrent, both.key_widths), (2 * STATE, vec![32; 2]));
}

#[test]
fn nemotron_h_has_layers_with_neither() {
    let made = varied("nemotron_h", 4, &[0, 0, 2]).each("feed_forward_length", &[0, 128, 0]);
    let shape = shape(&state_space(made));
    assert_eq!(shape.recurrent, STATE);
    assert_eq!(shape.key_widths, [0, 0, 32]);
}

#[test]
fn other_recurrent_models_have_states_of_their_own() {
    let rwkv = Made::new("rwkv7")
        .own("block_count", 2)
        .own("embedding_length", 64)
        .own("wkv.head_size", 32);
    assert_eq!(shape(&rwkv).recurrent, 2 * (2 * 64 + 64 * 32) * 4);
    let lfm = varied("lfm2", 4, &[0, 2]).own("shortconv.l_cache", 3);
    assert_eq!(shape(&lfm).recurrent, 64 * 2 * 4);
    let kimi = varied("kimi-linear", 4, &[0, 1])
        .own("ssm.conv_kernel", 4)
        .own("kda.head_dim", 8);
    assert_eq!(shape(&kimi).recurrent, (3 * 3 * 32 + 8 * 8 * 4) * 4);
}

#[test]
fn bytes_are_told_by_layer_expert_input_and_output() {
    let made = Made::model("qwen3moe", 2)
        .own("expert_count", 8)
        .own("expert_used_count", 2)
        .own("expert_feed_forward_length", 999)
        .tensor("blk.0.attn_q.weight", &[64], 0)
        .tensor("blk.0.ffn_up_exps.weight", &[256, 4], 12)
        .tensor("blk.1.ffn_gate.3.weight", &[10], 0)
        .tensor("blk.1.ffn_gate_inp.weight", &[10], 0)
        .tensor("blk.7.attn_q.weight", &[64], 0)
        .tensor("output_norm.weight", &[64], 0);
    let shared = shape(&made);
    assert_eq!((shared.experts, shared.experts_used), (8, 2));
    assert_eq!(shared.feed_forward, 999);
    assert_eq!(shared.layer_bytes, [256 + 576, 80]);
    assert_eq!(shared.expert_bytes, [576, 40]);
    assert_eq!(
        (shared.input_bytes, shared.output_bytes),
        (2560, 2560 + 256)
    );
    let own = shape(&made.tensor("output.weight", &[100], 0));
    assert_eq!(own.output_bytes, 400 + 256);
}

#[test]
fn the_vocabulary_is_counted_or_stated() {
    let listed = Made::model("llama", 1).say_all("tokenizer.ggml.tokens", &["a", "b"]);
    assert_eq!(shape(&listed).vocabulary, 2);
    let stated = Made::model("llama", 1).own("vocab_size", 77);
    assert_eq!(shape(&stated).vocabulary, 77);
}
