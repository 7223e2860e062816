"""Writes the trained model as two GGUF files: `python export.py DIR TEXT.gguf MMPROJ.gguf`."""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch

from model import Shape
from tokens import SPECIAL

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content']"
    " + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
NAME = "Parlor ears"
ABOUT = "A demonstration model that describes tones; see its README.md"


def matrices(weights, shape):
    """The decoder's tensors by llama.cpp's names, matrices [out, in]."""
    yield "token_embd", weights["embedding"]
    yield "output_norm", weights["norm"]
    for at in range(shape.layers):
        block = {k.split(".", 2)[2]: v for k, v in weights.items() if k.startswith(f"blocks.{at}.")}
        q, k, v = block["qkv.weight"].chunk(3)
        gate, up = block["gate_up.weight"].chunk(2)
        named = {
            "attn_norm": block["attn_norm"], "attn_q": q, "attn_k": k, "attn_v": v,
            "attn_output": block["output.weight"], "ffn_norm": block["ffn_norm"],
            "ffn_gate": gate, "ffn_up": up, "ffn_down": block["down.weight"],
        }  # fmt: skip
        for name, tensor in named.items():
            yield f"blk.{at}.{name}", tensor


def encoder_matrices(weights, shape):
    """The encoder's tensors by llama.cpp's names, with `.weight` or `.bias`."""
    own = {k.removeprefix("encoder."): v for k, v in weights.items() if k.startswith("encoder.")}
    renamed = {"ln1": "ln1", "ln2": "ln2", "q": "attn_q", "k": "attn_k", "v": "attn_v", "out": "attn_out",
               "up": "ffn_up", "down": "ffn_down"}  # fmt: skip
    for name, tensor in own.items():
        parts = name.split(".")
        if name == "position":
            yield "a.position_embd.weight", tensor
        elif parts[0] == "convs":
            yield f"a.conv2d.{int(parts[1]) + 1}.{parts[2]}", tensor
        elif parts[0] == "layers":
            yield f"a.blk.{parts[1]}.{renamed[parts[2]]}.{parts[3]}", tensor
        else:
            place = {"conv_out": "a.conv_out", "post": "a.post_ln", "mlp1": "mm.a.mlp.1", "mlp2": "mm.a.mlp.2"}
            yield f"{place[parts[0]]}.{parts[1]}", tensor


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def export_text(weights, shape, vocabulary, path):
    tokens = sorted(vocabulary["vocab"], key=vocabulary["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in vocabulary["merges"]]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(NAME)
    writer.add_description(ABOUT)
    writer.add_license("MIT OR Apache-2.0")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_vocab_size(len(tokens))
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.CONTROL if t in SPECIAL else gguf.TokenType.NORMAL for t in tokens]
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    end, stop = tokens.index("<|endoftext|>"), tokens.index("<|im_end|>")
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(stop)
    writer.add_eot_token_id(stop)
    writer.add_pad_token_id(end)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in matrices(weights, shape):
        data = tensor.float().contiguous().numpy()
        writer.add_tensor(f"{name}.weight", data if data.ndim == 1 else data.astype(np.float16))
    finish(writer)


def export_encoder(weights, shape, path):
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_name(NAME)
    writer.add_description(ABOUT)
    writer.add_license("MIT OR Apache-2.0")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_bool("clip.has_audio_encoder", True)
    writer.add_bool("clip.has_vision_encoder", False)
    writer.add_string("clip.projector_type", "qwen3a")
    writer.add_bool("clip.use_gelu", True)
    writer.add_uint32("clip.audio.embedding_length", shape.ear_width)
    writer.add_uint32("clip.audio.feed_forward_length", shape.ear_inner)
    writer.add_uint32("clip.audio.block_count", shape.ear_layers)
    writer.add_uint32("clip.audio.projection_dim", shape.width)
    writer.add_uint32("clip.audio.num_mel_bins", shape.mels)
    writer.add_uint32("clip.audio.attention.head_count", shape.ear_heads)
    writer.add_float32("clip.audio.attention.layer_norm_epsilon", shape.epsilon)
    for name, tensor in encoder_matrices(weights, shape):
        data = tensor.float().contiguous().numpy()
        # The convolutions stay in F32: they are small, and llama.cpp would round the spectrogram to their type.
        half = data.ndim == 2 and name != "a.position_embd.weight"
        writer.add_tensor(name, data.astype(np.float16) if half else data)
    finish(writer)


def export(folder, text, encoder):
    shape = Shape()
    weights = torch.load(folder / "weights.pt", map_location="cpu")
    export_text(weights, shape, json.loads((folder / "tokenizer.json").read_text())["model"], text)
    export_encoder(weights, shape, encoder)


if __name__ == "__main__":
    export(Path(sys.argv[1]), *sys.argv[2:4])
