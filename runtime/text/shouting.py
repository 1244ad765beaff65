"""Sentences in capitals: read as words, so that the acronym rules see only the acronyms among them."""

from __future__ import annotations

import re

from runtime.text.acronyms import is_acronym, is_emphasis

_SENTENCE = re.compile(r"[^.!?\n]+")
_SMALL = re.compile(r"[a-z]")
_WORD = re.compile(r"(?<![\w.@/#'-])(?<!\d )[A-Z]{2,}(?:'[A-Z]{1,2})?(?![\w@/-]|\.\w)")


def calm(text: str) -> str:
    """"STOP THE ROBOT, LOW RAM" to "Stop The Robot, Low RAM"; sentences with small letters stay as they are."""
    return _SENTENCE.sub(_calm_sentence, text)


def _calm_sentence(found: re.Match[str]) -> str:
    sentence = found[0]
    if _SMALL.search(sentence):
        return sentence
    words = _WORD.findall(sentence)
    if len(words) < 2 or not any(is_emphasis(word) and not is_acronym(word) for word in words):
        return sentence
    return _WORD.sub(lambda word: word[0] if is_acronym(word[0]) else word[0].capitalize(), sentence)
