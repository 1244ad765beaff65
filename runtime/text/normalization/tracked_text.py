"""A text under rewriting that can name, for every character, the part of the original it came from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """Replacement of `text[start:end]`."""

    start: int
    end: int
    replacement: str


class _Map(NamedTuple):
    """One round of edits, sorted: where each replacement is now, and what it replaced."""

    new_starts: list[int]
    new_ends: list[int]
    old_starts: list[int]
    old_ends: list[int]

    def back(self, start: int, end: int) -> tuple[int, int]:
        return self._place(start, False), self._place(end, True)

    def _place(self, position: int, is_end: bool) -> int:
        """Position before the edits; inside a replacement, the start or the end of what it replaced."""
        index = bisect_right(self.new_starts, position - is_end) - 1
        if index < 0:
            return position
        if position < self.new_ends[index] + is_end:
            inside = position > self.new_starts[index] or self.new_ends[index] > position
            if inside and not (is_end and position == self.new_starts[index]):
                return self.old_ends[index] if is_end else self.old_starts[index]
        return position - self.new_ends[index] + self.old_ends[index]


class TrackedText:
    """The current text, and the way back to the original."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._maps: list[_Map] = []

    def edit(self, edits: Sequence[Edit]) -> None:
        """Apply sorted edits that do not overlap."""
        if not edits:
            return
        parts, new_starts, new_ends, position, length = [], [], [], 0, 0
        for start, end, replacement in edits:
            parts += [self.text[position:start], replacement]
            length += start - position
            new_starts.append(length)
            length += len(replacement)
            new_ends.append(length)
            position = end
        parts.append(self.text[position:])
        self.text = "".join(parts)
        self._maps.append(_Map(new_starts, new_ends, [edit.start for edit in edits], [edit.end for edit in edits]))

    def sub(self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str]) -> None:
        """`pattern.sub` with the positions kept; a string replacement is literal."""
        edits = []
        for found in pattern.finditer(self.text):
            new = replacement if isinstance(replacement, str) else replacement(found)
            if new != found[0]:
                edits.append(Edit(found.start(), found.end(), new))
        self.edit(edits)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the original of `text[start:end]`."""
        for edits in reversed(self._maps):
            start, end = edits.back(start, end)
        return start, max(start, end)
