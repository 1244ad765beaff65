"""Any Unicode text to English words: what the phonemizer, and a listener, can make something of.

The result holds only `a-z`, apostrophes inside words, single spaces and the punctuation `;:,.!?—…`. A word of one
letter is the letter's name, but for `a`, the article; the letter A is written `ae`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .normalization.fold_unicode import fold_unicode
from .normalization.inline_pronunciations import Find, mark_pronunciations
from .normalization.latex import read_formulas
from .normalization.markup import strip_markup, unescape
from .normalization.rules import RULES
from .normalization.scanner import Locale, Scanner
from .normalization.tokens import Placed, Token, assemble
from .normalization.tracked_text import TrackedText
from .pronunciation.alphabets import symbols_of_ipa


@dataclass(frozen=True)
class Normalized:
    """A text as words, and where each of them comes from."""

    source: str
    """The text as the user typed it."""
    words: str
    """Lower-case words and punctuation."""
    placed: tuple[Placed, ...]
    """The tokens that are spoken, with their places in `words`."""
    _tracked: TrackedText

    def origin(self, token: Token) -> tuple[int, int]:
        """Start and end of a token's text in `source`."""
        return self._tracked.origin(token.start, token.end)


def analyze(text: str, locale: Locale = "en-US", find: Find | None = None) -> Normalized:
    """Normalise, and keep which span of the text each word comes from and by which class it was read.

    Raises:
        TextError: a pronunciation in the text has a sign that is no phoneme.
    """
    tracked, tokens = _scan(text, locale, find)
    words, placed = assemble(tokens)
    return Normalized(text, words, tuple(placed), tracked)


def _scan(text: str, locale: Locale, find: Find | None) -> tuple[TrackedText, list[Token]]:
    tracked = TrackedText(text)
    unescape(tracked)
    pronunciations = mark_pronunciations(tracked, symbols_of_ipa, find)
    fold_unicode(tracked)
    read_formulas(tracked)
    strip_markup(tracked)
    spoken = [(normalize(word) or "o", phonemes) for word, phonemes in pronunciations]
    return tracked, Scanner(tracked.text, RULES, locale, spoken).scan()


def normalize(text: str, locale: Locale = "en-US") -> str:
    """`"Dr. Lee paid $3.50 at 7:05."` to `"doctor lee paid three dollars and fifty cents at seven oh five."`.

    Pure, idempotent and linear in the length of the text; empty where nothing is speakable.
    """
    return assemble(_scan(text, locale, None)[1], places=False)[0]


_KEPT = frozenset(("word", "mark", "symbol", "silent", "letter", "address"))


def spell_out(text: str, locale: Locale = "en-US") -> str:
    """`"Dr. Lee paid $3.50."` to `"doctor Lee paid three dollars and fifty cents."`: capitals and all other signs stay."""
    parts: list[str] = []
    position = 0
    for token in Scanner(text, RULES, locale).scan():
        if token.kind in _KEPT or token.start < position:
            continue
        words = token.words
        parts += [text[position : token.start], words]
        position = token.end
        if words and text[position : position + 1].isalnum():
            parts.append(" ")
    parts.append(text[position:])
    return "".join(parts).strip()
