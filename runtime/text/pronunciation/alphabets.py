"""IPA and ARPAbet to the model's phoneme symbols."""

from __future__ import annotations

import re

from ...errors import TextError
from .lexicon import VOWELS

SYMBOLS = "AIOQSTWYbdfhijklmnpstuvwzæðŋɑɔəɛɜɡɪɹɾʃʊʌʒʔʤʧθᵊᵻˈˌ"
"""What a pronunciation may be made of, besides spaces."""
_IPA = {
    "d͡ʒ": "ʤ", "dʒ": "ʤ", "t͡ʃ": "ʧ", "tʃ": "ʧ", "eɪ": "A", "ei": "A", "aɪ": "I", "ai": "I", "ɔɪ": "Y", "ɔi": "Y",
    "oʊ": "O", "əʊ": "O", "ou": "O", "aʊ": "W", "au": "W", "ɜː": "ɜɹ", "ɝ": "ɜɹ", "ɚ": "əɹ", "g": "ɡ", "r": "ɹ", "ɒ": "ɑ",
    "e": "ɛ", "a": "ɑ", "o": "O", "ɫ": "l", "ɐ": "ə", "x": "k", "ː": "", ":": "", "͡": "", ".": "", "'": "ˈ", "‿": "",
    "ʰ": "", "̩": "", "̃": "", "ɨ": "ɪ", "ʍ": "w",
}
_IPA_PARTS = sorted(_IPA, key=len, reverse=True)
_NEAREST = {
    "y": "u", "ø": "ɜ", "œ": "ɜ", "ʁ": "ɹ", "ʀ": "ɹ", "χ": "h", "ç": "h", "ɲ": "n", "ʎ": "l", "β": "v", "ɣ": "ɡ", "ɸ": "f",
    "ɬ": "l", "ɯ": "u", "ʉ": "u", "ɤ": "ʌ", "ɥ": "w", "ʋ": "v", "q": "k", "c": "k", "ɟ": "ʤ", "ʂ": "ʃ", "ʐ": "ʒ", "ɕ": "ʃ",
    "ʑ": "ʒ", "ɻ": "ɹ", "ɭ": "l", "ɳ": "n", "ʈ": "t", "ɖ": "d", "ɵ": "ə", "ɘ": "ə", "ɞ": "ɜ", "ɶ": "ɑ", "ʏ": "ɪ", "ħ": "h",
    "ʕ": "ʔ", "B": "b", "D": "d", "E": "ɛ", "R": "ɹ", "N": "ŋ", "Z": "ʒ", "@": "ə", "J": "ʤ", "G": "ɡ", "C": "ʧ",
}
_ARPABET = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "W", "AX": "ə", "AY": "I", "B": "b", "CH": "ʧ", "D": "d", "DH": "ð",
    "DX": "ɾ", "EH": "ɛ", "ER": "ɜɹ", "EY": "A", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "i", "JH": "ʤ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "O", "OY": "Y", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t",
    "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}
_ARPABET_TOKEN = re.compile(r"([A-Z]{1,2})([012]?)")
_STRESS = re.compile(rf"([ˈˌ])([^ˈˌ {''.join(sorted(VOWELS))}]+)")
"""IPA marks stress before the syllable, the model before its vowel."""
_STRESSES = {"": "", "0": "", "1": "ˈ", "2": "ˌ"}
_SCHWAS = {"ʌ": "ə", "ɜɹ": "əɹ"}


def symbols_of_ipa(text: str) -> str:
    """`"ˌeɪpiːˈaɪ"` to the model's symbols.

    Raises:
        TextError: a sign that is no phoneme of the model, named with the nearest one.
    """
    found: list[str] = []
    rest = text.strip().strip("/[]")
    while rest:
        part = next((part for part in _IPA_PARTS if rest.startswith(part)), rest[0])
        sign = _IPA.get(part, part)
        if part not in _IPA and part not in SYMBOLS and part != " ":
            raise TextError(f"The pronunciation {text[:60]!r} has {part!r}, which is no phoneme here{_suggestion(part)}")
        found.append(sign)
        rest = rest[len(part) :]
    return _stressed("".join(found).strip(), text)


def symbols_of_arpabet(text: str) -> str:
    """`"HH AH0 L OW1"` to the model's symbols.

    Raises:
        TextError: a token that is no ARPAbet phoneme, named with the nearest one.
    """
    found = []
    for token in text.split():
        match = _ARPABET_TOKEN.fullmatch(token)
        if match is None or match[1] not in _ARPABET:
            near = next((name for name in _ARPABET if name[0] == token[:1].upper()), "AH")
            raise TextError(
                f"The pronunciation {text[:60]!r} has {token[:20]!r}, which is no ARPAbet phoneme; the nearest is {near!r}."
            )
        phoneme = _ARPABET[match[1]]
        found.append(_STRESSES[match[2]] + (_SCHWAS.get(phoneme, phoneme) if match[2] == "0" else phoneme))
    return _stressed("".join(found), text)


def _suggestion(sign: str) -> str:
    near = _NEAREST.get(sign)
    return f"; the nearest is {near!r}." if near else f"; phonemes are {' '.join(SYMBOLS)}."


def _stressed(symbols: str, text: str) -> str:
    """With each stress before its vowel, and one before the first vowel where none is marked."""
    if not symbols.strip():
        raise TextError(f"The pronunciation {text[:60]!r} is empty; give it at least one phoneme.")
    symbols = _STRESS.sub(r"\2\1", symbols)
    if "ˈ" in symbols or "ˌ" in symbols:
        return symbols
    place = next((index for index, sign in enumerate(symbols) if sign in VOWELS), None)
    return symbols if place is None else symbols[:place] + "ˈ" + symbols[place:]
