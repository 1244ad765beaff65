"""Streams that share one batch: one step of the decoder makes a patch of every running utterance, whoever asked for it.

Each submitted utterance has a thread that reads its text and renders its chunks as a stream does
(`UtteranceRenderer.chunks`). The threads never compute at the same time: the worker hands a patch to one of them and waits
until that one asks for the next.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

from ..decoding.batch_decoder import BatchDecoder, DecodeJob
from ..errors import BackendError, Cancelled
from ..options import OptionOverrides, SynthesisOptions, merge_options
from ..stats import StatsAccumulator
from ..streaming.request_queue import CancelToken
from .segments import Segment, TextSegmenter, check_text
from .sentence import Request
from .submission import OnChunk, OnEnd, Parts, Piece, Submission

if TYPE_CHECKING:
    from typing_extensions import Unpack


class StreamBatch:
    """Streams that are decoded together, up to `rows` at a time; for servers.

    It holds the synthesizer while anything is being spoken. A free row goes to a client that has none, and then to the
    utterance whose listener runs dry first, so that neither a long text nor many texts of one client delay the others.
    """

    urgent = False

    def __init__(self, parts: Parts, rows: int, exact: bool, request: Callable[..., Request]) -> None:
        """`request` makes a request of a cancel_token and options. BackendError where the KV cache is on a device."""
        self._parts = parts
        self._request = request
        self._decoder = BatchDecoder(parts.speech.decoder, rows, exact)
        self.sample_rate = parts.sample_rate
        """Samples per second of every chunk."""
        self._changed = threading.Condition(threading.RLock())
        self._pending: list[Piece] = []
        self._running: list[Piece] = []
        self._open: set[Submission] = set()
        self._closed = False
        self._stages: dict[str, float] = {}
        self._mark = 0.0
        self._worker: threading.Thread | None = None

    def submit(self, text: str | Iterable[str], *, on_chunk: OnChunk, on_end: OnEnd, client: str = "",
               options: SynthesisOptions | None = None, **overrides: Unpack[OptionOverrides]) -> Submission:
        """Begin an utterance; returns at once.

        Args:
            text: as for `Synthesizer.stream`, but no asynchronous iterator.
            on_chunk: called with each chunk in a thread of the utterance while others wait, so it must be quick.
            on_end: called once, after the last chunk, with the figures and None, or what ended it: TextError, BackendError.
            client: rows are shared evenly among clients.
            options, overrides: as for `Synthesizer.stream`.

        Raises:
            TextError, VoiceError, OptionError, BackendError: as for `Synthesizer.stream`, before anything is begun.
        """
        check_text(text)
        chosen = merge_options(options, **overrides)
        request, tally = self._request(CancelToken(), chosen), StatsAccumulator(self._parts.backend.provider, 0)
        submission = Submission(self, request, tally, client, on_chunk, on_end)

        def lines() -> Iterator[Segment]:
            segmenter = TextSegmenter(self._parts.front_end, tally, chosen.rate, chosen.quiet_seconds)
            yield from segmenter.begin(text, request.cancel_token)

        with self._changed:
            if self._closed:
                raise BackendError("This batch of streams is closed; make a new one.")
            self._open.add(submission)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="tldr-batch", daemon=True)
                self._worker.start()
        threading.Thread(target=submission.render, args=(lines(), self._parts), name="tldr-utterance", daemon=True).start()
        return submission

    @property
    def waiting(self) -> int:
        """Utterances that have not ended."""
        with self._changed:
            return len(self._open)

    def cancel(self) -> None:
        """Stop everything that was submitted within one step; more may be submitted."""
        with self._changed:
            submissions = list(self._open)
        for submission in submissions:
            submission.cancel()

    def close(self, seconds: float = 5.0) -> None:
        """Cancel everything, accept no more requests, and wait at most `seconds` for the worker."""
        with self._changed:
            self._closed = True
        self.cancel()
        self.notify()
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join(seconds)

    def notify(self) -> None:
        """Have the worker look again: something was cancelled, paused or resumed."""
        with self._changed:
            cancelled = [piece for piece in self._pending if piece.owner.request.cancel_token.cancelled]
            self._pending = [piece for piece in self._pending if piece not in cancelled]
            self._changed.notify_all()
        for piece in cancelled:
            piece.owner.fail(Cancelled("Synthesis was cancelled before its end."))

    def enqueue(self, piece: Piece) -> None:
        """Add a piece that is ready to be decoded."""
        with self._changed:
            self._pending.append(piece)
        self.notify()

    def forget(self, submission: Submission) -> None:
        """Note that an utterance has ended."""
        with self._changed:
            self._open.discard(submission)
            self._changed.notify_all()
        self._parts.hooks.notify_finished(submission.tally.stats(self.sample_rate))

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._ready():
                    if self._closed and not self._open:
                        return
                    self._changed.wait()
            try:
                self._decode()
            except BaseException as error:
                self._fail(error)

    def _ready(self) -> list[Piece]:
        """Pieces that may be decoded now."""
        return [piece for piece in self._pending if not piece.owner.paused]

    def _decode(self) -> None:
        """Decode until nothing runs and nothing waits."""
        parts = self._parts
        token = CancelToken()
        with parts.turn.acquire(token), token.computing():
            self._stages = {}
            parts.backend.record_into(self._stages, parts.hooks.notify_stage)
            self._mark = time.perf_counter()
            waiting: deque[DecodeJob] = deque()
            self._admit(waiting)
            try:
                for patch in self._decoder.decode(waiting):
                    piece = cast(Piece, patch.job)
                    if patch.stopped_by is not None or not piece.owner.tally.samples:
                        self._share()
                    if patch.stopped_by is not None:
                        with self._changed:
                            self._running.remove(piece)
                    piece.owner.give(patch)
                    self._admit(waiting)
            finally:
                parts.speech.decoder.cache.clear()

    def _admit(self, waiting: deque[DecodeJob]) -> None:
        """Fill free rows: first clients with the fewest rows, then the utterance that runs dry first."""
        with self._changed:
            while len(self._running) < self._decoder.batch:
                ready = self._ready()
                if not ready:
                    return
                rows = [piece.owner.client for piece in self._running]
                chosen = min(ready, key=lambda piece: (rows.count(piece.owner.client), piece.owner.due))
                self._pending.remove(chosen)
                self._running.append(chosen)
                waiting.append(chosen)

    def _fail(self, error: BaseException) -> None:
        """End what was being decoded with the error; all that is ready where nothing was, as that would fail again."""
        with self._changed:
            failed, self._running = self._running or self._ready(), []
            self._pending = [piece for piece in self._pending if piece not in failed]
        for piece in failed:
            piece.owner.fail(error)

    def _share(self) -> None:
        """Count the time since the last call, in equal parts, to the utterances that run."""
        now = time.perf_counter()
        for piece in self._running:
            tally = piece.owner.tally
            tally.compute_seconds += (now - self._mark) / len(self._running)
            for stage, seconds in self._stages.items():
                tally.stage_seconds[stage] = tally.stage_seconds.get(stage, 0.0) + seconds / len(self._running)
        self._stages.update(dict.fromkeys(self._stages, 0.0))
        self._mark = now
