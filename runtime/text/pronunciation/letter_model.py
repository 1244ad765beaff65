"""Pronunciation of words that no dictionary knows: a linear-chain CRF over letters, decoded with numpy.

The weights come from gruut's English model (MIT), converted once by `training.data.frontend`; at run time there is neither
crfsuite nor gruut, only two arrays and a Viterbi pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...bundle.arrays import load_arrays

MAX_BYTES = 128 << 20
"""Of all arrays; the embedded voice's have 3 MB."""
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
        """Read the `.npz` that `training.data.frontend` wrote.

        Raises:
            ValueError: arrays that do not fit each other.
            `runtime.atomic.BROKEN_ARCHIVE`: a damaged file.
        """
        data = load_arrays(path, MAX_BYTES)
        names, labels = data["features"], data["labels"]
        weights, transitions = data["weights"], data["transitions"]
        text = all(each.ndim == 1 and each.dtype.kind == "U" and len(each) for each in (names, labels))
        numbers = all(each.dtype.kind == "f" and np.isfinite(each).all() for each in (weights, transitions))
        if not (text and numbers and weights.shape == (len(names), len(labels)) and transitions.shape == (len(labels),) * 2):
            raise ValueError(f"the arrays of {path.name} do not fit each other")
        return cls([str(name) for name in names], [str(label) for label in labels], weights, transitions)

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
