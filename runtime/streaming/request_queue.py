"""Queue of requests: one utterance of a synthesizer runs at a time, in the order in which they were begun."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator

from ..errors import BusyError, Cancelled

_POLL_SECONDS = 0.05
"""Poll interval while waiting, in case a notification is lost."""


class CancelToken:
    """Cancellation of one utterance, and its place in the queue."""

    def __init__(self, urgent: bool = False) -> None:
        self.urgent = urgent
        """Goes before all others that wait."""
        self.owner: object = None
        """Who iterates: a thread's ident or an asyncio task. Two unfinished streams of one owner would wait for each other."""
        self.cancelled = False
        self._listeners: list[Callable[[], None]] = []

    def on_cancel(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when the cancel_token is cancelled, in the thread that cancels; at once if it is already."""
        self._listeners.append(listener)
        if self.cancelled:
            listener()

    def cancel(self) -> None:
        """From any thread, also from a signal handler; it may be called twice."""
        self.cancelled = True
        for listener in self._listeners:
            listener()


class RequestQueue:
    """Queue of a synthesizer's requests. It may be released in another thread than it was acquired in."""

    def __init__(self, abort: Callable[[], None] = lambda: None) -> None:
        """`abort` is called when the running request is cancelled, and has to make a running graph return."""
        self._abort = abort
        # Its lock is re-entrant: a signal handler or a collected generator may come by while this thread is in here.
        self._changed = threading.Condition()
        self._waiting: list[CancelToken] = []
        self._holder: CancelToken | None = None

    @contextlib.contextmanager
    def acquire(self, cancel_token: CancelToken, timeout: float = math.inf) -> Iterator[float]:
        """Wait for the synthesizer and hold it; yields the seconds waited.

        Raises:
            BusyError: the token's owner holds the synthesizer already, so that waiting would never end.
            Cancelled: the token was cancelled before its turn, or `timeout` seconds have passed.
        """
        begin = time.perf_counter()
        cancel_token.on_cancel(lambda: self._cancelled(cancel_token))
        self._take(cancel_token, begin + timeout)
        try:
            yield time.perf_counter() - begin
        finally:
            with self._changed:
                self._holder = None
                self._changed.notify_all()

    def _take(self, cancel_token: CancelToken, deadline: float) -> None:
        with self._changed:
            ahead = [other for other in self._waiting if other.urgent or not cancel_token.urgent]
            self._waiting.insert(len(ahead), cancel_token)
            try:
                while self._holder is not None or self._waiting[0] is not cancel_token:
                    if cancel_token.cancelled:
                        break
                    if self._holds_for_ever(cancel_token.owner):
                        raise BusyError("This thread has an unfinished stream of this synthesizer; finish or cancel it first.")
                    self._changed.wait(_POLL_SECONDS)
                    if time.perf_counter() > deadline:
                        raise Cancelled("The synthesizer was not free in time.")
                if cancel_token.cancelled:
                    raise Cancelled("Synthesis was cancelled before its turn.")
                self._holder = cancel_token
            finally:
                self._waiting.remove(cancel_token)
                self._changed.notify_all()

    def _holds_for_ever(self, owner: object) -> bool:
        """Return whether the owner itself holds the synthesizer; a cancelled request releases it within one patch."""
        holder = self._holder
        return holder is not None and not holder.cancelled and holder.owner == owner is not None

    def _cancelled(self, cancel_token: CancelToken) -> None:
        with self._changed:
            if self._holder is cancel_token:
                self._abort()
            self._changed.notify_all()
