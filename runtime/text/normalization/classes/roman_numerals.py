"""Roman numerals: after such words as "Chapter", after a ruler's name, and where nothing else is written so."""

from __future__ import annotations

import re

from ..number_words import cardinal, ordinal
from ..scanner import Scanner, rule

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_TOKEN = r"(?<![\w.'&/-])(?P<roman>[IVXLCDM]{1,9})(?:(?P<ordinal>th|st|nd|rd)(?!\w))?(?P<own>'s\b)?(?![\w'&@/]|\.\w|-[a-zA-Z])"
_PARTS_LIST = """
    chapter ch part act scene volume vol section sec phase type book table figure fig level article art stage step class
    mark mk war bowl title version appendix annex canto psalm page unit episode season quadrelle apollo saturn soyuz gemini
    rocky fantasy quest civilization division group category grade schedule tier generation gen protocol factor opus no
    number symphony sonata century
    """
_PARTS = frozenset(_PARTS_LIST.split())
_SHORTENED = frozenset(["ch", "vol", "sec", "fig", "mk", "art", "no"])
_RULERS_LIST = """
    henry louis george charles edward elizabeth james william richard philip pius benedict paul john leo frederick napoleon
    alexander catherine peter nicholas francis ramesses gregory urban innocent clement sixtus julius constantine ferdinand
    leopold wilhelm carl gustav olaf harald haakon christian margrethe mary anne victor umberto pedro alfonso felipe juan
    sancho ivan vladimir boris otto rudolf maximilian joseph franz ludwig albert baudouin rama ptolemy cleopatra xerxes
    darius artaxerxes mehmed selim suleiman murad stephen robert david malcolm king queen pope emperor tsar czar
    """
_RULERS = frozenset(_RULERS_LIST.split())
_WORLD_WAR = r"(?<!\w)WW(?P<roman>I{1,2})(?!\w)"
_ALONE_SAFE = frozenset(
    ("II", "III", "IV", "VI", "VII", "VIII", "IX", "XI", "XII", "XIII", "XIV", "XV", "XVI", "XVII", "XVIII", "XIX", "XXI")
)
_AFTER_LABEL = re.compile(r"([A-Za-z]+)\.?(?:,)? \Z")
_CONTINUED = re.compile(r"(?:[IVXLCDM]{1,9}|to|and|or|–|-|,| ){1,12}\Z")


def roman(text: str) -> int | None:
    """Value of a Roman numeral in capitals; None if it is not written as one."""
    if not text or not _ROMAN.fullmatch(text):
        return None
    values = [_VALUES[letter] for letter in text]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)


def _numeral(found: re.Match[str], scanner: Scanner) -> str | None:
    words = _value(found, scanner)
    if words is None or not found["own"]:
        return words
    return f"{words}'s" if len(found["roman"]) > 1 or words.startswith("the ") else None


def _value(found: re.Match[str], scanner: Scanner) -> str | None:
    text, start = found["roman"], found.start()
    value = roman(text)
    if value is None:
        return None
    if found["ordinal"]:
        return ordinal(value) if len(text) > 1 else None
    label = _AFTER_LABEL.search(scanner.text[max(0, start - 24) : start])
    before = label[1] if label else ""
    lower = before.lower()
    if (
        lower in _RULERS
        and before[:1].isupper()
        and (
            len(text) > 1
            or (
                text in "VX"
                or (
                    text == "I"
                    and not re.match(
                        r" (?:am|was|have|will|think|know|had|said|can|could|would|do|did|like|want|need|feel|believe)\b",
                        scanner.text[found.end() : found.end() + 9],
                    )
                )
            )
        )
    ):
        return f"the {ordinal(value)}" if lower not in ("king", "queen", "pope", "emperor", "tsar", "czar") else cardinal(value)
    if lower in _PARTS or (lower.endswith("s") and lower[:-1] in _PARTS):
        dotted = label is not None and "." in label[0]
        if (dotted and lower not in _SHORTENED) or (
            text == "I" and (lower in ("no", "page", "number", "type", "level", "unit", "class") or not before[:1].isupper())
        ):
            return None
        return cardinal(value)
    if len(text) > 1 and text in _ALONE_SAFE and before[:1].isupper() and len(before) > 1 and not before.isupper():
        return cardinal(value)
    if text in ("III", "VIII", "XIII", "XVIII") or (
        text in _ALONE_SAFE and len(text) > 1 and text not in ("IV", "XI", "VI", "II", "IX")
    ):
        return cardinal(value)
    previous = scanner.last()
    if (
        previous is not None
        and previous.kind == "roman"
        and _CONTINUED.search(scanner.text[previous.end : start])
        and (len(text) > 1 or text in "VX")
    ):
        return cardinal(value)
    if lower in ("sign", "the") and text in ("II", "IV", "VI", "IX") and lower == "sign":
        return cardinal(value)
    return None


LETTER = (
    rule("roman", "I", _WORLD_WAR, lambda found, scanner: f"world war {cardinal(len(found['roman']))}", words=("wwi", "wwii")),
    rule("roman", "IVXLCDM", _TOKEN, _numeral),
)
