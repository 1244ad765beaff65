"""Predicted mean opinion scores: DNSMOS with P.808 and DistillMOS (both MIT) from PyPI packages, on the CPU, no download."""

from __future__ import annotations

import sys
import types
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.judges.whisper import RATE
from runtime.errors import BackendError

WINDOW = int(9.01 * RATE)
"""Samples per window of DNSMOS."""


@dataclass(frozen=True)
class OpinionScores:
    """Three predictions, 1 to 5. DNSMOS overall hardly tells decoders of synthetic speech apart; P.808 and DistillMOS do."""

    dnsmos: float
    p808: float
    distillmos: float


def opinion_scores(samples: np.ndarray, sample_rate: int) -> OpinionScores:
    """All three predictions for float32 samples [T]. Raises BackendError where a package is missing."""
    import soxr

    resampled = np.clip(soxr.resample(samples.astype(np.float32), sample_rate, RATE), -1, 1)
    return OpinionScores(*dnsmos(resampled), distillmos(resampled))


def dnsmos(samples: np.ndarray) -> tuple[float, float]:
    """DNSMOS overall and P.808 of 16 kHz samples; short ones are repeated to one window.

    The package itself doubles them up to 18 seconds and scores up to nine windows of the same sound: on 60 sentences the mean
    was 3.382 both ways, in four times the time.
    """
    if len(samples) < WINDOW:
        samples = np.resize(samples, WINDOW)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, about its own arguments
        found = _dnsmos().run(samples, RATE)
    return float(found["ovrl_mos"]), float(found["p808_mos"])


def distillmos(samples: np.ndarray) -> float:
    """DistillMOS of 16 kHz samples, which it scores in windows of 7.7 seconds; nothing at all scores the lowest."""
    import torch

    if not len(samples):
        return 1.0
    with torch.inference_mode():
        return float(_distillmos()(torch.from_numpy(samples.astype(np.float32))[None]))


def _dnsmos() -> Any:
    try:
        from speechmos import dnsmos
    except ImportError as error:
        raise BackendError("DNSMOS is not installed; run in the checkout: pip install '.[bench]'") from error
    return dnsmos


@cache
def _distillmos() -> Any:
    # The package imports torchaudio to read files only; torchaudio from PyPI fails to load beside a CPU build of torch.
    sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
    try:
        import distillmos
    except ImportError as error:
        raise BackendError("DistillMOS is not installed; run in the checkout: pip install '.[bench]'") from error
    return distillmos.ConvTransformerSQAModel().eval()
