"""Unicode to the few characters that the scanner knows: ASCII and a handful of signs with a spoken meaning."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from .tables.accents import respell_accents
from .tracked_text import TrackedText

SIGNS = "°µΩπ€£¥₹₩₽¢₿×÷±≈≤≥√∞→←§©—–…·‰"
"""Characters beyond ASCII that survive folding, besides Greek letters."""
PRONOUNCED = "\ue000-\uf8ff"
"""Characters that stand for words with a given pronunciation, see `inline_pronunciations`."""

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPT_RUN = re.compile(r"[⁰¹²³⁴-⁹⁻⁺]+")
_VULGAR = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_BEFORE_NFKC = str.maketrans(
    {
        "™": " ",
        "®": " ",
        "´": "'",
        "…": "...",
        "¨": " ",
        "¯": " ",
        "¸": " ",
        "ª": "",
        "º": "°",
        "№": "No. ",
        "℃": "°C",
        "℉": "°F",
    }
)
_REPLACED = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "‚": "'",
        "‛": "'",
        "′": "'",
        "ʼ": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "‟": '"',
        "″": '"',
        "«": '"',
        "»": '"',
        "‹": '"',
        "›": '"',
        "「": '"',
        "」": '"',
        "『": '"',
        "』": '"',
        "《": '"',
        "》": '"',
        "‐": "-",
        "‑": "-",
        "‒": "–",
        "―": "—",
        "⸺": "—",
        "−": "-",
        "⁃": "- ",
        "•": "- ",
        "‣": "- ",
        "●": "- ",
        "▪": "- ",
        "◦": "- ",
        "○": "- ",
        "■": "- ",
        "□": "- ",
        "。": ". ",
        "、": ", ",
        "،": ", ",
        "؛": "; ",
        "؟": "? ",
        "।": ". ",
        "⁄": "/",
        "∕": "/",
        "∼": "~",
        "⋅": "·",
        "∙": "·",
        "⟶": "→",
        "➔": "→",
        "➜": "→",
        "⇒": "→",
        "↦": "→",
        "⇐": "←",
        "≃": "≈",
        "≅": "≈",
        "≠": "!=",
        "ß": "ss",
        "ẞ": "SS",
        "æ": "ae",
        "Æ": "Ae",
        "œ": "oe",
        "Œ": "Oe",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "þ": "th",
        "Þ": "Th",
        "ł": "l",
        "Ł": "L",
        "ħ": "h",
        "ı": "i",
        "ŋ": "ng",
        "¿": "",
        "¡": "",
        "†": "",
        "‡": "",
        "→": "→",
    }
)
_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_MICRO = re.compile(r"(?<![\u0391-\u03c9])μ(?![\u0391-\u03c9])")
_UNSUPPORTED = re.compile(rf"[^\t\n -~{SIGNS}{PRONOUNCED}\u0391-\u03c9]+")
_CONTROL = re.compile(r"[^\t\n -~\x80-\U0010ffff]+")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BEYOND_ASCII = re.compile(r"(?:(?<![A-Za-z])[A-Za-z]{1,40}|\d)?(?:[^\x00-\x7f]+[A-Za-z]{0,40})+")
_LATIN = re.compile(r"[A-Za-z]")
LONGEST = 200
_GIANT = re.compile(rf"(\S{{{LONGEST}}})(?=\S)")


def fold_unicode(source: TrackedText) -> None:
    """Reduce compatibility forms, accents, quotes, dashes and scripts; limit runs without a space to 200 characters.

    The limit on a run is what keeps every later pattern linear, whatever the input.
    """
    if "\r" in source.text or not source.text.isprintable():
        source.sub(_LINE_ENDS, "\n")
        source.sub(_CONTROL, " ")
    if not source.text.isascii():
        source.sub(_BEYOND_ASCII, lambda found: _fold(found[0]))
    if _GIANT.search(source.text):
        source.sub(_GIANT, lambda found: found[0] + " ")


@lru_cache(maxsize=4096)
def _fold(run: str) -> str:
    """One word, or one run of signs, in ASCII and `SIGNS`."""
    text = respell_accents(unicodedata.normalize("NFC", _INVISIBLE.sub("", run)))
    text = _SUPERSCRIPT_RUN.sub(lambda found: "^" + found[0].translate(_SUPERSCRIPTS), text)
    text = _VULGAR.sub(" ", text).translate(_BEFORE_NFKC)
    text = unicodedata.normalize("NFKC", text).translate(_REPLACED)
    text = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return _UNSUPPORTED.sub(" ", _MICRO.sub("µ", text))


def unspoken_letters(text: str) -> list[str]:
    """Runs of letters and digits that English has no reading for, such as Chinese or Cyrillic ones, in order."""
    if text.isascii():
        return []
    return [
        run
        for run in _BEYOND_LATIN.findall(text)
        if any(unicodedata.category(sign)[0] in "LN" for sign in run) and not _fold(run).strip()
    ]


_BEYOND_LATIN = re.compile(r"[^\x00-\u024f\u0391-\u03c9\u2000-\u2bff\u1e00-\u1eff]{1,100}")
