"""Names of units in sentences: plurals, powers, numbers before them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...tables.unit_names import LENGTHS, UNITS

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

NUMBER = r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d{1,3}(?: \d{3})+(?!\d)|\d+)(?:\.\d+)?|\d{1,3}(?:\.\d{3})*,\d{1,2}(?!\d)|\.\d+"


def either(symbols: Iterable[str]) -> str:
    return "|".join(re.escape(symbol) for symbol in sorted(symbols, key=lambda symbol: (-len(symbol), symbol)))


def article(name: str) -> str:
    return "an" if name[0] in "aeio" or name.startswith("hour") else "a"


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


def first_words(symbols: Iterable[str]) -> list[str]:
    return [found[0].lower() for symbol in symbols if (found := re.match(r"[A-Za-z]+", symbol))]
