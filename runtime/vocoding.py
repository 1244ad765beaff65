"""Codec tokens to samples in pieces of any size, without joins: the vocoder's state travels from call to call."""

from __future__ import annotations

import numpy as np

from runtime.backends.base import Backend
from runtime.contract import NO_TOKEN
from runtime.errors import BackendError
from runtime.manifest import Vocoder


class StreamingVocoder:
    """One utterance's vocoder. All samples together are the same for every way of cutting the tokens into calls."""

    def __init__(self, backend: Backend, vocoder: Vocoder, speaker: np.ndarray) -> None:
        self._backend = backend
        self._vocoder = vocoder
        self._speaker = speaker[None]
        self._state = np.zeros((1, vocoder.state), np.float32)
        self._late = vocoder.lookahead * vocoder.samples_per_token
        """Samples still to be dropped: the graph answers `lookahead` tokens late."""

    def push(self, tokens: np.ndarray) -> np.ndarray:
        """Samples float32 [T] that the tokens int64 [N] complete; may be empty at the start."""
        if not len(tokens):
            return np.zeros(0, np.float32)
        outputs = self._backend.run("vocoder", {"tokens": tokens[None], "speaker": self._speaker, "state": self._state},
                                    fetch=("waveform", "next_state"))
        self._state = outputs["next_state"]
        samples = outputs["waveform"][0]
        dropped = min(self._late, len(samples))
        self._late -= dropped
        samples = samples[dropped:]
        if not np.isfinite(samples).all():
            raise BackendError("The vocoder computed samples that are not finite; use an FP32 bundle or provider cpu.")
        clipped: np.ndarray = np.clip(samples, -1.0, 1.0)
        return clipped

    def flush(self) -> np.ndarray:
        """The last samples, float32 [lookahead * samples_per_token], once, at the end; none if there was no token."""
        return self.push(np.full(self._vocoder.lookahead, NO_TOKEN, np.int64))
