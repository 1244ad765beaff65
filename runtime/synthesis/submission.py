"""One utterance of a `StreamBatch`: its thread renders chunks from the patches that the batch's worker hands over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from ..audio import AudioChunk
from ..backends.base import Backend
from ..decoding.batch_decoder import DecodeJob, Patch
from ..decoding.sampling import uniform_source
from ..errors import Cancelled
from ..stats import Hooks, Stats, StatsAccumulator
from ..streaming.request_queue import RequestQueue
from ..text.loading import FrontEnd
from ..timing.words import Word
from .rendering import UtteranceRenderer
from .segments import Segment
from .sentence import Observer, Request, SentenceSynthesizer

OnChunk = Callable[[AudioChunk], None]
OnEnd = Callable[[Stats, BaseException | None], None]


@dataclass(frozen=True)
class Parts:
    """The stages of a pipeline that its streams share."""

    front_end: FrontEnd
    speech: SentenceSynthesizer
    narrator: UtteranceRenderer
    backend: Backend
    turn: RequestQueue
    hooks: Hooks
    sample_rate: int


@dataclass(eq=False, kw_only=True)
class Piece(DecodeJob):
    """One utterance of the model: a sentence, or a part of a long one."""

    owner: Submission


class Scheduler(Protocol):
    """The batch as its utterances see it."""

    def enqueue(self, piece: Piece) -> None:
        """Add a piece that is ready to be decoded."""

    def notify(self) -> None:
        """Have the worker look again: something was cancelled, paused or resumed."""

    def forget(self, submission: Submission) -> None:
        """Note that an utterance has ended."""


class Submission:
    """One utterance of a `StreamBatch`; may be cancelled, paused and resumed from any thread."""

    def __init__(self, batch: Scheduler, request: Request, tally: StatsAccumulator, client: str, on_chunk: OnChunk,
                 on_end: OnEnd) -> None:
        self.client = client
        self.due = time.monotonic()
        """When its listener runs dry: the earliest is served first."""
        self.running = False
        self.tally = tally
        self.request = request
        self.paused = False
        self._batch = batch
        self._on_chunk, self._on_end = on_chunk, on_end
        self._changed = threading.Condition()
        self._given: Patch | BaseException | None = None
        self._computing = False
        self._ended = False

    @property
    def words(self) -> list[Word] | None:
        """Words of the chunks so far, with the times known now; None where they were not asked for or the bundle has none."""
        return None if self.tally.timer is None else self.tally.timer.words

    def cancel(self) -> None:
        """Stop within one step; `on_end` follows."""
        self.request.cancel_token.cancel()
        self._batch.notify()

    def pause(self, paused: bool = True) -> None:
        """Begin no further sentence, as the listener has enough; or begin again."""
        self.paused = paused
        self._batch.notify()

    def resume(self) -> None:
        """End a pause."""
        self.pause(False)

    def render(self, lines: Iterable[Segment], parts: Parts) -> None:
        """Render all chunks, in a thread of this utterance."""
        def say(ids: list[int], number: int, request: Request, tally: StatsAccumulator,
                observe: Observer) -> Iterator[np.ndarray]:
            try:
                yield from parts.speech.vocode(self._patches(ids, number), request, tally, observe)
            finally:
                self._release()

        error: BaseException | None = None
        chunks = cast(Generator[AudioChunk, None, None], parts.narrator.chunks(lines, self.request, self.tally, say))
        try:
            for chunk in chunks:
                if self.request.cancel_token.cancelled:
                    break
                self._deliver(chunk, parts.sample_rate)
        except Cancelled:
            pass
        except BaseException as raised:
            error = raised
        finally:
            chunks.close()
            self._finish(parts.sample_rate, error)

    def give(self, patch: Patch) -> None:
        """Hand over a patch, and wait until the next one is asked for."""
        with self._changed:
            if self._ended:
                return
            self._given = patch
            self._changed.notify_all()
            while (self._given is not None or self._computing) and not self._ended:
                self._changed.wait()

    def fail(self, error: BaseException) -> None:
        """Have the thread that waits for a patch raise `error`."""
        with self._changed:
            self._given = error
            self._changed.notify_all()

    def _patches(self, ids: list[int], number: int) -> Iterator[np.ndarray]:
        """Tokens int64 [k] of each patch of a piece."""
        request, cancel_token = self.request, self.request.cancel_token
        self._batch.enqueue(Piece(ids, request.voice, request.sampling, uniform_source(request.seed, number, 0),
                                   cancelled=lambda: cancel_token.cancelled, owner=self))
        while True:
            with self._changed:
                self._computing = False
                self._changed.notify_all()
                while self._given is None:
                    self._changed.wait()
                given, self._given, self._computing = self._given, None, True
            if isinstance(given, BaseException):
                raise given
            yield given.tokens
            if given.stopped_by is not None:
                self.tally.stopped(given.stopped_by)
                return

    def _release(self) -> None:
        with self._changed:
            self._computing = False
            self._changed.notify_all()

    def _deliver(self, chunk: AudioChunk, sample_rate: int) -> None:
        now = time.monotonic()
        if not self.tally.samples:
            self.tally.ttfa_seconds = self.tally.compute_seconds
        self.tally.samples += len(chunk.samples)
        self.due = max(self.due, now) + len(chunk.samples) / sample_rate
        self._on_chunk(chunk)

    def _finish(self, sample_rate: int, error: BaseException | None) -> None:
        if self.request.cancel_token.cancelled:
            self.tally.stopped("cancel")
        self.tally.finished = True
        with self._changed:
            self._ended, self._computing = True, False
            self._changed.notify_all()
        self.request.cancel_token.cancel()  # a row that is still decoding leaves
        self._batch.forget(self)
        self._on_end(self.tally.stats(sample_rate), error)
