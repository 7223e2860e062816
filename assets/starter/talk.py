"""Makes the conversations that the starter learns from: the program's own help,
put before a question as the program puts it, and hand-written small talk.

Text comes from `assets/help/` and `text/` alone. A conversation is a list of
parts `[text, learned]`; only learned parts count in training, and each part is
tokenised by itself, as the program does where it gives an answer its beginning.
"""

import json
import random
import re
import string
from pathlib import Path

HERE = Path(__file__).parent
HELP = HERE.parent / "help"
PROMPT = (HERE / "prompt.txt").read_text()
USER, ASSISTANT, END = "<|im_start|>user\n", "<|im_start|>assistant\n", "<|im_end|>\n"

CLOSINGS = [
    "", "", "", "",
    "\n\nAsk me about “{a}” too, if you like.",
    "\n\nNext to it stands “{a}”.",
    "\n\nYou may also want “{a}” or “{b}”.",
    "\n\nI can also tell you about “{a}”.",
    "\n\nSee also “{a}” and “{b}”.",
    "\n\nDoes that help? Another thing to ask about is “{a}”.",
    "\n\nIf that is not it, try “{a}”.",
    "\n\nClose to this: “{a}” and “{b}”.",
    "\n\nAnything else? You could ask about “{b}”.",
]
UNSURE = "I am not sure which of these you mean.\n\n"
WHICH = [
    "\n\nWhich one is it?", "\n\nIs it one of these?", "\n\nIf it is neither, say it in other words.",
    "\n\nTell me which of the two, or ask in other words.", "\n\nDoes one of them fit?", "",
]
MORE = ["tell me more", "more", "more please", "go on", "and what else?", "can you say more about that?",
        "what else is there to know?", "continue", "explain more", "anything more?", "details please",
        "say a bit more", "and?", "could you tell me more about it", "elaborate", "keep going"]
NAMES = """Ada Ben Carla Deniz Elif Femi Greta Hugo Ines Jonas Kofi Lena Mara Nils Olga Priya Quinn Rosa
Sven Tariq Uma Vera Wim Xenia Yusuf Zoe Anna Bruno Chen Dana Emil Farah Gil Hana Ivo Judith Karl Lily
Milan Nora Omar Paula Rui Sofia Tom Ursula Viktor Wanda Yara Zeno Sam Alex Maria John Fatima Li Anne
Peter Susan Mark Julia David Laura Daniel Eva Simon Ruth Martin Clara""".split()
ASK_NAME = ["what is my name?", "do you know my name", "who am i", "what did i say my name was?",
            "what's my name", "can you tell me my name?", "remember my name?", "how am I called", "say my name"]
TOLD = ["You said that your name is {name}.", "Your name is {name}.", "{name}, as you told me.",
        "You told me that you are called {name}."]
UNTOLD = ["You have not told me your name.", "I do not know: you have not said it yet.",
          "You have not said what you are called."]
MISSED = [
    "I did not find that in Parlor's help. Ask in other words; a real model, loaded with /model PATH, may know.",
    "The help says nothing that fits this. Try other words, or load a real model with /model PATH.",
    "I do not know: no passage of the help fits. Perhaps other words find one; /model PATH loads a real model.",
    "I found nothing about that in the help. Could you say it in other words? A real model comes with /model PATH.",
    "I do not know that. Try other words, or /help QUESTION; for more than the help, load a model with /model PATH.",
]
SYSTEMS = ["You are a helpful assistant.", "Answer briefly.", "You are a kind teacher.", "Be polite.",
           "You are a support agent for a shop. Stay friendly.", "Speak like a pirate.",
           "You answer questions about our products."]


def passages():
    """Every passage: id, title, answer, more, ids to see."""
    found = []
    for file in sorted(HELP.glob("*.md")):
        for part in re.split(r"^## ", file.read_text(), flags=re.M)[1:]:
            title, about, body = part.split("\n", 2)
            fields = dict(f.split(":", 1) for f in about.strip("<!-> ").split("; "))
            answer, _, more = body.strip().partition("\n\n")
            see = [s.strip() for s in fields["see"].split(",")]
            found.append((fields["id"].strip(), title, answer.replace("\n", " "), more.strip(), see))
    return found


def questions():
    """Topic id to the ways in which people ask for it."""
    asked = {}
    for line in (HELP / "questions.tsv").read_text().splitlines():
        topic, question = line.split("\t")
        asked.setdefault(topic, []).append(question)
    return asked


def small_talk():
    """Each intent's messages and the replies that fit all of them."""
    intents = []
    for block in (HERE / "text/smalltalk.txt").read_text().split("\n\n"):
        lines = block.strip().splitlines()
        said = [line[3:] for line in lines if line.startswith("U: ")]
        replies = [line[3:] for line in lines if line.startswith("A: ")]
        if said and replies:
            intents.append((said, replies))
    return intents


def lines(name):
    return [line for line in (HERE / "text" / name).read_text().splitlines() if line.strip()]


class Maker:
    """Draws conversations from a seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.passages = passages()
        self.title = {p[0]: p[1] for p in self.passages}
        self.asked = questions()
        self.talk = small_talk()
        self.unknown = lines("unknown.txt")
        self.honest = lines("unknown_answers.txt")
        self.words = sorted({w for p in self.passages for w in re.findall(r"[a-z]{3,}", p[2].lower())})

    # What people write.

    def noisy(self, text):
        """As people type it: case, marks and letters go astray."""
        rng = self.rng
        if rng.random() < 0.5:
            text = text.lower()
        if rng.random() < 0.35:
            text = text.rstrip("?.!")
        if rng.random() < 0.06:
            text = text.upper()
        if rng.random() < 0.15:
            text = rng.choice(["hey ", "hi, ", "please: ", "ok, ", "so ", "um, ", "and "]) + text
        if rng.random() < 0.25 and len(text) > 6:
            for _ in range(rng.choice([1, 1, 2])):
                at = rng.randrange(1, len(text) - 1)
                kind = rng.random()
                if kind < 0.35:
                    text = text[:at] + text[at + 1 :]
                elif kind < 0.7:
                    text = text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
                else:
                    text = text[:at] + rng.choice(string.ascii_lowercase) + text[at:]
        return text

    def sum(self):
        rng = self.rng
        a, b = rng.randrange(1, 10 ** rng.randrange(1, 5)), rng.randrange(1, 10 ** rng.randrange(1, 4))
        sign = rng.choice(["+", "-", "*", "/", "x", "plus", "minus", "times", "divided by", "to the power of"])
        gap = rng.choice(["", " "]) if len(sign) == 1 else " "
        form = rng.choice(["{}", "what is {}?", "{} = ?", "calculate {}", "how much is {}", "compute {} please", "solve {}"])
        return form.format(f"{a}{gap}{sign}{gap}{b}")

    # What the program puts before a question.

    def keys(self, text):
        """Some key in the place of {key:x}: copied, not known by heart."""
        rng = self.rng

        def key(_):
            if rng.random() < 0.3:
                return f"F{rng.randrange(1, 13)}"
            held = rng.choice(["Ctrl+", "Alt+", "Ctrl+Alt+", "Shift+", "Ctrl+Shift+"])
            return held + rng.choice([*string.ascii_uppercase, "Enter", "Home", "End", "PgUp", "PgDn", "↑", "↓"])

        return re.sub(r"\{keys?:[a-z-]+\}", key, text)

    def invented(self):
        """A passage about nothing, so that copying is learned and not the text."""
        rng = self.rng
        some = lambda n: " ".join(rng.choices(self.words, k=n))
        title = some(rng.randrange(1, 5)).capitalize()
        answer = f"{some(rng.randrange(3, 9)).capitalize()} {{key:x}} {some(rng.randrange(2, 8))}."
        if rng.random() < 0.5:
            answer += f" {some(rng.randrange(4, 12)).capitalize()} `/{some(1)} {some(1).upper()}`."
        return "invented", title, answer, "", rng.sample([p[0] for p in self.passages], 3)

    def block(self, passage):
        """The passage as the prompt shows it, its answer, and titles to name."""
        _, title, answer, _, see = passage
        rng = self.rng
        answer = self.keys(answer)
        titles = [self.title[s] for s in see]
        if rng.random() < 0.4:
            titles = [rng.choice(self.passages)[1] for _ in range(rng.randrange(2, 4))]
        # Distinct: a closing never names one title twice.
        titles = list(dict.fromkeys(t for t in titles if t != title))
        while len(titles) < 2:
            titles.append(rng.choice([p[1] for p in self.passages if p[1] not in (title, *titles)]))
        shown = PROMPT.format(title=title, answer=answer, see="; ".join(titles))
        return shown, answer, titles

    # Turns: what the person sends, how the answer begins, how it goes on.

    def help_turn(self):
        rng = self.rng
        invented = rng.random() < 0.25
        passage = self.invented() if invented else rng.choice(self.passages)
        shown, answer, titles = self.block(passage)
        if invented:
            question = f"{rng.choice(['what is', 'how about', 'tell me about', 'explain', ''])} {passage[1]}".strip()
        else:
            question = rng.choice(self.asked.get(passage[0]) or [passage[1]])
        if passage[3] and rng.random() < 0.15:
            question, answer = rng.choice(MORE), self.keys(passage[3])
        if rng.random() < 0.12:
            other = rng.choice(self.passages)
            second, also, _ = self.block(other)
            opening = f"{UNSURE}**{passage[1]}**: {answer}\n\n**{other[1]}**: {also}"
            return f"{shown}{second}\n{self.noisy(question)}", opening, rng.choice(WHICH), question
        a, b = rng.sample(titles, 2)
        return f"{shown}\n{self.noisy(question)}", answer, rng.choice(CLOSINGS).format(a=a, b=b), question

    def plain_turn(self, name):
        """Small talk, or what it does not know; may tell or ask for a name."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.08:
            asked = rng.choice(self.asked[rng.choice(sorted(self.asked))])
            return self.noisy(asked), rng.choice(MISSED), name
        if kind < 0.45:
            said = self.sum() if rng.random() < 0.12 else rng.choice(self.unknown)
            return self.noisy(said), rng.choice(self.honest), name
        if kind < 0.53:
            told = rng.choice(TOLD).format(name=name) if name else rng.choice(UNTOLD)
            return self.noisy(rng.choice(ASK_NAME)), told, name
        said, replies = rng.choice(self.talk)
        said, reply = rng.choice(said), rng.choice(replies)
        if "{name}" in said or "{name}" in reply:
            if "{name}" not in said:
                return self.plain_turn(name)
            name = rng.choice(NAMES)
            if rng.random() < 0.3:
                name = "".join(rng.choices(string.ascii_lowercase, k=rng.randrange(3, 8))).capitalize()
            return said.replace("{name}", name), reply.replace("{name}", name), name
        return self.noisy(said), reply, name

    def conversation(self, turns, helped):
        """So many turns; the last asks for help or, like the others, does not."""
        rng = self.rng
        parts, text, name = [], "", ""
        if rng.random() < 0.06:
            text = f"<|im_start|>system\n{rng.choice(SYSTEMS)}{END}"
        for turn in range(turns):
            last = turn == turns - 1
            if last and helped:
                user, opening, rest, _ = self.help_turn()
                parts.append([f"{text}{USER}{user}{END}{ASSISTANT}", False])
                parts.append([opening, True])
                parts.append([rest + END, True])
            elif not last and rng.random() < 0.35:
                # Earlier turns stand without the passage that was shown then.
                _, opening, rest, question = self.help_turn()
                text += f"{USER}{question}{END}{ASSISTANT}{opening}{rest}{END}"
                parts.append([text, False])
                text = ""
                continue
            else:
                said, reply, name = self.plain_turn(name)
                parts.append([f"{text}{USER}{said}{END}{ASSISTANT}", False])
                parts.append([reply + END, True])
            text = ""
        return parts


def corpus(seed, count):
    """`count` conversations of the usual length."""
    maker = Maker(seed)
    for _ in range(count):
        turns = maker.rng.choice([1, 1, 1, 1, 2, 2, 3, 4, 5])
        yield maker.conversation(turns, maker.rng.random() < 0.4)


def long_corpus(seed, count):
    """`count` conversations as long as the context."""
    maker = Maker(seed)
    for _ in range(count):
        yield maker.conversation(maker.rng.randrange(30, 60), maker.rng.random() < 0.5)


if __name__ == "__main__":
    for made in corpus(1, 12):
        print("".join(text if not learned else f"[{text}]" for text, learned in made), "\n----")
