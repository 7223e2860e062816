//! Files made to do harm: whatever they say, reading them takes no more memory
//! than they are long, and never panics.

use super::memory::peak;
use super::writer::{ARRAY, BOOL, F32, Made, TEXT, U8, U32, U64, array, text};
use parlor::gguf;
use std::path::Path;
use tempfile::TempDir;

/// Beside the file's own length: the buffer, and room for small things.
const ROOM: u64 = 1 << 20;

/// Reads a file, its card and its sheet, within the memory allowed. Says
/// whether it could be read.
fn survives(path: &Path, what: &str) -> bool {
    let length = std::fs::metadata(path).unwrap().len();
    let (read, held) = peak(|| {
        let header = gguf::read(path).ok()?;
        let _ = gguf::check(&header);
        Some((gguf::card(&header), gguf::sheet(&header)))
    });
    assert!(held <= length + ROOM, "{what}: {held} for {length} bytes");
    read.is_some()
}

/// A generator of numbers (Knuth's constants), the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

/// Numbers at the edge of something.
const EXTREMES: [u64; 10] = [
    0,
    1,
    255,
    4096,
    1 << 20,
    1 << 31,
    u32::MAX as u64,
    1 << 62,
    1 << 63,
    u64::MAX,
];

/// Changes some bytes of a file.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + random.below(64)).min(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes[at..end].fill(0),
            2 => bytes[at..end].fill(0xff),
            3 => bytes.extend_from_within(at..end),
            4 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            5 => {
                let extreme = EXTREMES[random.below(EXTREMES.len())].to_le_bytes();
                let room = &mut bytes[at..];
                room.iter_mut().zip(extreme).for_each(|(b, e)| *b = e);
            }
            _ => bytes[at] ^= 1 << random.below(8),
        }
    }
}

/// Three files that are right, of different kinds.
fn valid() -> [Made; 3] {
    let words: Vec<String> = (0..200).map(|n| format!("word{n}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let chat = Made::model("gemma3", 8)
        .own("attention.sliding_window", 512)
        .each(
            "attention.sliding_window_pattern",
            &[1, 1, 0, 1, 1, 0, 1, 1],
        )
        .say("tokenizer.chat_template", "{{ tools }}<think>")
        .say_all("general.tags", &["a", "b"])
        .say_all("tokenizer.ggml.tokens", &words)
        .tensor("blk.0.ffn_up_exps.weight", &[256, 2], 12);
    let hybrid = Made::new("qwen3next")
        .own("block_count", 12)
        .own("embedding_length", 64)
        .own("attention.head_count", 4)
        .own("ssm.conv_kernel", 4)
        .own("ssm.inner_size", 128)
        .own("ssm.state_size", 16)
        .own("ssm.group_count", 2)
        .own("expert_count", 8)
        .own("nextn_predict_layers", 1)
        .each("attention.head_count_kv", &[2; 12])
        .tensor("output.weight", &[64, 10], 0);
    let projector = Made::new("clip")
        .say("general.type", "mmproj")
        .say("clip.projector_type", "gemma3")
        .flag("clip.has_vision_encoder", true)
        .float("clip.vision.attention.layer_norm_epsilon", 1e-6)
        .tensor("mm.input_projection.weight", &[64, 32], 1);
    [chat, hybrid, projector]
}

#[test]
fn ten_thousand_damaged_files_take_little_memory_and_no_panic() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("damaged.gguf");
    let files = valid().map(|made| {
        let (mut bytes, length) = made.header();
        bytes.resize(length as usize, 0);
        std::fs::write(&path, &bytes).unwrap();
        assert!(survives(&path, "undamaged"));
        bytes
    });
    let mut random = Random(20_240_817);
    let mut readable = 0;
    for round in 0..10_000 {
        let mut bytes = files[round % files.len()].clone();
        mutate(&mut bytes, &mut random);
        std::fs::write(&path, &bytes).unwrap();
        readable += usize::from(survives(&path, &format!("round {round}")));
    }
    // Both ways have to be gone often, or the rounds show little.
    assert!((500..9_500).contains(&readable), "{readable}");
}

#[test]
fn values_of_a_wrong_type_or_beyond_reason_are_survived() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("wrong.gguf");
    let keys = [
        "block_count",
        "embedding_length",
        "context_length",
        "feed_forward_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.value_length_mla",
        "attention.sliding_window",
        "attention.sliding_window_pattern",
        "attention.shared_kv_layers",
        "attention.recurrent_layers",
        "full_attention_interval",
        "nextn_predict_layers",
        "expert_count",
        "expert_used_count",
        "ssm.conv_kernel",
        "ssm.inner_size",
        "ssm.state_size",
        "wkv.head_size",
        "token_shift_count",
        "shortconv.l_cache",
        "kda.head_dim",
        "attention.indexer.key_length",
        "vocab_size",
        "pooling_type",
        "rope.freq_base",
        "rope.scaling.type",
    ];
    let long: Vec<u8> = (0..5000u32).flat_map(|_| u32::MAX.to_le_bytes()).collect();
    let values = [
        (U32, u32::MAX.to_le_bytes().to_vec()),
        (U64, u64::MAX.to_le_bytes().to_vec()),
        (U32, 0u32.to_le_bytes().to_vec()),
        (5, (-1i32).to_le_bytes().to_vec()),
        (F32, f32::NAN.to_le_bytes().to_vec()),
        (BOOL, vec![2]),
        (TEXT, text(b"\x1b[31mno")),
        (ARRAY, array(U32, 0, &[])),
        (ARRAY, array(U32, 4000, &long[..16_000])),
        (ARRAY, array(U32, 5000, &long)),
        (ARRAY, array(BOOL, 3, &[1, 0, 9])),
        (ARRAY, array(TEXT, 1, &text(b"x"))),
        (ARRAY, array(ARRAY, 1, &array(U8, 1, &[1]))),
    ];
    let names = [
        "llama",
        "gemma3",
        "gemma3n",
        "gemma4",
        "lfm2",
        "qwen3next",
        "minimax-01",
        "mamba",
        "rwkv7",
        "kimi-linear",
        "nemotron_h",
        "deepseek2",
        "llama4",
        "bert",
        "falcon-h1",
    ];
    for name in names {
        for (kind, value) in &values {
            // All keys are wrong, or all but one.
            for right in [
                "",
                "block_count",
                "attention.head_count",
                "embedding_length",
            ] {
                let whole = |key: &str| format!("{name}.{key}").into_bytes();
                let made = keys
                    .iter()
                    .fold(Made::new(name), |made, key| match *key == right {
                        true => made.own(key, 8),
                        false => made.put(&whole(key), *kind, value),
                    });
                made.tensor("blk.9999999999.x", &[1], 0).write(&path);
                assert!(survives(&path, &format!("{name} {right} {kind}")));
            }
        }
    }
}

#[test]
fn as_many_small_things_as_are_allowed_take_little_memory() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("many.gguf");
    let keys = (0..4096).fold(Made::bare(), |made, i| {
        made.put(format!("{i:x}").as_bytes(), U8, &[1])
    });
    keys.write(&path);
    assert!(survives(&path, "keys"));
    let names: Vec<u8> = text(b"").repeat(64);
    let lists = (0..4096).fold(Made::bare(), |made, i| {
        made.put(format!("{i:x}").as_bytes(), ARRAY, &array(TEXT, 64, &names))
    });
    lists.write(&path);
    assert!(survives(&path, "lists"));
    let tensors = (0..16_384).fold(Made::bare(), |made, i| {
        made.sized(format!("{i:x}").as_bytes(), &[0], 0, 0)
    });
    tensors.write(&path);
    assert!(survives(&path, "tensors"));
    let one_more = tensors.sized(b"last", &[0], 0, 0);
    one_more.write(&path);
    assert!(!survives(&path, "too many tensors"));
}

#[test]
fn a_text_of_wrong_bytes_does_not_grow() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("wrong.gguf");
    let wrong = text(&vec![0xff; 1 << 20]);
    Made::bare().put(b"name", TEXT, &wrong).write(&path);
    assert!(survives(&path, "wrong bytes"));
}

#[test]
fn a_vocabulary_is_passed_over_without_keeping_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("words.gguf");
    let words: Vec<u8> = (0..150_000)
        .flat_map(|n| text(format!("word{n}").as_bytes()))
        .collect();
    let numbers = vec![0; 150_000 * 4];
    Made::new("llama")
        .put(
            b"tokenizer.ggml.tokens",
            ARRAY,
            &array(TEXT, 150_000, &words),
        )
        .put(
            b"tokenizer.ggml.scores",
            ARRAY,
            &array(F32, 150_000, &numbers),
        )
        .tensor("token_embd.weight", &[64, 1000], 0)
        .write(&path);
    let (card, held) = peak(|| gguf::card(&gguf::read(&path).unwrap()));
    assert_eq!(card.shape.vocabulary, 150_000);
    assert!(held < 200_000, "{held}");
}
