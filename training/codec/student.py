"""The teacher's student: acoustic features at 80 Hz to mel frames at 100 Hz, instead of the teacher's waveform generator.

Trained on the hours of audio that the teacher synthesised in full; then everything else costs a twentieth.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.model.encoders import ConvNeXt
from training.codec.mel import BANDS, HOP, MelSpectrogram
from training.data.shards import read_folder
from training.data.teacher import FEATURE_HOP, TeacherUtterance
from training.loop import fit, half, warm_cosine
from training.optimizers import update

WIDTH = 256
PITCH_BANDS = 48
CROP = 96
"""Feature frames of a training crop (1.2 s); a multiple of 4, so that crops start on a mel frame."""


class Student(nn.Module):
    """Features [B, T, 512] and pitch [B, T] to normalised log-mels [B, 1.25 T, 80]."""

    centres: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(np.log(50), np.log(500), PITCH_BANDS), persistent=False)
        self.enter = nn.Linear(512 + PITCH_BANDS, WIDTH)
        self.slow = nn.Sequential(*(ConvNeXt(WIDTH) for _ in range(2)))
        self.fast = nn.Sequential(*(ConvNeXt(WIDTH) for _ in range(4)))
        self.leave = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, BANDS))

    def forward(self, features: Tensor, pitch: Tensor) -> Tensor:
        tuned = torch.exp(-((pitch.clamp(min=1).log()[..., None] - self.centres) / 0.05).square() / 2)
        x = self.slow(self.enter(torch.cat((features, tuned), -1)))
        frames = x.shape[1] * FEATURE_HOP // HOP
        x = nn.functional.interpolate(x.transpose(1, 2), size=frames, mode="linear").transpose(1, 2)
        mels: Tensor = self.leave(self.fast(x))
        return mels


def train_student(audio: Path, folder: Path, steps: int = 1200, batch: int = 24, seed: int = 0) -> None:
    """Fit the student to the mels of the fully synthesised hours, L1 on normalised log-mels."""
    torch.manual_seed(seed)
    data = [(u["features"], u["pitch"], u["samples"]) for text, u in read_folder(audio)
            if text["split"] == "train" and len(u["features"]) > CROP]
    student, mel = Student(), MelSpectrogram()
    optimizer = torch.optim.AdamW(student.parameters(), 1e-3, betas=(0.9, 0.98), weight_decay=0.01)

    def step(index: int) -> dict[str, float]:
        rng = np.random.default_rng((seed, index))
        crops = [_crop(data[pick], rng) for pick in rng.integers(len(data), size=batch)]
        features, pitch, samples = (torch.from_numpy(np.stack(column)).float() for column in zip(*crops, strict=True))
        # Frames at the crop's edges see silence that was not there: they are out of the loss.
        with half():
            made = student(features, pitch).float()
        loss = (made - mel(samples / 32767))[:, 10:-10].abs().mean()
        update(optimizer, loss, 1e-3 * warm_cosine(index, steps, 50, 0.05))
        return {"l1": loss.item()}

    fit(folder, {"student": student, "optimizer": optimizer}, step, steps)


Heard = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Features, pitch and samples of one utterance or of a crop of it."""


def _crop(heard: Heard, rng: np.random.Generator) -> Heard:
    features, pitch, samples = heard
    start = 4 * int(rng.integers((len(features) - CROP) // 4 + 1))
    stop = start + CROP
    return features[start:stop], pitch[start:stop], samples[start * FEATURE_HOP:stop * FEATURE_HOP]


class RenderMels:
    """TeacherUtterance to mel arrays, for `training.data.corpus`: what the codec and the language models train on."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        self._student = Student().eval()
        self._student.load_state_dict(torch.load(folder / "state.pt", weights_only=True)["student"])

    @torch.inference_mode()
    def __call__(self, reading: TeacherUtterance) -> dict[str, np.ndarray]:
        features, pitch = torch.from_numpy(reading.features)[None], torch.from_numpy(reading.pitch)[None]
        mels = self._student(features, pitch)
        return {"mels": mels[0].to(torch.float16).numpy(), "pitch": reading.pitch.astype(np.float16),
                "durations": reading.durations.astype(np.int16), "silence": np.array(reading.silence, np.int16)}
