"""Text that comes piece by piece, as a language model writes it, to clauses that can be spoken while the rest is on its way.

A boundary is taken as soon as no continuation can change the words before it. Where the next word decides ("Jan. 5", "no. 7",
"42. Then"), it is waited for, but not for longer than the writer's own pause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from ..errors import TextError
from .normalization.tables.abbreviations import ALWAYS, BEFORE_NAMES, ENDING, NUMBERED, STARTERS, TITLES

FIRST_WORDS = 3
"""A first clause of so many words is spoken at its comma, as the listener waits; later ones are sentences."""
WIDE_PER_WORD = 2
"""Chinese and Japanese characters that count as one word."""
LONG = 160
"""Characters from which a later sentence is cut at a comma too."""
LONGEST = 1000
"""Characters that are spoken without any mark: the memory of a text that forgot its punctuation is bounded."""
SHORT_LINE = 50
"""Characters of a line without a mark that may be a heading or an entry of a list."""

_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Ranges of Chinese characters and Japanese kana, whose words have no spaces between them."""
_HAN_MARKS, _HAN_CLOSERS = "。！？；", "”’」』）】》"
_WIDE = re.compile(f"[{_HAN}{_HAN_MARKS}]")
_END = re.compile(rf"[.!?…][\"')\]”’*_`]*(?=\s)|\n|[{_HAN_MARKS}]+[{_HAN_CLOSERS}]*(?=[^{_HAN_MARKS}{_HAN_CLOSERS}])")
_PAUSE = re.compile(r"(?<!\d)[,;:—][\"')\]”’*_]*(?=\s)|\s[-–](?=\s)|[，、：](?=\S)")
_SPACE = re.compile(rf"(?<=[\s{_HAN}，、：{_HAN_MARKS}{_HAN_CLOSERS}])")
_LAST_WORD = re.compile(r"\S+\Z")
_NEXT_WORD = re.compile(r"\s+[\"'(\[“‘*_]*([^\s\"'(\[“‘*_]\S*)")
_ITEM = re.compile(r"\s*(?:[-*+•·]\s|\d{1,3}[.)]\s|[A-Z][.)]\s|#{1,6}\s|\||>|```)")
_BLOCK = re.compile(r"\s*(?:#{1,6}\s|\||```)")
_FINISHED = re.compile(rf"(?:[.!?…][\"')\]”’*_`]*|\n|[{_HAN_MARKS}][{_HAN_CLOSERS}]*)\s*\Z")
_SENTENCE_START = re.compile(r"[\"'(\[“‘*_]*[A-Z\d]")
_CLOSERS = "\"')]”’*_`"
_MONTH = re.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)")
_LIST_DIGITS = 2
"""Of a number that may count the entries of a list, "1. First, 2. Second"; longer ones are years."""
_CHECKED = 64
"""Pieces after which the length of what is held is looked at."""
_DATE_LIST = "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri"
_UNIT_LIST = "ft in sq oz lb lbs yd fl tsp tbsp qt gal pt hr hrs min mins sec secs rs cu mi"
_DATES, _UNITS = frozenset(_DATE_LIST.split()), frozenset(_UNIT_LIST.split())


class Quiet(Enum):
    """Marker between pieces of a text where its writer pauses."""

    QUIET = "quiet"


QUIET = Quiet.QUIET


class Clause(NamedTuple):
    """Text that is spoken at a time."""

    text: str
    start: int
    """Its first character in the pieces joined."""


def clauses(pieces: Iterable[str | Quiet]) -> Iterator[Clause]:
    """Cut joined pieces where a listener would breathe; `QUIET` among them says that the writer pauses.

    Pieces that carry white space (tokens, lines, characters) are joined as they are; bare words get spaces between them.

    Raises:
        TextError: a piece that is no string, or SSML, which has no meaning before its end.
    """
    splitter = ClauseSplitter()
    for piece in pieces:
        yield from splitter.quiet() if piece is QUIET else splitter.push(piece)
    yield from splitter.end()


class ClauseSplitter:
    """The text that is not spoken yet, and where it can be cut."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._spaced: bool | None = None
        self._word = ""
        self._pending = ""
        self._start = 0
        """Place of `_pending` in the pieces joined."""
        self._first = True
        self._quiets = 0
        """Pauses before it was known whether the pieces are bare words."""

    def push(self, piece: object) -> Iterator[Clause]:
        """Clauses that a further piece completes."""
        if not isinstance(piece, str):
            raise TextError(f"Text comes as strings; one piece was {type(piece).__name__}.")
        yield from self._take(self._join(piece))

    def quiet(self) -> Iterator[Clause]:
        """Clauses that are certain as the writer has paused: all of them if the text stops after a sentence's mark."""
        text = self._pending + self._word + "".join(self._held)
        if not _FINISHED.search(text):
            return
        if self._held and self._spaced is None and len(self._held) > 1:
            return
        ready, self._held, self._word = "".join(self._held) + " ", [], self._word
        yield from self._take(ready)
        yield from self._flush()
        if self._spaced is not False:
            self._start -= 1  # the space that stands for the pause
            self._quiets += self._spaced is None

    def end(self) -> Iterator[Clause]:
        """Return the remaining text."""
        rest = "".join(word + " " for word in self._held) if self._spaced is not True else "".join(self._held)
        self._held = []
        yield from self._take(rest)
        self._pending += self._word
        self._word = ""
        yield from self._cut(ended=True)
        yield from self._flush()

    def _flush(self) -> Iterator[Clause]:
        self._pending += self._word
        self._word = ""
        yield from self._cut_at(len(self._pending))

    def _cut_at(self, end: int) -> Iterator[Clause]:
        """Take the first `end` characters, and the white space after them, from what is pending."""
        taken, rest = self._pending[:end], self._pending[end:]
        start, self._pending = self._start, rest.lstrip()
        self._start += end + len(rest) - len(self._pending)
        if taken.strip():
            self._first = False
            yield Clause(taken.strip(), start + len(taken) - len(taken.lstrip()))

    def _join(self, piece: str) -> str:
        """Return the text that is complete, with spaces between bare words."""
        held = self._held
        if self._spaced is None and (any(sign.isspace() for sign in piece) or _WIDE.search(piece)):
            self._spaced = True
        held.append(piece)
        before = held[-2] if self._spaced is None and len(held) > 1 else ""
        # A mark, then a word with no space: these are words. One mark alone may be a token before " Next".
        if len(before) > 1 and before[-1] in ".!?,;:…" and piece[:1].isalnum():
            self._spaced = False
            self._start += self._quiets
        if self._spaced is None and len(held) % _CHECKED == 0 and sum(map(len, held)) > LONGEST:
            self._spaced = True  # no white space ever: one endless word
        if self._spaced is None:
            return ""
        self._held = []
        return "".join(held) if self._spaced else "".join(word + " " for word in held)

    def _take(self, text: str) -> Iterator[Clause]:
        """Add text up to its last white space, word by word: where it is cut must not depend on how the pieces fell."""
        *ready, self._word = _SPACE.split(self._word + text)
        if len(self._word) > LONGEST:
            ready, self._word = [*ready, self._word], ""
        for word in ready:
            self._pending += word
            if self._first and self._pending.lstrip().startswith(("<speak", "<?xml")):
                raise TextError("SSML cannot come piece by piece; pass the whole document as one string.")
            yield from self._cut(ended=False)

    def _cut(self, ended: bool) -> Iterator[Clause]:
        while (end := _boundary(self._pending, self._first, ended)) is not None:
            yield from self._cut_at(end)


def _boundary(text: str, first: bool, ended: bool) -> int | None:
    """Return the position of the next cut, None where more text is needed."""
    waits = False
    for found in _END.finditer(text):
        closes = _line_closes(text, found.end(), ended) if found[0] == "\n" else _mark_closes(text, found.end())
        if closes:
            return found.end()
        if closes is None:
            waits = True
            break
    if not waits and (first or len(text) > LONG):
        for found in _PAUSE.finditer(text):
            if _words(text[:found.end()]) >= FIRST_WORDS and not text[found.end():].lstrip()[:1].isdigit():
                if text[found.end():].strip() == "":
                    break  # a number may follow: "May 5, 2024"
                return found.end()
    if len(text) > LONGEST:
        space = text.rfind(" ", 0, LONGEST)
        return space if space > 0 else LONGEST
    return None


def _words(text: str) -> int:
    """Return the number of words; Chinese and Japanese ones by their usual length."""
    wide = len(_WIDE.findall(text))
    return len(text.split()) - bool(wide) + -(-wide // WIDE_PER_WORD)


def _line_closes(text: str, end: int, ended: bool) -> bool | None:
    """Return whether a line end separates two clauses; None if that depends on what follows."""
    line = text[:end].rstrip("\n").rpartition("\n")[2]
    if not line.strip():
        return bool(text[:end].strip()) or None
    if _BLOCK.match(line):
        return True
    rest = text[end:]
    if not rest.strip(" \t"):
        return None
    if rest.lstrip(" \t").startswith("\n") or _ITEM.match(rest):
        return True
    starts = _SENTENCE_START.match(rest.lstrip()) is not None
    return starts and (len(line.strip()) < SHORT_LINE or _ITEM.match(line) is not None) and line.rstrip()[-1] not in ",;—–-"


def _mark_closes(text: str, end: int) -> bool | None:
    """Return whether a mark ends its sentence; None if the next word decides and is not there yet."""
    head = text[:end].rstrip(_CLOSERS)
    last = _LAST_WORD.search(head)
    if last is None or not head.endswith("."):
        return True
    stem = last[0].lstrip("\"'([“‘*_")[:-1]
    lower = stem.lower()
    if len(stem) > 1 and not stem.isdigit() and not _initials(stem) and not _abbreviates(stem, lower):
        return True
    found = _NEXT_WORD.match(text, end)
    if found is None:
        return None
    return not _continues(stem, lower, found[1], text[:last.start()].rstrip()[-1:] in ("", ",", ";", ":", "—"))


def _initials(stem: str) -> bool:
    """Return whether a stem is letters with dots between ("U.S", "a.m", "Ph.D"), not a number, a file or a host."""
    return "." in stem and all(len(part) <= 2 and part.isalpha() for part in stem.split("."))


def _abbreviates(stem: str, lower: str) -> bool:
    if lower in _DATES:
        return stem[0].isupper()
    return stem in _BEFORE_NAMES or lower in _ANY_CASE


def _continues(stem: str, lower: str, following: str, alone: bool) -> bool:
    """Return whether the dot after `stem` is its own, as the next word shows; `alone`: no word of its sentence is before it."""
    digit, capital = following[0].isdigit(), following[0].isupper()
    starter = following.strip(",.!?;:'\"") in STARTERS
    if stem.isdigit():
        return (alone and len(stem) <= _LIST_DIGITS) or _MONTH.match(following) is not None or following[0].islower()
    if stem in _BEFORE_NAMES:
        return capital and not starter
    if lower in _DATES and stem[0].isupper():
        return digit or following[0].islower()
    if lower in _UNITS:
        return digit or following[0].islower()
    if lower in ENDING or lower in ("al", "temp"):
        return not (starter or (capital and lower in ("etc", "al")))
    if lower in NUMBERED:
        small = following[0].islower() and lower not in _WORDS_TOO
        return digit or following[0] in "#(" or small or (lower in ALWAYS and not starter)
    return not starter


_BEFORE_NAMES = TITLES.keys() | BEFORE_NAMES.keys() | {"St", "Dr"}
_ANY_CASE = NUMBERED.keys() | ALWAYS.keys() | ENDING.keys() | _UNITS | {"al", "temp"}
_WORD_LIST = "no max min ed temp lot p app fig art ex tab op ref alt dim q b d r c ph tel col ser rev"
_WORDS_TOO = frozenset(_WORD_LIST.split())
"""Abbreviations before numbers that also are words, or end sentences."""
