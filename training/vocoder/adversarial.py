"""Adversarial fine-tuning of the waveform decoder.

Spectral, pitch and perceptual losses stay, to keep the words intelligible.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from export.model.vocoder import StreamingVocoder
from training.codec.mel import MelSpectrogram
from training.codec.recogniser import MelRecogniser, PhonemePerceptualLoss
from training.loop import CPU, fit, warm_cosine
from training.optimizers import update
from training.vocoder.crops import Recording, draw_recordings
from training.vocoder.discriminators import Discriminators
from training.vocoder.vocoder import PERCEPTUAL_WEIGHT, PITCH_WEIGHT, SpectralLoss, pitch_loss, voice_crops

RATE = 3e-4
BETAS = (0.8, 0.99)
CLIP = 5.0
PASSING_WEIGHT, FEATURE_WEIGHT = 4.0, 4.0
"""Of their verdict and of the distance of their features, beside spectral losses of about 4; 1 and 2 changed less."""
SLICE = 8192
"""Samples of each crop, at a random place, that the discriminators hear: they cost more than all the rest."""
AVERAGE = 0.999
"""Decay of the running average of the decoder's weights, which is what is kept: the last weights still sway."""


def train_adversarial(recordings: Sequence[Recording], start: StreamingVocoder, recogniser: MelRecogniser, folder: Path,
                      steps: int, batch: int = 6, seed: int = 0, device: torch.device = CPU) -> None:
    """Go on with a trained vocoder; the run's `averaged` is the result."""
    torch.manual_seed(seed)
    vocoder, judges = start.to(device).train().requires_grad_(True), Discriminators().to(device)
    averaged = AveragedModel(vocoder, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE))  # type: ignore[no-untyped-call]
    loss_of, mel = SpectralLoss().to(device), MelSpectrogram().to(device)
    perceptual_loss = PhonemePerceptualLoss(recogniser).to(device)
    makes, tells = (torch.optim.AdamW(part.parameters(), RATE, betas=BETAS, weight_decay=0.01) for part in (vocoder, judges))

    def step(index: int) -> dict[str, float]:
        torch.manual_seed(seed * 1_000_003 + index)
        rng = np.random.default_rng((seed, index))
        crops = draw_recordings(recordings, batch, vocoder.config, rng, device)
        made, heard = voice_crops(vocoder, crops.codes, crops.speakers, crops.pitch)
        first = int(rng.integers(made.shape[1] - SLICE + 1))
        spoken, judged = (each[:, first:first + SLICE] for each in (crops.target, made))
        telling = judges.loss(spoken, judged.detach())
        update(tells, telling, RATE * warm_cosine(index, steps, 1, 0.05), CLIP)
        passing, features = judges.judge(spoken, judged)
        spectral, pitch = loss_of(made, crops.target), pitch_loss(heard, crops.pitch)
        perceptual = perceptual_loss(mel(made), mel(crops.target))
        loss = (spectral + PITCH_WEIGHT * pitch + PERCEPTUAL_WEIGHT * perceptual
                + PASSING_WEIGHT * passing + FEATURE_WEIGHT * features)
        update(makes, loss, RATE * warm_cosine(index, steps, 200, 0.05), CLIP)
        averaged.update_parameters(vocoder)
        return {"telling": telling.item(), "passing": passing.item(), "features": features.item(),
                "spectral": spectral.item(), "pitch": pitch.item(), "perceptual": perceptual.item()}

    fit(folder, {"vocoder": vocoder, "averaged": averaged, "judges": judges, "makes": makes, "tells": tells}, step, steps)
