"""Streams: iterators of chunks that any thread may cancel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from types import TracebackType

import numpy as np

from ..audio import Audio, AudioChunk, SentenceTimes
from ..errors import Cancelled
from ..stats import Stats, StatsAccumulator
from ..timing.captions import Timestamps
from ..timing.words import Sentence, Word
from .prefetch import PrefetchStream
from .request_queue import CancelToken

AHEAD_SECONDS = 1.0
"""Default length of audio that a buffered stream generates ahead of its consumer."""


class Stream:
    """One utterance as an iterator of chunks. Nothing is computed until the next chunk is requested.

    Iterate it, or use it as a context manager, which cancels what is left; in coroutines `async for` and `async with`.
    It holds its synthesizer from the first chunk to the last; a stream that is cancelled, closed or dropped lets go of
    it. One thread at a time may iterate.
    """

    def __init__(self, chunks: Generator[AudioChunk, None, None], tally: StatsAccumulator, sample_rate: int,
                 cancel_token: CancelToken,
                 finished: Callable[[Stats], None] = lambda stats: None) -> None:
        self._chunks = chunks
        self._tally = tally
        self._cancel_token = cancel_token
        self._finished = finished
        self._inside = threading.Lock()
        self._sentences = SentenceTimes()
        self.listener: object = None
        """Who is waiting for the chunks, where that is not the thread that iterates."""
        self.sample_rate = sample_rate
        """Samples a second of every chunk."""

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> AudioChunk:
        """The next chunk; a cancelled stream just ends.

        Raises:
            BackendError: the inference library or device failed.
            BusyError: this thread holds another unfinished stream of the same synthesizer.
            TextError: text that came piece by piece cannot be spoken.
        """
        with self._inside:
            chunk = self._advance()
        if self._cancel_token.cancelled:  # by a thread that found us inside: what was being made is not wanted any more
            self.cancel()
            raise StopIteration
        return chunk

    def cancel(self) -> None:
        """Stop within one patch; from any thread. The synthesizer is free as soon as the patch being made is done."""
        self._cancel_token.cancel()
        if self._inside.acquire(blocking=False):  # no call is running: release now, the consumer may never call again
            try:
                self._chunks.close()
                self._end(cancelled=True)
            finally:
                self._inside.release()

    def close(self) -> None:
        """The same as `cancel` for a stream that is not at its end; nothing for one that is."""
        if not self._tally.finished:
            self.cancel()

    @property
    def cancelled(self) -> bool:
        """Return whether it was cancelled: by `cancel`, the synthesizer's `stop` or `close`, an utterance that interrupts."""
        return self._cancel_token.cancelled

    @property
    def urgent(self) -> bool:
        """Return whether it was asked for with `interrupt=True`."""
        return self._cancel_token.urgent

    def collect(self) -> Audio:
        """All remaining chunks as one utterance.

        Raises:
            Cancelled: another thread cancelled the stream.
            BackendError, BusyError, TextError: as for a chunk.
        """
        return self._audio(list(self))

    async def collect_async(self) -> Audio:
        """`collect` in a coroutine."""
        return self._audio([chunk async for chunk in self.buffered(float("inf"))])

    def buffered(self, seconds: float = AHEAD_SECONDS) -> PrefetchStream:
        """The same chunks, made ahead in a thread of their own until `seconds` of audio wait for their listener.

        OptionError unless `seconds` is above 0.
        """
        return PrefetchStream(self, seconds)

    @property
    def stats(self) -> Stats:
        """The figures so far; final once the stream has ended."""
        stats = self._tally.stats(self.sample_rate)
        if self._cancel_token.cancelled and stats.stopped_by is None:  # the patch being made is not at its end yet
            return replace(stats, stopped_by="cancel")
        return stats

    @property
    def words(self) -> list[Word] | None:
        """Words of the chunks so far, with the times known now; None where they were not asked for or the bundle has none."""
        return None if self._tally.timer is None else self._tally.timer.words

    @property
    def sentences(self) -> list[Sentence]:
        """Sentences of the chunks so far, with the times known now."""
        return list(self._sentences.sentences)

    @property
    def timestamps(self) -> Timestamps:
        """Sentences, words and visemes of the chunks so far."""
        return Timestamps(self._tally.samples / self.sample_rate, self.sentences, self.words)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> PrefetchStream:
        return self.buffered()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.close()

    def _advance(self) -> AudioChunk:
        tally, begin, waited = self._tally, time.perf_counter(), self._tally.waited_seconds
        chunk, error = None, None
        try:
            with self._cancel_token.computing(self.listener):
                chunk = next(self._chunks)
        except BaseException as raised:
            error = raised
        tally.compute_seconds += time.perf_counter() - begin - (tally.waited_seconds - waited)
        if error is not None or chunk is None:
            self._end(cancelled=isinstance(error, Cancelled))
            raise StopIteration if isinstance(error, Cancelled) or error is None else error
        if not tally.samples:
            tally.ttfa_seconds = tally.compute_seconds
        tally.samples += len(chunk.samples)
        self._sentences.add(chunk)
        return chunk

    def _audio(self, chunks: list[AudioChunk]) -> Audio:
        if self._cancel_token.cancelled:
            raise Cancelled("Synthesis was cancelled before its end.")
        samples = np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in chunks)])
        words = self.words
        return Audio(samples, self.sample_rate, self.stats, None if words is None else tuple(words), tuple(self.sentences))

    def _end(self, cancelled: bool) -> None:
        if self._tally.finished:
            return
        if cancelled:
            self._tally.stopped("cancel")
        self._tally.finished = True
        self._finished(self.stats)
