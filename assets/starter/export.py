"""Writes the trained starter as GGUF, quantised to Q8_0: `python export.py DIR FILE`."""

import json
import sys
from pathlib import Path

import gguf
import torch

from model import Shape
from tokens import SPECIAL

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content']"
    " + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def matrices(weights, shape):
    """Tensors by llama.cpp's names, matrices [out, in]."""
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


def export(folder, path):
    shape = Shape()
    weights = torch.load(folder / "weights.pt", map_location="cpu")
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]
    tokens = sorted(vocabulary["vocab"], key=vocabulary["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in vocabulary["merges"]]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Parlor starter")
    writer.add_description("A demonstration model that knows Parlor's help; see assets/starter/README.md")
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
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
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
        if data.ndim == 1:
            writer.add_tensor(f"{name}.weight", data)
            continue
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(data, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    export(Path(sys.argv[1]), sys.argv[2])
