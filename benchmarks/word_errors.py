"""Word error rate, both sides normalised to bare spoken words first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runtime.text.normalize import normalize

_SAME = {"okay": "ok", "ok": "ok", "o k": "ok", "mister": "mr", "missus": "mrs", "doctor": "dr", "alright": "all right"}


def words(text: str) -> list[str]:
    """Lower-case words: numbers spoken, punctuation, hyphens and apostrophes gone."""
    spoken = normalize(text).lower().replace("'", "")
    return " ".join(_SAME.get(word, word) for word in re.findall(r"[a-z]+", spoken)).split()


def edits(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, insertions and deletions between two word lists."""
    row = np.arange(len(heard) + 1)
    for index, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], index
        for column, other in enumerate(heard, 1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], best
    return int(row[-1])


@dataclass(frozen=True)
class WordErrors:
    """Edits over words of a list of sentences."""

    edits: tuple[int, ...]
    words: tuple[int, ...]

    @property
    def rate(self) -> float:
        """Corpus word error rate, in per cent."""
        return 100.0 * sum(self.edits) / max(1, sum(self.words))

    def interval(self, rounds: int = 1000, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval of the rate over sentences, in per cent."""
        rng = np.random.default_rng(seed)
        picks = rng.integers(len(self.words), size=(rounds, len(self.words)))
        rates = 100.0 * np.array(self.edits)[picks].sum(1) / np.array(self.words)[picks].sum(1)
        low, high = np.percentile(rates, (2.5, 97.5))
        return float(low), float(high)


def word_errors(references: Sequence[str], heard: Sequence[str]) -> WordErrors:
    """Count edits sentence by sentence."""
    pairs = [(words(reference), words(text)) for reference, text in zip(references, heard, strict=True)]
    return WordErrors(tuple(edits(a, b) for a, b in pairs), tuple(len(a) for a, _ in pairs))
