"""Crops line up: what the vocoder is asked to say is what lies at the crop's place."""

import numpy as np
import torch

from export.model.config import EMBEDDED_VOCODER
from export.model.vocoder import StreamingVocoder
from training.vocoder import CROP, SETTLE, Recording, SpectralLoss, draw_crops, pitch_loss, voice_crops


def _recording(tokens: int) -> Recording:
    # Every sample and every pitch frame says where it is.
    codes = torch.arange(tokens)
    return Recording((codes, codes), torch.arange(tokens * 960).float(), torch.arange(tokens * 4).float(), torch.ones(64))


def test_samples_and_pitch_belong_to_the_codes() -> None:
    crops = draw_crops([_recording(60)], 8, EMBEDDED_VOCODER, np.random.default_rng(0))
    first = crops.codes[:, 0]
    assert crops.codes.shape == (8, CROP)
    assert torch.equal(crops.samples[:, 0], (first + SETTLE).float() * 960)
    assert torch.equal(crops.pitch[:, 0], first.float() * 4 + 1)
    assert int(crops.samples.max()) < 60 * 960


def test_crops_give_as_many_samples_and_frames_as_they_ask_for() -> None:
    crops = draw_crops([_recording(40)], 2, EMBEDDED_VOCODER, np.random.default_rng(0))
    samples, pitch = voice_crops(StreamingVocoder(EMBEDDED_VOCODER, 64), crops)
    assert samples.shape == crops.samples.shape
    assert pitch.shape == crops.pitch.shape
    assert bool((pitch >= 50).all()) and bool((pitch <= 400).all())


def test_losses_are_zero_for_the_truth_only() -> None:
    torch.manual_seed(0)
    samples, pitch = torch.randn(1, 9600), torch.tensor([[100.0, 0.0, 200.0]])
    loss = SpectralLoss()
    assert float(loss(samples, samples)) == 0 and float(loss(samples, samples * 0.5)) > 0.5
    assert float(pitch_loss(pitch.clamp(min=50), pitch)) == 0
    assert float(pitch_loss(torch.tensor([[200.0, 300.0, 200.0]]), pitch)) > 0.3
