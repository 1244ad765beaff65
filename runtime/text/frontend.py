"""Text as a user types it to the phoneme ids that a model reads."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import TextError, VoiceError
from .normalize import normalize
from .phonemes import Phonemizer, to_ids
from .sentences import split_sentences

_FINAL = ".!?…"
_WEAK = " ;:,—"
_TRAINED = str.maketrans({"—": ",", "…": "."})
"""Marks that no corpus sentence had, and the nearest ones that they did have."""
_LETTER = re.compile(r"[a-z]")


class TextFrontEnd:
    """English text to sentences, and sentences to ids."""

    space: int | None = to_ids(" ")[0]
    """Id between words, where an utterance that is too long may be cut."""

    def __init__(self, phonemizer: Phonemizer) -> None:
        self._phonemizer = phonemizer

    @classmethod
    def load(cls, folder: Path) -> TextFrontEnd:
        """Read the dictionary and the letter model of a bundle's text folder."""
        return cls(Phonemizer.load(folder))

    def sentences(self, text: str) -> list[str]:
        """Utterances to say one after the other; `TextError` where nothing can be said."""
        sentences = [sentence for sentence in split_sentences(normalize(text)) if _LETTER.search(sentence)]
        if not sentences:
            raise TextError("the text holds nothing to say: no English letters, digits or signs with a name")
        return sentences

    def phonemes(self, sentence: str) -> str:
        """Phonemes of one of `sentences`, with the mark at the end that tells a model where to stop."""
        phonemes = self._phonemizer.phonemes(sentence).translate(_TRAINED).rstrip(_WEAK)
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
        spoken = " ".join(self.phonemes(sentence) for sentence in self.sentences(transcript))
        return to_ids(spoken + " ")
