"""Puts scenes into words, and makes the conversations that the eyes learn from.

A conversation is a list of parts: a text with whether it is learned, or a
picture. Each part is tokenised by itself, as llama.cpp does on either side of a
picture; the split of the tokenizer never joins letters over such a seam.
"""

import random

from draw import COLOURS, PLACES, SHAPES, sample, scene as scene_of

USER, ASSISTANT, END = "<|im_start|>user\n", "<|im_start|>assistant\n", "<|im_end|>\n"
COUNTS = ["No", "One", "Two", "Three"]
BLIND = "I see no picture. Attach one and I will describe it."
SYSTEMS = ["You are a helpful assistant."] * 4 + [
    "You are a helpful assistant who describes pictures.", "Answer briefly.", "You are Parlor's eyes.",
    "You are a friendly assistant. Be honest and short.", "Be kind and clear.",
]  # fmt: skip

MEDIUM = ["Describe this picture."] * 12 + [
    "Describe this picture", "describe this picture.", "Describe the picture.", "Describe this image.",
    "What do you see?", "What is in this picture?", "What is this?", "Caption this picture.", "describe",
    "What does this picture show?", "Please describe this picture.", "What's in this picture?", "Describe it.",
]  # fmt: skip
FEW = ["Describe this picture in a few words."] * 5 + ["Describe it in a few words.", "In a few words, please.", "Shorter, please."]
DETAIL = ["Describe this picture in detail."] * 5 + ["Describe it in detail.", "Tell me more.", "In more detail, please."]
AGAIN = ["Describe this picture.", "Describe it again.", "Describe the picture again.", "What do you see?", "And now in one sentence."]
BOTH = ["Describe these pictures."] * 8 + [
    "Describe these pictures", "Describe both pictures.", "What do you see?", "Describe this picture.",
    "What is in these pictures?", "Describe these images.",
]  # fmt: skip
LONE = [
    "Hello", "Hi!", "How are you?", "What can you do?", "Who are you?", "Thanks", "Can you see?", "Tell me a joke.",
    "What is the capital of France?", "Write a poem about the sea.", "2 + 2", "Help", "What is this?", "ok", "yes", "no",
    "Good morning", "Describe my cat", "Do you know me?", "Translate this into German", "Why is the sky blue?", "test",
    "What do you think?", "I like music.", "Where is the picture?", "Explain it to me", "What is your name?", "Bye",
]  # fmt: skip
WORDS = (
    "the a of and to in is it you that he was for on are with as I his they be at one have this from or had by hot but some what "
    "there we can out other were all your when up use word how said an each she which do their time if will way about many then "
    "them would write like so these her long make thing see him two has look more day could go come did my sound no most number "
    "who over know water than call first people may down side been now find any new work part take get place made live where "
    "after back little only round man year came show every good me give our under name very through just form much great think "
    "say help low line before turn cause same mean differ move right boy old too does tell sentence set three want air well also "
    "play small end put home read hand port large spell add even land here must big high such follow act why ask men change went "
    "light kind off need house try us again animal point mother world near build self earth father picture image photo describe"
).split()


def listed(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def thing(shape, place=False):
    article = "an" if shape["colour"] == "orange" else "a"
    return f"{article} {shape['colour']} {shape['shape']}" + (f" {PLACES[shape['place']]}" if place else "")


def raised(text):
    return text[:1].upper() + text[1:]


def medium(scene):
    if scene["number"] is not None:
        return f"The number {scene['number']} in {scene['colour']}."
    shapes = scene["shapes"]
    return f"{COUNTS[len(shapes)]} shape{'s' * (len(shapes) > 1)}: {listed([thing(s, True) for s in shapes])}."


def short(scene):
    if scene["number"] is not None:
        return f"{'An' if scene['colour'] == 'orange' else 'A'} {scene['colour']} {scene['number']}."
    return raised(listed([thing(s) for s in scene["shapes"]])) + "."


def detailed(scene):
    ground = f"on a {scene['background']} background"
    if scene["number"] is not None:
        return f"A picture of the number {scene['number']}, drawn in {scene['colour']} {ground}."
    shapes = scene["shapes"]
    count = f"{COUNTS[len(shapes)].lower()} shape{'s' * (len(shapes) > 1)}"
    return f"A picture of {count} {ground}: {listed([thing(s, True) for s in shapes])}."


def pick(rng, present, everything):
    """Rather something that is there than something that is not."""
    return rng.choice(present) if present and rng.random() < 0.75 else rng.choice(everything)


def question(rng, scene):
    """A question about a scene, and its answer."""
    shapes, number = scene["shapes"], scene["number"]
    spelt = rng.choice(["colour", "colour", "color"])
    kind = rng.randrange(12)
    if kind == 0:
        count = len(shapes)
        asked = rng.choice(["How many shapes are there?"] * 3 + ["How many shapes do you see?", "how many shapes", "Count the shapes."])
        return asked, f"{COUNTS[count]} shape{'s' * (count != 1)}." if number is None else "No shapes. It is a number."
    if kind in (1, 2):
        if number is not None and rng.random() < 0.7:
            return rng.choice([f"What {spelt} is it?", f"What {spelt} is the number?"]), f"It is {scene['colour']}."
        name = pick(rng, [s["shape"] for s in shapes], SHAPES)
        found = list(dict.fromkeys(s["colour"] for s in shapes if s["shape"] == name))
        many = sum(s["shape"] == name for s in shapes) > 1
        asked = rng.choice([f"What {spelt} is the {name}?"] * 3 + [f"Which {spelt} is the {name}?", f"what {spelt} is the {name}"])
        if not found:
            return asked, f"There is no {name}."
        return asked, f"{'They are' if many else 'It is'} {listed(found)}."
    if kind in (3, 4):
        place = pick(rng, [s["place"] for s in shapes], range(9))
        found = [thing(s) for s in shapes if s["place"] == place]
        asked = rng.choice([f"What is {PLACES[place]}?"] * 3 + [f"What do you see {PLACES[place]}?", f"what is {PLACES[place]}"])
        if number is not None:
            return asked, f"It is the number {number}."
        return asked, raised(found[0]) + "." if found else "Nothing."
    if kind == 5:
        colour = pick(rng, [s["colour"] for s in shapes], list(COLOURS))
        found = [f"the {s['shape']}" for s in shapes if s["colour"] == colour]
        if number is not None:
            return f"What is {colour}?", f"The number {number}." if scene["colour"] == colour else "Nothing."
        return f"What is {colour}?", raised(listed(found)) + "." if found else "Nothing."
    if kind == 6:
        name = pick(rng, [s["shape"] for s in shapes], SHAPES)
        found = [PLACES[s["place"]] for s in shapes if s["shape"] == name]
        asked = f"Where is the {name}?"
        return asked, f"{'They are' if len(found) > 1 else 'It is'} {listed(found)}." if found else f"There is no {name}."
    if kind == 7:
        name = pick(rng, [s["shape"] for s in shapes], SHAPES)
        many = sum(s["shape"] == name for s in shapes)
        return f"Is there a {name}?", "Yes." if many else "No."
    if kind == 8:
        ground = scene["background"]
        return rng.choice([f"What {spelt} is the background?", "Is the background light or dark?"]), f"It is {ground}."
    if kind in (9, 10) and (number is not None or rng.random() < 0.4):
        asked = rng.choice(["What number is it?"] * 3 + ["Which number is it?", "What number is this?", "What is the number?", "what number"])
        return asked, f"It is {number}." if number is not None else "There is no number."
    return rng.choice([(rng.choice(AGAIN), medium(scene)), (rng.choice(FEW), short(scene)), (rng.choice(DETAIL), detailed(scene))])


def babble(rng):
    """Something that nobody prepared: words, or letters, at random."""
    if rng.random() < 0.8:
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 9)))
        text = raised(text) if rng.random() < 0.6 else text
    else:
        text = "".join(chr(rng.randint(33, 126)) if rng.random() < 0.85 else rng.choice(" \n éü✓你") for _ in range(rng.randint(1, 20)))
    return text + rng.choice(["", ".", "?", "!"])


def turn(parts, answer):
    return [(USER, False), *parts, (END, False), (ASSISTANT, False), (answer, True), (END, True)]


def shown(rng, scenes, pictures):
    """A message with a picture or two, and its answer."""
    both = len(scenes) > 1
    gap = rng.choice([["\n"], ["\n"], []]) if both else []
    media = [pictures[0]] + [(g, False) for g in gap] + pictures[1:]
    if both:
        answer = f"First picture: {medium(scenes[0])} Second picture: {medium(scenes[1])}"
        way = rng.random()
        if way < 0.75:
            asked = rng.choice(BOTH)
        elif way < 0.9:
            which = rng.randrange(2)
            asked, answer = f"Describe the {['first', 'second'][which]} picture.", medium(scenes[which])
        else:
            asked = ""
    else:
        scene, way = scenes[0], rng.random()
        asked, answer = rng.choice(MEDIUM), medium(scene)
        if way < 0.13:
            asked, answer = rng.choice(FEW), short(scene)
        elif way < 0.26:
            asked, answer = rng.choice(DETAIL), detailed(scene)
        elif way < 0.42:
            asked, answer = question(rng, scene)
        elif way < 0.48:
            asked = babble(rng)
        elif way < 0.54:
            asked = ""
    if not asked:
        return turn(media + ([("\n", False)] if rng.random() < 0.3 else []), answer)
    way = rng.random()
    if way < 0.7:
        return turn([*media, ("\n" + asked, False)], answer)
    if way < 0.85:
        return turn([*media, (asked, False)], answer)
    return turn([(asked + ("\n" if way < 0.93 else ""), False), *media], answer)


def conversation(rng, seeds, longer=False):
    """One conversation, and its pictures in order with their scenes."""
    made, looked = [], []
    if rng.random() < 0.15:
        system = rng.choice(SYSTEMS) if rng.random() < 0.8 else babble(rng)
        made += [("<|im_start|>system\n", False), (system, False), (END, False)]
    if rng.random() < (0.3 if longer else 0.07):
        for _ in range(rng.choice([1, 1, 2])):
            way = rng.random()
            said = rng.choice(LONE) if way < 0.5 else babble(rng) if way < 0.75 else question(rng, scene_of(rng))[0]
            made += turn([(said, False)], BLIND)
        if rng.random() < 0.5 and not longer:
            return made, looked
    for _ in range(rng.randint(2, 4) if longer else rng.choice([1] * 12 + [2])):
        fresh = [sample(next(seeds)) for _ in range(2 if rng.random() < 0.17 else 1)]
        scenes = [s for s, _ in fresh]
        made += shown(rng, scenes, [None] * len(fresh))
        looked += fresh
        for _ in range(rng.randint(3, 8) if longer else rng.choice([0, 1, 2, 2, 3, 3])):
            if len(scenes) > 1:
                which = rng.randrange(2)
                nth = ["first", "second"][which]
                made += turn([(rng.choice([f"Describe the {nth} picture.", f"What is in the {nth} picture?"]), False)], medium(scenes[which]))
            else:
                asked, answer = question(rng, scenes[0])
                made += turn([(asked, False)], answer)
    return made, looked


if __name__ == "__main__":
    chance = random.Random(1)
    numbers = iter(range(10**9))
    for _ in range(12):
        print("".join("<picture>" if p is None else p[0] for p in conversation(chance, numbers)[0]), "\n")
