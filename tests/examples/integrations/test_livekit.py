"""The LiveKit service with the real package: whole texts, pushed tokens, and an agent that is interrupted."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("livekit.agents", reason="needs livekit-agents")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from examples.integrations.livekit_tts import TldrTTS
from tests.conftest import TEXT
from tldr_edge import Synthesizer

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def tts(tiny: Path) -> Iterator[Synthesizer]:
    with Synthesizer(tiny, provider="cpu", threads=1) as made:
        yield made


async def collected(stream: Any) -> np.ndarray:
    """Samples int16 of everything that a LiveKit stream yields."""
    parts = []
    async with stream:
        async for event in stream:
            parts.append(np.frombuffer(event.frame.data, np.int16))
    return np.concatenate(parts)


def test_a_whole_text(tts: Synthesizer) -> None:
    async def run() -> np.ndarray:
        return await collected(TldrTTS(tts, voice="bass").synthesize(TEXT))

    heard, wanted = asyncio.run(run()), np.concatenate([c.int16() for c in tts.stream(iter([TEXT]), voice="bass")])
    assert np.array_equal(heard[:len(wanted)], wanted) and not heard[len(wanted):].any()


def test_pushed_tokens(tts: Synthesizer) -> None:
    async def run() -> np.ndarray:
        stream = TldrTTS(tts).stream()
        for word in TEXT.split():
            stream.push_text(word + " ")
        stream.end_input()
        return await collected(stream)

    heard, wanted = asyncio.run(run()), np.concatenate([c.int16() for c in tts.stream(iter([TEXT]))])
    assert np.array_equal(heard[:len(wanted)], wanted) and not heard[len(wanted):].any()


def test_an_interrupted_agent_frees_the_voice(tts: Synthesizer) -> None:
    async def run() -> None:
        stream = TldrTTS(tts).synthesize("Hello world, move two meters to the left. " * 30)
        async for _ in stream:
            break
        await stream.aclose()
        assert (await asyncio.wait_for(tts.synthesize_async("Hello world."), 30)).seconds > 0

    asyncio.run(run())
