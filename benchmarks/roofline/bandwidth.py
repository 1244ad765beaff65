"""The memory bandwidth of this machine, as one-row products can use it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

PROBE_BYTES = 512 << 20
"""Far more than any cache."""
PASSES = 7


def read_bandwidth(threads: int, probe_bytes: int = PROBE_BYTES) -> float:
    """Bytes a second that `threads` threads read together, the best of several passes over memory.

    Each thread sums its own part: numpy's pairwise sum of float32 is vectorised, reads every byte once and writes nothing.
    """
    parts = np.array_split(np.ones(probe_bytes // 4, np.float32), threads)
    with ThreadPoolExecutor(threads) as pool:
        best = float("inf")
        for _ in range(PASSES):
            begin = time.perf_counter()
            list(pool.map(np.max, parts))
            best = min(best, time.perf_counter() - begin)
    return probe_bytes / best
