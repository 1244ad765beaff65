"""Attempts at one sentence: which are good, when another is worth decoding, and which is selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..decoding.repetition import RepetitionDetector
from ..options import SamplingOptions
from ..stats import SEVERITY, StoppedBy

RETRIES = 4
"""Further attempts at a sentence whose model missed its end, lost words or said some twice, each with its own uniforms."""
MAX_OMISSION_SCORE = 2.0
"""Nats (`runtime.synthesis.alignment`) from which on an attempt counts as one with words omitted or repeated."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """One decoding of a sentence."""

    patches: list[np.ndarray]
    """Tokens int64 [up to k] of each."""
    reason: StoppedBy
    omission_score: float = 0.0
    """Result of `AlignmentVerifier.omission_score`; 0 where it was not verified."""

    @property
    def good(self) -> bool:
        """Return whether it can be spoken unchanged: no other attempt would be better, or the utterance was cancelled."""
        return self.reason == "cancel" or (self.reason == "end" and self.omission_score < MAX_OMISSION_SCORE)

    def spoken(self, token_rate: float) -> list[np.ndarray]:
        """Return its patches, without a loop at the end."""
        return without_loop(self.patches, token_rate) if self.reason == "repetition" else self.patches


def should_retry(attempts: Sequence[Attempt], sampling: SamplingOptions) -> bool:
    """Return whether a sentence is worth another attempt, with other random numbers."""
    return not attempts[-1].good and len(attempts) <= RETRIES and not sampling.greedy  # greedy ones would all be the same


def select_best(attempts: Sequence[Attempt]) -> Attempt:
    """Return the last one if it is good; otherwise the one that ended best, then of the lowest score, then the first."""
    if attempts[-1].good:
        return attempts[-1]
    return min(attempts, key=lambda attempt: (SEVERITY.index(attempt.reason), attempt.omission_score))


def without_loop(patches: list[np.ndarray], token_rate: float) -> list[np.ndarray]:
    """Return the patches up to the end of the first cycle of the loop that they end in."""
    detector = RepetitionDetector(token_rate)
    tokens = np.concatenate(patches)
    detector.push(tokens.tolist())
    kept = tokens[:len(tokens) - detector.repeated]
    sizes = np.cumsum([len(patch) for patch in patches])
    return [part for part in np.split(kept, sizes[sizes < len(kept)]) if len(part)]
