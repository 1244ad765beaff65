"""Training of the codec's encoder for recordings: mel frames of the teacher's voices to the digits of the feature encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.encoders import CodecEncoder
from training.codec.mel import MelSpectrogram
from training.data.shards import read_folder
from training.loop import fit, half, warm_cosine
from training.optimizers import Optimizers

RATE = 2e-3
CROP = 48
"""Tokens of a training crop, 1.9 s."""


class EncodedRecording(NamedTuple):
    """Normalised log-mels [4 T, 80] of a recording, and digits before rounding [T, 8]."""

    mels: Tensor
    latents: Tensor


@torch.inference_mode()
def load_recordings(audio: Path, split: str) -> list[EncodedRecording]:
    """A split of the shards of `training.data.teacher_audio`."""
    mel, found = MelSpectrogram(), []
    for note, utterance in read_folder(audio):
        if note["split"] == split:
            latents = torch.from_numpy(utterance["latents"].astype(np.float32))
            mels = mel(torch.from_numpy(utterance["samples"].astype(np.float32))[None] / 32767)[0]
            tokens = min(len(mels) // 4, len(latents))
            found.append(EncodedRecording(mels[:4 * tokens].clone(), latents[:tokens]))
    return found


def train_recording_encoder(train: Sequence[EncodedRecording], held_out: Sequence[EncodedRecording], folder: Path,
                            config: VocoderConfig, steps: int, batch: int = 16, seed: int = 0) -> None:
    """Fit the encoder by squared error; validation is the share of digits and of whole tokens that agree on `held_out`."""
    torch.manual_seed(seed)
    encoder = CodecEncoder(config)
    optimizers = Optimizers(encoder.named_parameters(), RATE, 0.01)
    long_enough = [each for each in train if len(each.latents) >= CROP]

    def step(index: int) -> dict[str, float]:
        rng = np.random.default_rng((seed, index))
        picks = [long_enough[int(pick)] for pick in rng.integers(len(long_enough), size=batch)]
        starts = [int(rng.integers(len(pick.latents) - CROP + 1)) for pick in picks]
        mels = torch.stack([pick.mels[4 * first:4 * (first + CROP)] for pick, first in zip(picks, starts, strict=True)])
        wanted = torch.stack([pick.latents[first:first + CROP] for pick, first in zip(picks, starts, strict=True)])
        with half():
            found = encoder.quantise.bound(encoder.latents(mels))
        loss = nn.functional.mse_loss(found, wanted)
        optimizers.step(loss, warm_cosine(index, steps, 30, 0.03))
        return {"loss": loss.item()}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        encoder.eval()
        same = torch.cat([encoder(each.mels[None])[0].round() == each.latents.round() for each in held_out])
        encoder.train()
        return {"digits": float(same.float().mean()), "tokens": float(same.all(-1).float().mean())}

    fit(folder, {"encoder": encoder, "optimizers": optimizers}, step, steps, validate)
