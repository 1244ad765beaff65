"""A recording to codec tokens and a speaker embedding: a bundle's own encoders, on the CPU, as they run once per voice."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..backends.onnx_cpu_model import CpuGraph
from ..bundle.contract import ENCODER_STRIDE
from ..bundle.manifest import Encoders
from ..bundle.reader import Bundle
from ..errors import BackendError, VoiceError
from .features import CODEC_RATE, MEL_RATE, SPEECH_RATE, codec_mel, filter_bank, log_mel, mel_frames

T = TypeVar("T", bound="ReferenceEncoders")
QUIET = -1.0
"""A normalised mel frame of the codec whose loudest band is below this is silence."""
LEAD_FRAMES, TAIL_FRAMES = 10, 16
"""Mel frames of silence that the embedded voice's training kept before the first and after the last sound."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Encoded recording: speaker embedding, codec tokens and mel frames."""

    speaker: np.ndarray
    """float32 [Es]."""
    tokens: np.ndarray
    """int64 [T]."""
    flow_mel: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """float32 [T x frames per token, mel] where the vocoder continues the recording (CosyVoice3)."""


class ReferenceEncoders(ABC):
    """Both encoders of a bundle. Used as a context, it gives their memory back."""

    def __init__(self, root: Path, encoders: Encoders) -> None:
        self._speaker, self._tokens = root / encoders.speaker, root / encoders.tokens
        self._loaded: dict[Path, CpuGraph] = {}

    @abstractmethod
    def encode(self, samples: np.ndarray, rate: int) -> Encoded:
        """Encode mono samples float32 [T]. Raises BackendError, VoiceError."""

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, *_: object) -> None:
        self._loaded.clear()

    def _run(self, path: Path, *inputs: np.ndarray) -> np.ndarray:
        if path not in self._loaded:
            self._loaded[path] = CpuGraph(path)
        return self._loaded[path].run(*inputs)


class CosyVoiceEncoders(ReferenceEncoders):
    """CAM++ on Kaldi's filter bank and the speech tokenizer on Whisper's log-mel, as they were downloaded."""

    def __init__(self, root: Path, encoders: Encoders, frames_per_token: int = 2) -> None:
        super().__init__(root, encoders)
        self._frames_per_token = frames_per_token

    def encode(self, samples: np.ndarray, rate: int) -> Encoded:
        speech = self.encode_speech(resample(samples, rate, SPEECH_RATE))
        mel, ratio = mel_frames(resample(samples, rate, MEL_RATE)), self._frames_per_token
        count = min(len(mel) // ratio, len(speech.tokens))
        return Encoded(speech.speaker, speech.tokens[:count], mel[:ratio * count])

    def encode_speech(self, speech: np.ndarray) -> Encoded:
        """Encode samples at 16 kHz, without the vocoder's frames."""
        features = log_mel(speech)[None]
        speaker = self._run(self._speaker, filter_bank(speech)[None])
        tokens = self._run(self._tokens, features, np.array([features.shape[2]], np.int32))
        return Encoded(speaker.reshape(-1).astype(np.float32), tokens.reshape(-1).astype(np.int64))


class CodecEncoders(ReferenceEncoders):
    """The embedded voice's: both read the mel frames that its codec was trained on, silence around the speech cut as there."""

    def encode(self, samples: np.ndarray, rate: int) -> Encoded:
        mels = without_silence(codec_mel(resample(samples, rate, CODEC_RATE)))[None]
        return Encoded(self._run(self._speaker, mels)[0], self._run(self._tokens, mels)[0])


def open_encoders(bundle: Bundle) -> ReferenceEncoders:
    """The encoders of a bundle. Raises VoiceError where it has none."""
    encoders, vocoder = bundle.manifest.encoders, bundle.manifest.vocoder
    bundle.check_unchanged()  # they are loaded at the first recording, perhaps long after the graphs
    if encoders is not None and encoders.features == "codec-mel":
        return CodecEncoders(bundle.path, encoders)
    if encoders is None or vocoder is None or vocoder.flow is None:
        raise VoiceError(f"The bundle {bundle.manifest.model} cannot clone voices; choose one of {', '.join(bundle.voices)}.")
    return CosyVoiceEncoders(bundle.path, encoders, vocoder.flow.sizes.frames_per_token)


def without_silence(mels: np.ndarray) -> np.ndarray:
    """The frames [4 N, 80] from shortly before the first sound to shortly after the last. VoiceError if there is none."""
    loud = np.flatnonzero(mels.max(1) > QUIET)
    if not len(loud):
        raise VoiceError("The recording is too quiet to tell speech from silence; give a louder one.")
    kept = mels[max(0, loud[0] - LEAD_FRAMES):loud[-1] + 1 + TAIL_FRAMES]
    padded = np.pad(kept, ((0, -len(kept) % ENCODER_STRIDE), (0, 0)), "edge")
    return padded


def resample(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples float32 at another rate."""
    if rate == wanted:
        return samples
    changed: np.ndarray = package("soxr").resample(samples, rate, wanted, quality="VHQ")
    return changed.astype(np.float32)


def package(name: str) -> Any:
    """A package that only cloning needs. Raises BackendError."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise BackendError(f"Cloning a voice needs the package {name}; install it: pip install {name}.") from error
