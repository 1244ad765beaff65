"""Pieces of text on their way from a slow writer (a language model, an event loop) to the thread that speaks them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterable, Iterable, Iterator

from ..options import QUIET_SECONDS
from ..streaming.request_queue import FEEDING, CancelToken
from ..text.clauses import QUIET, Quiet

PIECES = 256
"""Pieces that may wait; then the writer does."""


class TextQueue:
    """A bounded queue whose reader can be released at any time, although the writer may never continue."""

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._quiet = quiet_seconds
        self._pieces: deque[str] = deque()
        self._changed = threading.Condition()
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[str | Quiet]:
        """The pieces, and `QUIET` once per pause, until the writer or the reader ends; raises what the writer raised."""
        quiet_reported = True
        while True:
            quiet = False
            with self._changed:
                while not (self._pieces or self._ended or self._closed or quiet):
                    quiet = not self._changed.wait(None if quiet_reported else self._quiet) and not quiet_reported
            if quiet:
                quiet_reported = True
                yield QUIET
                continue
            with self._changed:
                if self._closed or not self._pieces:
                    break
                piece = self._pieces.popleft()
                self._changed.notify_all()
            quiet_reported = False
            yield piece
        if self._error is not None and not self._closed:
            raise self._error

    def put(self, piece: str) -> bool:
        """Add a piece once there is room; return False once the reader has ended."""
        with self._changed:
            while len(self._pieces) >= PIECES and not self._closed:
                self._changed.wait()
            if not self._closed:
                self._pieces.append(piece)
                self._changed.notify_all()
            return not self._closed

    @property
    def full(self) -> bool:
        """Return whether `put` would wait."""
        with self._changed:
            return len(self._pieces) >= PIECES and not self._closed

    def end(self, error: BaseException | None = None) -> None:
        """Mark the text as complete, or failed with `error`."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Release the reader, who has ended; from any thread."""
        with self._changed:
            self._closed = True
            self._pieces.clear()
            self._changed.notify_all()

    def fill_from(self, pieces: Iterable[str], cancel_token: CancelToken) -> None:
        """Read `pieces`, the text of an utterance, in a new thread, which closes a generator at its end."""
        threading.Thread(target=self._fill, args=(pieces, cancel_token), name="tldr-text", daemon=True).start()

    def _fill(self, pieces: Iterable[str], cancel_token: CancelToken) -> None:
        FEEDING.set((*FEEDING.get(), cancel_token))
        error: BaseException | None = None
        try:
            for piece in pieces:
                if not self.put(piece):
                    break
        except BaseException as raised:
            error = raised
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                with contextlib.suppress(Exception):
                    close()
            self.end(error)

    async def fill_from_async(self, pieces: AsyncIterable[str], cancel_token: CancelToken) -> None:
        """Read `pieces` in the running event loop, which never waits for the reader."""
        FEEDING.set((*FEEDING.get(), cancel_token))
        error: BaseException | None = None
        try:
            async for piece in pieces:
                while self.full:
                    await asyncio.sleep(0.01)
                if not self.put(piece):
                    break
        except asyncio.CancelledError:
            raise
        except BaseException as raised:
            error = raised
        finally:
            self.end(error)
