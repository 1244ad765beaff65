"""Normalised English words to phoneme symbols and ids: dictionary first, letter model for the rest.

The alphabet has one character a phoneme (diphthongs and affricates included), stress marks before vowels, a space between
words and the punctuation that shapes prosody.
"""

from __future__ import annotations

import re
from pathlib import Path

from runtime.text.letters import LetterModel
from runtime.text.lexicon import read_lexicon, starts_with_vowel

PUNCTUATION = ";:,.!?—…"
SYMBOLS = PUNCTUATION + " ˈˌ" + "AIOQSTWYbdfhijklmnpstuvwzæðŋɑɔəɛɜɡɪɹɾʃʊʌʒʔʤʧθᵊᵻ"
"""Id of a symbol = its index here + 1; 0 is padding. Appending is compatible, reordering is not."""

_PIECE = re.compile(rf"[a-z]+(?:['.][a-z]+)*'?|[{PUNCTUATION}]")
_SUFFIXES = (("'s", "z"), ("s'", ""), ("'", ""))
_VOICELESS = frozenset("ptkfθ")
_SIBILANT = frozenset("szʃʒʧʤ")


class Phonemizer:
    """Words to phonemes from the two files of a bundle's text front end."""

    def __init__(self, lexicon: dict[str, str], letters: LetterModel) -> None:
        self._lexicon = lexicon
        self._letters = letters

    @classmethod
    def load(cls, folder: Path) -> Phonemizer:
        """Read `lexicon.txt.gz` and `letters.npz`."""
        return cls(read_lexicon(folder / "lexicon.txt.gz"), LetterModel.load(folder / "letters.npz"))

    def knows(self, word: str) -> bool:
        """Whether the dictionary has this lower-case word."""
        return word in self._lexicon

    def phonemes(self, text: str) -> str:
        """`"the quick, brown fox."` to `"ðə kwˈɪk, bɹˈWn fˈɑks."`; characters outside words and punctuation are dropped."""
        pieces: list[str] = []
        for piece in reversed(_PIECE.findall(text.lower())):
            if piece in PUNCTUATION:
                pieces.append(piece)
                continue
            spoken = self.word(piece)
            following = next((p for p in reversed(pieces)), "")
            if piece == "the" and starts_with_vowel(following):
                spoken = "ði"
            pieces.append(spoken)
        return self._join(reversed(pieces))

    def word(self, word: str) -> str:
        """Phonemes of one lower-case word."""
        known = self._lexicon.get(word)
        if known is not None:
            return known
        if word.endswith("'s") and word[:-2] in self._lexicon:
            return _possessive(self._lexicon[word[:-2]])
        return self._lexicon.get(word.strip("'")) or self._letters.pronounce(word.replace(".", ""))

    @staticmethod
    def _join(pieces: object) -> str:
        text = " ".join(pieces)  # type: ignore[call-overload]
        return re.sub(rf" ([{PUNCTUATION}])", r"\1", text).strip()


def _possessive(stem: str) -> str:
    last = stem[-1:]
    return stem + ("ᵻz" if last in _SIBILANT else "s" if last in _VOICELESS else "z")


def to_ids(phonemes: str) -> list[int]:
    """Symbol ids, 1-based; unknown symbols are dropped."""
    return [SYMBOLS.index(symbol) + 1 for symbol in phonemes if symbol in SYMBOLS]
