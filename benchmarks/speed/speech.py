"""Whole sentences to their own end: RTF, time to the first audio, and audio files. All speakers alternate."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import soundfile

from benchmarks.speed.figures import Clip, SpeechFigures, spread
from runtime.bundle.reader import Bundle
from runtime.errors import OutputError
from runtime.synthesizer import Synthesizer

CLIPS = 2
"""Sentences kept to listen to."""


@dataclass(frozen=True)
class TimedSpeech:
    """One sentence, as anybody speaks it."""

    samples: np.ndarray
    """float32 [T]."""
    sample_rate: int
    first_seconds: float
    """From the call to the first samples."""
    seconds: float
    """From the call to the last ones."""

    @property
    def audio_seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.sample_rate


class Speaker(Protocol):
    """A voice to measure, ours or a peer's."""

    name: str

    def speak(self, text: str) -> TimedSpeech:
        """Say it, as soon as possible."""


class BundleSpeaker:
    """One of our bundles, streaming."""

    def __init__(self, name: str, bundle: Bundle, provider: str, threads: int) -> None:
        self.name = name
        self._synthesizer = Synthesizer(bundle.root, provider=provider, threads=threads)

    def speak(self, text: str) -> TimedSpeech:
        """Stream `text`; chunks are taken as fast as they come."""
        begin = time.perf_counter()
        return listen(begin, (chunk.samples for chunk in self._synthesizer.stream(text)), self._synthesizer.sample_rate)

    def close(self) -> None:
        """Release the graphs."""
        self._synthesizer.close()


def listen(begin: float, chunks: Iterable[np.ndarray], sample_rate: int) -> TimedSpeech:
    """Take chunks, arrays of samples, as fast as they come; `begin` is when the sentence was asked for."""
    pieces, first = [np.zeros(0, np.float32)], 0.0
    for samples in chunks:
        first = first or time.perf_counter() - begin
        pieces.append(np.asarray(samples, np.float32).reshape(-1))
    return TimedSpeech(np.concatenate(pieces), sample_rate, first, time.perf_counter() - begin)


def read_aloud(speakers: Sequence[Speaker], sentences: Sequence[str],
               progress: Callable[[str], None]) -> dict[str, list[TimedSpeech]]:
    """Every sentence by every speaker, who begins moving on by one each time; the first sentence is read once before."""
    for speaker in speakers:
        speaker.speak(sentences[0])
    found: dict[str, list[TimedSpeech]] = {speaker.name: [] for speaker in speakers}
    for index, sentence in enumerate(sentences):
        first = index % len(speakers)
        for speaker in [*speakers[first:], *speakers[:first]]:
            progress(f"{speaker.name}: sentence {index + 1} of {len(sentences)}")
            found[speaker.name].append(speaker.speak(sentence))
    return found


def speech_figures(spoken: Sequence[TimedSpeech], sentences: Sequence[str]) -> SpeechFigures:
    """Medians over sentences, and the first few as sound."""
    heard = [one for one in spoken if len(one.samples)]
    clips = tuple(Clip(text, ogg_bytes(one)) for text, one in list(zip(sentences, spoken, strict=True))[:CLIPS])
    return SpeechFigures(len(spoken), spread([one.seconds / one.audio_seconds for one in heard]),
                         spread([1000 * one.first_seconds for one in heard]), sum(one.audio_seconds for one in heard), clips)


def ogg_bytes(spoken: TimedSpeech) -> bytes:
    """Ogg Vorbis, a few kilobytes a second: what a browser plays."""
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, np.clip(spoken.samples, -1, 1), spoken.sample_rate, format="OGG", subtype="VORBIS")
    except soundfile.LibsndfileError as error:
        raise OutputError(f"Audio for the report cannot be encoded ({error}).") from error
    return buffer.getvalue()
