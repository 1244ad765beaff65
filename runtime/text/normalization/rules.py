"""All rules in their order: from the most specific to the most general."""

from __future__ import annotations

from .classes import (
    abbreviations, addresses, dates, identifiers, money, numerals, roman_numerals, symbols, times, units, words,
)
from .scanner import RuleSet
from .tables.abbreviations import ALWAYS, BEFORE_NAMES, DIRECTIONS, ENDING, NUMBERED, STATES, STREETS, TITLES
from .tables.acronyms import SPECIAL
from .tables.unit_names import UNITS

_SPECIAL_LIST = """
    et mm hmm mhm uh dr mr mrs prof st vs viz temp ww usd eur gbp jpy inr chf cny cad aud btc rs hk
    jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september october november december
    mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday
    """
SPECIAL = frozenset(_SPECIAL_LIST.split()) | SPECIAL | frozenset(
    word.lower() for table in (ALWAYS, BEFORE_NAMES, DIRECTIONS, ENDING, NUMBERED, STATES, STREETS, TITLES) for word in table) | frozenset(
    unit.lower() for unit in UNITS if unit.isalpha() and not (unit.islower() and len(unit) > 3))
"""Words for which the rules of letters are tried."""

RULES = RuleSet(
    digit=(
        *numerals.DIGIT_EARLY, *addresses.DIGIT, *dates.DIGIT, *times.DIGIT, *identifiers.DIGIT, *identifiers.DIGIT_VERSIONS,
        *money.DIGIT, *numerals.DIGIT_BEFORE_UNITS, *units.DIGIT, *numerals.DIGIT,
    ),
    letter=(
        *words.LETTER_EARLY, *addresses.LETTER, *identifiers.LETTER, *dates.LETTER, *money.LETTER, *abbreviations.LETTER,
        *roman_numerals.LETTER, *units.LETTER, *symbols.LETTER, *words.LETTER,
    ),
    sign=(
        *symbols.SIGN_EARLY, *money.SIGN, *dates.SIGN, *identifiers.SIGN, *numerals.SIGN_EARLY, *addresses.SIGN, *numerals.SIGN, *units.SIGN, *symbols.SIGN,
    ),
    special=SPECIAL,
)
SPELLING = RULES
