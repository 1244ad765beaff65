"""Pronunciation of words that no dictionary knows: a linear-chain CRF over letters, decoded with numpy.

The weights come from gruut's English model (MIT), converted once by `training.data.frontend`; at run time there is neither
crfsuite nor gruut, only two arrays and a Viterbi pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

CONTEXT = 3
"""Letters looked at on each side, as the converted model was trained."""


def letter_features(word: str, index: int) -> list[str]:
    """Names of the features that fire for letter `index` of `word`."""
    names = ["bias", f"0:{word[index]}"]
    names += ["begin"] if index == 0 else []
    names += ["end"] if index == len(word) - 1 else []
    for distance in range(1, CONTEXT + 1):
        if index >= distance:
            names.append(f"-{distance}:{word[index - distance]}")
        if index + distance < len(word):
            names.append(f"+{distance}:{word[index + distance]}")
    return names


class LetterModel:
    """Letters to phonemes; one label (zero or more phonemes) a letter."""

    def __init__(self, features: list[str], labels: list[str], weights: np.ndarray, transitions: np.ndarray) -> None:
        self._rows = {name: row for row, name in enumerate(features)}
        self._labels = labels
        self._weights = weights.astype(np.float32)
        self._transitions = transitions.astype(np.float32)

    @classmethod
    def load(cls, path: Path) -> LetterModel:
        """Read the `.npz` that `training.data.frontend` wrote (no pickles inside)."""
        with np.load(path, allow_pickle=False) as data:
            return cls(
                [str(f) for f in data["features"]], [str(x) for x in data["labels"]], data["weights"], data["transitions"]
            )

    def pronounce(self, word: str) -> str:
        """Phoneme string of a lower-case word; unknown characters contribute their neighbours' evidence only."""
        if not word:
            return ""
        scores = np.stack([self._emission(word, index) for index in range(len(word))])
        return "".join(self._labels[label] for label in self._viterbi(scores))

    def _emission(self, word: str, index: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        rows = [self._rows[name] for name in letter_features(word, index) if name in self._rows]
        total: np.ndarray[Any, np.dtype[np.float32]] = self._weights[rows].sum(axis=0)
        return total

    def _viterbi(self, scores: np.ndarray) -> list[int]:
        best = scores[0]
        back = []
        for row in scores[1:]:
            paths = best[:, None] + self._transitions
            back.append(paths.argmax(axis=0))
            best = paths.max(axis=0) + row
        label = int(best.argmax())
        labels = [label]
        for pointers in reversed(back):
            label = int(pointers[label])
            labels.append(label)
        return labels[::-1]
