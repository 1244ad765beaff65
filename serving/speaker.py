"""What the endpoint speaks with: a synthesizer in this process, or replicas elsewhere, behind one interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec
import numpy as np

from runtime import Synthesizer

AHEAD_SECONDS = 3.0
"""Audio made before the client has taken it; a slow network holds synthesis back."""


class Order(msgspec.Struct, frozen=True):
    """One utterance."""

    text: str
    voice: str | None = None
    seed: int = 0
    rate: float = 1.0


class Model(msgspec.Struct, frozen=True):
    """What speaks."""

    name: str
    voices: list[str]
    sample_rate: int


class Speaker(Protocol):
    """Makes utterances."""

    async def model(self) -> Model:
        """Name, voices and sample rate."""

    def speak(self, order: Order) -> AsyncIterator[np.ndarray]:
        """Samples int16 [T] of an utterance as they are made; closing the iterator cancels it. Raises TldrError."""


class LocalSpeaker:
    """A synthesizer of this process; utterances queue."""

    def __init__(self, synthesizer: Synthesizer) -> None:
        self._synthesizer = synthesizer

    async def model(self) -> Model:
        """See `Speaker`."""
        made = self._synthesizer
        return Model(made.bundle.manifest.model, made.voices, made.sample_rate)

    async def speak(self, order: Order) -> AsyncIterator[np.ndarray]:
        """See `Speaker`."""
        stream = self._synthesizer.stream(order.text, voice=order.voice, seed=order.seed, rate=order.rate)
        async with stream.buffered(AHEAD_SECONDS) as ahead:
            async for chunk in ahead:
                yield chunk.int16()
