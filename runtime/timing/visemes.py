"""Mouth shapes of phonemes: the 15 visemes of Oculus LipSync (also those of VRM and Ready Player Me avatars)."""

from __future__ import annotations

from typing import NamedTuple

SILENCE = "sil"
VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""All names, in Oculus' order."""
_TABLE = {
    "PP": "pbm", "FF": "fv", "TH": "θð", "DD": "tdlɾʔ", "kk": "kɡŋhj", "CH": "ʧʤʃʒ", "SS": "sz", "nn": "n", "RR": "ɹɜ",
    "aa": "ɑæʌə", "E": "ɛᵊ", "ih": "iɪᵻ", "oh": "ɔ", "ou": "uʊw",
}
_DIPHTHONGS = {"A": ("E", "ih"), "I": ("aa", "ih"), "O": ("oh", "ou"), "Q": ("E", "ou"), "W": ("aa", "ou"), "Y": ("oh", "ih"),
               "T": ("DD",), "S": ("SS",)}
SHAPES = {symbol: (name,) for name, symbols in _TABLE.items() for symbol in symbols} | _DIPHTHONGS
"""Visemes of each phoneme symbol: two in turn for a diphthong."""


class Viseme(NamedTuple):
    """One mouth shape."""

    name: str
    """One of `VISEMES`."""
    start: float
    end: float
    """Seconds from the first sample of the utterance."""
