"""The scanner: one pass from left to right that gives every span of a text one class, and verbalises it by that class.

At each place the rules of its kind of character (digit, letter, sign) are tried from the most specific to the most general.
A rule looks at the text on both sides, and at the tokens before it, but never at another rule's output: each character is
read once, so the pass is linear as long as each pattern is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from .replay import LONG_TEXT, Replay
from .tokens import Token

Locale = Literal["en-US", "en-GB"]
LOCALES: tuple[Locale, ...] = ("en-US", "en-GB")
"""Order of day and month in numeric dates; "en-US" is the default."""

_RUN = re.compile(r"\S+")
_SPACE = re.compile(r"\s*")
_LETTERS = re.compile(r"[A-Za-z]+")
_DIGITS = re.compile(r"\d+")
_MOST_CHOICES = 20_000
_BETWEEN_WORDS = " .,:#(\"'"
_WORD_AFTER = re.compile(r"[ ]?([A-Za-z]+(?:'[A-Za-z]+)*)")
FIRST_GIVEN, LAST_GIVEN = "\ue000", "\uf8ff"
"""Characters that stand for words with a given pronunciation."""
NUMERIC = frozenset(
    ("number", "ordinal", "fraction", "money", "unit", "date", "time", "duration", "range", "decimal", "year", "ratio")
)
"""Classes whose tokens a dash or a sign connects to the next number."""


class Rule(NamedTuple):
    """A class, the pattern of its spans, how they are said, and where the pattern need not be tried."""

    kind: str
    pattern: re.Pattern[str]
    verbalise: Callable[[re.Match[str], Scanner], str | None]
    """Words of a match, or None to leave it to the next rule."""
    needs: frozenset[str]
    """Digits, letters: one of these characters must be in the run of non-space characters; signs: the span begins with one."""
    words: frozenset[str]
    """Letters: lower-case words that a span begins with; empty for any."""
    after: frozenset[str]
    """Digits: what follows the first digits, see `RuleSet.following`; empty for anything."""


def rule(
    kind: str,
    needs: str,
    pattern: str | re.Pattern[str],
    verbalise: Callable[[re.Match[str], Scanner], str | None],
    *,
    words: Iterable[str] = (),
    after: str = "",
) -> Rule:
    """A `Rule` from a pattern's text."""
    compiled = re.compile(pattern) if isinstance(pattern, str) else pattern
    return Rule(kind, compiled, verbalise, frozenset(needs), frozenset(words), frozenset(after))


class RuleSet:
    """Rules by the character that a span begins with, in their order, and the words that need no rule."""

    def __init__(self, digit: Sequence[Rule], letter: Sequence[Rule], sign: Sequence[Rule], special: Iterable[str]) -> None:
        self._digit, self._letter, self._sign = digit, letter, sign
        self._words = frozenset(word for each in letter for word in each.words)
        self.special = self._words | frozenset(special)
        """Lower-case words that are not simply said as they are written."""
        self._chosen: dict[object, tuple[Rule, ...]] = {}

    def candidates(self, text: str, position: int, shape: frozenset[str]) -> tuple[Rule, ...]:
        """Rules to try at a place, in a run that has the characters of `shape`."""
        sign = text[position]
        key: tuple[str, object, object]
        if "0" <= sign <= "9":
            key = ("digit", shape, self.following(text, position))
        elif sign.isalpha():
            word = _LETTERS.match(text, position)
            lower = word[0].lower() if word else ""
            key = ("letter", shape, lower if lower in self._words else "")
        else:
            key = ("sign", sign, None)
        chosen = self._chosen.get(key)
        if chosen is None:
            chosen = self._choose(key)
            if len(self._chosen) < _MOST_CHOICES:
                self._chosen[key] = chosen
        return chosen

    @staticmethod
    def following(text: str, position: int) -> str:
        """Return the kind of what follows the digits.

        "A" for a letter, or the sign; after a space "a" for a letter, "9" for a digit, " " for the rest.
        """
        found = _DIGITS.match(text, position)
        end = found.end() if found else position
        sign = text[end : end + 1]
        if sign == " ":
            then = text[end + 1 : end + 2]
            return "9" if "0" <= then <= "9" else "a" if then.isalpha() and then not in "Ωµπ" else " "
        return "A" if sign.isalpha() and sign not in "Ωµπ" else sign if sign and not sign.isspace() else " "

    def _choose(self, key: tuple[str, object, object]) -> tuple[Rule, ...]:
        kind, shape, detail = key
        if kind == "sign":
            return tuple(each for each in self._sign if not each.needs or shape in each.needs)
        assert isinstance(shape, frozenset)
        rules = self._digit if kind == "digit" else self._letter
        rules = [each for each in rules if not each.needs or not each.needs.isdisjoint(shape)]
        if kind == "digit":
            return tuple(each for each in rules if not each.after or detail in each.after)
        return tuple(each for each in rules if not each.words or detail in each.words)


class Scanner:
    """Reads one text."""

    def __init__(
        self, text: str, rules: RuleSet, locale: Locale = "en-US", pronunciations: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.text = text
        self.locale = locale
        self.tokens: list[Token] = []
        self.pronunciations = pronunciations
        self.quoting = False
        """Whether a double quotation mark is open."""
        self.cased = not text.islower() or any(digit in text for digit in "0123456789")
        """Whether small letters after a full stop tell anything: in a text without capitals they do not."""
        self.run_end = 0
        """End of the run of non-space characters that is being read."""
        self.shape: frozenset[str] = frozenset()
        """Characters of that run."""
        self._rules = rules
        self._before = (-1, "")

    def scan(self) -> list[Token]:
        """Tokens of the whole text, in order, which do not overlap."""
        text, tokens, special = self.text, self.tokens, self._rules.special
        position, run, spaces = 0, _RUN.match, _SPACE.match
        replay = Replay() if len(text) > LONG_TEXT and not self.pronunciations else None
        while True:
            if replay is not None and position >= replay.next:
                position = replay.step(self, position)
            if position < self.run_end:
                position = self._token(position, self.shape)
                continue
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
            elif body is word and len(word) == 1 and word in ",.;:!?":
                tokens.append(Token(start, end, "mark", word))
                position = end
                continue
            position, self.run_end, self.shape = start, end, frozenset(text[start:end])

    def _line_end(self, start: int, end: int) -> None:
        last = self.last()
        if last is None or "\n" not in self.text[start:end]:
            return
        ended = last.words[-1:] in tuple(".!?:;,—…") if last.kind == "mark" else last.words[-1:] in tuple(".!?")
        if not ended:
            self.tokens.append(Token(start, start, "mark", "."))

    def _token(self, position: int, shape: frozenset[str]) -> int:
        sign = self.text[position]
        if FIRST_GIVEN <= sign <= LAST_GIVEN:
            word, phonemes = self.pronunciations[ord(sign) - ord(FIRST_GIVEN)]
            self.tokens.append(Token(position, position + 1, "pronunciation", word, phonemes))
            return position + 1
        for candidate in self._rules.candidates(self.text, position, shape):
            found = candidate.pattern.match(self.text, position)
            if found is not None:
                words = candidate.verbalise(found, self)
                if words is not None:
                    self.tokens.append(Token(position, found.end(), candidate.kind, words.strip()))
                    return max(found.end(), position + 1)
        return position + 1

    def word_before(self, start: int) -> str:
        """The word right before, with at most a space and an opening sign between; empty if there is none."""
        if self._before[0] != start:
            self._before = (start, self._find_word_before(start))
        return self._before[1]

    def _find_word_before(self, start: int) -> str:
        text = self.text[max(0, start - 32) : start]
        bare = text.rstrip(_BETWEEN_WORDS)
        if text.count(" ", len(bare)) > 1:
            return ""
        begin = len(bare)
        while begin and (bare[begin - 1].isalpha() or bare[begin - 1] == "'"):
            begin -= 1
        return bare[begin:].strip("'") if begin < len(bare) and bare.isascii() else ""

    def word_after(self, end: int) -> str:
        """The word that follows, with at most a space between; empty if there is none."""
        found = _WORD_AFTER.match(self.text, end)
        return found[1] if found else ""

    def last(self) -> Token | None:
        """The token before."""
        return self.tokens[-1] if self.tokens else None

    def previous_numeric(self, start: int) -> bool:
        """Return whether the token before is a number of some class that ends right here, or one space before."""
        last = self.last()
        return last is not None and last.kind in NUMERIC and start - last.end <= 1
