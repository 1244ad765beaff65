"""Discriminators learn to tell two kinds of samples, and what they say moves the samples that were made."""

import json
from pathlib import Path

import numpy as np
import torch

from export.model.config import EMBEDDED_VOCODER
from export.model.vocoder import StreamingVocoder
from training.codec.recogniser import MelRecogniser
from training.vocoder.adversarial import train_adversarial
from training.vocoder.crops import CROP, Recording
from training.vocoder.discriminators import Discriminators


def _two_kinds() -> tuple[torch.Tensor, torch.Tensor]:
    time = torch.arange(4800) / 24_000
    return torch.sin(2 * torch.pi * 220 * time).repeat(2, 1), torch.randn(2, 4800, generator=torch.Generator().manual_seed(0))


def test_they_learn_to_tell_tone_from_noise() -> None:
    torch.manual_seed(0)
    judges, (spoken, made) = Discriminators(), _two_kinds()
    optimizer = torch.optim.AdamW(judges.parameters(), 1e-3)
    losses = []
    for _ in range(12):
        loss = judges.loss(spoken, made)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.8 and losses[-1] < 1.0
    judged, _ = judges.judge(spoken, made)
    same, distance = judges.judge(spoken, spoken)
    assert judged.item() > same.item() + 0.3
    assert distance.item() == 0


def test_their_verdict_reaches_the_samples() -> None:
    spoken, made = _two_kinds()
    made.requires_grad_(True)
    for share in Discriminators().judge(spoken, made):
        gradient, = torch.autograd.grad(share, made, retain_graph=True)
        assert float(gradient.abs().sum()) > 0


def test_a_vocoder_trains_and_its_average_is_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tokens = CROP + 2
    codes = torch.from_numpy(rng.integers(6561, size=tokens))
    recording = Recording((codes, codes), torch.from_numpy(rng.normal(0, 0.1, tokens * 960)).float(),
                          torch.full((tokens * 4,), 120.0), torch.ones(64))
    start = StreamingVocoder(EMBEDDED_VOCODER, 64).requires_grad_(False)  # as a checkpoint gives it
    before = start.head.filters.weight.detach().clone()
    train_adversarial([recording], start, MelRecogniser(), tmp_path, 2, batch=1)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    averaged = state["averaged"]["module.head.filters.weight"]
    assert not torch.equal(averaged, before) and not torch.equal(averaged, state["vocoder"]["head.filters.weight"])
    assert {"telling", "passing", "features"} <= set(json.loads((tmp_path / "log.jsonl").read_text()))
