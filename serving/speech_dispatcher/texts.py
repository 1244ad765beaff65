"""Messages of a screen reader as text for the synthesizer: marks, characters, key names, punctuation, spelling."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator

PUNCTUATION = {
    ".": "dot", ",": "comma", ";": "semicolon", ":": "colon", "!": "exclamation mark", "?": "question mark", "'": "apostrophe",
    '"': "quote", "(": "left paren", ")": "right paren", "[": "left bracket", "]": "right bracket", "{": "left brace",
    "}": "right brace",
    "<": "less", ">": "greater", "/": "slash", "\\": "backslash", "|": "bar", "-": "dash", "_": "underscore",
    "+": "plus", "=": "equals", "*": "star", "&": "and", "#": "number", "%": "percent", "@": "at", "$": "dollar", "^": "caret",
    "~": "tilde", "`": "backtick",
}
SOME = frozenset("()[]{}<>/\\|_+=*&#%@$^~`")
"""Signs that the mode `some` names; `most` names all but the sentence's own."""
SENTENCE = frozenset(".,;:!?'\"-")
_MARK = re.compile(r"<mark\s[^>]*name\s*=\s*[\"']([^\"']*)[\"'][^>]*>", re.I)
_TAG = re.compile(r"<[^<>]{0,1000}>")


def split_marks(message: str) -> Iterator[tuple[str, str]]:
    """Yield pieces of plain text of an SSML message, each with the name of the mark after it ("" after the last)."""
    start = 0
    for found in _MARK.finditer(message):
        yield plain(message[start:found.start()]), found[1]
        start = found.end()
    yield plain(message[start:]), ""


def plain(markup: str) -> str:
    """Return text without tags and entities."""
    return html.unescape(_TAG.sub(" ", markup))


def with_punctuation(text: str, mode: str) -> str:
    """Return text whose signs are named, as the mode (none, some, most, all) says."""
    named = {"some": SOME, "most": PUNCTUATION.keys() - SENTENCE, "all": PUNCTUATION.keys()}.get(mode, frozenset[str]())
    return "".join(f" {PUNCTUATION[sign]}{sign if sign in '.,;:!?' else ''} " if sign in named else sign for sign in text)


def spelled(text: str) -> str:
    """Return the names of a text's characters, with pauses between them."""
    return ", ".join(name for name in map(character_name, text) if name) + "."


def character_name(sign: str) -> str:
    """Return the spoken name of a character: the letter itself, a sign's or a Unicode name; "" for nothing."""
    if sign.isalnum() and sign.isascii():
        return f"capital {sign}" if sign.isupper() else sign.upper()
    if sign == " " or sign == "space":
        return "space"
    if sign in PUNCTUATION:
        return PUNCTUATION[sign]
    return unicodedata.name(sign, "").lower().replace("-", " ") if len(sign) == 1 else ""


def key_name(key: str) -> str:
    """Return the spoken name of a key such as "shift_a", "control_F5" or "_"."""
    parts = [part for part in key.split("_") if part] or [key]
    return " ".join(character_name(part) if len(part) == 1 else part for part in parts) + "."
