"""All rules in their order: from the most specific to the most general."""

from __future__ import annotations

from .classes import (
    abbreviations,
    addresses,
    dates,
    identifiers,
    money,
    numerals,
    roman_numerals,
    symbols,
    times,
    words,
)
from .classes.quantities import units
from .scanner import RuleSet
from .tables.acronyms import SPECIAL

_SOUNDS = ("mm", "mmm", "hm", "hmm", "hmmm", "mhm", "uh")

RULES = RuleSet(
    digit=(
        *numerals.DIGIT_EARLY,
        *addresses.DIGIT,
        *dates.DIGIT,
        *times.DIGIT,
        *identifiers.DIGIT,
        *identifiers.DIGIT_VERSIONS,
        *money.DIGIT,
        *units.DIGIT_EARLY,
        *numerals.DIGIT_BEFORE_UNITS,
        *units.DIGIT,
        *numerals.DIGIT,
    ),
    letter=(
        *words.LETTER_EARLY,
        *addresses.LETTER,
        *identifiers.LETTER,
        *dates.LETTER,
        *money.LETTER,
        *abbreviations.LETTER,
        *roman_numerals.LETTER,
        *units.LETTER,
        *symbols.LETTER,
        *words.LETTER,
    ),
    sign=(
        *symbols.SIGN_EARLY,
        *money.SIGN,
        *dates.SIGN,
        *identifiers.SIGN,
        *numerals.SIGN_EARLY,
        *addresses.SIGN,
        *numerals.SIGN,
        *units.SIGN,
        *symbols.SIGN,
    ),
    special=(*SPECIAL, *_SOUNDS),
)
