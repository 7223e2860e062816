"""The shape of Parlor ears and its forward pass: mel spectrogram, audio encoder, llama-architecture decoder.

The spectrogram and the encoder follow llama.cpp's `qwen3a` projector
(tools/mtmd/mtmd-audio.cpp and tools/mtmd/models/qwen3a.cpp) step by step, so that
what is trained here is what runs there.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

RATE = 16000
WINDOW = 400  # samples
HOP = 160
CHUNK = 100  # frames; the convolutions see one chunk at a time
STEPS = 13  # encoder positions of a chunk


@dataclass(frozen=True)
class Shape:
    """Widths of matrices are multiples of 32. The encoder's inner width must differ from its width."""

    mels: int = 64
    channels: int = 16
    ear_width: int = 64
    ear_layers: int = 2
    ear_heads: int = 2
    ear_inner: int = 192
    vocab: int = 512
    width: int = 128
    layers: int = 3
    heads: int = 4
    inner: int = 256
    context: int = 1024
    epsilon: float = 1e-5
    rope_base: float = 10000.0

    @property
    def head(self):
        return self.width // self.heads

    @property
    def rows(self):
        """Mel rows that are left after three convolutions of stride two."""
        return (self.mels + 7) // 8


def mel_filters(mels):
    """Slaney's mel filters with area norm, [mels, WINDOW / 2 + 1]."""

    def to_mel(hertz):
        return hertz * 3 / 200 if hertz < 1000 else 15 + np.log(hertz / 1000) / (np.log(6.4) / 27)

    def to_hertz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    edges = to_hertz(np.linspace(to_mel(0), to_mel(RATE / 2), mels + 2))
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise, fall = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return (np.maximum(0, np.minimum(rise, fall)) * 2 / (right - left)).astype(np.float32)


FILTERS = {}
HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def spectrogram(samples, mels=Shape.mels):
    """Whisper's log-mel of a clip as the encoder wants it: [chunks, mels, CHUNK], float32.

    The clip is mirrored at both ends; the last chunk is filled with zeros after scaling.
    """
    if mels not in FILTERS:
        FILTERS[mels] = mel_filters(mels)
    half = WINDOW // 2
    # A clip shorter than half a window has zeros where nothing can be mirrored.
    longer = np.concatenate([samples, np.zeros(max(0, half + 1 - len(samples)), np.float32)])
    padded = np.concatenate([longer[half:0:-1], samples, np.zeros(half, np.float32)])
    mirrored = samples[-2 : -2 - half : -1] if len(samples) > half + 1 else samples[-2::-1][:half]
    padded[half + len(samples) : half + len(samples) + len(mirrored)] = mirrored
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * HANN)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    logs = np.log10(np.maximum(power @ FILTERS[mels].T, 2.0**-24))
    logs = (np.maximum(logs, logs.max() - 8) + 4) / 4
    chunks = -(-len(logs) // CHUNK)
    filled = np.zeros((chunks * CHUNK, mels), np.float32)
    filled[: len(logs)] = logs
    return filled.reshape(chunks, CHUNK, mels).transpose(0, 2, 1).copy()


class Layer(nn.Module):
    """An encoder layer: layer norms, full attention, GELU. Keys have no bias."""

    def __init__(self, shape):
        super().__init__()
        width, inner = shape.ear_width, shape.ear_inner
        self.heads = shape.ear_heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.v, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x, mask):
        rows, length, width = x.shape

        def split(y):
            return y.view(rows, length, self.heads, -1).transpose(1, 2)

        h = self.ln1(x)
        mixed = functional.scaled_dot_product_attention(split(self.q(h)), split(self.k(h)), split(self.v(h)), mask)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, length, width))
        return x + self.down(functional.gelu(self.up(self.ln2(x))))


class Encoder(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        deep, width = shape.channels, shape.ear_width
        self.convs = nn.ModuleList(nn.Conv2d(size, deep, 3, 2, 1) for size in (1, deep, deep))
        self.conv_out = nn.Linear(deep * shape.rows, width, bias=False)
        self.position = nn.Parameter(torch.randn(STEPS, width) * 0.1)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.ear_layers))
        self.post = nn.LayerNorm(width)
        self.mlp1, self.mlp2 = nn.Linear(width, shape.width), nn.Linear(shape.width, shape.width)
        nn.init.normal_(self.mlp2.weight, std=0.2 * shape.width**-0.5)

    def forward(self, chunks, counts):
        """Embeddings [positions, width] of clips one after another; `counts` are their chunks."""
        x = chunks[:, None]
        for conv in self.convs:
            x = functional.gelu(conv(x))
        # [chunks, channels, rows, steps] to one row of features (row fastest) for each step
        x = self.conv_out(x.permute(0, 3, 1, 2).flatten(2)) + self.position
        longest = max(counts)
        there = torch.arange(longest)[None, :] < torch.tensor(counts)[:, None]
        there = there.repeat_interleave(STEPS, 1)
        padded = torch.zeros(len(counts), longest * STEPS, x.shape[-1])
        padded[there] = x.flatten(0, 1)
        mask = None if bool(there.all()) else there[:, None, None, :]
        for layer in self.layers:
            padded = layer(padded, mask)
        return self.mlp2(functional.gelu(self.mlp1(self.post(padded[there]))))


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


class Ears(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.embedding = nn.Parameter(torch.randn(shape.vocab, shape.width) * 0.05)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.Parameter(torch.ones(shape.width))
        cos, sin = rotation(shape, shape.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens, places, heard, sounds):
        """Logits after the flat positions `places` of tokens [rows, length].

        The flat positions `heard` take the embeddings `sounds` instead of their token's.
        Also gives what the last block reads at those positions, for training.
        """
        length = tokens.shape[1]
        x = functional.embedding(tokens, self.embedding)
        if len(heard):
            x = x.flatten(0, 1).index_copy(0, heard, sounds).view(x.shape)
        for block in self.blocks:
            read = x
            x = block(x, self.cos[:length], self.sin[:length])
        h = functional.rms_norm(x.flatten(0, 1)[places], (self.shape.width,), self.norm, self.shape.epsilon)
        return h @ self.embedding.T, read.flatten(0, 1)[heard]
