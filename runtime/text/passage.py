"""A piece of text and how it is to be said."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Origin of a part of a passage."""

    start: int
    """Its first character in the passage."""
    origin: int
    origin_end: int
    """First character and the one after the last in the text given."""
    verbatim: bool
    """Whether both are the same characters; otherwise all of one stands for all of the other."""


@dataclass(frozen=True)
class Passage:
    """Text spoken in one manner."""

    text: str
    """As a user types it; empty where there is only a pause."""
    rate: float = 1.0
    """Seconds of ordinary speech in a second."""
    pause: float | None = None
    """Seconds of silence before it; None for the usual pause between sentences."""
    places: tuple[Place, ...] = ()
    """Where its parts come from in the text given, in order; none for all of a plain text."""

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the text given of `text[start:end]`."""
        if not self.places:
            return start, end
        first, last = self._place(start), self._place(max(start, end - 1))
        begin = first.origin + start - first.start if first.verbatim else first.origin
        return begin, max(begin, min(last.origin + end - last.start, last.origin_end) if last.verbatim else last.origin_end)

    def _place(self, position: int) -> Place:
        return self.places[max(0, bisect_right(self.places, position, key=lambda place: place.start) - 1)]
