"""Writes the trained eyes as two GGUF files in F16: `python export.py DIR OUT` makes OUT/eyes.gguf and OUT/mmproj-eyes.gguf."""

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


def store(writer, name, tensor, whole=False):
    """Matrices [out, in] as F16, the rest as F32."""
    data = tensor.float().contiguous().numpy()
    writer.add_tensor(name, data if whole or data.ndim == 1 else data.astype(np.float16))


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def about(writer, description):
    writer.add_name("Parlor eyes")
    writer.add_description(description)
    writer.add_license("MIT OR Apache-2.0")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def export_text(weights, tokenizer, path):
    shape = Shape()
    tokens = sorted(tokenizer["vocab"], key=tokenizer["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["merges"]]
    writer = gguf.GGUFWriter(path, "llama")
    about(writer, "Describes simple pictures, with mmproj-eyes.gguf; see assets/starter/eyes/README.md")
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
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in SPECIAL else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges(merges)
    end, stop = tokens.index("<|endoftext|>"), tokens.index("<|im_end|>")
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(stop)
    writer.add_eot_token_id(stop)
    writer.add_pad_token_id(end)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(TEMPLATE)
    store(writer, "token_embd.weight", weights["embedding"][: len(tokens)])
    store(writer, "output_norm.weight", weights["norm"])
    for name, tensor in weights.items():
        if name.startswith("blocks."):
            _, at, part = name.split(".", 2)
            store(writer, f"blk.{at}.{part.removesuffix('.weight')}.weight", tensor)
    finish(writer)


def export_eye(weights, path):
    shape = Shape()
    writer = gguf.GGUFWriter(path, "clip")
    about(writer, "The encoder of Parlor eyes, for eyes.gguf; see assets/starter/eyes/README.md")
    writer.add_type("mmproj")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", "mlp")
    writer.add_bool("clip.use_gelu", True)
    vision = {
        "image_size": shape.side, "patch_size": shape.patch, "embedding_length": shape.eye_width,
        "feed_forward_length": shape.eye_inner, "projection_dim": shape.width, "block_count": shape.eye_layers,
        "attention.head_count": shape.eye_heads,
    }  # fmt: skip
    for key, value in vision.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", shape.eye_epsilon)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    # Without this llama.cpp takes the features of the last layer but one.
    writer.add_array("clip.vision.feature_layer", [shape.eye_layers])
    for name, tensor in weights.items():
        if name == "eye.patch_embd.weight":
            store(writer, "v.patch_embd.weight", tensor.view(shape.eye_width, 3, shape.patch, shape.patch))
        elif name == "eye.position_embd":
            store(writer, "v.position_embd.weight", tensor, whole=True)
        elif name.startswith("eye."):
            store(writer, "v." + name.removeprefix("eye."), tensor)
        elif name.startswith("bridge."):
            store(writer, "mm." + name.removeprefix("bridge."), tensor)
    finish(writer)


if __name__ == "__main__":
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    learned = torch.load(folder / "weights.pt", map_location="cpu")
    export_text(learned, json.loads((folder / "tokenizer.json").read_text())["model"], out / "eyes.gguf")
    export_eye(learned, out / "mmproj-eyes.gguf")
