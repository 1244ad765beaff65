"""Audio: samples with their rate, complete or in chunks, and the writers of sound files."""

from __future__ import annotations

import importlib
import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .atomic import atomic_file, is_device
from .errors import OutputError
from .stats import Stats

UNKNOWN_LENGTH = 0xFFFFFFFF
"""Data size in the header of a WAV that is sent before its length is known (a pipe)."""
_HEADER_BYTES = 44
_BLOCK = 4096
"""Samples per call of the encoder: libvorbis keeps a call's samples on the stack, and 87 s of them overflow 8 MB."""
_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}


@dataclass(frozen=True, eq=False)
class Sound:
    """Mono samples."""

    samples: np.ndarray
    """float32 [T], between -1 and 1."""
    sample_rate: int
    """Samples a second."""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.sample_rate

    def int16(self) -> np.ndarray:
        """int16 [T], full scale 32767."""
        return to_int16(self.samples)

    def pcm_bytes(self) -> bytes:
        """Little-endian int16 samples, 2 T bytes: what a sound device takes."""
        return self.int16().astype("<i2").tobytes()


@dataclass(frozen=True, eq=False)
class AudioChunk(Sound):
    """A piece of a stream; all pieces one after the other are the whole."""

    sentence: int
    """Index of the sentence it belongs to, from 0."""
    text: str
    """That sentence."""


@dataclass(frozen=True, eq=False)
class Audio(Sound):
    """A whole utterance."""

    stats: Stats

    def wav_bytes(self) -> bytes:
        """A complete WAV file, 16 bit."""
        return wav_header(self.sample_rate, 2 * len(self.samples)) + self.pcm_bytes()

    def save(self, path: Path | str) -> None:
        """Write .wav (16 bit), .flac or .ogg; the file is there whole or not at all.

        Raises:
            OutputError: unknown suffix, unwritable path, full disk.
        """
        check_suffix(path)
        suffix = Path(path).suffix.lower()
        data = self._encoded(_FORMATS[suffix]) if suffix in (".flac", ".ogg") else self.wav_bytes()
        with atomic_file(path) as file:
            file.write(data)

    def _encoded(self, kind: str) -> bytes:
        try:
            soundfile = importlib.import_module("soundfile")
        except (ImportError, OSError) as error:
            raise OutputError(f"{kind} needs the package soundfile, which does not load; write .wav.") from error
        buffer = io.BytesIO()
        with soundfile.SoundFile(buffer, "w", self.sample_rate, 1, format=kind) as file:
            for start in range(0, len(self.samples), _BLOCK):
                file.write(self.samples[start:start + _BLOCK])
        return buffer.getvalue()


def check_suffix(path: Path | str) -> None:
    """Raise OutputError for a file whose name tells no format that can be written; `-` and devices take WAV."""
    if str(path) != "-" and Path(path).suffix.lower() not in _FORMATS and not is_device(path):
        raise OutputError(f"Cannot write {str(path)[:300]}: its name must end in {', '.join(_FORMATS)}.")


class WavWriter:
    """A WAV that grows: header first, samples as they come, sizes put right at the end where the file allows it."""

    def __init__(self, file: BinaryIO, sample_rate: int) -> None:
        self._file = file
        self._rate = sample_rate
        self._written = 0
        file.write(wav_header(sample_rate, UNKNOWN_LENGTH))

    def write(self, chunk: Sound) -> None:
        """Append samples, and hand them on at once."""
        self._written += self._file.write(chunk.pcm_bytes())
        self._file.flush()

    def finish(self) -> None:
        """Write the real sizes into the header; a pipe keeps the unknown ones, which means until its end."""
        if self._file.seekable():
            self._file.seek(0)
            self._file.write(wav_header(self._rate, self._written))


def to_int16(samples: np.ndarray) -> np.ndarray:
    """float32 samples in -1..1 to int16, rounded, clipped."""
    converted: np.ndarray = np.rint(np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
    return converted


def wav_header(sample_rate: int, data_bytes: int) -> bytes:
    """The 44 bytes before `data_bytes` of mono 16-bit samples."""
    riff = min(data_bytes + _HEADER_BYTES - 8, UNKNOWN_LENGTH)
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", riff, b"WAVE", b"fmt ", 16, 1, 1, sample_rate, 2 * sample_rate,
                       2, 16, b"data", data_bytes)
