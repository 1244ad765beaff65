"""Detect failures of a spoken sentence, whatever its word error rate: loops, truncation, silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np

from benchmarks.judges.word_errors import words

KINDS = ("loop", "truncation", "silence")
TOO_LONG, TOO_SHORT = 1.7, 0.55
"""Shares of the expected seconds. Held-out sentences of the teacher's three voices are within 0.7 and 1.5 of each other."""
REPEATS = 3
"""So often the same words come in a row where the text does not have them so often."""
LAST_WORDS = 2
PAUSE_SECONDS = 1.2
"""Longest silence within or around a sentence; the teacher's longest is about 0.6 s."""
QUIET = 10 ** (-45 / 20)
"""Level of a 10 ms frame, as a share of the loudest frame, that counts as silence."""
INAUDIBLE = 3e-3
"""Root mean square of the loudest frame of inaudible speech."""
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_DIGITS = "xdigits"
"""Prefix of the words that replace digits; no other word has it."""


def failures(text: str, heard: str, samples: np.ndarray, sample_rate: int, expected_seconds: float,
             stopped_by: str, spelled: Callable[[], str] | None = None) -> list[str]:
    """`loop`, `truncation`, `silence`: those that a reading float32 [T] of `text` has.

    Args:
        heard: the recogniser's transcript.
        expected_seconds: how long a good reading takes, within about a half.
        stopped_by: how the decoder says that it ended (`runtime.stats`).
        spelled: what another recogniser understood, one that writes numbers as words; asked where digits loop.
    """
    share = len(samples) / sample_rate / max(expected_seconds, 0.3)
    found = {
        "loop": stopped_by == "repetition" or loops(text, heard, spelled) or (share > TOO_LONG and expected_seconds >= 1),
        "truncation": stopped_by in ("early", "length") or truncated(text, heard, share),
        "silence": longest_silence(samples, sample_rate) > PAUSE_SECONDS,
    }
    return [kind for kind in KINDS if found[kind]]


def loops(text: str, heard: str, spelled: Callable[[], str] | None = None) -> bool:
    """Return True if words are recognised REPEATS times in a row, and more often than the text repeats them.

    A number that a recogniser writes in digits is one word: 0.666 is no loop of sixes. Over a fraction it may stammer by
    itself, as Whisper does over the teacher's own recording of "three and one-half inches" ("3 1 1 1 1 1 1 1 inches"): where
    nothing but digits loop, `spelled` must have words twice in a row that the text has not.
    """
    said, asked = (words(_NUMBER.sub(_spelled, each)) for each in (heard, text))
    if not _repeats(asked, said, REPEATS):
        return False
    once = [word for word, again in groupby(said) for word in ([word] if word.startswith(_DIGITS) else again)]
    return spelled is None or _repeats(asked, once, REPEATS) or _repeats(words(text), words(spelled()), 2)


def _repeats(asked: Sequence[str], said: Sequence[str], times: int) -> bool:
    """Return True if any run of words occurs `times` in a row in `said`, and more often than in `asked`."""
    return any(runs(said, size) >= times and runs(said, size) > runs(asked, size) for size in range(1, 1 + len(said) // times))


def _spelled(number: re.Match[str]) -> str:
    """Digits as a word of letters, equal where they are equal."""
    return _DIGITS + "".join("abcdefghij"[int(digit)] for digit in number[0] if digit.isdigit())


def runs(spoken: Sequence[str], size: int) -> int:
    """Count the longest immediate repetition of any `size` words."""
    best = 0
    for start in range(len(spoken) - size + 1):
        count = 1
        while spoken[start + count * size:start + (count + 1) * size] == spoken[start:start + size]:
            count += 1
        best = max(best, count)
    return best


def truncated(text: str, heard: str, share: float) -> bool:
    """Return True if speech is far too short, or rather short with none of the last words recognised at its end."""
    asked, said = words(text), words(heard)
    if len(asked) <= LAST_WORDS:
        return share < TOO_SHORT / 2
    missing = not set(asked[-LAST_WORDS:]) & set(said[-2 * LAST_WORDS:])
    return share < TOO_SHORT or (missing and share < (1 + TOO_SHORT) / 2)


def longest_silence(samples: np.ndarray, sample_rate: int) -> float:
    """Seconds of the longest stretch below QUIET; all of them if nothing is audible."""
    frame = sample_rate // 100
    count = len(samples) // frame
    levels = np.sqrt(np.mean(np.square(samples[:count * frame].reshape(count, frame).astype(np.float64)), 1))
    if not count or levels.max() < INAUDIBLE:
        return float("inf")
    loud = np.flatnonzero(levels > QUIET * levels.max())
    gaps = np.diff([-1, *loud.tolist(), count]) - 1
    return float(gaps.max()) / 100
