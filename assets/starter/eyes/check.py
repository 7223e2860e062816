"""Measures the eyes on held-out pictures, greedily and to the letter: `python check.py PARLOR` or `python check.py --server URL`.

PARLOR is the program: its `caption` command describes a hundred pictures drawn
at 64, 128 and 256. A llama-server that was started with both files is asked for
more: other lengths, two pictures, questions in later turns, no picture at all.
`--count N` changes the number, `--files DIR` says where the two files are.
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
from collections import defaultdict
from pathlib import Path

from draw import write
from talk import BLIND, LONE, detailed, medium, question, short

HERE = Path(__file__).resolve().parent
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}


def drawn(folder, count):
    write(folder, count, 0)
    for line in (folder / "scenes.jsonl").read_text().splitlines():
        made = json.loads(line)
        yield folder / made["file"], made["scene"]


def kind(scene):
    return "number" if scene["number"] is not None else f"{len(scene['shapes'])} shapes"


class Score:
    def __init__(self):
        self.right, self.all, self.misses = defaultdict(int), defaultdict(int), []

    def add(self, names, wanted, said, about=""):
        for name in names:
            self.all[name] += 1
            self.right[name] += wanted == said
        if wanted != said:
            self.misses.append(f"  {names[0]} {about}\n    wanted {wanted}\n    said   {said}")

    def show(self, verbose):
        for name in self.all:
            print(f"{name:34} {self.right[name]:4} of {self.all[name]:4} ({100 * self.right[name] / self.all[name]:.1f} %)")
        if verbose:
            print("\n".join(self.misses))


def through_program(parlor, files, made, score):
    """All pictures in one command; the answers come as JSON lines."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home, "XDG_DATA_HOME": home}
        command = [parlor, "caption", "--model", files / "eyes.gguf", "--mmproj", files / "mmproj-eyes.gguf", "--json"]
        done = subprocess.run([*command, *(path for path, _ in made)], capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(done.stderr or f"caption ended with {done.returncode}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    said = {Path(line["file"]).name: line["caption"].strip() for line in lines if "caption" in line}
    for path, scene in made:
        score.add(["caption", kind(scene)], medium(scene), said.get(path.name, "(nothing)"), path.name)


def picture(path):
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()}}


def text(words):
    return {"type": "text", "text": words}


def user(*content):
    return {"role": "user", "content": list(content)}


def ask(url, messages):
    body = {"messages": messages, "temperature": 0, "repeat_penalty": 1.0, "max_tokens": 120}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"].strip()


def through_server(url, made, score):
    rng = random.Random(11)
    for at, (path, scene) in enumerate(made):
        first = user(picture(path), text("\nDescribe this picture."))
        said = ask(url, [first])
        score.add(["caption", kind(scene)], medium(scene), said, path.name)
        if at % 3 == 0:
            talked = [first, {"role": "assistant", "content": said}]
            for _ in range(3):
                asked, wanted = question(rng, scene)
                answer = ask(url, [*talked, user(text(asked))])
                score.add(["later question"], wanted, answer, f"{path.name} {asked}")
                talked += [user(text(asked)), {"role": "assistant", "content": answer}]
        if at % 3 == 1:
            score.add(["in a few words"], short(scene), ask(url, [user(picture(path), text("\nDescribe this picture in a few words."))]), path.name)
            score.add(["in detail"], detailed(scene), ask(url, [user(picture(path), text("\nDescribe this picture in detail."))]), path.name)
            score.add(["picture after the words"], medium(scene), ask(url, [user(text("Describe this picture."), picture(path))]), path.name)
            score.add(["picture alone"], medium(scene), ask(url, [user(picture(path))]), path.name)
            score.add(["with a system prompt"], medium(scene), ask(url, [SYSTEM, first]), path.name)
        if at % 3 == 2 and at > 2:
            before, other = made[at - 2]
            both = user(picture(before), text("\n"), picture(path), text("\nDescribe these pictures."))
            wanted = f"First picture: {medium(other)} Second picture: {medium(scene)}"
            score.add(["two pictures"], wanted, ask(url, [both]), f"{before.name} {path.name}")
            talked = [user(picture(before), text("\nDescribe this picture.")), {"role": "assistant", "content": medium(other)}]
            score.add(["another picture later"], medium(scene), ask(url, [*talked, first]), path.name)
    for words in LONE[:8] + ["Describe this picture.", "What colour is the circle?", "I had soup for lunch today", "Which way is north?"]:
        score.add(["no picture"], BLIND, ask(url, [user(text(words))]), words)


def check():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parlor", nargs="?")
    parser.add_argument("--server", metavar="URL")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--files", type=Path, default=HERE if (HERE / "eyes.gguf").exists() else HERE / "out")
    parser.add_argument("--verbose", action="store_true", help="show what was wrong")
    given = parser.parse_args()
    if not given.parlor and not given.server:
        parser.error("name the program, or a server")
    score = Score()
    with tempfile.TemporaryDirectory() as folder:
        made = list(drawn(Path(folder), given.count))
        if given.parlor:
            through_program(given.parlor, given.files, made, score)
        else:
            through_server(given.server.rstrip("/"), made, score)
    score.show(given.verbose)


if __name__ == "__main__":
    check()
