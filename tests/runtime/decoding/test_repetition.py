"""When a model counts as caught in a loop."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.decoding.repetition import LONGEST_CYCLE, SECONDS, RepetitionDetector

RATE = 25.0
NEEDED = int(SECONDS * RATE)


@pytest.mark.parametrize("period", [1, 2, 3, 7, LONGEST_CYCLE])
def test_fires_when_a_cycle_goes_on(period: int) -> None:
    watchdog, cycle = RepetitionDetector(RATE), list(range(100, 100 + period))
    assert not watchdog.push([1, 2, 3])
    said = 0
    while not watchdog.push([cycle[said % period]]):
        said += 1
        assert said < 200
    assert watchdog.repeated == max(NEEDED, 3 * period)
    assert said + 1 == watchdog.repeated + period


def test_leaves_natural_speech_alone() -> None:
    watchdog = RepetitionDetector(RATE)
    assert not watchdog.push([7] * NEEDED)  # a held sound or a pause, just not too long
    assert not watchdog.push(np.random.default_rng(0).integers(0, 50, 2000).tolist())
    assert not watchdog.push(list(range(LONGEST_CYCLE + 1)) * 20)  # a longer cycle is no short one
    assert watchdog.repeated == 0


def test_forgets_a_loop_that_was_left() -> None:
    watchdog = RepetitionDetector(RATE)
    assert watchdog.push([7] * 80)
    assert not watchdog.push([1])
