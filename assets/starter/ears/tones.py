"""Makes the clips: one to four tones with pauses, soft noise or silence, and their caption, with numpy alone.

A plan is drawn from a seed and can be rendered at any sample rate, so that a clip
heard at 48 kHz is the same clip. Training takes seeds from TRAINING on, tests from
TESTING on; the two never meet. `python tones.py DIR [COUNT]` writes test clips as
WAV files with their captions in DIR/captions.tsv.
"""

import sys
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 16000
TRAINING = 1_000_000
TESTING = 9_000_000
KINDS = ["low", "high", "rising", "falling"]
NUMBERS = ["none", "one", "two", "three", "four"]
LONGEST = 4.0  # seconds
SHORTEST = 0.5
HIGHEST = 7200.0  # Hz; overtones above it are left out, so that nothing is folded back


@dataclass(frozen=True)
class Tone:
    kind: str
    start: float  # seconds
    length: float
    first: float  # Hz at its start
    last: float  # Hz at its end
    even: bool  # whether the glide is even in Hz rather than in octaves
    level: float
    fade: float  # seconds of fading in and out
    decay: float  # how fast it dies away, per second
    overtones: tuple  # strength of the 2nd, 3rd … partial


@dataclass(frozen=True)
class Plan:
    length: float  # seconds
    tones: tuple
    noise: float  # RMS
    colour: float  # of the noise: 0 is white, nearer to 1 is darker
    seed: int

    def groups(self):
        """Runs of one kind: [(count, kind), …]."""
        found = []
        for tone in self.tones:
            if found and found[-1][1] == tone.kind:
                found[-1] = (found[-1][0] + 1, tone.kind)
            else:
                found.append((1, tone.kind))
        return found

    def caption(self):
        if not self.tones:
            return "Silence."
        parts = [f"{NUMBERS[n]} {kind} tone{'s' if n > 1 else ''}" for n, kind in self.groups()]
        return ", then ".join(parts).capitalize() + "."

    def count(self):
        return NUMBERS[len(self.tones)].capitalize() + "."


def kinds_of(random):
    """The kinds of a clip's tones in order: one kind, or two one after another; sometimes none."""
    if random.random() < 0.05:
        return []
    count = random.choice(4, p=[0.19, 0.25, 0.27, 0.29]) + 1
    one, other = random.permutation(KINDS)[:2]
    cut = count
    if count > 1 and random.random() < 0.55:
        cut = random.integers(1, count)
    return [str(one)] * cut + [str(other)] * (count - cut)


def octaves(random, low, high):
    """A number between two, even in octaves."""
    return float(low * (high / low) ** random.random())


def pitch(random, kind):
    if kind == "low":
        at = octaves(random, 150, 400)
        return at, at
    if kind == "high":
        at = octaves(random, 1200, 3000)
        return at, at
    wide = octaves(random, 2.0, 6.0)
    bottom = octaves(random, 180, 3000 / wide)
    return (bottom, bottom * wide) if kind == "rising" else (bottom * wide, bottom)


def overtones(random):
    """Strengths of a wave form's partials: a sine, square-like, saw-like, or an instrument's."""
    form = random.integers(4)
    if form == 0:
        return ()
    order = np.arange(2, random.integers(4, 10))
    strength = 1.0 / order
    if form == 1:
        strength = np.where(order % 2 == 1, strength, 0.0)
    elif form == 3:
        strength = 0.6 * random.random(len(order)) / order**0.7
    return tuple(float(s) for s in strength * random.uniform(0.4, 1.0))


def draw(seed):
    """The plan of clip number `seed`."""
    random = np.random.default_rng(seed)
    kinds = kinds_of(random)
    while True:
        slow = octaves(random, 0.12, 0.9)
        loud = octaves(random, 0.04, 0.8)
        same_pitch, same_form = random.random() < 0.6, random.random() < 0.7
        form, pitches = overtones(random), {kind: pitch(random, kind) for kind in KINDS}
        at = random.choice([0.0, random.uniform(0, 0.5)])
        tones = []
        for kind in kinds:
            shortest = 0.12 if kind in ("low", "high") else 0.22
            length = max(shortest, slow * random.uniform(0.6, 1.3))
            first, last = pitches[kind] if same_pitch else pitch(random, kind)
            tones.append(
                Tone(
                    kind,
                    at,
                    length,
                    first,
                    last,
                    bool(random.random() < 0.3),
                    loud * random.uniform(0.6, 1.0),
                    random.uniform(0.005, 0.03),
                    random.choice([0.0, random.uniform(0, 3)]),
                    form if same_form else overtones(random),
                )
            )
            at += length + max(0.1, octaves(random, 0.1, 0.5) * random.uniform(0.8, 1.0))
        end = tones[-1].start + tones[-1].length if tones else 0.0
        length = end + random.choice([0.0, random.uniform(0, 0.6)])
        if not tones:
            length = random.uniform(SHORTEST, LONGEST)
        length = max(length, SHORTEST)
        if length <= LONGEST:
            break
    if random.random() < 0.25:
        noise = 0.0
    elif tones:
        noise = loud * octaves(random, 0.0005, 0.06)
    else:
        noise = octaves(random, 1e-5, 4e-3)
    return Plan(length, tuple(tones), noise, random.choice([0.0, random.uniform(0, 0.9)]), seed)


def sound_of(tone, rate):
    times = np.arange(round(tone.length * rate)) / rate
    share = times / tone.length
    if tone.even:
        hertz = tone.first + (tone.last - tone.first) * share
    else:
        hertz = tone.first * (tone.last / tone.first) ** share
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    made = np.sin(phase)
    for order, strength in enumerate(tone.overtones, 2):
        heard = order * hertz < HIGHEST
        if strength and heard.any():
            made += strength * heard * np.sin(order * phase)
    made *= np.minimum(1, np.minimum(times, tone.length - times) / tone.fade) * np.exp(-tone.decay * times)
    return tone.level * made / max(1.0, 1 + 0.5 * sum(tone.overtones))


def render(plan, rate=RATE):
    """Samples in -1 … 1, float32, as 16-bit files hold them."""
    samples = np.zeros(round(plan.length * rate))
    for tone in plan.tones:
        made = sound_of(tone, rate)
        at = round(tone.start * rate)
        made = made[: len(samples) - at]
        samples[at : at + len(made)] += made
    if plan.noise:
        random = np.random.default_rng([plan.seed, 1])
        hiss = random.standard_normal(len(samples))
        if plan.colour:
            spectrum = np.fft.rfft(hiss)
            hertz = np.linspace(0, rate / 2, len(spectrum))
            hiss = np.fft.irfft(spectrum / (1 + (hertz / 300) ** (2 * plan.colour)) ** 0.5, len(samples))
        # Noise above 8 kHz is lost when the clip is brought to 16 kHz: it does not count.
        samples += plan.noise * hiss / max(hiss.std(), 1e-9) * (rate / RATE if not plan.colour else 1) ** 0.5
    peak = np.abs(samples).max()
    if peak > 0.99:
        samples *= 0.99 / peak
    return (np.round(samples * 32767) / 32768).astype(np.float32)


def write(path, samples, rate=RATE):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(samples * 32768).astype("<i2").tobytes())


def main(folder, count):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "captions.tsv").open("w") as captions:
        for at in range(count):
            plan = draw(TESTING + at)
            rate = (16000, 44100, 48000)[at % 3]
            write(folder / f"{at:03}.wav", render(plan, rate), rate)
            print(f"{at:03}.wav\t{plan.caption()}", file=captions)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100)
