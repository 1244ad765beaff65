"""Keeping a long-running process at the size that it had after its first minutes."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

_M_ARENA_MAX = -8
ARENAS = 2
"""glibc gives each new thread a heap of its own, up to eight a core, and none shrinks: streams that come and go with their
threads grew the resident memory by 2.8 % over 2,000 utterances, with two heaps by 0.4 %."""


def keep_few_heaps() -> bool:
    """Limit glibc to `ARENAS` heaps; whether it was done. MALLOC_ARENA_MAX in the environment goes before."""
    if "MALLOC_ARENA_MAX" in os.environ:
        return False
    with suppress(OSError, AttributeError):
        return bool(ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, ARENAS))
    return False
