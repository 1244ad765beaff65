"""Compile gruut's English dictionary and letter model (both MIT) into the two files that the runtime reads.

    python -m training frontend

gruut itself stays a training tool: at run time there are a gzipped word list and one `.npz`.
"""

from __future__ import annotations

import base64
import gzip
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from training.data.misaki_lexicon import WORD, compile_pronunciations, known_words

IPA_TO_SYMBOLS = {
    "d͡ʒ": "ʤ", "t͡ʃ": "ʧ", "eɪ": "A", "aɪ": "I", "ɔɪ": "Y", "oʊ": "O", "aʊ": "W", "ˈɚ": "ˈɜɹ", "ˌɚ": "ˌɜɹ",
    "ɝ": "ɜɹ", "ɚ": "əɹ", "g": "ɡ",
}
"""gruut's IPA to the teacher's alphabet: one character a phoneme, diphthongs and affricates included."""

PREFERRED = {"the": "ðə", "a": "ə", "to": "tə", "live": "lˈɪv", "use": "jˈuz", "close": "klˈOz"}
"""Words whose first dictionary entry is not the more frequent one in running text."""


def to_symbols(phonemes: str) -> str:
    """`'h ˈaʊ s'` to `'hˈWs'`."""
    text = phonemes.replace(" ", "").replace("|", "")
    for ipa, symbol in IPA_TO_SYMBOLS.items():
        text = text.replace(ipa, symbol)
    return text


def build(target: Path, corpus: Iterable[str] | None = None) -> dict[str, int]:
    """Write `lexicon.txt.gz` and `letters.npz` into `target`; returns their entry counts.

    With a `corpus` of sentences misaki's pronunciations take precedence, the most frequent one of each word; compiling takes
    about two minutes. The letter model stays gruut's.
    """
    import gruut_lang_en

    source = Path(gruut_lang_en.__file__).parent
    target.mkdir(parents=True, exist_ok=True)
    entries = _gruut_entries(source / "lexicon.db")
    if corpus is not None:
        entries |= compile_pronunciations(corpus, entries.keys() | known_words())
    words = _write_lexicon(entries, target / "lexicon.txt.gz")
    features = _write_letter_model(source / "g2p" / "model.crf", target / "letters.npz")
    return {"words": words, "letter_features": features}


def _gruut_entries(database: Path) -> dict[str, str]:
    entries: dict[str, str] = {}
    query = "select word, phonemes from word_phonemes order by word, pron_order desc"
    with sqlite3.connect(database) as connection:
        for word, phonemes in connection.execute(query):
            if WORD.fullmatch(word.lower()):
                entries[word.lower()] = to_symbols(phonemes)
    return entries | PREFERRED


def _write_lexicon(entries: dict[str, str], path: Path) -> int:
    text = "".join(f"{word}\t{phonemes}\n" for word, phonemes in sorted(entries.items()))
    path.write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))
    return len(entries)


def _write_letter_model(model: Path, path: Path) -> int:
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open(str(model))
    info = tagger.info()
    labels = sorted(info.labels, key=lambda label: int(info.labels[label]))
    columns = {label: column for column, label in enumerate(labels)}
    features = sorted(info.attributes, key=lambda name: int(info.attributes[name]))
    rows = {name: row for row, name in enumerate(features)}
    weights = np.zeros((len(features), len(labels)), np.float16)
    for (name, label), weight in info.state_features.items():
        weights[rows[name], columns[label]] = weight
    transitions = np.zeros((len(labels), len(labels)), np.float16)
    for (before, after), weight in info.transitions.items():
        transitions[columns[before], columns[after]] = weight
    np.savez_compressed(path, features=[_feature_name(name) for name in features],
                        labels=[_label_phonemes(label) for label in labels], weights=weights, transitions=transitions)
    return len(features)


def _feature_name(attribute: str) -> str:
    """`grapheme-2:<base64>` to `-2:x`, as `runtime.text.pronunciation.letter_model.letter_features` spells it."""
    kind, _, coded = attribute.partition(":")
    if not coded:
        return attribute
    offset = kind.removeprefix("grapheme") or "0"
    return f"{offset}:{base64.b64decode(coded).decode()}"


def _label_phonemes(coded: str) -> str:
    label = base64.b64decode(coded).decode()
    return "" if label == "_" else to_symbols(label)
