"""Whose turn it is to speak: utterances of one synthesizer are made one at a time, in the order in which they were begun."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator

from ..errors import BusyError, Cancelled

_POLL_SECONDS = 0.05
"""How often one who waits looks for himself, whatever he was told."""


class CancelToken:
    """One utterance's claim on the synthesizer, and the switch that stops it."""

    def __init__(self, urgent: bool = False) -> None:
        self.urgent = urgent
        """Goes before all others that wait."""
        self.owner: object = None
        """Who iterates: a thread's ident or an asyncio task. Two unfinished streams of one owner would wait for each other."""
        self.cancelled = False
        self._listeners: list[Callable[[], None]] = []

    def on_cancel(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when the ticket is cancelled, in the thread that cancels; at once if it is already."""
        self._listeners.append(listener)
        if self.cancelled:
            listener()

    def cancel(self) -> None:
        """From any thread, also from a signal handler; it may be called twice."""
        self.cancelled = True
        for listener in self._listeners:
            listener()


class RequestQueue:
    """The queue in front of a synthesizer. A turn may be given up in another thread than it was taken in."""

    def __init__(self, abort: Callable[[], None] = lambda: None) -> None:
        """`abort` is called when the one who holds the turn is cancelled, and has to make a running graph return."""
        self._abort = abort
        # Its lock is re-entrant: a signal handler or a collected generator may come by while this thread is in here.
        self._changed = threading.Condition()
        self._waiting: list[CancelToken] = []
        self._holder: CancelToken | None = None

    @contextlib.contextmanager
    def acquire(self, ticket: CancelToken, timeout: float = math.inf) -> Iterator[float]:
        """Wait for the turn and hold it; gives the seconds waited.

        Raises:
            BusyError: the ticket's owner holds the turn already, so that waiting would never end.
            Cancelled: the ticket was cancelled before its turn, or `timeout` seconds have passed.
        """
        begin = time.perf_counter()
        ticket.on_cancel(lambda: self._cancelled(ticket))
        self._take(ticket, begin + timeout)
        try:
            yield time.perf_counter() - begin
        finally:
            with self._changed:
                self._holder = None
                self._changed.notify_all()

    def _take(self, ticket: CancelToken, deadline: float) -> None:
        with self._changed:
            ahead = [other for other in self._waiting if other.urgent or not ticket.urgent]
            self._waiting.insert(len(ahead), ticket)
            try:
                while self._holder is not None or self._waiting[0] is not ticket:
                    if ticket.cancelled:
                        break
                    if self._holds_for_ever(ticket.owner):
                        raise BusyError("This thread has an unfinished stream of this synthesizer; finish or cancel it first.")
                    self._changed.wait(_POLL_SECONDS)
                    if time.perf_counter() > deadline:
                        raise Cancelled("The synthesizer was not free in time.")
                if ticket.cancelled:
                    raise Cancelled("Synthesis was cancelled before its turn.")
                self._holder = ticket
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _holds_for_ever(self, owner: object) -> bool:
        """Whether the owner holds the turn itself; with a cancelled ticket it lets go within one patch."""
        holder = self._holder
        return holder is not None and not holder.cancelled and holder.owner == owner is not None

    def _cancelled(self, ticket: CancelToken) -> None:
        with self._changed:
            if self._holder is ticket:
                self._abort()
            self._changed.notify_all()
