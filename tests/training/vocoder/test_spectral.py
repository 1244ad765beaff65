"""The spectral decoder starts as its teacher, and its losses are zero on the teacher's own output."""

from pathlib import Path

import pytest
import torch
from torch import nn

from export.model.config import VocoderConfig
from export.model.spectral.vocoder import SpectralHead, SpectralVocoder
from tests.training.codec.test_feature_codec import UTTERANCES
from training.codec.feature_codec import PHONEMES, FeatureEncoder
from training.hibari import load_decoder
from training.vocoder.spectral import (
    WaveformLoss,
    copy_head,
    copy_teacher,
    crop_waveform,
    hidden_loss,
    spectral_metric,
    teacher_hidden,
    train_spectral_vocoder,
    train_stack,
)

pytest.importorskip("hibari", reason="comes with the train extra")
SIZES = VocoderConfig(sample_rate=24_000, hop=320, frames_per_token=3, token_width=32, token_blocks=1, frame_width=256,
                      frame_blocks=8)


def student() -> SpectralVocoder:
    torch.manual_seed(0)
    made = SpectralVocoder(SIZES, 8)
    copy_teacher(made, load_decoder())
    return made


@torch.inference_mode()
def test_the_metric_is_the_error_of_weighted_spectra() -> None:
    teacher = load_decoder()
    metric = spectral_metric(teacher)
    change = torch.randn(256, generator=torch.Generator().manual_seed(1))
    parts = (teacher.head.weight @ change).detach().reshape(5, 601)[[0, 1, 3, 4]].double()
    weights = 1 / (700 + 20 * torch.arange(601, dtype=torch.float64))
    wanted = (parts.square() * torch.tensor([4.0, 1.0, 4.0, 1.0])[:, None] * weights / weights.sum()).sum()
    assert float((metric @ change).square().sum()) == pytest.approx(float(wanted), rel=1e-3)


@torch.inference_mode()
def test_equal_hidden_states_give_equal_waveforms_and_no_loss() -> None:
    teacher, head = load_decoder(), SpectralHead(SIZES)
    copy_head(head, teacher)
    hidden, lengths = teacher_hidden(teacher, UTTERANCES[:2], 42), torch.tensor([40, 42])
    pitch = torch.full((2, 42), 180.0)
    first, second = (crop_waveform(head, hidden, pitch, lengths, 5) for _ in range(2))
    assert torch.equal(first, second) and first.shape == (2, 36 * 320)
    loss_of = WaveformLoss()
    assert float(loss_of(first, second)) < 1e-5 < float(loss_of(first, 0.5 * second))
    metric, mask = spectral_metric(teacher), torch.ones(2, 42)
    assert float(hidden_loss(hidden, hidden, metric, mask)) == 0 < float(hidden_loss(hidden + 0.1, hidden, metric, mask))


def test_both_stages_train(tmp_path: Path) -> None:
    model, encoder, head = student(), FeatureEncoder(SIZES), nn.Linear(SIZES.token_width, 3 * PHONEMES)
    before = model.stack.dec[0].pw1.weight.detach().clone()
    train_stack(UTTERANCES, model, tmp_path / "stack", 2, frames=100)
    train_spectral_vocoder(UTTERANCES, encoder, head, model, tmp_path / "joint", 2, frames=100)
    assert not torch.equal(before, model.stack.dec[0].pw1.weight)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
