"""The codec's encoder for recordings learns digits from mel frames, and is saved and loaded."""

import json
from pathlib import Path

import torch

from export.checkpoints.embedded import load_codec_encoder, save_codec_encoder
from export.model.config import SPECTRAL_VOCODER
from export.model.encoders import FSQ, CodecEncoder, fsq_digits
from training.codec.recording_encoder import CROP, EncodedRecording, train_recording_encoder


def test_codes_index_the_vocoders_digits() -> None:
    quantise = FSQ(3, 8)
    digits = quantise(torch.randn(50, 8) * 2)
    assert torch.equal(fsq_digits(3, 8)[quantise.codes(digits)], digits)
    assert set(digits.unique().tolist()) == {-1.0, 0.0, 1.0}


def test_gradients_pass_through_the_rounding() -> None:
    z = torch.zeros(4, 8, requires_grad=True)
    FSQ(3, 8)(z).sum().backward()
    assert z.grad is not None and bool((z.grad > 0).all())


def test_a_saved_encoder_writes_the_same_tokens(tmp_path: Path) -> None:
    encoder = CodecEncoder(SPECTRAL_VOCODER).half().float().eval()
    save_codec_encoder(tmp_path, encoder)
    mels = torch.randn(1, 64, 80)
    assert torch.equal(load_codec_encoder(tmp_path, SPECTRAL_VOCODER).codes(mels), encoder.codes(mels))
    assert encoder(mels).shape == (1, 16, 8)


def test_it_learns(tmp_path: Path) -> None:
    torch.manual_seed(0)
    mels = torch.randn(4, 4 * CROP, 80)
    latents = mels.reshape(4, CROP, 4, 80).mean(2)[..., :8] * 2
    pairs = [EncodedRecording(*each) for each in zip(mels, latents, strict=True)]
    train_recording_encoder(pairs, pairs[:1], tmp_path, SPECTRAL_VOCODER, 50, batch=4)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[0]["loss"] < float(latents.square().mean()) and rows[-1]["digits"] > 0.4
