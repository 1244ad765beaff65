"""Pronunciations given in the text, `[word](/aɪpiːeɪ/)`, or by the user's lexicon."""

from __future__ import annotations

import re
from collections.abc import Callable

from .tracked_text import Edit, TrackedText

FIRST, LAST = 0xE000, 0xF8FF
"""Private characters: each stands for one word with a given pronunciation."""
GIVEN = re.compile(r"\[([^\[\]\n]{1,100})\]\(/([^/()\n]{1,200})/\)")
"""A word and its pronunciation in IPA."""
_PRIVATE = re.compile("[\ue000-\uf8ff]+")
Find = Callable[[str], list[tuple[int, int, str]]]
"""Start, end and phonemes of each word of a text that has a given pronunciation."""


def mark_pronunciations(source: TrackedText, read_ipa: Callable[[str], str], find: Find | None = None) -> list[tuple[str, str]]:
    """Replace each word that has a pronunciation by a private character; the words and phonemes, in their order."""
    if not source.text.isascii():
        source.sub(_PRIVATE, " ")
    given: list[tuple[str, str]] = []

    def mark(word: str, phonemes: str) -> str:
        if len(given) > LAST - FIRST:
            return word
        given.append((word, phonemes))
        return chr(FIRST + len(given) - 1)

    if "](/" in source.text:
        source.sub(GIVEN, lambda match: mark(match[1], read_ipa(match[2])))
    if find is not None:
        source.edit([Edit(start, end, mark(source.text[start:end], phonemes)) for start, end, phonemes in find(source.text)])
    return given


def without_pronunciations(text: str) -> str:
    """`"the [API](/aɪ/) is"` to `"the API is"`, for display."""
    return GIVEN.sub(r"\1", text) if "](/" in text else text
