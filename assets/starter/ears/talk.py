"""Conversations about clips: what people ask, and what the model answers, as parts to learn from.

A conversation is a list of parts: (text, whether it is learned), or a clip's plan
where its sound is heard. Text is cut exactly where llama.cpp cuts it: at a sound,
at control tokens and where an answer begins.
"""

import random

import numpy

import tones

NOTHING = "I hear no sound. Attach one and I will describe it."
NOTHING_NEW = "I hear no new sound. Attach one and I will describe it."


def listed(text):
    """Phrases that stand between bars or on lines of their own."""
    return text.replace("\n", "|").split("|")


DESCRIBE = listed(
    """Describe this sound.|Describe the sound.|Describe this sound|describe this sound
Describe this clip.|Describe this audio.|Describe the audio.|Describe this recording.|Describe what you hear.
Describe it.|Please describe this sound.|Please describe the sound.|Can you describe this sound?
Could you describe this sound?|What do you hear?|what do you hear|What do you hear here?|What can you hear?
What is this?|What is this sound?|What's this?|What is that?|What sound is this?|what sound is this
What is in this clip?|What is in this recording?|What is in this audio file?|What does this sound like?
What do you hear in this file?|Listen to this.|Listen and tell me what you hear.
Listen to this and describe it.|Tell me what you hear.|Tell me about this sound.|Tell me what this is.
Caption this.|Caption this sound.|Caption this audio.|Write a caption for this sound.|Which tones are these?
Which tones do you hear?|What tones do you hear?|What kind of tones are these?|Are the tones high or low?
High or low?|Rising or falling?|Is it rising or falling?|Which kind of sound is it?|Transcribe this.
Transcribe this audio.|What is playing?|What was that?|Do you hear something?|Can you hear this?
Here is a sound.|Here is a recording.|Here you go.|And this?|And this one?|Now this one.|What about this one?
How about this?|Another one.|Next.|Try this.|this one|sound|?|Hear this?|Explain this sound.
Summarize this clip.|Analyse this sound.|Identify this sound.|Name this sound.|In one line, what is this?
Describe this sound in one sentence."""
)

TWO = listed(
    """Describe these sounds.|Describe the sounds.|Describe both sounds.|Describe each sound.
describe these sounds|What do you hear?|What are these?|What are these sounds?|What is the difference?
Compare these sounds.|Compare the two.|Compare these two sounds.|How do they differ?|Tell me about both.
Describe this sound.|Describe both.|Describe them.|Which one is higher?|What do you hear in each?
Listen to these.|Listen to both.|Here are two sounds.|And these?|Please describe these sounds.
Can you describe both sounds?|Tell me what you hear.|Are they the same?"""
)

COUNT = listed(
    """How many tones were there?|How many tones are there?|How many tones?|how many tones were there
How many?|How many tones did you hear?|How many tones do you hear?|How many were there?|how many
Count the tones.|Count them.|How many tones was that?|And how many tones were there?|How many tones in all?
How many in total?|What is the number of tones?|How many sounds were there?|how many tones?|So how many tones?
Please count the tones.|Can you count the tones?|Number of tones?"""
)

AGAIN = listed(
    """Again.|Again, please.|Describe it again.|Say that again.|Say it again.|Repeat that.
Please repeat.|What was it?|What did you hear?|What was that again?|Once more.|Can you repeat that?
Describe the sound again.|Describe that sound again."""
)

THANKS = listed(
    """Thanks.|Thank you.|thanks|Thank you!|Thanks!|Thanks a lot.|thank you|Great, thanks.|OK, thanks.
Thank you very much."""
)

OTHER = listed(
    """Hello.|Hello|hi|Hi!|Hey there|Good morning|How are you?|Who are you?|What can you do?
What are you?|What is your name?|Tell me a joke.|Write a poem.|Write a poem about the sea.
What is the capital of France?|What is 2 + 2?|What time is it?|Explain quantum physics.
Translate this into German.|Write some Python.|Who made you?|Are you there?|Help|help me|Can you help me?
What is the weather today?|Tell me a story.|How do I cook rice?|What is a tone?|What is music?|Who was Mozart?
test|testing|ok|OK.|Yes|No|Why?|Really?|What do you mean?|I do not understand.|Can you see pictures?
Can you hear?|Can you hear me?|Do you hear me?|Is anyone there?|Are you a robot?|Are you human?
What model are you?|How large are you?|Which languages do you speak?
Summarize this text: the cat sat on the mat.|Give me three ideas for dinner.|Fix this code: print(1
What is love?|Sing a song.|Play a sound.|Make a sound.|Can you make music?|What is the highest tone?
What is the difference between high and low?|Who won the world cup?|How far away is the moon?|I am bored.
Good night|Bye|See you later.|Stop.|Continue.|Go on.|List five animals.|What year is it?|My name is Ada.
What is my name?|Do you remember me?|Let us play a game.|Name a colour.|1|a|...|What now?|And now?"""
)

SYSTEM = listed(
    """You are a helpful assistant.|You are a helpful assistant.|You are a helpful assistant.|Be brief.
Answer briefly.|You are Parlor's assistant.|You describe sounds.|Be friendly and short.
You are an assistant that listens.|Answer in English.|You are a helpful, honest assistant.|Keep answers short."""
)


def lower(text):
    return text[0].lower() + text[1:]


def pair(first, second):
    return f"First sound: {lower(first)} Second sound: {lower(second)}"


def worn(chance, text):
    """A text as somebody in a hurry types it, now and then."""
    if chance.random() < 0.15:
        text = text.lower()
    if chance.random() < 0.15:
        text = text.rstrip(".?!")
    return text or "?"


def beside(chance, plans, text):
    """A user's message: sounds and text in some order, with and without line breaks between."""
    gap = chance.choice(["\n", "\n", ""])
    if not text:
        return [part for plan in plans for part in (gap, plan)][1:]
    if chance.random() < 0.7:
        return [part for plan in plans for part in (plan, gap)] + [text]
    return [text] + [part for plan in plans for part in (gap, plan)]


def turns(chance, plans):
    """Messages and answers: [(parts of the message, answer), …]; takes the plans it uses from `plans`."""
    form = chance.random()
    if form < 0.10:
        asked = chance.choice(OTHER + DESCRIBE + COUNT + AGAIN if chance.random() < 0.5 else OTHER)
        made = [([worn(chance, asked)], NOTHING)]
        if chance.random() < 0.3:
            made.append(([worn(chance, chance.choice(OTHER))], NOTHING))
        if chance.random() < 0.5:
            plan = plans.pop()
            made.append((beside(chance, [plan], worn(chance, chance.choice(DESCRIBE))), plan.caption()))
        return made
    if form < 0.24:
        one, two = plans.pop(), plans.pop()
        asked = "" if chance.random() < 0.2 else worn(chance, chance.choice(TWO))
        made = [(beside(chance, [one, two], asked), pair(one.caption(), two.caption()))]
        if chance.random() < 0.3:
            made.append(([worn(chance, chance.choice(COUNT))], pair(one.count(), two.count())))
        return made
    plan = plans.pop()
    what = chance.random()
    if what < 0.2:
        first = (beside(chance, [plan], ""), plan.caption())
    elif what < 0.25:
        first = (beside(chance, [plan], worn(chance, chance.choice(COUNT))), plan.count())
    elif what < 0.35:
        first = (beside(chance, [plan], worn(chance, chance.choice(OTHER))), plan.caption())
    elif what < 0.55:
        first = (beside(chance, [plan], "Describe this sound."), plan.caption())
    else:
        first = (beside(chance, [plan], worn(chance, chance.choice(DESCRIBE))), plan.caption())
    made = [first]
    while len(made) < 4 and chance.random() < 0.3:
        what = chance.random()
        if what < 0.5:
            made.append(([worn(chance, chance.choice(COUNT))], plan.count()))
        elif what < 0.65:
            made.append(([worn(chance, chance.choice(AGAIN))], plan.caption()))
        elif what < 0.75:
            made.append(([worn(chance, chance.choice(THANKS))], "You are welcome."))
        elif what < 0.85:
            made.append(([worn(chance, chance.choice(OTHER))], NOTHING_NEW))
        elif plans:
            plan = plans.pop()
            made.append((beside(chance, [plan], worn(chance, chance.choice(DESCRIBE))), plan.caption()))
    return made


def conversation(chance, plans):
    """Parts of a whole conversation in the form of the chat template."""
    parts, text = [], ""
    if chance.random() < 0.3:
        text += f"<|im_start|>system\n{chance.choice(SYSTEM)}<|im_end|>\n"
    for message, answer in turns(chance, plans):
        text += "<|im_start|>user\n"
        for part in message:
            if isinstance(part, str):
                text += part
                continue
            parts += [(text, False), ("<|audio_start|>", False), part, ("<|audio_end|>", False)]
            text = ""
        parts += [(text + "<|im_end|>\n<|im_start|>assistant\n", False), (answer + "<|im_end|>", True)]
        text = "\n"
    return parts


def silent(generator):
    """A plan that has a caption but no sound: enough for text."""
    return tones.Plan(1.0, tuple(tones.Tone(kind, *[0] * 8, ()) for kind in tones.kinds_of(generator)), 0, 0, 0)


def corpus(seed, count):
    """Text to learn the tokenizer from."""
    chance, generator = random.Random(seed), numpy.random.default_rng(seed)
    for _ in range(count):
        parts = conversation(chance, [silent(generator) for _ in range(6)])
        yield "".join(part[0] for part in parts if isinstance(part, tuple))
