"""The scanner: one pass from left to right that gives every span of a text one class, and verbalises it by that class.

At each place the rules of its kind of character (digit, letter, sign) are tried from the most specific to the most general. A rule
looks at the text on both sides, and at the tokens before it, but never at another rule's output: each character is read once,
so the pass is linear as long as each pattern is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from .tokens import Token

Locale = Literal["en-US", "en-GB"]
LOCALES: tuple[Locale, ...] = ("en-US", "en-GB")
"""Order of day and month in numeric dates; "en-US" is the default."""

_RUN = re.compile(r"\S+")
_SPACE = re.compile(r"\s*")
_WORD_BEFORE = re.compile(r"([A-Za-z]+(?:'[A-Za-z]+)*)[.,:#(\"']*[ ]?[#(\"']*\Z")
_WORD_AFTER = re.compile(r"[ ]?([A-Za-z]+(?:'[A-Za-z]+)*)")
FIRST_GIVEN, LAST_GIVEN = "\ue000", "\uf8ff"
"""Characters that stand for words with a given pronunciation."""
NUMERIC = frozenset(("number", "ordinal", "fraction", "money", "unit", "date", "time", "duration", "range", "decimal", "year", "ratio"))
"""Classes whose tokens a dash or a sign connects to the next number."""


class Rule(NamedTuple):
    """A class, the pattern of its spans and how they are said."""

    kind: str
    needs: frozenset[str]
    """One of these characters must be in the run of non-space characters; empty for no condition."""
    pattern: re.Pattern[str]
    verbalise: Callable[[re.Match[str], Scanner], str | None]
    """Words of a match, or None to leave it to the next rule."""


def rule(kind: str, needs: str, pattern: str | re.Pattern[str],
         verbalise: Callable[[re.Match[str], Scanner], str | None]) -> Rule:
    """A `Rule` from a pattern's text."""
    compiled = re.compile(pattern) if isinstance(pattern, str) else pattern
    return Rule(kind, frozenset(needs), compiled, verbalise)


class RuleSet(NamedTuple):
    """Rules by the character that a span begins with, and the words that need no rule."""

    digit: Sequence[Rule]
    letter: Sequence[Rule]
    sign: Sequence[Rule]
    special: frozenset[str]
    """Lower-case words that are not simply said as they are written."""


class Scanner:
    """Reads one text."""

    def __init__(self, text: str, rules: RuleSet, locale: Locale = "en-US",
                 pronunciations: Sequence[tuple[str, str]] = ()) -> None:
        self.text = text
        self.locale = locale
        self.tokens: list[Token] = []
        self.pronunciations = pronunciations
        self.quoting = False
        """Whether a double quotation mark is open."""
        self.cased = not text.islower() or any(digit in text for digit in "0123456789")
        """Whether small letters after a full stop tell anything: in a text without capitals they do not."""
        self._rules = rules

    def scan(self) -> list[Token]:
        """Tokens of the whole text, in order, which do not overlap."""
        text, tokens, special = self.text, self.tokens, self._rules.special
        position, run, spaces = 0, _RUN.match, _SPACE.match
        while True:
            gap = spaces(text, position)
            assert gap is not None
            start = gap.end()
            if start - position > 1 or (start > position and text[position] == "\n"):
                self._line_end(position, start)
            found = run(text, start)
            if found is None:
                return tokens
            word, end = found[0], found.end()
            body = word
            if word[-1] in ",.;:!?" and len(word) > 1:
                body = word[:-1]
            if body.isalpha() and len(body) > 1 and body.isascii():
                lower = body.lower()
                if lower not in special and (body == lower or body[1:] == lower[1:]):
                    tokens.append(Token(start, start + len(body), "word", lower))
                    if body is not word:
                        tokens.append(Token(end - 1, end, "mark", word[-1]))
                    position = end
                    continue
            position = self._scan_run(start, end)

    def _line_end(self, start: int, end: int) -> None:
        if "\n" in self.text[start:end] and self.tokens and not (
                self.tokens[-1].kind == "mark" and self.tokens[-1].words[-1:] in ".!?:;,—…"):
            if self.tokens[-1].words[-1:] not in (".", "!", "?"):
                self.tokens.append(Token(start, start, "mark", "."))

    def _scan_run(self, position: int, end: int) -> int:
        """Tokens from `position` until at least the end of its run; where the last of them ends."""
        shape = frozenset(self.text[position:end])
        while position < end:
            position = self._token(position, shape)
        return position

    def _token(self, position: int, shape: frozenset[str]) -> int:
        sign = self.text[position]
        if FIRST_GIVEN <= sign <= LAST_GIVEN:
            word, phonemes = self.pronunciations[ord(sign) - ord(FIRST_GIVEN)]
            self.tokens.append(Token(position, position + 1, "pronunciation", word, phonemes))
            return position + 1
        rules = self._rules.digit if "0" <= sign <= "9" else self._rules.letter if sign.isalpha() else self._rules.sign
        for candidate in rules:
            if candidate.needs and candidate.needs.isdisjoint(shape):
                continue
            found = candidate.pattern.match(self.text, position)
            if found is not None:
                words = candidate.verbalise(found, self)
                if words is not None:
                    self.tokens.append(Token(position, found.end(), candidate.kind, words.strip()))
                    return max(found.end(), position + 1)
        return position + 1

    def word_before(self, start: int) -> str:
        """The word right before, with at most a space and an opening sign between; empty if there is none."""
        found = _WORD_BEFORE.search(self.text, max(0, start - 24), start)
        return found[1] if found else ""

    def word_after(self, end: int) -> str:
        """The word that follows, with at most a space between; empty if there is none."""
        found = _WORD_AFTER.match(self.text, end)
        return found[1] if found else ""

    def last(self) -> Token | None:
        """The token before."""
        return self.tokens[-1] if self.tokens else None

    def previous_numeric(self, start: int) -> bool:
        """Whether the token before is a number of some class that ends right here, or one space before."""
        last = self.last()
        return last is not None and last.kind in NUMERIC and start - last.end <= 1
