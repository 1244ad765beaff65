"""Labels of frames, and crops of utterances."""

import numpy as np
import torch

from runtime.text.phonemes import to_ids
from training.codec.spectrograms import CROP, UNHEARD, Spectrogram, crops, frame_phonemes


def test_each_frame_has_the_phoneme_of_its_middle() -> None:
    # One unit of silence, two of m, one of n; a unit is two and a half frames.
    m, n = to_ids("mn")
    spoken = frame_phonemes([m, n], np.array([2, 1]), lead=1, frames=12)
    assert spoken.tolist() == [0, 0, m, m, m, m, m, n, n, n, 0, 0]


def test_pauses_are_silence_and_gaps_and_stress_have_no_label() -> None:
    ids = to_ids("m, ˈi")
    spoken = frame_phonemes(ids, np.array([2, 2, 2, 2, 2]), lead=0, frames=25)
    assert [int(spoken[place]) for place in (2, 7, 12, 17, 22)] == [ids[0], 0, UNHEARD, UNHEARD, ids[4]]


def test_crops_are_frames_with_their_labels_and_leave_short_utterances_out() -> None:
    long = Spectrogram(np.arange(300, dtype=np.float16)[:, None].repeat(80, 1), np.arange(300).astype(np.uint8), torch.ones(64))
    short = Spectrogram(np.zeros((CROP - 1, 80), np.float16), np.zeros(CROP - 1, np.uint8), torch.zeros(64))
    frames, labels, speakers = crops([short, long], 5, np.random.default_rng(0))
    assert frames.shape == (5, CROP, 80) and labels.shape == (5, CROP) and bool((speakers == 1).all())
    assert bool((frames[:, :, 0].long() % 256 == labels.long()).all())
