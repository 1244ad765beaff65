"""Measure the speaking rate of the corpus: the runtime compares an utterance's length with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.bundle.manifest import Pace
from runtime.errors import CheckpointError
from training.data.token_file import TokenizedUtterance

ENOUGH = 100
"""Utterances from which anything can be said."""
RARE = 0.0005
"""Share of the corpus that may be outside at either end: the teacher has outliers, too."""
SLACK = 0.05
"""Left beyond what was measured: a model need not be the teacher's metronome."""
ROUNDS = 3
"""Of least squares: errors count relative to the line itself, which only the round before knows."""
BINS = 12
"""Of lengths, spaced evenly in their logarithm; each weighs the same, or running text would outweigh short utterances."""


def measured_pace(utterances: Sequence[TokenizedUtterance]) -> Pace:
    """Fit codec tokens as a line over phoneme ids by least relative error, and measure the spread around it.

    Raises CheckpointError for a corpus too small to tell.
    """
    if len(utterances) < ENOUGH:
        raise CheckpointError(f"A pace is measured on {ENOUGH} utterances or more, not on {len(utterances)}.")
    ids = np.array([len(each.ids) for each in utterances], float)
    tokens = np.array([len(each.codes) for each in utterances], float)
    bins = np.digitize(np.log(ids), np.linspace(np.log(ids.min()), np.log(ids.max()), BINS))
    design, usual = np.stack((np.ones_like(ids), ids), 1), tokens
    for _ in range(ROUNDS):
        weights = 1 / np.sqrt(np.bincount(bins)[bins]) / usual
        (besides, each_id), *_ = np.linalg.lstsq(design * weights[:, None], tokens * weights)
        usual = besides + each_id * ids
    least, most = np.quantile(tokens / usual, (RARE, 1 - RARE))
    return Pace(*(round(float(value), 3) for value in (max(besides, 0), each_id, least * (1 - SLACK), most * (1 + SLACK))))
