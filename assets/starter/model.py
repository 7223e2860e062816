"""The starter's shape and its forward pass: a llama-architecture transformer in PyTorch."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """All widths are multiples of 32, as Q8_0 blocks need."""

    vocab: int = 2048
    width: int = 256
    layers: int = 5
    heads: int = 4
    inner: int = 672
    context: int = 2048
    epsilon: float = 1e-5
    rope_base: float = 10000.0

    @property
    def head(self):
        return self.width // self.heads


def rotation(shape, length):
    """Cosines and sines of RoPE, [length, head / 2] each."""
    half = shape.head // 2
    angles = torch.arange(length)[:, None] * shape.rope_base ** (-torch.arange(half) / half)
    return torch.cos(angles), torch.sin(angles)


def rotate(x, cos, sin):
    """RoPE over interleaved pairs (llama.cpp's NORM type: no permutation at export)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        width, inner = shape.width, shape.inner
        self.attn_norm = nn.Parameter(torch.ones(width))
        self.ffn_norm = nn.Parameter(torch.ones(width))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)
        for linear in (self.qkv, self.gate_up):
            nn.init.normal_(linear.weight, std=width**-0.5)
        nn.init.normal_(self.output.weight, std=(2 * shape.layers * width) ** -0.5)
        nn.init.normal_(self.down.weight, std=(2 * shape.layers * inner) ** -0.5)

    def forward(self, x, cos, sin):
        shape = self.shape
        rows, length, width = x.shape
        h = functional.rms_norm(x, (width,), self.attn_norm, shape.epsilon)
        qkv = self.qkv(h).view(rows, length, 3, shape.heads, shape.head)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(rows, length, width))
        h = functional.rms_norm(x, (width,), self.ffn_norm, shape.epsilon)
        gate, up = self.gate_up(h).chunk(2, -1)
        return x + self.down(functional.silu(gate) * up)


class Starter(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Parameter(torch.randn(shape.vocab, shape.width) * 0.04)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.Parameter(torch.ones(shape.width))
        cos, sin = rotation(shape, shape.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens, places):
        """Logits after the flat positions `places` of tokens [rows, length]."""
        length = tokens.shape[1]
        x = functional.embedding(tokens, self.embedding)
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length])
        h = functional.rms_norm(x, (self.shape.width,), self.norm, self.shape.epsilon)
        return h.flatten(0, 1)[places] @ self.embedding.T
