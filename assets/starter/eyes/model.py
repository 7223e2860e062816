"""The eyes' shape and forward pass: a small vision transformer whose patches a small llama-architecture decoder reads."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """All widths are multiples of 32. The encoder's feed-forward width must differ
    from its width, or llama.cpp takes the two matrices for each other."""

    vocab: int = 640
    width: int = 128
    layers: int = 4
    heads: int = 4
    inner: int = 256
    context: int = 1024
    epsilon: float = 1e-5
    rope_base: float = 10000.0

    side: int = 64  # of the picture
    patch: int = 8
    eye_width: int = 96
    eye_layers: int = 3
    eye_heads: int = 3
    eye_inner: int = 288
    eye_epsilon: float = 1e-5

    @property
    def head(self):
        return self.width // self.heads

    @property
    def patches(self):
        return (self.side // self.patch) ** 2


def rotation(shape, length):
    """Cosines and sines of RoPE, [length, head / 2] each."""
    half = shape.head // 2
    angles = torch.arange(length)[:, None] * shape.rope_base ** (-torch.arange(half) / half)
    return torch.cos(angles), torch.sin(angles)


def rotate(x, cos, sin):
    """RoPE over interleaved pairs (llama.cpp's NORM type: no permutation at export)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def linear(inputs, outputs, bias, scale=1.0):
    made = nn.Linear(inputs, outputs, bias=bias)
    nn.init.normal_(made.weight, std=scale * inputs**-0.5)
    if bias:
        nn.init.zeros_(made.bias)
    return made


def heads(x, count):
    """[rows, length, width] as [rows, heads, length, head]."""
    return x.view(*x.shape[:2], count, -1).transpose(1, 2)


class EyeBlock(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.heads = shape.eye_heads
        width, depth = shape.eye_width, (2 * shape.eye_layers) ** -0.5
        self.ln1 = nn.LayerNorm(width, shape.eye_epsilon)
        self.ln2 = nn.LayerNorm(width, shape.eye_epsilon)
        self.attn_q, self.attn_k, self.attn_v = (linear(width, width, True) for _ in range(3))
        self.attn_out = linear(width, width, True, depth)
        self.ffn_up = linear(width, shape.eye_inner, True)
        self.ffn_down = linear(shape.eye_inner, width, True, depth)

    def forward(self, x):
        h = self.ln1(x)
        q, k, v = (heads(f(h), self.heads) for f in (self.attn_q, self.attn_k, self.attn_v))
        mixed = functional.scaled_dot_product_attention(q, k, v)
        x = x + self.attn_out(mixed.transpose(1, 2).flatten(2))
        return x + self.ffn_down(functional.gelu(self.ffn_up(self.ln2(x)), approximate="tanh"))


class Eye(nn.Module):
    """Pictures to one vector a patch; the names are llama.cpp's."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        width = shape.eye_width
        self.patch_embd = linear(3 * shape.patch**2, width, True)
        self.position_embd = nn.Parameter(torch.randn(shape.patches, width) * 0.3)
        self.blk = nn.ModuleList(EyeBlock(shape) for _ in range(shape.eye_layers))
        self.post_ln = nn.LayerNorm(width, shape.eye_epsilon)

    def forward(self, pictures):
        """Pictures [count, side, side, 3] of bytes."""
        count, side, patch = len(pictures), self.shape.side, self.shape.patch
        x = pictures.float() / 127.5 - 1
        x = x.view(count, side // patch, patch, side // patch, patch, 3).permute(0, 1, 3, 5, 2, 4)
        x = self.patch_embd(x.reshape(count, self.shape.patches, -1)) + self.position_embd
        for block in self.blk:
            x = block(x)
        return self.post_ln(x)


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        width, inner, depth = shape.width, shape.inner, (2 * shape.layers) ** -0.5
        self.attn_norm = nn.Parameter(torch.ones(width))
        self.ffn_norm = nn.Parameter(torch.ones(width))
        self.attn_q, self.attn_k, self.attn_v = (linear(width, width, False) for _ in range(3))
        self.attn_output = linear(width, width, False, depth)
        self.ffn_gate, self.ffn_up = (linear(width, inner, False) for _ in range(2))
        self.ffn_down = linear(inner, width, False, depth)

    def forward(self, x, cos, sin):
        shape = self.shape
        h = functional.rms_norm(x, (shape.width,), self.attn_norm, shape.epsilon)
        q, k, v = (heads(f(h), shape.heads) for f in (self.attn_q, self.attn_k, self.attn_v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(mixed.transpose(1, 2).flatten(2))
        h = functional.rms_norm(x, (shape.width,), self.ffn_norm, shape.epsilon)
        return x + self.ffn_down(functional.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Eyes(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.eye = Eye(shape)
        self.bridge = nn.Sequential(
            linear(shape.eye_width, shape.width, True), nn.GELU(approximate="tanh"), linear(shape.width, shape.width, True)
        )
        self.embedding = nn.Parameter(torch.randn(shape.vocab, shape.width) * 0.04)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.Parameter(torch.ones(shape.width))
        cos, sin = rotation(shape, shape.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens, seen, patches, places):
        """Logits after the flat positions `places` of tokens [rows, length]; where
        `seen` holds stands a patch of the pictures, whose features come in order."""
        length = tokens.shape[1]
        x = functional.embedding(tokens, self.embedding)
        if patches is not None:
            x = x.masked_scatter(seen[..., None], self.bridge(patches).flatten(0, 1))
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length])
        h = functional.rms_norm(x, (self.shape.width,), self.norm, self.shape.epsilon)
        return h.flatten(0, 1)[places] @ self.embedding.T
