"""Measures the starter through the whole program: `python evaluate.py PARLOR`.

Every held-out question goes through `parlor ask --model starter --json`, and
through `parlor help --json` for the search alone. An answer is right when one
of the key facts (facts.tsv) of a topic that answers the question is in it; confidently wrong when it is not
and the answer stands on a single passage; honest when it stands on none: then
it is a reply that says it does not know, or small talk.

"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FACTS = {
    topic: facts.split(" | ")
    for topic, facts in (line.split("\t") for line in (HERE / "facts.tsv").read_text().splitlines())
}
TALKS = [
    ["hi", "who are you?", "how do i stop an answer", "and how do i get another one", "thanks", "bye"],
    ["good morning", "what can you do", "what is a token", "tell me more", "ok", "who won the world cup"],
    ["hello, my name is Ada", "what is top-p", "and how do i set it", "what is my name", "thank you", "goodbye"],
    ["hey", "write me a poem", "then how do i load a real model", "where do i get one", "cool", "see you"],
    ["are you chatgpt?", "who made you", "is my data private", "even without internet?", "great", "thanks"],
    ["it repeats itself", "that did not help", "what is the repeat penalty", "ok thanks", "how are you", "bye"],
    ["12 + 30", "why not", "what are you good for then", "how do i copy an answer", "and paste it", "thanks a lot"],
    ["test", "are you human", "do you have feelings", "what does temperature do", "tell me more", "no, that is all"],
    ["how do i change the colours", "and the keys", "where is that file", "you are wrong", "hm", "ok bye"],
    ["i am bored", "tell me a joke", "haha", "how big a model can i run with 16 gb", "what is quantisation", "thanks"],
]


def run(parlor, home, *arguments):
    environment = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "PARLOR_CONFIG": f"{home}/none.toml"}
    done = subprocess.run([parlor, *arguments], capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    return json.loads(done.stdout)


def ask(parlor, home, *arguments):
    return run(parlor, home, "ask", "--model", "starter", "--json", "--seed", "1", *arguments)


def is_right(held, text):
    return any(fact in text for topic in held["topics"] for fact in FACTS.get(topic, []))


def loops(text):
    """Whether six words come three times in a row or a fifth of all words is one."""
    words = text.split()
    runs = (words[i : i + 6] == words[i + 6 : i + 12] == words[i + 12 : i + 18] for i in range(len(words) - 17))
    return any(runs) or len(words) > 150


def questions(parlor, home, held):
    right = wrong = unsure = honest = named = looped = 0
    at = [0, 0, 0]
    answered = [h for h in held if h["topics"]]
    others = [h for h in held if not h["topics"]]
    for h in answered:
        said = ask(parlor, home, "--", h["question"])
        found = run(parlor, home, "help", "--json", "--", h["question"])["passages"]
        for k in range(3):
            at[k] += any(p["id"] in h["topics"] for p in found[: k + 1])
        good = is_right(h, said["text"])
        right += good
        unsure += len(said["sources"]) > 1
        looped += loops(said["text"])
        if not good and len(said["sources"]) == 1:
            wrong += 1
            print(f"  wrong: {h['question']} → {said['source']}")
    for h in others:
        said = ask(parlor, home, "--", h["question"])
        fine = said["source"] is None and "/model" in said["text"]
        honest += said["source"] is None
        named += fine
        looped += loops(said["text"])
        if not fine:
            print(f"  not honest: {h['question']} → {said['source']}: {said['text'][:90]!r}")
    n, m = len(answered), len(others)
    print(f"search alone: recall@1 {at[0] / n:.3f}  recall@2 {at[1] / n:.3f}  recall@3 {at[2] / n:.3f}")
    print(f"right {right / n:.3f}  confidently wrong {wrong / n:.3f}  unsure {unsure / n:.3f}  of {n}")
    print(f"honest {honest / m:.3f}  and naming the way to a real model {named / m:.3f}  of {m}    loops {looped}")


def talks(parlor, home):
    with tempfile.NamedTemporaryFile("w+", suffix=".json") as file:
        for temperature in ("0", "0.7", "1"):
            for talk in TALKS:
                messages = []
                for said in talk:
                    messages.append({"role": "user", "content": said})
                    Path(file.name).write_text(json.dumps(messages))
                    answer = ask(parlor, home, "--temp", temperature, "--messages", file.name)
                    messages.append({"role": "assistant", "content": answer["text"]})
                    mark = "LOOP " if loops(answer["text"]) else ""
                    print(f"  {mark}[{temperature}] {said} → {answer['text']!r}")
                print()


if __name__ == "__main__":
    held = [json.loads(line) for line in (HERE / "heldout.jsonl").read_text().splitlines()]
    with tempfile.TemporaryDirectory() as home:
        if "talks" in sys.argv:
            talks(sys.argv[1], home)
        else:
            questions(sys.argv[1], home, held)
