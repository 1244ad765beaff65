"""The Pipecat service with the real package: the frames of a sentence, and an error frame."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pipecat", reason="needs pipecat-ai")

with warnings.catch_warnings():  # pipecat imports `audioop`, which Python 3.11 deprecates
    warnings.simplefilter("ignore")
    from pipecat.frames.frames import ErrorFrame, TTSAudioRawFrame, TTSSpeakFrame
    from pipecat.tests.utils import run_test

    from examples.integrations.pipecat_tts import TldrTTSService
from tests.conftest import TEXT
from tldr_edge import Synthesizer

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def tts(tiny: Path) -> Iterator[Synthesizer]:
    with Synthesizer(tiny, provider="cpu", threads=1) as made:
        yield made


def frames(service: TldrTTSService, text: str) -> list[Any]:
    """What `run_tts` yields."""
    async def run() -> list[Any]:
        return [frame async for frame in service.run_tts(text, "context")]

    return asyncio.run(run())


def test_a_sentence_in_a_pipeline(tts: Synthesizer) -> None:
    async def run() -> list[Any]:
        service = TldrTTSService(tts, voice="bass", sample_rate=tts.sample_rate)
        down, _ = await run_test(service, frames_to_send=[TTSSpeakFrame(text=TEXT)])
        return list(down)

    received = asyncio.run(run())
    heard = b"".join(frame.audio for frame in received if isinstance(frame, TTSAudioRawFrame))
    wanted = np.concatenate([chunk.int16() for chunk in tts.stream(TEXT, voice="bass")])
    assert np.array_equal(np.frombuffer(heard, np.int16)[:len(wanted)], wanted)


def test_a_bad_voice_is_an_error_frame(tts: Synthesizer) -> None:
    errors = [frame for frame in frames(TldrTTSService(tts, voice="tenor"), TEXT) if isinstance(frame, ErrorFrame)]
    assert len(errors) == 1 and "alto, bass" in errors[0].error
