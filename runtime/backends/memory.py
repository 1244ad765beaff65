"""Linux memory tuning: fewer malloc arenas, huge pages for weights. Opt-in, as it concerns the whole process."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from contextlib import suppress

_M_ARENA_MAX = -8
ARENAS = 2
"""glibc gives each new thread its own heap, up to eight a core, and none shrinks: streams that come and go with their
threads grew the resident memory by 2.8 % over 2,000 utterances, with two heaps by 0.4 %."""

HUGE_PAGE = 1 << 21
"""Bytes, on x86-64 and on ARM with pages of 4 KiB."""
_WORTH_IT = 4 * HUGE_PAGE
"""Bytes of the smallest region that is looked at."""
_FILLED = 0.9
"""Share of a region that must be in use: what is not would become so."""
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25


_tuned = False


def tune_process() -> None:
    """Apply both to this process, huge pages whenever a CPU backend has loaded its graphs.

    The commands and the server call it; a library or robot program may, before it makes its first `Synthesizer`.
    """
    global _tuned
    _tuned = True
    limit_malloc_arenas()


def huge_pages_wanted() -> bool:
    """Return whether `tune_process` was called."""
    return _tuned


def limit_malloc_arenas() -> bool:
    """Limit glibc to `ARENAS` heaps; whether it was done. MALLOC_ARENA_MAX in the environment goes before."""
    if "MALLOC_ARENA_MAX" in os.environ:
        return False
    with suppress(OSError, AttributeError):
        return bool(ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, ARENAS))
    return False


def use_huge_pages() -> int:
    """Put what fills large regions of this process's own memory, model weights above all, on pages of 2 MiB.

    A step at batch 1 reads every weight once, and with pages of 4 KiB the processor looks up an address for each: a step of
    1.4 GB took 6 % longer. Linux merges pages at once since 6.1 (1 to 3 s a gigabyte, once), older ones in time; systems
    whose transparent huge pages are switched off, or which are not Linux, continue without.

    Returns:
        Bytes that were merged at once.
    """
    merged = 0
    with suppress(OSError, AttributeError):
        madvise = ctypes.CDLL(None, use_errno=True).madvise
        madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, stop in _filled_regions():
            madvise(start, stop - start, _MADV_HUGEPAGE)
            merged += (stop - start) * (madvise(start, stop - start, _MADV_COLLAPSE) == 0)
    return merged


def _filled_regions() -> Iterator[tuple[int, int]]:
    """First and last address, whole huge pages, of large anonymous regions that are in use and not merged yet."""
    with open("/proc/self/smaps", encoding="ascii", errors="replace") as file:
        for region in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", file.read()):
            head, _, rest = region.partition("\n")
            addresses, mode, _, _, inode, *name = head.split(None, 5)
            if not mode.startswith("rw") or inode != "0" or (name and name[0] != "[heap]"):
                continue
            begin, end = (int(address, 16) for address in addresses.split("-"))
            used = dict(re.findall(r"^(Rss|AnonHugePages): +(\d+) kB", rest, re.M))
            start, stop = -(-begin // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
            small = 1024 * (int(used.get("Rss", 0)) - int(used.get("AnonHugePages", 0)))
            if stop - start >= _WORTH_IT and 1024 * int(used.get("Rss", 0)) >= _FILLED * (end - begin) and small >= HUGE_PAGE:
                yield start, stop
