"""Any Unicode text to English words: what the phonemizer, and a listener, can make something of.

The result holds only `a-z`, apostrophes inside words, single spaces and the punctuation `;:,.!?—…`. A word of one
letter is the letter's name, but for `a`, the article; the letter A is written `ae`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runtime.text.abbreviations import expand_abbreviations
from runtime.text.addresses import expand_addresses
from runtime.text.characters import fold
from runtime.text.codes import expand_codes
from runtime.text.dates import expand_dates
from runtime.text.markup import strip_markup
from runtime.text.money import expand_money
from runtime.text.numerals import expand_numerals, expand_ranges
from runtime.text.shouting import calm
from runtime.text.symbols import drop_emoticons, speak_symbols, tidy
from runtime.text.units import expand_units
from runtime.text.words import speak_words

_PASSES: tuple[Callable[[str], str], ...] = (
    fold, strip_markup, drop_emoticons, calm, expand_addresses, expand_dates, expand_codes, expand_ranges, expand_money,
    expand_units, expand_abbreviations, expand_numerals, speak_words, speak_symbols, tidy,
)
"""From the most specific to the most general; each leaves plain words for the later ones to pass over."""
_SPELLING: tuple[Callable[[str], str], ...] = (
    expand_dates, expand_ranges, expand_money, expand_units, expand_abbreviations, expand_numerals,
)
"""Those that only replace what is no word, for models that read written text."""
_GAPS = re.compile(r" +(?=[ ,.!?;:])")


def normalize(text: str) -> str:
    """`"Dr. Lee paid $3.50 at 7:05."` to `"doctor lee paid three dollars and fifty cents at seven oh five."`.

    Pure, idempotent and linear in the length of the text; empty where nothing is speakable.
    """
    for run in _PASSES:
        text = run(text)
    return text


def spell_out(text: str) -> str:
    """`"Dr. Lee paid $3.50."` to `"doctor Lee paid three dollars and fifty cents."`: capitals and all other signs stay."""
    for run in _SPELLING:
        text = run(text)
    return _GAPS.sub("", text).strip()
