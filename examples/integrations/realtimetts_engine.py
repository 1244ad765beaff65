"""A RealtimeTTS engine that speaks in this process: `TextToAudioStream(TldrEngine())`."""

from __future__ import annotations

from typing import Any

from RealtimeTTS.engines.base_engine import BaseEngine

from tldr_edge import Synthesizer, TldrError

PCM_INT16 = 8
"""PyAudio's number of the sample format, given as a number so that the engine itself needs no sound library."""


class TldrEngine(BaseEngine):  # type: ignore[misc]  # untyped where the package is missing
    """The toolkit's voice as a RealtimeTTS engine."""

    def __init__(self, synthesizer: Synthesizer | None = None, voice: str | None = None, rate: float = 1.0) -> None:
        """Load a voice, unless a `Synthesizer` is given; `voice` and `rate` as for `Synthesizer.stream`."""
        self.synthesizer = synthesizer or Synthesizer()
        self.options: dict[str, Any] = {"voice": voice, "rate": rate}

    def post_init(self) -> None:
        """Name the engine, after RealtimeTTS has set its defaults."""
        self.engine_name = "tldr"

    def get_stream_info(self) -> tuple[int, int, int]:
        """Return sample format, channels and sample rate."""
        return PCM_INT16, 1, self.synthesizer.sample_rate

    def synthesize(self, text: str, sentence_count: int = 0) -> bool:
        """Put the samples of a sentence into the engine's queue; False where it cannot be spoken or was stopped."""
        super().synthesize(text, sentence_count)
        try:
            with self.synthesizer.stream(text, **self.options) as stream:
                for chunk in stream:
                    if self.stop_synthesis_event.is_set():
                        return False
                    self.queue.put(chunk.int16().tobytes())
        except TldrError:
            return False
        return True

    def get_voices(self) -> list[str]:
        """Return the names of the voices."""
        return list(self.synthesizer.voices)

    def set_voice(self, voice: str) -> None:
        """Choose a voice by its name."""
        self.options["voice"] = voice

    def set_voice_parameters(self, **voice_parameters: Any) -> None:
        """Set `rate`, as for `Synthesizer.stream`."""
        self.options.update({name: voice_parameters[name] for name in ("rate",) if name in voice_parameters})
