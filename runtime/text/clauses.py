"""Text that comes piece by piece, as a language model writes it, to clauses that can be spoken while the rest is on its way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..errors import TextError
from .normalization.classes.abbreviations import is_abbreviation

FIRST_WORDS = 3
"""A first clause of so many words is spoken at its comma, as the listener waits; later ones are sentences."""
LONG = 160
"""Characters from which a later sentence is cut at a comma too."""
LONGEST = 1000
"""Characters that are spoken without any mark: no model that forgot its punctuation is collected for ever."""

_END = re.compile(r"[.!?…][\"')\]”’]*(?=\s)|\n\s*\n")
_PAUSE = re.compile(r"(?<!\d)[,;:—][\"')\]”’]*(?=\s)|\s[-–](?=\s)")
_SPACE = re.compile(r"(?<=\s)")
_LAST_WORD = re.compile(r"\S+\Z")


def clauses(pieces: Iterable[str]) -> Iterator[str]:
    """Cut joined pieces where a listener would breathe; each clause comes as soon as the text behind it shows that it is one.

    Pieces that carry white space (tokens, lines, characters) are joined as they are; bare words get spaces between them.

    Raises:
        TextError: a piece that is no string, or SSML, which has no meaning before its end.
    """
    pending, first = "", True
    for text in _at_spaces(_joined(pieces)):
        pending += text
        if first and pending.lstrip().startswith(("<speak", "<?xml")):
            raise TextError("SSML cannot come piece by piece; pass the whole document as one string.")
        while (end := _boundary(pending, first)) is not None:
            clause, pending = pending[:end].strip(), pending[end:].lstrip()
            if clause:
                yield clause
                first = False
    if pending.strip():
        yield pending.strip()


def _at_spaces(texts: Iterable[str]) -> Iterator[str]:
    """The same text, handed on at every white space: where it is cut must not depend on how the pieces fell."""
    word = ""
    for text in texts:
        *ready, word = _SPACE.split(word + text)
        yield from ready
        if len(word) > LONGEST:
            yield word
            word = ""
    if word:
        yield word


def _joined(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces with what belongs between them."""
    held: list[str] = []
    spaced: bool | None = None
    """Whether the pieces bring their own white space; unknown so far."""
    for piece in pieces:
        if not isinstance(piece, str):
            raise TextError(f"Text comes as strings; one piece was {type(piece).__name__}.")
        if spaced is None and any(sign.isspace() for sign in piece):
            spaced = True
        if spaced:
            yield "".join(held) + piece
            held = []
            continue
        held.append(piece)
        # A mark, then a word with no space: these are words. One mark alone may be a token before " Next".
        if spaced is None and len(held) > 1 and held[-2][-1:] in ".!?,;:…" and len(held[-2]) > 1 and held[-1][:1].isalnum():
            spaced = False
        if spaced is False:
            yield from (word + " " for word in held)
            held = []
    yield from (word + " " for word in held)


def _boundary(text: str, first: bool) -> int | None:
    """Where the text can be cut, None if it must wait for more."""
    for found in _END.finditer(text):
        if not _is_open(text[:found.end()]):
            return found.end()
    if first or len(text) > LONG:
        for found in _PAUSE.finditer(text):
            if len(text[:found.end()].split()) >= FIRST_WORDS and not text[found.end():].lstrip()[:1].isdigit():
                if text[found.end():].strip() == "":
                    return None  # a number may follow: "May 5, 2024"
                return found.end()
    if len(text) > LONGEST:
        space = text.rfind(" ", 0, LONGEST)
        return space if space > 0 else LONGEST
    return None


def _is_open(text: str) -> bool:
    """Whether the full stop at the end only belongs to its word: "Dr.", "3." of a list, "J. S."."""
    found = _LAST_WORD.search(text.rstrip("\"')]”’"))
    if found is None or not text.rstrip("\"')]”’").endswith("."):
        return False
    return is_abbreviation(found[0].lstrip("\"'([“‘"))
