"""Units of measurement: symbols to names, and quantities such as "5 m/s" to words."""

from __future__ import annotations

import re

from runtime.text.numbers import amount

_LENGTHS = {"nm": "nanometer", "µm": "micrometer", "um": "micrometer", "mm": "millimeter", "cm": "centimeter",
            "dm": "decimeter", "m": "meter", "km": "kilometer", "in": "inch", "ft": "foot", "yd": "yard", "mi": "mile"}
_UNITS = {
    **_LENGTHS, "µg": "microgram", "mg": "milligram", "g": "gram", "kg": "kilogram", "lb": "pound", "lbs": "pound",
    "oz": "ounce", "ns": "nanosecond", "µs": "microsecond", "us": "microsecond", "ms": "millisecond", "s": "second",
    "sec": "second", "secs": "second", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour",
    "d": "day", "yr": "year", "yrs": "year", "wk": "week", "wks": "week", "mo": "month", "°C": "degree celsius",
    "°F": "degree fahrenheit", "°K": "kelvin", "°": "degree", "deg": "degree", "rad": "radian", "mrad": "milliradian",
    "K": "kelvin", "µV": "microvolt", "mV": "millivolt", "V": "volt", "kV": "kilovolt", "VDC": "volt d c",
    "VAC": "volt ae c", "µA": "microamp", "mA": "milliamp", "A": "amp", "mAh": "milliamp hour", "Ah": "amp hour",
    "µW": "microwatt", "mW": "milliwatt", "W": "watt", "kW": "kilowatt", "MW": "megawatt", "GW": "gigawatt",
    "Wh": "watt hour", "kWh": "kilowatt hour", "MWh": "megawatt hour", "Hz": "hertz", "kHz": "kilohertz",
    "KHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "THz": "terahertz", "Ω": "ohm", "ohm": "ohm",
    "ohms": "ohm", "mΩ": "milliohm", "kΩ": "kiloohm", "MΩ": "megaohm", "pF": "picofarad", "nF": "nanofarad",
    "µF": "microfarad", "uF": "microfarad", "mF": "millifarad", "µH": "microhenry", "mH": "millihenry", "N": "newton",
    "kN": "kilonewton", "mN": "millinewton", "Nm": "newton meter", "N·m": "newton meter", "N*m": "newton meter",
    "Pa": "pascal", "hPa": "hectopascal", "kPa": "kilopascal", "MPa": "megapascal", "GPa": "gigapascal", "psi": "p s i",
    "mbar": "millibar", "bar": "bar", "bars": "bar", "atm": "atmosphere", "J": "joule", "kJ": "kilojoule",
    "MJ": "megajoule", "cal": "calorie", "kcal": "kilocalorie", "eV": "electron volt", "keV": "kilo electron volt",
    "MeV": "mega electron volt", "dB": "decibel", "dBm": "d b m", "dBi": "d b i", "mL": "milliliter",
    "ml": "milliliter", "cl": "centiliter", "L": "liter", "l": "liter", "gal": "gallon", "bit": "bit", "bits": "bit",
    "byte": "byte", "bytes": "byte", "B": "byte", "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte",
    "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte", "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte",
    "TiB": "tebibyte", "kb": "kilobit", "Kb": "kilobit", "Mb": "megabit", "Gb": "gigabit", "bps": "bit per second",
    "kbps": "kilobit per second", "Kbps": "kilobit per second", "Mbps": "megabit per second",
    "Gbps": "gigabit per second", "kbit": "kilobit", "Mbit": "megabit", "Gbit": "gigabit", "fps": "frame per second",
    "FPS": "frame per second", "rpm": "revolution per minute", "RPM": "revolution per minute", "bpm": "beat per minute",
    "BPM": "beat per minute", "mph": "mile per hour", "kph": "kilometer per hour", "kmh": "kilometer per hour",
    "mpg": "mile per gallon", "ppm": "part per million", "dpi": "dot per inch", "DPI": "dot per inch",
    "ppi": "pixel per inch", "px": "pixel", "pt": "point", "pts": "point", "MP": "megapixel", "lm": "lumen",
    "lx": "lux", "hp": "horsepower", "mol": "mole", "mmol": "millimole", "ha": "hectare", "cc": "c c", "tok": "token",
    "token": "token", "tokens": "token", "frame": "frame", "frames": "frame", "sample": "sample", "samples": "sample",
    "GFLOPS": "gigaflops", "TFLOPS": "teraflops", "TOPS": "tops", "%": "percent", "‰": "per mille", "x": "times",
    "sq ft": "square foot", "sq m": "square meter", "sq km": "square kilometer", "ft-lb": "foot pound", "dots": "dot",
}
_SPACED_ONLY = frozenset(("K", "B"))
_ATTACHED = frozenset(("in", "us", "d", "x", "mo"))
"""Symbols that are words or names when a space precedes them."""
_SAME = frozenset(("hertz", "lux", "horsepower", "percent", "gigaflops", "teraflops", "tops", "times", "p s i",
                   "c c", "d b m", "d b i", "per mille"))
_IRREGULAR = {"foot": "feet", "inch": "inches", "millihenry": "millihenries", "microhenry": "microhenries"}
_PERIODS = frozenset(("s", "sec", "min", "h", "hr", "d", "m", "cm", "mm", "km", "kg", "g", "L", "l", "mL", "W", "V",
                      "A", "N", "Hz", "°C", "K", "mol", "ft", "in", "rad", "deg", "px", "inch"))

NUMBER = r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d+)(?:\.\d+)?|\.\d+"


def _either(symbols: frozenset[str] | dict[str, str]) -> str:
    return "|".join(re.escape(symbol) for symbol in sorted(symbols, key=lambda symbol: (-len(symbol), symbol)))


_SPACED = {symbol: name for symbol, name in _UNITS.items() if symbol not in _ATTACHED}
_JOINED = {symbol: name for symbol, name in _UNITS.items() if symbol not in _SPACED_ONLY}
_POWER = r"(?:\^?([23]))?"
_PER = rf"(?:/({_either(_PERIODS)}){_POWER})?(?![\w^]|\.[A-Za-z])"
_QUANTITY = re.compile(rf"(?<![\w.,/])({NUMBER})(?:({_either(_JOINED)})|([ -])({_either(_SPACED)})){_POWER}{_PER}"
                       r"(?:(?<=[a-z]{2})\.(?= [a-z\d]))?")
_RATE = re.compile(r"(?<![\w/.])(m|km|cm|mm|rad|deg|[kKMGT]i?[Bb]|[Bb]its?|[Bb]ytes|[Tt]okens?|[Ff]rames?|[Ss]amples"
                   rf"|kg|g|mg|J){_POWER}/(s|sec|min|h|hr|kg|m|cm|L|mL){_POWER}(?![\w^/])")
_ALONE = {symbol: _UNITS[symbol] for symbol in (
    "km", "cm", "mm", "kg", "kHz", "MHz", "GHz", "Hz", "kW", "kWh", "mAh", "dB", "Mbps", "Gbps", "kbps", "fps", "rpm",
    "°C", "°F", "GB", "MB", "TB", "KB", "mV", "mA", "µs", "µm", "kPa", "hPa", "MPa", "mph", "Nm")}
_LONE_UNIT = re.compile(rf"(?<![\w'.-])({_either(_ALONE)})(?![\w'-]|\.\w)")
_FEET_INCHES = re.compile(r"(?<![\w.,'\"])(\d{1,2})'[ ]?(\d{1,2}(?:\.\d+)?)\"")
_INCHES = re.compile(r"(?<![\w.,'\"/])(\d+/\d+|\d+(?:\.\d+)?)\"(?=[\s,.;:)x-])|\"")
_DOTTED_INCHES = re.compile(r"(?<=\d) ?in\.(?= [a-z]|\s*(\Z))")
_NOUN = re.compile(r" (?!(?:tall|long|wide|deep|high|thick|of|by|x|and|or|to|is|was|in|from|apart|above|below)\b)[a-z]")
_SPLIT_DEGREES = re.compile(r"(?<=\d) ?° ?(?=[CF](?!\w))")
_EACH = re.compile(r"(?<=[a-z]{3}) ?/ ?(kg|g|km|m|mi|mo|yr|hr|h|s|min|lb|oz|L|l|ft|GB|MB|kWh|kW|W)(?![\w/])")
_SIZES = re.compile(r"(?<![\w.,])(\d+(?:\.\d+)?) ?[x×] ?(?=\d)")


def expand_units(text: str) -> str:
    """Quantities with their units, and units on their own; numbers without a unit are left as they are."""
    if any(digit in text for digit in "0123456789"):
        text = _FEET_INCHES.sub(lambda found: f"{amount(found[1])} feet {amount(found[2])} inches", text)
        text = _expand_inches(text)
        text = _DOTTED_INCHES.sub(lambda found: "in." if found[1] is not None else "in ", text)
        text = _SPLIT_DEGREES.sub("°", text)
        text = _SIZES.sub(r"\1 by ", text)
        text = _QUANTITY.sub(_quantity, text)
    text = _EACH.sub(lambda found: f" per {_UNITS[found[1]]} ", text)
    text = _RATE.sub(_rate, text)
    return _LONE_UNIT.sub(lambda found: f" {plural(_ALONE[found[1]])} ", text)


def _expand_inches(text: str) -> str:
    """`3"` to "3 in", unless the mark closes a quotation."""
    quoting = False

    def spoken(found: re.Match[str]) -> str:
        nonlocal quoting
        if found[1] and not quoting:
            single = "/" in found[1] or _NOUN.match(found.string, found.end())
            return f"{found[1]} inch " if single else f"{found[1]}in "
        quoting = not quoting
        return found[0]

    return _INCHES.sub(spoken, text)


def plural(name: str) -> str:
    """"mile per hour" to "miles per hour", "degree celsius" to "degrees celsius", "foot" to "feet"."""
    head, per, rest = name.partition(" per ")
    if head.startswith(("degree", "volt ")):
        first, _, kind = head.partition(" ")
        return f"{first}s {kind}".strip() + per + rest
    if head in _SAME:
        return name
    if head.endswith("hertz"):
        return name
    before, space, last = head.rpartition(" ")
    return before + space + _IRREGULAR.get(last, last + "s") + per + rest


def _quantity(found: re.Match[str]) -> str:
    number, attached, joint, spaced, power, per, per_power = found.groups()
    symbol = attached or spaced
    if symbol == "x" and per:
        return str(found[0])
    name = _powered(symbol, power)
    single = number == "1" or (joint == "-" and symbol not in ("°C", "°F"))
    words = f" {amount(number)} {name if single else plural(name)}"
    return words + (f" per {_powered(per, per_power)} " if per else " ")


def _rate(found: re.Match[str]) -> str:
    symbol, power, per, per_power = found.groups()
    return f" {plural(_powered(symbol, power))} per {_powered(per, per_power)} "


def _powered(symbol: str, power: str | None) -> str:
    name = _UNITS.get(symbol) or _UNITS.get(symbol.lower(), symbol)
    if not power:
        return name
    if symbol in _LENGTHS:
        return f"{'square' if power == '2' else 'cubic'} {name}"
    return f"{name} {'squared' if power == '2' else 'cubed'}"
