"""Pronunciations given in the text: `[word](/aɪpiːeɪ/)`."""

from __future__ import annotations

import re

from .tracked_text import TrackedText

FIRST, LAST = 0xE000, 0xF8FF
"""Private characters: each stands for one word with a given pronunciation."""
_PRIVATE = re.compile("[\ue000-\uf8ff]+")
_GIVEN = re.compile(r"\[([^\[\]\n]{1,100})\]\(/([^/()\n]{1,200})/\)")


def mark_pronunciations(source: TrackedText) -> list[tuple[str, str]]:
    """Replace each word that has a pronunciation by a private character; the words and pronunciations, in their order."""
    if not source.text.isascii():
        source.sub(_PRIVATE, " ")
    found: list[tuple[str, str]] = []
    if "](/" not in source.text:
        return found

    def mark(match: re.Match[str]) -> str:
        if len(found) > LAST - FIRST:
            return match[1]
        found.append((match[1], match[2]))
        return chr(FIRST + len(found) - 1)

    source.sub(_GIVEN, mark)
    return found
