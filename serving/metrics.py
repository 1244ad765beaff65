"""Figures of the server in Prometheus' format, and a line in the log per utterance."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from serving.backends.interface import SpeechChunk

_log = logging.getLogger("serving.requests")
_FIRST_AUDIO = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)
_RTF = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2)


class Metrics:
    """Counters of one server; nothing in them names a text or a client."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, waiting: Callable[[], int]) -> None:
        """`waiting` counts the utterances that run or wait."""
        self.registry = CollectorRegistry()
        self.utterances = Counter("tldr_utterances", "Utterances by interface and how they ended.", ("interface", "outcome"),
                                  registry=self.registry)
        self.characters = Counter("tldr_characters", "Characters of text accepted.", registry=self.registry)
        self.audio_seconds = Counter("tldr_audio_seconds", "Seconds of audio computed.", registry=self.registry)
        self.first_audio = Histogram("tldr_first_audio_seconds", "Seconds from request to first audio.", buckets=_FIRST_AUDIO,
                                     registry=self.registry)
        self.rtf = Histogram("tldr_rtf", "Computing time / audio time of completed utterances.", buckets=_RTF,
                             registry=self.registry)
        Gauge("tldr_utterances_waiting", "Utterances that run or wait now.", registry=self.registry).set_function(waiting)

    def render(self) -> bytes:
        """The figures as text."""
        return generate_latest(self.registry)

    def begin(self, interface: str, client: str, characters: int) -> Record:
        """Begin an utterance."""
        self.characters.inc(characters)
        return Record(self, interface, client, characters)


class Record:
    """One utterance's figures."""

    def __init__(self, metrics: Metrics, interface: str, client: str, characters: int) -> None:
        self._metrics, self._interface, self._client = metrics, interface, client
        self.characters = characters
        self.audio_seconds = 0.0
        self.first_audio_seconds: float | None = None
        """Seconds from the request to the first audio; None before it."""
        self._begin = time.monotonic()
        self._ended = False

    def add(self, chunk: SpeechChunk, sample_rate: int) -> None:
        """Count a chunk."""
        if self.first_audio_seconds is None:
            self.first_audio_seconds = time.monotonic() - self._begin
            self._metrics.first_audio.observe(self.first_audio_seconds)
        seconds = len(chunk.samples) / sample_rate
        self.audio_seconds += seconds
        self._metrics.audio_seconds.inc(seconds)

    def end(self, outcome: str, stats: dict[str, object] | None = None) -> None:
        """Note how it ended: completed, cancelled, refused or failed; once."""
        if self._ended:
            return
        self._ended = True
        self._metrics.utterances.labels(self._interface, outcome).inc()
        rtf = stats["rtf"] if stats else None
        if outcome == "completed" and isinstance(rtf, float):
            self._metrics.rtf.observe(rtf)
        _log.info("%s %s: %s, %d characters, %.2f s of audio, first after %s, RTF %s, %.2f s in all", self._client or "-",
                  self._interface, outcome, self.characters, self.audio_seconds,
                  "-" if self.first_audio_seconds is None else f"{1000 * self.first_audio_seconds:.0f} ms",
                  f"{rtf:.3f}" if isinstance(rtf, float) else "-", time.monotonic() - self._begin)
