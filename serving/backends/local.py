"""The backend in this process: one synthesizer, whose streams share a batch and wait in bounded buffers for their clients."""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Protocol

from runtime import AudioChunk, Stats, Synthesizer
from runtime.errors import BackendError, TldrError
from runtime.timing.captions import word_fields
from runtime.timing.words import Word
from serving.backends.cloned_voices import ClonedVoices
from serving.backends.interface import ModelInfo, SpeechChunk, SpeechJob
from serving.backends.serial import SerialBatch

ROWS = 24
"""Default number of utterances that are decoded together."""
BUFFERED_SECONDS = 1200.0
"""Audio that waits for all clients together: 58 MB at 24 kHz. A client's share is between the next two."""
LEAST_AHEAD, MOST_AHEAD = 4.0, 60.0
BROKEN_AFTER = 3
"""Failures of the backend in a row that make it unhealthy; the next utterance that succeeds ends that."""


class Submission(Protocol):
    """An utterance that a batch takes care of."""

    @property
    def words(self) -> list[Word] | None:
        """Its words so far; None where they have no times."""

    def cancel(self) -> None:
        """Stop it."""

    def pause(self, paused: bool = True) -> None:
        """Begin no further sentence, or begin again."""


class LocalBackend:
    """Speaks with one synthesizer. A listener that does not keep up is paused after its current sentence."""

    def __init__(self, synthesizer: Synthesizer, rows: int = ROWS, *, exact: bool = True, cloning: bool = True,
                 default_voice: str | None = None) -> None:
        """`exact` makes an utterance's samples independent of the others; `cloning` allows uploads of voices;
        `default_voice` is the synthesizer's, None for its bundle's."""
        self._synthesizer = synthesizer
        self._default_voice = default_voice or synthesizer.bundle.manifest.default_voice
        try:
            self._batch: Any = synthesizer.open_stream_batch(rows, exact=exact)
        except BackendError:  # a KV cache on a device
            self._batch = SerialBatch(synthesizer)
        self._open: set[LocalStream] = set()
        self._failures = 0
        self._failure = ""
        self._closed = False
        self._cloned = ClonedVoices(synthesizer, cloning)

    async def model(self) -> ModelInfo:
        """See `SpeechBackend`."""
        synthesizer, manifest = self._synthesizer, self._synthesizer.bundle.manifest
        details = {"patch": manifest.sizes.patch, "precision": manifest.precision, "provider": synthesizer.provider,
                   "text": manifest.text}
        return ModelInfo(name=manifest.model, voices=[*synthesizer.voices, *self._cloned.names],
                         sample_rate=synthesizer.sample_rate, default_voice=self._default_voice,
                         can_clone=self._cloned.possible, takes_instructions=self._cloned.takes_instructions, details=details)

    def speak(self, job: SpeechJob, pieces: Iterable[str] | None = None) -> LocalStream:
        """See `SpeechBackend`."""
        if self._closed:
            raise BackendError("The server is shutting down.")
        stream = LocalStream(functools.partial(self._submit, job, pieces), self._ahead, self._finished)
        self._open.add(stream)
        return stream

    async def add_voice(self, name: str, recording: bytes, transcript: str | None) -> None:
        """See `SpeechBackend`."""
        await self._cloned.add(name, recording, transcript)

    async def remove_voice(self, name: str) -> bool:
        """See `SpeechBackend`."""
        return self._cloned.remove(name)

    def problem(self) -> str | None:
        """See `SpeechBackend`."""
        if self._closed:
            return "The server is shutting down."
        if (fault := self._synthesizer.fault) is not None:
            return f"The device failed: {fault}; restart the server."
        if self._failures >= BROKEN_AFTER:
            return f"The last {self._failures} utterances failed: {self._failure}"
        return None

    @property
    def waiting(self) -> int:
        """See `SpeechBackend`."""
        return len(self._open)

    def close(self) -> None:
        """Cancel everything and accept no more requests."""
        self._closed = True
        self._batch.close()
        self._cloned.close()

    async def _submit(self, job: SpeechJob, pieces: Iterable[str] | None, on_chunk: Callable[[AudioChunk], None],
                      on_end: Callable[[Stats, BaseException | None], None]) -> Submission:
        voice = await self._cloned.choose(job.voice, job.instructions)
        text = job.text if pieces is None else pieces
        submission: Submission = self._batch.submit(text, voice=voice, seed=job.seed, rate=job.rate, words=job.words,
                                                    client=job.client, on_chunk=on_chunk, on_end=on_end)
        return submission

    def _ahead(self) -> float:
        """Seconds of audio that may wait for one client now."""
        return min(max(BUFFERED_SECONDS / max(1, len(self._open)), LEAST_AHEAD), MOST_AHEAD)

    def _finished(self, stream: LocalStream, error: BaseException | None) -> None:
        self._open.discard(stream)
        if isinstance(error, BackendError):
            self._failures += 1
            self._failure = str(error)
        elif error is None and stream.stats is not None and stream.stats["stopped_by"] != "cancel":
            self._failures = 0


class LocalStream:
    """Chunks of one utterance on their way from its thread to the event loop."""

    def __init__(self, submit: Callable[..., Any], ahead: Callable[[], float],
                 finished: Callable[[LocalStream, BaseException | None], None]) -> None:
        self.stats: dict[str, Any] | None = None
        """See `SpeechStream`."""
        self.words: list[dict[str, Any]] | None = None
        """See `SpeechStream`."""
        self._submit, self._ahead, self._finished = submit, ahead, finished
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[AudioChunk] = deque()
        self._changed = asyncio.Event()
        self._seconds = 0.0
        self._ended = False
        self._error: BaseException | None = None
        self._paused = False
        self._submission: Submission | None = None

    def __aiter__(self) -> AsyncIterator[SpeechChunk]:
        return self._iterate()

    async def aclose(self) -> None:
        """See `SpeechStream`."""
        if self._submission is not None:
            self._submission.cancel()
        elif not self._ended:
            self._end(None, None)

    async def _iterate(self) -> AsyncIterator[SpeechChunk]:
        try:
            self._submission = await self._submit(self._from_thread(self._take), self._from_thread(self._end))
        except BaseException as error:
            self._end(None, error)
            raise
        while True:
            while not self._chunks and not self._ended:
                self._changed.clear()
                await self._changed.wait()
            if not self._chunks:
                break
            chunk = self._chunks.popleft()
            self._seconds -= chunk.seconds
            if self._paused and self._seconds < self._ahead() / 2:
                self._pause(False)
            yield SpeechChunk(samples=chunk.int16(), sentence=chunk.sentence, text=chunk.text,
                              words=None if chunk.words is None else fields_of(chunk.words))
        if self._error is not None:
            raise self._error if isinstance(self._error, TldrError) else BackendError(f"Internal error: {self._error!r}.")

    def _from_thread(self, function: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            try:
                self._loop.call_soon_threadsafe(function, *arguments)
            except RuntimeError:  # the event loop is closed: no consumer is left
                if self._submission is not None:
                    self._submission.cancel()

        return call

    def _take(self, chunk: AudioChunk) -> None:
        self._chunks.append(chunk)
        self._seconds += chunk.seconds
        self._changed.set()
        if not self._paused and self._seconds > self._ahead():
            self._pause(True)

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        if self._submission is not None:
            self._submission.pause(paused)

    def _end(self, stats: Stats | None, error: BaseException | None) -> None:
        if not self._ended:
            self._ended, self._error = True, error
            self.stats = None if stats is None else stats.as_dict()
            words = None if self._submission is None else self._submission.words
            self.words = None if words is None else fields_of(words)
            self._changed.set()
            self._finished(self, error)


def fields_of(words: Iterable[Word]) -> list[dict[str, Any]]:
    """JSON of words."""
    return [word_fields(word) for word in words]
