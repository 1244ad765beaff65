"""How natural and how clean samples sound: DNSMOS (MIT) from a PyPI package, on the CPU, no download."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from engines.recognition import RATE
from runtime.errors import BackendError


def dnsmos_overall(samples: np.ndarray, sample_rate: int) -> float:
    """Overall quality, 1 to 5, of float32 samples [T]; short ones are repeated to the nine seconds that the model hears."""
    import soxr

    heard = np.clip(soxr.resample(samples.astype(np.float32), sample_rate, RATE), -1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, about its own arguments
        return float(_dnsmos().run(heard, RATE)["ovrl_mos"])


def _dnsmos() -> Any:
    try:
        from speechmos import dnsmos
    except ImportError as error:
        raise BackendError("DNSMOS is not installed; run: pip install 'tldr-edge[bench]'") from error
    return dnsmos
