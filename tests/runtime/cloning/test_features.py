"""The numpy front ends against figures that the reference implementations gave for the same second of sound.

References: mel as in Matcha-TTS on librosa 0.11.0's filters, torchaudio 2.11.0's Kaldi filter bank, openai-whisper 20250625.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from runtime.cloning.features import filter_bank, log_mel, mel_filters, mel_frames

GOLDEN: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int, list[int], list[int], list[list[float]]]] = {
    "mel": (mel_frames, 24_000, [0, 16, 32, 49], [0, 19, 39, 59, 79],
            [[-0.99400, -3.81259, -3.84298, -4.00499, -3.87676], [-3.79981, -3.61431, -3.79111, -4.03678, -3.97931],
             [-4.12419, -3.66032, -4.32582, -3.86695, -3.96936], [-0.35748, -3.29854, -3.28965, -4.00731, -4.17854]]),
    "filter bank": (filter_bank, 16_000, [0, 32, 64, 97], [0, 19, 39, 59, 79],
                    [[1.00978, 1.54331, -0.35214, 0.39628, 0.45316], [0.72341, -1.04407, 0.05813, -0.30238, -0.29407],
                     [-2.32635, -0.71293, -1.00837, -0.00884, 0.17029], [-1.48107, -0.58589, 0.77729, -0.24412, -0.28105]]),
    "log-mel": (log_mel, 16_000, [0, 42, 84, 127], [0, 24, 49, 74, 99],
                [[0.796984, 0.101740, 0.194844, -0.0477668, 0.396759], [0.314651, 0.0480224, 0.0491670, -0.251949, 0.240151],
                 [0.0623736, 0.159453, -0.000624537, 0.143723, 0.0311349], [0.154454, 0.129356, 0.131559, 0.150664, 0.160649]]),
}
SHAPES = {"mel": (50, 80), "filter bank": (98, 80), "log-mel": (128, 100)}


def sound(rate: int) -> np.ndarray:
    """A wavering tone that swells, and a little noise."""
    time = np.arange(rate) / rate
    tone = 0.3 * np.sin(2 * np.pi * 220 * time + 3 * np.sin(2 * np.pi * 3 * time)) * (1 + np.sin(2 * np.pi * 1.3 * time)) / 2
    return (tone + 0.01 * np.random.default_rng(0).standard_normal(rate)).astype(np.float32)


@pytest.mark.parametrize("name", GOLDEN)
def test_equals_the_reference(name: str) -> None:
    front_end, rate, rows, columns, figures = GOLDEN[name]
    found = front_end(sound(rate))
    assert found.dtype == np.float32 and found.shape == SHAPES[name]
    np.testing.assert_allclose(found[np.ix_(rows, columns)], figures, atol=2e-4)


def test_filters_have_equal_area() -> None:
    filters = mel_filters(24_000, 1920, 80)
    assert filters.shape == (80, 961) and (filters >= 0).all()
    np.testing.assert_allclose(filters.sum(1) * 12.5, 1, rtol=0.05)


def test_filter_bank_has_no_mean() -> None:
    assert np.abs(filter_bank(sound(16_000)).mean(0)).max() < 1e-5
