"""Statistics of one utterance, and the hooks that receive them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from .timing.words import Word

_log = logging.getLogger(__name__)

StoppedBy = Literal["end", "early", "length", "repetition", "cancel"]
"""Why speech stopped: the model's end token, that token sooner than the text can be said, the limit on tokens, the watchdog, or
the caller."""

STAGES = ("text", "text_embedding", "compressor", "backbone", "extractor", "vocoder", "host")
SEVERITY: tuple[StoppedBy, ...] = ("end", "early", "length", "repetition", "cancel")


@dataclass(frozen=True)
class Stats:
    """Statistics of an utterance. RTF is compute / audio: below 1 is faster than speech."""

    patches: int
    """Patches that were spoken; the token-level baseline has one per token."""
    tokens: int
    """Codec tokens that were spoken, without end tokens."""
    audio_seconds: float
    """Length of the audio, pauses between sentences included."""
    compute_seconds: float
    """Seconds spent making it; waiting for another utterance, for the consumer or for text does not count."""
    stage_seconds: dict[str, float]
    """Seconds of each stage: `text`, the graphs by name, `listener`, `host` for the rest. They add up to compute_seconds."""
    ttfa_seconds: float
    """Compute seconds from the call to the first samples."""
    rtf: float
    """compute_seconds / audio_seconds; 0 where there is no audio."""
    kv_cache_bytes_allocated: int
    kv_cache_bytes_used: int
    """At its fullest: 2 L H E x (prefix + patches) x bytes of an element."""
    provider: str
    """The execution provider that really ran the graphs."""
    sentences: int
    """Sentences begun."""
    retries: int
    """Sentences' attempts that were thrown away because words were lost or said twice, or no end was found."""
    stopped_by: StoppedBy | None
    """Worst reason among the sentences, None while speech is still being made."""
    last_word: str | None = None
    """The last word that begins in the samples handed out, as the user wrote it; None where words were not asked for. After an
    interruption: how far it was spoken. `last_word` of a stream knows it for the samples that were really played."""
    last_character: int | None = None
    """End of that word in the text: `text[:last_character]` was spoken."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


class WordSource(Protocol):
    """Words of an utterance, as far as they were given out."""

    @property
    def words(self) -> list[Word]:
        """All, with the times known now."""

    @property
    def last(self) -> Word | None:
        """The last one."""


@dataclass
class StatsAccumulator:
    """Counts while an utterance is made. `stage_seconds` is what the backend adds each graph's time to."""

    provider: str
    kv_cache_bytes_allocated: int
    stage_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    patches: int = 0
    tokens: int = 0
    samples: int = 0
    sentences: int = 0
    retries: int = 0
    kv_cache_bytes_used: int = 0
    compute_seconds: float = 0.0
    waited_seconds: float = 0.0
    """Spent in the queue after another utterance, or waiting for text that is still being written."""
    ttfa_seconds: float = 0.0
    stopped_by: StoppedBy | None = None
    finished: bool = False
    timer: WordSource | None = None
    """None where words were not asked for, or the bundle has no phoneme recogniser."""

    def stopped(self, reason: StoppedBy) -> None:
        """Note why a sentence stopped; the worst reason stays."""
        self.stopped_by = max((reason, self.stopped_by or "end"), key=SEVERITY.index)

    def stats(self, sample_rate: int) -> Stats:
        """The figures so far."""
        audio = self.samples / sample_rate
        stages = dict(self.stage_seconds)
        stages["host"] = max(0.0, self.compute_seconds - sum(stages.values()))
        last = None if self.timer is None else self.timer.last
        return Stats(
            patches=self.patches, tokens=self.tokens, audio_seconds=audio, compute_seconds=self.compute_seconds,
            stage_seconds=stages, ttfa_seconds=self.ttfa_seconds, rtf=self.compute_seconds / audio if audio else 0.0,
            kv_cache_bytes_allocated=self.kv_cache_bytes_allocated, kv_cache_bytes_used=self.kv_cache_bytes_used,
            provider=self.provider, sentences=self.sentences, retries=self.retries,
            stopped_by=self.stopped_by if self.finished else None,
            last_word=last.text if last else None, last_character=last.span[1] if last else None,
        )


class Timer:
    """`with Timer(seconds, "text"):` adds the block's time to seconds["text"]."""

    def __init__(self, seconds: dict[str, float], stage: str) -> None:
        self._seconds = seconds
        self._stage = stage
        self._begin = 0.0

    def __enter__(self) -> None:
        self._begin = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + time.perf_counter() - self._begin


@dataclass(frozen=True)
class Hooks:
    """Callbacks in the computing thread, which should be quick. One that raises is logged, and speech continues."""

    stage: Callable[[str, float], None] | None = None
    """After each run of a graph, and of the listener: its name, and seconds."""
    finished: Callable[[Stats], None] | None = None
    """After each utterance, cancelled ones too (`stats.stopped_by`)."""

    def notify_stage(self, name: str, seconds: float) -> None:
        """Call `stage`, if there is one."""
        if self.stage is not None:
            try:
                self.stage(name, seconds)
            except Exception:
                _log.exception("The hook for stages failed.")

    def notify_finished(self, stats: Stats) -> None:
        """Call `finished`, if there is one, and log the figures."""
        _log.debug("%s after %.2f s of audio: %d patches, TTFA %.0f ms, RTF %.3f", stats.stopped_by, stats.audio_seconds,
                   stats.patches, 1000 * stats.ttfa_seconds, stats.rtf)
        if self.finished is not None:
            try:
                self.finished(stats)
            except Exception:
                _log.exception("The hook for finished utterances failed.")
