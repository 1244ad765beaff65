"""hibari (Apache-2.0), its American voice: pip install hibari-tts."""

from __future__ import annotations

import importlib
import time
from typing import Any, ClassVar

from benchmarks.peers.base import PeerMissing, SpeechPeer
from benchmarks.speed.speech import TimedSpeech, listen


class Hibari(SpeechPeer):
    """`Hibari.stream`, one chunk per sentence."""

    distribution: ClassVar[str] = "hibari-tts"

    def load(self, threads: int) -> None:
        try:
            library: Any = importlib.import_module("hibari")
        except ImportError as error:
            raise PeerMissing(f"needs hibari-tts: {error}") from error
        self._voice = library.Hibari(threads=threads)
        self._sample_rate = int(library.SAMPLE_RATE)

    def speak(self, text: str) -> TimedSpeech:
        return listen(time.perf_counter(), self._voice.stream(text, seed=0), self._sample_rate)
