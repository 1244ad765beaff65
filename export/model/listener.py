"""The embedded voice's listener: which phoneme each codec token speaks, read off the codec tokens alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.encoders import ConvNeXt, fsq_digits
from runtime.text.phonemes import IDS

WIDTH, BLOCKS = 192, 4


class Listener(nn.Module):
    """Codec tokens int64 [B, T] to log-probabilities float32 [B, T, IDS] of phoneme ids; context 0.5 s on either side.

    It reads neither text nor voice. NO_TOKEN pads the rows of a batch and has no effect.
    """

    digits: Tensor
    levels: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.register_buffer("digits", fsq_digits(config.levels, config.digits), persistent=False)
        self.register_buffer("levels", torch.linspace(-1, 1, config.levels), persistent=False)
        self.enter = nn.Sequential(nn.Linear(config.levels * config.digits, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH))
        self.blocks = nn.ModuleList(ConvNeXt(WIDTH) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        self.leave = nn.Linear(WIDTH, IDS)

    def forward(self, tokens: Tensor) -> Tensor:
        present = (tokens >= 0)[..., None]
        digits = nn.functional.embedding(tokens.clamp(min=0), self.digits)
        x = self.enter((digits[..., None] == self.levels).float().flatten(-2)) * present
        for block in self.blocks:
            x = block(x) * present
        return nn.functional.log_softmax(self.leave(self.norm(x)).float(), -1)
