"""Text that a network client sends in pieces, as the blocking iterator that synthesis reads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

MAX_CHARACTERS = 20_000
"""Characters that may wait for synthesis; a client that sends more is refused."""


class TextPieces:
    """A queue of text pieces. Filled from an event loop, read by a thread."""

    def __init__(self) -> None:
        self._pieces: deque[str] = deque()
        self._changed = threading.Condition()
        self._characters = 0
        self._ended = False

    def put(self, piece: str) -> bool:
        """Add a piece; False where too much waits already or the text has ended."""
        with self._changed:
            if self._ended or self._characters + len(piece) > MAX_CHARACTERS:
                return False
            self._pieces.append(piece)
            self._characters += len(piece)
            self._changed.notify_all()
            return True

    def end(self) -> None:
        """Mark the text as complete, or as no longer needed."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[str]:
        """The pieces until the end."""
        while True:
            with self._changed:
                while not self._pieces and not self._ended:
                    self._changed.wait()
                if not self._pieces:
                    return
                piece = self._pieces.popleft()
                self._characters -= len(piece)
            yield piece
