"""Training of the codec's encoder on recordings: the teacher's audio is mapped to the tokens of the student's mel frames.

Codec and language models live on the student's mels, which are smoother than real ones: the same sentence recorded gave other
tokens, which only cloning and resynthesis meet. Tokens of the student's mels stay as they are, so that nothing else changes.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from export.model.encoders import CodecEncoder
from training.codec.mel import MelSpectrogram
from training.codec.spectrograms import CROP
from training.codec.student import Student
from training.data.shards import read_folder
from training.loop import fit, half, warm_cosine
from training.optimizers import Optimizers

RATE = 5e-4


class Pair(NamedTuple):
    """One sentence as the student's and as the teacher's normalised log-mels [F, 80], of equal length."""

    made: Tensor
    said: Tensor


@torch.inference_mode()
def load_pairs(audio: Path, student: Student, split: str, stride: int) -> list[Pair]:
    """A split of the corpus `audio`, cut to whole tokens."""
    mel, pairs = MelSpectrogram(), []
    for note, u in read_folder(audio):
        if note["split"] == split:
            features, pitch = (torch.from_numpy(u[key])[None].float() for key in ("features", "pitch"))
            made, said = student(features, pitch)[0], mel(torch.from_numpy(u["samples"])[None] / 32767)[0]
            frames = min(len(made), len(said)) // stride * stride
            pairs.append(Pair(made[:frames].clone(), said[:frames].clone()))
    return pairs


def train_encoder(start: CodecEncoder, pairs: Sequence[Pair], held_out: Sequence[Pair], folder: Path, steps: int,
                  batch: int = 16, seed: int = 0) -> None:
    """Teach a copy of `start` to give for both of a pair what `start` gives for the student's; validation is the share of
    digits and of whole tokens that agree on `held_out`."""
    torch.manual_seed(seed)
    fixed, encoder = start.eval().requires_grad_(False), copy.deepcopy(start).requires_grad_(True)
    optimizers = Optimizers(encoder.named_parameters(), RATE, 0.01)
    long_enough = [pair for pair in pairs if len(pair.made) >= CROP]

    def step(index: int) -> dict[str, float]:
        rng = np.random.default_rng((seed, index))
        picks = [long_enough[int(pick)] for pick in rng.integers(len(long_enough), size=batch)]
        starts = [int(rng.integers((len(pair.made) - CROP) // fixed.stride + 1)) * fixed.stride for pair in picks]
        made, said = (torch.stack([getattr(pair, side)[first:first + CROP] for pair, first in zip(picks, starts, strict=True)])
                      for side in Pair._fields)
        with torch.no_grad(), half():
            wanted = fixed.quantise.bound(fixed.latents(made))
        with half():
            got = encoder.quantise.bound(encoder.latents(torch.cat((made, said))))
        kept, learnt = (nn.functional.mse_loss(part, wanted) for part in got.chunk(2))
        optimizers.step(kept + learnt, warm_cosine(index, steps, 30, 0.03))
        return {"made": kept.item(), "said": learnt.item()}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        encoder.eval()
        wanted = torch.cat([fixed(pair.made[None])[0] for pair in held_out])
        got = {side: torch.cat([encoder(getattr(pair, side)[None])[0] for pair in held_out]) for side in Pair._fields}
        encoder.train()
        return {f"{what} {side}": float(share.float().mean()) for side, digits in got.items()
                for what, share in (("digits", digits == wanted), ("tokens", (digits == wanted).all(-1)))}

    fit(folder, {"encoder": encoder, "optimizers": optimizers}, step, steps, validate)
