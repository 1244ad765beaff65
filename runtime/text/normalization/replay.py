"""Repeated parts of long texts: read once, and their tokens copied where the same text stands again in the same state.

A rule looks at most `BEFORE` characters and three tokens back, and in practice less than `AHEAD` characters on. Text that
repeats one unit for kilobytes is what a broken program or an attacker sends, and rich in tokens that take long to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .tokens import Token

if TYPE_CHECKING:
    from .scanner import Scanner

LONG_TEXT = 4000
"""Characters of a text from which parts are compared."""
BLOCK = 256
"""Characters of a part, at least."""
BEFORE, AHEAD = 64, 256
"""Characters on both sides that decide how a part is read."""
_new = tuple.__new__
"""Makes a named tuple in half the time of its class."""
_RECENT = 3
_MOST_BLOCKS = 512


class _Block(NamedTuple):
    """Result of a part: everything counts from its beginning."""

    length: int
    tokens: list[tuple[int, int, str, str, str]]
    quoting: bool
    run_end: int
    """End of the last word: of the run of non-space characters around `end`. A run longer than what was compared ends later."""
    shape: frozenset[str]


class Replay:
    """The parts of one text that were read so far."""

    def __init__(self) -> None:
        self.next = 0
        """Position from which `step` is to be called."""
        self._blocks: dict[object, _Block] = {}
        self._key: object = None
        self._start = self._count = 0

    def step(self, scanner: Scanner, position: int) -> int:
        """Note the part that ends at `position`, copy the ones known from there on, and return where reading goes on."""
        if self._key is not None:
            self._note(scanner, position)
        tokens, text = scanner.tokens, scanner.text
        while True:
            key = self._state(scanner, position)
            block = self._blocks.get(key)
            if block is None:
                break
            if position + block.length + AHEAD > len(text):
                break
            tokens += [_new(Token, (position + start, position + end, kind, words, phonemes))
                       for start, end, kind, words, phonemes in block.tokens]
            scanner.quoting = block.quoting
            if block.run_end < block.length + AHEAD:
                scanner.run_end = position + block.run_end
            scanner.shape = block.shape
            position += block.length
        self._key, self._start, self._count = key, position, len(tokens)
        self.next = position + BLOCK
        return position

    def _note(self, scanner: Scanner, position: int) -> None:
        if len(self._blocks) >= _MOST_BLOCKS:
            self._blocks.clear()
        start, length = self._start, position - self._start
        if length > BLOCK + AHEAD // 2:  # one long token: what decides it was not compared
            return
        made = [(token.start - start, token.end - start, token.kind, token.words, token.phonemes)
                for token in scanner.tokens[self._count:]]
        self._blocks[self._key] = _Block(length, made, scanner.quoting, scanner.run_end - start, scanner.shape)

    @staticmethod
    def _state(scanner: Scanner, position: int) -> object:
        """Everything that decides how the next part is read."""
        recent = tuple((token.start - position, token.end - position, token.kind, token.words)
                       for token in scanner.tokens[-_RECENT:])
        left = scanner.run_end - position
        within = (min(left, BLOCK + AHEAD), scanner.shape) if left > 0 else None
        around = scanner.text[max(0, position - BEFORE):position + BLOCK + AHEAD]
        return around, min(position, BEFORE), recent, within, scanner.quoting
