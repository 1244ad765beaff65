"""Many texts through one model: their sentences share a batch, and a text is spoken once all of its sentences are decoded."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import cast

import numpy as np

from ..audio import Audio, AudioChunk, SentenceTimes
from ..backends.base import Backend
from ..decoding.batch_decoder import BatchDecoder, DecodeJob
from ..decoding.decoder import Decoder
from ..decoding.sampling import uniform_source
from ..errors import Cancelled
from ..stats import Hooks, StatsAccumulator, StoppedBy
from ..streaming.request_queue import CancelToken
from .attempts import Attempt, select_best, should_retry
from .rendering import UtteranceRenderer
from .segments import Segment
from .sentence import Observer, Request, SentenceSynthesizer


class Batch:
    """Finished texts, `(index, audio)`, in the order in which they are finished. Pull-driven, like a stream.

    It holds its synthesizer from the first text to the last, as one utterance does: others wait in the queue, and `cancel`, the
    synthesizer's `stop`, or an utterance with `interrupt=True` end it within one step. One that is closed or dropped lets go.
    """

    urgent = False

    def __init__(self, results: Generator[tuple[int, Audio], None, None], texts: int, cancel_token: CancelToken) -> None:
        self._results = results
        self._texts = texts
        self._cancel_token = cancel_token
        self._inside = threading.Lock()

    def __iter__(self) -> Batch:
        return self

    def __next__(self) -> tuple[int, Audio]:
        """The next text that is finished.

        Raises:
            Cancelled: it was cancelled; texts that were not given until then are lost.
            BackendError: the library or device failed, or there is not enough memory for the batch.
            BusyError: this thread holds an unfinished stream of the same synthesizer.
        """
        with self._inside:
            if self._cancel_token.cancelled:
                self._results.close()
                raise Cancelled("The batch was cancelled before its end.")
            with self._cancel_token.computing():
                return next(self._results)

    def collect(self) -> list[Audio]:
        """All texts in the order in which they were given; errors as for one."""
        audios = dict(self)
        return [audios[index] for index in range(self._texts)]

    def cancel(self) -> None:
        """Stop within one step; from any thread."""
        self._cancel_token.cancel()
        if self._inside.acquire(blocking=False):
            try:
                self._results.close()
            finally:
                self._inside.release()

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cancel()


@dataclass(eq=False)
class BatchUtterance:
    """One text on its way through the batch."""

    index: int
    lines: list[Segment]
    pieces: list[list[int]]
    """Ids of each utterance of the model, in order."""
    request: Request
    tally: StatsAccumulator
    decoded: dict[int, list[np.ndarray]] = field(default_factory=dict)
    """Patches of the pieces that are finished, by number."""

    def chunks(self, narrator: UtteranceRenderer, speech: SentenceSynthesizer) -> list[AudioChunk]:
        """All chunks, by the same vocoder, tempo and pauses as when it is spoken alone."""
        def say(ids: list[int], number: int, request: Request, tally: StatsAccumulator,
                observe: Observer) -> Iterator[np.ndarray]:
            return speech.vocode(self.decoded[number], request, tally, observe)

        return list(narrator.chunks(self.lines, self.request, self.tally, say))


@dataclass(eq=False, kw_only=True)
class _Piece(DecodeJob):
    """One attempt at one piece of a text."""

    utterance: BatchUtterance
    number: int
    earlier: list[Attempt]
    patches: list[np.ndarray] = field(default_factory=list)


class BatchRun:
    """One pass over all texts: pieces to the decoder, failed attempts once more, finished texts to samples."""

    def __init__(self, speech: SentenceSynthesizer, narrator: UtteranceRenderer, backend: Backend, sample_rate: int,
                 hooks: Hooks) -> None:
        self._speech = speech
        self._renderer = narrator
        self._rate = sample_rate
        self._hooks = hooks
        self._stages: dict[str, float] = {}
        backend.record_into(self._stages, hooks.notify_stage)
        self._begin = self._mark = time.perf_counter()
        self._waiting: deque[DecodeJob] = deque()

    def results(self, utterances: list[BatchUtterance], decoder: BatchDecoder) -> Generator[tuple[int, Audio], None, None]:
        """Yield each text as it is finished."""
        self._waiting.extend(self._piece(text, number, []) for text in utterances for number in range(len(text.pieces)))
        for text in utterances:
            if not text.pieces:  # nothing but pauses
                yield text.index, self._finish(text)
        running: dict[BatchUtterance, None] = {}
        for patch in decoder.decode(self._waiting):
            piece = cast(_Piece, patch.job)
            if piece.utterance.request.cancel_token.cancelled:
                raise Cancelled("The batch was cancelled before its end.")
            running[piece.utterance] = None
            piece.patches.append(patch.tokens)
            if patch.stopped_by is not None:
                self._share(list(running))
                text, used = piece.utterance, decoder.cache.bytes_used
                text.tally.kv_cache_bytes_used = max(text.tally.kv_cache_bytes_used, used)
                text.tally.kv_cache_bytes_allocated = decoder.cache.bytes_allocated
                if self._settle(piece, patch.stopped_by):
                    del running[text]
                    yield text.index, self._finish(text)

    def _piece(self, text: BatchUtterance, number: int, earlier: list[Attempt]) -> _Piece:
        request = text.request
        random = uniform_source(request.seed, number, len(earlier))
        return _Piece(text.pieces[number], request.voice, request.sampling, random, utterance=text, number=number,
                      earlier=earlier)

    def _settle(self, piece: _Piece, reason: StoppedBy) -> bool:
        """Keep what was decoded, or have it tried again; whether the text is finished."""
        text, sampling = piece.utterance, piece.utterance.request.sampling
        attempts = [*piece.earlier, self._speech.judge(piece.ids, piece.patches, reason, sampling)]
        if should_retry(attempts, sampling):
            self._waiting.appendleft(self._piece(text, piece.number, attempts))
            return False
        kept = select_best(attempts)
        text.decoded[piece.number] = kept.spoken(self._speech.decoder.manifest.token_rate)
        text.tally.retries += len(attempts) - 1
        text.tally.stopped(kept.reason)
        return len(text.decoded) == len(text.pieces)

    def _finish(self, text: BatchUtterance) -> Audio:
        chunks, sentences = text.chunks(self._renderer, self._speech), SentenceTimes()
        for chunk in chunks:
            sentences.add(chunk)
        samples = np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in chunks)])
        if text.request.cancel_token.cancelled:  # then they may end in the middle
            raise Cancelled("The batch was cancelled before its end.")
        self._share([text])
        tally = text.tally
        tally.samples, tally.finished, tally.ttfa_seconds = len(samples), True, time.perf_counter() - self._begin
        words = None if tally.timer is None else tuple(tally.timer.words)
        audio = Audio(samples, self._rate, tally.stats(self._rate), words, tuple(sentences.sentences))
        self._hooks.notify_finished(audio.stats)
        return audio

    def _share(self, texts: list[BatchUtterance]) -> None:
        """Count the time since the last call, in equal parts, to the texts that it was spent on."""
        now = time.perf_counter()
        for text in texts:
            text.tally.compute_seconds += (now - self._mark) / len(texts)
            for stage, seconds in self._stages.items():
                text.tally.stage_seconds[stage] = text.tally.stage_seconds.get(stage, 0.0) + seconds / len(texts)
        self._stages.update(dict.fromkeys(self._stages, 0.0))
        self._mark = now


def longest(decoder: Decoder, utterances: Iterable[BatchUtterance]) -> int:
    """Cache positions of the longest row that these may need."""
    return max((decoder.prefix_length(len(ids), text.request.voice) + decoder.bounds(len(ids), text.request.voice).max_patches
                for text in utterances for ids in text.pieces), default=1)
