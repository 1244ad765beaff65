"""CosyVoice3's text front end: Qwen2's tokenizer, and utterances of the length that the model was trained on."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import BundleError, NothingToSayError
from .normalization.language import language_of
from .normalization.scanner import Locale
from .normalize import spell_out
from .utterance import Utterance

TOKENIZER = "tokenizer.json"
PROMPT_END = "<|endofprompt|>"
"""Stands between instructions and what is spoken; without it the model garbles its speech."""
ASSISTANT = "You are a helpful assistant."
SYSTEM_PROMPT = ASSISTANT + PROMPT_END
MOST_IDS, ENOUGH_IDS, FEW_IDS = 80, 60, 20
"""An utterance ends where one more sentence would take it above the first, once it has the second; a last one below the third
joins the one before."""
_END = re.compile(r"(?<![.?!;:])[.?!;:]+(?=[\s\"'”’)\]]|$)[\"'”’)\]]*\s*|(?<![。？！；：])[。？！；：]+[”’」』）]*\s*|\n\s*")
"""A sentence's end; it begins only where its run of marks does, which keeps the search linear."""
_TAGGED = re.compile(r"<\|[^<>|]{0,60}\|>|\[[^\[\]\s]{1,60}\]|</?\w{1,60}>")
_SPOKEN = re.compile(r"\w")


class QwenTokenizer:
    """Text to ids."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path) -> QwenTokenizer:
        """Read `tokenizer.json`; BundleError where the package that reads it is missing or the file is none."""
        try:
            tokenizers = importlib.import_module("tokenizers")
        except ImportError as error:
            raise BundleError("This bundle needs the package tokenizers; in the checkout: pip install '.[cosyvoice]'.") \
                from error
        try:
            return cls(tokenizers.Tokenizer.from_file(str(folder / TOKENIZER)))
        except Exception as error:  # the library raises Exception itself
            raise BundleError(f"{folder / TOKENIZER} is no tokenizer ({error}); export the bundle again.") from error

    def ids(self, text: str) -> list[int]:
        """Ids of a text, special tokens such as `<|endofprompt|>` and `[breath]` among them."""
        whole = text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is no text to the library
        encoded: list[int] = self._tokenizer.encode(whole, add_special_tokens=False).ids
        return encoded


class QwenFrontEnd:
    """Text in any of the model's languages to utterances, and utterances to ids."""

    space: int | None = None
    """No id stands for a space alone: an utterance that is too long is cut between any two ids."""

    def __init__(self, tokenizer: QwenTokenizer, locale: Locale = "en-US", normalize: bool = True) -> None:
        """`normalize`: spell out English text; False passes every text to the tokenizer unchanged."""
        self.tokenizer = tokenizer
        self._locale = locale
        self._normalize = normalize

    @classmethod
    def load(cls, folder: Path, locale: Locale = "en-US", normalize: bool = True) -> QwenFrontEnd:
        """Read a bundle's text folder."""
        return cls(QwenTokenizer.load(folder), locale, normalize)

    def sentences(self, text: str) -> list[str]:
        """Utterances to say one after the other; `TextError` where nothing can be said.

        English is spelled out first, but for its tags; other languages are unchanged, as the model reads their digits. What
        precedes the end of a prompt in the text is dropped: the voice has a prompt already.
        """
        text = text.rpartition(PROMPT_END)[2]
        utterances = [utterance.strip() for utterance in self._utterances(self._spelled(text)) if _SPOKEN.search(utterance)]
        if not utterances:
            raise NothingToSayError("The text holds nothing that can be spoken; give it at least one word or number.")
        return utterances

    def _spelled(self, text: str) -> str:
        if not self._normalize or language_of(text) != "en":
            return text
        parts, start = [], 0
        for tag in _TAGGED.finditer(text):
            parts += [self._spelled_part(text[start:tag.start()]), tag[0]]
            start = tag.end()
        return "".join([*parts, self._spelled_part(text[start:])])

    def _spelled_part(self, text: str) -> str:
        """Spell out text between tags, with its white space at both ends."""
        if not _SPOKEN.search(text):
            return text
        bare = text.strip()
        place = text.index(bare)
        return text[:place] + spell_out(bare, self._locale) + text[place + len(bare):]

    def utterances(self, text: str) -> list[Utterance]:
        """`sentences` with their ids; this tokenizer has neither phonemes nor spans."""
        return [Utterance(sentence, 0, sentence, "", self.ids(sentence)) for sentence in self.sentences(text)]

    def ids(self, sentence: str) -> list[int]:
        """Ids of one of `sentences`."""
        return self.tokenizer.ids(sentence)

    def prompt(self, transcript: str | None, instruction: str | None) -> list[int]:
        """Ids that stand before the text: the instruction, its end, and what the recording says where that is known."""
        if transcript is not None and PROMPT_END in transcript:
            return self.tokenizer.ids(transcript)
        if instruction is None:
            head = SYSTEM_PROMPT
        else:
            asked = instruction.strip().removesuffix(PROMPT_END).strip()
            head = f"{asked if asked.startswith(ASSISTANT) else f'{ASSISTANT} {asked}'}{PROMPT_END}"
        return self.tokenizer.ids(head + (transcript or ""))

    def _utterances(self, text: str) -> Iterator[str]:
        waiting, before = "", ""
        for sentence in _sentences(text):
            if len(self.ids(waiting + sentence)) > MOST_IDS and len(self.ids(waiting)) > ENOUGH_IDS:
                if before:
                    yield before
                before, waiting = waiting, ""
            waiting += sentence
        if before and len(self.ids(waiting)) < FEW_IDS:
            before, waiting = before + waiting, ""
        yield from (before, waiting)


def _sentences(text: str) -> Iterator[str]:
    """The text in pieces that end with a sentence's mark or a line, white space included."""
    start = 0
    for found in _END.finditer(text):
        if found.end() > start:
            yield text[start:found.end()]
            start = found.end()
    if start < len(text):
        yield text[start:]
