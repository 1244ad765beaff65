"""Remove the vowel that the Japanese-accented teacher adds after an utterance's last plosive ("stop-uh").

The teacher's durations count it to the consonant or to the punctuation; only the first frames of a plosive are its own. It is
cut from mel frames, before the codec: codes depend on their neighbours, so silence inserted among codes rings. Through the
codec "Stop." was recognised as "Starboard." with the vowel, and correctly without.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.cloning.encoders import TAIL_FRAMES
from runtime.text.phonemes import PUNCTUATION, SYMBOLS
from training.codec.mel import HOP
from training.data.teacher import DURATION_HOP

PLOSIVES = "ptkbdɡ"
"""Only these are cut: cutting fricatives changed no word error."""
KEPT, FADE = 4, 4
"""Mel frames (10 ms) that a last plosive keeps, and of the fade after them. Of 207 words that end so, alone and
through the codec, 49, 52, 46, 45 and 40 were recognised with 2, 4, 5, 6 and 8 frames."""


def ends_in_plosive(ids: Sequence[int]) -> bool:
    """True if the last phoneme before the final punctuation is a plosive."""
    ending = [SYMBOLS[each - 1] for each in ids[-2:]]
    return len(ending) == 2 and ending[0] in PLOSIVES and ending[1] in PUNCTUATION


def without_final_vowel(mels: np.ndarray, ids: Sequence[int], durations: np.ndarray,
                        lead: int) -> tuple[np.ndarray, np.ndarray]:
    """Mel frames that fade out after the last plosive, and durations with the remainder counted to the punctuation; utterances
    with another ending are returned unchanged.

    mels: float [F, 80]. durations: [P], units of 25 ms, after `lead` units of silence.
    """
    begin = int((lead + durations[:-2].sum()) * DURATION_HOP / HOP)
    if not ends_in_plosive(ids) or begin + KEPT >= len(mels):
        return mels, durations
    kept = min(round(KEPT * HOP / DURATION_HOP), int(durations[-2]))
    shared = np.append(durations[:-2], (kept, int(durations[-2:].sum()) - kept))
    return fade_out(mels, begin + KEPT), shared


def fade_out(mels: np.ndarray, end: int) -> np.ndarray:
    """The first `end` frames, FADE frames of transition to the last (silent) one, and the pause that ends utterances."""
    silent, share = mels[-1:], np.linspace(0, 1, FADE + 2)[1:-1, None]
    fading = (1 - share) * mels[end - 1:end] + share * silent
    return np.concatenate((mels[:end], fading, np.repeat(silent, TAIL_FRAMES, 0))).astype(mels.dtype)
