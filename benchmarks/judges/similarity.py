"""Similarity of speech to a speaker: Resemblyzer's GE2E encoder (Apache-2.0) from a PyPI package, no download."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
import soundfile

from benchmarks.held_out import DATA
from runtime.errors import BackendError, OptionError


class SpeakerSimilarity:
    """Recordings to unit vectors; their product is the similarity, 0.9 and more for one voice, 0.4 to 0.65 for two."""

    def __init__(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # old syntax in its dependencies
                import resemblyzer
        except ImportError as error:
            raise BackendError("Resemblyzer is not installed; run in the checkout: pip install '.[bench]'") from error
        self._prepare = resemblyzer.preprocess_wav
        with contextlib.redirect_stdout(io.StringIO()):
            self._encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)

    def embed(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """Unit vector float32 [256] of float32 samples [T]; zeros where nothing is loud enough to be speech."""
        prepared = self._prepare(samples.astype(np.float32), source_sr=sample_rate)
        if not len(prepared):
            return np.zeros(256, np.float32)
        return np.asarray(self._encoder.embed_utterance(prepared), np.float32)


def teacher_voices() -> list[str]:
    """Voices of which there is a recording, sorted."""
    return sorted(path.name.removesuffix(".flac") for path in (DATA / "teacher").iterdir() if path.name.endswith(".flac"))


def teacher_recording(voice: str) -> tuple[np.ndarray, int]:
    """Half a minute of the teacher of `voice` reading held-out sentences, float32 [T], and its sample rate.

    Raises:
        OptionError: there is no recording of that voice.
    """
    path = DATA / "teacher" / f"{voice}.flac"
    if not path.is_file():
        raise OptionError(f"There is no teacher's recording of {voice!r} to compare with; there are those of "
                          f"{', '.join(teacher_voices())}.")
    with path.open("rb") as file:
        samples, rate = soundfile.read(file, dtype="float32")
    return samples, int(rate)
