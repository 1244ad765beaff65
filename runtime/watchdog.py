"""Notices a model that repeats itself, which is how a speech model that missed its end usually fails."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

LONGEST_CYCLE = 16
"""Tokens of the longest cycle looked for: 0.64 s at 25 tokens/s."""
SECONDS = 2.0
"""A cycle that goes on for this long is a loop. Held vowels and pauses of natural speech stay below it."""
CYCLES = 3
"""And it must have been said this many times over."""


class Watchdog:
    """Fed with every token, says when the last `SECONDS` were one short cycle of codes over and over.

    `runs[p - 1]` counts the latest tokens in a row that each equal the token p before them.
    """

    def __init__(self, token_rate: float) -> None:
        self._recent = np.full(LONGEST_CYCLE, -1, np.int64)
        self._runs = np.zeros(LONGEST_CYCLE, np.int64)
        self._needed = np.maximum(int(SECONDS * token_rate), CYCLES * np.arange(1, LONGEST_CYCLE + 1))

    def push(self, tokens: Iterable[int]) -> bool:
        """Take the next tokens; True if they are caught in a loop."""
        for token in tokens:
            self._runs = np.where(self._recent == token, self._runs + 1, 0)
            self._recent[1:] = self._recent[:-1]
            self._recent[0] = token
        return self.looping

    @property
    def looping(self) -> bool:
        """Whether the tokens so far end in a loop."""
        return bool((self._runs >= self._needed).any())

    @property
    def repeated(self) -> int:
        """Tokens at the end that only repeat what came before: dropping them leaves one cycle."""
        looping = self._runs[self._runs >= self._needed]
        return int(looping.max()) if looping.size else 0
