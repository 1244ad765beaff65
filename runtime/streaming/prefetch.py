"""Prefetch a stream in a thread, for a consumer that may be slow, in a thread or a coroutine."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol

from ..audio import AudioChunk
from ..errors import OptionError
from ..stats import Stats
from .request_queue import is_pooled


class ChunkSource(Protocol):
    """Source of chunks that are prefetched, which any thread may stop."""

    sample_rate: int
    listener: object
    """Owner of the consumer: a thread's ident or a task, as it is not the thread that computes."""

    @property
    def cancelled(self) -> bool:
        """Return whether it was cancelled."""

    @property
    def stats(self) -> Stats:
        """The figures so far."""

    def __iter__(self) -> Iterator[AudioChunk]:
        """The chunks."""

    def close(self) -> None:
        """Stop; nothing for one that is at its end."""


class PrefetchStream:
    """Chunks in the order in which they were made. At most `seconds` of audio wait; then making them pauses.

    The thread starts with the first chunk that is requested. It ends with the speech, with `cancel`, or when no one refers to
    the object any more. One thread or one task at a time may iterate.
    """

    def __init__(self, stream: ChunkSource, seconds: float) -> None:
        if not seconds > 0:
            raise OptionError(f"A buffer holds more than 0 seconds of audio, not {seconds!r}.")
        self._stream = stream
        self._shelf = _ChunkQueue(seconds)
        self._thread: threading.Thread | None = None
        # The thread refers to the queue, not to this object, which can therefore be collected: that ends the thread.
        self._dropped = weakref.finalize(self, _leave, stream, self._shelf)
        self._dropped.atexit = True
        self.sample_rate = stream.sample_rate
        """Samples a second of every chunk."""

    @property
    def buffered_seconds(self) -> float:
        """Audio that is made and not yet taken."""
        return self._shelf.seconds

    @property
    def stats(self) -> Stats:
        """The figures so far; final once the stream has ended."""
        return self._stream.stats

    def cancel(self) -> None:
        """Stop within one patch, from any thread; what waits is dropped."""
        _leave(self._stream, self._shelf)

    def __iter__(self) -> PrefetchStream:
        return self

    def __next__(self) -> AudioChunk:
        """The next chunk; errors as for `Stream`."""
        thread = threading.current_thread()
        self._start(None if is_pooled(thread) else thread.ident)
        chunk = self._shelf.take()
        if chunk is None or self._stream.cancelled:
            self.cancel()
            raise StopIteration
        return chunk

    def __aiter__(self) -> PrefetchStream:
        return self

    async def __anext__(self) -> AudioChunk:
        """The next chunk; a cancelled task cancels the stream."""
        loop, ready = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: no task waits
                loop.call_soon_threadsafe(ready.set)

        self._shelf.on_change = wake
        self._start(asyncio.current_task())
        try:
            while not self._shelf.settled:
                await ready.wait()
                ready.clear()
        except asyncio.CancelledError:
            self.cancel()
            raise
        chunk = self._shelf.take()
        if chunk is None or self._stream.cancelled:
            self.cancel()
            raise StopAsyncIteration
        return chunk

    def __enter__(self) -> PrefetchStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.cancel()

    async def __aenter__(self) -> PrefetchStream:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.cancel()

    def _start(self, listener: object) -> None:
        self._stream.listener = listener
        if self._thread is None:
            self._thread = threading.Thread(target=_fill, args=(self._stream, self._shelf), name="tldr-stream", daemon=True)
            self._thread.start()


class _ChunkQueue:
    """Queue between producer and consumer: chunks that wait, and how production ended."""

    def __init__(self, limit: float) -> None:
        self.seconds = 0.0
        self.on_change: Callable[[], None] = lambda: None
        self._limit = limit
        self._chunks: deque[AudioChunk] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None

    @property
    def settled(self) -> bool:
        """Return whether `take` would return at once."""
        with self._changed:
            return self._ended or bool(self._chunks)

    def put(self, chunk: AudioChunk) -> bool:
        """Add a chunk once there is room; return False after a cancel. A first chunk fits, however long it is."""
        with self._changed:
            while self._chunks and self.seconds + chunk.seconds > self._limit and not self._ended:
                self._changed.wait()
            if self._ended:
                return False
            self._chunks.append(chunk)
            self.seconds += chunk.seconds
            self._notify()
        return True

    def take(self) -> AudioChunk | None:
        """The oldest chunk, waiting for it; None at the end; raises what ended the making."""
        with self._changed:
            while not self._chunks and not self._ended:
                self._changed.wait()
            if self._chunks:
                chunk = self._chunks.popleft()
                self.seconds -= chunk.seconds
                self._notify()
                return chunk
            error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more will come."""
        with self._changed:
            self._ended, self._error = True, error
            self._notify()

    def clear(self) -> None:
        """Nothing more is wanted."""
        with self._changed:
            self._chunks.clear()
            self.seconds, self._ended = 0.0, True
            self._notify()

    def _notify(self) -> None:
        self._changed.notify_all()
        self.on_change()


def _fill(stream: ChunkSource, shelf: _ChunkQueue) -> None:
    error: BaseException | None = None
    try:
        for chunk in stream:
            if not shelf.put(chunk):
                break
    except BaseException as raised:
        error = raised
    finally:
        stream.close()
        shelf.end(error)


def _leave(stream: ChunkSource, shelf: _ChunkQueue) -> None:
    stream.close()
    shelf.clear()
