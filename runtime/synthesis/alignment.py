"""Verify a sentence: align phonemes recognised in its codec tokens to its text.

The likeliest way through the text, from its first id to its last, stays at an id or goes on at each token. A way that may
also jump, back over what is said twice or ahead over what is left out, explains slips of the tongue: what it gains in
log-likelihood is how sure they are, and is nothing for nearly all readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..backends.onnx_cpu_model import CpuGraph
from ..errors import BundleError
from ..text.phonemes import IDS

ON = (0.0, 0.0, 1.0, 2.5, 4.0)
"""Nats that it costs to go on by 0, 1, ... ids at a token: stress marks, spaces and commas often have no token of their own."""
JUMP = 6.0
"""Nats of a jump."""
BACK, AHEAD = (2, 15), (5, 20)
"""Ids that a jump passes over, from and to: parts of words that are said again, words that are left out."""
EDGE = 3
"""Ids at either end that may have no token."""


class AlignmentVerifier:
    """The phoneme recogniser of a bundle (`runtime.bundle.contract.auxiliary_graphs`), on one thread: it takes milliseconds."""

    def __init__(self, path: Path) -> None:
        """Raises BackendError where it does not load, BundleError where it is no listener to this text front end."""
        self._graph = CpuGraph(path, threads=1)
        found = self._graph.run(np.zeros((1, 2), np.int64))
        if found.shape != (1, 2, IDS) or found.dtype != np.float32:
            raise BundleError(f"The graph {path.name} gives {found.dtype} {list(found.shape)} for two tokens, float32 "
                              f"{[1, 2, IDS]} is asked for; export the bundle again.")

    def omission_score(self, ids: Sequence[int], tokens: np.ndarray) -> float:
        """Nats that jumps gain for codec tokens int64 [T] as a reading of ids: 0 where all is said, and nothing twice."""
        if not len(ids) or not len(tokens):
            return 0.0
        heard = self._graph.run(tokens[None].astype(np.int64))[0]
        told = heard[:, np.asarray(ids)]
        return fit(told, WITH_JUMPS) - fit(told, STEADY)


def fit(told: np.ndarray, costs: np.ndarray) -> float:
    """Log-likelihood of the best path through a text: `told` float32 [T, N], of each of its N ids at each of T tokens.

    `costs` float32 [AHEAD[1] + 1 + BACK[1]] are those of coming, at a token, from the id AHEAD[1] before to the one BACK[1]
    behind.
    """
    ids = told.shape[1]
    best = np.full(ids + len(costs) - 1, -np.inf, np.float32)
    here = best[AHEAD[1]:][:ids]
    here[:EDGE] = told[0, :EDGE]
    origins = np.lib.stride_tricks.sliding_window_view(best, len(costs))  # [N, moves], of the same memory
    for row in told[1:]:
        here[:] = (origins - costs).max(1) + row
    return float(here[-EDGE:].max())


def _costs(jump: float) -> np.ndarray:
    """By ids on: from AHEAD[1] down to -BACK[1]."""
    on = np.arange(AHEAD[1], -BACK[1] - 1, -1)
    costs = np.where((on >= AHEAD[0]) | (on <= -BACK[0]), jump, np.inf)
    costs[AHEAD[1] + 1 - len(ON):AHEAD[1] + 1] = ON[::-1]
    return costs.astype(np.float32)


STEADY, WITH_JUMPS = _costs(np.inf), _costs(JUMP)
