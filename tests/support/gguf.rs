//! Writes tiny models in GGUF (llama architecture, byte tokenizer), so that
//! tests need no file that this project did not make.
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use std::path::{Path, PathBuf};

const WIDTH: usize = 64;
const HEADS: u32 = 2;
const HIDDEN: usize = 64;

/// What is to be written.
#[derive(Clone)]
pub struct Tiny {
    seed: u64,
    /// Tokens beyond the bytes and control tokens: the pieces of a script.
    script: Vec<String>,
    context: u32,
    layers: u32,
    template: Option<String>,
}

pub const CONTROL: &[&str] = &["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"];
const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

impl Tiny {
    /// Random weights: the text means nothing, but depends on every token.
    pub fn random(seed: u64) -> Self {
        Self {
            seed,
            script: Vec::new(),
            context: 2048,
            layers: 2,
            template: Some(CHATML.into()),
        }
    }

    /// A model that always answers with these pieces, one token each, and
    /// then ends its turn: each token leads to the next by the output matrix.
    pub fn saying(pieces: &[&str]) -> Self {
        Self {
            script: pieces.iter().map(|p| (*p).to_string()).collect(),
            ..Self::random(1)
        }
    }

    pub fn context(self, context: u32) -> Self {
        Self { context, ..self }
    }

    /// More layers make it slower.
    pub fn layers(self, layers: u32) -> Self {
        Self { layers, ..self }
    }

    pub fn template(self, template: &str) -> Self {
        Self {
            template: Some(template.into()),
            ..self
        }
    }

    pub fn without_template(self) -> Self {
        Self {
            template: None,
            ..self
        }
    }

    /// Writes the file and returns its path.
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, self.bytes()).unwrap();
        path
    }

    pub fn bytes(&self) -> Vec<u8> {
        let tokens = self.tokens();
        let tensors = self.tensors(tokens.len());
        file(self.values(&tokens), &tensors)
    }

    /// A LoRA for a model of this form, with random weights, as a file.
    pub fn adapter(&self, folder: &Path, name: &str, seed: u64) -> PathBuf {
        const RANK: usize = 4;
        let mut noise = Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut tensors = Vec::new();
        for layer in 0..self.layers {
            for (half, shape) in [("a", vec![WIDTH, RANK]), ("b", vec![RANK, WIDTH])] {
                let name = format!("blk.{layer}.attn_v.weight.lora_{half}");
                let data = (0..WIDTH * RANK).map(|_| noise.next()).collect();
                tensors.push((name, shape, data));
            }
        }
        let mut values = Vec::new();
        for (key, value) in [
            ("general.type", "adapter"),
            ("general.architecture", "llama"),
            ("adapter.type", "lora"),
        ] {
            string(&mut values, key);
            values.extend(8u32.to_le_bytes());
            string(&mut values, value);
        }
        string(&mut values, "adapter.lora.alpha");
        values.extend(6u32.to_le_bytes());
        values.extend(8f32.to_le_bytes());
        let path = folder.join(name);
        std::fs::write(&path, file((4, values), &tensors)).unwrap();
        path
    }

    /// Text and type of each token. Types: 1 normal, 2 unknown, 3 control, 6 byte.
    fn tokens(&self) -> Vec<(String, i32)> {
        let control = CONTROL.iter().enumerate();
        let control = control.map(|(i, t)| ((*t).to_string(), if i == 0 { 2 } else { 3 }));
        let bytes = (0..=255).map(|b| (format!("<0x{b:02X}>"), 6));
        // The tokenizer writes a space as U+2581.
        let script = self.script.iter().map(|p| (p.replace(' ', "\u{2581}"), 1));
        control.chain(bytes).chain(script).collect()
    }
    fn values(&self, tokens: &[(String, i32)]) -> (u64, Vec<u8>) {
        let mut out = Vec::new();
        let mut count = 0u64;
        let mut put = |key: &str, kind: u32, bytes: Vec<u8>| {
            string(&mut out, key);
            out.extend(kind.to_le_bytes());
            out.extend(bytes);
            count += 1;
        };
        let text = |s: &str| {
            let mut bytes = Vec::new();
            string(&mut bytes, s);
            bytes
        };
        let number = |n: u32| n.to_le_bytes().to_vec();
        let array = |kind: u32, bytes: Vec<u8>| {
            let mut all = kind.to_le_bytes().to_vec();
            all.extend((tokens.len() as u64).to_le_bytes());
            all.extend(bytes);
            all
        };
        put("general.architecture", 8, text("llama"));
        put("general.name", 8, text("tiny"));
        put("llama.context_length", 4, number(self.context));
        put("llama.embedding_length", 4, number(WIDTH as u32));
        put("llama.block_count", 4, number(self.layers));
        put("llama.feed_forward_length", 4, number(HIDDEN as u32));
        put("llama.attention.head_count", 4, number(HEADS));
        put("llama.attention.head_count_kv", 4, number(HEADS));
        put(
            "llama.attention.layer_norm_rms_epsilon",
            6,
            1e-5f32.to_le_bytes().to_vec(),
        );
        put(
            "llama.rope.dimension_count",
            4,
            number(WIDTH as u32 / HEADS),
        );
        put("tokenizer.ggml.model", 8, text("llama"));
        put(
            "tokenizer.ggml.tokens",
            9,
            array(8, tokens.iter().flat_map(|(t, _)| text(t)).collect()),
        );
        put(
            "tokenizer.ggml.scores",
            9,
            array(
                6,
                tokens
                    .iter()
                    .flat_map(|_| (-1.0f32).to_le_bytes())
                    .collect(),
            ),
        );
        put(
            "tokenizer.ggml.token_type",
            9,
            array(
                5,
                tokens.iter().flat_map(|(_, k)| k.to_le_bytes()).collect(),
            ),
        );
        put("tokenizer.ggml.unknown_token_id", 4, number(0));
        put("tokenizer.ggml.bos_token_id", 4, number(1));
        put("tokenizer.ggml.eos_token_id", 4, number(4));
        put("tokenizer.ggml.add_bos_token", 7, vec![0]);
        put("tokenizer.ggml.add_space_prefix", 7, vec![0]);
        if let Some(template) = &self.template {
            put("tokenizer.chat_template", 8, text(template));
        }
        (count, out)
    }

    fn tensors(&self, vocabulary: usize) -> Vec<Tensor> {
        let mut noise = Noise(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let scripted = !self.script.is_empty();
        let embedding: Vec<f32> = (0..vocabulary * WIDTH).map(|_| noise.next()).collect();
        let output = if scripted {
            self.script_output(&embedding, vocabulary)
        } else {
            let mut output: Vec<f32> = (0..vocabulary * WIDTH).map(|_| noise.next()).collect();
            // Control tokens are never the likeliest: an answer goes on.
            output[..CONTROL.len() * WIDTH].fill(0.0);
            output
        };
        let mut tensors = vec![
            (
                "token_embd.weight".into(),
                vec![WIDTH, vocabulary],
                embedding,
            ),
            ("output_norm.weight".into(), vec![WIDTH], vec![1.0; WIDTH]),
            ("output.weight".into(), vec![WIDTH, vocabulary], output),
        ];
        // A scripted model must not be moved by what came before.
        let mut weights = |n: usize| -> Vec<f32> {
            (0..n)
                .map(|_| if scripted { 0.0 } else { noise.next() * 0.3 })
                .collect()
        };
        for layer in 0..self.layers {
            let name = |part: &str| format!("blk.{layer}.{part}.weight");
            tensors.push((name("attn_norm"), vec![WIDTH], vec![1.0; WIDTH]));
            tensors.push((name("ffn_norm"), vec![WIDTH], vec![1.0; WIDTH]));
            for part in [
                "attn_q",
                "attn_k",
                "attn_v",
                "attn_output",
                "ffn_gate",
                "ffn_up",
                "ffn_down",
            ] {
                let square = if part.starts_with("ffn") {
                    WIDTH * HIDDEN
                } else {
                    WIDTH * WIDTH
                };
                tensors.push((name(part), vec![WIDTH, WIDTH], weights(square)));
            }
        }
        tensors
    }

    /// Rows such that the last token of a prompt ("\n") leads to the script's
    /// first piece, each piece to the next, and the last to the end.
    fn script_output(&self, embedding: &[f32], vocabulary: usize) -> Vec<f32> {
        let first = CONTROL.len() + 256;
        let newline = CONTROL.len() + 10;
        let mut output = vec![0.0; vocabulary * WIDTH];
        let mut from = newline;
        let script = (first..first + self.script.len()).chain([4]);
        for to in script {
            for i in 0..WIDTH {
                output[to * WIDTH + i] = embedding[from * WIDTH + i] * 4.0;
            }
            from = to;
        }
        output
    }
}

type Tensor = (String, Vec<usize>, Vec<f32>);

/// A whole file: so many values, and tensors of F32.
fn file((count, values): (u64, Vec<u8>), tensors: &[Tensor]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(b"GGUF");
    out.extend(3u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(values);
    let mut at = 0u64;
    for (name, shape, data) in tensors {
        string(&mut out, name);
        out.extend((shape.len() as u32).to_le_bytes());
        shape
            .iter()
            .for_each(|n| out.extend((*n as u64).to_le_bytes()));
        out.extend(0u32.to_le_bytes()); // F32
        out.extend(at.to_le_bytes());
        at += (data.len() as u64 * 4).next_multiple_of(32);
    }
    for (_, _, data) in tensors {
        out.resize(out.len().next_multiple_of(32), 0);
        data.iter().for_each(|x| out.extend(x.to_le_bytes()));
    }
    out.resize(out.len().next_multiple_of(32), 0);
    out
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// xorshift64*, for numbers from -1 to 1 that are the same each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        bits as f32 / (1u64 << 23) as f32 - 1.0
    }
}
