"""What DNSMOS is given to hear."""

import numpy as np
import pytest

from benchmarks.judges import naturalness


class Ears:
    """In place of the package: notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []

    def run(self, samples: np.ndarray, rate: int) -> dict[str, float]:
        self.heard.append(samples)
        return {"ovrl_mos": 3.0}


@pytest.mark.parametrize(("seconds", "windows"), [(0.0, 1.0), (4.0, 1.0), (8.0, 1.0), (20.0, 20 / 9.01)])
def test_short_sounds_are_repeated_to_one_window_and_long_ones_left(monkeypatch: pytest.MonkeyPatch, seconds: float,
                                                                   windows: float) -> None:
    ears = Ears()
    monkeypatch.setattr(naturalness, "_dnsmos", lambda: ears)
    sound = np.sin(np.arange(int(seconds * 16_000), dtype=np.float32))
    assert naturalness.dnsmos_overall(sound, 16_000) == 3.0
    (heard,) = ears.heard
    assert len(heard) == pytest.approx(windows * naturalness.WINDOW, rel=1e-3)
    assert np.array_equal(heard, np.resize(sound, len(heard)))
