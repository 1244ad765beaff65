"""Intervals by resampling sentences: what another list of sentences of the same kind might have given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ROUNDS = 1000


def interval(values: Sequence[float], weights: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % interval of sum(values) / sum(weights) over resampled sentences; with weights of 1, of their mean."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(values), size=(ROUNDS, len(values)))
    ratios = np.array(values)[picks].sum(1) / np.maximum(np.array(weights)[picks].sum(1), 1e-12)
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(low), float(high)


def mean_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean."""
    return interval(values, np.ones(len(values)).tolist(), seed)
