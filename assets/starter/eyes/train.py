"""Second part of the training: encoder and decoder together, `python train.py DIR [MINUTES [CLOCK]]`.

Starts from DIR/eye.pt, or from DIR/start.pt if it is there; leaves DIR/weights.pt. Conversations of like length share
a batch; one batch in fourteen holds long ones, up to the whole context. The
encoder goes on telling what is where, besides, of crowded pictures too. The
learning rate follows the time computed (or CLOCK minutes, if they are over
sooner), so that the schedule always finishes: warm-up, then a cosine. The same
seed and number of steps give the same weights; DIR/log.txt says the number.
"""

import itertools
import math
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from look import SEED, Heads, answers, batch, optimizers, pace
from model import Eyes, Shape
from talk import conversation

TOKENS = 1536  # in a batch
CROWD = 32  # pictures besides, for the encoder alone
PEAK = 2e-3
POOL = 600  # conversations that are sorted by length together
LONG_EVERY = 14
FIRST = 100_000_000  # seeds below are the encoder's own


class Writer:
    """Conversations as token ids."""

    def __init__(self, tokenizer, shape):
        self.tokenizer, self.shape, self.known = tokenizer, shape, {}

    def encode(self, text):
        found = self.known.get(text)
        if found is None:
            found = self.tokenizer.encode(text, add_special_tokens=False).ids
            if len(self.known) < 200_000:
                self.known[text] = found
        return found

    def row(self, made):
        """Ids (-1 for a patch), the places whose next token is learned, and the pictures; or None if too long."""
        parts, looked = made
        ids, learned = [], []
        for part in parts:
            if part is None:
                ids += [-1] * self.shape.patches
                learned += [False] * self.shape.patches
                continue
            text = self.encode(part[0])
            ids += text
            learned += [part[1]] * len(text)
        if len(ids) > self.shape.context:
            return None
        return ids, [i for i in range(len(ids) - 1) if learned[i + 1]], looked


def pad(rows):
    """A batch: tokens, where patches are, places, their targets, pictures, what the patches are to tell."""
    length = max(len(ids) for ids, _, _ in rows)
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    places, targets = [], []
    for at, (ids, learned, _) in enumerate(rows):
        tokens[at, : len(ids)] = torch.tensor(ids)
        places += [at * length + i for i in learned]
        targets += [ids[i + 1] for i in learned]
    looked = [one for _, _, pictures in rows for one in pictures]
    pictures = torch.from_numpy(np.stack([p for _, p in looked])) if looked else None
    wanted = torch.tensor([answers(s) for s, _ in looked]) if looked else None
    seen = tokens < 0
    return tokens.clamp(min=0), seen, torch.tensor(places), torch.tensor(targets), pictures, wanted


def batches(writer, seed):
    """Endless batches; every picture is new."""
    rng, seeds = random.Random(seed), itertools.count(seed)
    while True:
        pool = [row for row in (writer.row(conversation(rng, seeds)) for _ in range(POOL)) if row]
        pool.sort(key=lambda row: len(row[0]))
        made, rows = [], []
        for row in pool:
            if rows and (len(rows) + 1) * len(row[0]) > TOKENS:
                made.append(rows)
                rows = []
            rows.append(row)
        made.append(rows)
        for _ in range(len(made) // LONG_EVERY):
            longs = [row for row in (writer.row(conversation(rng, seeds, True)) for _ in range(4)) if row]
            made.append(sorted(longs, key=lambda row: -len(row[0]))[:2])
        rng.shuffle(made)
        yield from (pad(rows) for rows in made if rows)


def train(folder, minutes, clocked):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    shape = Shape()
    model, told = Eyes(shape), Heads(shape)
    start = torch.load(folder / "eye.pt")
    model.eye.load_state_dict({k[4:]: v for k, v in start.items() if k.startswith("eye.")})
    told.load_state_dict({k[6:]: v for k, v in start.items() if k.startswith("heads.")})
    both = nn.ModuleDict({"eyes": model, "heads": told})
    first = FIRST
    if (folder / "start.pt").exists():
        both.load_state_dict(torch.load(folder / "start.pt"))
        first *= 3  # new pictures
    made = optimizers(both, PEAK)
    writer = Writer(Tokenizer.from_file(str(folder / "tokenizer.json")), shape)
    log = (folder / "log.txt").open("a")
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {minutes} minutes", file=log, flush=True)
    started, clock, seen_pictures, seen_tokens = time.process_time(), time.time(), 0, 0
    means = None
    for step, (tokens, seen, places, targets, pictures, wanted) in enumerate(batches(writer, first)):
        done = max((time.process_time() - started) / (60 * minutes), (time.time() - clock) / (60 * clocked))
        if done >= 1:
            break
        rate = pace(made, PEAK, step, done)
        telling, right, patches = torch.zeros(()), torch.zeros(()), None
        if pictures is not None:
            patches = model.eye(pictures)
            telling, right = told.losses(patches, wanted)
        logits = model(tokens, seen, patches, places)
        loss = functional.cross_entropy(logits, targets)
        crowd, shown = batch(first // 2 + step * CROWD, CROWD, crowd=step % 4 > 0)
        crowded, _ = told.losses(model.eye(crowd), shown)
        (loss + 0.2 * telling + 0.4 * crowded).backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        for optimizer in made:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        seen_pictures += len(pictures) if pictures is not None else 0
        seen_tokens += tokens.numel()
        if pictures is not None:
            new = torch.tensor([loss.item(), crowded.item(), right.item(), (logits.argmax(-1) == targets).float().mean()])
            means = new if means is None else means.lerp(new, 0.02)
        if step % 50 == 0:
            text = "loss {:.4f} telling {:.3f} right {:.3f} tokens right {:.4f}".format(*means.tolist())
            print(f"step {step} {text} rate {rate:.1e} {seen_pictures} pictures {time.process_time() - started:.0f} s", file=log, flush=True)
        if step % 200 == 199:
            torch.save(model.state_dict(), folder / "weights.pt")
            torch.save(both.state_dict(), folder / "both.pt")
    print(f"done: {step} steps, {seen_pictures} pictures, {seen_tokens} tokens, loss {means[0]:.4f}, {time.time() - clock:.0f} s by the clock", file=log, flush=True)
    torch.save(model.state_dict(), folder / "weights.pt")
    torch.save(both.state_dict(), folder / "both.pt")


if __name__ == "__main__":
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    train(Path(sys.argv[1]), minutes, float(sys.argv[3]) if len(sys.argv) > 3 else math.inf)
