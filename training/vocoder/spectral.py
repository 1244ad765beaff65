"""Train the spectral decoder: its frame stack from the teacher's features, then codec and decoder together on waveforms.

The teacher's spectra are a linear map of its hidden states, so the stack regresses these, weighted by what they change in the
spectra. Stack and head start from the teacher's own weights. The last stage compares waveforms made with the same source, so
that even phases are comparable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from export.model.spectral.fourier import BINS
from export.model.spectral.vocoder import FUTURE, PITCH_AHEAD, SpectralHead, SpectralVocoder
from export.model.state import StateReader
from training.codec.feature_codec import (
    WEIGHTS,
    FeatureEncoder,
    TokenBatches,
    collate,
    feature_losses,
)
from training.codec.mel import mel_filters
from training.data.prosody import ProsodyUtterance
from training.hibari import SAMPLE_RATE, SpectralDecoder, load_decoder
from training.loop import fit, half, warm_cosine
from training.optimizers import Optimizers, update

RATE, JOINT_RATE = 1.5e-3, 8e-4
AVERAGED = 0.996
"""Share of the averaged weights that each step keeps."""
KEPT = (0, 1, 3, 4)
"""Spectra of the teacher that the student has: all but the noise, which is 40 dB below the rest."""
GAINS = (4.0, 1.0, 4.0, 1.0)
"""Weights of harmonic log-magnitude and phase, residual log-magnitude and phase: the student's phases with the teacher's
magnitudes scored a DistillMOS of 4.34, its magnitudes with the teacher's phases 3.60."""
CORNER = 700.0
"""Hz from which a bin's weight falls as on the mel scale."""
SIZES = ((2048, 120), (1024, 80), (512, 40), (240, 0))
"""Window and mel bands of each resolution of the waveform loss; 0: none."""
FLOOR = 1e-3
CROP = 96
"""Frames whose waveform is compared."""
SETTLE = 4
"""Hops at the start of a crop under windows that begin before it."""
HIDDEN_WEIGHT, WAVEFORM_WEIGHT = 0.05, 1.0


def copy_teacher(vocoder: SpectralVocoder, teacher: SpectralDecoder) -> None:
    """Start stack and head of the student from the teacher's decoder."""
    weights, own = teacher.state_dict(), vocoder.stack.state_dict()
    vocoder.stack.load_state_dict({name: weights.get(name, value) for name, value in own.items()})
    copy_head(vocoder.head, teacher)


@torch.no_grad()
def copy_head(head: SpectralHead, teacher: SpectralDecoder) -> None:
    """Copy the rows of the spectra that the student has."""
    for mine, theirs in ((head.head.weight, teacher.head.weight), (head.head.bias, teacher.head.bias)):
        mine.copy_(theirs.reshape(5, BINS, -1)[list(KEPT)].reshape(mine.shape))


def spectral_metric(teacher: SpectralDecoder) -> Tensor:
    """Matrix A [C, C] such that |A d|^2 is the weighted squared error of spectra that a difference d of hidden states makes."""
    rows = teacher.head.weight.detach().double().reshape(5, BINS, -1)[list(KEPT)]
    density = 1 / (CORNER + torch.arange(BINS, dtype=torch.float64) * (SAMPLE_RATE / 2 / (BINS - 1)))
    metric = torch.einsum("gbi,b,g,gbj->ij", rows, density / density.sum(), torch.tensor(GAINS).double(), rows)
    values, vectors = torch.linalg.eigh(metric)
    return (vectors * values.clamp(min=0).sqrt()).T.float()


@torch.no_grad()
def teacher_hidden(teacher: SpectralDecoder, utterances: Sequence[ProsodyUtterance], frames: int) -> Tensor:
    """Hidden states of whole utterances, padded: [B, frames, C]. One at a time, as the teacher sees beyond padding."""
    hidden = torch.zeros(len(utterances), frames, teacher.head.in_features)
    for row, each in enumerate(utterances):
        with half():
            hidden[row, :each.frames] = teacher.hidden(each.features()[None])[0].float()
    return hidden


def train_stack(utterances: Sequence[ProsodyUtterance], vocoder: SpectralVocoder, folder: Path, steps: int, frames: int = 2400,
                seed: int = 0) -> None:
    """Fit the frame stack to the teacher's hidden states from its true features."""
    torch.manual_seed(seed)
    teacher, stack = load_decoder().requires_grad_(False), vocoder.stack
    metric, batches = spectral_metric(teacher), TokenBatches(utterances, frames, seed)
    optimizer = torch.optim.AdamW(stack.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.01)

    def step(index: int) -> dict[str, float]:
        drawn = batches[index]
        batch = collate(drawn, stack.mean, stack.deviation, vocoder.config.frames_per_token)
        wanted = teacher_hidden(teacher, drawn, batch.features.shape[1])
        speaker = torch.zeros(len(drawn), stack.speaker.in_features)
        with half():
            state = StateReader(torch.zeros(len(drawn), vocoder.state_size))
            found = stack(nn.functional.pad(batch.features, (0, 0, 0, FUTURE)), speaker, state)[:, FUTURE:]
        loss = hidden_loss(found, wanted, metric, batch.mask)
        update(optimizer, loss, RATE * warm_cosine(index, steps, 50, 0.02))
        return {"hidden": loss.item()}

    fit(folder, {"stack": stack, "optimizer": optimizer}, step, steps)


def hidden_loss(found: Tensor, wanted: Tensor, metric: Tensor, mask: Tensor) -> Tensor:
    """Weighted squared error of hidden states [B, F, C] inside utterances."""
    error = ((found.float() - wanted) @ metric.T).square().sum(-1)
    return (error * mask).sum() / mask.sum()


class WaveformLoss(nn.Module):
    """Multi-resolution distance of samples [B, T] made with the same source: log-magnitudes, mels, and complex spectra."""

    def __init__(self) -> None:
        super().__init__()
        for size, bands in SIZES:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)
            if bands:
                self.register_buffer(f"filters_{size}", mel_filters(size, bands, SAMPLE_RATE), persistent=False)

    def forward(self, made: Tensor, true: Tensor) -> Tensor:
        total = made.new_zeros(())
        for size, bands in SIZES:
            window = getattr(self, f"window_{size}")
            a, b = (torch.stft(x, size, size // 4, window=window, return_complex=True, center=False) / size**0.5
                    for x in (made, true))
            low, high = a.abs(), b.abs()
            total = total + log_distance(low, high) + 0.5 * (low - high).norm() / high.norm().clamp(min=FLOOR)
            scale = high + 0.02 * high.amax((1, 2), keepdim=True) + FLOOR
            total = total + 0.3 * ((a - b).abs() / scale).clamp(max=3).mean()
            if bands:
                filters = getattr(self, f"filters_{size}")
                total = total + 0.7 * log_distance(filters @ low, filters @ high)
        return total


def log_distance(made: Tensor, true: Tensor) -> Tensor:
    """L1 of logarithms above FLOOR."""
    return ((made + FLOOR).log() - (true + FLOOR).log()).abs().mean()


def train_spectral_vocoder(utterances: Sequence[ProsodyUtterance], encoder: FeatureEncoder, head: nn.Linear,
                           vocoder: SpectralVocoder, folder: Path, steps: int, frames: int = 3000, seed: int = 0,
                           fixed_codes: bool = False) -> None:
    """Fit encoder, trunk, stack and head together: features, hidden states, and waveforms of random crops. With `fixed_codes`
    the encoder stays as it is: the decoder goes on while language models learn the codes. `average` of the state is what ships.
    """
    torch.manual_seed(seed)
    teacher = load_decoder().requires_grad_(False)
    reference = SpectralHead(vocoder.config).requires_grad_(False)
    copy_head(reference, teacher)
    loss_of, metric, batches = WaveformLoss(), spectral_metric(teacher), TokenBatches(utterances, frames, seed)
    parts: dict[str, nn.Module] = {"encoder": encoder.train(), "phonemes": head, "vocoder": vocoder.train()}
    encoder.requires_grad_(not fixed_codes)
    trained = nn.ModuleDict(parts)
    moving = [(name, value) for name, value in trained.named_parameters() if value.requires_grad]
    optimizers = Optimizers(moving, JOINT_RATE, 0.01)
    averaging = get_ema_multi_avg_fn(AVERAGED)  # type: ignore[no-untyped-call]
    average = AveragedModel(trained, multi_avg_fn=averaging)

    def step(index: int) -> dict[str, float]:
        torch.manual_seed(seed * 1_000_003 + index)
        drawn = batches[index]
        batch = collate(drawn, vocoder.stack.mean, vocoder.stack.deviation, encoder.stride)
        losses, features = feature_losses(encoder, vocoder, head, batch, 0.0)
        speaker = torch.zeros(len(drawn), vocoder.stack.speaker.in_features)
        with half():
            state = StateReader(torch.zeros(len(drawn), vocoder.state_size))
            found = vocoder.stack(nn.functional.pad(features, (0, 0, 0, FUTURE)), speaker, state)[:, FUTURE:].float()
        wanted = teacher_hidden(teacher, drawn, found.shape[1])
        made, true = (crop_waveform(each, hidden, batch.pitch, batch.lengths, seed + index)
                      for each, hidden in ((vocoder.head, found), (reference, wanted)))
        losses |= {"hidden": hidden_loss(found, wanted, metric, batch.mask), "waveform": loss_of(made, true)}
        weights = {**WEIGHTS, "hidden": HIDDEN_WEIGHT, "waveform": WAVEFORM_WEIGHT}
        loss = sum((weights[name] * value for name, value in losses.items()), torch.zeros(()))
        optimizers.step(loss, warm_cosine(index, steps, 50, 0.02), clip=3.0)
        average.update_parameters(trained)
        return {name: value.item() for name, value in losses.items()}

    fit(folder, {**parts, "average": average, "optimizers": optimizers}, step, steps)


def averaged(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Weights of `encoder` or `vocoder` in the `average` of a state."""
    prefix = f"module.{part}."
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def crop_waveform(head: SpectralHead, hidden: Tensor, pitch: Tensor, lengths: Tensor, seed: int) -> Tensor:
    """Samples of a crop of every utterance with the given F0; the same seed gives the same crops and source."""
    rng = np.random.default_rng(seed)
    frames = min(CROP, int(lengths.min()))
    starts = [int(rng.integers(0, int(length) - frames + 1)) for length in lengths]
    ahead = nn.functional.pad(pitch, (0, PITCH_AHEAD))[:, PITCH_AHEAD:]
    states = torch.stack([hidden[row, start:start + frames] for row, start in enumerate(starts)])
    source = torch.stack([ahead[row, start:start + frames] for row, start in enumerate(starts)])
    state = torch.zeros(len(hidden), head.state_size)
    state[:, 0], state[:, 1] = torch.from_numpy(rng.random(len(hidden))).float(), source[:, 0]
    return head(states, source, StateReader(state))[:, SETTLE * head.hop:]
