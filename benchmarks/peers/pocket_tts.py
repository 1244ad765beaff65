"""pocket-tts: its package holds no weights, it fetches them from a hub on first use."""

from __future__ import annotations

import importlib
import time
from typing import Any, ClassVar

from benchmarks.peers.base import PeerMissing, SpeechPeer
from benchmarks.speed.speech import TimedSpeech, listen

VOICE = "alba"


class PocketTts(SpeechPeer):
    """`TTSModel.generate_audio_stream`."""

    distribution: ClassVar[str] = "pocket-tts"

    def load(self, threads: int) -> None:
        try:
            torch: Any = importlib.import_module("torch")
            library: Any = importlib.import_module("pocket_tts")
            torch.set_num_threads(threads)
            self._pipeline = library.TTSModel.load_model()
            self._state = self._pipeline.get_state_for_audio_prompt(VOICE)
        except Exception as error:  # whatever its downloads raise
            said = " ".join(str(error).split())[:160]
            raise PeerMissing(f"installed, but its weights cannot be fetched here ({type(error).__name__}: {said})") from error

    def speak(self, text: str) -> TimedSpeech:
        begin = time.perf_counter()
        chunks = (chunk.numpy() for chunk in self._pipeline.generate_audio_stream(self._state, text))
        return listen(begin, chunks, self._pipeline.sample_rate)
