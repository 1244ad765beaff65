"""Tokens of a scanned text, and their assembly to words and punctuation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MARKS = ";:,.!?—…"
"""Punctuation of the result."""
_STRENGTH = "?!….;:—,"
_PAUSES = " ,—"
_SINGLE = frozenset("?!….;:,")


_ET_AL = re.compile(r"\bet al\b(?!')")


class Token(NamedTuple):
    """A span of the text, the class it was given, and what is said for it."""

    start: int
    end: int
    kind: str
    """"word", "mark" for punctuation, or the class whose rule matched: "money", "date", "unit" ..."""
    words: str
    """Lower-case words; for a mark its sign; empty where nothing is said."""
    phonemes: str = ""
    """A given pronunciation, in the model's symbols."""


class Placed(NamedTuple):
    """A token and its place in the assembled text."""

    token: Token
    start: int
    end: int


def assemble(tokens: Sequence[Token], places: bool = True) -> tuple[str, list[Placed]]:
    """The words of `tokens` with single spaces and one mark where several met, and, with `places`, where each token went."""
    parts: list[str] = []
    placed: list[Placed] = []
    length = 0
    marks = ""
    for token in tokens:
        words = token.words
        if not words:
            continue
        if token.kind == "mark" or (words[0] in MARKS and not words.strip(MARKS)):
            marks += words
            continue
        if "et al" in words:
            words = _ET_AL.sub("and others", words)
        before = parts[-1] if words[0] == "a" and parts and not marks else ""
        if before[-2:] == "et" and (words == "al" or words.startswith("al ")) and (before == "et" or before.endswith(" et")):
            parts[-1], words = parts[-1][:-2] + "and", "others" + words[2:]  # from whatever signs stood between the two words
            length += 1
            if places:
                placed[-1] = Placed(placed[-1].token, placed[-1].start, length)
        if parts:
            joint = " " if not marks else marks + " " if marks in _SINGLE else _joint(marks)
            parts.append(joint)
            length += len(joint)
        marks = ""
        if words[-1] in MARKS:
            bare = words.rstrip(MARKS + " ")
            marks, words = words[len(bare) :].strip(), bare
        if places:
            placed.append(Placed(token, length, length + len(words)))
        parts.append(words)
        length += len(words)
    if parts and marks:
        parts.append(_joint(marks).rstrip(_PAUSES))
    return "".join(parts), placed


def _joint(marks: str) -> str:
    mark = _strongest(marks)
    return " — " if mark == "—" else mark + " "


def _strongest(marks: str) -> str:
    mark = next(mark for mark in _STRENGTH if mark in marks)
    return mark if mark in "?!" or "..." not in marks else "…"
