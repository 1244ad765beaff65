"""Queue of requests: one utterance of a synthesizer runs at a time, in the order in which they were begun.

Signal handlers, hooks, text iterators and the garbage collector may enter it at any instruction of a thread that is inside
already, and a `KeyboardInterrupt` may leave it at any instruction. Its lock is therefore a plain re-entrant lock, whose `with`
cannot be interrupted half-way (that of `threading.Condition` can), and requests are referred to weakly: one whose call is gone
neither holds the synthesizer nor blocks those that wait.
"""

from __future__ import annotations

import concurrent.futures.thread
import contextlib
import gc
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from ..errors import BusyError, Cancelled

_POLL_SECONDS = 0.05
"""Poll interval while waiting, in case a wake-up is lost."""
_COLLECT_SECONDS = 1.0
"""Interval of garbage collections while waiting: a dropped stream in a reference cycle holds the synthesizer until one runs."""
POOL_SECONDS = 5.0
"""Time without a chunk after which a stream that the same pool thread began counts as unfinished by it."""
_UNFINISHED = "This thread has an unfinished stream of this synthesizer; finish or cancel it first."
_INSIDE = ("This call comes from inside an utterance of this synthesizer (a hook, a signal handler or the text's iterator), "
           "which would wait for itself; call from another thread.")


class CancelToken:
    """Cancellation of one utterance, and its place in the queue."""

    def __init__(self, urgent: bool = False) -> None:
        self.urgent = urgent
        """Goes before all others that wait."""
        self.owner: object = None
        """Who iterates: a thread's ident or an asyncio task. Two unfinished streams of one owner would wait for each other."""
        self.pooled = False
        """The owner is a thread of a pool, which serves unrelated callers in turn."""
        self.running_in: int | None = None
        """Ident of the thread that computes it at this moment."""
        self.last_pull = time.monotonic()
        """When a chunk was last requested."""
        self.cancelled = False
        self._listeners: list[Callable[[], None]] = []
        self._gate = threading.Lock()
        self._gate.acquire()

    def on_cancel(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when the token is cancelled, in the thread that cancels; at once if it is already."""
        self._listeners.append(listener)
        if self.cancelled:
            listener()

    def cancel(self) -> None:
        """From any thread, also from a signal handler; it may be called twice."""
        self.cancelled = True
        for listener in self._listeners:
            listener()

    @contextlib.contextmanager
    def computing(self, owner: object = None) -> Iterator[None]:
        """Note that this thread computes the utterance inside the block, on behalf of `owner`: this thread by default."""
        self.owner = owner or threading.get_ident()
        self.pooled = owner is None and is_pooled(threading.current_thread())
        self.last_pull, self.running_in = time.monotonic(), threading.get_ident()
        try:
            yield
        finally:
            self.running_in = None

    def wake(self) -> None:
        """Have the thread that waits look at the queue again."""
        with contextlib.suppress(RuntimeError):  # it is awake
            self._gate.release()

    def wait(self, seconds: float) -> None:
        """Wait for `wake`, at most that long."""
        self._gate.acquire(timeout=seconds)


FEEDING: ContextVar[tuple[CancelToken, ...]] = ContextVar("FEEDING", default=())
"""Utterances whose text is written by the code that runs now."""


class RequestQueue:
    """Queue of a synthesizer's requests. It may be released in another thread than it was acquired in."""

    def __init__(self, abort: Callable[[], None] = lambda: None) -> None:
        """`abort` is called when the running request is cancelled, and has to make a running graph return."""
        self._abort = abort
        self._lock = threading.RLock()
        self._entries: list[weakref.ref[CancelToken]] = []
        self._held_by: weakref.ref[CancelToken] | None = None

    @property
    def waiting(self) -> list[CancelToken]:
        """Requests that wait, the next one first."""
        with self._lock:
            found = [entry() for entry in self._entries]
            self._entries = [entry for entry, token in zip(self._entries, found, strict=True) if token is not None]
            return [token for token in found if token is not None]

    @property
    def holder(self) -> CancelToken | None:
        """The request that runs."""
        return None if self._held_by is None else self._held_by()

    @contextlib.contextmanager
    def acquire(self, cancel_token: CancelToken, timeout: float = math.inf) -> Iterator[float]:
        """Wait for the synthesizer and hold it; yields the seconds waited.

        Raises:
            BusyError: waiting would never end, as the token's owner holds the synthesizer already, or this call comes from
                inside the utterance that holds it.
            Cancelled: the token was cancelled before its turn, or `timeout` seconds have passed.
        """
        begin, reference = time.perf_counter(), weakref.ref(cancel_token)
        cancel_token.on_cancel(lambda: self._cancelled(reference))
        try:
            self._take(cancel_token, begin, begin + timeout)
            yield time.perf_counter() - begin
        finally:
            with self._lock:
                if self.holder is cancel_token:
                    self._held_by = None
                self._wake_all()

    def _take(self, cancel_token: CancelToken, begin: float, deadline: float) -> None:
        collected = begin
        try:
            with self._lock:
                ahead = [other for other in self.waiting if other.urgent or not cancel_token.urgent]
                self._entries.insert(len(ahead), weakref.ref(cancel_token))
            while not self._taken_after_collection(cancel_token):
                cancel_token.wait(_POLL_SECONDS)
                now = time.perf_counter()
                if now > deadline:
                    raise Cancelled("The synthesizer was not free in time.")
                if now - collected > _COLLECT_SECONDS:
                    collected = now
                    self._collect()
        finally:
            with self._lock:
                self._entries = [entry for entry in self._entries if entry() is not cancel_token]
                self._wake_all()

    def _taken_after_collection(self, cancel_token: CancelToken) -> bool:
        """`_taken`; an unfinished stream of the same owner may have been dropped in a reference cycle."""
        try:
            return self._taken(cancel_token)
        except BusyError:
            self._collect()
            return self._taken(cancel_token)

    def _taken(self, cancel_token: CancelToken) -> bool:
        """Hold the synthesizer if it is free and this request is next."""
        with self._lock:
            if cancel_token.cancelled:
                raise Cancelled("Synthesis was cancelled before its turn.")
            holder = self.holder
            if holder is None and self.waiting[0] is cancel_token:
                self._held_by = weakref.ref(cancel_token)
                return True
            if holder is not None:
                _check_waiting_ends(cancel_token, holder)
            return False

    def _collect(self) -> None:
        holder = self.holder
        if holder is not None and holder.running_in is None:
            del holder
            gc.collect()

    def _wake_all(self) -> None:
        for token in self.waiting:
            token.wake()

    def _cancelled(self, reference: weakref.ref[CancelToken]) -> None:
        with self._lock:
            token = reference()
            if token is not None and self.holder is token:
                self._abort()
            self._wake_all()


def _check_waiting_ends(cancel_token: CancelToken, holder: CancelToken) -> None:
    """Raise BusyError where the holder can only continue once this call has returned."""
    if holder.running_in == threading.get_ident() or holder in FEEDING.get():
        raise BusyError(_INSIDE)
    if holder.cancelled or cancel_token.owner is None or holder.owner != cancel_token.owner:
        return  # a cancelled request releases the synthesizer within one patch
    if not holder.pooled or time.monotonic() - holder.last_pull > POOL_SECONDS:
        raise BusyError(_UNFINISHED)


def is_pooled(thread: threading.Thread) -> bool:
    """Return whether a thread belongs to a pool: `concurrent.futures` (asyncio's executors too) or AnyIO."""
    queues = getattr(concurrent.futures.thread, "_threads_queues", {})
    return thread in queues or type(thread).__name__ == "WorkerThread"
