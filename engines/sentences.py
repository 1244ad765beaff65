"""Return inputs to compare greedy decoding on: sentences where there is a text front end, else seeded ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runtime.text.phonemes import Phonemizer, to_ids

SENTENCES = (
    "Move two meters to the left.",
    "The battery is almost empty, please take me to the charging station.",
    "I found the red box on the second shelf.",
    "Good morning, how did you sleep?",
    "Turn right at the end of the corridor.",
    "Warning, the left motor is getting hot!",
    "She sells fresh bread and butter at the market.",
    "Your package will arrive in about twenty minutes.",
    "Why is the door to the workshop open?",
    "The quick brown fox jumps over the lazy dog.",
    "Please put the blue cup next to the lamp.",
    "It rained all night, and the garden is full of water.",
    "Stop!",
    "Somebody left a chair in front of the elevator.",
    "We measured the same distance three times.",
    "Shall I carry the tray into the kitchen?",
    "Every journey begins with a single step.",
    "The camera sees nothing but fog.",
    "Thank you, that was very kind of you.",
    "At the window stood an old man, reading a letter.",
)


def sentence_ids(text: Path) -> list[list[int]]:
    """Text ids of every sentence, by the front end files in `text`."""
    phonemizer = Phonemizer.load(text)
    return [to_ids(phonemizer.phonemes(sentence)) for sentence in SENTENCES]


def random_ids(count: int, rows: int, seed: int = 0) -> list[list[int]]:
    """`count` utterances of 3 to 40 ids below `rows`."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, rows, rng.integers(3, 41)).tolist() for _ in range(count)]
