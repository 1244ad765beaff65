"""The RealtimeTTS engine with the real base class: samples in its queue, voices, and a stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("RealtimeTTS.engines.base_engine", reason="needs RealtimeTTS", exc_type=ImportError)

from examples.integrations.realtimetts_engine import TldrEngine
from tests.conftest import TEXT
from tldr_edge import Synthesizer


@pytest.fixture
def engine(tiny: Path) -> Iterator[TldrEngine]:
    with Synthesizer(tiny, provider="cpu", threads=1) as made:
        yield TldrEngine(made)


def test_a_sentence(engine: TldrEngine) -> None:
    engine.set_voice("bass")
    assert engine.synthesize(TEXT)
    heard = b"".join(engine.queue.get_nowait() for _ in range(engine.queue.qsize()))
    wanted = np.concatenate([chunk.int16() for chunk in engine.synthesizer.stream(TEXT, voice="bass")])
    assert np.array_equal(np.frombuffer(heard, np.int16), wanted)
    assert engine.get_stream_info() == (8, 1, engine.synthesizer.sample_rate)
    assert engine.get_voices() == ["alto", "bass", "prompted"]


def test_what_cannot_be_spoken(engine: TldrEngine) -> None:
    assert not engine.synthesize("")
    engine.set_voice("tenor")
    assert not engine.synthesize(TEXT)
