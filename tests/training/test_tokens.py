"""Trimming and alignment of utterances."""

import numpy as np

from runtime.encoders import TAIL_FRAMES
from training.tokens import align, trim


def test_trim_keeps_a_short_tail_and_whole_tokens() -> None:
    mels = np.full((203, 80), -2.0, np.float32)
    mels[10:101, 5] = 1.0
    kept = trim(mels, 4)
    assert len(kept) == (101 + TAIL_FRAMES) // 4 * 4
    assert len(trim(np.full((40, 80), -2.0), 4)) == 4


def test_align_follows_durations() -> None:
    # 8 units are 0.2 s are 5 tokens.
    aligned = align(np.array([8, 8, 16]), lead=0, tokens=20)
    assert aligned.tolist() == [0] * 5 + [1] * 5 + [2] * 10
    assert align(np.array([8, 8]), lead=8, tokens=15).tolist() == [0] * 10 + [1] * 5
    assert align(np.array([2]), lead=0, tokens=9).max() == 0
