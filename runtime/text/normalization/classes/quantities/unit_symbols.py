"""Symbols of units by where they may stand."""

from __future__ import annotations

from ...tables.unit_names import UNITS

SPACED_ONLY = frozenset(("K", "B"))

ATTACHED = frozenset(("in", "us", "d", "x", "mo", "AU", "ly", "pt", "in."))
"""Symbols that are words or names when a space precedes them."""

PERIODS = (
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

ALONE = {
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

_PER_WORD_LIST = """
    kg g km m mi mo yr hr h d s min lb oz L l ft GB MB kWh kW W wk sqft second sec minute hour day week month year person unit
    token night piece user frame gallon gal mile item cycle rev request page word channel core student seat
    """

PER_WORDS = _PER_WORD_LIST.split()
