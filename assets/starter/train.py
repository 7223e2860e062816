"""Trains the starter: `python train.py DIR [MINUTES]` leaves DIR/weights.pt.

Conversations of like length share a batch, so that nothing is padded far; one
batch in eleven is a row as long as the context. The learning rate follows the
time computed (per core: a paused run loses nothing), so that the schedule always
finishes: warm-up, then a cosine to a twentieth. With the same seed, text and
number of steps the weights come out the same, but the number of steps follows
the machine's speed: DIR/log.txt says it.
"""

import math
import sys
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from model import Shape, Starter
from talk import corpus, long_corpus

SEED = 20261125
TOKENS = 4096  # in a batch
PEAK = 2e-3
POOL = 4000  # conversations that are sorted by length together
LONG_EVERY = 10


def encode(tokenizer, made, longest):
    """Token ids, and the places whose next token is learned."""
    ids, learned = [], []
    for text, counts in made:
        part = tokenizer.encode(text, add_special_tokens=False).ids
        learned += [counts] * len(part)
        ids += part
    ids, learned = ids[:longest], learned[:longest]
    return ids, [i for i in range(len(ids) - 1) if learned[i + 1]]


def pad(rows):
    """A batch: tokens [rows, length], flat places and their targets."""
    length = max(len(ids) for ids, _ in rows)
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    places, targets = [], []
    for at, (ids, learned) in enumerate(rows):
        tokens[at, : len(ids)] = torch.tensor(ids)
        places += [at * length + i for i in learned]
        targets += [ids[i + 1] for i in learned]
    return tokens, torch.tensor(places), torch.tensor(targets)


def batches(tokenizer, shape):
    """Endless batches; every conversation is new."""
    generator = torch.Generator().manual_seed(SEED)
    seed = SEED
    while True:
        seed += 1
        pool = [encode(tokenizer, made, 1024) for made in corpus(seed, POOL)]
        pool.sort(key=lambda row: len(row[0]))
        made, rows = [], []
        for row in pool:
            if rows and (len(rows) + 1) * len(row[0]) > TOKENS:
                made.append(rows)
                rows = []
            rows.append(row)
        made.append(rows)
        longs = list(long_corpus(seed, 2 * (len(made) // LONG_EVERY)))
        for at in range(0, len(longs), 2):
            made.append([encode(tokenizer, long, shape.context) for long in longs[at : at + 2]])
        for at in torch.randperm(len(made), generator=generator).tolist():
            if any(learned for _, learned in made[at]):
                yield pad(made[at])


def computed():
    """Seconds of computing so far, as if all cores had shared it evenly."""
    return time.process_time() / torch.get_num_threads()


def train(folder, minutes):
    torch.manual_seed(SEED)
    shape = Shape()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = Starter(shape)
    wide = [p for p in model.parameters() if p.dim() > 1]
    flat = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": wide, "weight_decay": 0.1}, {"params": flat, "weight_decay": 0.0}], lr=PEAK, betas=(0.9, 0.95)
    )
    log = (folder / "log.txt").open("w")
    count = sum(p.numel() for p in model.parameters())
    print(f"{count} parameters, {minutes} minutes", file=log, flush=True)
    started, seen, mean = computed(), 0, None
    for step, (tokens, places, targets) in enumerate(batches(tokenizer, shape)):
        done = (computed() - started) / (60 * minutes)
        if done >= 1:
            break
        rate = PEAK * min(1, (step + 1) / 100) * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = functional.cross_entropy(model(tokens, places), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen += tokens.numel()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 50 == 0:
            pace = seen / (computed() - started)
            print(f"step {step} loss {mean:.3f} rate {rate:.1e} tokens {seen} at {pace:.0f}/s", file=log, flush=True)
        if step % 500 == 499:
            torch.save(model.state_dict(), folder / "weights.pt")
    print(f"done: {step} steps, {seen} tokens, loss {mean:.3f}", file=log, flush=True)
    torch.save(model.state_dict(), folder / "weights.pt")


if __name__ == "__main__":
    train(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 100)
