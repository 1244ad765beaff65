"""Paragoge: the vowel that the teacher, with its Japanese accent, says behind an utterance's last consonant ("stop-uh").

It lies inside the tokens that are aligned to that consonant, behind the sound itself: of a plosive's 8 to 13 the first three
are the plosive. Decoded from these tokens "Stop." is heard as "Starboard.", and with silence for the rest it is heard right.
"""

from __future__ import annotations

import dataclasses

import torch

from runtime.text.phonemes import PUNCTUATION, SYMBOLS
from training.spoken import Spoken

KEPT = dict.fromkeys("ptkbdɡ", 3)
"""Codec tokens (40 ms) that a last plosive keeps. Others keep all: of cut fricatives as many words were heard right."""


def without_paragoge(spoken: Spoken) -> Spoken:
    """The utterance with silence, its last code, for the tokens between a last plosive and the pause of the punctuation behind;
    any other as it is."""
    if len(spoken.ids) < 2 or SYMBOLS[int(spoken.ids[-1]) - 1] not in PUNCTUATION:
        return spoken
    last = len(spoken.ids) - 2
    sounding = torch.nonzero(spoken.aligned == last).flatten()
    codes = spoken.codes.clone()
    codes[sounding[KEPT.get(SYMBOLS[int(spoken.ids[last]) - 1], len(sounding)):]] = int(codes[-1])
    return dataclasses.replace(spoken, codes=codes)
