"""Another rate, the same pitch, the same samples however they come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import OptionError
from runtime.vocoder.time_stretch import TimeStretcher

RATE = 16000


def stretched(samples: np.ndarray, rate: float, cuts: list[int] | None = None) -> np.ndarray:
    tempo = TimeStretcher(rate, RATE)
    return np.concatenate([*[tempo.push(part) for part in np.split(samples, sorted(cuts or []))], tempo.flush()])


def tone(hertz: float, seconds: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("hertz", [110.0, 220.0])
def test_the_pitch_stays_and_no_join_is_heard(rate: float, hertz: float) -> None:
    samples = stretched(tone(hertz, 1.0), rate)
    assert len(samples) == round(RATE / rate)
    inner = samples[800:-800]
    periods = np.sum((inner[:-1] < 0) & (inner[1:] >= 0))
    assert periods / (len(inner) / RATE) == pytest.approx(hertz, rel=0.03)
    assert np.abs(np.diff(samples)).max() < 1.3 * np.abs(np.diff(tone(hertz, 1.0))).max()
    assert np.sqrt(np.mean(inner**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.5, 2.0), st.integers(0, 9000), st.lists(st.integers(0, 9000), max_size=12), st.integers(0, 99))
def test_any_cutting_gives_the_same_samples(rate: float, length: int, cuts: list[int], seed: int) -> None:
    samples = np.random.default_rng(seed).normal(0, 0.1, length).astype(np.float32)
    whole = stretched(samples, rate)
    assert np.array_equal(stretched(samples, rate, [min(cut, length) for cut in cuts]), whole)
    assert len(whole) == (length if rate == 1.0 else round(length / rate))
    assert whole.dtype == np.float32 and np.isfinite(whole).all()


def test_the_ordinary_rate_changes_nothing() -> None:
    samples = tone(200, 0.3)
    assert np.array_equal(stretched(samples, 1.0), samples)


@pytest.mark.parametrize("rate", [0, 0.49, 2.01, float("nan"), True, "fast"])
def test_rates_that_are_refused(rate: float) -> None:
    with pytest.raises(OptionError, match="rate"):
        TimeStretcher(rate, RATE)
