"""Faster or slower speech at the same pitch: waveform-similarity overlap-add (WSOLA), the same however it is fed."""

from __future__ import annotations

import numpy as np

from ..options import check_rate

_FRAME_SECONDS = 0.03
"""Two to six periods of a voice: shorter ones flutter, longer ones echo."""
_SEARCH_SECONDS = 0.008
"""A frame may be taken this much earlier or later, so that its waves meet those before: one period of a low voice."""


class TimeStretcher:
    """Change the rate of one sentence: output frames `hop` apart, each taken where the input best continues the last."""

    def __init__(self, rate: float, sample_rate: int) -> None:
        """`rate`: seconds of input a second of output; OptionError outside 0.5 to 2."""
        check_rate(rate)
        self._rate = rate
        self._hop = max(1, round(_FRAME_SECONDS * sample_rate / 2))
        self._search = max(1, round(_SEARCH_SECONDS * sample_rate))
        phase = np.arange(2 * self._hop) / (2 * self._hop)
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * phase)).astype(np.float32)
        self._input = np.zeros(self._search + self._hop, np.float32)
        """Input from sample `_start` on (in samples of the padded input)."""
        self._start = -(self._search + self._hop)
        self._frame = 0
        self._expected: np.ndarray | None = None
        """float32 [2 hop]: what would follow the last frame if nothing were skipped."""
        self._tail = np.zeros(self._hop, np.float32)
        """Second half of the last frame, windowed, still to be overlapped."""
        self._received = self._sent = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take samples float32 [T]; gives those float32 [S] that are settled."""
        if self._rate == 1.0:
            return samples
        self._received += len(samples)
        return self._advance(samples)

    def flush(self) -> np.ndarray:
        """Return the rest, once, at the end: all output together has round(input / rate) samples."""
        if self._rate == 1.0:
            return np.zeros(0, np.float32)
        wanted = round(self._received / self._rate)
        silence = np.zeros(3 * self._hop + 2 * self._search + round(2 * self._hop * self._rate), np.float32)
        parts = [np.zeros(0, np.float32)]
        while self._sent < wanted:
            parts.append(self._advance(silence))
        rest = np.concatenate(parts)
        return rest[:len(rest) - (self._sent - wanted)]

    def _advance(self, samples: np.ndarray) -> np.ndarray:
        self._input = np.concatenate((self._input, samples))
        parts = [np.zeros(0, np.float32)]
        while (part := self._next_hop()) is not None:
            parts.append(part)
        out = np.concatenate(parts)
        self._sent += len(out)
        return out

    def _next_hop(self) -> np.ndarray | None:
        """The next `hop` samples, or None while input that they may need is missing."""
        middle = round(self._frame * self._hop * self._rate) - self._hop  # frames begin half a frame early: full windows
        low = middle - self._search
        if middle + self._search + 3 * self._hop > self._start + len(self._input):
            return None
        region = self._input[low - self._start:middle + self._search + 2 * self._hop - self._start]
        shift = self._search if self._expected is None else _best_shift(region, self._expected)
        place = low + shift - self._start
        frame = self._input[place:place + 2 * self._hop] * self._window
        self._expected = self._input[place + self._hop:place + 3 * self._hop]
        hop = self._tail + frame[:self._hop]
        self._tail = frame[self._hop:]
        self._frame += 1
        self._forget(round(self._frame * self._hop * self._rate) - self._hop - self._search)
        return hop if self._frame > 1 else hop[:0]  # the first only fades in the silence before the sound

    def _forget(self, before: int) -> None:
        gone = min(max(0, before - self._start), len(self._input))
        self._input, self._start = self._input[gone:], self._start + gone



def _best_shift(region: np.ndarray, expected: np.ndarray) -> int:
    """Return the shift in `region` of the highest normalised cross-correlation with `expected`."""
    length = len(expected)
    similarity = np.correlate(region, expected, "valid")
    squares = np.concatenate(([0.0], np.cumsum(region.astype(np.float64) ** 2)))
    energy = np.sqrt(np.maximum(squares[length:] - squares[:-length], 0.0)) + 1e-3
    return int(np.argmax(similarity / energy))
