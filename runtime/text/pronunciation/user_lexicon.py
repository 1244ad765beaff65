"""The user's own words: a mapping or a file of word to respelling, IPA or ARPAbet."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ...errors import TextError
from .alphabets import symbols_of_arpabet, symbols_of_ipa
from .derivation import plural

Lexicon = Mapping[str, str] | str | Path
"""Word to pronunciation, or a file of `word<TAB>pronunciation` lines; lines that begin with # are comments."""
MAX_ENTRIES = 100_000
_IPA_FORM = re.compile(r"/[^/]+/|\[[^\[\]]+\]")
_HEAD = re.compile(r"\w+|\S")
_ARPABET_FORM = re.compile(r"\{?\s*[A-Z]{1,2}[012]?(?:\s+[A-Z]{1,2}[012]?)*\s*\}?")


class UserLexicon:
    """Words to look for in a text, and the phonemes of each."""

    def __init__(self, entries: Mapping[str, str], respell: Callable[[str], str]) -> None:
        """Compile `entries`; `respell` gives the phonemes of a respelling such as "jif".

        Raises:
            TextError: an entry without a word or with a pronunciation that cannot be read.
        """
        if len(entries) > MAX_ENTRIES:
            raise TextError(f"The lexicon has {len(entries):,} entries, at most {MAX_ENTRIES:,} are read.")
        self._phonemes: dict[str, str] = {}
        for word, pronunciation in entries.items():
            if not isinstance(word, str) or not isinstance(pronunciation, str) or not word.strip() or not pronunciation.strip():
                raise TextError(f"The lexicon maps words to pronunciations, both as text, not {word!r} to {pronunciation!r}.")
            self._phonemes[word.strip()] = phonemes_of(pronunciation, respell)
        self._by_head: dict[str, list[str]] = {}
        """Entries by their first letters or sign, in small letters: those with capitals first, then the longest."""
        for word in sorted(self._phonemes, key=lambda word: (word == word.lower(), -len(word))):
            head = _HEAD.match(word)
            assert head is not None
            self._by_head.setdefault(head[0].lower(), []).append(word)

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Start, end and phonemes of each entry's word in `text`, with a 's where it has one.

        A word in small letters is found in any case.
        """
        places = []
        position = 0
        for head in _HEAD.finditer(text):
            start = head.start()
            if start < position or _is_letter(text, start - 1):
                continue
            for word in self._by_head.get(head[0].lower(), ()):
                position = start + len(word)
                said = text[start:position]
                if (said == word or said.lower() == word) and not _is_letter(text, position):
                    owner = text[position:position + 2] in ("'s", "\u2019s") and not _is_letter(text, position + 2)
                    phonemes = plural(self._phonemes[word]) if owner else self._phonemes[word]
                    position += 2 * owner
                    places.append((start, position, phonemes))
                    break
            else:
                position = start
        return places


def _is_letter(text: str, place: int) -> bool:
    return 0 <= place < len(text) and (text[place].isalnum() or text[place] == "_")


def phonemes_of(pronunciation: str, respell: Callable[[str], str]) -> str:
    """Phonemes of "/dʒɪf/" (IPA), "JH IH1 F" (ARPAbet) or "jif" (a respelling)."""
    text = pronunciation.strip()
    if _IPA_FORM.fullmatch(text):
        return symbols_of_ipa(text)
    if _ARPABET_FORM.fullmatch(text) and (any(digit in text for digit in "012") or text.startswith("{")):
        return symbols_of_arpabet(text.strip("{}"))
    return respell(text)


def read_entries(lexicon: Lexicon) -> Mapping[str, str]:
    """Entries of a mapping, or of a file.

    Raises:
        TextError: the file cannot be read, or a line has no tab.
    """
    if isinstance(lexicon, Mapping):
        return lexicon
    try:
        lines = Path(lexicon).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"The lexicon {str(lexicon)[:200]!r} cannot be read: {error}.") from error
    entries = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, tab, pronunciation = line.partition("\t")
        if not tab:
            raise TextError(f"Line {number} of the lexicon is no word, a tab and a pronunciation: {line[:60]!r}.")
        entries[word] = pronunciation
    return entries
