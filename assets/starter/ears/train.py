"""Trains Parlor ears: `python train.py DIR [MINUTES]` leaves DIR/weights.pt.

The spectrograms of a pool of clips are made first (DIR/pool.pt keeps them); every
conversation about them is new. Beside the answers, two small heads learn at every
position of a sound: from the encoder's output what sounds there and whether a tone
begins, and from what the decoder's last block reads how many tones have begun so far
(without it the model hears well long before it counts). The exported files leave the
heads out. The learning rate follows the time computed (a paused run loses nothing), so
that the schedule always finishes: warm-up, then a cosine to a hundredth. Where
DIR/weights.pt and DIR/heads.pt are there already, the training goes on from them with
other conversations and a new schedule. With the same seed and number of steps the
weights come out the same, but the number of steps follows the machine's speed:
DIR/log.txt says it. After a change of tones.py, remove DIR/pool.pt.
"""

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

import talk
import tones
from model import CHUNK, HOP, RATE, STEPS, Ears, Shape, spectrogram

SEED = 20261125
CLIPS = 24_000
TOKENS = 4096  # in a batch
PEAK = 3e-3
POOL = 2000  # conversations that are sorted by length together
HEAD_WEIGHT = 0.5


def states(plan, chunks):
    """What each position of a sound hears: 0 nothing, or 1 + the kind; whether a tone begins; the tally.

    The tally is 0 before the first tone, 1 to 4 for so many of the first kind, then 5 to 7 of the second.
    """
    kinds, begins = np.zeros(chunks * STEPS, np.int64), np.zeros(chunks * STEPS, np.float32)
    at = np.arange(chunks)[:, None] * CHUNK + np.arange(STEPS) * 8
    seconds = (at * HOP / RATE).reshape(-1)
    for tone in plan.tones:
        kinds[(seconds >= tone.start) & (seconds < tone.start + tone.length)] = 1 + tones.KINDS.index(tone.kind)
        chunk, frame = divmod(round(tone.start * RATE / HOP), CHUNK)
        begins[chunk * STEPS + min(STEPS - 1, (frame + 4) // 8)] = 1
    of_first = plan.groups()[0][0] if plan.tones else 0
    tally = begins.cumsum().astype(np.int64)
    tally += np.where(tally > of_first, 4 - of_first, 0)
    return torch.from_numpy(kinds), torch.from_numpy(begins), torch.from_numpy(tally)


def clips(folder, log):
    """The pool: (plan, spectrogram in half precision, kinds, begins, tally) of every training clip."""
    path = folder / "pool.pt"
    if path.exists():
        return torch.load(path, weights_only=False)
    started, pool = time.time(), []
    for seed in range(tones.TRAINING, tones.TRAINING + CLIPS):
        plan = tones.draw(seed)
        mel = torch.from_numpy(spectrogram(tones.render(plan)))
        pool.append((plan, mel.half(), *states(plan, len(mel))))
    torch.save(pool, path)
    print(f"{CLIPS} clips in {time.time() - started:.0f} s", file=log, flush=True)
    return pool


class Coder:
    """Token ids of conversations; the same pieces of text are cut once."""

    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.known = {}

    def text(self, text):
        if text not in self.known:
            self.known[text] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return self.known[text]

    def conversation(self, parts, chunks_of):
        """Ids (0 where sound is heard), positions of sound, and places whose next token is learned."""
        ids, heard, learned = [], [], []
        for part in parts:
            if isinstance(part, tuple):
                part_ids = self.text(part[0])
                if part[1]:
                    learned += range(len(ids) - 1, len(ids) - 1 + len(part_ids))
                ids += part_ids
                continue
            count = chunks_of(part) * STEPS
            heard += range(len(ids), len(ids) + count)
            ids += [0] * count
        return ids, heard, learned


def batches(coder, pool, seed):
    """Endless batches: lists of (ids, heard, learned, clips)."""
    chance = random.Random(seed)
    chunks = {plan: len(mel) for plan, mel, *_ in pool}
    by_plan = {plan: at for at, (plan, *_) in enumerate(pool)}
    order = []
    while True:
        made = []
        for _ in range(POOL):
            if len(order) < 8:
                order += chance.sample(range(len(pool)), len(pool))
            plans = [pool[at][0] for at in order[-6:]]
            left = list(plans)
            parts = talk.conversation(chance, left)
            del order[len(order) - (len(plans) - len(left)) :]
            used = [by_plan[part] for part in parts if isinstance(part, tones.Plan)]
            made.append((*coder.conversation(parts, chunks.get), used))
        made.sort(key=lambda row: len(row[0]))
        groups, rows = [], []
        for row in made:
            if rows and (len(rows) + 1) * len(row[0]) > TOKENS:
                groups.append(rows)
                rows = []
            rows.append(row)
        groups.append(rows)
        chance.shuffle(groups)
        yield from groups


def pad(rows):
    """Tokens [rows, length], and flat places of sounds, of what is learned, and its targets."""
    length = max(len(row[0]) for row in rows)
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    heard, places, targets = [], [], []
    for at, (ids, sounds, learned, _) in enumerate(rows):
        tokens[at, : len(ids)] = torch.tensor(ids)
        heard += [at * length + i for i in sounds]
        places += [at * length + i for i in learned]
        targets += [ids[i + 1] for i in learned]
    return tokens, torch.tensor(heard, dtype=torch.long), torch.tensor(places), torch.tensor(targets)


class Heads(nn.Module):
    """What the exported files leave out."""

    def __init__(self, width):
        super().__init__()
        self.hears = nn.Linear(width, 2 + len(tones.KINDS))
        self.counts = nn.Linear(width, 8)

    def forward(self, sounds, read, clips):
        kinds, begins, tally = (torch.cat(known) for known in zip(*(clip[2:] for clip in clips)))
        guess = self.hears(sounds)
        loss = functional.cross_entropy(guess[:, :-1], kinds)
        loss = loss + functional.binary_cross_entropy_with_logits(guess[:, -1], begins)
        return loss + functional.cross_entropy(self.counts(read), tally)


def losses(model, heads, rows, pool):
    """The loss of the answers, and of the heads."""
    tokens, heard, places, targets = pad(rows)
    used = [pool[at] for row in rows for at in row[3]]
    sounds = None
    if used:
        mels = torch.cat([clip[1] for clip in used]).float()
        sounds = model.encoder(mels, [len(clip[1]) for clip in used])
    logits, read = model(tokens, places, heard, sounds)
    extra = heads(sounds, read, used) if used else torch.zeros(())
    return functional.cross_entropy(logits, targets), extra


def computed():
    """Seconds of computing so far, as if all cores had shared it evenly."""
    return time.process_time() / torch.get_num_threads()


def save(model, heads, folder):
    """The model's weights, and apart those of the heads, for going on."""
    torch.save(model.state_dict(), folder / "weights.pt")
    torch.save(heads.state_dict(), folder / "heads.pt")


def train(folder, minutes):
    torch.manual_seed(SEED)
    log = (folder / "log.txt").open("a")
    pool, coder = clips(folder, log), Coder(folder)
    model = Ears(Shape())
    heads = Heads(model.shape.width)
    begun = all((folder / name).exists() for name in ("weights.pt", "heads.pt"))
    if begun:
        model.load_state_dict(torch.load(folder / "weights.pt"))
        heads.load_state_dict(torch.load(folder / "heads.pt"))
    known = [*model.parameters(), *heads.parameters()]
    wide, flat = [p for p in known if p.dim() > 1], [p for p in known if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": wide, "weight_decay": 0.05}, {"params": flat, "weight_decay": 0.0}], lr=PEAK, betas=(0.9, 0.98)
    )
    count = sum(p.numel() for p in model.parameters())
    print(f"{count} parameters, {minutes} minutes", file=log, flush=True)
    started, seen, mean, extras = computed(), 0, None, None
    for step, rows in enumerate(batches(coder, pool, SEED + begun)):
        done = (computed() - started) / (60 * minutes)
        if done >= 1:
            break
        rate = PEAK * min(1, (step + 1) / 200) * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss, extra = losses(model, heads, rows, pool)
        (loss + HEAD_WEIGHT * extra).backward()
        torch.nn.utils.clip_grad_norm_(known, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen += len(rows)
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        extras = extra.item() if extras is None else 0.98 * extras + 0.02 * extra.item()
        if step % 50 == 0:
            pace = seen / (computed() - started)
            line = f"step {step} loss {mean:.4f} heads {extras:.4f} rate {rate:.1e}"
            print(f"{line} conversations {seen} at {pace:.0f}/s", file=log, flush=True)
        if step % 100 == 99:
            save(model, heads, folder)
    print(f"done: {step} steps, {seen} conversations, loss {mean:.4f}", file=log, flush=True)
    save(model, heads, folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 25)
