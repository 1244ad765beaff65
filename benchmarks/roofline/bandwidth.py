"""The memory bandwidth of this machine, as one-row products can use it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np

PROBE_BYTES = 512 << 20
"""Far more than any cache."""
PASSES = 7


class BandwidthProbe:
    """Reads memory now and then through a run. On a virtual machine it is half as fast at some moments as at others: a median
    of patches is compared with the median of these passes, from the same minutes, and not against the fastest."""

    def __init__(self, threads: int, probe_bytes: int = PROBE_BYTES) -> None:
        self.threads = threads
        self._bytes = probe_bytes
        self._parts = np.array_split(np.ones(probe_bytes // 4, np.float32), threads)
        self._found: list[float] = []

    def __call__(self) -> None:
        """Some passes. Each thread reads its own part: numpy's maximum of float32 is vectorised, reads every byte once and
        writes nothing."""
        with ThreadPoolExecutor(self.threads) as pool:
            for _ in range(PASSES):
                begin = time.perf_counter()
                list(pool.map(np.max, self._parts))
                self._found.append(self._bytes / (time.perf_counter() - begin))

    @property
    def bandwidth(self) -> float:
        """Bytes a second that the threads read together, the median of all passes."""
        return median(self._found)

    @property
    def best(self) -> float:
        """The fastest pass."""
        return max(self._found)
