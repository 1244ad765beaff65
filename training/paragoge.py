"""Paragoge: the vowel that the teacher, with its Japanese accent, says behind an utterance's last consonant ("stop-uh").

It lies inside the tokens that are aligned to that consonant, behind the sound itself: of a plosive's 8 to 13 the first three
are the plosive. Decoded from these tokens "Stop." is heard as "Starboard.", and with silence for the rest it is heard right.
"""

from __future__ import annotations

import dataclasses

import torch

from runtime.text.phonemes import PUNCTUATION, SYMBOLS
from training.spoken import Spoken

PLOSIVES = "ptkbdɡ"
"""Only these are cut: of cut fricatives as many words were heard right."""
KEPT = 3
"""Codec tokens (40 ms) that a last plosive keeps."""


def without_paragoge(spoken: Spoken) -> Spoken:
    """The utterance with silence, its last code, for the tokens between a last plosive and the pause of the punctuation behind;
    any other as it is."""
    ending = "".join(SYMBOLS[int(each) - 1] for each in spoken.ids[-2:])
    if len(ending) < 2 or ending[0] not in PLOSIVES or ending[1] not in PUNCTUATION:
        return spoken
    sounding = torch.nonzero(spoken.aligned == len(spoken.ids) - 2).flatten()
    codes = spoken.codes.clone()
    codes[sounding[KEPT:]] = int(codes[-1])
    return dataclasses.replace(spoken, codes=codes)
