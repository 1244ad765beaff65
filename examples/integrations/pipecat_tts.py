"""A Pipecat TTS service that speaks in this process: put `TldrTTSService()` where a pipeline has its TTS.

Pipecat cuts a language model's answer into sentences and hands each to `run_tts`; when the user interrupts, it cancels the
generator, which silences the utterance within one patch.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from pipecat.frames.frames import ErrorFrame, Frame
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService

from tldr_edge import Synthesizer, TldrError

AHEAD_SECONDS = 2.0
"""Audio made ahead of what is sent; the transport paces the samples itself."""


class TldrTTSService(TTSService):  # type: ignore[misc]  # untyped where the package is missing
    """The toolkit's voice as a Pipecat service."""

    Settings = TTSSettings

    def __init__(self, synthesizer: Synthesizer | None = None, *, voice: str | None = None, rate: float = 1.0,
                 **kwargs: Any) -> None:
        """Load a voice, unless a `Synthesizer` is given.

        Args:
            synthesizer: one that is shared with others, or None for the voice that ships with the toolkit.
            voice: name of a voice; None for the bundle's default. It may be changed by a settings frame.
            rate: 0.5 (slow) to 2 (fast).
            kwargs: passed to Pipecat's `TTSService`.
        """
        super().__init__(push_start_frame=True, push_stop_frames=True,
                         settings=TTSSettings(model=None, voice=voice, language=None), **kwargs)
        self._synthesizer = synthesizer or Synthesizer()
        self._rate = rate

    def can_generate_metrics(self) -> bool:
        """Return True: time to first audio and usage are reported."""
        return True

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Yield audio frames of one sentence, or an error frame that says what is wrong with it."""
        try:
            await self.start_tts_usage_metrics(text)
            frames = self._stream_audio_frames_from_iterator(self._samples(text), in_sample_rate=self._synthesizer.sample_rate,
                                                             context_id=context_id)
            async for frame in frames:
                await self.stop_ttfb_metrics()
                yield frame
        except TldrError as error:
            yield ErrorFrame(error=str(error))
        finally:
            await self.stop_ttfb_metrics()

    async def _samples(self, text: str) -> AsyncIterator[bytes]:
        """PCM of 16 bits, chunk by chunk."""
        stream = self._synthesizer.stream(text, voice=self._settings.voice, rate=self._rate)
        async with stream.buffered(AHEAD_SECONDS) as chunks:
            async for chunk in chunks:
                yield chunk.int16().tobytes()
