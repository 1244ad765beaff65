"""The teacher in two halves says what the package says."""

from pathlib import Path

import numpy as np
import pytest
import torch

hibari = pytest.importorskip("hibari", reason="comes with the train extra")
from training.hibari import FRAME_HOP, OWN_HOP, Front, load_decoder  # noqa: E402

PHONEMES = "hˈɛlO, wˈɜɹld!"


@torch.inference_mode()
def test_both_halves_give_the_spectra_of_the_package(tmp_path: Path) -> None:
    teacher = hibari.Hibari()
    found = Front(tmp_path).read(PHONEMES, speed=OWN_HOP / FRAME_HOP)
    feeds = {"ids": found.ids[None], "speed": np.ones(1, np.float32)}
    harmonic, _, _, residual, _, pitch = teacher.sess.run(None, feeds)
    assert np.array_equal(pitch[0], found.pitch) and found.durations.sum() == len(found.pitch)
    ours = load_decoder()(torch.from_numpy(found.inputs())[None])
    for mine, own in ((ours[0], harmonic), (ours[3], residual)):
        assert np.corrcoef(mine[0].numpy().ravel(), own[0].T.ravel())[0, 1] > 0.999


def test_frames_of_320_samples_keep_the_pace(tmp_path: Path) -> None:
    front = Front(tmp_path)
    own, ours = front.read(PHONEMES, speed=OWN_HOP / FRAME_HOP), front.read(PHONEMES)
    assert len(ours.pitch) * FRAME_HOP == pytest.approx(len(own.pitch) * OWN_HOP, rel=0.05)
    assert front.read("h☃ˈɛlO").ids.tolist() == front.read("hˈɛlO").ids.tolist()
