"""The soak run, short, and the faults it must notice."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import soak
from benchmarks.disturbances import ReentrantHook
from benchmarks.soak import Soak, random_texts
from runtime import Hooks
from runtime.streaming.stream import Stream
from runtime.synthesizer import Synthesizer

TEXTS = [f"Hello world. {'Move two meters to the left. ' * count}" for count in range(6)]


def test_utterances_from_four_threads_equal_their_twins(tiny: Path) -> None:
    with Synthesizer(tiny, provider="cpu", threads=1) as synthesizer:
        outcome = Soak(synthesizer, TEXTS, 60, 4).run()
    assert outcome.whole + outcome.cancelled == 60 and outcome.wrong == 0
    assert outcome.whole > 20 and len(outcome.rss) == 60 and outcome.growth < 0.1


def test_mixed_audio_would_be_noticed(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Soak(synthesizer, TEXTS, 12, 2)
    real = soak.listen

    def louder(stream: Stream, way: str) -> np.ndarray | None:
        samples = real(stream, way)
        return samples if samples is None or not len(samples) else np.nextafter(samples, 1)

    monkeypatch.setattr(soak, "listen", louder)
    assert made.run().wrong >= made.outcome.whole > 0


def test_a_deadlock_would_be_noticed(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Soak(synthesizer, TEXTS, 3, 1)
    monkeypatch.setattr(soak, "STUCK_SECONDS", 0.5)
    monkeypatch.setattr(soak.faulthandler, "dump_traceback", lambda all_threads: None)  # type: ignore[attr-defined]
    blocking = synthesizer.stream(TEXTS[5])
    next(blocking)  # holds the turn and is never finished
    with pytest.raises(SystemExit, match="deadlock"):
        made.run()
    blocking.cancel()
    deadline = time.monotonic() + 60
    while made.done < 3 and time.monotonic() < deadline:  # the worker goes on once it may
        time.sleep(0.01)
    assert made.done == 3 and made.outcome.wrong == 0


def test_texts_are_of_random_lengths() -> None:
    lengths = {len(text.split()) for text in random_texts(60)}
    assert min(lengths) == 1 and max(lengths) > 12 and random_texts(5) == random_texts(5)


@pytest.mark.slow  # an interrupt may fall into a callback of Python's own, whose exception pytest reports as a failure
def test_disturbances_harm_nobody(tiny: Path) -> None:
    hook = ReentrantHook(every=50)
    with Synthesizer(tiny, provider="cpu", threads=1, hooks=Hooks(stage=hook)) as synthesizer:
        hook.synthesizer = synthesizer
        made = Soak(synthesizer, TEXTS, 60, 4, seconds=30, mixed=True)
        outcome = made.run()
        hook.synthesizer = None
    assert not outcome.wrong and not outcome.failures and not hook.failures
    assert outcome.whole and sum(outcome.disturbances.values()) and hook.refused


def test_a_failing_disturbance_would_be_noticed(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(synthesizer: Synthesizer, source: object) -> None:
        raise AssertionError("noticed")

    monkeypatch.setattr(soak, "DISTURBANCES", {"fail": fail})
    monkeypatch.setattr(soak, "DISTURBED", 1.0)
    assert "noticed" in Soak(synthesizer, TEXTS, 3, 1, mixed=True).run().failures[0]
