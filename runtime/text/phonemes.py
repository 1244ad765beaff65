"""Normalised English words to phoneme symbols and ids: dictionary first, letter model for the rest.

The alphabet has one character a phoneme (diphthongs and affricates included), stress marks before vowels, a space
between words and the punctuation that shapes prosody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from .normalization.tables.common_words import COMMON_WORDS
from .pronunciation import homographs
from .pronunciation.derivation import derive, plural
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
        """Return whether the dictionary has this lower-case word."""
        return word in self._lexicon

    def phonemes(self, text: str, given: Sequence[tuple[int, int, str]] = ()) -> str:
        """`"the quick, brown fox."` to `"ðə kwˈɪk, bɹˈWn fˈɑks."`; anything but words and punctuation is dropped.

        `given`: start, end and phonemes of spans whose pronunciation is known.
        """
        return self.join(self.words(text, given))

    def words(self, text: str, given: Sequence[tuple[int, int, str]] = ()) -> list[tuple[int, int, str]]:
        """Start, end and phonemes of each word and mark; `given`: spans whose phonemes are known."""
        found = list(_PIECE.finditer(text.lower()))
        words = [match[0] for match in found]
        pieces: list[tuple[int, int, str]] = []
        for index in range(len(words) - 1, -1, -1):
            piece, start, end = words[index], found[index].start(), found[index].end()
            known = next(((first, phonemes) for first, last, phonemes in given if first <= start < last), None)
            if known is not None:
                spoken = known[1] if known[0] == start else ""
            elif piece in PUNCTUATION:
                spoken = piece
            else:
                spoken = homographs.pronunciation(words, index) or self.word(piece)
            if piece == "the" and known is None and starts_with_vowel(pieces[-1][2] if pieces else ""):
                spoken = "ði"
            if spoken:
                pieces.append((start, end, spoken))
        return pieces[::-1]

    def word(self, word: str) -> str:
        """Phonemes of one lower-case word."""
        known = self._lexicon.get(word)
        if known is not None:
            return known
        return plural(self._stem(word[:-2])) if word.endswith("'s") else self._stem(word)

    def _stem(self, word: str) -> str:
        bare = word.strip("'")
        return self._lexicon.get(bare) or self._shortened(bare) or derive(bare, self._lexicon) or self._guess(
            bare.replace(".", "").replace("'", ""))

    def _shortened(self, word: str) -> str | None:
        """The dictionary's word for a lengthened one: "sooo" is "so", "cooool" is "cool"."""
        if not _LENGTHENED.search(word):
            return None
        double, single = _LENGTHENED.sub(r"\1\1", word), _LENGTHENED.sub(r"\1", word)
        everyday = [form for form in (double, single) if form in COMMON_WORDS]
        return next((self._lexicon[form] for form in (*everyday, double, single) if form in self._lexicon), None)

    def _guess(self, word: str) -> str:
        """The letter model's reading, or the names of the letters where that has no syllable ("tmp", "xml")."""
        spoken = self._letters.pronounce(word)
        if not VOWELS.isdisjoint(spoken):
            return spoken
        return " ".join(self._lexicon.get(letter, "") for letter in word).strip() or spoken

    @staticmethod
    def join(pieces: Iterable[tuple[int, int, str]]) -> str:
        """Phonemes of the words and marks that `words` returned: a space before each word but the first."""
        return "".join(phonemes if not index or phonemes in PUNCTUATION else f" {phonemes}"
                       for index, (_, _, phonemes) in enumerate(pieces)).strip()


def id_spans(pieces: Iterable[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """First and past last id of each piece in the ids of all of them joined."""
    spans = []
    length = 0
    for index, (_, _, phonemes) in enumerate(pieces):
        first = length + bool(index and phonemes not in PUNCTUATION)
        length = first + len(phonemes)
        spans.append((first, length))
    return spans


def to_ids(phonemes: str) -> list[int]:
    """Symbol ids, 1-based; unknown symbols are dropped."""
    return [SYMBOLS.index(symbol) + 1 for symbol in phonemes if symbol in SYMBOLS]
