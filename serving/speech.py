"""One utterance of any interface: admitted, spoken, counted, and cancelled where its client leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from runtime.errors import TextError, TldrError
from serving.backends.interface import ModelInfo, SpeechBackend, SpeechChunk, SpeechJob
from serving.errors import ApiError, Truncated, to_api_error
from serving.limits import Admission
from serving.metrics import Metrics, Record
from serving.voices import VoiceNames

SILENCE_SECONDS = 0.2
"""What is answered to a text that holds nothing to say, where silence was asked for."""


@dataclass
class Service:
    """State that all interfaces share."""

    backend: SpeechBackend
    voices: VoiceNames = field(default_factory=VoiceNames)
    admission: Admission = field(default_factory=Admission)
    strict: bool = False

    def __post_init__(self) -> None:
        self.metrics = Metrics(lambda: self.admission.open)

    def stop(self) -> None:
        """Accept no more requests."""
        self.admission.stopping = True

    @asynccontextmanager
    async def speak(self, interface: str, job: SpeechJob, *, pieces: Iterable[str] | None = None,
                    silence: bool = False) -> AsyncIterator[Utterance]:
        """Speak a job while the block runs; it is cancelled where the block is left early. ApiError where it is refused."""
        record = self.metrics.begin(interface, job.client, len(job.text))
        try:
            with self.admission.enter(job.client):
                model = await self.backend.model()
                utterance = Utterance(self.backend, job, pieces, model, record, silence)
                try:
                    yield utterance
                finally:
                    await utterance.aclose()
        except ApiError:
            record.end("refused")
            raise
        except BaseException:
            record.end("cancelled")
            raise


class Utterance:
    """Chunks of one utterance; counts them."""

    def __init__(self, backend: SpeechBackend, job: SpeechJob, pieces: Iterable[str] | None, model: ModelInfo, record: Record,
                 silence: bool) -> None:
        self.job, self.model, self.record = job, model, record
        self._silence = silence
        self._first: list[SpeechChunk] = []
        try:
            self._stream = backend.speak(job, pieces)
        except TldrError as error:
            raise to_api_error(error) from error
        self._chunks: AsyncGenerator[SpeechChunk, None] | None = None

    @property
    def stats(self) -> dict[str, object] | None:
        """The synthesizer's figures, once it has ended."""
        return self._stream.stats

    @property
    def words(self) -> list[dict[str, object]] | None:
        """All words with their final times, once it has ended, where the backend has them."""
        return self._stream.words

    async def begin(self) -> None:
        """Wait for the first chunk that is speech. ApiError where the utterance cannot be spoken."""
        self._chunks = self._iterate()
        try:
            async for chunk in self._chunks:
                self._first.append(chunk)
                if chunk.text:
                    break
        except TldrError as error:
            raise to_api_error(error) from error

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """All chunks; Truncated where the utterance ends in the middle."""
        try:
            if self._chunks is None:
                await self.begin()
            for chunk in self._first:
                yield chunk
            assert self._chunks is not None
            async for chunk in self._chunks:
                yield chunk
        except TldrError as error:
            self.record.end("failed")
            raise Truncated(str(error)) from error
        stats = self._stream.stats
        if stats is not None and stats.get("stopped_by") == "cancel":
            self.record.end("cancelled", stats)
            raise Truncated("The utterance was cancelled.")
        self.record.end("completed", stats)

    async def aclose(self) -> None:
        """Cancel what is left."""
        await self._stream.aclose()
        if self._chunks is not None:
            await self._chunks.aclose()
        self.record.end("cancelled")

    async def _iterate(self) -> AsyncGenerator[SpeechChunk, None]:
        rate = self.model.sample_rate
        try:
            async for chunk in self._stream:
                self.record.add(chunk, rate)
                yield chunk
        except TextError:
            if not self._silence or self.job.text.lstrip().startswith("<"):
                raise
            yield SpeechChunk(samples=np.zeros(round(SILENCE_SECONDS * rate), np.int16), sentence=0, text=" ")
