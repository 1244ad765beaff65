"""Quantities such as "5 m/s" to words, and units on their own."""

from __future__ import annotations

import re

from ...number_words import amount, cardinal, fraction, model
from ...scanner import Scanner, rule
from ...tables.unit_names import UNITS
from .lengths import (
    COORDINATES,
    COUNTED,
    EQUATION_BEFORE,
    FEET,
    FEET_DASH,
    FEET_INCHES,
    INCH_END,
    INCHES,
    SIZES,
    STOP_LESS,
    TIMES_X,
    by,
    coordinates,
    feet,
    feet_inches,
    inches,
    sizes,
    times_x,
)
from .unit_letters import EQUATION, WORD_CONTINUES, compound, is_unit, labelled
from .unit_symbols import ALONE, ATTACHED, PER_WORDS, PERIODS, SPACED_ONLY
from .unit_words import NUMBER, article, comma_decimal, either, first_words, plural, powered

_POWERS = r"(?:\^?(?P<power>[23])(?!\d))?"

_SPACED = [symbol for symbol in UNITS if symbol not in ATTACHED or symbol == "in"]

_JOINED = [symbol for symbol in UNITS if symbol not in SPACED_ONLY]

_SYMBOL = rf"(?:(?P<joined>{either(_JOINED)})|(?P<joint>[ -])(?P<spaced>{either(_SPACED)}))"

_PER = rf"(?:/(?P<per>{either(PERIODS)})(?:\^?(?P<per_power>[23]))?)?(?:(?<!\.)(?![\w^]|\.[A-Za-z]|'[a-z])|(?<=\.)(?!\w))"

_QUANTITY = (
    rf"(?<![\w,])(?<!\d[./])(?P<number>{NUMBER})(?P<scale> thousand| million| billion|)(?=[A-Za-zµΩ°º%‰ -])"
    rf"{_SYMBOL}{_POWERS}{_PER}"
)

_MIXED = (
    rf"(?<![\w.,/])(?:(?P<whole>\d{{1,4}})[ -])?(?P<top>\d{{1,4}})/(?P<bottom>\d{{1,4}})(?:(?P<joint>[ -]?)(?P<symb"
    rf"ol>{either(UNITS)}))"
    r"(?![\w/]|\.\w)"
)

_ALTERNATIVES = (
    r"(?<![\w.,/])(?P<low>\d+(?:\.\d+)?)/(?=\d+(?:\.\d+)? ?(?:Hz|kHz|MHz|GHz|V|W|mm|cm|kg|mg|ml|mL|GB|TB|Mbps|fps|"
    r"Ω|min|ms|mmHg)(?![\w/]))"
)

_CAPITAL = r"(?<![\w.,/$€£])(?P<number>\d+(?:\.\d+)?)(?P<joint> ?)(?P<symbol>[A-Z])(?![\w'/^²³]|\.[A-Za-z]|-\w)"

_SIGNATURE = r"(?<![\w.,/])(?P<whole>\d)(?P<letter>[VRKk])(?P<rest>\d)(?!\w)"

_VIDEO = r"(?<![\w.,/])(?P<lines>240|360|480|576|720|1080|1440|2160|4320)(?P<mode>[pi])(?P<rate>\d{2,3})?(?!\w)"

_RATE = (
    rf"(?<![\w/.])(?P<symbol>m|km|cm|mm|ft|mi|rad|deg|[kKMGT]i?[Bb]|[Bb]its?|[Bb]ytes|[Tt]okens?|[Ff]rames?|[Ss]amp"
    rf"les|kg|g|mg|J|kWh|W){_POWERS}"
    r"/(?P<per>s|sec|min|h|hr|kg|m|cm|L|mL|dL|lb)(?:\^?(?P<per_power>[23]))?(?![\w^/])"
)

_LONE_UNIT = rf"(?<![\w'.-])(?P<symbol>{either(ALONE)})(?![\w'-]|\.\w)"

_MILLIMETERS = r"(?<=[a-z] )mm(?![\w'.,?!-]|$| hm)"

_ATTACHED_PER = (
    rf"(?<=[A-Za-z\d%€£$.]) ?/ ?(?P<per>"
    rf"{either(PER_WORDS)}"
    rf")(?![\w/])"
)


def _quantity(found: re.Match[str], scanner: Scanner) -> str | None:
    number, joint = found["number"], found["joint"]
    symbol = found["joined"] or found["spaced"]
    dotted = symbol.endswith(".")
    if (
        len(symbol) == 1
        and symbol.isalpha()
        and symbol.isupper()
        and not found["per"]
        and not found["power"]
        and not is_unit(found.start(), found.end(), number, symbol, found["scale"] or joint or "", scanner)
    ):
        return None
    if symbol in ATTACHED and joint == " " and not (symbol == "in" and INCH_END.match(scanner.text, found.end())):
        return None
    if symbol == "x" and (found["per"] or EQUATION.match(scanner.text, found.end()) or EQUATION_BEFORE.search(
            scanner.text[max(0, found.start() - 3):found.start()])):
        return None
    if symbol in ("mb", "gb", "tb") and joint not in ("", " ", None):
        return None
    if symbol == "s" and not joint and found["power"]:
        return None
    if (
        joint == " "
        and symbol in ("min", "sec", "bar", "point", "d", "mi", "l", "h", "pt", "ha")
        and WORD_CONTINUES.match(scanner.text, found.end())
    ):
        return None
    number = comma_decimal(number)
    name = powered(symbol, found["power"])
    scale = found["scale"].strip()
    single = (number == "1" and not scale) or (joint == "-" and symbol not in ("°C", "°F")) or compound(found, scanner, symbol)
    words = f"{amount(number)} {scale + ' ' if scale else ''}{name if single else plural(name)}"
    if found["per"]:
        words += f" per {powered(found['per'], found['per_power'])}"
    if dotted and not STOP_LESS.match(scanner.text, found.end()):
        words += "."
    return words


def _capital(found: re.Match[str], scanner: Scanner) -> str | None:
    """A letter after a number that is no unit: "seat 14A", "3D", "705A"."""
    last = scanner.last()
    if found["joint"] or (scanner.text[found.start() - 1 : found.start()] == "-" and last is not None and last.words != "to"):
        return None
    number, letter = found["number"], found["symbol"]
    if (
        letter in "CF"
        and is_unit(found.start(), found.end(), number, letter, "", scanner)
        and ("." in number or re.search(r"(?:temp\w*|degrees|oven|outside|weather)\b",
                                        scanner.text[max(0, found.start() - 40) : found.start()]))
    ):
        return f"{amount(number)} degrees {'celsius' if letter == 'C' else 'fahrenheit'}"
    if letter in "KM" and not labelled(found.start(), scanner):
        if found[0] in ("2K", "4K", "5K", "8K", "16K"):
            return f"{cardinal(int(number))} k"
        return f"{amount(number)} {'thousand' if letter == 'K' else 'million'}"
    words = amount(number) if "." in number else cardinal(int(number)) if len(number) < 4 else model(number)
    if number[0] == "0" and len(number) > 1:
        return None
    return f"{words} {'ae' if letter == 'A' else letter.lower()}"


def _mixed(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "1 3/4 in" to "one and three quarter inches"."""
    symbol, joint = found["symbol"], found["joint"]
    if (
        symbol in ("x", "%")
        or (symbol in ("us", "d", "mo") and joint == " ")
        or (symbol == "in" and joint == " " and not INCH_END.match(scanner.text, found.end()))
    ):
        return None
    top, bottom = int(found["top"]), int(found["bottom"])
    if len(symbol) == 1 and symbol.isupper():
        return None
    name = powered(symbol, None)
    if found["whole"]:
        part = fraction(top, bottom)
        return f"{cardinal(int(found['whole']))} and {'a half' if part == 'one half' else part} {plural(name)}"
    if bottom > 20 and bottom in (100, 1000, 10000) and top == 1:
        return f"one {cardinal(bottom).removeprefix('one ')}th of {article(name)} {name}"
    if top < bottom <= 20:
        return (
            f"{fraction(top, bottom)} {name}"
            if joint == "-"
            else f"{fraction(top, bottom)} of {article(name)} {name}"
        )
    if bottom <= 20:
        return f"{fraction(top, bottom)} {plural(name)}"
    return f"{cardinal(top)} over {cardinal(bottom)} {plural(name)}"


def _alternatives(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "50/60 Hz" to "fifty slash", "120/80 mmHg" to "one hundred and twenty over"; "1/2 kg" is a fraction."""
    if "." not in found["low"] and int(found["low"]) < 10:
        return None
    return f"{amount(found['low'])} {'over' if 'mmHg' in scanner.text[found.end() : found.end() + 12] else 'slash'}"


def _capital_signature(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "3V3 rail" to "three v three rail"."""
    return f"{cardinal(int(found['whole']))} {found['letter'].lower()} {cardinal(int(found['rest']))}"


def _video(found: re.Match[str], scanner: Scanner) -> str | None:
    lines = found["lines"]
    rate = f" {cardinal(int(found['rate']))}" if found["rate"] else ""
    return f"{model(lines)} {found['mode']}{rate}"


def _rate(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"{plural(powered(found['symbol'], found['power']))} per {powered(found['per'], found['per_power'])}"


def _lone(found: re.Match[str], scanner: Scanner) -> str | None:
    return plural(ALONE[found["symbol"]])


def _per(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "£10/wk", "3 tokens/s": a slash before a unit of time, mass or length."""
    symbol = found["per"]
    last = scanner.last()
    if last is None or last.end < found.start() or (len(symbol) < 3 and last.kind == "word" and len(last.words) < 3):
        return None
    if len(symbol) == 1 and last.kind in ("word", "mark", "letter") and last.words not in COUNTED:
        return None
    return f"per {UNITS.get(symbol, symbol)}"


DIGIT_EARLY = (
    rule("unit", "/", _ALTERNATIVES, _alternatives, after="/."),
    rule("unit", "", _MIXED, _mixed, after="/9-"),
)

DIGIT = (
    rule("unit", "'", FEET_INCHES, feet_inches, after="'"),
    rule("unit", "'", FEET_DASH, feet_inches, after="'"),
    rule("unit", "'", FEET, feet, after="'"),
    rule("unit", "°", COORDINATES, coordinates, after="°."),
    rule("unit", "", INCHES, inches, after='"/.9-'),
    rule("number", "x×", SIZES, sizes, after="A×. "),
    rule("number", "", r"(?<![\w.,])(?P<number>\d+(?:\.\d+)?) [x×] (?=\d)", sizes, after="a. "),
    rule("code", "VRKk", _SIGNATURE, _capital_signature, after="A"),
    rule("unit", "pi", _VIDEO, _video, after="A"),
    rule("unit", "", _QUANTITY, _quantity, after="Aa.,9-– °%‰µΩº"),
    rule("unit", "x×", TIMES_X, times_x, after="A.×"),
    rule("number", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", _CAPITAL, _capital, after="A."),
)

LETTER = (
    rule("symbol", "", r"(?<=[\s\d\"'])[xX](?=[ ]?\d)", by, words=("x",)),
    rule("unit", "/", _RATE, _rate),
    rule("unit", "", _LONE_UNIT, _lone, words=first_words(ALONE)),
    rule("unit", "", _MILLIMETERS, lambda found, scanner: "millimeters", words=("mm",)),
)

SIGN = (
    rule("unit", "/", _ATTACHED_PER, _per),
    rule("unit", "°ΩµΩ", _LONE_UNIT, _lone),
)
