"""A single capital letter after a number: a unit ("12V", "a 60 W lamp") or a letter ("seat 14A", "42 W 5th St").

The tables of contexts are here, and nowhere else.
"""

from __future__ import annotations

import re

from ...scanner import Scanner

_LABELS_LIST = """
    aisle annex apartment appendix apt article bay bed berth bin block box building bus cabin car carriage cell chapter
    clause class coach code column compartment dock door exhibit exit fig figure flat flight floor form gate grade group
    hall hangar highway hwy house interstate item jack lane level line locker lot model module no number num option pad
    page paragraph part phase pier pin plan platform plot port position pump rack ramp ref room route row rule schedule
    seat section sector shelf shop site sku slip slot space spot stage stall stand station step stop suite table team
    terminal title tower track trailer tray type unit valve version ward wing zone
    """

LABELS = frozenset(_LABELS_LIST.split())
"""Nouns whose number may carry a letter: "seat 14A", "bay 7L"."""

_LABELLED = re.compile(
    r"([A-Za-z]+)s?(?:[.:#]| is| was| no\.?| number| at| to| from| in| and| or| [A-Z\d]{1,4}(?: and| or|,))*[ #]*\Z"
)

_AMP_WORDS = re.compile(
    r"\b(?:amps?|fused?|breaker|circuit|current|charger|chargers?|draws?|drawing|supply|load|motor|rated|battery|outlet|socket"
    r"|\d+(?:\.\d+)? ?(?:m?V|kV|W|kW|mA|Ah|mAh|Ω|volts?|watts?))\b"
)

_LETTER_UNITS = frozenset("AVWNLJKCFHBGTMDSPRYE")

_FORCE_WORDS = re.compile(
    r"\b(?:force|load|thrust|torque|weigh\w*|push\w*|pull\w*|grip\w*|newtons?|of|at|with|up to|about|exerts?|applies)\b"
)

_STREET_AFTER = re.compile(
    r" (?:\d{1,3}(?:st|nd|rd|th)|[A-Z][a-z]+ (?:St|Street|Ave|Avenue|Rd|Road|Blvd|Ln|Lane|Dr|Drive|Ct|Way|Pl|Hwy|Pkwy))\b"
)

EQUATION = re.compile(r" ?[+=)*<>^]| - ")

WORD_CONTINUES = re.compile(r"'s|-[a-z]")

_NOUN_ONLY = re.compile(
    r" (?:diameter|radius|scale|cable|pipe|screen|hose|bolt|bit|lens|gun|shell|fuse|breaker|charger|battery|motor|supply"
    r"|lamp|bulb|outlet|bag|box|bottle|tank|weight|rail|drive|pool|dash|race|run|walk|swim)\b"
)


_ANGLE = re.compile(r" (?:turn|angle|rotation|bend|arc|view|corner|spin|panorama|video)\b")
_DEVICE = re.compile(r" (?:SSD|HDD|SD|hard drive|drive|disk|camera|sensor|stick|card|model|version|file|download)\b")


def compound(found: re.Match[str], scanner: Scanner, symbol: str) -> bool:
    """Return whether a quantity stands before its noun: "a 5 km run", "500 GB SSD"."""
    if symbol in ("MB", "GB", "TB", "MP") and _DEVICE.match(scanner.text, found.end()):
        return True
    if symbol == "°":
        return _ANGLE.match(scanner.text, found.end()) is not None
    return (
        _NOUN_ONLY.match(scanner.text, found.end()) is not None
        and not symbol.startswith(("°", "%", "x"))
        and scanner.word_before(found.start()).lower() in ("a", "an", "the", "this", "that", "each", "every")
    )


def is_unit(start: int, end: int, number: str, letter: str, joint: str, scanner: Scanner) -> bool:
    """Return whether a capital letter after a number is a unit there."""
    text = scanner.text
    before = text[max(0, start - 40) : start]
    label = _LABELLED.search(before)
    if label and (label[1].lower() in LABELS or label[1].lower().rstrip("s") in LABELS):
        return False
    if _STREET_AFTER.match(text, end):
        return False
    if letter == "A":
        around = text[max(0, start - 60) : end + 40]
        return "." in number or _AMP_WORDS.search(around[: start - max(0, start - 60)] + " " + text[end : end + 40]) is not None
    if letter == "N":
        return (joint == "" and (("." in number) or _FORCE_WORDS.search(before[-20:]) is not None or not before.strip())) or (
            joint == " "
            and _STREET_AFTER.match(text, end) is None
            and text[end : end + 2].strip()[:1] not in tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        )
    if letter in "CF":
        return (
            joint == " "
            or ("." in number and not before.endswith(("v", "V")))
            or re.search(
                r"\b(?:temp\w*|degrees|heat\w*|cool\w*|oven|outside|weather|hot|cold|warm|from|to|at|of|is|-)\b ?-?\Z", before
            )
            is not None
        )
    if letter in "BGTMDSPRYEH":
        return letter == "B" and joint == " " and False
    return True


def labelled(start: int, scanner: Scanner) -> bool:
    label = _LABELLED.search(scanner.text[max(0, start - 40) : start])
    return label is not None and label[1].lower() in LABELS
