"""Speech as it is made: an iterator of chunks that any thread may cancel."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from types import TracebackType

import numpy as np

from runtime.audio import Audio, AudioChunk
from runtime.errors import BusyError, Cancelled
from runtime.stats import Stats, Tally

_POLL_SECONDS = 0.05
"""How often one who waits for a turn looks whether it was cancelled meanwhile."""


class Turn:
    """Whose turn it is to speak with a synthesizer. The turn may be given up in another thread than it was taken in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    @contextlib.contextmanager
    def hold(self, cancelled: threading.Event) -> Iterator[float]:
        """Wait for the turn and hold it; gives the seconds waited.

        Raises:
            BusyError: this thread holds the turn already, so that waiting would never end.
            Cancelled: `cancelled` was set while waiting.
        """
        begin = time.perf_counter()
        while not self._lock.acquire(timeout=_POLL_SECONDS):
            if cancelled.is_set():
                raise Cancelled("Synthesis was cancelled before its turn.")
            if self._holder == threading.get_ident():
                raise BusyError("This thread has an unfinished stream of this synthesizer; finish or cancel it first.")
        self._holder = threading.get_ident()
        try:
            yield time.perf_counter() - begin
        finally:
            self._holder = None
            self._lock.release()

    def passed_on(self) -> None:
        """Note that the thread now running goes on with the turn."""
        self._holder = threading.get_ident()


class Stream:
    """One utterance on its way. Pull-driven: nothing is computed until the next chunk is asked for.

    Iterate it, or use it as a context manager, which cancels what is left. It holds its synthesizer from the first
    chunk to the last; a stream that is cancelled, closed or dropped lets go of it. One thread at a time may iterate.
    """

    def __init__(self, chunks: Generator[AudioChunk, None, None], tally: Tally, sample_rate: int,
                 cancelled: threading.Event) -> None:
        self._chunks = chunks
        self._tally = tally
        self._cancelled = cancelled
        self._turn = threading.Lock()
        self.sample_rate = sample_rate
        """Samples a second of every chunk."""

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> AudioChunk:
        """The next chunk; a cancelled stream just ends.

        Raises:
            BackendError: the inference library or device failed.
            BusyError: this thread holds another unfinished stream of the same synthesizer.
        """
        with self._turn:
            tally, begin, waited = self._tally, time.perf_counter(), self._tally.waited_seconds
            try:
                chunk = next(self._chunks)
            except Cancelled:
                self._finish()
                raise StopIteration from None
            except BaseException:
                tally.finished = True
                raise
            finally:
                tally.compute_seconds += time.perf_counter() - begin - (tally.waited_seconds - waited)
            if not tally.samples:
                tally.ttfa_seconds = tally.compute_seconds
            tally.samples += len(chunk.samples)
            return chunk

    def cancel(self) -> None:
        """Stop within one patch; from any thread. The synthesizer is free as soon as the patch being made is done."""
        self._cancelled.set()
        if self._turn.acquire(blocking=False):  # nobody is inside: let go now, the consumer may never come back
            try:
                self._finish()
            finally:
                self._turn.release()

    def close(self) -> None:
        """The same as `cancel` for a stream that is not at its end; nothing for one that is."""
        if not self._tally.finished:
            self.cancel()

    def collect(self) -> Audio:
        """All remaining chunks as one utterance.

        Raises:
            Cancelled: another thread cancelled the stream.
            BackendError, BusyError: as for a chunk.
        """
        samples = [chunk.samples for chunk in self]
        if self._cancelled.is_set():
            raise Cancelled("Synthesis was cancelled before its end.")
        return Audio(np.concatenate([np.zeros(0, np.float32), *samples]), self.sample_rate, self.stats)

    @property
    def stats(self) -> Stats:
        """The figures so far; final once the stream has ended."""
        return self._tally.stats(self.sample_rate)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _finish(self) -> None:
        self._chunks.close()
        if not self._tally.finished:
            self._tally.stopped("cancel")
            self._tally.finished = True
