"""Notices a model that repeats itself, which is how a speech model that missed its end usually fails."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_CYCLE = 16
"""Tokens of the longest cycle looked for: 0.64 s at 25 tokens/s."""
SECONDS = 2.0
"""A cycle of this length or longer is a loop. Held vowels and pauses of natural speech stay below it."""
CYCLES = 3
"""And it must have been said this many times over."""


class RepetitionDetector:
    """Fed with every token, says when the last `SECONDS` were one short cycle of codes over and over.

    `runs[p - 1]` counts the latest tokens in a row that each equal the token p before them. Lists, not arrays: a token is
    taken in 2 microseconds instead of 20.
    """

    def __init__(self, token_rate: float) -> None:
        self._recent = [-1] * LONGEST_CYCLE
        self._runs = [0] * LONGEST_CYCLE
        self._needed = [max(int(SECONDS * token_rate), CYCLES * cycle) for cycle in range(1, LONGEST_CYCLE + 1)]

    def push(self, tokens: Iterable[int]) -> bool:
        """Take the next tokens; True if they are caught in a loop."""
        for token in tokens:
            self._runs = [run + 1 if earlier == token else 0 for earlier, run in zip(self._recent, self._runs, strict=True)]
            self._recent = [token, *self._recent[:-1]]
        return self.looping

    @property
    def looping(self) -> bool:
        """Return whether the tokens so far end in a loop."""
        return self.repeated > 0

    @property
    def repeated(self) -> int:
        """Tokens at the end that only repeat what came before: dropping them leaves one cycle."""
        return max((run for run, needed in zip(self._runs, self._needed, strict=True) if run >= needed), default=0)
