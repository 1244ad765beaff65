"""Interface of what speaks for the server: a synthesizer of this process, or replicas elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol

import msgspec
import numpy as np


class SpeechJob(msgspec.Struct, frozen=True, kw_only=True):
    """One utterance."""

    text: str
    voice: str | None = None
    """A name that the backend knows; None for its default."""
    seed: int = 0
    rate: float = 1.0
    """0.5 to 2."""
    instructions: str | None = None
    """How to speak, for backends whose bundle takes instructions; others ignore it."""
    words: bool = False
    """Find the times of words, where the bundle can."""
    client: str = ""
    """Whom the utterance is for: capacity is shared evenly among clients."""


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The model that speaks."""

    name: str
    voices: list[str]
    """All voices, uploaded ones too."""
    default_voice: str | None
    sample_rate: int
    """Samples per second."""
    can_clone: bool = False
    takes_instructions: bool = False
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    """For people: patch size, precision, provider."""


class SpeechChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an utterance's audio."""

    samples: np.ndarray
    """int16 [T]."""
    sentence: int
    """Index of its sentence, from 0."""
    text: str
    """That sentence; empty for a pause."""
    words: list[dict[str, Any]] | None = None
    """Words that begin in this chunk: `runtime.timing.captions.word_fields` of each; None where they were not asked for, or the
    bundle has no phoneme recogniser."""


class SpeechStream(Protocol):
    """An utterance on its way."""

    stats: dict[str, Any] | None
    """Figures, once it has ended."""
    words: list[dict[str, Any]] | None
    """All words with their final times, once it has ended; None where only the chunks have them."""

    def __aiter__(self) -> AsyncIterator[SpeechChunk]:
        """The chunks; raises TldrError."""

    async def aclose(self) -> None:
        """Cancel it; nothing once it has ended."""


class SpeechBackend(Protocol):
    """Speaks."""

    async def model(self) -> ModelInfo:
        """Describe the model."""

    def speak(self, job: SpeechJob, pieces: Iterable[str] | None = None) -> SpeechStream:
        """Begin an utterance; of `pieces`, an iterator that may block, in place of the job's text where given."""

    async def add_voice(self, name: str, recording: bytes, transcript: str | None) -> None:
        """Clone a voice from a sound file. Raises ApiError, TldrError."""

    async def remove_voice(self, name: str) -> bool:
        """Delete a cloned voice; False where there is none of that name."""

    def problem(self) -> str | None:
        """Return a description of the fault, or None while it works."""

    @property
    def waiting(self) -> int:
        """Utterances that run or wait."""
