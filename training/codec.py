"""Stage 3: the codec. Mel frames to 25 tokens a second of 6,561 codes (FSQ, 3 levels x 8 digits) and back to mels.

The encoder sees both sides and only trains and clones; the decoder's trunk is the vocoder's, causal and streaming.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.state import StateReader
from export.model.vocoder import DecoderTrunk
from training.blocks import ConvNeXt
from training.loop import fit, warm_cosine
from training.mel import BANDS
from training.optimizers import Optimizers

FRAME_WIDTH, ENCODER_WIDTH = 128, 320
CROP = 256
"""Mel frames of a training crop (2.56 s)."""


class FSQ(nn.Module):
    """Finite scalar quantisation: each digit bounded by tanh and rounded to -1, 0, 1, gradients passed straight through."""

    places: Tensor

    def __init__(self, levels: int, digits: int) -> None:
        super().__init__()
        self.reach = (levels - 1) / 2
        self.register_buffer("places", levels ** torch.arange(digits), persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """Digits [..., 8] as float multiples of 1 / half, differentiable."""
        bounded = torch.tanh(z) * (self.reach + 0.499)
        return (bounded + (bounded.round() - bounded).detach()) / self.reach

    def codes(self, digits: Tensor) -> Tensor:
        """Digits [..., 8] to codes int64 [...]."""
        return ((digits * self.reach + self.reach).round().long() * self.places).sum(-1)


class Encoder(nn.Module):
    """Normalised log-mels [B, F, 80] to FSQ digits [B, F / 4, 8]; all blocks run at token rate, where they are cheap."""

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.stride = config.frames_per_token
        self.enter = nn.Conv1d(BANDS, FRAME_WIDTH, 5, padding=2)
        self.shrink = nn.Linear(self.stride * FRAME_WIDTH, ENCODER_WIDTH)
        self.blocks = nn.Sequential(*(ConvNeXt(ENCODER_WIDTH) for _ in range(6)))
        self.leave = nn.Sequential(nn.LayerNorm(ENCODER_WIDTH), nn.Linear(ENCODER_WIDTH, config.digits))
        self.quantise = FSQ(config.levels, config.digits)

    def forward(self, mels: Tensor) -> Tensor:
        x = nn.functional.gelu(self.enter(mels.transpose(1, 2))).transpose(1, 2)
        batch, frames, width = x.shape
        x = self.shrink(x.reshape(batch, frames // self.stride, self.stride * width))
        digits: Tensor = self.quantise(self.leave(self.blocks(x)))
        return digits

    def codes(self, mels: Tensor) -> Tensor:
        """Codec tokens int64 [B, F / 4]."""
        return self.quantise.codes(self(mels))


class MelDecoder(nn.Module):
    """The vocoder's trunk with a mel head: digits [B, T, 8] to mels [B, 4 T, 80]."""

    def __init__(self, config: VocoderConfig, speaker: int) -> None:
        super().__init__()
        self.trunk = DecoderTrunk(config, speaker)
        self.head = nn.Linear(config.frame_width, BANDS)

    def forward(self, digits: Tensor, speaker: Tensor) -> Tensor:
        config = self.trunk.config
        state = StateReader(torch.zeros(len(digits), self.trunk.state_size, device=digits.device))
        padded = nn.functional.pad(digits, (0, 0, 0, config.lookahead))
        present = (torch.arange(padded.shape[1]) < digits.shape[1]).expand(len(digits), -1)
        frames = self.trunk.decode(padded, present, speaker, state)
        mels: Tensor = self.head(frames[:, config.lookahead * config.frames_per_token:])
        return mels


def train_codec(mels: list[tuple[np.ndarray, np.ndarray]], folder: Path, config: VocoderConfig, steps: int, batch: int = 12,
                seed: int = 0) -> None:
    """Fit encoder and mel decoder on (mels [F, 80] float16, speaker [Es]) pairs: L1 on normalised log-mels."""
    torch.manual_seed(seed)
    encoder, decoder = Encoder(config), MelDecoder(config, len(mels[0][1]))
    optimizers = Optimizers([*encoder.named_parameters(), *decoder.named_parameters()], 2e-3, 0.01)
    long_enough = [pair for pair in mels if len(pair[0]) >= CROP]

    def step(index: int) -> dict[str, float]:
        rng = np.random.default_rng((seed, index))
        picks = [long_enough[pick] for pick in rng.integers(len(long_enough), size=batch)]
        starts = [int(rng.integers(len(frames) - CROP + 1)) for frames, _ in picks]
        crops = torch.from_numpy(np.stack([f[s:s + CROP] for (f, _), s in zip(picks, starts, strict=True)])).float()
        speakers = torch.from_numpy(np.stack([speaker for _, speaker in picks]))
        digits = encoder(crops)
        loss = (decoder(digits, speakers) - crops).abs().mean()
        optimizers.step(loss, warm_cosine(index, steps, 50, 0.03))
        return {"l1": loss.item(), "codes": float(len(set(encoder.quantise.codes(digits).flatten().tolist())))}

    fit(folder, {"encoder": encoder, "decoder": decoder, "optimizers": optimizers}, step, steps)
