"""The eyes' tokenizer: byte-level BPE with GPT-2's split, learned from the conversations: `python tokens.py DIR`.

DIR/tokenizer.json holds it. Every word of a caption becomes one token.
"""

import itertools
import random
import re
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from model import Shape
from talk import conversation

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def learn(folder):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=Shape.vocab,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    rng, seeds = random.Random(7), itertools.count(1 << 39)  # seeds that the training does not reach
    made = (conversation(rng, seeds)[0] for _ in range(3000))
    text = ("".join(part[0] for part in parts if part) for parts in made)
    # Without digits, so that every number is spelt digit by digit.
    cleaned = (re.sub(r"<\|im_(start|end)\|>|[0-9]", "", t) for t in text)
    tokenizer.train_from_iterator(cleaned, trainer)
    tokenizer.save(str(Path(folder) / "tokenizer.json"))


if __name__ == "__main__":
    learn(sys.argv[1])
