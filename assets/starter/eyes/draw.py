"""Draws the pictures that the eyes learn from: `python draw.py DIR [COUNT [SIZE]]` writes held-out ones.

A scene is one to three coloured shapes on a plain background, at most one in
each of nine places, or a number from 0 to 99. Everything is drawn here with
Pillow, at some size, and brought to the encoder's 64×64 with Pillow's bicubic
filter, which is what llama.cpp does with a picture file.

A scene's content (which shapes, colours, places, which number) decides by its
hash whether it belongs to training or to the test: what is tested was never
trained, however it is drawn.
"""

import json
import math
import random
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 64  # of the encoder's picture; all scene measures are in these
COLOURS = {
    "red": (220, 35, 40),
    "green": (35, 165, 60),
    "blue": (40, 85, 225),
    "yellow": (245, 215, 30),
    "purple": (145, 50, 185),
    "orange": (250, 130, 15),
}
SHAPES = ["circle", "square", "triangle", "cross", "star", "ring"]
PLACES = [
    "at the top left", "at the top", "at the top right",
    "on the left", "in the middle", "on the right",
    "at the bottom left", "at the bottom", "at the bottom right",
]  # fmt: skip
BACKGROUNDS = ["light", "dark"]
TRAIN_SEEDS, TEST_SEEDS = 1, 1 << 40  # where each range of seeds begins


def arc(x, y, rx, ry, start, stop):
    """Points of an ellipse's arc; degrees, clockwise from the right."""
    steps = max(2, int(abs(stop - start) / 15))
    angles = [math.radians(start + (stop - start) * i / steps) for i in range(steps + 1)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


# Strokes of the digits in a box of one by one.
DIGITS = [
    [arc(0.5, 0.5, 0.5, 0.5, 0, 360)],
    [[(0.2, 0.22), (0.55, 0), (0.55, 1)]],
    [arc(0.5, 0.28, 0.48, 0.28, 190, 385) + [(0.0, 1), (1, 1)]],
    [arc(0.45, 0.25, 0.48, 0.25, 200, 450) + arc(0.45, 0.74, 0.53, 0.26, -90, 160)],
    [[(0.72, 1), (0.72, 0), (0, 0.68), (1, 0.68)]],
    [[(0.92, 0), (0.12, 0), (0.06, 0.45)] + arc(0.46, 0.67, 0.52, 0.33, 220, 510)],
    [[(0.8, 0), (0.3, 0.25), (0.06, 0.55)] + arc(0.5, 0.69, 0.48, 0.31, 180, 540)],
    [[(0, 0), (1, 0), (0.35, 1)]],
    [arc(0.5, 0.25, 0.42, 0.25, 90, 450), arc(0.5, 0.74, 0.5, 0.26, -90, 270)],
    [arc(0.5, 0.31, 0.48, 0.31, 0, 360) + [(0.94, 0.45), (0.7, 0.75), (0.25, 1)]],
]


def held_out(content):
    """Whether a content belongs to the test: about one in twelve does."""
    return zlib.crc32(json.dumps(content).encode()) % 12 == 0


def content_of(scene):
    if scene["number"] is not None:
        return ["number", scene["number"], scene["colour"]]
    return ["shapes"] + [[s["place"], s["shape"], s["colour"]] for s in scene["shapes"]]


def shade(rng, colour):
    return tuple(max(0, min(255, c + rng.randint(-18, 18))) for c in COLOURS[colour])


def backdrop(rng, name):
    base = rng.randint(222, 255) if name == "light" else rng.randint(0, 42)
    return tuple(max(0, min(255, base + rng.randint(-8, 8))) for _ in range(3))


def shapes(rng, crowd):
    """One to three shapes in reading order, none touching another; or a crowd."""
    count = rng.randint(3, 7) if crowd else rng.choices([1, 2, 3], [3, 6, 8])[0]
    alike = rng.random()  # pairs of one colour or one shape are the hard ones: more of them
    colour, shape = rng.choice(list(COLOURS)), rng.choice(SHAPES)
    made = []
    tries = 0
    while len(made) < count:
        tries += 1
        if tries > 99:  # no room left: start again
            made, tries = [], 0
        radius = rng.uniform(6.5, 8.5 if crowd else 11)
        if count == 1 and rng.random() < 0.3:
            radius = rng.uniform(11, 25)
        elif count == 2 and rng.random() < 0.2:
            radius = rng.uniform(10, 15)
        place = rng.randrange(9)
        x, y = ((at + 0.5) * SIDE / 3 + rng.uniform(-4.5, 4.5) for at in (place % 3, place // 3))
        x, y = (max(radius + 1, min(SIDE - 1 - radius, v)) for v in (x, y))
        low, high = 2.5, SIDE / 3 - 2.5  # a centre keeps away from the next place
        if not (low < x - place % 3 * SIDE / 3 < high and low < y - place // 3 * SIDE / 3 < high):
            continue
        if any(s["place"] == place for s in made):
            continue
        if any(math.hypot(s["x"] - x, s["y"] - y) < s["radius"] + radius + 1 for s in made):
            continue
        made.append({
            "place": place, "x": x, "y": y, "radius": radius, "turn": rng.uniform(-10, 10),
            "shape": shape if alike < 0.15 or 0.3 < alike < 0.4 else rng.choice(SHAPES),
            "colour": colour if alike < 0.3 else rng.choice(list(COLOURS)),
        })  # fmt: skip
    made.sort(key=lambda s: s["place"])
    return made


def scene(rng, test=False, crowd=False):
    """A scene of the training's part, or of the test's."""
    while True:
        made = {"background": rng.choice(BACKGROUNDS), "number": None, "colour": None, "shapes": []}
        if rng.random() < (0.35 if crowd else 0.25):
            made["number"] = rng.randrange(10) if rng.random() < 0.3 else rng.randrange(10, 100)
            made["colour"] = rng.choice(list(COLOURS))
            tall = rng.uniform(27, 44)
            wide = tall * rng.uniform(0.5, 0.64)
            gap = rng.uniform(0.32, 0.48) * wide
            if made["number"] > 9 and 2 * wide + gap > 52:
                scale = 52 / (2 * wide + gap)
                tall, wide, gap = tall * scale, wide * scale, gap * scale
            made |= {
                "tall": tall, "wide": wide, "gap": gap, "pen": tall * rng.uniform(0.11, 0.17),
                "x": SIDE / 2 + rng.uniform(-5, 5) * (0.5 if made["number"] > 9 else 1.6),
                "y": SIDE / 2 + rng.uniform(-5, 5), "slant": rng.uniform(-0.12, 0.15),
            }  # fmt: skip
        else:
            made["shapes"] = shapes(rng, crowd)
        if held_out(content_of(made)) == test:
            return made


def outline(s):
    """The corners of a shape that has corners, around nought, with radius one."""
    name = s["shape"]
    if name == "square":
        points = [(-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)]
    elif name == "triangle":
        points = [(0, -0.98), (0.98, 0.8), (-0.98, 0.8)]
    elif name == "cross":
        a, b = 0.3, 1.0
        points = [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]
    else:  # star
        points = [
            (r * math.sin(math.pi * i / 5), -r * math.cos(math.pi * i / 5))
            for i, r in ((i, 1.1 if i % 2 == 0 else 0.44) for i in range(10))
        ]
    turn = math.radians(s["turn"])
    cos, sin = math.cos(turn), math.sin(turn)
    return [(x * cos - y * sin, x * sin + y * cos) for x, y in points]


def paint(made, size, rng):
    """The scene as a square picture of that size."""
    scale = size / SIDE
    ground = backdrop(rng, made["background"])
    image = Image.new("RGB", (size, size), ground)
    pen = ImageDraw.Draw(image)

    def disc(x, y, radius, fill):
        pen.ellipse([(x - radius) * scale, (y - radius) * scale, (x + radius) * scale - 1, (y + radius) * scale - 1], fill)

    for s in made["shapes"]:
        fill = shade(rng, s["colour"])
        x, y, radius = s["x"], s["y"], s["radius"]
        if s["shape"] in ("circle", "ring"):
            disc(x, y, radius, fill)
            if s["shape"] == "ring":
                disc(x, y, radius * 0.56, ground)
        else:
            pen.polygon([((x + a * radius) * scale - 0.5, (y + b * radius) * scale - 0.5) for a, b in outline(s)], fill)
    if made["number"] is not None:
        fill = shade(rng, made["colour"])
        digits = [int(d) for d in str(made["number"])]
        total = len(digits) * made["wide"] + (len(digits) - 1) * made["gap"]
        left = max(3, min(SIDE - 3 - total, made["x"] - total / 2))
        for at, digit in enumerate(digits):
            start = left + at * (made["wide"] + made["gap"])
            for stroke in DIGITS[digit]:
                points = [
                    (start + a * made["wide"] + (0.5 - b) * made["slant"] * made["tall"], made["y"] + (b - 0.5) * made["tall"])
                    for a, b in stroke
                ]
                pen.line([(a * scale, b * scale) for a, b in points], fill, max(1, round(made["pen"] * scale)), "curve")
                for a, b in points[:: len(points) - 1]:
                    disc(a, b, made["pen"] / 2, fill)
    return image


def small(image):
    """The encoder's 64×64, as llama.cpp makes it of a square picture."""
    if image.size != (SIDE, SIDE):
        image = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(image)


def sample(seed, test=False, crowd=False):
    """A scene and its picture for the encoder, both following from the seed."""
    rng = random.Random((TEST_SEEDS if test else TRAIN_SEEDS) + seed)
    made = scene(rng, test, crowd)
    return made, small(paint(made, rng.choice([64, 64, 96, 128, 128, 160, 200, 256]), rng))


def write(folder, count, size):
    """Held-out pictures as PNG files, and what is in them as scenes.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "scenes.jsonl").open("w") as out:
        for at in range(count):
            rng = random.Random(TEST_SEEDS + at)
            made = scene(rng, True)
            side = size or [64, 128, 256][at % 3]
            paint(made, side, rng).save(folder / f"{at:03}.png")
            print(json.dumps({"file": f"{at:03}.png", "scene": made}), file=out)


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    write(Path(sys.argv[1]), count, int(sys.argv[3]) if len(sys.argv) > 3 else 0)
