"""First part of the training: the encoder alone learns what is where, `python look.py DIR [MINUTES [FIRST]]`.

Pictures are crowded here, which teaches more a picture. Every patch must tell what shape, in which colour, is at its place of nine, the
number's digits and the background. Heads for that are thrown away later; what
stays are features from which the decoder only has to read. Leaves DIR/eye.pt,
and goes on from it if it is there (then with other seeds, from FIRST on).
"""

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from draw import BACKGROUNDS, COLOURS, SHAPES, sample
from model import Eye, Shape, linear

BATCH = 64
PEAK = 3e-3
SEED = 20261125
COLOUR = {name: at + 1 for at, name in enumerate(COLOURS)}
SIZES = [len(SHAPES) + 1, len(COLOURS) + 1, 11, 11, len(BACKGROUNDS)]
# The place of nine that each patch of eight by eight belongs to.
PLACE = [3 * (r * 3 // 8 if r != 5 else 2) + (c * 3 // 8 if c != 5 else 2) for r in range(8) for c in range(8)]


def answers(scene):
    """What each patch is to tell, [patches, heads]."""
    at = {s["place"]: (SHAPES.index(s["shape"]) + 1, COLOUR[s["colour"]]) for s in scene["shapes"]}
    number = scene["number"]
    tens = ones = 10
    if number is not None:
        at = {place: (0, COLOUR[scene["colour"]]) for place in range(9)}
        tens, ones = number // 10 if number > 9 else 10, number % 10
    ground = BACKGROUNDS.index(scene["background"])
    return [[*at.get(place, (0, 0)), tens, ones, ground] for place in PLACE]


class Heads(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.out = linear(shape.eye_width, sum(SIZES), True)

    def losses(self, patches, wanted):
        """One loss a head, and one truth a picture: whether its middle patches tell all."""
        told = self.out(patches).split(SIZES, -1)
        losses = [functional.cross_entropy(t.flatten(0, 1), wanted[..., i].flatten()) for i, t in enumerate(told)]
        right = torch.stack([t.argmax(-1) for t in told], -1) == wanted
        return sum(losses), right[:, MIDDLES].flatten(1).all(1).float().mean()


MIDDLES = [8 * r + c for r in (1, 4, 6) for c in (1, 4, 6)]


class Muon(torch.optim.Optimizer):
    """Momentum whose matrices are made nearly orthogonal (Jordan and others, 2024):
    in such short runs it learns in about half the steps of Adam."""

    def __init__(self, matrices, lr, momentum=0.95, decay=0.02):
        super().__init__(matrices, {"lr": lr})
        self.momentum, self.decay = momentum, decay

    @torch.no_grad()
    def step(self):
        alike = {}
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["mean"] = torch.zeros_like(p)
                state["mean"].lerp_(p.grad, 1 - self.momentum)
                alike.setdefault(p.shape, []).append((p, p.grad.lerp(state["mean"], self.momentum), group["lr"]))
        for (rows, columns), members in alike.items():
            x = torch.stack([g if rows <= columns else g.T for _, g, _ in members])
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
            for _ in range(5):
                a = x @ x.mT
                x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
            scale = 0.2 * max(rows, columns) ** 0.5  # steps as large as Adam's
            for (p, _, lr), step in zip(members, x):
                p.mul_(1 - lr * self.decay).add_(step if rows <= columns else step.T, alpha=-lr * scale)


def optimizers(model, peak):
    """Muon for the matrices inside blocks, Adam for everything else."""
    inside = [p for n, p in model.named_parameters() if p.dim() == 2 and ("blk." in n or "blocks." in n)]
    known = {id(p) for p in inside}
    rest = [p for p in model.parameters() if id(p) not in known]
    return [Muon(inside, peak), torch.optim.AdamW(rest, peak, (0.9, 0.98), weight_decay=0.0)]


def pace(made, peak, step, done, floor=0.02):
    """Sets the learning rate: warm-up by steps, then a cosine by the part done."""
    rate = peak * min(1, (step + 1) / 100) * (floor + (1 - floor) * (1 + math.cos(math.pi * done)) / 2)
    for optimizer in made:
        for group in optimizer.param_groups:
            group["lr"] = rate
    return rate


def batch(first, count, test=False, crowd=False):
    made = [sample(seed, test, crowd) for seed in range(first, first + count)]
    return torch.from_numpy(np.stack([p for _, p in made])), torch.tensor([answers(s) for s, _ in made])


def look(folder, minutes, first):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    shape = Shape()
    eye, told = Eye(shape), Heads(shape)
    both = nn.ModuleDict({"eye": eye, "heads": told})
    if (folder / "eye.pt").exists():
        both.load_state_dict(torch.load(folder / "eye.pt"))
    made = optimizers(both, PEAK)
    log = (folder / "look.txt").open("a")
    print(f"{sum(p.numel() for p in eye.parameters())} parameters, {minutes} minutes", file=log, flush=True)
    started, mean, good, step = time.process_time(), None, 0.0, 0
    while (done := (time.process_time() - started) / (60 * minutes)) < 1:
        rate = pace(made, PEAK, step, done)
        pictures, wanted = batch(first + step * BATCH, BATCH, crowd=step % 8 > 0)
        loss, right = told.losses(eye(pictures), wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        for optimizer in made:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        good = 0.98 * good + 0.02 * right.item()
        if step % 50 == 0:
            print(f"step {step} loss {mean:.3f} right {good:.3f} rate {rate:.1e} {time.process_time() - started:.0f} s", file=log, flush=True)
        if step % 200 == 199:
            torch.save(both.state_dict(), folder / "eye.pt")
        step += 1
    torch.save(both.state_dict(), folder / "eye.pt")
    with torch.no_grad():
        pictures, wanted = batch(0, 1000, True)
        _, right = told.losses(eye(pictures), wanted)
    print(f"done: {step} steps, {step * BATCH} pictures, loss {mean:.3f}, {right:.3f} of held-out right", file=log, flush=True)


if __name__ == "__main__":
    minutes, first = [*map(float, sys.argv[2:]), 12, 0][:2] if len(sys.argv) != 3 else (float(sys.argv[2]), 0)
    look(Path(sys.argv[1]), minutes, int(first))
