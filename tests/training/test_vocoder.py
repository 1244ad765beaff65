"""Crops line up: what the vocoder is asked to say is what lies at the crop's place."""

import numpy as np
import torch

from export.model.config import EMBEDDED_VOCODER
from export.model.encoders import CodecEncoder
from export.model.vocoder import StreamingVocoder
from training.spectrograms import Spectrogram
from training.vocoder import CROP, SETTLE, Recording, SpectralLoss, draw_crops, draw_silent, pitch_loss, voice_crops

NO_PITCH = torch.zeros(0, (CROP - EMBEDDED_VOCODER.lookahead) * EMBEDDED_VOCODER.frames_per_token)


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
    samples, pitch = voice_crops(StreamingVocoder(EMBEDDED_VOCODER, 64), crops.codes, crops.speakers, crops.pitch)
    assert samples.shape == crops.samples.shape
    assert pitch.shape == crops.pitch.shape
    assert bool((pitch >= 50).all()) and bool((pitch <= 400).all())


@torch.no_grad()
def test_rows_without_samples_play_the_pitch_that_is_predicted() -> None:
    codes, speakers = torch.arange(2 * CROP).reshape(2, CROP), torch.ones(2, 64)
    vocoder = StreamingVocoder(EMBEDDED_VOCODER, 64)

    def played(pitch: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        return voice_crops(vocoder, codes, speakers, pitch)[0]

    _, predicted = voice_crops(vocoder, codes, speakers, NO_PITCH)
    own, high = played(predicted), torch.full_like(predicted[:1], 300.0)
    assert torch.equal(played(predicted[:1]), own)
    assert not torch.equal(played(high)[0], own[0]) and torch.equal(played(high)[1], own[1])


def test_what_is_heard_of_rows_without_samples_belongs_to_their_codes() -> None:
    class Places(CodecEncoder):
        """A code is the number of the token that its frames lie in."""

        def codes(self, mels: torch.Tensor) -> torch.Tensor:
            return mels[:, ::self.stride, 0].long() // self.stride

    frames = np.arange(300, dtype=np.float16)[:, None].repeat(80, 1)
    corpus = [Spectrogram(frames, np.zeros(300, np.uint8), torch.ones(64))]
    silent = draw_silent(corpus, 4, Places(EMBEDDED_VOCODER), EMBEDDED_VOCODER, np.random.default_rng(0))
    samples, _ = voice_crops(StreamingVocoder(EMBEDDED_VOCODER, 64), silent.codes, silent.speakers, NO_PITCH)
    assert silent.codes.shape == (4, CROP) and samples.shape[1] == 240 * silent.mels.shape[1]
    assert torch.equal(silent.mels[:, 0, 0].long() // 4, silent.codes[:, SETTLE])


def test_losses_are_zero_for_the_truth_only() -> None:
    torch.manual_seed(0)
    samples, pitch = torch.randn(1, 9600), torch.tensor([[100.0, 0.0, 200.0]])
    loss = SpectralLoss()
    assert float(loss(samples, samples)) == 0 and float(loss(samples, samples * 0.5)) > 0.5
    assert float(pitch_loss(pitch.clamp(min=50), pitch)) == 0
    assert float(pitch_loss(torch.tensor([[200.0, 300.0, 200.0]]), pitch)) > 0.3
