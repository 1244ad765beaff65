"""Feet and inches, coordinates, and sizes such as "3 x 4"."""

from __future__ import annotations

import re

from ...number_words import amount, cardinal, fraction, model
from ...scanner import Scanner

FEET_INCHES = r"(?<![\w.,'\"])(?P<feet>\d{1,2})'[ ]?(?P<inches>\d{1,2}(?:\.\d+)?)(?:\"|'')"

FEET_DASH = r"(?<![\w.,'\"])(?P<feet>\d{1,2})' ?-? ?(?P<inches>\d{1,2})\"?(?= tall| high| long| wide)"

FEET = r"(?<![\w.,'\"])(?P<feet>\d{1,3})'(?= ?x ?\d| tall| long| wide| high| deep|[ ]?[x×])"

COORDINATES = (
    r"(?<![\w.,'\"])(?P<degrees>\d{1,3}(?:\.\d+)?)°[ ]?(?:(?P<minutes>\d{1,2}(?:\.\d+)?)'[ ]?)?"
    r"(?:(?P<seconds>\d{1,2}(?:\.\d+)?)(?:\"|'')[ ]?)?(?P<side>[NSEW])?(?!\w)"
)

INCHES = r"(?<![\w.,'\"/])(?P<number>\d+[ -]\d+/\d+|\d+/\d+|\d+(?:\.\d+)?)\"(?=[\s,.;:)x×?!-]|$)"

_NOUN = re.compile(
    r" (?!(?:tall|long|wide|deep|high|thick|of|by|x|and|or|to|is|was|in|from|apart|above|below|on|at|for|with|away"
    r"|then)\b)[a-z]"
)

SIZES = r"(?<![\w.,])(?P<number>\d+(?:\.\d+)?) ?[x×] ?(?=\d)(?!×10\^|× ?10\^)"

EQUATION_BEFORE = re.compile(r"[=+*/(] ?\Z")
TIMES_X = r"(?<![\w.,$])(?P<number>\d+(?:\.\d+)?)(?:x|×)(?![\w^/]|\.\w| ?[+=)*<>]| - )"

_SIDES = {"N": "north", "S": "south", "E": "east", "W": "west"}

STOP_LESS = re.compile(r"(?= [a-z\d])|(?=,)")

INCH_END = re.compile(r"\s*(?:\Z|[,.;:)!?\n]|thick|wide|long|tall|deep|diameter|plywood|bolt|drill|hole|pipe|of\b|by\b|x\b)")

_COUNTED_LIST = """
    token tokens frame frames step steps word words char chars request requests packet packets sample samples sentence
    sentences beat beats byte bytes bit bits message messages image images item items dollar dollars euro euros cent cents
    pulse pulses count counts person people liters meters miles gallons kilometers degree degrees
    """

COUNTED = frozenset(_COUNTED_LIST.split())


def feet_inches(found: re.Match[str], scanner: Scanner) -> str | None:
    feet, inches = found["feet"], found["inches"]
    return f"{amount(feet)} {'foot' if feet == '1' else 'feet'} {amount(inches)} {'inch' if inches == '1' else 'inches'}"


def feet(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"{amount(found['feet'])} {'foot' if found['feet'] == '1' else 'feet'}"


def inches(found: re.Match[str], scanner: Scanner) -> str | None:
    """`3"` as inches, unless the mark closes a quotation."""
    if scanner.quoting:
        return None
    number = found["number"]
    if "/" in number:
        *whole, part = re.split(r"[ -]", number)
        top, bottom = part.split("/")
        words = fraction(int(top), int(bottom))
        words = (
            f"{cardinal(int(whole[0]))} and {'a half' if words == 'one half' else words} inches" if whole else words + " inch"
        )
        return words
    single = (
        number == "1"
        or _NOUN.match(scanner.text, found.end())
        or (scanner.text[found.end() : found.end() + 1] == "-" and scanner.text[found.end() + 1 : found.end() + 2].isalpha())
    )
    return f"{amount(number)} {'inch' if single else 'inches'}"


def coordinates(found: re.Match[str], scanner: Scanner) -> str | None:
    if not (found["minutes"] or found["seconds"] or found["side"]):
        return None
    parts = [f"{amount(found['degrees'])} degree{'' if found['degrees'] == '1' else 's'}"]
    for name in ("minutes", "seconds"):
        if found[name]:
            parts.append(f"{amount(found[name])} {name[:-1] if found[name] == '1' else name}")
    return " ".join(parts + ([_SIDES[found["side"]]] if found["side"] else []))


def sizes(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "1920x1080" to "nineteen twenty by", and "3 × 4 =" to "three times"."""
    rest = scanner.text[found.end() : found.end() + 24]
    if "×" in found[0] and (re.match(r"10\^", rest) or re.match(r"[\d.,]+(?: ?[+×*-] ?[\d.,]+)* ?=", rest)):
        return None
    number = found["number"]
    return f"{model(number) if number.isdigit() and len(number) == 4 and number[0] != '0' else amount(number)} by"


def by(found: re.Match[str], scanner: Scanner) -> str | None:
    return "by" if scanner.previous_numeric(found.start()) else None


def times_x(found: re.Match[str], scanner: Scanner) -> str | None:
    if EQUATION_BEFORE.search(scanner.text[max(0, found.start() - 3):found.start()]):
        return f"{amount(found['number'])} x"
    return f"{amount(found['number'])} time{'' if found['number'] == '1' else 's'}"
