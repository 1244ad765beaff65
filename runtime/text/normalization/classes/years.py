"""Years and decades: "1999", "the 90s", "44 BC", "1914-18"."""

from __future__ import annotations

import re

from ..number_words import cardinal, decade, year
from ..scanner import Scanner

DECADE = r"(?<![\w.,$€£])(?P<mark>'?)(?P<decade>(?:1[1-9]|20)\d0|[1-9]0)'?s(?![\w/]|\.\w)"

_DECADE_BEFORE_LIST = """
    the her his their my your our its early mid late roaring swinging fifties sixties
    """

_DECADE_BEFORE = frozenset(_DECADE_BEFORE_LIST.split())

_DECADE_AFTER_LIST = """
    music style rock pop hits movie movies fashion synth vibe vibes look song songs era show shows nostalgia hair film
    films kids disco aesthetic cartoons throwback
    """

_DECADE_AFTER = frozenset(_DECADE_AFTER_LIST.split())

YEAR_WORD = r"(?<![\w.,$€£/-])(?P<year>1[0-7]\d\d)(?=[\s.,;:!?)]|$)(?![.,]\d)"

_YEAR_BEFORE_LIST = """
    in since until till circa year ca c by around before after from of during autumn spring summer winter fall
    """

_YEAR_BEFORE = frozenset(_YEAR_BEFORE_LIST.split())

CENTURY_YEAR = r"(?<![\w.,$€£/])(?P<year>\d{1,4})(?= (?:BC|AD|BCE|CE|B\.C\.|A\.D\.)(?!\w))"

YEAR_SPAN = r"(?<![\w.,$€£/-])(?P<year>1[5-9]\d\d|20\d\d) ?[-–/] ?(?P<last>\d\d)(?![\w/-]|[.,]\d|[%°])"

_DATE_WORDS_LIST = """
    on by until till since before after dated from due date deadline starting ending between through monday tuesday
    wednesday thursday friday saturday sunday mon tue wed thu fri sat sun tues thurs for
    """

DATE_WORDS = frozenset(_DATE_WORDS_LIST.split())


def full_year(text: str) -> int:
    """ "25" to 2025, "85" to 1985."""
    value = int(text)
    if len(text) > 2:
        return value
    return value + (2000 if value < 70 else 1900)


def decade_words(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "the 90s" but not "wait 30s": two digits need a word that makes them a decade."""
    text = found["decade"]
    if len(text) == 2 and not found["mark"] and not _is_decade(found, scanner):
        return None
    return decade(text)


def _is_decade(found: re.Match[str], scanner: Scanner) -> bool:
    if scanner.word_before(found.start()).lower() in _DECADE_BEFORE or scanner.word_after(found.end()).lower() in _DECADE_AFTER:
        return True
    if scanner.text[max(0, found.start() - 4) : found.start()].lower().endswith(("mid-", "mid ", "mid–")):
        return True
    recent = scanner.tokens[-3:]
    return any(token.kind == "year" and token.words.endswith("ies") for token in recent) and not any(
        token.kind == "mark" and token.words == "." for token in recent
    )


def year_word(found: re.Match[str], scanner: Scanner) -> str | None:
    before = scanner.text[max(0, found.start() - 9) : found.start()].lower()
    dated = before.endswith(("year was ", "year is ")) or scanner.word_before(found.start()).lower() in _YEAR_BEFORE
    return year(int(found["year"])) if dated else None


def century_year(found: re.Match[str], scanner: Scanner) -> str | None:
    return year(int(found["year"]))


def year_span(found: re.Match[str], scanner: Scanner) -> str | None:
    first, last = int(found["year"]), int(found["last"])
    if last <= first % 100 or not last >= 1:
        return None
    if "/" in found[0] and last != first % 100 + 1:
        return None
    return f"{year(first)} to {cardinal(last) if last > 9 else 'oh ' + cardinal(last)}"
