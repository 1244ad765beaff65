"""Runs of letters to lower-case words: acronyms, camelCase, snake_case and letters that stand for themselves."""

from __future__ import annotations

import re

from runtime.text.acronyms import LETTERS, capitals, known_reading, spell

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
_CAMEL = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
_SCOTTISH = re.compile(r"(?:Mc|Mac|O')[A-Z][a-z]+")
_INFLECTED = re.compile(r"[A-Z]{3,}(?:es|[a-z]?ed|[a-z]?ing)")
_WIFI = re.compile(r"\bWi-Fi\b")
_LISTED_A = re.compile(r"(?<=\()a(?=\))")
_ALTERNATIVE = re.compile(r" (?:or|and|to|versus) [A-Z](?![A-Za-z])")
_PLURAL = re.compile(r"(?<=[A-Za-z])\(s\)")
_UNDERSCORES = re.compile(r"_+")
_DOT_INSIDE = re.compile(r"(?<=[A-Za-z0-9_)\]])\.(?=[a-z_])|(?<![^\s(\"'])\.(?=[A-Za-z]{2})")
_MISSING_SPACE = re.compile(r"(?<=[a-z)\"'])([.!?;:,])(?=[A-Z])")
_CAPITAL_SLASH = re.compile(r"(?<=[A-Z])/(?=[A-Z])")
_LETTER_CONTEXT = re.compile(
    r"\b(?:plan|vitamin|option|type|grade|class|group|point|section|appendix|team|part|hepatitis|exhibit|side|column|row|model"
    r"|series|level|gate|room|channel|button|terminal|zone|block|building|platform|dock|bay|slot|port|line|letter|case|step"
    r"|phase|choice|answer|robot|unit|lane|tier|rank|layer|node|area|sector|station|variant|sample|product)s? \Z",
    re.IGNORECASE)
_LONGEST_CONTEXT = 16
_CLOSING = ".,;:!?)]\"'—…&/+*-#"


def speak_words(text: str) -> str:
    """Every word lower-case and pronounceable; signs and punctuation stay."""
    text = _MISSING_SPACE.sub(r"\1 ", _PLURAL.sub("s", text))
    text = _LISTED_A.sub(spell("a"), _WIFI.sub("wifi", text))
    text = _DOT_INSIDE.sub(" dot ", text)
    text = _CAPITAL_SLASH.sub(" ", text)
    if "_" in text:
        text = _UNDERSCORES.sub(" ", text)
    return _WORD.sub(_speak, text)


def _speak(found: re.Match[str]) -> str:
    token = found[0]
    if token == "A":
        return spell("a") if _is_letter(found) else "a"
    if token.isupper() and "&" in found.string[max(0, found.start() - 1):found.end() + 1]:
        return spell(token)
    return speak_word(token)


def speak_word(token: str) -> str:
    """One word, possessive or not."""
    base, suffix = (token[:-2], "'s") if token[-2:] in ("'s", "'S") else (token, "")
    if len(base) == 1:
        return (LETTERS[base.lower()] if suffix and base == "A" else base.lower()) + suffix
    if "'" in base:
        return token.lower()
    return (known_reading(base) or capitals(base) or _lower(base) or _split(base)) + suffix


def _lower(base: str) -> str | None:
    """Words whose capitals mean nothing: "Hello", "McDonald", "STOPPed"."""
    plain = base.islower() or base[1:].islower() or _SCOTTISH.fullmatch(base) or _INFLECTED.fullmatch(base)
    return base.lower() if plain else None


def _split(base: str) -> str:
    """"getUserID" to "get user i d"."""
    return " ".join(spell(part) if len(part) == 1 else known_reading(part) or capitals(part) or part.lower()
                    for part in _CAMEL.findall(base))


def _is_letter(found: re.Match[str]) -> bool:
    """Whether a capital A is the letter: before punctuation or another letter, or after such words as "plan"."""
    text, start, end = found.string, found.start(), found.end()
    following = text[end:end + 3]
    if not following.strip() or following[0] in _CLOSING:
        return True
    if _ALTERNATIVE.match(text, end):
        return True
    if text[max(0, start - 1):start] in ("&", "/", "-", "+"):
        return True
    if following[0] == " " and following[1:2].isupper() and not following[2:3].isalpha():
        return following[1:2] != "I"
    return _LETTER_CONTEXT.search(text, max(0, start - _LONGEST_CONTEXT), start) is not None
