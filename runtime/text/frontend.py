"""Text as a user types it to the phoneme ids that a model reads."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import NothingToSayError, VoiceError
from .normalization.fold_unicode import unspoken_letters
from .normalization.inline_pronunciations import without_pronunciations
from .normalization.scanner import Locale
from .normalize import Normalized, analyze, normalize
from .phonemes import PUNCTUATION, Phonemizer, id_spans, to_ids
from .pronunciation.user_lexicon import Lexicon, UserLexicon, read_entries
from .sentences import split_sentences
from .utterance import SpokenWord, Utterance

_LOG = logging.getLogger(__name__)
_FINAL = ".!?…"
_WEAK = " ;:,—"
_TRAINED = str.maketrans({"—": ",", "…": "."})
"""Marks that no corpus sentence had, and the nearest ones that they did have."""
_LETTER = re.compile(r"[a-z]")


class TextFrontEnd:
    """English text to sentences, and sentences to ids."""

    space: int | None = to_ids(" ")[0]
    """Id between words, where an utterance that is too long may be cut."""

    def __init__(self, phonemizer: Phonemizer, lexicon: Lexicon | None = None, locale: Locale = "en-US") -> None:
        self._phonemizer = phonemizer
        self._locale = locale
        entries = {} if lexicon is None else read_entries(lexicon)
        self._lexicon = UserLexicon(entries, lambda text: phonemizer.phonemes(normalize(text))) if entries else None

    @classmethod
    def load(cls, folder: Path, lexicon: Lexicon | None = None, locale: Locale = "en-US") -> TextFrontEnd:
        """Read the dictionary and the letter model of a bundle's text folder; `lexicon`: the user's own words."""
        return cls(Phonemizer.load(folder), lexicon, locale)

    def utterances(self, text: str) -> list[Utterance]:
        """Utterances to say one after the other, with the user's text, the phonemes and the words' spans.

        Raises:
            TextError: nothing can be said, or a pronunciation in the text has a sign that is no phoneme.
        """
        normalized = analyze(text, self._locale, self._lexicon.find if self._lexicon else None)
        found = []
        for sentence, start in _placed(split_sentences(normalized.words), normalized.words):
            if _LETTER.search(sentence):
                found.append(self._utterance(normalized, sentence, start))
        if not found:
            raise NothingToSayError("the text holds nothing to say: no English letters, digits or signs with a name")
        if unspoken := unspoken_letters(without_pronunciations(text)):
            _LOG.warning("Left out %s: no English reading for these letters.", ", ".join(map(repr, unspoken[:5])))
        ends = [*(utterance.start for utterance in found[1:]), len(text)]
        return [replace(utterance, text=text[utterance.start:end].strip()) for utterance, end in zip(found, ends, strict=True)]

    def _utterance(self, normalized: Normalized, sentence: str, start: int) -> Utterance:
        placed = [place for place in normalized.placed if start <= place.start < start + len(sentence)]
        given = [(place.start - start, place.end - start, place.token.phonemes) for place in placed if place.token.phonemes]
        pieces = self._phonemizer.words(sentence, given)
        ids = id_spans(pieces)
        words = []
        for place in placed:
            first, last = normalized.origin(place.token)
            own = [index for index, (begin, _, phonemes) in enumerate(pieces)
                   if place.start - start <= begin < place.end - start and phonemes not in PUNCTUATION]
            spoken = " ".join(pieces[index][2] for index in own)
            said = sentence[place.start - start:place.end - start]
            first_id, last_id = (ids[own[0]][0], ids[own[-1]][1]) if own else (0, 0)
            words.append(SpokenWord(normalized.source[first:last], first, last, said, spoken, place.token.kind,
                                    first_id, last_id))
        phonemes = self._finished(self._phonemizer.join(pieces))
        return Utterance(sentence, words[0].start if words else 0, sentence, phonemes, to_ids(phonemes), tuple(words))

    def sentences(self, text: str) -> list[str]:
        """The words of `utterances`; `TextError` where nothing can be said."""
        return [utterance.spoken for utterance in self.utterances(text)]

    def phonemes(self, sentence: str) -> str:
        """Phonemes of one of `sentences`, with the mark at the end that tells a model where to stop."""
        return self._finished(self._phonemizer.phonemes(sentence))

    @staticmethod
    def _finished(phonemes: str) -> str:
        phonemes = phonemes.translate(_TRAINED).rstrip(_WEAK)
        return phonemes if phonemes.endswith(tuple(_FINAL)) else phonemes + "."

    def ids(self, sentence: str) -> list[int]:
        """Phoneme ids of one of `sentences`."""
        return to_ids(self.phonemes(sentence))

    def prompt(self, transcript: str | None, instruction: str | None) -> list[int]:
        """Ids that stand before the text: what the recording says, where that is known. Raises TextError, VoiceError."""
        if instruction is not None:
            raise VoiceError("This bundle takes no instructions; leave out the instruction, or name a CosyVoice3 bundle.")
        if transcript is None:
            return []
        spoken = " ".join(utterance.phonemes for utterance in self.utterances(transcript))
        return to_ids(spoken + " ")


def _placed(sentences: list[str], words: str) -> Iterator[tuple[str, int]]:
    """Each sentence with its place in `words`, from which only white space is missing between them."""
    position = 0
    for sentence in sentences:
        while words[position:position + 1] == " ":
            position += 1
        yield sentence, position
        position += len(sentence)
