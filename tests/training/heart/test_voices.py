"""Voices of one teacher: same to the language models, different to the decoder."""

import pytest
import torch

from training.heart.speech import scaled_back
from training.heart.voices import TEACHER, VOICES, changes, speakers
from training.hibari import scaled_pitch


def test_all_voices_are_one_to_the_language_models_and_differ_otherwise() -> None:
    found = speakers(64)
    heart = found[TEACHER]
    for name, vector in found.items():
        assert float(vector @ heart) == pytest.approx(float(heart @ heart), rel=1e-4), name
    stacked = torch.stack(list(found.values()))
    assert int(torch.linalg.matrix_rank(stacked)) == len(VOICES) == len(changes())


def test_pitch_survives_the_decoder_s_scale() -> None:
    hertz = torch.tensor([80.0, 200.0, 400.0]).numpy()
    assert scaled_back(scaled_pitch(hertz)).tolist() == pytest.approx(hertz.tolist(), rel=1e-4)
