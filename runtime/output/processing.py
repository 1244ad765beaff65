"""Sample rate, gain and trailing silence of an utterance, chunk by chunk; equal samples for chunks of any size."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..audio import AudioChunk
from ..errors import BackendError, OptionError
from ..timing.words import Word

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8_000, 48_000
MAX_GAIN_DB = 40.0
MAX_TRAILING_SILENCE = 10.0
KNEE = 0.8
"""Magnitude from which an amplified sample is compressed; the result never exceeds 1."""


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """Requirements of a device. The defaults leave the samples unchanged.

    Raises:
        OptionError: a value out of its range.
    """

    sample_rate: int | None = None
    """Samples per second, 8,000 to 48,000; None for the bundle's own rate."""
    gain_db: float = 0.0
    """Decibels, -40 to 40. Peaks are compressed smoothly instead of being clipped."""
    trailing_silence: float = 0.0
    """Seconds of silence after each utterance, 0 to 10, for devices that cut the end (Bluetooth loudspeakers)."""

    def __post_init__(self) -> None:
        rate = self.sample_rate
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | np.integer)
                                 or not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE):
            raise OptionError(f"sample_rate must be a whole number from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}, not {rate!r}.")
        _check_range("gain_db", self.gain_db, -MAX_GAIN_DB, MAX_GAIN_DB)
        _check_range("trailing_silence", self.trailing_silence, 0.0, MAX_TRAILING_SILENCE)


class OutputProcessor:
    """Apply the settings to the chunks of utterances."""

    def __init__(self, settings: OutputSettings, source_rate: int) -> None:
        """`source_rate`: samples per second of the vocoder. Raises BackendError where the package soxr is missing."""
        self._settings = settings
        self._source_rate = source_rate
        self.sample_rate = int(settings.sample_rate or source_rate)
        """Samples per second of the result."""
        self._gain = 10 ** (settings.gain_db / 20)
        self._soxr: Any = None
        if self.sample_rate != source_rate:
            try:
                self._soxr = importlib.import_module("soxr")
            except (ImportError, OSError) as error:
                raise BackendError("Another sample rate needs the package soxr; install it: pip install soxr.") from error

    def apply(self, chunks: Iterable[AudioChunk], cancelled: Callable[[], bool] = lambda: False) -> Iterator[AudioChunk]:
        """Yield the processed chunks of one utterance; what the resampler holds at the end belongs to the last sentence."""
        if self._soxr is None and self._gain == 1 and not self._settings.trailing_silence:
            yield from chunks
            return
        resampler = None if self._soxr is None else self._soxr.ResampleStream(self._source_rate, self.sample_rate, 1, "float32")
        last: AudioChunk | None = None
        words: tuple[Word, ...] = ()
        for last in chunks:
            samples = last.samples if resampler is None else resampler.resample_chunk(last.samples)
            words = (*words, *(last.words or ()))  # of chunks that the resampler still holds
            if len(samples):
                yield self._processed(last, amplify(samples, self._gain), words)
                words = ()
        if last is None or cancelled():
            return
        rest = [np.zeros(round(self._settings.trailing_silence * self.sample_rate), np.float32)]
        if resampler is not None:
            rest.insert(0, amplify(resampler.resample_chunk(np.zeros(0, np.float32), last=True), self._gain))
        if len(samples := np.concatenate(rest)):
            yield self._processed(last, samples, words)

    def _processed(self, chunk: AudioChunk, samples: np.ndarray, words: tuple[Word, ...]) -> AudioChunk:
        return replace(chunk, samples=samples, sample_rate=self.sample_rate, words=None if chunk.words is None else words)


def amplify(samples: np.ndarray, gain: float) -> np.ndarray:
    """Return float32 samples [T] times `gain`; magnitudes above `KNEE` approach 1 smoothly. Unchanged for a gain of 1."""
    if gain == 1:
        return samples
    amplified: np.ndarray = samples * np.float32(gain)
    magnitude = np.abs(amplified)
    over = magnitude > KNEE
    if over.any():
        room = 1 - KNEE
        amplified[over] = np.sign(amplified[over]) * (KNEE + room * np.tanh((magnitude[over] - KNEE) / room))
    return amplified


def _check_range(name: str, value: float, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not least <= value <= most:
        raise OptionError(f"{name} must be from {least:g} to {most:g}, not {value!r}.")
