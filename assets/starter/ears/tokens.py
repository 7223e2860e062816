"""The tokenizer of Parlor ears: byte-level BPE with GPT-2's split, learned from its own text.

After `python tokens.py DIR`, DIR/tokenizer.json holds it.
"""

import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from model import Shape
from talk import corpus

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|audio_start|>", "<|audio_end|>"]


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

    def plain():
        for text in corpus(7, 20_000):
            for special in SPECIAL:
                text = text.replace(special, " ")
            yield text

    tokenizer.train_from_iterator(plain(), trainer)
    Path(folder).mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(Path(folder) / "tokenizer.json"))


if __name__ == "__main__":
    learn(sys.argv[1])
