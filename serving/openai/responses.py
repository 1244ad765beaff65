"""Response bodies of an utterance: audio, server-sent events, or JSON with times."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from runtime.output.encoding import Encoder
from serving.backends.interface import SpeechChunk
from serving.speech import Utterance

_ENCODERS = ThreadPoolExecutor(2, "tldr-encode")
_DIRECT = ("wav", "pcm")
"""Formats that take no time to write, so that no thread is needed."""


@dataclass
class Times:
    """Words and sentences of an utterance with their times in seconds, as its chunks tell them."""

    sample_rate: int
    sentences: list[dict[str, Any]] = field(default_factory=list)
    words: list[dict[str, Any]] | None = None
    """None where the bundle has no word times."""
    _samples: int = 0

    def add(self, chunk: SpeechChunk) -> list[dict[str, Any]]:
        """Note a chunk; returns the events that it brings: a sentence that begins, words."""
        events: list[dict[str, Any]] = []
        begin, self._samples = self._samples, self._samples + len(chunk.samples)
        if chunk.text.strip() and (not self.sentences or self.sentences[-1]["index"] != chunk.sentence):
            self.sentences.append({"index": chunk.sentence, "text": chunk.text, "start": round(begin / self.sample_rate, 3)})
            events.append({"type": "speech.sentence", **self.sentences[-1]})
        if chunk.text and self.sentences:
            self.sentences[-1]["end"] = round(self._samples / self.sample_rate, 3)
        if chunk.words is not None:
            self.words = [*(self.words or []), *chunk.words]
            if chunk.words:
                events.append({"type": "speech.words", "words": chunk.words})
        return events


async def audio_body(utterance: Utterance, encoder: Encoder, kind: str) -> AsyncIterator[bytes]:
    """Bytes of an audio format."""
    async for chunk in utterance.chunks():
        if data := await _encode(encoder, kind, chunk.samples):
            yield data
    if data := await _encode(encoder, kind, None):
        yield data


async def event_body(utterance: Utterance, encoder: Encoder, kind: str, timestamps: bool) -> AsyncIterator[bytes]:
    """OpenAI's server-sent events; with `timestamps` also `speech.sentence` and `speech.words`, before their audio."""
    times = Times(utterance.model.sample_rate)
    async for chunk in utterance.chunks():
        for entry in times.add(chunk) if timestamps else ():
            yield _event(**entry)
        if data := await _encode(encoder, kind, chunk.samples):
            yield _delta(data)
    if data := await _encode(encoder, kind, None):
        yield _delta(data)
    characters, tokens = len(utterance.job.text), _tokens(utterance)
    yield _event(type="speech.audio.done", usage={"input_tokens": characters, "output_tokens": tokens,
                                                  "total_tokens": characters + tokens})


async def json_body(utterance: Utterance, encoder: Encoder, kind: str) -> dict[str, Any]:
    """All audio in base64 with times of sentences, and of words where the bundle knows them."""
    times, data = Times(utterance.model.sample_rate), bytearray()
    async for chunk in utterance.chunks():
        times.add(chunk)
        data += await _encode(encoder, kind, chunk.samples)
    data += await _encode(encoder, kind, None)
    return {"audio": base64.b64encode(data).decode(), "format": kind, "sample_rate": utterance.model.sample_rate,
            "duration": round(utterance.record.audio_seconds, 3), "words": utterance.words or times.words,
            "sentences": times.sentences}


async def whole_body(utterance: Utterance, encoder: Encoder, kind: str) -> bytes:
    """All audio at once."""
    return b"".join([data async for data in audio_body(utterance, encoder, kind)])


async def _encode(encoder: Encoder, kind: str, samples: np.ndarray | None) -> bytes:
    """Bytes of samples, or of the end; in a thread where it takes time, which leaves the event loop free."""
    if kind in _DIRECT:
        return encoder.finish() if samples is None else encoder.push(samples)
    loop = asyncio.get_running_loop()
    if samples is None:
        return await loop.run_in_executor(_ENCODERS, encoder.finish)
    return await loop.run_in_executor(_ENCODERS, encoder.push, samples)


def _tokens(utterance: Utterance) -> int:
    tokens = (utterance.stats or {}).get("tokens", 0)
    return tokens if isinstance(tokens, int) else 0


def _event(**content: object) -> bytes:
    return b"data: " + msgspec.json.encode(content) + b"\n\n"


def _delta(data: bytes) -> bytes:
    return _event(type="speech.audio.delta", audio=base64.b64encode(data).decode())
