"""Paragoge: the vowel that the teacher, with its Japanese accent, says behind an utterance's last consonant ("stop-uh").

The teacher's durations give it to the consonant or to the punctuation; of a plosive only the first frames are its own. It is
cut out of mel frames, before the codec hears them: codes stand for sounds beside their neighbours, so that silence put between
them afterwards rings. Through the codec "Stop." is heard as "Starboard." with it, and right without.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.cloning.encoders import TAIL_FRAMES
from runtime.text.phonemes import PUNCTUATION, SYMBOLS
from training.codec.mel import HOP
from training.data.teacher import DURATION_HOP

PLOSIVES = "ptkbdɡ"
"""Only these are cut: of cut fricatives as many words were heard right."""
KEPT, FADE = 4, 4
"""Mel frames (10 ms) that a last plosive keeps, and in which it dies away behind them. Of 207 words that end so, alone and
through the codec, 49, 52, 46, 45 and 40 were heard right with 2, 4, 5, 6 and 8 frames."""


def ends_in_plosive(ids: Sequence[int]) -> bool:
    """Whether the last phoneme before the last punctuation is a plosive."""
    ending = [SYMBOLS[each - 1] for each in ids[-2:]]
    return len(ending) == 2 and ending[0] in PLOSIVES and ending[1] in PUNCTUATION


def without_paragoge(mels: np.ndarray, ids: Sequence[int], durations: np.ndarray, lead: int) -> tuple[np.ndarray, np.ndarray]:
    """An utterance that dies away behind its last plosive, and the durations of its phonemes, the rest given to the
    punctuation; any other as it is.

    mels: float [F, 80]. durations: [P], units of 25 ms, behind `lead` of them.
    """
    begin = int((lead + durations[:-2].sum()) * DURATION_HOP / HOP)
    if not ends_in_plosive(ids) or begin + KEPT >= len(mels):
        return mels, durations
    kept = min(round(KEPT * HOP / DURATION_HOP), int(durations[-2]))
    shared = np.append(durations[:-2], (kept, int(durations[-2:].sum()) - kept))
    return dying(mels, begin + KEPT), shared


def dying(mels: np.ndarray, end: int) -> np.ndarray:
    """The first `end` frames, FADE in which they become the last one, which is silent, and the pause that utterances end in."""
    silent, share = mels[-1:], np.linspace(0, 1, FADE + 2)[1:-1, None]
    fading = (1 - share) * mels[end - 1:end] + share * silent
    return np.concatenate((mels[:end], fading, np.repeat(silent, TAIL_FRAMES, 0))).astype(mels.dtype)
