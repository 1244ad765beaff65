"""Signs between and before numbers: ranges, minus, division, sums."""

from __future__ import annotations

import re

from ..scanner import Scanner

_INTEGER = r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d+)"

NUMBER = rf"{_INTEGER}(?:\.\d+)?"

SPACED_DIVISION = r"(?<=[\d)]) ?(?:/|÷) ?(?=\d[\d.]* ?=)| / (?=\d)"

DASH = r"(?P<sign>[-–~] ?|\.\.)(?=[$€£¥]?\.?\d|[A-Z][a-z]{2})"

ADDED = r"(?P<sign>[+=<>*×])(?=[\d(.-])"

_MODEL_WORDS_LIST = """
    boeing airbus apollo route flight room suite bus train highway interstate error http status series peugeot porsche bmw
    mazda area model
    """

MODEL_WORDS = frozenset(_MODEL_WORDS_LIST.split())

MINUS = r"(?:(?<![\w)\].,%^–-])|(?<=\bGMT)|(?<=\bUTC))[-–](?=[$€£¥]?\.?\d)"

DASH_MINUS = r"(?:(?<=[=+*/<>(,:] )|(?<=[=+*/<>(]))[-–](?=[A-Za-z](?![A-Za-z-]))"

APPROXIMATE = r"(?<![\w/])~ ?(?=[$€£¥]?\.?\d)"

_SIGNS = {
    "+": "plus", "=": "equals", "<": "less than", ">": "greater than", "*": "times", "×": "times", "/": "divided by",
    "÷": "divided by",
}


def dash(found: re.Match[str], scanner: Scanner) -> str | None:
    """A dash between two numbers: "to", "minus" in a sum, or nothing in a name."""
    if not scanner.previous_numeric(found.start()) or scanner.last() is None:
        return None
    last, sign, text = scanner.last(), found["sign"], scanner.text
    assert last is not None
    before = text[found.start() - 1] == " "
    if text[found.end()].isalpha():
        return "to" if last.kind in ("date", "year") and _DATE_NAME.match(text, found.end()) else None
    spaced = before and sign.endswith(" ")
    if before != sign.endswith(" ") and last.kind != "time":
        return "minus"
    after = _UPPER.match(text, found.end())
    if after is not None and last.kind == "number":
        short = len(text[last.start : last.end]) < 4 and not after["unit"]
        if after["sum"] or (spaced and "-" in sign and short):
            return "minus"
    if last.kind == "number" and not spaced and scanner.word_before(last.start).lower() in MODEL_WORDS:
        return ""
    return "to"


_DATE_NAME = re.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)")

_UPPER = re.compile(r"[$€£¥]?[\d.,]+(?P<unit> ?(?:%|°|[A-Za-z]{1,3}(?![A-Za-z])|[a-z]{4,}))?(?P<sum> ?[=+*/])?")


def added(found: re.Match[str], scanner: Scanner) -> str | None:
    last = scanner.last()
    if last is None or last.kind == "mark" or last.end < found.start() - 1:
        return None
    return _SIGNS[found["sign"]]


def times(found: re.Match[str], scanner: Scanner) -> str | None:
    before = scanner.word_before(found.start())
    return "star" if before.isupper() and len(before) > 2 else "times"


def division(found: re.Match[str], scanner: Scanner) -> str | None:
    return (
        "divided by"
        if scanner.previous_numeric(found.start()) or scanner.text[found.start() - 1 : found.start()] == ")"
        else None
    )


def minus(found: re.Match[str], scanner: Scanner) -> str | None:
    """A sign, not a dash: nothing before it, or a space and no number."""
    start = found.start()
    if scanner.text[found.end() - 1] == "–" and scanner.text[start - 1 : start].isalnum():
        return None
    return "minus"
