"""Normalised English words to phoneme symbols and ids: dictionary first, letter model for the rest.

The alphabet has one character a phoneme (diphthongs and affricates included), stress marks before vowels, a space
between words and the punctuation that shapes prosody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .pronunciation.extra_pronunciations import PRONUNCIATIONS
from .pronunciation.letter_model import LetterModel
from .pronunciation.lexicon import VOWELS, read_lexicon, starts_with_vowel

PUNCTUATION = ";:,.!?—…"
SYMBOLS = PUNCTUATION + " ˈˌ" + "AIOQSTWYbdfhijklmnpstuvwzæðŋɑɔəɛɜɡɪɹɾʃʊʌʒʔʤʧθᵊᵻ"
"""Id of a symbol = its index here + 1; 0 is padding. Appending is compatible, reordering is not."""
IDS = len(SYMBOLS) + 1
"""How many ids there are, the padding's among them."""

_PIECE = re.compile(rf"[a-z]+(?:['.][a-z]+)*'?|[{PUNCTUATION}]")
_LENGTHENED = re.compile(r"(.)\1{2,}")
_VOICELESS = frozenset("ptkfθ")
_SIBILANT = frozenset("szʃʒʧʤ")


class Phonemizer:
    """Words to phonemes from the two files of a bundle's text front end."""

    def __init__(self, lexicon: dict[str, str], letters: LetterModel) -> None:
        self._lexicon = lexicon
        self._letters = letters

    @classmethod
    def load(cls, folder: Path) -> Phonemizer:
        """Read `lexicon.txt.gz` and `letters.npz`; the supplement fills the dictionary's gaps."""
        lexicon = PRONUNCIATIONS | read_lexicon(folder / "lexicon.txt.gz")
        return cls(lexicon, LetterModel.load(folder / "letters.npz"))

    def knows(self, word: str) -> bool:
        """Whether the dictionary has this lower-case word."""
        return word in self._lexicon

    def phonemes(self, text: str) -> str:
        """`"the quick, brown fox."` to `"ðə kwˈɪk, bɹˈWn fˈɑks."`; anything but words and punctuation is dropped."""
        pieces: list[str] = []
        for piece in reversed(_PIECE.findall(text.lower())):
            spoken = piece if piece in PUNCTUATION else self.word(piece)
            if piece == "the" and starts_with_vowel(pieces[-1] if pieces else ""):
                spoken = "ði"
            if spoken:
                pieces.append(spoken)
        return self._join(reversed(pieces))

    def word(self, word: str) -> str:
        """Phonemes of one lower-case word."""
        known = self._lexicon.get(word)
        if known is not None:
            return known
        return _possessive(self._stem(word[:-2])) if word.endswith("'s") else self._stem(word)

    def _stem(self, word: str) -> str:
        bare = word.strip("'")
        return self._lexicon.get(bare) or self._shortened(bare) or self._guess(bare.replace(".", "").replace("'", ""))

    def _shortened(self, word: str) -> str | None:
        """The dictionary's word behind a lengthened one: "sooo" is "so", "cooool" is "cool"."""
        if not _LENGTHENED.search(word):
            return None
        return self._lexicon.get(_LENGTHENED.sub(r"\1\1", word)) or self._lexicon.get(_LENGTHENED.sub(r"\1", word))

    def _guess(self, word: str) -> str:
        """The letter model's reading, or the names of the letters where that has no syllable ("tmp", "xml")."""
        spoken = self._letters.pronounce(word)
        if not VOWELS.isdisjoint(spoken):
            return spoken
        return " ".join(self._lexicon.get(letter, "") for letter in word).strip() or spoken

    @staticmethod
    def _join(pieces: Iterable[str]) -> str:
        return re.sub(rf" ([{PUNCTUATION}])", r"\1", " ".join(pieces)).strip()


def _possessive(stem: str) -> str:
    last = stem[-1:]
    return stem + ("ɪz" if last in _SIBILANT else "s" if last in _VOICELESS else "z")


def to_ids(phonemes: str) -> list[int]:
    """Symbol ids, 1-based; unknown symbols are dropped."""
    return [SYMBOLS.index(symbol) + 1 for symbol in phonemes if symbol in SYMBOLS]
