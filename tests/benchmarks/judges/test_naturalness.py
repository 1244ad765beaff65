"""Predicted opinion scores: what the packages are given, and what they tell apart."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.judges import naturalness
from benchmarks.judges.similarity import teacher_recording


class Ears:
    """In place of the package: notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []

    def run(self, samples: np.ndarray, rate: int) -> dict[str, float]:
        self.heard.append(samples)
        return {"ovrl_mos": 3.0, "p808_mos": 3.5}


@pytest.mark.parametrize(("seconds", "windows"), [(0.0, 1.0), (4.0, 1.0), (8.0, 1.0), (20.0, 20 / 9.01)])
def test_short_sounds_are_repeated_to_one_window_and_long_ones_left(monkeypatch: pytest.MonkeyPatch, seconds: float,
                                                                   windows: float) -> None:
    ears = Ears()
    monkeypatch.setattr(naturalness, "_dnsmos", lambda: ears)
    sound = np.sin(np.arange(int(seconds * 16_000), dtype=np.float32))
    assert naturalness.dnsmos(sound) == (3.0, 3.5)
    (heard,) = ears.heard
    assert len(heard) == pytest.approx(windows * naturalness.WINDOW, rel=1e-3)
    assert np.array_equal(heard, np.resize(sound, len(heard)))


needs_distillmos = pytest.mark.skipif(find_spec("distillmos") is None, reason="comes with the bench extra")


@needs_distillmos
def test_distillmos_prefers_speech_to_noise_over_it() -> None:
    samples, rate = teacher_recording("kumo")
    noisy = samples + 0.1 * np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    clean, worse = (naturalness.opinion_scores(each, rate).distillmos for each in (samples, noisy))
    assert 1 <= worse < clean - 0.5 <= 4.5


def test_distillmos_of_nothing_is_the_lowest() -> None:
    assert naturalness.distillmos(np.zeros(0, np.float32)) == 1.0
