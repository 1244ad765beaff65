"""A LiveKit Agents TTS that speaks in this process: `AgentSession(tts=TldrTTS())`.

Tokens of a language model are spoken clause by clause while it writes; an interrupted agent falls silent within one patch.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

from livekit.agents import APIConnectOptions, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from tldr_edge import Synthesizer

AHEAD_SECONDS = 2.0
"""Audio made ahead of what is sent; LiveKit paces the samples itself."""


class TldrTTS(tts.TTS):  # type: ignore[misc]  # untyped where the package is missing
    """The toolkit's voice as a LiveKit TTS with streaming input. One object serves any number of sessions."""

    def __init__(self, synthesizer: Synthesizer | None = None, *, voice: str | None = None, rate: float = 1.0) -> None:
        """Load a voice, unless a `Synthesizer` is given; `voice` and `rate` as for `Synthesizer.stream`."""
        self.synthesizer = synthesizer or Synthesizer()
        self.options: dict[str, Any] = {"voice": voice, "rate": rate}
        super().__init__(capabilities=tts.TTSCapabilities(streaming=True), sample_rate=self.synthesizer.sample_rate,
                         num_channels=1)

    @property
    def model(self) -> str:
        """Name of the bundle's model, for LiveKit's metrics."""
        return str(self.synthesizer.bundle.manifest.model)

    @property
    def provider(self) -> str:
        """Name of this provider, for LiveKit's metrics."""
        return "tldr-edge"

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        """Speak a whole text."""
        return self._synthesize_with_stream(text, conn_options=conn_options)

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.SynthesizeStream:
        """Speak a text that is pushed piece by piece."""
        return _Stream(self, conn_options)

    def prewarm(self) -> None:
        """Speak one sentence silently, so that the first real one is as fast as the others."""
        self.synthesizer.warm_up()


class _Stream(tts.SynthesizeStream):  # type: ignore[misc]
    """One utterance."""

    def __init__(self, owner: TldrTTS, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=owner, conn_options=conn_options)
        self._owner = owner

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        synthesizer = self._owner.synthesizer
        output_emitter.initialize(request_id=uuid.uuid4().hex, sample_rate=synthesizer.sample_rate, num_channels=1,
                                  mime_type="audio/pcm", stream=True)
        output_emitter.start_segment(segment_id=uuid.uuid4().hex)
        first = await self._first_piece()
        if first is not None:
            stream = synthesizer.stream(self._pieces(first), **self._owner.options)
            async with stream.buffered(AHEAD_SECONDS) as chunks:
                async for chunk in chunks:
                    output_emitter.push(chunk.int16().tobytes())
        output_emitter.end_segment()

    async def _first_piece(self) -> str | None:
        """The first pushed text that is more than white space; None if the input ends without one."""
        text = ""
        async for piece in self._input_ch:
            if isinstance(piece, str):
                text += piece
                if text.strip():
                    self._mark_started()
                    return text
        return None

    async def _pieces(self, first: str) -> AsyncIterator[str]:
        yield first
        async for piece in self._input_ch:
            if isinstance(piece, str):
                yield piece
            await asyncio.sleep(0)
