"""The numbers that no other pass has claimed: ranges, signs, fractions, ordinals, powers, model names, integers."""

from __future__ import annotations

import re

from runtime.text.acronyms import spell
from runtime.text.numbers import amount, cardinal, fraction, model, ordinal, plain

_NUMBER = r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d+)(?:\.\d+)?"
_RANGE = re.compile(rf"(?<![\w.,$€£¥₹-])(-?{_NUMBER})([%°]?C?) ?(?:-|\.\.) ?({_NUMBER})(?![\d=]|-\d|,\d|\.\d)")
_UNIT_RANGE = re.compile(rf"(?<![\w.,-])({_NUMBER} ?([A-Za-zµΩ°%]{{1,4}})) ?- ?(?={_NUMBER} ?\2(?!\w))")
_SUM = re.compile(rf"(?<![\w.,-])({_NUMBER}) - (?={_NUMBER} ?[=+*/-])")
_MINUS = re.compile(r"(?<![\w)\].,%^-])-(?=[$€£¥]?\.?\d)")
_LONG_DIFFERENCE = re.compile(r"(?<=\d) - (?=\d)")
_APPROXIMATE = re.compile(r"(?<![\w/])~ ?(?=[$€£¥]?\d)")
_MIXED_FRACTION = re.compile(r"(?<![\w.,/-])(\d{1,4})[ -](\d{1,2})/(\d{1,2})(?![\w/]|[.,]\d)")
_ALWAYS_OPEN = re.compile(r"(?<![\w.,/-])(24/7|9/11|50[/-]50|20/20|802\.11(?=[a-z]{0,2}\b))(?![A-Z\d/]|[.,]\d)")
_FRACTION = re.compile(r"(?<![\w.,/])(\d{1,4})/(\d{1,4})(?:(?:st|nd|rd|th)s?)?(?![\w/]|[.,]\d)")
_ORDINAL = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d{1,12})(?:st|nd|rd|th)(s?)(?!\w)", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"(?<![\w.,])(\d+(?:\.\d+)?)[eE]([+-]?)(\d{1,3})(?![\w.])")
_POWER = re.compile(r"(?<=[A-Za-z0-9)])(?:\^|\*\*)([+-]?)(\d{1,6})(?![\w])")
_FOOTNOTE = re.compile(r"(?<=[a-z]{3})\^\d{1,3}")
_TIMES = re.compile(r"(?<=[\d)]) ?[*×] ?(?=[\d(A-Za-z])")
_ARITHMETIC = re.compile(r"(?<=\d)([+=<>])(?=\d)")
_RATIO = re.compile(r"(?<![\w.,:])(\d{1,4}(?:\.\d+)?):(\d{1,4}(?:\.\d+)?)(?![\w:])")
_NUMBER_SIGN = re.compile(r"(?<!\w)#(?=\d)")
_THOUSANDS = re.compile(r"(?<![\w.,-])(\d+(?:\.\d+)?)([kKM])(?![\w'])")
_LETTER_A = re.compile(r"(?<![A-Za-z0-9'])A(?=-?\d)")
_AFTER_LETTER = re.compile(r"(?<=[A-Za-z])[-_.]?(\d+)(?![\d,]*\.\d)(?:-(?=\w))?")
_AFTER_ACRONYM = re.compile(r"(?<![A-Za-z])([A-Z]{2,6}|Boeing|Airbus|Apollo|Route|Flight|Room)( |s )"
                            r"(\d{3,4})(?![\d%°$]|[.,:]\d| ?[xX]\d)")
_PLAIN = re.compile(rf"({_NUMBER}|(?<![\d.])\.\d+)(?:-(?=\w))?")
_NAMES = {"2K": "two k", "4K": "four k", "5K": "five k", "8K": "eight k", "24/7": "twenty four seven",
          "9/11": "nine eleven", "50/50": "fifty fifty", "50-50": "fifty fifty", "20/20": "twenty twenty",
          "802.11": "eight oh two point eleven "}
_SCALES = {"k": "thousand", "K": "thousand", "M": "million"}
_SIGNS = {"+": " plus ", "=": " equals ", "<": " less than ", ">": " greater than "}


def expand_ranges(text: str) -> str:
    """Signs and ranges, digits kept: "-5" to "minus 5", "5-10" to "5 to 10". Comes before money and units."""
    text = _ALWAYS_OPEN.sub(lambda found: _NAMES[found[0]], text)
    text = _SUM.sub(r"\1 minus ", text)
    text = _RANGE.sub(_range, _UNIT_RANGE.sub(r"\1 to ", text))
    text = _APPROXIMATE.sub("about ", text)
    return _MINUS.sub(" minus ", text)


def expand_numerals(text: str) -> str:
    """Every digit that is left; the result has none."""
    if not any(digit in text for digit in "0123456789"):
        return text
    text = _SCIENTIFIC.sub(_scientific, text)
    text = _POWER.sub(_power, _FOOTNOTE.sub("", text))
    text = _MIXED_FRACTION.sub(_mixed, text)
    text = _FRACTION.sub(lambda found: fraction(int(found[1]), int(found[2])), text)
    text = _ORDINAL.sub(lambda found: f" {ordinal(int(found[1].replace(',', '')))}{found[2]} ", text)
    text = _RATIO.sub(lambda found: f"{amount(found[1])} to {amount(found[2])}", text)
    text = _NUMBER_SIGN.sub("number ", _TIMES.sub(" times ", text))
    text = _ARITHMETIC.sub(lambda found: _SIGNS[found[1]], text)
    text = _THOUSANDS.sub(_scaled, text)
    text = _LETTER_A.sub(spell("a") + " ", text)
    text = _AFTER_ACRONYM.sub(lambda found: f"{found[1]}{found[2]}{model(found[3])}", text)
    text = _AFTER_LETTER.sub(lambda found: f" {model(found[1])} ", text)
    return _PLAIN.sub(_plain, text)


def _range(found: re.Match[str]) -> str:
    low, sign, high = found.groups()
    if found[0].count("-") and " - " in found[0] and not sign:
        return f"{low} minus {high}" if len(low) < 4 else f"{low} to {high}"
    return f"{low}{sign} to {high}"


def _scientific(found: re.Match[str]) -> str:
    sign = "minus " if found[2] == "-" else ""
    return f" {amount(found[1])} times ten to the {sign}{cardinal(int(found[3]))} "


def _power(found: re.Match[str]) -> str:
    if not found[1] and found[2] in ("2", "3"):
        return " squared " if found[2] == "2" else " cubed "
    return f" to the {'minus ' if found[1] == '-' else ''}{plain(found[2])} "


def _mixed(found: re.Match[str]) -> str:
    part = fraction(int(found[2]), int(found[3]))
    return f"{cardinal(int(found[1]))} and {'a half' if part == 'one half' else part}"


def _scaled(found: re.Match[str]) -> str:
    if found[0] in _NAMES:
        return f" {_NAMES[found[0]]} "
    return f" {amount(found[1])} {_SCALES[found[2]]} "


def _plain(found: re.Match[str]) -> str:
    number = found[1]
    return f" {plain(number) if number.isdigit() else amount(number)} "
