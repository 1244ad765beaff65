"""Verify a sentence: align phonemes recognised in its codec tokens to its text.

The likeliest way through the text, from its first id to its last, stays at an id or goes on at each token. A way that may
also jump, back over what is said twice or ahead over what is left out, explains omissions and repetitions: what it gains in
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
CONTEXT = 13
"""Tokens on either side that a token's phoneme depends on."""


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

    def begin_path(self, ids: Sequence[int]) -> PathTracker:
        """Return an alignment of ids to codec tokens that are still being decoded."""
        return PathTracker(self._graph, ids)


class PathTracker:
    """The likeliest way through a text, without jumps, of the tokens so far; each token is looked at a few times at most."""

    def __init__(self, graph: CpuGraph, ids: Sequence[int]) -> None:
        self._graph = graph
        self._ids = np.asarray(ids, np.int64)
        self._tokens = np.zeros(0, np.int64)
        self._settled = 0
        """Tokens whose phonemes no later token changes."""
        self._scores = np.zeros(0, np.float32)
        """float32 [N], of the best way that ends at each id with the last settled token."""
        self._moves = np.zeros((0, len(ids)), np.int8)
        """int8 [settled, N]: by how many ids the best way to each id went on at each token."""

    def push(self, tokens: np.ndarray) -> None:
        """Add codec tokens int64 [K]."""
        self._tokens = np.concatenate((self._tokens, tokens.astype(np.int64)))

    def path(self, ended: bool) -> np.ndarray:
        """Return the index of the id that each token says, int64 [T], which never falls; `ended`: up to the last ids."""
        count, ids = len(self._tokens), len(self._ids)
        if not count or not ids:
            return np.zeros(count, np.int64)
        first = max(0, self._settled - CONTEXT)
        heard = self._graph.run(self._tokens[None, first:])[0][self._settled - first:, self._ids]
        settled = max(self._settled, count - CONTEXT)
        scores, moves = self._advance(self._scores, heard[:settled - self._settled])
        self._moves = np.concatenate((self._moves, moves))
        heard, self._scores, self._settled = heard[settled - self._settled:], scores, settled
        scores, moves = self._advance(scores, heard)
        moves = np.concatenate((self._moves, moves))
        begin = max(0, ids - EDGE) if ended else 0
        place = begin + int(scores[begin:].argmax())
        path = np.zeros(count, np.int64)
        for token in range(count - 1, -1, -1):
            path[token] = place
            place -= int(moves[token, place])
        return path

    def _advance(self, scores: np.ndarray, heard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores after the tokens of `heard` float32 [T, N], and the moves that led to them."""
        ids = len(self._ids)
        moves = np.zeros((len(heard), ids), np.int8)
        columns = np.arange(ids)
        for token, row in enumerate(heard):
            if not len(scores):
                scores = np.where(columns < EDGE, row, -np.inf).astype(np.float32)
                continue
            before = np.full((len(ON), ids), -np.inf, np.float32)
            for move, cost in enumerate(ON[:ids]):
                before[move, move:] = scores[:ids - move] - cost
            best = before.argmax(0)
            moves[token] = best
            scores = before[best, columns] + row
        return scores, moves


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
