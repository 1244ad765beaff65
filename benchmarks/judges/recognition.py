"""The recognisers that word error rates are taken with: they fail on different sentences."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from benchmarks.judges.whisper import RATE, WhisperRecogniser
from benchmarks.judges.whisper_base import whisper_base
from runtime.errors import BackendError


class Transcriber(Protocol):
    """Samples to text."""

    def transcribe(self, samples: np.ndarray, sample_rate: int) -> str:
        """Text of float32 samples [T]."""


class PocketSphinx:
    """CMU PocketSphinx (BSD) with the US English models inside its PyPI package: old, deterministic, and of another kind."""

    def __init__(self) -> None:
        try:
            import pocketsphinx
        except ImportError as error:
            raise BackendError("PocketSphinx is not installed; run in the checkout: pip install '.[bench]'") from error
        self._decoder = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")

    def transcribe(self, samples: np.ndarray, sample_rate: int) -> str:
        """Text of float32 samples [T]; it writes numbers as words."""
        import soxr

        heard = soxr.resample(samples.astype(np.float32), sample_rate, RATE)
        self._decoder.start_utt()
        self._decoder.process_raw((np.clip(heard, -1, 1) * 32767).astype(np.int16).tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return "" if found is None else str(found.hypstr)


def transcribers(threads: int = 1) -> dict[str, Transcriber]:
    """All of them, by the names that reports use."""
    return {"Whisper base": whisper_base(threads), "Whisper tiny": WhisperRecogniser(threads), "PocketSphinx": PocketSphinx()}
