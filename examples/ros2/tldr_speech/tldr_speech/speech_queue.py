"""One thread that speaks utterances in order and hands out samples as they are due; independent of ROS.

Callbacks of an executor only enqueue, cancel or stop, none of which blocks: however few threads the executor has, a stop is
served at once. The next utterance begins when the last sample of the one before is due, so that two are never mixed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tldr_edge import Stream, Synthesizer, TldrError

AHEAD_SECONDS = 0.3
"""Slices are published this long before they are due, so that the player's buffer does not run dry."""
SLICE_SECONDS = 0.1
PREFETCH_SECONDS = 2.0
Outcome = Literal["completed", "cancelled", "interrupted", "failed"]


@dataclass
class Utterance:
    """One text to speak, and how it ended."""

    text: str
    voice: str = ""
    rate: float = 1.0
    interrupt: bool = False
    """Cancel everything else first."""
    on_chunk: Callable[[Any, float], None] | None = None
    """Called with each chunk and the seconds spoken with it, when its first sample is due."""
    on_end: Callable[[], None] | None = None
    """Called once when it has ended; it must not block."""
    cancel_requested: bool = False
    """A client asked for the cancel; kept for the caller."""
    outcome: Outcome | None = None
    error: str = ""
    stats: Any = None
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when its last sample is due, or when it was cancelled."""


class SpeechQueue:
    """A queue of utterances and the thread that speaks them. All methods return at once and may be called from any thread."""

    def __init__(self, synthesizer: Synthesizer, publish: Callable[[Any, int], None]) -> None:
        """`publish` is called with int16 samples [T] and their rate, at most `SLICE_SECONDS` of them at a time."""
        self._synthesizer = synthesizer
        self._publish = publish
        self._changed = threading.Condition()
        self._waiting: deque[Utterance] = deque()
        self._current: Utterance | None = None
        self._stream: Stream | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="tldr-speech", daemon=True)
        self._thread.start()

    def add(self, utterance: Utterance) -> Utterance:
        """Speak after everything that waits, or at once where `interrupt` is set."""
        with self._changed:
            if utterance.interrupt:
                self._cancel_all("interrupted")
            self._waiting.append(utterance)
            self._changed.notify_all()
        return utterance

    def cancel(self, utterance: Utterance, outcome: Outcome = "cancelled") -> None:
        """End an utterance, whether it waits or is being spoken; nothing where it has ended."""
        with self._changed:
            self._cancel(utterance, outcome)

    def stop(self) -> None:
        """Cancel what is spoken and everything that waits."""
        with self._changed:
            self._cancel_all("cancelled")

    def close(self, timeout: float = 5.0) -> None:
        """Stop, and end the thread."""
        with self._changed:
            self._closed = True
            self._cancel_all("cancelled")
        self._thread.join(timeout)

    def _cancel_all(self, outcome: Outcome) -> None:
        for utterance in [*self._waiting, *([self._current] if self._current else [])]:
            self._cancel(utterance, outcome)
        self._changed.notify_all()

    def _cancel(self, utterance: Utterance, outcome: Outcome) -> None:
        if utterance.outcome is not None:
            return
        utterance.outcome = outcome
        if utterance is self._current:
            if self._stream is not None:
                self._stream.cancel()
        elif utterance in self._waiting:
            self._waiting.remove(utterance)
            self._finish(utterance)
        self._changed.notify_all()

    def _run(self) -> None:
        while (utterance := self._next()) is not None:
            try:
                self._speak(utterance)
            except TldrError as error:
                self._end(utterance, "failed", str(error))
            except Exception as error:  # a publisher that fails must not end the thread that speaks warnings
                self._end(utterance, "failed", f"{type(error).__name__}: {error}")
            else:
                self._end(utterance, "completed")

    def _next(self) -> Utterance | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._current = self._waiting.popleft() if self._waiting else None
            return self._current

    def _speak(self, utterance: Utterance) -> None:
        stream = self._synthesizer.stream(utterance.text, voice=utterance.voice or None, rate=utterance.rate or 1.0)
        with self._changed:
            self._stream = stream
            if utterance.outcome is not None:
                stream.cancel()
        try:
            due, seconds = 0.0, 0.0
            with stream.buffered(PREFETCH_SECONDS) as ahead:
                for chunk in ahead:
                    seconds += chunk.seconds
                    due = self._play(chunk, utterance, due, seconds)
            self._wait_until(due, utterance)
        finally:
            utterance.stats = stream.stats

    def _play(self, chunk: Any, utterance: Utterance, due: float, seconds: float) -> float:
        """Publish a chunk in slices, each `AHEAD_SECONDS` before it is due; returns when the next slice is due."""
        samples, size = chunk.int16(), max(1, round(chunk.sample_rate * SLICE_SECONDS))
        for start in range(0, len(samples), size):
            self._wait_until(due - AHEAD_SECONDS, utterance)
            if utterance.outcome is not None:
                return due
            if start == 0 and utterance.on_chunk is not None:
                utterance.on_chunk(chunk, seconds)
            part = samples[start:start + size]
            due = max(due, time.monotonic()) + len(part) / chunk.sample_rate
            self._publish(part, chunk.sample_rate)
        return due

    def _wait_until(self, moment: float, utterance: Utterance) -> None:
        with self._changed:
            self._changed.wait_for(lambda: utterance.outcome is not None, max(0.0, moment - time.monotonic()))

    def _end(self, utterance: Utterance, outcome: Outcome, error: str = "") -> None:
        with self._changed:
            self._current = self._stream = None
            if utterance.outcome is None:
                utterance.outcome, utterance.error = outcome, error
        self._finish(utterance)

    @staticmethod
    def _finish(utterance: Utterance) -> None:
        utterance.ended.set()
        if utterance.on_end is not None:
            utterance.on_end()
