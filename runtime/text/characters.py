"""Unicode to the few characters that the later passes know: ASCII and a handful of signs with a spoken meaning."""

from __future__ import annotations

import re
import unicodedata

SIGNS = "°µΩπ€£¥₹₩₽¢₿×÷±≈≤≥√∞→←§©—…·"
"""Characters beyond ASCII that survive folding, besides Greek letters."""

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPT_RUN = re.compile(r"[⁰¹²³⁴-⁹⁻⁺]+")
_VULGAR = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_BEFORE_NFKC = str.maketrans({"™": " ", "®": " ", "´": "'", "…": "...", "¨": " ", "¯": " ", "¸": " ", "ª": "",
                               "º": "°", "№": "No. "})
_REPLACED = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"',
    "«": '"', "»": '"', "‹": '"', "›": '"', "「": '"', "」": '"', "『": '"', "』": '"', "《": '"', "》": '"',
    "‐": "-", "‑": "-", "‒": "-", "―": "—", "⸺": "—", "−": "-", "⁃": "- ", "•": "- ", "‣": "- ", "●": "- ", "▪": "- ",
    "◦": "- ", "○": "- ", "■": "- ", "□": "- ", "。": ". ", "、": ", ", "،": ", ", "؛": "; ", "؟": "? ", "।": ". ",
    "⁄": "/", "∕": "/", "∼": "~", "⋅": "·", "∙": "·", "⟶": "→", "➔": "→", "➜": "→", "⇒": "→", "↦": "→", "⇐": "←",
    "≃": "≈", "≅": "≈", "≠": "!=", "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L", "ħ": "h", "ı": "i", "ŋ": "ng",
    "¿": "", "¡": "",
})
_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_RANGE_DASH = re.compile(r"(?<=\d)[ ]?–[ ]?(?=[$€£¥-]?\d)|(?<=\w)–(?=\w)")
_MICRO = re.compile(r"(?<![\u0391-\u03c9])μ(?![\u0391-\u03c9])")
_UNSUPPORTED = re.compile(rf"[^\t\n -~{SIGNS}\u0391-\u03c9]+")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_LONGEST = 200
_GIANT = re.compile(rf"(\S{{{_LONGEST}}})(?=\S)")


def fold(text: str) -> str:
    """Compatibility forms, accents, quotes, dashes and scripts reduced; nothing without a space above 200 characters.

    The limit on a run is what keeps every later pattern linear, whatever the input.
    """
    text = _LINE_ENDS.sub("\n", text)
    if not text.isascii():
        text = _fold_unicode(text)
    return _GIANT.sub(r"\1 ", _UNSUPPORTED.sub(" ", text))


def _fold_unicode(text: str) -> str:
    text = _INVISIBLE.sub("", text)
    text = _SUPERSCRIPT_RUN.sub(lambda run: "^" + run[0].translate(_SUPERSCRIPTS), text)
    text = _VULGAR.sub(" ", text).translate(_BEFORE_NFKC)
    text = unicodedata.normalize("NFKC", text).translate(_REPLACED)
    text = _MARKS.sub("", unicodedata.normalize("NFD", text))
    text = _MICRO.sub("µ", text)
    return _RANGE_DASH.sub("-", text).replace("–", "—")
