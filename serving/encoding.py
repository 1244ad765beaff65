"""Samples to bytes of a sound format, chunk by chunk, as a response that is still being made needs them."""

from __future__ import annotations

import importlib
import io
from typing import Any, Protocol

import numpy as np

from runtime.audio import UNKNOWN_LENGTH, wav_header
from runtime.errors import OptionError, OutputError

MEDIA_TYPES = {"wav": "audio/wav", "pcm": "audio/pcm", "flac": "audio/flac", "mp3": "audio/mpeg", "opus": "audio/ogg"}
"""Formats by their OpenAI names. pcm: int16, little-endian, mono, at the bundle's rate; opus lies in Ogg."""
_LIBRARY = {"flac": ("FLAC", "PCM_16"), "mp3": ("MP3", "MPEG_LAYER_III"), "opus": ("OGG", "OPUS")}


class Encoder(Protocol):
    """One utterance's bytes."""

    def push(self, samples: np.ndarray) -> bytes:
        """What can be sent after these samples, int16 [T]; may be empty."""

    def finish(self) -> bytes:
        """The rest, once, at the end."""


def open_encoder(kind: str, sample_rate: int) -> Encoder:
    """An encoder of a format. OptionError for one that is not known, OutputError where soundfile cannot write it."""
    if kind not in MEDIA_TYPES:
        raise OptionError(f"response_format must be one of {', '.join(MEDIA_TYPES)}, not {kind!r}.")
    if kind in _LIBRARY:
        return _LibraryEncoder(kind, sample_rate)
    return _PlainEncoder(wav_header(sample_rate, UNKNOWN_LENGTH) if kind == "wav" else b"")


class _PlainEncoder:
    """The samples themselves, behind a header."""

    def __init__(self, header: bytes) -> None:
        self._header = header

    def push(self, samples: np.ndarray) -> bytes:
        header, self._header = self._header, b""
        return header + samples.astype("<i2").tobytes()

    def finish(self) -> bytes:
        return self.push(np.zeros(0, np.int16))


class _LibraryEncoder:
    """Through soundfile into memory. MP3 and Opus are sent as they are made; FLAC is sent at the end, as many programs read
    none whose header does not say its length."""

    def __init__(self, kind: str, sample_rate: int) -> None:
        container, coding = _LIBRARY[kind]
        self._bytes = io.BytesIO()
        self._sent = 0
        self._whole = kind == "flac"
        try:
            soundfile: Any = importlib.import_module("soundfile")
            self._file = soundfile.SoundFile(self._bytes, "w", sample_rate, 1, coding, format=container)
        except (ImportError, OSError, ValueError, RuntimeError) as error:
            raise OutputError(f"This installation of soundfile writes no {kind} at {sample_rate} samples/s; ask for wav, pcm "
                              "or flac.") from error

    def push(self, samples: np.ndarray) -> bytes:
        self._file.write(samples)
        return b"" if self._whole else self._new()

    def finish(self) -> bytes:
        self._file.close()
        return self._new()

    def _new(self) -> bytes:
        data = self._bytes.getvalue()[self._sent:]
        self._sent += len(data)
        return data
