"""The pronunciation dictionary: one gzipped text file, `word<TAB>phonemes` a line, lower-case words."""

from __future__ import annotations

import gzip
from pathlib import Path

MAX_BYTES = 32 << 20
"""Of a dictionary, unpacked; the embedded voice's has 3 MB."""
MAX_LINE = 400
VOWELS = frozenset("AIOQWYaeiouæɑɐɒɔəɚɛɜɪʊʌᵻᵊ")
"""Phoneme characters that open a vowel, for the choice between the two forms of `the`."""


def read_lexicon(path: Path) -> dict[str, str]:
    """Return each word's phonemes.

    Raises:
        ValueError: more than `MAX_BYTES` unpacked, or a line that is no short word, tab and phonemes.
        `runtime.atomic.BROKEN_ARCHIVE`: a damaged file.
    """
    with gzip.open(path) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path.name} unpacks to more than {MAX_BYTES >> 20} MiB")
    entries = dict[str, str]()
    for number, line in enumerate(data.decode("utf-8").split("\n")[:-1], 1):
        word, tab, phonemes = line.partition("\t")
        if not tab or not word or "\t" in phonemes or len(line) > MAX_LINE:
            raise ValueError(f"line {number} of {path.name} is no word, tab and phonemes of at most {MAX_LINE} characters")
        entries[word] = phonemes
    return entries


def starts_with_vowel(phonemes: str) -> bool:
    """Return whether speech begins with a vowel, stress marks aside."""
    return phonemes.lstrip("ˈˌ")[:1] in VOWELS
