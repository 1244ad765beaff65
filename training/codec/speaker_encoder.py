"""The speaker encoder: recordings to the speaker embeddings that the voices were trained with.

It is regressed onto the vectors of `training.data.voices`, so that a recording of a known voice conditions extractor and
waveform decoder as its name does, and weights trained with those vectors stay valid. With a handful of voices it learns to
tell these, not what makes voices differ: an unknown speaker is placed somewhere between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.model.encoders import SpeakerEncoder
from training.codec.mel import BANDS, HOP, SCALE, MelSpectrogram
from training.data.shards import read_folder
from training.loop import fit, half, warm_cosine
from training.optimizers import update

RATE = 1e-3
CROPS = (60, 300)
"""Mel frames of a training crop, from and to (0.6 s to 3 s)."""
MARGIN = 0.3
"""By how much the right voice's cosine should be above the nearest other's at least."""


def train_speaker_encoder(audio: Path, speakers: Mapping[str, Tensor], folder: Path, steps: int, batch: int = 24,
                          seed: int = 0) -> None:
    """Fit the encoder to the voices of a folder of shards; the validation figures are those of sentences that do not train."""
    torch.manual_seed(seed)
    mel = MelSpectrogram()
    train, checks = (_load(audio, speakers, mel, split) for split in ("train", "validation"))
    targets = torch.stack(list(speakers.values()))
    encoder = SpeakerEncoder(targets.shape[1])
    optimizer = torch.optim.AdamW(encoder.parameters(), RATE, weight_decay=0.02)

    def step(index: int) -> dict[str, float]:
        rng = np.random.default_rng((seed, index))
        frames = int(rng.integers(*CROPS))
        voices = rng.integers(len(train), size=batch)
        crops = [_crop(train[voice][rng.integers(len(train[voice]))], frames, rng) for voice in voices]
        with half():
            made = encoder(augment(torch.stack(crops), rng)).float()
        cosines = nn.functional.cosine_similarity(made[:, None], targets[None], dim=-1)
        right = cosines[torch.arange(batch), torch.from_numpy(voices)]
        others = cosines.masked_fill(nn.functional.one_hot(torch.from_numpy(voices), len(targets)).bool(), -1.0)
        loss = (1 - right + torch.relu(others.amax(-1) + MARGIN - right)).mean()
        update(optimizer, loss, RATE * warm_cosine(index, steps, 30, 0.03))
        return {"loss": loss.item(), "cosine": right.mean().item()}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        encoder.eval()
        pairs = [(nn.functional.cosine_similarity(encoder(mels[None]), targets), voice)
                 for voice, own in enumerate(checks) for mels in own]
        encoder.train()
        return {"validation cosine": float(np.mean([float(found[voice]) for found, voice in pairs])),
                "right": float(np.mean([int(found.argmax()) == voice for found, voice in pairs]))}

    fit(folder, {"encoder": encoder, "optimizer": optimizer}, step, steps, validate)


def augment(mels: Tensor, rng: np.random.Generator) -> Tensor:
    """Another microphone, room and background for each crop [B, F, 80]: a smooth tilt over bands, noise, bands left out."""
    changed = mels.clone()
    for row in changed:
        knots = torch.from_numpy(rng.normal(0, 0.1, 6)).float()
        row += nn.functional.interpolate(knots[None, None], size=BANDS, mode="linear", align_corners=True)[0]
        if rng.random() < 0.5:
            noise = torch.from_numpy(rng.normal(rng.uniform(-2.2, -0.6), 0.12, tuple(row.shape))).float()
            row.copy_(torch.logaddexp(SCALE * row, SCALE * noise) / SCALE)
        if rng.random() < 0.3:
            start = int(rng.integers(BANDS - 12))
            row[:, start:start + int(rng.integers(4, 12))] = float(row.mean())
    return changed


def _load(audio: Path, speakers: Mapping[str, Tensor], mel: MelSpectrogram, split: str) -> list[list[Tensor]]:
    """Mel frames [F, 80] of every recording of a split, voice by voice."""
    names, found = list(speakers), [list[Tensor]() for _ in speakers]
    for text, utterance in read_folder(audio):
        if text["split"] == split and text["voice"] in names and len(utterance["samples"]) > CROPS[0] * HOP:
            samples = torch.from_numpy(utterance["samples"].astype(np.float32) / 32767)
            found[names.index(text["voice"])].append(mel(samples[None])[0])
    return found


def _crop(mels: Tensor, frames: int, rng: np.random.Generator) -> Tensor:
    """`frames` of a recording, repeated where it is shorter."""
    repeated = mels.repeat(-(-frames // len(mels)), 1)
    start = int(rng.integers(len(repeated) - frames + 1))
    return repeated[start:start + frames]
