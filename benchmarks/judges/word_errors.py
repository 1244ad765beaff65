"""Word error rate, both sides normalised to bare spoken words first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from benchmarks.judges.bootstrap import interval
from runtime.text.normalize import normalize

_SAME = {"ae": "a", "okay": "ok", "ok": "ok", "o k": "ok", "mister": "mr", "missus": "mrs", "doctor": "dr",
         "alright": "all right"}


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


def alignment(reference: str, heard: str) -> list[tuple[str, str]]:
    """The words of both texts in order, each `same`, `missing` (only in the reference) or `other` (only in the transcript)."""
    asked, said = words(reference), words(heard)
    kinds: list[tuple[str, str]] = []
    for tag, start, stop, first, last in SequenceMatcher(None, asked, said, autojunk=False).get_opcodes():
        if tag == "equal":
            kinds += [("same", word) for word in asked[start:stop]]
        else:
            kinds += [("missing", word) for word in asked[start:stop]] + [("other", word) for word in said[first:last]]
    return kinds


@dataclass(frozen=True)
class WordErrors:
    """Edits over words of a list of sentences."""

    edits: tuple[int, ...]
    words: tuple[int, ...]

    @property
    def rate(self) -> float:
        """Corpus word error rate, in per cent."""
        return 100.0 * sum(self.edits) / max(1, sum(self.words))

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval of the rate over sentences, in per cent."""
        low, high = interval(self.edits, self.words, seed)
        return 100.0 * low, 100.0 * high

    def difference(self, other: WordErrors, seed: int = 0) -> tuple[float, float, float]:
        """Points above another rate on the same sentences, and their 95 % interval: sentences are drawn in pairs."""
        low, high = interval([mine - theirs for mine, theirs in zip(self.edits, other.edits, strict=True)], self.words, seed)
        return self.rate - other.rate, 100.0 * low, 100.0 * high


def word_errors(references: Sequence[str], heard: Sequence[str]) -> WordErrors:
    """Count edits sentence by sentence."""
    pairs = [(words(reference), words(text)) for reference, text in zip(references, heard, strict=True)]
    return WordErrors(tuple(edits(a, b) for a, b in pairs), tuple(len(a) for a, _ in pairs))
