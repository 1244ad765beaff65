"""Quantiser, encoder and decoder fit each other and the vocoder's table of digits."""

import json
from pathlib import Path

import numpy as np
import torch

from export.checkpoints.embedded import load_codec_encoder, save_codec_encoder
from export.model.config import EMBEDDED_VOCODER
from export.model.encoders import FSQ, CodecEncoder, fsq_digits
from training.codec.codec import Codec, MelDecoder, PhonemeHead, train_codec
from training.codec.recogniser import MelRecogniser
from training.codec.spectrograms import CROP, Spectrogram


def test_codes_index_the_vocoders_digits() -> None:
    quantise = FSQ(3, 8)
    digits = quantise(torch.randn(50, 8) * 2)
    assert torch.equal(fsq_digits(3, 8)[quantise.codes(digits)], digits)
    assert set(digits.unique().tolist()) == {-1.0, 0.0, 1.0}


def test_gradients_pass_through_the_rounding() -> None:
    z = torch.zeros(4, 8, requires_grad=True)
    FSQ(3, 8)(z).sum().backward()
    assert z.grad is not None and bool((z.grad > 0).all())


def test_frames_in_equal_frames_out() -> None:
    encoder, decoder = CodecEncoder(EMBEDDED_VOCODER), MelDecoder(EMBEDDED_VOCODER, 64)
    mels = torch.randn(2, 48, 80)
    digits = encoder(mels)
    assert digits.shape == (2, 12, 8)
    assert decoder(digits, torch.randn(2, 64)).shape == mels.shape
    assert torch.equal(encoder.codes(mels), encoder.quantise.codes(digits))


def test_a_saved_encoder_writes_the_same_tokens(tmp_path: Path) -> None:
    encoder = CodecEncoder(EMBEDDED_VOCODER).half().float().eval()
    save_codec_encoder(tmp_path, encoder)
    mels = torch.randn(1, 64, 80)
    assert torch.equal(load_codec_encoder(tmp_path, EMBEDDED_VOCODER).codes(mels), encoder.codes(mels))


def test_the_phoneme_head_speaks_for_every_frame_and_teaches_the_encoder() -> None:
    encoder, head = CodecEncoder(EMBEDDED_VOCODER), PhonemeHead(EMBEDDED_VOCODER, 7)
    logits = head(encoder(torch.randn(2, 48, 80)))
    assert logits.shape == (2, 48, 7)
    logits.square().mean().backward()
    assert encoder.enter.weight.grad is not None and float(encoder.enter.weight.grad.abs().sum()) > 0


def _corpora() -> list[list[Spectrogram]]:
    rng = np.random.default_rng(0)
    return [[Spectrogram(rng.normal(size=(CROP, 80)).astype(np.float16), rng.integers(5, size=CROP).astype(np.uint8),
                         torch.ones(64))] for _ in range(2)]


def test_it_trains_on_made_and_real_speech_with_every_loss(tmp_path: Path) -> None:
    listener = MelRecogniser()
    before = listener.leave.weight.clone()
    train_codec(*_corpora(), listener, tmp_path, EMBEDDED_VOCODER, 2, batch=4)  # type: ignore[call-arg]
    figures = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert figures["step"] == 2 and all(figures[name] > 0 for name in ("l1", "phonemes", "perceptual", "codes"))
    assert torch.equal(listener.leave.weight, before)


def test_a_decoder_can_learn_while_its_codes_stay(tmp_path: Path) -> None:
    start = Codec(CodecEncoder(EMBEDDED_VOCODER), MelDecoder(EMBEDDED_VOCODER, 64))
    before = [{name: weight.clone() for name, weight in part.state_dict().items()} for part in start]
    train_codec(*_corpora(), MelRecogniser(), tmp_path, EMBEDDED_VOCODER, 1, start, fixed_codes=True, batch=4)  # type: ignore[call-arg]
    encoder, decoder = (torch.load(tmp_path / "state.pt", weights_only=True)[part] for part in ("encoder", "decoder"))
    assert all(torch.equal(weight, before[0][name]) for name, weight in encoder.items())
    assert not all(torch.equal(weight, before[1][name]) for name, weight in decoder.items())
