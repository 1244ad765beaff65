"""Pronunciations by misaki's American lexicons and rules (Apache-2.0, inside hibari-tts), compiled into one word list.

misaki reads a word by its part of speech and its neighbours. A word list has one entry per word, so words of running text get
the pronunciation that misaki gives most often in a corpus, and all others the one that it gives to the word alone. Words that
misaki does not know are left to the other dictionary: hibari's network for them was trained on another program's output.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from runtime.text.phonemes import SYMBOLS

WORD = re.compile(r"[a-z]+(?:['.][a-z]+)*'?")
TO_SYMBOLS = {"ɐ": "ə"}
"""The runtime's alphabet has one symbol for the two."""
UNKNOWN = "\0"
ENOUGH = 3
"""Occurrences in the corpus from which the majority is taken."""


def misaki() -> Any:
    """Misaki's rules without the network for unknown words."""
    from hibari.g2p import G2P

    return G2P(oov=False)


def compile_pronunciations(sentences: Iterable[str], words: Iterable[str]) -> dict[str, str]:
    """Pronunciation of every lower-case word of `words` and `sentences` that misaki knows."""
    rules = misaki()
    found = {word: reading for word in sorted(set(words)) if (reading := _alone(rules, word)) is not None}
    for word, readings in _in_context(rules, sentences).items():
        reading, count = readings.most_common(1)[0]
        if count >= ENOUGH and is_plain(reading):
            found[word] = reading
    return found


def is_plain(reading: str) -> bool:
    """True if a pronunciation has only symbols of the runtime's alphabet."""
    return bool(reading) and all(symbol in SYMBOLS for symbol in reading)


def to_symbols(reading: str) -> str:
    """misaki's symbols to the runtime's."""
    for symbol, ours in TO_SYMBOLS.items():
        reading = reading.replace(symbol, ours)
    return reading.strip()


def known_words() -> set[str]:
    """Lower-case words of misaki's two lexicons."""
    rules = misaki()
    return {word.lower() for lexicon in (rules.lexicon.golds, rules.lexicon.silvers) for word in _keys(lexicon)
            if WORD.fullmatch(word.lower())}


def _keys(lexicon: Any) -> Sequence[str]:
    return list(getattr(lexicon, "d", lexicon))


def _alone(rules: Any, word: str) -> str | None:
    for form in (word, word.capitalize()):
        tokens = rules.phonemize_tokens(rules.tokenize(form))
        reading = to_symbols("".join(token.phonemes or UNKNOWN for token in tokens))
        if is_plain(reading):
            return reading
    return None


def _in_context(rules: Any, sentences: Iterable[str]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for token in rules.phonemize_tokens(rules.tokenize(sentence)):
            word = token.text.lower()
            if token.phonemes and WORD.fullmatch(word):
                found[word][to_symbols(token.phonemes)] += 1
    return found
