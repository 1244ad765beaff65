"""Quantities such as "5 m/s" to words, and units on their own.

A single capital letter after a number is a unit or a letter: "12V" and "a 60 W lamp", but "seat 14A" and "42 W 5th St";
the tables of contexts are here, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..number_words import amount, cardinal, fraction, model
from ..scanner import Scanner, rule
from ..tables.unit_names import LENGTHS, UNITS

_SPACED_ONLY = frozenset(("K", "B"))
_ATTACHED = frozenset(("in", "us", "d", "x", "mo", "AU", "ly", "pt", "in."))
"""Symbols that are words or names when a space precedes them."""
_SAME = frozenset(
    (
        "hertz",
        "lux",
        "horsepower",
        "percent",
        "gigaflops",
        "teraflops",
        "tops",
        "times",
        "p s i",
        "i u",
        "brake horsepower",
        "c c",
        "d b m",
        "d b i",
        "per mille",
    )
)
_IRREGULAR = {"foot": "feet", "inch": "inches", "millihenry": "millihenries", "microhenry": "microhenries"}
_PERIODS = (
    "s",
    "sec",
    "min",
    "h",
    "hr",
    "d",
    "m",
    "cm",
    "mm",
    "km",
    "kg",
    "g",
    "L",
    "l",
    "mL",
    "dL",
    "W",
    "V",
    "A",
    "N",
    "Hz",
    "°C",
    "K",
    "mol",
    "ft",
    "in",
    "rad",
    "deg",
    "px",
    "inch",
    "wk",
    "week",
    "day",
    "mo",
    "month",
    "yr",
    "year",
    "hour",
    "lb",
    "gal",
    "mi",
    "GB",
    "oz",
    "sec.",
)
NUMBER = r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d{1,3}(?: \d{3})+(?!\d)|\d+)(?:\.\d+)?|\d{1,3}(?:\.\d{3})*,\d{1,2}(?!\d)|\.\d+"
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
_POWERS = r"(?:\^?(?P<power>[23])(?!\d))?"


def _either(symbols: Iterable[str]) -> str:
    return "|".join(re.escape(symbol) for symbol in sorted(symbols, key=lambda symbol: (-len(symbol), symbol)))


_SPACED = [symbol for symbol in UNITS if symbol not in _ATTACHED or symbol == "in"]
_JOINED = [symbol for symbol in UNITS if symbol not in _SPACED_ONLY]
_SYMBOL = rf"(?:(?P<joined>{_either(_JOINED)})|(?P<joint>[ -])(?P<spaced>{_either(_SPACED)}))"
_PER = rf"(?:/(?P<per>{_either(_PERIODS)})(?:\^?(?P<per_power>[23]))?)?(?:(?<!\.)(?![\w^]|\.[A-Za-z]|'[a-z])|(?<=\.)(?!\w))"
_QUANTITY = (
    rf"(?<![\w,])(?<!\d[./])(?P<number>{NUMBER})(?P<scale> thousand| million| billion|)(?=[A-Za-zµΩ°º%‰ -])"
    rf"{_SYMBOL}{_POWERS}{_PER}"
)
_MIXED = (
    rf"(?<![\w.,/])(?:(?P<whole>\d{{1,4}})[ -])?(?P<top>\d{{1,4}})/(?P<bottom>\d{{1,4}})(?:(?P<joint>[ -]?)(?P<symb"
    rf"ol>{_either(UNITS)}))"
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
_ALONE = {
    symbol: UNITS[symbol]
    for symbol in (
        "km",
        "cm",
        "kg",
        "kHz",
        "MHz",
        "GHz",
        "Hz",
        "kW",
        "kWh",
        "mAh",
        "dB",
        "Mbps",
        "Gbps",
        "kbps",
        "fps",
        "rpm",
        "tbsp",
        "tsp",
        "sqft",
        "mmHg",
        "°C",
        "°F",
        "GB",
        "MB",
        "TB",
        "KB",
        "mV",
        "mA",
        "µs",
        "µm",
        "kPa",
        "hPa",
        "MPa",
        "mph",
        "Nm",
        "kΩ",
        "mΩ",
        "MΩ",
        "Ω",
        "sq. ft.",
        "sq ft",
        "fl oz",
    )
}
_LONE_UNIT = rf"(?<![\w'.-])(?P<symbol>{_either(_ALONE)})(?![\w'-]|\.\w)"
_MILLIMETERS = r"(?<=[a-z] )mm(?![\w'.,?!-]|$| hm)"
_PER_WORD_LIST = """
    kg g km m mi mo yr hr h d s min lb oz L l ft GB MB kWh kW W wk sqft second sec minute hour day week month year person unit
    token night piece user frame gallon gal mile item cycle rev request page word channel core student seat
    """
_PER_WORDS = _PER_WORD_LIST.split()
_ATTACHED_PER = (
    rf"(?<=[A-Za-z\d%€£$.]) ?/ ?(?P<per>"
    rf"{_either(_PER_WORDS)}"
    rf")(?![\w/])"
)
_FEET_INCHES = r"(?<![\w.,'\"])(?P<feet>\d{1,2})'[ ]?(?P<inches>\d{1,2}(?:\.\d+)?)(?:\"|'')"
_FEET_DASH = r"(?<![\w.,'\"])(?P<feet>\d{1,2})' ?-? ?(?P<inches>\d{1,2})\"?(?= tall| high| long| wide)"
_FEET = r"(?<![\w.,'\"])(?P<feet>\d{1,3})'(?= ?x ?\d| tall| long| wide| high| deep|[ ]?[x×])"
_COORDINATES = (
    r"(?<![\w.,'\"])(?P<degrees>\d{1,3}(?:\.\d+)?)°[ ]?(?:(?P<minutes>\d{1,2}(?:\.\d+)?)'[ ]?)?"
    r"(?:(?P<seconds>\d{1,2}(?:\.\d+)?)(?:\"|'')[ ]?)?(?P<side>[NSEW])?(?!\w)"
)
_INCHES = r"(?<![\w.,'\"/])(?P<number>\d+[ -]\d+/\d+|\d+/\d+|\d+(?:\.\d+)?)\"(?=[\s,.;:)x×?!-]|$)"
_NOUN = re.compile(
    r" (?!(?:tall|long|wide|deep|high|thick|of|by|x|and|or|to|is|was|in|from|apart|above|below|on|at|for|with|away"
    r"|then)\b)[a-z]"
)
_SIZES = r"(?<![\w.,])(?P<number>\d+(?:\.\d+)?) ?[x×] ?(?=\d)(?!×10\^|× ?10\^)"
_TIMES_X = r"(?<![\w.,$])(?P<number>\d+(?:\.\d+)?)(?:x|×)(?![\w^/]|\.\w| ?[+=)*<>]| - )"
_SIDES = {"N": "north", "S": "south", "E": "east", "W": "west"}
_STOP_LESS = re.compile(r"(?= [a-z\d])|(?=,)")


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
    if symbol in _ATTACHED and joint == " " and not (symbol == "in" and _INCH_END.match(scanner.text, found.end())):
        return None
    if symbol == "x" and (found["per"] or _EQUATION.match(scanner.text, found.end())):
        return None
    if symbol in ("mb", "gb", "tb") and joint not in ("", " ", None):
        return None
    if symbol == "s" and not joint and found["power"]:
        return None
    if (
        joint == " "
        and symbol in ("min", "sec", "bar", "point", "d", "mi", "l", "h", "pt", "ha")
        and _WORD_CONTINUES.match(scanner.text, found.end())
    ):
        return None
    number = comma_decimal(number)
    name = powered(symbol, found["power"])
    scale = found["scale"].strip()
    single = (number == "1" and not scale) or (joint == "-" and symbol not in ("°C", "°F")) or _compound(found, scanner, symbol)
    words = f"{amount(number)} {scale + ' ' if scale else ''}{name if single else plural(name)}"
    if found["per"]:
        words += f" per {powered(found['per'], found['per_power'])}"
    if dotted and not _STOP_LESS.match(scanner.text, found.end()):
        words += "."
    return words


_EQUATION = re.compile(r" ?[+=)*<>^]| - ")
_WORD_CONTINUES = re.compile(r"'s|-[a-z]")
_NOUN_ONLY = re.compile(
    r" (?:diameter|radius|scale|cable|pipe|screen|hose|bolt|bit|lens|gun|shell|fuse|breaker|charger|battery|motor|supply"
    r"|lamp|bulb|outlet|bag|box|bottle|tank|weight|rail|drive|pool|dash|race|run|walk|swim)\b"
)


def _compound(found: re.Match[str], scanner: Scanner, symbol: str) -> bool:
    """Return whether a quantity stands before its noun after an article: "a 5 km run"."""
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
            or re.search(
                r"\b(?:temp\w*|degrees|heat\w*|cool\w*|oven|outside|weather|hot|cold|warm|from|to|at|of|is|-)\b ?-?\Z", before
            )
            is not None
        )
    if letter in "BGTMDSPRYEH":
        return letter == "B" and joint == " " and False
    return True


def _capital(found: re.Match[str], scanner: Scanner) -> str | None:
    """A letter after a number that is no unit: "seat 14A", "3D", "705A"."""
    last = scanner.last()
    if found["joint"] or (scanner.text[found.start() - 1 : found.start()] == "-" and last is not None and last.words != "to"):
        return None
    number, letter = found["number"], found["symbol"]
    if (
        letter in "CF"
        and is_unit(found.start(), found.end(), number, letter, "", scanner)
        and re.search(r"(?:temp\w*|degrees|oven|outside|weather)\b", scanner.text[max(0, found.start() - 40) : found.start()])
    ):
        return f"{amount(number)} degrees {'celsius' if letter == 'C' else 'fahrenheit'}"
    if letter in "KM" and not _labelled(found.start(), scanner):
        if found[0] in ("2K", "4K", "5K", "8K", "16K"):
            return f"{cardinal(int(number))} k"
        return f"{amount(number)} {'thousand' if letter == 'K' else 'million'}"
    words = amount(number) if "." in number else cardinal(int(number)) if len(number) < 4 else model(number)
    if number[0] == "0" and len(number) > 1:
        return None
    return f"{words} {'ae' if letter == 'A' else letter.lower()}"


def _labelled(start: int, scanner: Scanner) -> bool:
    label = _LABELLED.search(scanner.text[max(0, start - 40) : start])
    return label is not None and label[1].lower() in LABELS


def _mixed(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "1 3/4 in" to "one and three quarter inches"."""
    symbol, joint = found["symbol"], found["joint"]
    if (
        symbol in ("x", "%")
        or (symbol in ("us", "d", "mo") and joint == " ")
        or (symbol == "in" and joint == " " and not _INCH_END.match(scanner.text, found.end()))
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
        return f"one {cardinal(bottom).removeprefix('one ')}th of {_article(name)} {name}"
    if top < bottom <= 20:
        return (
            f"{fraction(top, bottom)} {name}"
            if joint == "-"
            else f"{fraction(top, bottom)} of {_article(name)} {name}"
        )
    if bottom <= 20:
        return f"{fraction(top, bottom)} {plural(name)}"
    return f"{cardinal(top)} over {cardinal(bottom)} {plural(name)}"


def _article(name: str) -> str:
    return "an" if name[0] in "aeio" or name.startswith("hour") else "a"


def _alternatives(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "50/60 Hz" to "fifty slash", "120/80 mmHg" to "one hundred and twenty over"; "1/2 kg" is a fraction."""
    if "." not in found["low"] and int(found["low"]) < 10:
        return None
    return f"{amount(found['low'])} {'over' if 'mmHg' in scanner.text[found.end() : found.end() + 12] else 'slash'}"


_INCH_END = re.compile(r"\s*(?:\Z|[,.;:)!?\n]|thick|wide|long|tall|deep|diameter|plywood|bolt|drill|hole|pipe|of\b|by\b|x\b)")


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
    return plural(_ALONE[found["symbol"]])


def _per(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "£10/wk", "3 tokens/s": a slash before a unit of time, mass or length."""
    symbol = found["per"]
    last = scanner.last()
    if last is None or last.end < found.start() or (len(symbol) < 3 and last.kind == "word" and len(last.words) < 3):
        return None
    if len(symbol) == 1 and last.kind in ("word", "mark", "letter") and last.words not in _COUNTED:
        return None
    return f"per {UNITS.get(symbol, symbol)}"


_COUNTED_LIST = """
    token tokens frame frames step steps word words char chars request requests packet packets sample samples sentence
    sentences beat beats byte bytes bit bits message messages image images item items dollar dollars euro euros cent cents
    pulse pulses count counts person people liters meters miles gallons kilometers degree degrees
    """
_COUNTED = frozenset(_COUNTED_LIST.split())


def _feet_inches(found: re.Match[str], scanner: Scanner) -> str | None:
    feet, inches = found["feet"], found["inches"]
    return f"{amount(feet)} {'foot' if feet == '1' else 'feet'} {amount(inches)} {'inch' if inches == '1' else 'inches'}"


def _feet(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"{amount(found['feet'])} {'foot' if found['feet'] == '1' else 'feet'}"


def _inches(found: re.Match[str], scanner: Scanner) -> str | None:
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


def _coordinates(found: re.Match[str], scanner: Scanner) -> str | None:
    if not (found["minutes"] or found["seconds"] or found["side"]):
        return None
    parts = [f"{amount(found['degrees'])} degree{'' if found['degrees'] == '1' else 's'}"]
    for name in ("minutes", "seconds"):
        if found[name]:
            parts.append(f"{amount(found[name])} {name[:-1] if found[name] == '1' else name}")
    return " ".join(parts + ([_SIDES[found["side"]]] if found["side"] else []))


def _sizes(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "1920x1080" to "nineteen twenty by", and "3 × 4 =" to "three times"."""
    rest = scanner.text[found.end() : found.end() + 24]
    if "×" in found[0] and (re.match(r"10\^", rest) or re.match(r"[\d.,]+(?: ?[+×*-] ?[\d.,]+)* ?=", rest)):
        return None
    number = found["number"]
    return f"{model(number) if number.isdigit() and len(number) == 4 and number[0] != '0' else amount(number)} by"


def _by(found: re.Match[str], scanner: Scanner) -> str | None:
    return "by" if scanner.previous_numeric(found.start()) else None


def _times_x(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"{amount(found['number'])} time{'' if found['number'] == '1' else 's'}"


def comma_decimal(text: str) -> str:
    """ "1.234,5" and "0,5" with a decimal point, "12 345" and "12,345" without groups."""
    text = text.replace(" ", "")
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})*,\d{1,2}", text):
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "")


def powered(symbol: str, power: str | None) -> str:
    """Name of one unit, squared or cubed."""
    name = UNITS.get(symbol) or UNITS.get(symbol.lower(), symbol)
    if not power:
        return name
    if symbol in LENGTHS:
        return f"{'square' if power == '2' else 'cubic'} {name}"
    return f"{name} {'squared' if power == '2' else 'cubed'}"


def plural(name: str) -> str:
    """ "mile per hour" to "miles per hour", "degree celsius" to "degrees celsius", "foot" to "feet"."""
    for joint in (" per ", " of "):
        head, found, rest = name.partition(joint)
        if found:
            return plural(head) + joint + rest
    if name.startswith(("degree", "volt d", "volt a")):
        first, _, kind = name.partition(" ")
        return f"{first}s {kind}".strip()
    if name in _SAME or name.endswith("hertz"):
        return name
    before, space, last = name.rpartition(" ")
    if len(last) == 1:
        return name
    return before + space + _IRREGULAR.get(last, last + "s")


def _first_words(symbols: Iterable[str]) -> list[str]:
    return [found[0].lower() for symbol in symbols if (found := re.match(r"[A-Za-z]+", symbol))]


DIGIT_EARLY = (
    rule("unit", "/", _ALTERNATIVES, _alternatives, after="/."),
    rule("unit", "", _MIXED, _mixed, after="/9-"),
)
DIGIT = (
    rule("unit", "'", _FEET_INCHES, _feet_inches, after="'"),
    rule("unit", "'", _FEET_DASH, _feet_inches, after="'"),
    rule("unit", "'", _FEET, _feet, after="'"),
    rule("unit", "°", _COORDINATES, _coordinates, after="°."),
    rule("unit", '"', _INCHES, _inches),
    rule("number", "x×", _SIZES, _sizes, after="A×. "),
    rule("number", "", r"(?<![\w.,])(?P<number>\d+(?:\.\d+)?) [x×] (?=\d)", _sizes, after="a. "),
    rule("code", "VRKk", _SIGNATURE, _capital_signature, after="A"),
    rule("unit", "pi", _VIDEO, _video, after="A"),
    rule("unit", "", _QUANTITY, _quantity, after="Aa.,9-– °%‰µΩº"),
    rule("unit", "x×", _TIMES_X, _times_x, after="A.×"),
    rule("number", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", _CAPITAL, _capital, after="A."),
)
LETTER = (
    rule("symbol", "", r"(?<=[\s\d\"'])[xX](?=[ ]?\d)", _by, words=("x",)),
    rule("unit", "/", _RATE, _rate),
    rule("unit", "", _LONE_UNIT, _lone, words=_first_words(_ALONE)),
    rule("unit", "", _MILLIMETERS, lambda found, scanner: "millimeters", words=("mm",)),
)
SIGN = (
    rule("unit", "/", _ATTACHED_PER, _per),
    rule("unit", "°ΩµΩ", _LONE_UNIT, _lone),
)
