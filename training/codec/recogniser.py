"""A phoneme recogniser on mel frames; frozen, it is a perceptual loss for codec and waveform decoder.

L1 over mel bands hardly depends on whether each phoneme stays intelligible; this loss does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.model.encoders import ConvNeXt
from runtime.text.phonemes import IDS
from training.codec.mel import BANDS
from training.codec.spectrograms import UNHEARD, Spectrogram, crops
from training.loop import fit, half, warm_cosine
from training.optimizers import Optimizers

WIDTH, BLOCKS = 256, 4
RATE = 2e-3
NOISE = 0.15
"""Deviation of the noise on training frames, whose own deviation is about 1: a softer judge has gradients everywhere."""


class MelRecogniser(nn.Module):
    """Normalised log-mels [B, F, 80] to logits of phoneme ids [B, F, IDS], 0 silence; a frame sees 0.14 s on either side."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv1d(BANDS, WIDTH, 5, padding=2)
        self.blocks = nn.ModuleList(ConvNeXt(WIDTH) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        self.leave = nn.Linear(WIDTH, IDS)

    def features(self, mels: Tensor) -> Tensor:
        """Hidden features before the logits, [B, F, WIDTH]."""
        x = self.enter(mels.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, mels: Tensor) -> Tensor:
        logits: Tensor = self.leave(self.features(mels))
        return logits


class PhonemePerceptualLoss(nn.Module):
    """Distance of two spectrograms by a frozen recogniser: divergence of its phoneme posteriors plus L1 of its features."""

    def __init__(self, recogniser: MelRecogniser) -> None:
        super().__init__()
        self.recogniser = recogniser.eval().requires_grad_(False)

    def forward(self, made: Tensor, true: Tensor) -> Tensor:
        """Scalar, for mels [B, F, 80]."""
        with torch.no_grad(), half(made.device):
            wanted = self.recogniser.features(true)
            target = self.recogniser.leave(wanted).float().log_softmax(-1)
        with half(made.device):
            got = self.recogniser.features(made)
            heard = self.recogniser.leave(got).float().log_softmax(-1)
        divergence = nn.functional.kl_div(heard, target, log_target=True, reduction="none").sum(-1).mean()
        return divergence + (got.float() - wanted.float()).abs().mean()


def spelling_loss(logits: Tensor, phonemes: Tensor) -> Tensor:
    """Cross-entropy of logits [B, F, IDS] on labels [B, F], over the frames that have one."""
    return nn.functional.cross_entropy(logits.float().flatten(0, 1), phonemes.long().flatten(), ignore_index=UNHEARD)


def train_recogniser(corpus: Sequence[Spectrogram], held_out: Sequence[Spectrogram], folder: Path, steps: int,
                     batch: int = 16, seed: int = 0) -> None:
    """Fit the recogniser to noisy crops; validation is the share of right frames on `held_out`."""
    torch.manual_seed(seed)
    recogniser = MelRecogniser()
    optimizers = Optimizers(recogniser.named_parameters(), RATE, 0.02)

    def step(index: int) -> dict[str, float]:
        frames, spoken, _ = crops(corpus, batch, np.random.default_rng((seed, index)))
        noise = torch.randn(frames.shape, generator=torch.Generator().manual_seed(seed * 1_000_003 + index))
        with half():
            logits = recogniser(frames + NOISE * noise)
        loss = spelling_loss(logits, spoken)
        optimizers.step(loss, warm_cosine(index, steps, 30, 0.03))
        return {"loss": loss.item()}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        right = total = 0
        for one in held_out:
            labels = torch.from_numpy(one.phonemes)
            heard = recogniser(torch.from_numpy(one.frames[None]).float())[0].argmax(-1)
            right += int(((heard == labels) & (labels != UNHEARD)).sum())
            total += int((labels != UNHEARD).sum())
        return {"right": right / max(1, total)}

    fit(folder, {"recogniser": recogniser, "optimizers": optimizers}, step, steps, validate)
