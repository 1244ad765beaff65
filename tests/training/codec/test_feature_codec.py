"""The feature codec: batches, losses, and a few steps on random utterances."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from export.model.config import VocoderConfig
from export.model.encoders import FSQ
from export.model.spectral.vocoder import SpectralVocoder
from training.codec.feature_codec import (
    PHONEMES,
    FeatureEncoder,
    TokenBatches,
    collate,
    feature_losses,
    feature_statistics,
    soften,
    train_feature_codec,
)
from training.data.prosody import ProsodyUtterance

SIZES = VocoderConfig(sample_rate=24_000, hop=320, frames_per_token=3, token_width=32, token_blocks=2, frame_width=32,
                      frame_blocks=8)


def utterance(frames: int, seed: int) -> ProsodyUtterance:
    """Random text vectors, one per two frames; every fourth phoneme is unvoiced."""
    draw = np.random.default_rng(seed)
    phonemes = frames // 2
    pitch = np.repeat(np.where(np.arange(phonemes) % 4, 200.0, 0.0), 2).astype(np.float32)
    return ProsodyUtterance("text", "t", "heart", draw.integers(0, 60, phonemes), np.full(phonemes, 2),
                            (0.05 * draw.standard_normal((phonemes, 128))).astype(np.float16), pitch,
                            draw.standard_normal(2 * phonemes).astype(np.float32))


UTTERANCES = [utterance(40 + 2 * index, index) for index in range(12)]


def vocoder() -> SpectralVocoder:
    torch.manual_seed(0)
    made = SpectralVocoder(SIZES, 8)
    mean, deviation = feature_statistics(UTTERANCES)
    made.stack.mean.copy_(mean)
    made.stack.deviation.copy_(deviation)
    return made


def test_batches_are_padded_and_normalised() -> None:
    mean, deviation = feature_statistics(UTTERANCES)
    batch = collate(UTTERANCES[:2], mean, deviation, 3)
    assert batch.features.shape == (2, 42, 130) and batch.lengths.tolist() == [40, 42]
    assert batch.mask.sum(1).tolist() == [40, 42] and set(batch.labels[0, 40:].tolist()) == {-100}
    assert float(batch.features[1].std()) == pytest.approx(1, abs=0.3)


def test_every_utterance_is_in_each_epoch_once_and_batches_repeat() -> None:
    batches = TokenBatches(UTTERANCES, 150, 0)
    epoch = [id(each) for step in range(batches.per_epoch) for each in batches[step]]
    assert sorted(epoch) == sorted(map(id, UTTERANCES))
    assert [each.frames for each in batches[1]] == [each.frames for each in TokenBatches(UTTERANCES, 150, 0)[1]]
    assert all(len(batches[step]) * max(each.frames for each in batches[step]) <= 150 for step in range(batches.per_epoch))


def test_padding_changes_no_loss() -> None:
    torch.manual_seed(1)
    model, encoder, head = vocoder(), FeatureEncoder(SIZES), nn.Linear(SIZES.token_width, 3 * PHONEMES)
    mean, deviation = model.stack.mean, model.stack.deviation
    alone, features = feature_losses(encoder, model, head, collate(UTTERANCES[1:2], mean, deviation, 3), 0.0)
    assert features.shape == (1, 42, 130)
    twice, _ = feature_losses(encoder, model, head, collate([UTTERANCES[1]] * 2, mean, deviation, 3), 0.0)
    for name, value in alone.items():
        assert twice[name].item() == pytest.approx(value.item(), rel=0.02), name


def test_soft_digits_are_not_rounded() -> None:
    quantise, latents = FSQ(3, 8), torch.randn(4, 5, 8, generator=torch.Generator().manual_seed(2))
    assert set(soften(quantise, latents, 0.0).unique().tolist()) <= {-1.0, 0.0, 1.0}
    assert torch.equal(soften(quantise, latents, 1.1), quantise.bound(latents) / quantise.reach)


def test_it_trains_and_resumes(tmp_path: Path) -> None:
    encoder = train_feature_codec(UTTERANCES, vocoder(), tmp_path, 3, frames=150)
    again = train_feature_codec(UTTERANCES, vocoder(), tmp_path, 3, frames=150)
    features = torch.randn(1, 9, 130, generator=torch.Generator().manual_seed(3))
    assert torch.equal(encoder.codes(features), again.codes(features)) and encoder.codes(features).shape == (1, 3)
