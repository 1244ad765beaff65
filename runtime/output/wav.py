"""16-bit WAV: header, and a file that grows."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np

UNKNOWN_LENGTH = 0xFFFFFFFF
"""Data size in the header of a WAV that is sent before its length is known (a pipe)."""
_HEADER_BYTES = 44


class WavWriter:
    """A WAV that grows: header first, samples as they come, real sizes at the end where the file is seekable."""

    def __init__(self, file: BinaryIO, sample_rate: int) -> None:
        self._file = file
        self._rate = sample_rate
        self._written = 0
        file.write(wav_header(sample_rate, UNKNOWN_LENGTH))

    def write(self, samples: np.ndarray) -> None:
        """Append int16 samples [T], and flush."""
        self._written += self._file.write(samples.astype("<i2").tobytes())
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
