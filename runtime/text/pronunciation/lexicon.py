"""The pronunciation dictionary: one gzipped text file, `word<TAB>phonemes` a line, lower-case words."""

from __future__ import annotations

import gzip
from pathlib import Path

VOWELS = frozenset("AIOQWYaeiouæɑɐɒɔəɚɛɜɪʊʌᵻᵊ")
"""Phoneme characters that open a vowel, for the choice between the two forms of `the`."""


def read_lexicon(path: Path) -> dict[str, str]:
    """Word to phonemes."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return dict(line.rstrip("\n").split("\t") for line in lines)


def starts_with_vowel(phonemes: str) -> bool:
    """Return whether speech begins with a vowel, stress marks aside."""
    return phonemes.lstrip("ˈˌ")[:1] in VOWELS
