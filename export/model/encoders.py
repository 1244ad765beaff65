"""The embedded voice's encoders: log-mel frames to codec tokens, and to a speaker embedding. Non-causal, once a recording."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from runtime.bundle.contract import ENCODER_BANDS, ENCODER_STRIDE

FRAME_WIDTH, ENCODER_WIDTH = 128, 320
SPEAKER_WIDTH = 128


class ConvNeXt(nn.Module):
    """Depthwise convolution over time, LayerNorm, two pointwise maps, residual; x [B, T, C]."""

    def __init__(self, width: int, kernel: int = 7, expansion: int = 3) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.up = nn.Linear(width, expansion * width)
        self.down = nn.Linear(expansion * width, width)

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return x + self.down(nn.functional.gelu(self.up(self.norm(mixed))))


class FSQ(nn.Module):
    """Finite scalar quantisation: each digit bounded by tanh and rounded to -1, 0, 1, gradients passed straight through."""

    places: Tensor

    def __init__(self, levels: int, digits: int) -> None:
        super().__init__()
        self.reach = (levels - 1) / 2
        self.register_buffer("places", levels ** torch.arange(digits), persistent=False)

    def bound(self, z: Tensor) -> Tensor:
        """Return the values before rounding: within about half a step beyond the outermost digits."""
        return torch.tanh(z) * (self.reach + 0.499)

    def forward(self, z: Tensor) -> Tensor:
        """Digits [..., 8] as float multiples of 1 / half, differentiable."""
        bounded = self.bound(z)
        return (bounded + (bounded.round() - bounded).detach()) / self.reach

    def codes(self, digits: Tensor) -> Tensor:
        """Digits [..., 8] to codes int64 [...]."""
        return ((digits * self.reach + self.reach).round().long() * self.places).sum(-1)


def fsq_digits(levels: int, digits: int) -> Tensor:
    """Code to its FSQ digits in -1..1, float32 [levels ** digits, digits]; the first digit changes fastest."""
    codes = torch.arange(levels**digits)
    places = levels ** torch.arange(digits)
    return ((codes[:, None] // places) % levels).float() / ((levels - 1) / 2) - 1


class CodecEncoder(nn.Module):
    """Normalised log-mels [B, F, 80] to FSQ digits [B, F / 4, 8]; all blocks run at token rate, where they are cheap."""

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.stride = ENCODER_STRIDE
        self.enter = nn.Conv1d(ENCODER_BANDS, FRAME_WIDTH, 5, padding=2)
        self.shrink = nn.Linear(self.stride * FRAME_WIDTH, ENCODER_WIDTH)
        self.blocks = nn.Sequential(*(ConvNeXt(ENCODER_WIDTH) for _ in range(6)))
        self.leave = nn.Sequential(nn.LayerNorm(ENCODER_WIDTH), nn.Linear(ENCODER_WIDTH, config.digits))
        self.quantise = FSQ(config.levels, config.digits)

    def latents(self, mels: Tensor) -> Tensor:
        """Return the quantiser's input, float32 [B, F / 4, 8]."""
        x = nn.functional.gelu(self.enter(mels.transpose(1, 2))).transpose(1, 2)
        batch, frames, width = x.shape
        x = self.shrink(x.reshape(batch, frames // self.stride, self.stride * width))
        latents: Tensor = self.leave(self.blocks(x)).float()
        return latents

    def forward(self, mels: Tensor) -> Tensor:
        digits: Tensor = self.quantise(self.latents(mels))
        return digits

    def codes(self, mels: Tensor) -> Tensor:
        """Codec tokens int64 [B, F / 4]."""
        return self.quantise.codes(self(mels))


class SpeakerEncoder(nn.Module):
    """Normalised log-mels [B, F, 80] to speaker embeddings [B, Es] of unit variance.

    The level is taken off first: who speaks does not depend on how loud. Attentive pooling weighs frames by what they tell.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = nn.Conv1d(ENCODER_BANDS, SPEAKER_WIDTH, 5, padding=2)
        self.blocks = nn.Sequential(*(ConvNeXt(SPEAKER_WIDTH) for _ in range(3)))
        self.norm = nn.LayerNorm(SPEAKER_WIDTH)
        self.weigh = nn.Linear(SPEAKER_WIDTH, SPEAKER_WIDTH)
        self.leave = nn.Linear(2 * SPEAKER_WIDTH, width)

    def forward(self, mels: Tensor) -> Tensor:
        level = mels - mels.mean((1, 2), keepdim=True)
        frames = self.norm(self.blocks(self.enter(level.transpose(1, 2)).transpose(1, 2)))
        weights = torch.softmax(self.weigh(frames), 1)
        mean = (weights * frames).sum(1)
        spread = ((weights * frames.square()).sum(1) - mean.square()).clamp(min=1e-4).sqrt()
        speaker = self.leave(torch.cat((mean, spread), -1))
        unit: Tensor = speaker / (speaker.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        return unit
