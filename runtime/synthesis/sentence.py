"""One sentence from ids to samples: decode, verify, retry, vocode."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from ..backends.base import Backend
from ..bundle.manifest import Manifest
from ..bundle.voice import Voice
from ..decoding.decoder import Decoder
from ..decoding.sampling import uniform_source
from ..errors import Cancelled
from ..options import SamplingOptions
from ..stats import StatsAccumulator, StoppedBy
from ..streaming.request_queue import CancelToken
from ..vocoder.vocoding import VocoderOpener
from .alignment import AlignmentVerifier
from .attempts import Attempt, select_best, should_retry

_log = logging.getLogger(__name__)
Observer = Callable[[np.ndarray], None]
"""Takes codec tokens int64 [K]."""


def ignore_tokens(tokens: np.ndarray) -> None:
    """Observe nothing."""


@dataclass(frozen=True)
class Request:
    """Request of an utterance: voice, sampling, seed, verification, cancellation."""

    voice: Voice
    sampling: SamplingOptions
    seed: int
    retry: bool
    """Decode a sentence wholly before its first sample, so that a failed attempt can be thrown away."""
    words: bool = False
    """Align the words, where the bundle has a phoneme recogniser."""
    cancel_token: CancelToken = field(default_factory=CancelToken)


class SentenceSynthesizer:
    """Decoder, vocoder and verifier of one bundle; not thread-safe."""

    def __init__(self, manifest: Manifest, vocoders: VocoderOpener, backend: Backend,
                 listener: AlignmentVerifier | None = None) -> None:
        """Without a `listener` (phoneme recogniser) omissions and repetitions are not detected."""
        self.decoder = Decoder(manifest, backend)
        self._manifest = manifest
        self._vocoders = vocoders
        self._backend = backend
        self.listener = listener

    def synthesize(self, ids: Sequence[int], sentence: int, request: Request, tally: StatsAccumulator,
                   observe: Observer = ignore_tokens) -> Iterator[np.ndarray]:
        """Yield samples float32 [T > 0] of a sentence's ids, a block at a time; counts into `tally`. Nothing follows a cancel.

        `sentence` is the number of the sentence in its text, from which with the request's seed its random numbers follow.
        """
        decode = self._decode_with_retries if request.retry else self._decode_streaming
        return self.vocode(decode(ids, sentence, request, tally), request, tally, observe)

    def vocode(self, patches: Iterable[np.ndarray], request: Request, tally: StatsAccumulator,
               observe: Observer = ignore_tokens) -> Iterator[np.ndarray]:
        """Yield samples float32 [T > 0] of a sentence's patches as they come, and count both; nothing follows a cancel.

        `observe` is called with the tokens of each patch before its samples, and with none once the last one was decoded.
        """
        vocoder = self._vocoders(request.voice)
        with suppress(Cancelled):  # raised by a backend in the middle of a graph
            for tokens in patches:
                tally.patches += 1
                tally.tokens += len(tokens)
                observe(tokens)
                if request.cancel_token.cancelled:
                    break
                if len(samples := vocoder.push(tokens)):
                    yield samples
            if not request.cancel_token.cancelled:
                observe(np.zeros(0, np.int64))
                if len(samples := vocoder.flush()):
                    yield samples
        if request.cancel_token.cancelled:
            tally.stopped("cancel")

    def _decode_streaming(self, ids: Sequence[int], sentence: int, request: Request,
                          tally: StatsAccumulator) -> Iterator[np.ndarray]:
        """Yield the tokens of each patch as it is decoded. There is no second attempt: its samples may have been played."""
        try:
            self._note_stop(tally, (yield from self._decode(ids, sentence, 0, request)), request.voice)
        finally:
            self._note_cache(tally)

    def _decode_with_retries(self, ids: Sequence[int], sentence: int, request: Request,
                             tally: StatsAccumulator) -> Iterator[np.ndarray]:
        """Yield the patches of the first good attempt, or of the best of all."""
        attempts: list[Attempt] = []
        try:
            while not attempts or should_retry(attempts, request.sampling):
                patches, reason = gather(self._decode(ids, sentence, len(attempts), request))
                attempts.append(self.judge(ids, patches, reason, request.sampling))
        finally:
            self._note_cache(tally)
        kept = select_best(attempts)
        tally.retries += len(attempts) - 1
        self._note_stop(tally, kept.reason, request.voice)
        yield from kept.spoken(self._manifest.token_rate)

    def judge(self, ids: Sequence[int], patches: list[np.ndarray], reason: StoppedBy, sampling: SamplingOptions) -> Attempt:
        """Return the attempt with its omission score, where another attempt could be better."""
        if self.listener is None or reason != "end" or sampling.greedy or not patches:
            return Attempt(patches, reason)
        begin = time.perf_counter()
        omission_score = self.listener.omission_score(ids, np.concatenate(patches))
        self._backend.record("listener", time.perf_counter() - begin)
        return Attempt(patches, reason, omission_score)

    def _note_stop(self, tally: StatsAccumulator, reason: StoppedBy, voice: Voice) -> None:
        tally.stopped(reason)
        if reason == "length":
            seconds = self.decoder.speech_seconds(voice)
            _log.warning("A sentence did not end by itself and was cut; the cache has room for %.1f s of speech after the "
                         "prompt of voice %r.", seconds, voice.name)

    def _decode(self, ids: Sequence[int], sentence: int, attempt: int,
                request: Request) -> Generator[np.ndarray, None, StoppedBy]:
        """Return the decoding of one attempt, with its random numbers."""
        random, cancel_token = uniform_source(request.seed, sentence, attempt), request.cancel_token
        return self.decoder.decode(ids, request.voice, request.sampling, random, lambda: cancel_token.cancelled)

    def _note_cache(self, tally: StatsAccumulator) -> None:
        tally.kv_cache_bytes_used = max(tally.kv_cache_bytes_used, self.decoder.cache.bytes_used)


def gather(steps: Generator[np.ndarray, None, StoppedBy]) -> tuple[list[np.ndarray], StoppedBy]:
    """Everything that a decoding yields, and what it returns."""
    patches: list[np.ndarray] = []
    while True:
        try:
            patches.append(next(steps))
        except StopIteration as stop:
            return patches, stop.value
