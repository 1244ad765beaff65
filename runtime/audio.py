"""Audio: samples with their rate, complete or in chunks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .atomic import atomic_file, is_device
from .errors import OutputError
from .output.encoding import SUFFIXES, open_writer
from .output.wav import to_int16, wav_header
from .stats import Stats
from .timing.captions import Timestamps
from .timing.words import Sentence, Word


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
    words: tuple[Word, ...] | None = None
    """Words that begin in it; the end of one that goes on in the next chunk is an estimate. None where words were not asked
    for, or the bundle has no phoneme recogniser."""


class SentenceTimes:
    """Times of sentences, from an utterance's chunks in their order."""

    def __init__(self) -> None:
        self.sentences: list[Sentence] = []
        self._index = -1
        self._samples = 0

    def add(self, chunk: AudioChunk) -> None:
        """Note the next chunk."""
        start, self._samples = self._samples, self._samples + len(chunk.samples)
        end = self._samples / chunk.sample_rate
        if not chunk.text:
            return
        if chunk.sentence == self._index:
            self.sentences[-1] = replace(self.sentences[-1], end=end)
        else:
            self._index = chunk.sentence
            self.sentences.append(Sentence(chunk.text, start / chunk.sample_rate, end))


@dataclass(frozen=True, eq=False)
class Audio(Sound):
    """A whole utterance."""

    stats: Stats
    words: tuple[Word, ...] | None = None
    """All words with their times; None where they were not asked for, or the bundle has no phoneme recogniser."""
    sentences: tuple[Sentence, ...] = ()
    """All sentences with their times."""

    @property
    def timestamps(self) -> Timestamps:
        """Sentences, words and visemes, to write as JSON, SubRip or WebVTT."""
        return Timestamps(self.seconds, self.sentences, self.words)

    def wav_bytes(self) -> bytes:
        """A complete WAV file, 16 bit."""
        return wav_header(self.sample_rate, 2 * len(self.samples)) + self.pcm_bytes()

    def save(self, path: Path | str) -> None:
        """Write .wav (16 bit), .flac, .ogg, .mp3, .opus, .aac, or raw int16 samples (.pcm, .raw), by the path's suffix.

        The file is complete or absent.

        Raises:
            OutputError: unknown suffix, a format that the installed libraries do not write, unwritable path, full disk.
        """
        check_suffix(path)
        with atomic_file(path) as file:
            writer = open_writer(file, SUFFIXES.get(Path(path).suffix.lower(), "wav"), self.sample_rate)
            writer.write(self.int16())
            writer.finish()


def check_suffix(path: Path | str) -> None:
    """Raise OutputError for a file whose name tells no format that can be written; `-` and devices take WAV."""
    if str(path) != "-" and Path(path).suffix.lower() not in SUFFIXES and not is_device(path):
        raise OutputError(f"Cannot write {str(path)[:300]}: its name must end in {', '.join(SUFFIXES)}.")
