"""Signs to words or to punctuation, and the last clean-up: only small letters, spaces and `;:,.!?—…` remain."""

from __future__ import annotations

import re

_GREEK_LIST = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau "
               "upsilon phi chi psi omega")
_GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _GREEK_LIST.split(), strict=True))
_LONE_GREEK = re.compile(r"(?<![\u0391-\u03c9])[\u0391-\u03c9](?![\u0391-\u03c9])")
_NAMES = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "°": "degrees", "§": "section", "©": "copyright",
    "×": "times", "÷": "divided by", "±": "plus or minus", "≈": "approximately", "≠": "not equal to",
    "≤": "less than or equal to", "≥": "greater than or equal to", "√": "square root of", "∞": "infinity",
    "µ": "micro", "→": "to", "/": "slash", "^": "to the", "~": "about", "<": "less than", ">": "greater than",
}
_PAIRS = ((":=", "="), ("<=", "≤"), (">=", "≥"), ("!=", "≠"), ("===", "="), ("==", "="), ("->", "→"), ("=>", "→"),
          ("<-", ", "), ("+-", "±"), ("+/-", "±"), ("...", "…"), ("<<", " "), (">>", " "), ("||", " or "), ("&&", "&"),
          ("()", " "), ("[]", " "))
_EMOTICON = re.compile(r"(?<!\S)[:;=8]['^-]?[)(DPpOo|/*3](?!\w)|<3(?!\w)|(?<!\S)\^_?\^(?!\S)")
_PER = re.compile(r"(?<=[a-z]) ?/ ?"
                  r"(?=(?:second|sec|minute|min|hour|day|week|month|year|person|unit|token|night|piece|user|frame)\b)")
_AND_OR = re.compile(r"\band ?/ ?or\b")
_PLUS_PLUS = re.compile(r"(?<=[a-z])\+\+")
_SHARP = re.compile(r"\b([cfag])#")
_STAR = re.compile(r"(?<=\w) \* (?=\w)")
_DASH = re.compile(r"(?:(?<=\s)-+(?=\s)|-{2,})")
_SIGN = re.compile("[" + re.escape("".join(name for name in _NAMES if name not in "/^~<>")) + "]")
_BETWEEN = re.compile(r"(?<=[a-z)])( ?)([/<>])( ?)(?=[a-z(])|(?<=[a-z)])( ?)\^(?=[a-z(])")
_BEFORE_WORD = re.compile(r"(?<!\S)([~<>]) ?(?=[a-z])")
_BREAKS = re.compile(r"[()\[\]{}|]+")
_APOSTROPHE = re.compile(r"(?<![a-z])'+|'+(?![a-z])|''+")
_NOISE = re.compile(r"[^a-z';:,.!?—…]+")
_RUN = re.compile(r" ?([;:,.!?—…][;:,.!?—… ]*)")
_ET_AL = re.compile(r"\bet\s+al\b(?!')")
_STRENGTH = "?!….;:—,"


def speak_symbols(text: str) -> str:
    """Signs between lower-case words as words, dashes and brackets as punctuation."""
    text = " ".join(text.split())
    for sign, replacement in _PAIRS:
        text = text.replace(sign, replacement)
    text = _AND_OR.sub("and or", _PER.sub(" per ", text))
    text = _SHARP.sub(r"\1 sharp ", _PLUS_PLUS.sub(" plus plus ", text))
    text = _STAR.sub(" times ", _DASH.sub(" — ", text))
    text = _LONE_GREEK.sub(lambda found: f" {_GREEK.get(found[0].lower(), '')} ", text)
    text = _BETWEEN.sub(lambda found: f" {_NAMES[found[2] or '^']} ", text)
    text = _BEFORE_WORD.sub(lambda found: f"{_NAMES[found[1]]} ", text)
    return _SIGN.sub(lambda found: f" {_NAMES[found[0]]} ", text)


def drop_emoticons(text: str) -> str:
    """Faces such as ":-)" would otherwise become punctuation."""
    return _EMOTICON.sub(" ", text)


def tidy(text: str) -> str:
    """The output alphabet, single spaces, and one mark where several met."""
    text = _BREAKS.sub(", ", text.replace('"', " ")).lower()
    text = _NOISE.sub(" ", _APOSTROPHE.sub(" ", text))
    text = _ET_AL.sub("and others", _RUN.sub(_strongest, text))
    return " ".join(text.split()).lstrip(" ;:,.!?—…").rstrip(" ,—")


def _strongest(found: re.Match[str]) -> str:
    mark = next(mark for mark in _STRENGTH if mark in found[1])
    if mark in "?!" or "..." not in found[1]:
        return " — " if mark == "—" else mark + " "
    return "… "
