"""Measures Parlor ears on clips that it has never heard.

`python check.py PARLOR` asks through the whole program, one `parlor ask` for each of
100 clips (16, 44.1 and 48 kHz in turn). `python check.py --server URL` asks
llama.cpp's llama-server instead, started with `-m ears.gguf --mmproj mmproj-ears.gguf`,
and also has conversations of more than one form. An answer counts when it is the
caption letter for letter.
"""

import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import talk
import tones

HERE = Path(__file__).parent
RATES = (16000, 44100, 48000)
ASKED = "Describe this sound."


def clip(at, folder):
    """Test clip number `at`: its plan and its file."""
    plan, rate = tones.draw(tones.TESTING + at), RATES[at % len(RATES)]
    path = Path(folder) / f"{at:03}.wav"
    tones.write(path, tones.render(plan, rate), rate)
    return plan, path


def models(name):
    """A model file beside this script or in out/."""
    return str(next(p for p in (HERE / name, HERE / "out" / name) if p.exists()))


def ask_parlor(parlor, home, path):
    environment = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "PARLOR_CONFIG": f"{home}/none.toml"}
    command = [parlor, "ask", "--model", models("ears.gguf"), "--mmproj", models("mmproj-ears.gguf")]
    command += ["--temp", "0", "--json", "--audio", str(path), ASKED]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"parlor ask failed: {done.stderr.strip()}")
    return json.loads(done.stdout)["text"].strip()


def ask_server(url, messages):
    """The answer to messages whose content holds text and paths of clips."""
    sent = []
    for role, content in messages:
        parts = []
        for part in content:
            if isinstance(part, Path):
                data = base64.b64encode(part.read_bytes()).decode()
                parts.append({"type": "input_audio", "input_audio": {"data": data, "format": "wav"}})
            else:
                parts.append({"type": "text", "text": part})
        alone = len(content) == 1 and isinstance(content[0], str)
        sent.append({"role": role, "content": content[0] if alone else parts})
    body = {"messages": sent, "temperature": 0, "max_tokens": 64, "cache_prompt": False}
    request = urllib.request.Request(
        f"{url.rstrip('/')}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        return json.load(reply)["choices"][0]["message"]["content"].strip()


class Score:
    """Counts answers of one form and shows the wrong ones."""

    def __init__(self, name):
        self.name, self.right, self.all = name, 0, 0

    def add(self, wanted, said):
        self.all += 1
        self.right += wanted == said
        if wanted != said:
            print(f"  {self.name}: wanted {wanted!r}, said {said!r}")

    def show(self):
        print(f"{self.name}: {self.right} of {self.all} right", flush=True)


def forms(url, folder, start, count):
    """Other conversations than the one question, `count` of each."""
    chance = random.Random(tones.TESTING)

    def say(*content):
        return ("user", list(content))

    names = ["only the sound", "text before", "what do you hear", "after line breaks", "system prompt", "two sounds",
             "how many, later", "a new sound, later", "no sound", "no new sound", "how many, at once"]  # fmt: skip
    scores = {name: Score(name) for name in names}
    for at in range(start, start + 2 * count, 2):
        (one, first), (two, second) = clip(at, folder), clip(at + 1, folder)
        caption, count_one = one.caption(), one.count()
        begun = [say(first, ASKED), ("assistant", [caption])]
        both = talk.pair(caption, two.caption())
        tried = {
            "only the sound": ([say(first)], caption),
            "text before": ([say(ASKED, first)], caption),
            "what do you hear": ([say(first, "What do you hear?")], caption),
            "after line breaks": ([say(first, "\n" + chance.choice(talk.DESCRIBE))], caption),
            "system prompt": ([("system", [talk.SYSTEM[0]]), say(first, ASKED)], caption),
            "two sounds": ([say(first, second, "Describe these sounds.")], both),
            "how many, later": ([*begun, say("How many tones were there?")], count_one),
            "a new sound, later": ([*begun, say(second, ASKED)], two.caption()),
            "no sound": ([say(chance.choice(talk.OTHER + talk.DESCRIBE))], talk.NOTHING),
            "no new sound": ([*begun, say(chance.choice(talk.OTHER))], talk.NOTHING_NEW),
            "how many, at once": ([say(first, "How many tones are there?")], count_one),
        }
        for name, (messages, wanted) in tried.items():
            scores[name].add(wanted, ask_server(url, messages))
    for score in scores.values():
        score.show()


def main():
    wanted = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    wanted.add_argument("parlor", nargs="?", help="the program to ask through")
    wanted.add_argument("--server", help="address of a llama-server instead, such as http://127.0.0.1:8080")
    wanted.add_argument("--clips", type=int, default=100)
    wanted.add_argument("--start", type=int, default=0, help="number of the first test clip")
    wanted.add_argument("--forms", type=int, default=30, help="conversations of every other form (server only)")
    chosen = wanted.parse_args()
    if not chosen.parlor and not chosen.server:
        wanted.error("name the program, or a server with --server")
    with tempfile.TemporaryDirectory() as folder:
        score = Score("captions")
        for at in range(chosen.start, chosen.start + chosen.clips):
            plan, path = clip(at, folder)
            if chosen.server:
                said = ask_server(chosen.server, [("user", [path, ASKED])])
            else:
                said = ask_parlor(chosen.parlor, folder, path)
            score.add(plan.caption(), said)
        score.show()
        if chosen.server and chosen.forms:
            forms(chosen.server, folder, chosen.start + chosen.clips, chosen.forms)


if __name__ == "__main__":
    main()
