"""What a program hears of the synthesizer: hooks and logs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from runtime.stats import Hooks, Stats
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT


def test_stages_and_figures_are_told(tiny: Path) -> None:
    stages: list[tuple[str, float]] = []
    finished: list[Stats] = []
    hooks = Hooks(stage=lambda name, seconds: stages.append((name, seconds)), finished=finished.append)
    with Synthesizer(tiny, provider="cpu", threads=1, hooks=hooks) as synthesizer:
        stats = synthesizer.synthesize(TEXT).stats
        assert finished == [stats]
        totals = {name: sum(seconds for other, seconds in stages if other == name) for name, _ in stages}
        assert totals == {name: pytest.approx(seconds) for name, seconds in stats.stage_seconds.items()
                          if name not in ("text", "host")}
        stream = synthesizer.stream(TEXT)
        next(stream)
        stream.cancel()
        assert [each.stopped_by for each in finished] == ["end", "cancel"]
        stream.cancel()
        assert len(finished) == 2


def test_a_hook_that_fails_is_logged_and_speech_goes_on(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no display")

    with Synthesizer(tiny, provider="cpu", hooks=Hooks(broken, broken)) as synthesizer:
        assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"
    assert "hook for stages failed" in caplog.text and "hook for finished" in caplog.text and "no display" in caplog.text


def test_logs(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "runtime"), Synthesizer(tiny, threads=1) as synthesizer:
        synthesizer.synthesize(TEXT)
    assert "Loaded tiny" in caplog.text and "CPUExecutionProvider" in caplog.text
    assert "cuda is not used" in caplog.text and "end after" in caplog.text
