"""Samples to bytes of an audio format, chunk by chunk, as a response that is still being spoken needs them."""

from __future__ import annotations

import importlib
import io
from typing import Any, BinaryIO, Protocol

import numpy as np

from ..errors import OptionError, OutputError
from .wav import UNKNOWN_LENGTH, WavWriter, wav_header

MEDIA_TYPES = {"mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
               "pcm": "audio/pcm"}
"""Formats by their OpenAI names. pcm: int16, little-endian, mono, at the bundle's rate; opus in Ogg, aac in ADTS."""
STREAMED = ("mp3", "opus", "aac", "wav", "pcm")
"""Formats whose bytes are sent while the speech is being computed."""
SUFFIXES = {".wav": "wav", ".flac": "flac", ".ogg": "vorbis", ".mp3": "mp3", ".opus": "opus", ".aac": "aac", ".pcm": "pcm",
            ".raw": "pcm"}
"""Formats of files by their suffix; .ogg is Vorbis."""
_BLOCK = 4096
"""Samples per call of the encoder: libvorbis keeps a call's samples on the stack, and 87 s of them overflow 8 MB."""
_LIBRARY: dict[str, tuple[str, str, dict[str, Any]]] = {
    "flac": ("FLAC", "PCM_16", {}),
    # A constant bit rate, 80 kbit/s: players compute the length of a stream from it, as there is no Xing header.
    "mp3": ("MP3", "MPEG_LAYER_III", {"bitrate_mode": "CONSTANT", "compression_level": 0.5}),
    # 55 kbit/s, in less than half of the time that the default takes.
    "opus": ("OGG", "OPUS", {"compression_level": 0.8}),
    "vorbis": ("OGG", "VORBIS", {}),
}


class Encoder(Protocol):
    """One utterance's bytes."""

    def push(self, samples: np.ndarray) -> bytes:
        """Bytes that can be sent after these samples, int16 [T]; may be empty."""

    def finish(self) -> bytes:
        """The rest, once, at the end."""


def open_encoder(kind: str, sample_rate: int, whole: bool = False) -> Encoder:
    """An encoder of a format. `whole`: nothing is sent before the end, so that a WAV's header says its length.

    Raises:
        OptionError: a format that is not known.
        OutputError: one that the installed libraries do not write.
    """
    if kind not in MEDIA_TYPES and kind not in _LIBRARY:
        raise OptionError(f"The audio format must be one of {', '.join(MEDIA_TYPES)}, not {kind!r}.")
    if kind == "aac":
        return _AacEncoder(sample_rate)
    if kind in _LIBRARY:
        return _LibraryEncoder(kind, sample_rate)
    if kind == "wav" and whole:
        return _WholeWav(sample_rate)
    return _PlainEncoder(wav_header(sample_rate, UNKNOWN_LENGTH) if kind == "wav" else b"")


class Writer(Protocol):
    """A file that grows."""

    def write(self, samples: np.ndarray) -> None:
        """Append int16 samples [T]."""

    def finish(self) -> None:
        """Write the rest; the file stays open."""


def open_writer(file: BinaryIO, kind: str, sample_rate: int) -> Writer:
    """Return the writer of a format into a binary file; errors as for `open_encoder`."""
    return WavWriter(file, sample_rate) if kind == "wav" else _EncodedWriter(file, open_encoder(kind, sample_rate))


class _EncodedWriter:
    def __init__(self, file: BinaryIO, encoder: Encoder) -> None:
        self._file = file
        self._encoder = encoder

    def write(self, samples: np.ndarray) -> None:
        self._file.write(self._encoder.push(samples))
        self._file.flush()

    def finish(self) -> None:
        self._file.write(self._encoder.finish())


class _PlainEncoder:
    """The samples themselves, after a header."""

    def __init__(self, header: bytes) -> None:
        self._header = header

    def push(self, samples: np.ndarray) -> bytes:
        header, self._header = self._header, b""
        return header + samples.astype("<i2").tobytes()

    def finish(self) -> bytes:
        return self.push(np.zeros(0, np.int16))


class _WholeWav:
    """A WAV with the right length in its header, all at the end."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._data = bytearray()

    def push(self, samples: np.ndarray) -> bytes:
        self._data += samples.astype("<i2").tobytes()
        return b""

    def finish(self) -> bytes:
        return wav_header(self._rate, len(self._data)) + bytes(self._data)


class _Tail(io.BytesIO):
    """A file in memory whose new bytes can be taken out."""

    def take(self) -> bytes:
        """Everything since the last call; forgotten where the format never seeks back."""
        data = self.getvalue()
        self.seek(0)
        self.truncate()
        return data


class _LibraryEncoder:
    """Through soundfile into memory. MP3 and Opus are sent as they are encoded; FLAC is sent at the end, as many programs read
    none whose header does not say its length."""

    def __init__(self, kind: str, sample_rate: int) -> None:
        container, coding, options = _LIBRARY[kind]
        self._bytes = io.BytesIO()
        self._sent = 0
        self._whole = kind == "flac"
        try:
            soundfile: Any = importlib.import_module("soundfile")
            self._file = soundfile.SoundFile(self._bytes, "w", sample_rate, 1, coding, format=container, **options)
        except (ImportError, OSError, ValueError, RuntimeError, TypeError) as error:
            raise OutputError(f"This installation of soundfile writes no {kind} at {sample_rate} samples/s; use wav, pcm "
                              "or flac.") from error

    def push(self, samples: np.ndarray) -> bytes:
        for start in range(0, len(samples), _BLOCK):
            self._file.write(samples[start:start + _BLOCK])
        return b"" if self._whole else self._new()

    def finish(self) -> bytes:
        self._file.close()
        return self._new()

    def _new(self) -> bytes:
        self._bytes.seek(self._sent)
        data = self._bytes.read()
        self._sent += len(data)
        return data


class _AacEncoder:
    """AAC in ADTS frames, through PyAV (the extra `aac`)."""

    def __init__(self, sample_rate: int) -> None:
        try:
            self._av: Any = importlib.import_module("av")
            self._bytes = _Tail()
            self._file = self._av.open(self._bytes, "w", format="adts")
            self._stream = self._file.add_stream("aac", rate=sample_rate, layout="mono", bit_rate=64_000)
        except (ImportError, OSError, ValueError) as error:
            raise OutputError("aac needs the package av (in the checkout: pip install '.[aac]'); use mp3, opus, flac, wav "
                              "or pcm.") from error
        self._rate = sample_rate

    def push(self, samples: np.ndarray) -> bytes:
        if not len(samples):
            return b""
        frame = self._av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
        frame.sample_rate = self._rate
        return self._encode(frame)

    def finish(self) -> bytes:
        data = self._encode(None)
        self._file.close()
        return data + self._bytes.take()

    def _encode(self, frame: Any) -> bytes:
        for packet in self._stream.encode(frame):
            self._file.mux(packet)
        return self._bytes.take()
