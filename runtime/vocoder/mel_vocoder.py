"""Mel frames to samples in pieces of any size: pitch, phases of the source, and the waveform graph on windows.

The graphs are causal but for a few frames, so a window that begins `look_back` frames earlier gives the samples of the whole
utterance, at a cost that does not grow with it.
"""

from __future__ import annotations

import numpy as np

from ..backends.base import Backend
from ..bundle.manifest import Flow, Vocoder
from ..errors import BackendError

NOISE_SEED = 0
EDGE_FRAMES = 1
"""Frames at a window's right edge that its STFT mirrors instead of knowing them."""


class MelVocoder:
    """One utterance. All samples together are the same for every way of cutting the frames into calls."""

    def __init__(self, backend: Backend, vocoder: Vocoder, flow: Flow) -> None:
        self._backend, self._flow, self._sizes = backend, flow, flow.sizes
        self._rate = vocoder.sample_rate
        self._random = np.random.default_rng(NOISE_SEED)
        self._cycles = np.zeros(self._sizes.harmonics)
        """Sum of the cycles a sample of each harmonic, one term a frame, mod 1."""
        self._first = 0
        """Number of the first frame that is still held."""
        self._made = 0
        """Frames whose samples were given."""
        self._mel = np.zeros((0, self._sizes.mel), np.float32)
        self._phases = np.zeros((0, self._sizes.harmonics), np.float32)
        self._voiced = np.zeros(0, np.float32)
        self._noise = np.zeros((0, self._sizes.harmonics), np.float32)

    def push(self, mel: np.ndarray, last: bool = False) -> np.ndarray:
        """Samples float32 [T] that the frames float32 [N, M] complete; with `last`, all that are left."""
        self._mel = np.concatenate((self._mel, mel))
        known = self._first + len(self._mel)
        self._add_source(known if last else known - self._sizes.pitch_lookahead, last)
        end = known if last else known - self._sizes.wave_lookahead - EDGE_FRAMES
        if end <= self._made:
            return np.zeros(0, np.float32)
        samples = self._window(end, 0 if last else EDGE_FRAMES, last)
        self._made = end
        self._forget()
        return samples

    def _add_source(self, end: int, last: bool) -> None:
        """Phases, voicing and noise of the frames up to `end`."""
        begin = self._first + len(self._voiced)
        if end <= begin:
            return
        start = max(self._first, begin - self._flow.pitch_look_back)
        inputs = {"mel": self._padded(start, end + self._sizes.pitch_lookahead, last)}
        hertz = self._backend.run("pitch", inputs, fetch=("hertz",))["hertz"][0][begin - start:]
        turns = (hertz.astype(np.float64)[:, None] * np.arange(1, self._sizes.harmonics + 1) / self._rate) % 1
        cycles = (self._cycles + turns.cumsum(0)) % 1
        self._cycles = cycles[-1]
        # A harmonic keeps one phase through a frame: the model was trained that way.
        self._phases = np.concatenate((self._phases, (cycles * self._sizes.hop % 1).astype(np.float32)))
        self._voiced = np.concatenate((self._voiced, (hertz > self._flow.voiced_above).astype(np.float32)))
        noise = self._random.random((len(hertz) * self._sizes.hop, self._sizes.harmonics), np.float32)
        self._noise = np.concatenate((self._noise, noise))

    def _window(self, end: int, edge: int, last: bool) -> np.ndarray:
        start, hop = max(self._first, self._made - self._flow.wave_look_back), self._sizes.hop
        held = slice(start - self._first, end + edge - self._first)
        inputs = {"mel": self._padded(start, end + edge + self._sizes.wave_lookahead, last),
                  "phases": self._phases[None, held], "voiced": self._voiced[None, held],
                  "noise": self._noise[None, held.start * hop:held.stop * hop]}
        samples: np.ndarray = self._backend.run("waveform", inputs, fetch=("waveform",))["waveform"][0]
        samples = samples[(self._made - start) * hop:(end - start) * hop]
        if not np.isfinite(samples).all():
            raise BackendError("The vocoder computed samples that are not finite; use an FP32 bundle or provider cpu.")
        return samples

    def _padded(self, start: int, end: int, last: bool) -> np.ndarray:
        """Return frames start..end, [1, N, M]; zeros after the last one of an utterance."""
        piece = self._mel[start - self._first:end - self._first]
        missing = end - start - len(piece)
        if missing and not last:
            raise BackendError(f"Internal error: {missing} mel frames are missing; please report it.")
        return np.pad(piece, ((0, missing), (0, 0)))[None]

    def _forget(self) -> None:
        """Let go of frames that no later window needs."""
        keep = max(self._first, self._made - max(self._flow.wave_look_back, self._flow.pitch_look_back))
        gone = keep - self._first
        self._mel, self._phases, self._voiced = self._mel[gone:], self._phases[gone:], self._voiced[gone:]
        self._noise = self._noise[gone * self._sizes.hop:]
        self._first = keep
