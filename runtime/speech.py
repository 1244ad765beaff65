"""One sentence from ids to samples: the patch loop, its second tries, and the vocoder on growing chunks."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from runtime.backends.base import Backend
from runtime.decoding import Decoder
from runtime.manifest import Manifest
from runtime.sampling import SamplingOptions, uniform_source
from runtime.stats import StoppedBy, Tally
from runtime.vocoding import VocoderOpener
from runtime.voice import Voice
from runtime.watchdog import Watchdog

CHUNK_TOKENS = (8, 8, 16, 32)
"""Tokens of the first chunks that are vocoded, the last number for all later ones. The first gives 0.2 s of audio at 25
tokens/s and 3 of lookahead, enough to compute the next at an RTF of 0.6; growing ones cost less a token."""
RETRIES = 2
"""Further attempts at a sentence whose model missed its end, each with uniforms of its own."""


@dataclass(frozen=True)
class Request:
    """How an utterance is to be spoken."""

    voice: Voice
    sampling: SamplingOptions
    seed: int
    retry: bool
    """Decode a sentence wholly before its first sample, so that a failed attempt can be thrown away."""
    cancelled: Event = field(default_factory=Event)


class Speech:
    """Decoder and vocoder of one bundle; not thread-safe."""

    def __init__(self, manifest: Manifest, vocoders: VocoderOpener, backend: Backend) -> None:
        self.decoder = Decoder(manifest, backend)
        self.chunk_tokens: tuple[int, ...] = CHUNK_TOKENS
        self._manifest = manifest
        self._vocoders = vocoders

    def say(self, ids: Sequence[int], sentence: int, request: Request, tally: Tally) -> Iterator[np.ndarray]:
        """Samples float32 [T] of a sentence's ids, a chunk at a time; counts into `tally`. Nothing follows a cancel."""
        decode = self._settled if request.retry else self._live
        patches = counted(decode(ids, sentence, request, tally), tally)
        vocoder = self._vocoders(request.voice)
        for tokens in in_chunks(patches, self.chunk_tokens):
            if request.cancelled.is_set():
                break
            yield vocoder.push(tokens)
        if request.cancelled.is_set():
            tally.stopped("cancel")
        else:
            yield vocoder.flush()

    def _live(self, ids: Sequence[int], sentence: int, request: Request, tally: Tally) -> Iterator[np.ndarray]:
        """Tokens of each patch as it is decoded. What was heard cannot be taken back: a failed attempt ends there."""
        tally.stopped((yield from self._attempt(ids, sentence, 0, request, tally)))

    def _settled(self, ids: Sequence[int], sentence: int, request: Request, tally: Tally) -> Iterator[np.ndarray]:
        """Tokens of each patch of the first attempt that found its end, or of the last one without its loop."""
        for attempt in range(1 + RETRIES):
            patches, reason = gather(self._attempt(ids, sentence, attempt, request, tally))
            if reason in ("end", "cancel") or request.sampling.greedy:  # greedy attempts would all be the same
                break
        tally.retries += attempt
        tally.stopped(reason)
        yield from without_loop(patches, self._manifest.token_rate) if reason == "repetition" else patches

    def _attempt(self, ids: Sequence[int], sentence: int, attempt: int, request: Request,
                 tally: Tally) -> Generator[np.ndarray, None, StoppedBy]:
        random = uniform_source(request.seed, sentence, attempt)
        try:
            cancelled = request.cancelled.is_set
            return (yield from self.decoder.decode(ids, request.voice, request.sampling, random, cancelled))
        finally:
            tally.kv_cache_bytes_used = max(tally.kv_cache_bytes_used, self.decoder.cache.bytes_used)


def gather(steps: Generator[np.ndarray, None, StoppedBy]) -> tuple[list[np.ndarray], StoppedBy]:
    """Everything that a decoding yields, and what it returns."""
    patches: list[np.ndarray] = []
    while True:
        try:
            patches.append(next(steps))
        except StopIteration as stop:
            return patches, stop.value


def counted(patches: Iterable[np.ndarray], tally: Tally) -> Iterator[np.ndarray]:
    """The same, counting patches and tokens that are spoken."""
    for tokens in patches:
        tally.patches += 1
        tally.tokens += len(tokens)
        yield tokens


def in_chunks(patches: Iterable[np.ndarray], sizes: Sequence[int]) -> Iterator[np.ndarray]:
    """Whole patches put together to at least sizes[0] tokens, then sizes[1], ..., the last size for all later ones."""
    waiting: list[np.ndarray] = []
    chunk = 0
    for tokens in patches:
        waiting.append(tokens)
        if sum(map(len, waiting)) >= sizes[min(chunk, len(sizes) - 1)]:
            yield np.concatenate(waiting)
            waiting, chunk = [], chunk + 1
    if waiting:
        yield np.concatenate(waiting)


def without_loop(patches: list[np.ndarray], token_rate: float) -> list[np.ndarray]:
    """The patches up to the end of the first cycle of the loop that they end in."""
    watchdog = Watchdog(token_rate)
    tokens = np.concatenate(patches)
    watchdog.push(tokens.tolist())
    kept = tokens[:len(tokens) - watchdog.repeated]
    sizes = np.cumsum([len(patch) for patch in patches])
    return [part for part in np.split(kept, sizes[sizes < len(kept)]) if len(part)]
