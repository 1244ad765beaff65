"""Texts of `say-as` and `phoneme`, rewritten so that the front end reads them as asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ..errors import TextError
from .normalization.classes.identifiers import characters
from .normalization.number_words import cardinal, digits, ordinal
from .pronunciation.alphabets import symbols_of_arpabet, symbols_of_ipa

_INTEGER = re.compile(r"[+-]?\d{1,3}(?:,\d{3}){1,6}|[+-]?\d{1,21}")


def interpretation(kind: str) -> Callable[[str], str]:
    """Return the rewriting of the text of `say-as`."""
    if kind in _KINDS:
        return _KINDS[kind]
    if kind in ("cardinal", "number"):
        return lambda text: cardinal(_integer(text, kind))
    if kind == "ordinal":
        return lambda text: ordinal(_integer(text, kind))
    raise TextError(f"SSML: say-as {kind[:40]!r} is not one of {', '.join((*_KINDS, 'cardinal', 'ordinal'))}.")


def _spell(text: str) -> str:
    """Letters and digits one by one; signs by their names."""
    plain = "".join(unicodedata.normalize("NFD", text))
    words = []
    for sign in plain:
        if sign.isascii() and sign.isalnum():
            words.append(characters(sign))
        elif sign in _SIGN_NAMES:
            words.append(_SIGN_NAMES[sign])
    return " ".join(words)


def _signed_digits(text: str) -> str:
    """ "-12.5" to "minus one two point five"; groups are set apart."""
    if found := re.fullmatch(r"\s*([+-]?)(\d+)\.(\d+)\s*", text):
        sign = {"-": "minus ", "+": "plus ", "": ""}[found[1]]
        return f"{sign}{digits(found[2])} point {digits(found[3])}"
    start = text.strip()[:1]
    return {"-": "minus ", "+": "plus "}.get(start, "") + ", ".join(digits(group) for group in re.findall(r"\d+", text))


def _telephone(text: str) -> str:
    """Digit by digit in its groups; letters of a vanity number stay words."""
    plus = "plus " if text.strip().startswith("+") else ""
    return plus + ", ".join(digits(group) if group.isdigit() else group.lower() for group in re.findall(r"\d+|[A-Za-z]+", text))


def _time(text: str) -> str:
    """ "930" and "9.30" as times of day; what is written as one is read so anyway."""
    found = re.fullmatch(r"\s*(\d{1,2})[.:h]?(\d{2})\s*([ap]\.?m\.?)?\s*", text, re.IGNORECASE)
    return f"{found[1]}:{found[2]}{' ' + found[3] if found[3] else ''}" if found else text


_SIGN_NAMES = {
    "-": "dash", ".": "dot", "/": "slash", "_": "underscore", "@": "at", "#": "hash", "+": "plus", "*": "star", "&": "and",
    "%": "percent", "=": "equals", "$": "dollar", ":": "colon", "!": "exclamation mark", "?": "question mark",
}

_KINDS: dict[str, Callable[[str], str]] = {
    "characters": _spell,
    "spell-out": _spell,
    "verbatim": _spell,
    "digits": _signed_digits,
    "telephone": _telephone,
    "date": str,
    "time": _time,
    "unit": str,
    "currency": str,
    "fraction": str,
    "address": str,
    "duration": str,
}


def phoneme(attributes: dict[str, str]) -> Callable[[str], str]:
    """The text of `phoneme` with its pronunciation."""
    alphabet = attributes.get("alphabet", "ipa")
    if alphabet not in ("ipa", "x-arpabet", "arpabet"):
        raise TextError(f"SSML: phoneme has the alphabet {alphabet[:40]!r}; use ipa or x-arpabet.")
    pronunciation = attributes.get("ph", "")
    symbols = symbols_of_ipa(pronunciation) if alphabet == "ipa" else symbols_of_arpabet(pronunciation)
    return lambda text: f"[{' '.join(text.replace('[', ' ').replace(']', ' ').split()) or 'o'}](/{symbols}/)"


def _integer(text: str, kind: str) -> int:
    compact = text.strip()
    if not _INTEGER.fullmatch(compact):
        raise TextError(f"SSML: say-as {kind} takes a whole number, not {compact[:40]!r}.")
    return int(compact.replace(",", ""))
